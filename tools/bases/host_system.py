"""What a healthy Ubuntu 22.04 (or, for the old cluster, CentOS 7) says of itself: time, units, disks, memory, limits."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from datetime import datetime

from tools.bases.host import UNIT_NAMES, Out, join, stamp
from tools.bases.host_sysctl import on_disk, running
from tools.bases.ids import number
from tools.bases.machine import DISK, boot_id, kernel, machine_id
from tools.bases.spec import RECORDED, Host
from tools.bases.world import World


def system(world: World, host: Host) -> dict[str, Out]:
    """The sections about the machine, by key."""
    return {
        "ID": _id(world, host),
        "BOOT": _boot(world, host),
        "TIME": _time(world),
        "UNITS": _units(world, host),
        "DISK": _disk(world),
        "DISK_JOURNAL": Out("Archived and active journals take up 896.2M in the file system.\n"),
        "MOUNTS": _mounts(world, host),
        "MEM": _memory(world, host),
        "PID": Out(f"4194304\n{host.memory // 128}\n{190 + host.number}\n1/{612 + host.number}\n"),
        "CGROUP": _cgroups(world, host),
        "INOTIFY": Out("524288\n8192\n"),
        "INOTIFY_USE": Out(f"{74 + host.number}\n"),
        "SYSCTL": running(world, host),
        "SYSCTLDIFF": on_disk(world),
        "PKGLOG": _packages(world),
        "KERN": _kernel_log(world, host),
    }


def uptime(host: Host) -> float:
    """Seconds since boot."""
    return (RECORDED - host.boot).total_seconds()


def _id(world: World, host: Host) -> Out:
    release = 'ID="centos"\nVERSION_ID="7"' if world.spec.legacy else 'VERSION_ID="22.04"\nID=ubuntu'
    up = uptime(host)
    return Out(
        f"{host.name}\n{kernel(world)}\n{boot_id(host)}\n{up:.2f} {up * host.cpu * 0.91:.2f}\n"
        f"0.3{host.number} 0.42 0.45 1/{612 + host.number} {81230 + host.number}\n{release}\n{machine_id(host)}\n"
    )


def _boot(world: World, host: Host) -> Out:
    boot = host.boot
    return Out(
        f"         system boot  {boot:%Y-%m-%d %H:%M}\n"
        f"reboot   system boot  {kernel(world)[:16]} {boot:%a %b %e %H:%M}   still running\n\n"
        f"wtmp begins {boot:%a %b %e %H:%M:%S %Y}\n"
    )


def _time(world: World) -> Out:
    now = f"{RECORDED.timestamp():.0f}.041{number(900, world.spec.name):03d}873\n"
    if world.spec.legacy:
        return Out(
            f"{now}      Local time: {RECORDED:%a %Y-%m-%d %H:%M:%S} UTC\n  Universal time: {RECORDED:%a %Y-%m-%d %H:%M:%S} UTC\n"
            f"        RTC time: {RECORDED:%a %Y-%m-%d %H:%M:%S}\n       Time zone: UTC (UTC, +0000)\n     NTP enabled: yes\n"
            "NTP synchronized: yes\n RTC in local TZ: no\n      DST active: n/a\n"
            "A9FEA97B,169.254.169.123,4,1795233571.211,0.000004812,-0.000011203,0.000021733,-6.301,0.003,0.041,0.000312,0.000271,64.4,Normal\n",
            stderr="Unknown operation show\n",
        )
    return Out(
        f"{now}Timezone=Etc/UTC\nNTP=yes\nNTPSynchronized=yes\n",
        stderr="sh: 1: chronyc: not found\nsh: 1: ntpq: not found\n",
        exit=127,
    )


PIDS = {
    "kubelet": 1021,
    "containerd": 842,
    "docker": 912,
    "systemd-networkd": 611,
    "chronyd": 655,
    "NetworkManager": 671,
}


FRAGMENTS = {
    "kubelet": "/lib/systemd/system/kubelet.service",
    "containerd": "/lib/systemd/system/containerd.service",
    "docker": "/usr/lib/systemd/system/docker.service",
    "systemd-networkd": "/lib/systemd/system/systemd-networkd.service",
    "ufw": "/lib/systemd/system/ufw.service",
    "chronyd": "/usr/lib/systemd/system/chronyd.service",
    "NetworkManager": "/usr/lib/systemd/system/NetworkManager.service",
}


def _units(world: World, host: Host) -> Out:
    running = (
        ("kubelet", "docker", "chronyd", "NetworkManager")
        if world.spec.legacy
        else ("kubelet", "containerd", "systemd-networkd", "ufw")
    )
    return Out("\n".join(_unit(world, host, name, active=name in running) for name in UNIT_NAMES))


def pid(host: Host, unit: str) -> int:
    """The main process of a unit."""
    return PIDS[unit] + 3 * host.number


def started(host: Host, unit: str) -> datetime:
    """When a unit was last started: the kubelet by ``kubeadm``, everything else at boot."""
    return host.joined if unit == "kubelet" else host.boot


def _unit(world: World, host: Host, name: str, *, active: bool) -> str:
    since = stamp(started(host, name)) if active else ""
    oneshot = name == "ufw"
    accounted = active and not oneshot and not world.spec.legacy
    restarts = "" if world.spec.legacy else "NRestarts=0\n"
    state = ("active", "exited" if oneshot else "running") if active else ("inactive", "dead")
    drop_in = (
        "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"
        if world.spec.legacy
        else "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"
    )
    unset = "[not set]" if not world.spec.legacy else "18446744073709551615"
    memory = str(60_000_000 + number(70_000_000, host.name, name)) if accounted else unset
    return (
        f"MainPID={pid(host, name) if active and not oneshot else 0}\nResult=success\n{restarts}"
        f"ExecMainStartTimestamp={since}\nExecMainCode={1 if active and oneshot else 0}\nExecMainStatus=0\n"
        f"MemoryCurrent={memory}\nCPUUsageNSec={'41822911000' if accounted else unset}\n"
        f"TasksCurrent={14 + host.number if accounted else unset}\n"
        f"Id={name}.service\nLoadState={'loaded' if active else 'not-found'}\nActiveState={state[0]}\nSubState={state[1]}\n"
        f"FragmentPath={FRAGMENTS.get(name, '') if active else ''}\nDropInPaths={drop_in if active and name == 'kubelet' else ''}\n"
        f"UnitFileState={'enabled' if active else ''}\nActiveEnterTimestamp={since}\nInactiveEnterTimestamp=\nNeedDaemonReload=no\n"
    )


def _disk(world: World) -> Out:
    device = "/dev/mapper/centos-root" if world.spec.legacy else "/dev/sda2"
    kind = "xfs" if world.spec.legacy else "ext4"
    used = 31_204_728_832
    boot = 1_020_702_720
    return Out(
        "Filesystem     Type         1-blocks        Used   Available Capacity Mounted on\n"
        f"{device} {kind} {DISK} {used} {DISK - used - 5_368_709_120} {100 * used // (DISK - 5_368_709_120) + 1}% /\n"
        f"/dev/sda1 {kind} {boot} {251_658_240} {boot - 251_658_240} 26% /boot\n"
        "Filesystem       Inodes  IUsed    IFree IUse% Mounted on\n"
        f"{device} 6469632 301244 6168388 5% /\n/dev/sda1 65536 321 65215 1% /boot\n"
    )


def _mounts(world: World, host: Host) -> Out:
    device = "/dev/mapper/centos-root" if world.spec.legacy else "/dev/sda2"
    kind = "xfs" if world.spec.legacy else "ext4"
    lines = [f"/ {device} {kind} rw,relatime", f"/boot /dev/sda1 {kind} rw,relatime"]
    for item in world.all("VolumeAttachment"):
        if item["spec"]["nodeName"] != host.name:
            continue
        pod = next(p for p in world.pods_on(host) if p["metadata"]["name"] == "mysql-0")
        volume = item["spec"]["source"]["persistentVolumeName"]
        base = f"/var/lib/kubelet/pods/{pod['metadata']['uid']}/volumes/kubernetes.io~csi/{volume}/mount"
        lines += [
            f"/var/lib/kubelet/plugins/kubernetes.io/csi/{world.spec.csi}/globalmount /dev/sdb ext4 rw,relatime",
            f"{base} /dev/sdb ext4 rw,relatime",
        ]
    return Out(join(lines))


def _memory(world: World, host: Host) -> Out:
    total = host.memory
    fields = {
        "MemTotal": total,
        "MemFree": total * 41 // 100,
        "MemAvailable": total * 78 // 100,
        "Buffers": 182_344,
        "Cached": total * 32 // 100,
        "SwapCached": 0,
        "Active": total * 21 // 100,
        "Inactive": total * 28 // 100,
        "SwapTotal": 0,
        "SwapFree": 0,
        "Dirty": 412,
        "Slab": 612_344,
        "SReclaimable": 401_220,
        "SUnreclaim": 211_124,
        "KernelStack": 11_232,
        "PageTables": 24_120,
        "CommitLimit": total // 2,
        "Committed_AS": total * 30 // 100,
    }
    text = join(f"{k + ':':<16}{v:>8} kB" for k, v in fields.items())
    if world.spec.legacy:
        return Out(text, stderr="grep: /proc/pressure/*: No such file or directory\n", exit=2)
    calm = "avg10=0.00 avg60=0.0{0} avg300=0.0{0} total={1}"
    pressure = [
        f"/proc/pressure/{what}:{kind} {calm.format(i % 2, 1_000_000 + number(9_000_000, host.name, what, kind))}"
        for what in ("cpu", "io", "memory")
        for i, kind in enumerate(("some", "full"))
    ]
    return Out(text + join(pressure))


def _cgroups(world: World, host: Host) -> Out:
    names = (
        "cpuset",
        "cpu",
        "cpuacct",
        "blkio",
        "memory",
        "devices",
        "freezer",
        "net_cls",
        "perf_event",
        "net_prio",
        "hugetlb",
        "pids",
    )
    count = 96 + 4 * len(world.pods_on(host))
    rows = [f"{n}\t{(i + 2) if world.spec.legacy else 0}\t{count}\t1" for i, n in enumerate(names)]
    kind = "tmpfs" if world.spec.legacy else "cgroup2fs"
    return Out(f"{kind}\n#subsys_name\thierarchy\tnum_cgroups\tenabled\n{join(rows)}{count}\n2\n0\n")


def _packages(world: World) -> Out:
    if world.spec.legacy:
        return Out(
            stderr="tail: cannot open '/var/log/apt/history.log' for reading: No such file or directory\n", exit=1
        )
    return Out(
        "\nStart-Date: 2026-11-02  01:44:12\nCommandline: apt-get install -y kubelet kubeadm kubectl containerd.io\n"
        "Install: kubelet:amd64 (1.34.2-1.1), kubeadm:amd64 (1.34.2-1.1), kubectl:amd64 (1.34.2-1.1), containerd.io:amd64 (1.7.28-1)\n"
        "End-Date: 2026-11-02  01:45:03\n"
    )


def _kernel_log(world: World, host: Host) -> Out:  # noqa: ARG001 - the same shape as the others
    """Nothing in six hours: a quiet kernel is the healthy case."""
    return Out("-- No entries --\n")
