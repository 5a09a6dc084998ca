"""How DNS is asked: which nodes, which questions, how often, and what a question that was not asked becomes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from bot.collect.dns_answers import answers_to_bot, ask_node, probe_set, upstream_set
from bot.errors import Kind, SourceError
from bot.model.cluster import Nodes
from bot.model.dns import DnsPods, DnsService, NodeResolv
from bot.model.dns_answers import Asked, DnsAnswers
from bot.model.evidence import Ask
from bot.model.k8s import Condition, Meta, Node, NodeSpec, NodeStatus, Service, ServicePort, ServiceSpec
from bot.source import Answer, Output, Section
from handlers.dns_check import look_into
from tests.unit.checks_dns.build import CLOCK, NOW, PROOF, ago, corefile, pod, pods

SERVICE = DnsService(
    proof=PROOF,
    service=Service(
        metadata=Meta(name="kube-dns", namespace="kube-system"),
        spec=ServiceSpec(cluster_ip="10.96.0.10", ports=(ServicePort(port=53, protocol="UDP"),)),
    ),
)


def ask(target: str = "", **options: str) -> Ask:
    """A question."""
    return Ask(proof=PROOF, command="dns-check", target=target, options=options)


class ListedResolver:
    """Answers from a list by server; a server that is not in it was not recorded."""

    def __init__(self, codes: Mapping[str, str]) -> None:
        self.codes = codes
        self.asked: list[tuple[str, str]] = []

    def ask(self, server: str, name: str, kind: str = "A", *, tcp: bool = False, timeout: float = 2.0) -> Answer:
        """See bot.source.Resolver."""
        if server not in self.codes:
            raise SourceError(Kind.NOT_RECORDED, f"DNS {name} @{server}")
        self.asked.append((server, name))
        return Answer(origin="bot", server=server, name=name, type=kind, rcode=self.codes[server], ms=2)


class ListedShell:
    """Prints what is listed for a key's first part (``DIG``, ``NSLOOKUP``), and remembers what was run."""

    def __init__(self, outputs: Mapping[str, Output]) -> None:
        self.outputs = outputs
        self.ran: list[str] = []

    def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Mapping[str, Output]:
        """See bot.source.Shell."""
        self.ran += [s.key for s in sections]
        return {s.key: self.outputs[k] for s in sections if (k := s.key.partition(":")[0]) in self.outputs}


def bot_answers(resolver: ListedResolver, *live: DnsPods) -> DnsAnswers:
    """Ask from the bot."""
    found = next(
        iter(
            answers_to_bot(
                resolver=resolver,
                clock=CLOCK,
                ask=ask("example-api.com"),
                service=SERVICE,
                pods=live[0] if live else pods(pod()),
                corefile=corefile(),
                kubelet=None,
            )
        )
    )
    assert isinstance(found, DnsAnswers)
    return found


def test_probe_set_asks_the_service_and_each_pod() -> None:
    """Q1 and Q3 go to the Service, Q2 and Q4 to each pod; the cluster domain comes from the Corefile."""
    two = pods(pod(), pod("coredns-2", address="10.244.2.2"))

    asked = {(q.asked, q.server, q.name) for q in probe_set(ask("example-api.com"), SERVICE, two, corefile(), None)}

    own = "kubernetes.default.svc.cluster.local"
    assert asked == {
        (Asked.Q1, "10.96.0.10", own),
        (Asked.Q3, "10.96.0.10", "example-api.com"),
        (Asked.Q2, "10.244.1.2", own),
        (Asked.Q4, "10.244.1.2", "example-api.com"),
        (Asked.Q2, "10.244.2.2", own),
        (Asked.Q4, "10.244.2.2", "example-api.com"),
    }


def test_upstreams_are_never_asked_for_names_of_the_cluster() -> None:
    """A name of the cluster means nothing to an upstream, and is nobody's business outside: a neutral one is asked."""
    asked = upstream_set(ask("web.shop.svc.cluster.local"), corefile("10.0.0.2"), ())

    assert [(q.server, q.name) for q in asked] == [("10.0.0.2", "example.com")]


def test_upstreams_of_resolv_conf_leave_out_the_stub() -> None:
    """``forward . /etc/resolv.conf`` means the servers of the nodes' files, but not a loopback one."""
    resolv = NodeResolv(proof=PROOF, node="node-1", servers=("127.0.0.53", "10.0.0.3"))

    asked = upstream_set(ask(), corefile("/etc/resolv.conf"), (resolv,))

    assert [(q.server, q.name) for q in asked] == [("10.0.0.3", "example.com")]


def test_plain_answer_is_asked_once_and_a_failure_three_times() -> None:
    """Repeats cost time only where something is wrong."""
    resolver = ListedResolver({"10.96.0.10": "NOERROR", "10.244.1.2": "SERVFAIL", "10.0.0.2": "NOERROR"})

    bot_answers(resolver)

    assert resolver.asked.count(("10.96.0.10", "example-api.com")) == 1
    assert resolver.asked.count(("10.244.1.2", "example-api.com")) == 3


def test_question_that_was_not_recorded_leaves_no_reply() -> None:
    """Its server is listed as not asked; the others are answers."""
    found = bot_answers(ListedResolver({"10.96.0.10": "NOERROR"}))

    assert {r.server for r in found.replies} == {"10.96.0.10"}
    assert set(found.unasked) == {"10.244.1.2", "10.0.0.2"}


def test_bot_that_could_ask_nobody_has_no_evidence() -> None:
    """All questions failed before they were asked: a gap, not an empty fact."""
    with pytest.raises(SourceError):
        bot_answers(ListedResolver({}))


def test_node_without_dig_asks_with_nslookup() -> None:
    """A missing tool is no silence."""
    shell = ListedShell(
        {
            "DIG": Output(rc=127, text="sh: 1: dig: not found"),
            "NSLOOKUP": Output(rc=0, text="Server: 10.0.0.2\n\nName:\texample.com\nAddress: 203.0.113.10\n"),
        }
    )

    replies = ask_node(shell, "node-1", upstream_set(ask(), corefile(), ()), NOW)

    assert [(r.origin, r.rcodes, r.addresses) for r in replies] == [("node/node-1", ("NOERROR",), ("203.0.113.10",))]


def test_node_without_any_tool_is_a_gap() -> None:
    """Neither dig nor nslookup: nothing was asked."""
    shell = ListedShell({"DIG": Output(rc=127, text="dig: not found"), "NSLOOKUP": Output(rc=127, text="not found")})

    with pytest.raises(SourceError):
        ask_node(shell, "node-1", upstream_set(ask(), corefile(), ()), NOW)


def test_silent_server_is_asked_three_times_from_a_node() -> None:
    """Two thirds of three tries is what the row about dead upstreams counts."""
    shell = ListedShell({"DIG": Output(rc=9, text=";; connection timed out; no servers could be reached")})

    replies = ask_node(shell, "node-1", upstream_set(ask(), corefile(), ()), NOW)

    assert [r.rcodes for r in replies] == [("timeout",) * 3]
    assert len(shell.ran) == 3


def node(name: str, *, ready: str = "True", cordoned: bool = False) -> Node:
    """A node."""
    return Node(
        metadata=Meta(name=name),
        spec=NodeSpec(unschedulable=cordoned),
        status=NodeStatus(conditions=(Condition(type="Ready", status=ready),)),
    )


def nodes(*items: Node) -> Nodes:
    """The nodes."""
    return Nodes(proof=PROOF, items=items)


def chosen(live: DnsPods, known: Nodes, **options: str) -> tuple[str, ...]:
    """The nodes that are looked into."""
    return look_into(pods=live, clock=CLOCK, ask=ask(**options), logs=None, nodes=known, client=None)


def test_healthy_cluster_looks_into_the_nodes_of_dns() -> None:
    """Nothing to compare with is needed."""
    live = pods(pod(), pod("coredns-2", node="node-2"))

    assert chosen(live, nodes(node("node-1"), node("node-2"), node("node-3"))) == ("node-1", "node-2")


def test_sick_pod_first_then_a_healthy_peer() -> None:
    """The node of the worst pod, and one that is ready and not cordoned; one with a DNS pod before others."""
    live = pods(
        pod("coredns-2", node="node-2"),
        pod(waiting="CrashLoopBackOff", restarts=9, ended=(ago(minutes=5), ago(minutes=4)), ready=False),
    )

    assert chosen(live, nodes(node("node-0"), node("node-1"), node("node-2"))) == ("node-1", "node-2")


def test_peer_is_neither_unready_nor_cordoned() -> None:
    """A sick or emptied node is no yardstick."""
    live = pods(pod(restarts=2, ready=False))
    known = nodes(node("node-0", ready="Unknown"), node("node-1"), node("node-2", cordoned=True), node("node-3"))

    assert chosen(live, known) == ("node-1", "node-3")


def test_named_node_is_looked_into() -> None:
    """``from=node-3`` counts as the client's node; a name that is no node is not visited."""
    known = nodes(node("node-1"), node("node-3"))

    assert chosen(pods(pod()), known, **{"from": "node-3"}) == ("node-1", "node-3")
    assert chosen(pods(pod()), known, **{"from": "node-9"}) == ("node-1",)


def test_no_dns_pod_at_all_asks_from_two_healthy_nodes() -> None:
    """Scaled to zero: the Service is asked from somewhere."""
    assert chosen(pods(), nodes(node("node-1"), node("node-2"), node("node-3"))) == ("node-1", "node-2")
