"""systemctl show and systemctl cat, as systemd 252 (Debian 12) and 219 (CentOS 7) print them."""

# ruff: noqa: E501 - captured output stands as it was printed

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.parse import systemd
from bot.parse.common import TimeBase, UnparsableError

DEBIAN_12 = """MainPID=76
Result=success
NRestarts=0
ExecMainStartTimestamp=Sat 2026-11-21 11:04:00 UTC
ExecMainCode=0
ExecMainStatus=0
MemoryCurrent=[not set]
Id=kubelet.service
LoadState=loaded
ActiveState=active
SubState=running
FragmentPath=/etc/systemd/system/kubelet.service
DropInPaths=
UnitFileState=enabled
ActiveEnterTimestamp=Sat 2026-11-21 11:04:00 UTC
InactiveEnterTimestamp=
NeedDaemonReload=no

MainPID=0
Result=success
NRestarts=0
Id=k3s.service
LoadState=not-found
ActiveState=inactive
SubState=dead
UnitFileState=
"""
CENTOS_7 = """Id=kubelet.service
LoadState=loaded
ActiveState=activating
SubState=auto-restart
FragmentPath=/usr/lib/systemd/system/kubelet.service
DropInPaths=/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf
UnitFileState=enabled
ActiveEnterTimestamp=Sat 2026-11-21 19:16:38 CST
InactiveEnterTimestamp=Sat 2026-11-21 19:16:38 CST
NeedDaemonReload=yes
MainPID=0
ExecMainStartTimestamp=Sat 2026-11-21 19:16:38 CST
ExecMainCode=1
ExecMainStatus=255
Result=exit-code
"""
MASKED = "Id=docker.service\nLoadState=masked\nActiveState=inactive\nSubState=dead\nUnitFileState=masked\n"
CAT = r"""# /lib/systemd/system/kubelet.service
[Unit]
Description=kubelet: The Kubernetes Node Agent

[Service]
ExecStart=/usr/bin/kubelet
Restart=always

# /etc/systemd/system/kubelet.service.d/10-kubeadm.conf
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
Environment=HTTPS_PROXY=http://10.9.9.9:3128
# Environment=NO=NOT_THIS
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=/etc/sysconfig/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS \
    ${KUBELET_CONFIG_ARGS} --v 2
"""


def test_units_that_systemd_does_not_know_are_left_out() -> None:
    """``not-found`` is no unit; times are UTC; ``[not set]`` is nothing."""
    found = systemd.units(DEBIAN_12, TimeBase())
    assert ["kubelet"] == list(found)
    unit = found["kubelet"]
    assert (True, False, 0, 76) == (unit.running, unit.down, unit.restarts, unit.main_pid)
    assert datetime(2026, 11, 21, 11, 4, tzinfo=UTC) == unit.active_since
    assert unit.inactive_since is None


def test_an_old_systemd_has_no_restart_count_and_local_times() -> None:
    """219 prints no NRestarts; its zone name is read with the node's time zone; an automatic restart is not running."""
    unit = systemd.units(CENTOS_7, TimeBase(0.0, "Asia/Shanghai"))["kubelet"]
    assert unit.restarts is None
    assert unit.down
    assert unit.need_reload
    assert datetime(2026, 11, 21, 11, 16, 38, tzinfo=UTC) == unit.inactive_since


def test_a_local_time_in_an_unknown_zone_is_no_time() -> None:
    """A wrong time is worse than none."""
    assert systemd.units(CENTOS_7, TimeBase())["kubelet"].active_since is None


def test_times_are_corrected_by_the_clock_offset() -> None:
    """A node 95 s ahead wrote 95 s too much."""
    unit = systemd.units(DEBIAN_12, TimeBase(95.0))["kubelet"]
    assert datetime(2026, 11, 21, 11, 2, 25, tzinfo=UTC) == unit.active_since


def test_a_masked_unit_is_present_and_down() -> None:
    """Masked is a state that somebody chose."""
    unit = systemd.units(MASKED, TimeBase())["docker"]
    assert (True, True) == (unit.present, unit.down)


def test_drop_ins_environment_and_continued_lines_give_the_flags() -> None:
    """An empty ExecStart resets it; variables are filled in; comments do not count."""
    start = systemd.start(CAT)
    assert {
        "bootstrap-kubeconfig": "/etc/kubernetes/bootstrap-kubelet.conf",
        "kubeconfig": "/etc/kubernetes/kubelet.conf",
        "config": "/var/lib/kubelet/config.yaml",
        "v": "2",
    } == start.flags
    assert (False, ("/etc/sysconfig/kubelet",), ("/var/lib/kubelet/kubeadm-flags.env",)) == (
        start.running,
        start.environment_files,
        start.optional_files,
    )
    assert ("HTTPS_PROXY",) == start.proxies


def test_the_running_process_tells_its_own_flags() -> None:
    """The last line is /proc/PID/cmdline, where there is a process."""
    start = systemd.start(CAT + "/usr/bin/kubelet --config=/etc/other.yaml --node-ip=10.0.0.7 \n")
    assert (True, "/etc/other.yaml") == (start.running, start.flags["config"])


@pytest.mark.parametrize("text", ["", "bash: systemctl: command not found\n", "Id=kubelet.service\n"])
def test_other_output_is_refused(text: str) -> None:
    """Garbage is an error, never "no unit"."""
    with pytest.raises(UnparsableError):
        systemd.units(text, TimeBase())


def test_a_unit_that_does_not_exist_has_no_flags() -> None:
    """``No files found`` is an answer, other words are none."""
    assert {} == systemd.start("No files found for kubelet.service.\n").flags
    with pytest.raises(UnparsableError):
        systemd.start("Failed to get D-Bus connection: Operation not permitted\n")


def test_a_unit_file_that_ends_in_its_start_line_is_no_running_process() -> None:
    """Kubeadm's drop-in ends in ExecStart; without a process nothing follows it."""
    start = systemd.start(KUBEADM)
    assert not start.running
    assert "/var/lib/kubelet/config.yaml" == start.flags["config"]


KUBEADM = """# /lib/systemd/system/kubelet.service
[Service]
ExecStart=/usr/bin/kubelet

# /usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf
[Service]
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS
"""
