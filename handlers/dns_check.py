"""/dns-check: does DNS answer, correctly, fast, redundantly; which hop fails or lies."""

from __future__ import annotations

from bot.model.cluster import Nodes
from bot.model.command import Argument, Command, Option
from bot.model.dns import DnsPods
from bot.model.dns_answers import ClusterAnswers
from bot.model.dns_judge import crash_looping, heard, last_exit_in_window
from bot.model.dns_logs import ClientPod, DnsLogs, Saying
from bot.model.evidence import Ask, Clock
from bot.model.k8s import Node, Pod
from bot.model.text import T, Text

MOST, SICK = 5, 3
COMPLAINTS = (
    Saying.UPSTREAM,
    Saying.NO_UPSTREAM,
    Saying.API,
    Saying.API_WAIT,
    Saying.UNSYNCED,
    Saying.FORBIDDEN,
    Saying.LOOP,
    Saying.CONFIG,
)


def look_into(
    *, pods: DnsPods, clock: Clock, ask: Ask, logs: DnsLogs | None, nodes: Nodes | None, client: ClientPod | None
) -> tuple[str, ...]:
    """The nodes of DNS pods in trouble, worst first, the client's node and a healthy one to compare with; at most 5.

    On a healthy cluster the nodes of all DNS pods. A node that was named with ``from=`` counts as the client's.
    """
    known = {n.name: n for n in nodes.items} if nodes else {}
    sick = _sick(pods, logs, clock)
    named = ask.options.get("from", "")
    clients = [client.pod.spec.node_name or ""] if client else [named] if named in known else []
    chosen = [*(sick[:SICK] or list(pods.nodes)), *clients]
    if sick or not pods.nodes:
        chosen += _peers(chosen, pods, known)
    return tuple(dict.fromkeys(n for n in chosen if n and (not known or n in known)))[:MOST]


def unexplained(ask: Ask, answers: ClusterAnswers | None) -> Text | None:
    """A name that was asked about, of which no DNS server said anything that counts: it is never called fine."""
    if not ask.target or any(
        r.name.rstrip(".") == ask.target.rstrip(".") for r in (answers.replies if answers else ())
    ):
        return None
    return T("Nobody could be asked for {name}: no answer about it counts as evidence.", name=ask.target)


def _sick(pods: DnsPods, logs: DnsLogs | None, clock: Clock) -> list[str]:
    complaining = {h.log.pod for h in heard(logs, clock, *COMPLAINTS)} if logs else set()
    bad = [p for p in pods.live if _trouble(p, complaining, clock)]
    bad.sort(key=lambda p: (p.ready, not crash_looping(p), -p.restarts))
    return list(dict.fromkeys(p.spec.node_name for p in bad if p.spec.node_name))


def _trouble(pod: Pod, complaining: set[str], clock: Clock) -> bool:
    return not pod.ready or crash_looping(pod) or pod.path in complaining or last_exit_in_window(pod, clock)


def _peers(chosen: list[str], pods: DnsPods, known: dict[str, Node]) -> list[str]:
    """One healthy node that is not chosen yet, those with DNS pods first; two when nothing else is chosen."""
    well = [name for name, node in known.items() if name not in chosen and _well(node)]
    well.sort(key=lambda name: (name not in pods.nodes, known[name].control_plane, name))
    return well[: 1 if any(chosen) else 2]


def _well(node: Node) -> bool:
    ready = node.condition("Ready")
    return ready is not None and ready.status == "True" and not node.spec.unschedulable


COMMAND = Command(
    name="dns-check",
    symptom=T("why a name does not resolve, or resolves wrongly or slowly"),
    owns=("DNS-*",),
    runs=(
        "NET-01",
        "NET-02",
        "NET-04",
        "NET-05",
        "NET-06",
        "NET-07",
        "NET-13",
        "NODE-03",
        "NODE-04",
        "NODE-05",
        "NODE-07",
        "NODE-10",
        "NODE-12",
        "NODE-14",
        "NODE-15",
        "NODE-23",
        "NODE-24",
        "NODE-30",
        "NODE-32",
        "CTRL-01",
        "POD-18",
        "APP-01",
    ),
    headlines=("APP-01", "DNS-07", "DNS-18", "DNS-0[2-9]", "DNS-*"),
    target=Argument.NAME,
    target_name="name",
    options=(
        Option(name="from", type=Argument.ORIGIN, help=T("pod (namespace/pod) or node that cannot resolve")),
        Option(name="server", type=Argument.ADDRESS, help=T("one more name server to ask")),
        Option(name="expect", type=Argument.CIDR, help=T("address or network that the answer must lie in")),
        Option(name="type", type=Argument.DNS_TYPE, help=T("record type: A, AAAA or SRV (default A)")),
    ),
    examples=(
        "/dns-check",
        "/dns-check example-api.com from=shop/web-1",
        "/dns-check oss.example.com expect=10.219.226.0/24",
    ),
    unexplained=unexplained,
    look_into=look_into,
)
