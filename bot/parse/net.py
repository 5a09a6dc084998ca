"""The rest of the network: sockets, kernel settings, network cards, CNI files, iptables, networkd, package runs."""

from __future__ import annotations

import re
from datetime import datetime
from ipaddress import ip_address

from bot.model.host_net import Listener, PciNic
from bot.parse.common import TimeBase, UnparsableError

_SOCKET = re.compile(r"^(tcp|udp)\s+(LISTEN|UNCONN)\s+\d+\s+\d+\s+(\S+):(\d+|\*)\s+\S+(?:\s+users:\(\((.*)\)\))?")
_SYSCTL = re.compile(r"^([a-z][\w./-]+?)\s*=\s*(.*)$")
_NIC = re.compile(r"^/sys/bus/pci/devices/(\S+) (0x\w+) (0x\w+) drv=(\S*) net=(\S*)\s*$")
_POLICY = re.compile(r"(?m)^-P FORWARD (\w+)")
_COUNTED = re.compile(r"(?m)^Chain FORWARD \(policy (\w+) (\d+) packets")
_LEASES = "/var/lib/cni/networks/"
_NETWORKCTL = re.compile(r"^\s*\d+\s+(\S+)\s+\S+\s+\S+\s+(\S+)\s*$")
_APT_START = re.compile(r"^Start-Date: (\d{4}-\d\d-\d\d)\s+(\d\d:\d\d:\d\d)")


def listeners(text: str) -> tuple[Listener, ...]:
    """``ss -Hlntu`` (with ``-p``: the process); an address that is ``*`` stays so.

    Raises:
        UnparsableError: no socket: a node that was logged in to listens at least on SSH's port.
    """
    found = [
        Listener(protocol=m[1], address=m[3].strip("[]"), port=int(m[4]), process=_process(m[5] or ""))
        for line in text.splitlines()
        if (m := _SOCKET.match(line.strip())) and m[4] != "*"
    ]
    if not found:
        raise UnparsableError("list of sockets", text)
    return tuple(found)


def owners(text: str) -> tuple[Listener, ...]:
    """``ss -Hlntup`` with a filter: none is an answer.

    Raises:
        UnparsableError: something else was printed.
    """
    return listeners(text) if text.strip() else ()


def _process(users: str) -> str:
    m = re.match(r'"([^"]*)"', users)
    return m[1] if m else ""


def sysctls(text: str) -> tuple[dict[str, str], tuple[str, ...]]:
    """``sysctl -e …`` followed by ``/proc/swaps``: settings, and swap devices.

    Raises:
        UnparsableError: no setting.
    """
    settings, _, swaps = text.partition("Filename")
    found = {m[1].replace("/", "."): m[2].strip() for line in settings.splitlines() if (m := _SYSCTL.match(line))}
    if not found:
        raise UnparsableError("sysctl", text)
    return found, tuple(line.split()[0] for line in swaps.splitlines()[1:] if line.strip())


def sysctl_files(text: str) -> dict[str, tuple[str, ...]]:
    """Lines of sysctl.d files: setting → every value that some file gives it; comments do not count."""
    found: dict[str, tuple[str, ...]] = {}
    for line in text.splitlines():
        if m := _SYSCTL.match(line.strip().lstrip("-")):
            name = m[1].replace("/", ".")
            found[name] = (*found.get(name, ()), m[2].strip())
    return found


def cards(text: str) -> tuple[PciNic, ...]:
    """Network cards, one a line. A machine without PCI prints nothing, or the shell's complaint about ``*``.

    Raises:
        UnparsableError: something else was printed.
    """
    found = tuple(
        PciNic(
            slot=m[1],
            vendor=m[2],
            device=m[3],
            driver=m[4],
            interfaces=tuple(n for n in m[5].split(",") if n and not n.endswith(":")),
        )
        for line in text.splitlines()
        if (m := _NIC.match(line.strip()))
    )
    if not found and text.strip() and "/sys/bus/pci/devices/*" not in text:
        raise UnparsableError("list of network cards", text)
    return found


def forward(text: str) -> tuple[str, tuple[str, ...]]:
    """``iptables -S FORWARD``: policy and rules in order.

    Raises:
        UnparsableError: no policy line.
    """
    policy = _POLICY.search(text)
    if not policy:
        raise UnparsableError("iptables -S FORWARD", text)
    return policy[1], tuple(re.findall(r"(?m)^-A FORWARD (.+)$", text))


def is_missing(program: str, text: str) -> bool:
    """Whether all that was printed is that there is no such program (a shell's words, or sudo's)."""
    lines = [line for line in text.splitlines() if line.strip()]
    return bool(lines) and all(f"{program}: command not found" in x or f"{program}: not found" in x for x in lines)


def has_filter(text: str) -> bool:
    """``nft list tables``: whether a table ``filter`` is there, which is where FORWARD would be.

    Raises:
        UnparsableError: something else was printed.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if any(not line.startswith("table ") for line in lines):
        raise UnparsableError("list of nftables tables", text)
    return any(re.match(r"table (?:ip|inet) filter\b", line) for line in lines)


def policy_packets(text: str) -> tuple[int, ...]:
    """Packets that met the policy of FORWARD, one number for each ``iptables -L FORWARD -nvx``; none is no reading."""
    return tuple(int(m[2]) for m in _COUNTED.finditer(text))


def leases(text: str) -> dict[str, str]:
    """``find /var/lib/cni/networks``: path → address; a node whose CNI keeps no such files has no such folder.

    Raises:
        UnparsableError: something else was printed, or the folder is not there.
    """
    paths = [line.strip() for line in text.splitlines() if line.strip()]
    if any(not path.startswith(_LEASES) for path in paths):
        raise UnparsableError("list of the CNI's addresses", text)
    return {path: name for path in paths if _is_address(name := path.rpartition("/")[2])}


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def managed(text: str) -> tuple[dict[str, str], dict[str, str]]:
    """``networkctl list`` and the ``Manage…`` lines of networkd.conf: interface → setup, key → value (lower case).

    A node without networkctl prints the shell's complaint: both are empty then, which is an answer.
    """
    setup: dict[str, str] = {}
    settings: dict[str, str] = {}
    for line in text.splitlines():
        if m := _NETWORKCTL.match(line):
            setup[m[1]] = m[2].lower()
        elif m := re.match(r"^\s*(Manage\w+)\s*=\s*(\S+)", line):
            settings[m[1].lower()] = m[2].lower()
    return setup, settings


def package_runs(text: str, base: TimeBase) -> tuple[tuple[datetime, str], ...]:
    """``/var/log/apt/history.log``: when each run started (local time) and its command line."""
    found: list[tuple[datetime, str]] = []
    began: datetime | None = None
    for line in text.splitlines():
        if m := _APT_START.match(line):
            began = base.read(f"{m[1]} {m[2]}")
        elif line.startswith("Commandline: ") and began:
            found.append((began, line.removeprefix("Commandline: ").strip()))
            began = None
    return tuple(found)
