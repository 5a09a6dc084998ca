"""Limits of a host that are really reached: inotify instances, process ids; and swap that is really on.

All machines of the lab share this kernel: what is taken here is taken for seconds, and given back also when a drill
fails.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.model.report import Role
from tests.cluster.conftest import Lab
from tests.cluster.control_plane import until
from tests.cluster.disks import blank, impossible, loop
from tests.cluster.drills import ask, broken, healed, kubelet_said, ready, says
from tests.cluster.machine import Machine

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node2"
UNIT = "hoard"
INOTIFY_INIT = 253  # the number of the system call
TAKE_INSTANCES = f"while (syscall({INOTIFY_INIT}) >= 0) {{}} $! == 24 or die $!; sleep 600"  # 24: too many open files
MAX_INSTANCES, MOST_FILES = "/proc/sys/fs/inotify/max_user_instances", 16384
PID_MAX = "/proc/sys/kernel/pid_max"
CHILDREN = 2500
FORK = f"for (1..{CHILDREN}) {{ my $pid = fork; defined $pid or last; if (!$pid) {{ sleep 600; exit }} }} sleep 600"
SETTING = "/var/lib/kubelet/config.yaml"


def hoard(machine: Machine, program: str) -> None:
    """Run a perl program that takes and keeps, as a unit that ends when it is stopped."""
    kept = ("-p", f"LimitNOFILE={MOST_FILES}", "-p", "TasksMax=infinity", "-p", "KillSignal=SIGKILL")
    machine.run("systemd-run", f"--unit={UNIT}", *kept, "perl", "-e", program)


def release(machine: Machine) -> None:
    """Give everything back."""
    machine.run("systemctl", "stop", UNIT, check=False)
    machine.run("systemctl", "reset-failed", UNIT, check=False)


def test_inotify_instances_that_somebody_holds(lab: Lab) -> None:
    """NODE-23: root's last instance is taken, and a kubelet that starts ends with cAdvisor's error."""
    machine = lab.cloud
    if int(machine.run("cat", MAX_INSTANCES)) >= MOST_FILES:
        impossible("more inotify instances are allowed here than one program may have files")

    def take() -> None:
        machine.run("systemctl", "stop", "kubelet")
        hoard(machine, TAKE_INSTANCES)
        until("the last instance", lambda: "inotify" in machine.run("sh", "-c", "ls -l /proc/*/fd", check=False), 10)
        machine.run("systemctl", "start", "kubelet")

    def repair() -> None:
        release(machine)
        machine.run("systemctl", "restart", "kubelet")
        ready(lab)

    with broken("inotify", take, repair):
        until("an end of the kubelet", lambda: kubelet_said(lab, 'cAdvisor" err="inotify_init: too many open'), 30)
        report = ask(lab, WHY)
        says(lab, report, "NODE-23", "instances")
        assert "NODE-03" in {e.finding.code for e in report.entries if e.role is Role.EFFECT}
    healed(lab, WHY)


@contextmanager
def swap(machine: Machine) -> Iterator[str]:
    """Swap of 16 MiB, off at first: a file, or a loop device over it where the filesystem refuses."""
    image = blank(machine, "swap", 16)
    machine.run("sh", "-c", "dd if=/dev/zero of=/root/swap bs=1M count=16 && mkswap /root/swap")  # without holes
    inside = "/root/swap"
    with loop(image, machine) as device:
        for target in (inside, device):
            machine.run("swapon", target, check=False)
            if machine.run("tail", "-n", "+2", "/proc/swaps"):
                machine.run("swapoff", target)
                try:
                    yield target
                finally:
                    machine.run("swapoff", target, check=False)
                break
        else:
            impossible("swap cannot be switched on here")
    image.unlink()


def test_swap_that_was_switched_on(lab: Lab) -> None:
    """NODE-05: a kubelet that refuses swap, as it does by default, ends when it starts."""
    machine = lab.cloud

    def refuse(before: str, after: str) -> None:
        machine.run("sed", "-i", f"s/failSwapOn: {before}/failSwapOn: {after}/", SETTING)
        machine.run("systemctl", "restart", "kubelet")

    def repair() -> None:
        machine.run("swapoff", target)
        machine.run("systemctl", "restart", "kubelet")
        ready(lab)

    with swap(machine) as target, broken("setting", lambda: refuse("false", "true"), lambda: refuse("true", "false")):
        ready(lab)
        assert not kubelet_said(lab, "running with swap")
        with broken("swap", lambda: machine.run("swapon", target), repair):
            machine.run("systemctl", "restart", "kubelet")
            until("an end of the kubelet", lambda: kubelet_said(lab, "running with swap on is not supported"), 30)
            report = ask(lab, WHY)
            says(lab, report, "NODE-05", "swap-on")
            assert "NODE-03" in {e.finding.code for e in report.entries if e.role is Role.EFFECT}
        healed(lab, WHY)
    ready(lab)


def test_a_program_that_forks_until_few_process_ids_are_left(lab: Lab) -> None:
    """NODE-22: more than nine in ten are in use; the limit is the machine's own, as its process ids are."""
    machine = lab.cloud
    usual = machine.run("cat", PID_MAX).strip()
    running = int(machine.run("cut", "-d/", "-f2", "/proc/loadavg").split()[0])

    def limit(most: str) -> None:
        machine.run("sh", "-c", f"echo {most} > {PID_MAX}")

    def fill() -> None:
        limit(str((running + CHILDREN) * 100 // 96))
        if machine.run("cat", PID_MAX).strip() == usual:
            impossible("the limit of process ids cannot be set for one machine here")
        hoard(machine, FORK)
        until("the last fork", lambda: children(machine) >= CHILDREN, 30)

    def repair() -> None:
        release(machine)
        limit(usual)

    with broken("forks", fill, repair):
        says(lab, ask(lab, WHY), "NODE-22")
    healed(lab, WHY)


def children(machine: Machine) -> int:
    """How many processes the hoard is."""
    return len(machine.run("pgrep", "-x", "perl", check=False).split())
