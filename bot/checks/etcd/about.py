"""Lines of etcd about connections that it rejected, in the words of every version."""

from __future__ import annotations

import re
from dataclasses import dataclass

from bot.model.cluster import ApiHealth, ControlPlaneLogs, KubernetesEndpoints, Log, LogLine, Nodes
from bot.model.evidence import Clock
from bot.model.lines import in_window

# 3.3, 3.4: embed: rejected connection from "127.0.0.1:4711" (error "EOF", ServerName "")
# 3.5, 3.6: {"msg":"rejected connection on client endpoint","remote-addr":"127.0.0.1:4711","error":"EOF"}
PLAIN = re.compile(r'rejected connection from "(?P<addr>[^"]+)" \(error "(?P<error>[^"]*)"')
JSON = re.compile(r'"msg":"rejected connection[^"]*".*?"remote-addr":"(?P<addr>[^"]+)".*?"error":"(?P<error>[^"]*)"')
TLS = re.compile(
    r"x509:|certificate (?:has expired|signed by unknown authority)|tls: bad certificate|tls: failed to verify"
)
HARMLESS = re.compile(r"^EOF$|first record does not look like a TLS handshake|connection reset by peer|i/o timeout")


@dataclass(frozen=True, slots=True)
class Rejected:
    """One line: who was rejected and why."""

    address: str
    error: str
    line: LogLine
    log: Log


def rejected(logs: ControlPlaneLogs, clock: Clock) -> tuple[Rejected, ...]:
    """Every rejected connection inside the window."""
    found: list[Rejected] = []
    for log in logs.by_component.get("etcd", ()):
        for line in in_window(log.lines, clock) if not log.previous else ():
            hit = PLAIN.search(line.text) or JSON.search(line.text)
            if hit:
                found.append(Rejected(hit["addr"].rpartition(":")[0].strip("[]"), hit["error"], line, log))
    return tuple(found)


def members(nodes: Nodes | None, endpoints: KubernetesEndpoints | None) -> frozenset[str]:
    """Addresses of API servers and control-plane nodes: the legitimate clients and peers of etcd."""
    known = set(endpoints.addresses if endpoints else ())
    for node in nodes.items if nodes else ():
        if node.control_plane:
            known |= {a.address for a in node.status.addresses or () if a.type == "InternalIP"}
    return frozenset(known)


def etcd_fails(health: ApiHealth) -> bool:
    """Whether the API server's health checks say that etcd does not answer."""
    return any(name.startswith("etcd") for name in health.failed)
