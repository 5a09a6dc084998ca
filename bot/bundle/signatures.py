"""What the lines of a command look like: enough to tell apart what several commands printed in one recording.

A line belongs to the first command, from the one that spoke last on, whose lines look like it; any other line goes on
where it stands. A command that printed nothing that can be told is not there: nothing is made up about it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

# (the command, its lines): the compounds of catalogue section D that print no JSON.
_KNOWN = tuple(
    (re.compile(command), re.compile(line))
    for command, line in (
        (r"ss -Hlntu$", r"(?:tcp|udp) (?!.*users:\()"),
        (r"ss -Hlntup ", r"(?:tcp|udp) .*users:\("),
        (r"df -P?T", r"Filesystem +Type"),
        (r"df -P?i", r"Filesystem +Inodes"),
        (r"journalctl --disk-usage$", r"Archived and active journals|Journals take"),
        (r"cat \S*nf_conntrack_count", r"\d+$"),
        (r"conntrack -S$", r"cpu="),
        (r"iptables .*-S FORWARD$", r"-[PAN] FORWARD"),
        (r"iptables .*-L FORWARD -nvx", r"Chain FORWARD"),
        (r"iptables .*-t nat -S", r"\d+$"),
        (r"nft list tables$", r"table \w+ |(?:\S+: )*nft: "),
        (r"ipvsadm -Ln", r"IP Virtual Server|(?:\S+: )*ipvsadm: "),
        (r"networkctl list", r"WARNING: systemd-networkd| *\d+ \S+ +\w+ "),
        (r"grep -rhE .*Manage", r"\s*Manage\w+ *="),
        (r"journalctl .*-o short-iso", r"\d{4}-\d\d-\d\dT|-- "),
        (r"tail -n \d+ /var/log/apt/history\.log$", r"Start-Date: |tail: "),
        (r"grep -E .*cgroupDriver", r"(?!grep:|cat:)[a-z]\w+:\s|grep: /var/lib/kubelet/"),
        (r"grep -nE .*SystemdCgroup", r"(?:/\S+:)?\d+:|grep: "),
        (r"cat /etc/docker/daemon\.json$", r"\{|cat: "),
        (r"curl .*/proxyMode$", r"(?:iptables|ipvs|nftables|userspace|kernelspace)$"),
        (r"curl .*:10256/healthz$", r"(?:ok|\{.*\})? \d{3}$"),
    )
)
# curl ends no line: ``iptablesok 200``
_GLUED = re.compile(r"\A(iptables|ipvs|nftables|userspace)(?=\S| \d)")


def told_apart(commands: Sequence[str], text: str) -> tuple[str | None, ...]:
    """What each command printed, None where nothing is known of one; empty when a command is not known."""
    looks = [next((line for command, line in _KNOWN if command.match(c)), None) for c in commands]
    if None in looks:
        return ()
    parts: list[str | None] = [None] * len(commands)
    at = 0
    for line in _GLUED.sub(r"\1\n", text).splitlines(keepends=True):
        at = next((i for i in range(at, len(looks)) if (look := looks[i]) and look.match(line)), at)
        parts[at] = (parts[at] or "") + line
    return tuple(parts)
