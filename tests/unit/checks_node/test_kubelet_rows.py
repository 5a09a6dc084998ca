"""Why a kubelet does not run: what its last start named, and nothing that merely lies beside it (NODE-03 to NODE-07)."""

# ruff: noqa: E501 - log lines stand as they were printed

from __future__ import annotations

import subprocess
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.checks.node.invalid_kubelet_configuration import without
from bot.edges.node import LINKS
from bot.link import Case, Tri
from bot.model.cluster import LogLine
from bot.model.evidence import Evidence, Known
from bot.model.finding import Confidence, Finding, Safety, Severity
from bot.model.host import (
    Certificate,
    Certificates,
    FileFact,
    HostUnits,
    KubeletArguments,
    KubeletFiles,
    KubeletLog,
    Presence,
    Unit,
)
from bot.model.host_reach import PendingRequests, SigningRequest
from tests.unit.checks_node.test_rows import CLOCK, CONFIG, CRASHING, NOW, PROOF, ago, beats, judged, log, unit

CONF, BOOTSTRAP = "/etc/kubernetes/kubelet.conf", "/etc/kubernetes/bootstrap-kubelet.conf"
PEM, CA = "/var/lib/kubelet/pki/kubelet-client-current.pem", "/etc/kubernetes/pki/ca.crt"
KUBEADM = KubeletArguments(
    proof=PROOF,
    node="node-3",
    flags={"config": CONFIG, "kubeconfig": CONF, "bootstrap-kubeconfig": BOOTSTRAP},
    running=False,
)
NO_BOOTSTRAP = f'E1121 run.go:72] "command failed" err="failed to run Kubelet: unable to load bootstrap kubeconfig: stat {BOOTSTRAP}: no such file or directory"'
EXPIRED = f"E1121 bootstrap.go:241] part of the existing bootstrap client certificate in {CONF} is expired: 2026-11-20 04:00:00 +0000 UTC"


def files(**absent: bool) -> KubeletFiles:
    """The files of a kubeadm node that has joined; ``conf=True`` takes one away."""
    paths = {
        "config": CONFIG,
        "conf": CONF,
        "bootstrap": BOOTSTRAP,
        "pem": PEM,
        "ca": CA,
        "env": "/etc/default/kubelet",
    }
    gone = {"bootstrap": True, **absent}
    facts = {
        p: FileFact(
            path=p, presence=Presence.ABSENT if gone.get(k) else Presence.PRESENT, size=0 if k == "env" else 661
        )
        for k, p in paths.items()
    }
    return KubeletFiles(proof=PROOF, node="node-3", by_path=facts, directories={})


def test_an_expired_certificate_is_no_missing_bootstrap_kubeconfig() -> None:
    """A kubelet whose certificate is expired asks for the bootstrap kubeconfig, which no joined node has."""
    assert [] == judged("NODE-04", CRASHING, KUBEADM, files(), CLOCK, log(EXPIRED, NO_BOOTSTRAP))


def test_a_missing_certificate_is_named_where_the_log_asks_for_the_bootstrap_kubeconfig() -> None:
    """The dangling link is what is gone."""
    (found,) = judged("NODE-04", CRASHING, KUBEADM, files(pem=True), CLOCK, log(NO_BOOTSTRAP))
    assert (PEM, Confidence.CONFIRMED) == (found.facts["path"], found.confidence)


def test_a_missing_kubeconfig_is_one_loss() -> None:
    """Not two, although the log speaks of the bootstrap kubeconfig; and kubeadm's phase does not write it."""
    (found,) = judged("NODE-04", CRASHING, KUBEADM, files(conf=True), CLOCK, log(NO_BOOTSTRAP))
    assert (CONF, Confidence.CONFIRMED) == (found.facts["path"], found.confidence)
    commands = [c for fix in found.fixes for c in fix.commands]
    assert (
        "sudo kubeadm kubeconfig user --org system:nodes --client-name system:node:node-3 > kubelet-node-3.conf"
        in commands
    )
    assert not any("kubelet-config" in c for c in commands)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        (
            f'"command failed" err="failed to construct kubelet dependencies: unable to load client CA file {CA}: open {CA}: no such file or directory"',
            CA,
        ),
        (
            f'"command failed" err="failed to run Kubelet: invalid kubeconfig: invalid configuration: [unable to read client-cert {PEM} for default-auth due to open {PEM}: no such file or directory, unable to read client-key {PEM} for default-auth due to open {PEM}: no such file or directory]"',
            PEM,
        ),
        (
            f'"command failed" err="failed to run Kubelet: invalid kubeconfig: invalid configuration: unable to read certificate-authority {CA} for lab due to open {CA}: no such file or directory"',
            CA,
        ),
    ],
)
def test_a_file_that_only_the_log_names_is_confirmed_by_stat(line: str, path: str) -> None:
    """What the kubeconfig and the configuration refer to."""
    (found,) = judged("NODE-04", CRASHING, KUBEADM, files(ca=path == CA, pem=path == PEM), CLOCK, log(line))
    assert (path, Confidence.CONFIRMED) == (found.facts["path"], found.confidence)


def test_an_empty_file_of_variables_is_no_loss() -> None:
    """Systemd reads it without complaint; a kubelet that somebody stopped is down for another reason."""
    arguments = replace(KUBEADM, environment_files=("/etc/default/kubelet",))
    stopped = unit(active="inactive", result="success", inactive_since=ago(minutes=12))
    assert [] == judged("NODE-04", stopped, arguments, files(), CLOCK)
    (gone,) = judged("NODE-04", stopped, arguments, files(env=True), CLOCK)
    assert "/etc/default/kubelet" == gone.facts["path"]


def holds(cause: Finding, effect: Finding) -> Tri:
    """What the edge between two findings says."""
    edge = next(x for x in LINKS if (x.cause, x.effect) == (cause.code, effect.code))
    return edge.guard(Case(cause=cause, effect=effect, known=Known(), findings=(cause, effect)))


def test_a_loss_that_no_start_met_does_not_explain_a_stopped_kubelet() -> None:
    """The exit log must name the file (catalogue C.1)."""
    stopped = unit(active="inactive", result="success", inactive_since=ago(minutes=12))
    gone = f'"command failed" err="failed to load kubelet config file, path: {CONFIG}, error: open: no such file or directory"'
    (by_hand,), (beside,) = (
        judged("NODE-03", stopped, CLOCK),
        judged("NODE-04", stopped, KUBEADM, files(config=True), CLOCK),
    )
    (looping,) = judged("NODE-03", CRASHING, CLOCK, log(gone))
    (met,) = judged("NODE-04", CRASHING, KUBEADM, files(config=True), CLOCK, log(gone))
    assert (Tri.FALSE, Tri.TRUE) == (holds(beside, by_hand), holds(met, looping))


@pytest.mark.parametrize(
    ("properties", "others", "reason"),
    [
        ({"file_state": "disabled", "active_since": ago(days=3), "inactive_since": ago(minutes=5)}, {}, "stopped"),
        ({"file_state": "disabled"}, {}, "disabled"),
        ({"file_state": "enabled"}, {"active_since": ago(hours=1)}, "not-started"),
        ({"file_state": "enabled"}, {}, "stopped"),
    ],
    ids=["disabled and stopped today", "not since the boot", "enabled and never started", "times cannot be read"],
)
def test_who_did_not_start_it(properties: dict[str, Any], others: dict[str, Any], reason: str) -> None:
    """Nobody is accused of stopping what never ran, nor the boot of a unit that ran after it."""
    made = Unit(name="kubelet", load="loaded", active="inactive", sub="dead", result="success", **properties)
    beside = Unit(name="containerd", load="loaded", active="active", **others)
    units = HostUnits(proof=PROOF, node="node-3", by_name={"kubelet": made, "containerd": beside})
    assert [reason] == [f.reason for f in judged("NODE-03", units, CLOCK)]


def test_a_kubelet_left_over_beside_a_stopped_k3s_agent_is_no_fault() -> None:
    """Its package brought a unit that nobody enabled."""
    agent = Unit(name="k3s-agent", load="loaded", file_state="enabled", active="failed")
    left_over = Unit(name="kubelet", load="loaded", file_state="disabled", active="inactive")
    units = HostUnits(proof=PROOF, node="node-3", by_name={"k3s-agent": agent, "kubelet": left_over})
    assert [] == judged("NODE-03", units, CLOCK, beats(node_3=ago(minutes=12)))


def test_a_program_that_is_gone_is_said() -> None:
    """Systemd's own words."""
    lines = (
        "Started kubelet.",
        "kubelet.service: Failed to locate executable /usr/bin/kubeletx: No such file or directory",
        "kubelet.service: Main process exited, code=exited, status=203/EXEC",
    )
    assert ["no-program"] == [f.reason for f in judged("NODE-03", CRASHING, CLOCK, log(*lines))]


def test_restarts_that_nobody_saw_are_possible_only() -> None:
    """Systemd's count reaches back to the boot; a log that is cut may have lost the lines of the last ten minutes."""
    running = unit(active="active", sub="running", active_since=ago(minutes=1), restarts=6)
    cut = KubeletLog(proof=PROOF, node="node-3", lines=(LogLine(text="I1121 chatter", at=ago(seconds=30)),), cut=True)
    for evidence in ((), (cut,)):
        (found,) = judged("NODE-03", running, CLOCK, *evidence)
        assert ("restarts", Confidence.POSSIBLE) == (found.reason, found.confidence)


OLD = 'E1121 server.go:220] "Failed to parse kubelet flag" err="unknown flag: --network-plugin"'
SHORT = """"command failed" err="failed to parse kubelet flag: unknown shorthand flag: 'x' in -xyz\""""


@pytest.mark.parametrize(("line", "flag"), [(OLD, "--network-plugin"), (SHORT, "-xyz")])
def test_a_flag_is_named_in_every_form(line: str, flag: str) -> None:
    """Kubelets up to 1.23 put it into ``err=``; a single letter has no two hyphens."""
    (found,) = judged("NODE-05", CRASHING, CLOCK, log(line))
    assert (flag, "/var/lib/kubelet/kubeadm-flags.env") == (found.facts["flag"], found.facts["path"])


@pytest.mark.parametrize(
    ("line", "flag", "left"),
    [
        (
            'A="--container-runtime-endpoint=unix:///run/c.sock --container-runtime=remote --v=2"',
            "--container-runtime",
            'A="--container-runtime-endpoint=unix:///run/c.sock  --v=2"',
        ),
        ('A="--network-plugin=cni --v=2"', "--network-plugin", 'A=" --v=2"'),
        (
            "ExecStart=/usr/bin/kubelet --cni-bin-dir /opt/cni/bin --v=2",
            "--cni-bin-dir",
            "ExecStart=/usr/bin/kubelet  --v=2",
        ),
        ("A=--allow-privileged --node-ip=10.0.0.5", "--allow-privileged", "A= --node-ip=10.0.0.5"),
        ("  --allow-privileged \\", "--allow-privileged", "   \\"),
    ],
)
def test_the_repair_takes_one_flag_and_no_other(line: str, flag: str, left: str) -> None:
    """Neither one that begins alike nor the one behind it."""
    done = subprocess.run(["sed", "-E", without(flag)], input=line, capture_output=True, text=True, check=True)
    assert left == done.stdout


def test_a_flag_is_looked_for_as_a_whole_word() -> None:
    """The drop-in that sets a longer flag does not set the shorter one; files that nobody looked into are all named."""
    cat = "# /etc/systemd/system/kubelet.service.d/10.conf\n[Service]\nExecStart=/usr/bin/kubelet --container-runtime-endpoint=x\n"
    arguments = replace(
        KUBEADM, unit=cat, optional_files=("/var/lib/kubelet/kubeadm-flags.env", "/etc/default/kubelet")
    )
    line = '"command failed" err="failed to parse kubelet flag: unknown flag: --container-runtime"'
    (found,) = judged("NODE-05", CRASHING, CLOCK, log(line), arguments)
    assert arguments.optional_files == found.facts["path"]
    assert {Safety.REVERSIBLE} == {fix.safety for fix in found.fixes}


def certificates(days: float, *, path: str = PEM, kubelet: str = PEM) -> Certificates:
    """A certificate that ends so many days from now."""
    end = NOW + timedelta(days=days)
    made = Certificate(path=path, subject="CN=system:node:node-3", not_before=end - timedelta(days=365), not_after=end)
    return Certificates(proof=PROOF, node="node-3", items=(made,), unread={}, kubelet=kubelet)


REFUSED = 'E1121 controller.go:201] "Failed to ensure lease exists, will retry" err="Unauthorized"'
WAITING = PendingRequests(
    proof=PROOF,
    items=(
        SigningRequest(
            name="csr-7",
            requestor="system:node:node-3",
            signer="kubernetes.io/kube-apiserver-client-kubelet",
            created=ago(minutes=9),
        ),
    ),
)


def said(*minutes: float) -> KubeletLog:
    """A refusal in the log, so many minutes ago each."""
    lines = tuple(LogLine(text=REFUSED, at=ago(minutes=m)) for m in minutes)
    return KubeletLog(proof=PROOF, node="node-3", lines=lines)


@pytest.mark.parametrize(
    ("minutes", "up", "confidence"),
    [
        ((1,), 60, Confidence.CONFIRMED),
        ((12,), 60, Confidence.LIKELY),
        ((12, 13, 14), 60, Confidence.CONFIRMED),
        ((600, 601, 602), 9000, Confidence.LIKELY),
        ((8, 9, 9), 5, Confidence.LIKELY),
    ],
    ids=["just now", "once, before", "often", "yesterday", "before the start"],
)
def test_only_a_current_refusal_confirms_a_certificate(
    minutes: tuple[float, ...], up: float, confidence: Confidence
) -> None:
    """The freshness rule of every log line."""
    running = unit(active="active", sub="running", active_since=ago(minutes=up))
    (found,) = judged("NODE-07", certificates(-1), CLOCK, running, said(*minutes))
    assert confidence is found.confidence


def test_the_last_start_of_a_dead_kubelet_confirms_at_any_age() -> None:
    """It ended five hours ago; its lines are the newest there are."""
    failed = unit(active="failed", result="exit-code", started=ago(hours=5))
    (found,) = judged("NODE-07", certificates(-1), CLOCK, failed, said(300))
    assert (Confidence.CONFIRMED, "true") == (found.confidence, found.facts["at_start"])


def test_the_certificate_in_use_is_judged_wherever_it_is() -> None:
    """Another cert-dir, or the kubeconfig itself; a file at the usual place is then left over."""
    assert ["expired"] == [f.reason for f in judged("NODE-07", certificates(-1, path=CONF, kubelet=CONF), CLOCK)]
    assert [] == judged("NODE-07", certificates(-1, path=PEM, kubelet=CONF), CLOCK)


def test_a_waiting_request_is_no_outage_while_the_certificate_is_valid() -> None:
    """It becomes one when the old certificate ends, or where there is none."""
    none = Certificates(proof=PROOF, node="node-3", items=(), unread={})
    evidence: list[tuple[Evidence, Severity]] = [(certificates(90), Severity.HIGH), (none, Severity.CRIT)]
    for held, severity in evidence:
        (found,) = judged("NODE-07", held, CLOCK, WAITING)
        assert ("request-pending", severity) == (found.reason, found.severity)
