"""What a node says about its kubelet: how it is started, with which files, whether it answers, and what it wrote."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import ClassVar

from bot.model.cluster import LogLine
from bot.model.evidence import NodeEvidence

_BACKUP = re.compile(r"(?:\.bak(?:\..*)?|\.old|\.orig|~|\.save|\.\d{8})")


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletArguments(NodeEvidence):
    """How the kubelet is started (section KARGS).

    Attributes:
        flags: flag without dashes → value; from the running process, else from ``ExecStart`` and what it refers to.
        running: whether the flags are those of a running process.
        environment_files: required ``EnvironmentFile=`` paths.
        optional_files: ``EnvironmentFile=-`` paths, whose absence is no error.
        unit: the unit file with drop-ins as ``systemctl cat`` prints it; empty when there is none.
        proxies: proxy variables that the unit sets, by name.
    """

    words: ClassVar[str] = "kubelet's command line"

    flags: Mapping[str, str]
    running: bool
    environment_files: tuple[str, ...] = ()
    optional_files: tuple[str, ...] = ()
    unit: str = ""
    proxies: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Every file that the kubelet cannot start without, as far as its command line says."""
        named = [self.flags[f] for f in ("config", "kubeconfig", "bootstrap-kubeconfig") if self.flags.get(f)]
        return tuple(dict.fromkeys([*named, *self.environment_files]))


class Presence(enum.StrEnum):
    """Whether a file is there; ``unknown`` when it may not be looked at."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileFact:
    """One file. ``modified`` is API-server time."""

    path: str
    presence: Presence
    size: int = 0
    modified: datetime | None = None

    @property
    def unusable(self) -> bool:
        """Absent, or there but empty."""
        return self.presence is Presence.ABSENT or (self.presence is Presence.PRESENT and self.size == 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class DirectoryEntry:
    """One line of ``ls -la``; ``kind`` is its first character: ``-`` file, ``d`` directory, ``l`` link."""

    name: str
    kind: str
    size: int
    modified: datetime | None
    target: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletDefaults(NodeEvidence):
    """The files at the usual places, as an unprivileged user sees them: what :class:`KubeletFiles` starts from."""

    words: ClassVar[str] = "kubelet's usual files"

    by_path: Mapping[str, FileFact]
    directories: Mapping[str, tuple[DirectoryEntry, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletFiles(NodeEvidence):
    """The files the kubelet starts from (section KCFG).

    Attributes:
        by_path: path → fact, links followed; a dangling link is absent.
        directories: directory without trailing slash → its entries, ``.`` included.
    """

    words: ClassVar[str] = "kubelet's files"

    by_path: Mapping[str, FileFact]
    directories: Mapping[str, tuple[DirectoryEntry, ...]]

    def presence(self, path: str) -> Presence:
        """Whether ``path`` is there."""
        fact = self.by_path.get(path)
        return fact.presence if fact else Presence.UNKNOWN

    def backup(self, path: str) -> DirectoryEntry | None:
        """The newest file with content beside ``path`` that is called like a copy of it (catalogue NODE-04)."""
        folder, _, name = path.rpartition("/")
        beside = (e for e in self.directories.get(folder, ()) if e.name.startswith(name) and e.size)
        found = [e for e in beside if _BACKUP.fullmatch(e.name[len(name) :])]
        never = datetime.min.replace(tzinfo=UTC)
        return max(found, key=lambda e: (e.modified is not None, e.modified or never), default=None)


class Probe(enum.StrEnum):
    """How a local port answered."""

    OK = "ok"
    BAD = "bad"
    REFUSED = "refused"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletHealth(NodeEvidence):
    """Whether the kubelet's ports answer on the node itself (section KHEALTH).

    Attributes:
        healthz: port 10248.
        serving: port 10250; 401 and 403 are answers.
    """

    words: ClassVar[str] = "kubelet's health ports"

    healthz: Probe
    serving: Probe
    said: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletProcess(NodeEvidence):
    """The kubelet's process and the tasks of the node that are blocked in the kernel (section KSTATE).

    Attributes:
        state: letter of /proc/PID/status; empty when there is no process.
        blocked: ``pid stat wchan command`` of tasks in uninterruptible sleep.
    """

    words: ClassVar[str] = "kubelet's process"

    state: str
    rss_bytes: int = 0
    threads: int = 0
    wchan: str = ""
    blocked: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletLog(NodeEvidence):
    """The newest lines of the kubelet's log, oldest first; messages joined and unescaped, times API-server time.

    Attributes:
        cut: whether older lines of the time that was asked for were left out.
    """

    words: ClassVar[str] = "kubelet's log"

    lines: tuple[LogLine, ...]
    cut: bool = False

    def since(self, start: datetime | None) -> tuple[LogLine, ...]:
        """The lines from ``start`` on (lines without a time count); all of them when it is None."""
        if start is None:
            return self.lines
        return tuple(line for line in self.lines if line.at is None or line.at >= start)
