"""Container runtimes and logs, as real systems print them: crictl, docker, journalctl of four versions, dmesg."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from bot.model.cluster import LogLine
from bot.parse import cri, journal, resources
from bot.parse.common import TimeBase, UnparsableError, find_json
from tests.unit.parse.captured_samples import HEALTHY, SYSTEMD, output, text

BASE = TimeBase(0.0, "UTC")
NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
SOCKET, DOCKER = "/run/containerd/containerd.sock", "/var/run/docker.sock"
WITH_DOCKER = ("trixie", "bullseye")  # 26.1, 20.10
JSON = ("bookworm", "trixie", "bullseye")  # their journalctl knows --output-fields


@pytest.mark.parametrize("system", HEALTHY)
def test_a_runtime_that_is_well(system: str) -> None:
    """Containerd 1.6 and 1.7: both conditions hold."""
    found = cri.info(text(system, "CRI"))
    assert {"RuntimeReady": (True, ""), "NetworkReady": (True, "")} == {k: found[k] for k in found if "Ready" in k}


@pytest.mark.parametrize("system", HEALTHY)
def test_containers_and_pods(system: str) -> None:
    """The static pods run; crictl's list of pods is an answer, too."""
    found = {(c.name, c.state, c.pod) for c in cri.containers(text(system, "CRI_PS"))[0]}
    pods = {name: f"kube-system/{name}-node1" for name in ("etcd", "kube-apiserver")}
    assert {(name, "running", pod) for name, pod in pods.items()} == found
    items = find_json(text(system, "CRI_PODS"), "crictl pods")["items"]
    assert {"etcd-node1", "kube-apiserver-node1"} == {item["metadata"]["name"] for item in items}


@pytest.mark.parametrize(
    ("system", "words"),
    [
        ("bullseye", "rpc error: code = Unimplemented"),  # containerd 1.4 has an older CRI
        ("xenial", "no such file or directory"),
        ("busybox", "no such file or directory"),
    ],
)
@pytest.mark.parametrize("read", [cri.info, cri.containers, resources.images])
def test_a_runtime_that_does_not_answer(read: Callable[[str], object], system: str, words: str) -> None:
    """Its client's words are kept, and are no list of nothing; it did not hang."""
    said = text(system, "CRI")
    assert words in cri.failure(said)
    assert not cri.hangs(said)
    with pytest.raises(UnparsableError):
        read(said)


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_what_sudo_refuses_is_denied(system: str) -> None:
    """An ordinary user: refused by sudo, or there is no sudo."""
    assert output(system, "CRI.user").denied


@pytest.mark.parametrize(
    ("system", "there"),
    [
        ("bookworm", {SOCKET}),
        ("trixie", {SOCKET, DOCKER}),
        ("bullseye", {SOCKET, DOCKER}),
        ("xenial", set()),
        ("busybox", set()),
    ],
)
def test_sockets_of_runtimes(system: str, there: set[str]) -> None:
    """Those that are not there are known to be absent."""
    found = cri.sockets(text(system, "CRI_SOCKETS"))
    assert {*there} == {path for path, exists in found.items() if exists}
    assert {SOCKET, DOCKER, "/var/run/crio/crio.sock", "/var/run/cri-dockerd.sock"} == set(found)
    assert None not in found.values()


@pytest.mark.parametrize("system", WITH_DOCKER)
def test_containers_of_docker(system: str) -> None:
    """One started by hand and one that ended; neither belongs to a pod."""
    found = {(c.name, c.state, c.pod) for c in cri.docker_containers(text(system, "DOCKER_PS"))}
    assert {("by-hand", "running", ""), ("ended", "exited", "")} == found


@pytest.mark.parametrize("system", WITH_DOCKER)
def test_docker_itself(system: str) -> None:
    """The daemon answers, with its cgroup driver; its images, in docker's own units."""
    assert ("cgroupfs", True) == (
        resources.docker_driver(text(system, "DOCKER_INFO")),
        cri.docker_alive(text(system, "DOCKER_INFO")),
    )
    (image,) = resources.docker_images(text(system, "IMAGES_DOCKER"))
    assert ("lab.local/pause:1", 1_980_000) == (image.name, image.size)


@pytest.mark.parametrize("system", HEALTHY)
def test_images(system: str) -> None:
    """By crictl."""
    (image,) = resources.images(text(system, "IMAGES"))
    assert ("lab.local/pause:1", 1987239) == (image.name, image.size)


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_the_driver_in_containerds_file(system: str) -> None:
    """Beside grep's complaint about CRI-O's folder."""
    assert "cgroupfs" == resources.driver(text(system, "CGDRV_RUNTIME"))


@pytest.mark.parametrize("system", HEALTHY)
def test_metrics_of_the_kubelet(system: str) -> None:
    """How many lines each has."""
    found = resources.series(text(system, "KSERIES"))
    assert found["kubernetes_feature_enabled"] == max(found.values()) > 200


def _in_order(lines: tuple[LogLine, ...]) -> bool:
    moments = [line.at for line in lines if line.at]
    return len(moments) == len(lines) > 0 and moments == sorted(moments)


@pytest.mark.parametrize("system", JSON)
@pytest.mark.parametrize("name", ["KLOG", "RTLOG"])
def test_journals_in_json(system: str, name: str) -> None:
    """Oldest first, each with its time; newer journalctl adds fields that nobody asked for."""
    assert _in_order(journal.journal(text(system, name), BASE))


@pytest.mark.parametrize("system", ["bookworm", "trixie", "bullseye", "xenial"])
def test_journals_as_text(system: str) -> None:
    """With ``+0000`` or ``+00:00``, and with or without a heading of two forms."""
    lines = journal.unit_lines(text(system, "KLOG_OLD"), BASE)
    assert _in_order(lines)
    assert not any(line.text.startswith(("kubelet", "systemd")) and ": " in line.text[:12] for line in lines)


@pytest.mark.parametrize("system", JSON)
def test_both_forms_of_a_journal_have_the_same_lines(system: str) -> None:
    """JSON has the time to the microsecond, text to the second."""
    new = [line.text for line in journal.journal(text(system, "KLOG"), BASE)]
    old = [line.text for line in journal.unit_lines(text(system, "KLOG_OLD"), BASE)]
    common = [line for line in new if line in old]
    assert len(common) >= 10


@pytest.mark.parametrize("name", ["KLOG", "RTLOG", "KLOG_START"])
def test_a_journalctl_without_output_fields_says_so(name: str) -> None:
    """Systemd 229: an error, not an empty log."""
    with pytest.raises(UnparsableError):
        journal.journal(text("xenial", name), BASE)


@pytest.mark.parametrize("system", ["bookworm", "trixie", "bullseye"])
def test_how_a_kubelet_started(system: str) -> None:
    """The oldest lines; unlike the newest, they are asked for in order."""
    found = [line.text for line in journal.journal(text(system, "KLOG_START"), BASE)]
    assert "Started kubelet" in " ".join(found)[:2000]


@pytest.mark.parametrize("system", SYSTEMD)
def test_how_a_kubelet_started_as_text(system: str) -> None:
    """The same, of a systemd of any age."""
    assert _in_order(journal.unit_lines(text(system, "KLOG_START_OLD"), BASE))


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_a_log_file_of_an_old_kubelet(system: str) -> None:
    """Local times without a year."""
    lines = journal.klog_file(text(system, "KLOG_FILE"), BASE, NOW)
    assert [datetime(2026, 11, 20, 23, 59, second, tzinfo=UTC) for second in (1, 2, 3)] == [line.at for line in lines]


@pytest.mark.parametrize("system", SYSTEMD)
def test_the_kernels_log(system: str) -> None:
    """By journald and from the ring buffer; veth devices of pods."""
    lines = journal.short_iso(text(system, "KERN"), BASE)
    assert _in_order(lines)
    assert {"kernel"} == {line.text.partition(": ")[0] for line in lines}
    ring = journal.dmesg(text(system, "KERN_DMESG"), BASE)
    assert _in_order(ring)
    assert all("cni0" in line.text or "veth" in line.text for line in ring)


@pytest.mark.parametrize("system", SYSTEMD)
def test_a_journal_without_entries_is_empty(system: str) -> None:
    """``-- No entries --`` is an answer."""
    assert () == journal.short_iso(text(system, "NETLOG"), BASE)
