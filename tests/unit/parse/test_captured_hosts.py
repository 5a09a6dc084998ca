"""The host itself, as real systems print it: identity, clock, units, files, disks, resources.

All machines are in one state (captured/README.md), so one expectation holds for each of them.
"""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.model.host import Presence, Probe
from bot.parse import files, machine, net, resources, systemd
from bot.parse.common import TimeBase, UnparsableError
from tests.unit.parse.captured_samples import FAILING, HEALTHY, SYSTEMD, text

BASE = TimeBase(0.0, "UTC")
CONFIG, PEM = "/var/lib/kubelet/config.yaml", "/var/lib/kubelet/pki/kubelet-client-current.pem"
OS = {
    "bookworm": ("debian", "12"),
    "trixie": ("debian", "13"),
    "bullseye": ("debian", "11"),
    "xenial": ("ubuntu", "16.04"),
    "busybox": ("", ""),  # it has no /etc/os-release
}
LISTED = {
    "/var/lib/kubelet/kubeadm-flags.env": Presence.PRESENT,
    "/etc/kubernetes/kubelet.conf": Presence.PRESENT,
    "/etc/kubernetes/bootstrap-kubelet.conf": Presence.ABSENT,
    "/etc/kubernetes/pki/ca.crt": Presence.PRESENT,
    CONFIG: Presence.PRESENT,
    PEM: Presence.PRESENT,
}


@pytest.mark.parametrize("system", OS)
def test_who_it_is(system: str) -> None:
    """Name and distribution; boot id and machine id have their forms."""
    found = machine.identity(text(system, "ID"))
    assert ("node1", *OS[system]) == (found.hostname, found.os_id, found.os_version)
    assert (36, 32, 3) == (len(found.boot_id), len(found.machine_id), len(found.load))
    assert f"\n{found.uptime}" in text(system, "ID")


@pytest.mark.parametrize("system", SYSTEMD)
def test_a_first_boot_tells_nothing_of_the_last_shutdown(system: str) -> None:
    """One boot is on record, by ``last`` of util-linux and of wtmpdb."""
    assert (None, 1) == machine.boots(text(system, "BOOT"))


@pytest.mark.parametrize("system", ["bookworm", "trixie"])
def test_an_orderly_reboot_and_a_crash(system: str) -> None:
    """util-linux lists a shutdown before the boot that it ended, wtmpdb behind it."""
    assert (True, 2) == machine.boots(text(system, "BOOT-orderly"))
    assert (False, 3) == machine.boots(text(system, "BOOT-crash"))


@pytest.mark.parametrize("system", SYSTEMD)
def test_the_clock(system: str) -> None:
    """``timedatectl show``, and its text where it has no ``-p``: the zone, and that a time daemon is wanted."""
    found = machine.time(text(system, "TIME"))
    assert ("Etc/UTC", True) == (found.zone, found.ntp)
    assert found.epoch > datetime(2026, 11, 21, tzinfo=UTC).timestamp()


@pytest.mark.parametrize("system", ["bookworm", "trixie", "bullseye"])
def test_chrony_tells_its_offset(system: str) -> None:
    """The fifth column of ``chronyc -c tracking``, in seconds, without its sign."""
    said = next(line for line in text(system, "TIME").splitlines() if line.count(",") > 10)
    assert abs(float(said.split(",")[4])) == machine.time(text(system, "TIME")).daemon_offset


def test_busybox_knows_whole_seconds_and_no_zone() -> None:
    """Its ``date`` has no ``%N``; there is nothing to ask for zone and synchronisation."""
    found = machine.time(text("busybox", "TIME"))
    assert (None, None, "", None) == (found.synchronised, found.ntp, found.zone, found.daemon_offset)
    assert f"{found.epoch:.0f}.%N" == text("busybox", "TIME").split("\n", 1)[0]


@pytest.mark.parametrize("system", HEALTHY)
def test_a_kubelet_that_runs(system: str) -> None:
    """State, drop-in and command line, as the process has it."""
    kubelet = systemd.units(text(system, "UNITS"), BASE)["kubelet"]
    assert ("active", "running", 0, True) == (kubelet.active, kubelet.sub, kubelet.restarts, kubelet.main_pid > 0)
    assert ("/etc/systemd/system/kubelet.service.d/10-kubeadm.conf",) == kubelet.drop_ins
    assert kubelet.started == kubelet.active_since
    start = systemd.start(text(system, "KARGS"))
    assert {
        "kubeconfig": "/etc/kubernetes/kubelet.conf",
        "config": CONFIG,
        "hostname-override": "node1",
        "node-ip": "10.77.0.11",
    } == start.flags
    assert start.running


@pytest.mark.parametrize(("system", "counts"), [("bullseye", True), ("xenial", False)])
def test_a_kubelet_that_systemd_starts_again_and_again(system: str, counts: bool) -> None:
    """Exit status and state; systemd 229 counts no restarts. Its flags come from the unit file."""
    kubelet = systemd.units(text(system, "UNITS"), BASE)["kubelet"]
    assert ("activating", "auto-restart", "exit-code", 1) == (
        kubelet.active,
        kubelet.sub,
        kubelet.result,
        kubelet.exit_status,
    )
    assert counts == (kubelet.restarts is not None)
    start = systemd.start(text(system, "KARGS"))
    assert ({"kubeconfig": "/etc/kubernetes/kubelet.conf", "config": CONFIG}, False) == (start.flags, start.running)


@pytest.mark.parametrize("system", SYSTEMD)
def test_the_other_units_and_the_files_of_the_unit(system: str) -> None:
    """kube-proxy and containerd beside the kubelet, where it is installed; both environment files are optional."""
    found = systemd.units(text(system, "UNITS"), BASE)
    assert ("running", system != "xenial") == (found["kube-proxy"].sub, "containerd" in found)
    expected = ("/var/lib/kubelet/kubeadm-flags.env", "/etc/default/kubelet")
    assert ((), expected) == (
        (start := systemd.start(text(system, "KARGS"))).environment_files,
        start.optional_files,
    )


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_the_kubelets_files(system: str) -> None:
    """Size and time by ``stat`` of coreutils and of busybox; a file that is missing is absent."""
    found = files.stats(text(system, "KCFG"), BASE)
    assert LISTED == {path: fact.presence for path, fact in found.items()}
    assert datetime(2026, 11, 20, 8, tzinfo=UTC) == found[CONFIG].modified


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_a_folder_that_an_ordinary_user_may_not_enter_hides_its_files(system: str) -> None:
    """Unknown, never absent."""
    found = files.stats(text(system, "KCFG.user"), BASE)
    assert {**LISTED, PEM: Presence.UNKNOWN} == {path: fact.presence for path, fact in found.items()}


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_more_files_by_name(system: str) -> None:
    """Those of the command line, and those that only root may see."""
    more = {path: fact.presence for path, fact in files.stats(text(system, "KCFG_MORE"), BASE).items()}
    assert [Presence.PRESENT, Presence.PRESENT, Presence.ABSENT] == list(more.values())
    root = {path: fact.presence for path, fact in files.stats(text(system, "KCFG_ROOT"), BASE).items()}
    assert {PEM: Presence.PRESENT, "/etc/kubernetes/bootstrap-kubelet.conf": Presence.ABSENT} == root


@pytest.mark.parametrize("system", SYSTEMD)
@pytest.mark.parametrize("name", ["KCFG", "KCFG_LIST"])
def test_the_kubelets_folders(system: str, name: str) -> None:
    """A backup beside the configuration is seen, with its time."""
    found = files.listings(text(system, name), BASE)
    assert {"/etc/kubernetes", "/var/lib/kubelet"} == set(found)
    backup = next(entry for entry in found["/var/lib/kubelet"] if entry.name == "config.yaml.bak")
    assert ("-", datetime(2026, 11, 20, 8, tzinfo=UTC)) == (backup.kind, backup.modified)


@pytest.mark.parametrize("system", SYSTEMD)
def test_static_manifests(system: str) -> None:
    """A listing of one folder has no heading."""
    found = files.listings(text(system, "MANIFEST"), BASE)
    assert {"": [".", "..", "etcd.yaml", "kube-apiserver.yaml"]} == {k: [e.name for e in v] for k, v in found.items()}


@pytest.mark.parametrize("system", SYSTEMD)
def test_cni_files(system: str) -> None:
    """Configurations and programs; a link has its target."""
    found = files.listings(text(system, "CNI"), BASE)
    assert [".", "..", ".10-lab.conflist.swp", "10-lab.conflist"] == [e.name for e in found["/etc/cni/net.d"]]
    assert ("bridge", "/usr/lib/cni/bridge") == (found["/opt/cni/bin"][2].name, found["/opt/cni/bin"][2].target)


@pytest.mark.parametrize("system", HEALTHY)
def test_the_kubelets_ports_and_process(system: str) -> None:
    """It answers on both; its process sleeps."""
    assert (Probe.OK, Probe.OK, "ok") == machine.health(text(system, "KHEALTH"))
    found = machine.process(text(system, "KSTATE"))
    assert ("S", ()) == (found.state, found.blocked)
    assert found.rss_bytes > 50_000_000


@pytest.mark.parametrize("system", FAILING)
def test_a_kubelet_that_is_not_there(system: str) -> None:
    """Both ports are refused; there is no process, which is an answer."""
    assert (Probe.REFUSED, Probe.REFUSED) == machine.health(text(system, "KHEALTH"))[:2]
    assert ("", 0, 0) == (
        (found := machine.process(text(system, "KSTATE"))).state,
        found.rss_bytes,
        found.threads,
    )


def test_without_systemd_the_kubelets_process_is_unknown() -> None:
    """There was nobody to name its number: not the same as no process."""
    with pytest.raises(UnparsableError):
        machine.process(text("busybox", "KSTATE"))


@pytest.mark.parametrize("system", SYSTEMD)
def test_disks(system: str) -> None:
    """The one disk, with its inodes; what stands for no disk is left out."""
    (found,) = files.filesystems(text(system, "DISK"))
    assert ("/", "/dev/vda", "ext4", 270553174016, 16777216) == (
        found.mount,
        found.device,
        found.type,
        found.size,
        found.inodes,
    )
    assert found.used + found.available < found.size


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_mounts(system: str) -> None:
    """By findmnt, and where there is none by the kernel's own table."""
    first = files.mounts(text(system, "MOUNTS"))[0]
    assert ("/", "ext4", "rw") == (first.target, first.type, first.options[0])


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_memory_tasks_and_limits(system: str) -> None:
    """The kernel's own files are the same everywhere."""
    total, available, waiting = resources.memory(text(system, "MEM"))
    assert (24682416 * 1024, {"cpu", "io", "memory"}) == (total, set(waiting))
    assert available is not None
    pids, most, processes, threads = resources.tasks(text(system, "PID"))
    assert (4194304, 192686, True) == (pids, most, 5 < processes < threads)
    assert (192536, 128) == resources.limits(text(system, "INOTIFY"))


@pytest.mark.parametrize(("system", "scopes"), [*((s, 1) for s in SYSTEMD), ("busybox", 0)])
def test_cgroups(system: str, scopes: int) -> None:
    """Version 1; systemd's own scope; a machine without systemd has none."""
    unified, held, own, transient = resources.cgroups(text(system, "CGROUP"))
    assert (False, scopes, 0) == (unified, own, transient)
    assert held > 50


@pytest.mark.parametrize("system", ["bookworm", "trixie"])
def test_cgroups_of_version_2(system: str) -> None:
    """The same machine with the unified hierarchy."""
    assert (True, 1) == resources.cgroups(text(system, "CGROUP-v2"))[::2]


@pytest.mark.parametrize("system", SYSTEMD)
@pytest.mark.parametrize("name", ["INOTIFY_USE", "INOTIFY_WATCHES"])
def test_uses_of_inotify(system: str, name: str) -> None:
    """Processes that ended while find looked at them are no part of the number."""
    found = resources.counted(text(system, name))
    assert found == int(text(system, name).split()[-1])


def test_a_find_that_does_not_know_its_options_counts_nothing() -> None:
    """The 0 of ``wc`` behind a usage text is no number."""
    assert "0" == text("busybox", "INOTIFY_USE").split()[-1]
    assert None is resources.counted(text("busybox", "INOTIFY_USE"))


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_kernel_settings(system: str) -> None:
    """What was asked by name; the usage text behind it, on busybox, adds nothing."""
    values, swaps = net.sysctls(text(system, "SYSCTL"))
    assert ("1", "60", ()) == (values["net.ipv4.ip_forward"], values["vm.swappiness"], swaps)
    assert {"net", "fs", "vm"} == {name.partition(".")[0] for name in values}


@pytest.mark.parametrize("system", SYSTEMD)
def test_filters_of_interfaces(system: str) -> None:
    """A dot in an interface's name is a slash in sysctl's: read as the name again."""
    values, _ = net.sysctls(text(system, "SYSCTL"))
    expected = {"cni0": "0", "eth0": "0", "eth1": "1", "flannel.1": "0"}
    assert expected == {name: values[f"net.ipv4.conf.{name}.rp_filter"] for name in expected}


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_kernel_settings_in_files(system: str) -> None:
    """With dots or slashes, with ``-`` in front; comments do not count."""
    found = net.sysctl_files(text(system, "SYSCTLDIFF"))
    names = ("net.ipv4.ip_forward", "net.ipv4.conf.all.rp_filter", "net.bridge.bridge-nf-call-iptables")
    assert ["1", "0", "1"] == [found[name][-1] for name in names]


@pytest.mark.parametrize("system", SYSTEMD)
def test_files_without_a_name(system: str) -> None:
    """A log that was deleted while a process writes to it, by lsof 4.89 to 4.99."""
    (found,) = resources.deleted(text(system, "LSOF"))
    assert ("sleep", "/var/log/rotated.log", 1048576) == (found.command, found.path, found.size)


@pytest.mark.parametrize("system", SYSTEMD)
def test_what_fills_a_disk(system: str) -> None:
    """Largest first, in bytes; folders that are not there are passed over."""
    found = resources.folders(text(system, "DU"))
    sizes = list(found.values())
    assert sizes == sorted(sizes, reverse=True)
    assert found["/var/log"] > found["/var/log/journal"] > 8_000_000


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_settings_of_the_kubelet(system: str) -> None:
    """Nested ones under the name that they belong to."""
    drivers = resources.settings(text(system, "CGDRV"))
    assert ("cgroupfs", "false", "[]") == (
        drivers["cgroupDriver"],
        drivers["cgroupsPerQOS"],
        drivers["enforceNodeAllocatable"],
    )
    limits = resources.settings(text(system, "KEVICT"))
    assert ("100Mi", "10%", "85") == (
        limits["evictionHard.memory.available"],
        limits["evictionHard.nodefs.available"],
        limits["imageGCHighThresholdPercent"],
    )
