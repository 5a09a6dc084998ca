"""The machine: identity, clock, boots, the kubelet's ports and process."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.model.host_kubelet import Probe
from bot.parse.common import UnparsableError

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_CODE = re.compile(r"^(.*?)\s?(\d{3})$")
_WTMPDB = "wtmpdb begins"
_CURL_REFUSED, _CURL_TIMEOUT = "curl: (7)", "curl: (28)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """What section ID prints."""

    hostname: str
    kernel: str
    boot_id: str
    uptime: float
    load: tuple[float, ...]
    os_id: str
    os_version: str
    machine_id: str


def identity(text: str) -> Identity:
    """Host name, kernel, boot id, uptime, load, os-release lines, machine id, in this order.

    Raises:
        UnparsableError: the first four are not there.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    at = next((i for i, line in enumerate(lines) if _UUID.fullmatch(line)), None)
    if at is None or at < 2 or at + 1 >= len(lines) or not re.fullmatch(r"[\d.]+ [\d.]+", lines[at + 1]):  # noqa: PLR2004
        raise UnparsableError("identity", text)
    release = dict(re.findall(r'(?m)^(ID|VERSION_ID)="?([^"\n]*)"?$', text))
    machine = next((line for line in lines[at + 1 :] if re.fullmatch(r"[0-9a-f]{32}", line)), "")
    load = re.search(r"(?m)^([\d.]+) ([\d.]+) ([\d.]+) \d+/\d+", text)
    return Identity(
        hostname=lines[at - 2],
        kernel=lines[at - 1],
        boot_id=lines[at],
        uptime=float(lines[at + 1].split()[0]),
        load=tuple(float(v) for v in load.groups()) if load else (),
        os_id=release.get("ID", ""),
        os_version=release.get("VERSION_ID", ""),
        machine_id=machine,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Time:
    """What section TIME prints; ``daemon_offset`` in seconds without sign."""

    epoch: float
    synchronised: bool | None
    ntp: bool | None
    zone: str
    daemon_offset: float | None


def time(text: str) -> Time:
    """``date``, ``timedatectl show`` (or its text, before systemd 239), chrony or ntpq.

    The ``date`` of busybox knows no ``%N`` and prints it as it stands: whole seconds then.

    Raises:
        UnparsableError: no time on the first line.
    """
    first = text.strip().partition("\n")[0].strip()
    if not re.fullmatch(r"\d{1,11}(\.(\d+|%N))?", first):
        raise UnparsableError("time", text)
    zone = re.search(r"(?m)^\s*(?:Timezone=|Time ?zone: )([A-Za-z_]+(?:/[A-Za-z_+\-0-9]+)*)", text)
    return Time(
        epoch=float(first.removesuffix(".%N")),
        synchronised=_yes(text, r"NTPSynchronized=|NTP synchronized: |System clock synchronized: "),
        ntp=_yes(text, r"NTP=|NTP enabled: |NTP service: |Network time on: "),
        zone=zone[1] if zone else "",
        daemon_offset=_daemon_offset(text),
    )


def _yes(text: str, labels: str) -> bool | None:
    m = re.search(rf"(?m)^\s*(?:{labels})(\w+)", text)
    return m[1] in {"yes", "active"} if m else None


def _daemon_offset(text: str) -> float | None:
    for line in text.splitlines():
        columns = line.split(",")
        if len(columns) >= 10 and re.fullmatch(r"-?\d+\.\d+", columns[4]):  # noqa: PLR2004 - chronyc -c tracking
            return abs(float(columns[4]))
        words = line.split()
        if line.startswith("*") and len(words) >= 10 and re.fullmatch(r"-?[\d.]+", words[8]):  # noqa: PLR2004 - ntpq -pn
            return abs(float(words[8])) / 1000
    return None


def boots(text: str) -> tuple[bool | None, int]:
    """``last -x`` (newest first): whether a shutdown precedes the newest boot, and how many boots are recorded.

    ``who -b`` alone tells of a boot, and of no record.

    wtmpdb, the ``last`` of newer systems, names a shutdown behind the boot that it ended, and says of a boot that ended
    without one: crash.

    Raises:
        UnparsableError: no boot at all, in neither ``who -b`` nor ``last``.
    """
    kinds = [m[1] for line in text.splitlines() if (m := re.match(r"^(reboot|shutdown)\s+system", line))]
    count = kinds.count("reboot")
    if not count:
        if "system boot" in text:
            return None, 0
        raise UnparsableError("boot history", text)
    if _WTMPDB in text:
        ended = re.findall(r"(?m)^reboot\s+system.*?(crash)?\s*$", text)[1:]
        return (not ended[0] if ended else None), count
    older = kinds[kinds.index("reboot") + 1 :]
    return (older[0] == "shutdown" if older else None), count


def health(text: str) -> tuple[Probe, Probe, str]:
    """``curl`` of 10248/healthz and of 10250: what became of each, and what healthz said.

    Raises:
        UnparsableError: no HTTP status for both.
    """
    answers: list[tuple[int, str]] = []
    said = ""
    for line in text.splitlines():
        if m := _CODE.match(line.strip()):
            answers.append((int(m[2]), f"{said}\n{m[1]}".strip()))
            said = ""
        else:
            said = f"{said}\n{line}"
    if len(answers) != 2:  # noqa: PLR2004 - two ports
        raise UnparsableError("health of the kubelet", text)
    (first, words), (second, complaint) = answers
    serving = Probe.OK if second else _failed(complaint)
    healthz = Probe.OK if first == 200 else Probe.BAD if first else _failed(words)  # noqa: PLR2004 - HTTP
    return healthz, serving, words


def _failed(words: str) -> Probe:
    if _CURL_REFUSED in words:
        return Probe.REFUSED
    return Probe.TIMEOUT if _CURL_TIMEOUT in words else Probe.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Process:
    """What section KSTATE prints."""

    state: str
    rss_bytes: int
    threads: int
    wchan: str
    blocked: tuple[str, ...]


def process(text: str) -> Process:
    """Lines of ``/proc/PID/status``, ``wchan``, then tasks in uninterruptible sleep; no process: empty state.

    Raises:
        UnparsableError: neither a process nor the complaint that there is none with that number.
    """
    fields = dict(re.findall(r"(?m)^(State|VmRSS|Threads):\s+(\S+)", text))
    if "State" not in fields and not re.search(r"/proc/\d+/status'?: No such file", text):
        raise UnparsableError("process of the kubelet", text)
    wchan = re.search(r"(?m)^Threads:.*\n([A-Za-z_0-9]+)\s*$", text)
    blocked = re.findall(r"(?m)^\s*(\d+ D\S* .*\S)\s*$", text)
    return Process(
        state=fields.get("State", ""),
        rss_bytes=int(fields.get("VmRSS", 0)) * 1024,
        threads=int(fields.get("Threads", 0)),
        wchan=wchan[1] if wchan else "",
        blocked=tuple(re.sub(r"\s+", " ", line) for line in blocked),
    )
