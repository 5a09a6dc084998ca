"""NODE-12: the kubelet and the runtime do not speak the same language, or do not meet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around, kubelet_of, last_start, matching, restart
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import Call, ContainerRuntime, HostUnits, KubeletHealth, KubeletLog, NodeIdentity, Unit
from bot.model.refs import node
from bot.model.text import T, Text

_ENDPOINT = re.compile(
    r'validate CRI v1 (?:runtime|image) API for endpoint \\?"(?P<endpoint>[^"\\]+)\\?"'
    r".*(?P<why>Unimplemented|no such file|connection refused|DeadlineExceeded)"
)
RUNTIMES = {"containerd": "containerd.sock", "crio": "crio.sock", "cri-docker": "cri-dockerd.sock", "docker": "docker"}
CONFIG = "/etc/containerd/config.toml"


@check("NODE-12")
def unusable_cri_endpoint(
    *,
    units: HostUnits,
    log: KubeletLog,
    clock: Clock,
    runtime: ContainerRuntime | None,
    health: KubeletHealth | None,
    nodes: Nodes | None,
    beats: Heartbeats | None,
    identity: NodeIdentity | None,
) -> Iterator[Finding]:
    """The kubelet's runtime endpoint is wrong, or the runtime does not offer what this kubelet needs.

    Says:
        "The kubelet does not start after the upgrade: validate CRI v1 runtime API".
    Evidence:
        The last start attempt in the kubelet's log, the runtime's units and sockets.
    Rule:
        The kubelet does not run, its last start failed at the CRI endpoint, and the runtime that the endpoint
        belongs to is not simply down (NODE-10): its unit is active, its own socket is there, and a socket that nobody
        listened at then is not there now either. Possible where nobody could look at the sockets.
    Cause:
        A packaged containerd with CRI switched off; dockershim is gone; the runtime is too old. It explains NODE-03.
    Fix:
        Switch CRI on in the runtime's configuration, correct the endpoint, or upgrade the runtime.
    Verify:
        The kubelet stays active, the node is Ready.
    Must not fire:
        A stopped runtime, which prints the same, also where it has come back since; cri-dockerd that is there and
        answers.
    Reasons:
        - cri-not-offered: the runtime answers, but not with this API
        - wrong-endpoint: nothing listens at the endpoint, although the runtime runs
        - no-answer: the endpoint is there, but did not answer the kubelet in time
    """
    kubelet = kubelet_of(units)
    if kubelet is None or not kubelet.down:
        return
    hit = matching(last_start(log, kubelet), _ENDPOINT)
    if hit is None:
        return
    match, line = hit
    endpoint, why = match["endpoint"], match["why"]
    owner = next((n for n, socket in RUNTIMES.items() if socket in endpoint), "")
    unit = units.get(owner) if owner else None
    others = [n for n in RUNTIMES if (u := units.get(n)) and u.running]
    if (unit is not None and not unit.running) or not others or _is_down(endpoint, why, unit, runtime):
        return
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats, identity=identity, health=health)
    onset = around.down_since(kubelet, log)
    yield Finding(
        code="NODE-12",
        reason=REASONS.get(why, "wrong-endpoint"),
        title=_title(why, units.node, endpoint),
        severity=around.severity(Severity.CRIT, onset),
        confidence=Confidence.POSSIBLE if runtime is None and why != "Unimplemented" else around.confidence(),
        subject=node(units.node),
        facts={"node": units.node, "endpoint": endpoint, "component": "kubelet", "active": "false"},
        onset=onset,
        proofs=(log.proof.quote(line.text), *((runtime.proof,) if runtime else ()), *around.proofs()),
        fixes=tuple(_fixes(why, owner or others[0])),
    )


def _is_down(endpoint: str, why: str, unit: Unit | None, runtime: ContainerRuntime | None) -> bool:
    """Whether the endpoint is right and its runtime is away (its socket is gone), or was when the kubelet started."""
    if why in {"no such file", "connection refused"}:
        there = _there(endpoint.removeprefix("unix://"), runtime)
        return there is True or (there is False and unit is not None)
    return why == "DeadlineExceeded" and runtime is not None and runtime.call is Call.OK


def _there(path: str, runtime: ContainerRuntime | None) -> bool | None:
    """Whether a runtime's own socket is there; None for another path, or when nobody knows."""
    same = {path, path.removeprefix("/var"), f"/var{path}"}
    known = [there for p, there in (runtime.sockets.items() if runtime else ()) if p in same]
    return known[0] if known else None


def _title(why: str, name: str, endpoint: str) -> Text:
    if why == "Unimplemented":
        return T("the runtime of {node} does not offer the CRI that its kubelet needs", node=name)
    if why == "DeadlineExceeded":
        return T("the runtime of {node} did not answer its kubelet at {endpoint}", node=name, endpoint=endpoint)
    return T(
        "the kubelet of {node} looks for its runtime at {endpoint}, where nothing is", node=name, endpoint=endpoint
    )


def _fixes(why: str, owner: str) -> Iterator[Fix]:
    yield Fix(
        what=T("On the node: see which CRI the runtime offers, and where the kubelet looks for it."),
        safety=Safety.READ_ONLY,
        commands=(
            f"sudo grep -n disabled_plugins {CONFIG}",
            "sudo grep -rns container-runtime-endpoint /var/lib/kubelet/kubeadm-flags.env /etc/default/kubelet",
            "sudo grep -ns containerRuntimeEndpoint /var/lib/kubelet/config.yaml",
        ),
    )
    if why == "Unimplemented" and owner == "containerd":
        yield restart(
            T("On the node: switch containerd's CRI plugin on; a containerd that has none must be upgraded first."),
            f"sudo sed -i.bak -E 's/^([[:space:]]*disabled_plugins[[:space:]]*=).*/\\1 []/' {CONFIG}",
            "sudo systemctl restart containerd",
            "sudo systemctl restart kubelet",
            safety=Safety.REVERSIBLE,
            undo=(f"sudo cp -p {CONFIG}.bak {CONFIG}", "sudo systemctl restart containerd"),
        )
        return
    yield restart(
        T("On the node: correct the kubelet's endpoint or upgrade the runtime, then start the kubelet."),
        "sudo vi /var/lib/kubelet/config.yaml",
        "sudo systemctl restart kubelet",
        safety=Safety.REVERSIBLE,
    )


REASONS = {"Unimplemented": "cri-not-offered", "DeadlineExceeded": "no-answer"}
