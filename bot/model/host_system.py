"""What a node says about itself as a machine: who it is, what time it has, when it booted, what systemd runs on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.model.evidence import NodeEvidence


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeIdentity(NodeEvidence):
    """Who the machine is and how long it has been up (section ID).

    Attributes:
        booted: when it booted, API-server time.
        machine_id: empty when it could not be read.
    """

    words: ClassVar[str] = "identity and uptime"

    hostname: str
    kernel: str
    boot_id: str
    uptime_seconds: float
    booted: datetime
    load: tuple[float, ...] = ()
    os_id: str = ""
    os_version: str = ""
    machine_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeClock(NodeEvidence):
    """The node's clock against the API server's (section TIME).

    Attributes:
        offset: seconds that the node is ahead of the API server; None when the API server told no time.
        uncertainty: how wrong ``offset`` may be, seconds.
        synchronised: what systemd says; None when it does not say.
        ntp: whether an NTP service is switched on; None when unknown.
        daemon_offset: how far off chrony or ntpd sees the clock, seconds without sign; None without such a daemon.
        timezone: IANA name, empty when unknown.
    """

    words: ClassVar[str] = "clock"

    offset: float | None
    uncertainty: float
    synchronised: bool | None = None
    ntp: bool | None = None
    daemon_offset: float | None = None
    timezone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BootHistory(NodeEvidence):
    """The last boots as ``last -x`` tells them (section BOOT).

    Attributes:
        orderly: whether a shutdown precedes the newest boot; None when the record does not reach back so far.
        boots: how many boots the record holds.
    """

    words: ClassVar[str] = "boot history"

    orderly: bool | None
    boots: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Unit:
    """One systemd unit (section UNITS). Times are API-server time; None when systemd has none.

    Attributes:
        restarts: NRestarts; None before systemd 235.
        started: start of the main process of the last attempt.
        active_since: when it last became active.
        inactive_since: when it last became inactive; None when it never did.
        need_reload: whether the unit file changed on disk after it was loaded.
        flickering: whether it was seen in the moment between a start and the next exit of a restart loop.
    """

    name: str
    load: str = ""
    file_state: str = ""
    active: str = ""
    sub: str = ""
    result: str = ""
    restarts: int | None = None
    exit_status: int | None = None
    main_pid: int = 0
    started: datetime | None = None
    active_since: datetime | None = None
    inactive_since: datetime | None = None
    need_reload: bool = False
    flickering: bool = False
    fragment: str = ""
    drop_ins: tuple[str, ...] = ()

    @property
    def present(self) -> bool:
        """Whether systemd knows the unit: there is a file, or it is masked."""
        return self.load in {"loaded", "masked", "error", "bad-setting"}

    @property
    def running(self) -> bool:
        """Whether it is active now."""
        return self.active == "active" and not self.flickering

    @property
    def down(self) -> bool:
        """Not running and not on its way: inactive, failed, or waiting for its next automatic restart."""
        waiting = (self.active, self.sub) == ("activating", "auto-restart")
        return self.active in {"inactive", "failed"} or waiting or self.flickering

    @property
    def starts_at_boot(self) -> bool:
        """Whether the next boot starts it."""
        return self.file_state in {"enabled", "enabled-runtime"}


@dataclass(frozen=True, slots=True, kw_only=True)
class HostUnits(NodeEvidence):
    """The units that matter to a node; units that systemd does not know are absent from ``by_name``."""

    words: ClassVar[str] = "systemd units"

    by_name: Mapping[str, Unit]

    def get(self, name: str) -> Unit | None:
        """The unit called ``name`` (without ``.service``), or None when this machine has no such unit."""
        return self.by_name.get(name)

    @property
    def kubelet(self) -> Unit | None:
        """The unit that is the kubelet here; None where k3s, rke2 or another agent contains it."""
        return self.get("kubelet")

    @property
    def agent(self) -> Unit | None:
        """A unit that contains a kubelet (k3s, rke2), if one is there."""
        return next((u for n in ("k3s", "k3s-agent", "rke2-server", "rke2-agent") if (u := self.get(n))), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filesystem:
    """One mounted filesystem by ``df``; bytes and inodes; ``inodes`` 0 where the filesystem has no fixed number."""

    mount: str
    device: str
    type: str
    size: int
    used: int
    available: int
    inodes: int = 0
    inodes_used: int = 0

    @property
    def percent(self) -> float:
        """Used share of what is usable, as df counts it."""
        usable = self.used + self.available
        return 100.0 * self.used / usable if usable else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Disks(NodeEvidence):
    """How full the disks are (section DISK)."""

    words: ClassVar[str] = "disk usage"

    filesystems: tuple[Filesystem, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mount:
    """One mount."""

    target: str
    source: str
    type: str
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mounts(NodeEvidence):
    """Mounts of disks and network storage (section MOUNTS)."""

    words: ClassVar[str] = "mounts"

    items: tuple[Mount, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sysctls(NodeEvidence):
    """Kernel settings in force and, where readable, in the files that the next boot applies.

    Attributes:
        values: name → value in force.
        swaps: devices in /proc/swaps.
        files: name → every value that a sysctl.d file gives it; None when they could not be read.
    """

    words: ClassVar[str] = "kernel settings"

    values: Mapping[str, str]
    swaps: tuple[str, ...] = ()
    files: Mapping[str, tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReached(NodeEvidence):
    """The node let the bot in; what its clock means follows from here.

    Attributes:
        clock_ahead: seconds by which node times are corrected; 0 when the offset is small or unknown.
        timezone: IANA name, empty when unknown.
    """

    words: ClassVar[str] = "SSH connection"

    clock_ahead: float
    timezone: str = ""
