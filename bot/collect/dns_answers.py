"""Asks DNS the probe set of catalogue B.7, from where the bot stands and from the nodes that are looked into.

A question that could not be asked leaves no reply: silence is only reported by something that did ask.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from datetime import datetime

from bot.collect.read import together
from bot.collect.sections import section
from bot.collector import collects
from bot.errors import Kind, SourceError
from bot.model.dns import DEFAULT_DOMAIN, NEUTRAL_NAME, Corefile, DnsPods, DnsService, KubeletDns, NodeResolv
from bot.model.dns_answers import (
    AnswerHistory,
    Asked,
    ClusterAnswers,
    DnsAnswers,
    NodeDnsAnswers,
    NodeUpstreamAnswers,
    PastAnswer,
    Reply,
    UpstreamAnswers,
)
from bot.model.evidence import Ask, Clock, Evidence, Gap, PerNode
from bot.model.proof import Proof, Source
from bot.model.refs import NodeName
from bot.parse import dns_answers
from bot.source import Answer, History, Output, Resolver, Section, Shell

BOT = "bot"
ASK_HINT = "give kubewhy SSH to a node, or a route to the addresses of pods and Services"
TRIES = 3
APART = 1.0
QUESTIONS = 16
PLAIN = {"NOERROR", "NXDOMAIN"}
MANY_PODS, MANY_UPSTREAMS = 3, 3
TRIP = 24.0


@dataclass(frozen=True, slots=True)
class Ask1:
    """One question of the probe set."""

    asked: Asked
    server: str
    name: str
    type: str


def probe_set(
    ask: Ask, service: DnsService | None, pods: DnsPods | None, corefile: Corefile | None, kubelet: KubeletDns | None
) -> tuple[Ask1, ...]:
    """Q1 to Q4: the API server's name and NAME, at the Service and at each DNS pod."""
    domain = corefile.domain if corefile else kubelet.domain if kubelet else DEFAULT_DOMAIN
    own = f"kubernetes.default.svc.{domain}"
    name, kind = ask.target or NEUTRAL_NAME, ask.options.get("type", "A").upper()
    addresses = [p.status.pod_ip for p in (pods.live if pods else ()) if p.status.pod_ip][:MANY_PODS]
    found: list[Ask1] = []
    if service and service.address:
        found += [Ask1(Asked.Q1, service.address, own, "A"), Ask1(Asked.Q3, service.address, name, kind)]
    for address in addresses:
        found += [Ask1(Asked.Q2, address, own, "A"), Ask1(Asked.Q4, address, name, kind)]
    return tuple(found)


@collects(DnsAnswers, deadline=40.0)
def answers_to_bot(
    *,
    resolver: Resolver,
    clock: Clock,
    ask: Ask,
    service: DnsService | None,
    pods: DnsPods | None,
    corefile: Corefile | None,
    kubelet: KubeletDns | None,
) -> Iterator[Evidence]:
    """Q1 to Q4 and the upstreams from the bot, three times where the first answer is not plain."""
    questions = probe_set(ask, service, pods, corefile, kubelet) + upstream_set(ask, corefile, ())
    results = together(lambda q: _ask_bot(resolver, q, clock.now), questions, parallel=QUESTIONS)
    replies = tuple(r for r in results if isinstance(r, Reply))
    unasked = {q.server: str(r) for q, r in zip(questions, results, strict=True) if isinstance(r, SourceError)}
    if not replies:
        because = next(iter(unasked.values()), "there is no server that could be asked")
        raise SourceError(Kind.UNREACHABLE, "DNS questions from the bot", because)
    yield DnsAnswers(proof=replies[0].proof, replies=replies, unasked=unasked)


def _ask_bot(resolver: Resolver, question: Ask1, at: datetime) -> Reply | SourceError:
    """Ask up to three times, one try after the other as long as they are answered.

    A try that is silent for a second does not hold up the next: three silences cost four seconds instead of six, and
    tries begin far enough apart that a short burst of loss does not take them all.
    """
    tries: list[Future[Answer]] = []
    with ThreadPoolExecutor(TRIES, thread_name_prefix="dns") as pool:
        while len(tries) < TRIES and not (tries and _enough(tries[0])):
            tries.append(pool.submit(resolver.ask, question.server, question.name, question.type))
            wait(tries[-1:], timeout=APART)
    errors = [error for one in tries if isinstance(error := one.exception(), SourceError)]
    answers = [one.result() for one in tries if not isinstance(one.exception(), SourceError)]
    return reply_of(question, BOT, answers, at) if answers else errors[0]


def _enough(first: Future[Answer]) -> bool:
    """Whether the first try makes others needless: it could not be sent at all, or its answer is plain."""
    if not first.done():
        return False
    return first.exception() is not None or first.result().rcode in PLAIN


def reply_of(question: Ask1, origin: str, answers: list[Answer], at: datetime | None) -> Reply:
    """What came back for one question in all tries (at least one)."""
    best = next((a for a in reversed(answers) if a.addresses), answers[-1])
    outcome = ", ".join(_outcome(a) for a in answers)
    words = f"{question.name} {question.type} @{question.server}"
    return Reply(
        asked=question.asked,
        origin=origin,
        server=question.server,
        name=question.name,
        type=question.type,
        rcodes=tuple(a.rcode for a in answers),
        addresses=tuple(sorted(best.addresses)),
        ms=tuple(a.ms for a in answers if a.answered),
        proof=Proof(
            source=Source.DNS,
            what=f"{origin}: dig {words}",
            at=at,
            body=f"{origin}: {words}: {outcome}",
        ),
    )


def _outcome(answer: Answer) -> str:
    """One try in words: ``NOERROR 203.0.113.7 in 3 ms``, ``timeout``."""
    if not answer.answered:
        return answer.rcode
    return " ".join((answer.rcode, *answer.addresses, f"in {answer.ms} ms"))


@collects(NodeResolv)
def node_resolv(shell: Shell, clock: Clock, node: NodeName) -> Iterator[Evidence]:
    """``/etc/resolv.conf`` of the node."""
    wanted = section("RESOLV")
    output = shell.run(node, (wanted,)).get(wanted.key)
    if output is None:
        raise SourceError(Kind.NOT_RECORDED, f"/etc/resolv.conf of {node}")
    servers, searches, _ = dns_answers.resolv_conf(output.text)
    if not servers:
        raise SourceError(Kind.MALFORMED, f"/etc/resolv.conf of {node}", "it names no server")
    proof = Proof(source=Source.NODE, what=f"{node}: cat /etc/resolv.conf", at=clock.now, body=output.text[:4096])
    yield NodeResolv(proof=proof, node=node, servers=servers, searches=searches)


@collects(NodeDnsAnswers, deadline=60.0)
def answers_to_node(
    *,
    shell: Shell,
    clock: Clock,
    ask: Ask,
    service: DnsService | None,
    pods: DnsPods | None,
    corefile: Corefile | None,
    kubelet: KubeletDns | None,
    node: NodeName,
) -> Iterator[Evidence]:
    """Q1 to Q4 from the node."""
    replies = ask_node(shell, node, probe_set(ask, service, pods, corefile, kubelet), clock.now)
    yield NodeDnsAnswers(proof=replies[0].proof, node=node, replies=replies)


@collects(NodeUpstreamAnswers, deadline=60.0)
def upstream_answers_to_node(
    *,
    shell: Shell,
    clock: Clock,
    ask: Ask,
    corefile: Corefile | None,
    resolvers: PerNode[NodeResolv],
    node: NodeName,
) -> Iterator[Evidence | Gap]:
    """Q5 and Q6: NAME at every upstream from the node."""
    questions = upstream_set(ask, corefile, resolvers)
    if not questions:
        yield Gap(type=NodeUpstreamAnswers, key=node, because="no upstream is known")
        return
    replies = ask_node(shell, node, questions, clock.now)
    yield NodeUpstreamAnswers(proof=replies[0].proof, node=node, replies=replies)


def upstream_set(ask: Ask, corefile: Corefile | None, resolvers: Iterable[NodeResolv]) -> tuple[Ask1, ...]:
    """NAME (a neutral one instead of a name of the cluster) at each upstream, that of ``server=`` first."""
    name, kind = ask.target or NEUTRAL_NAME, ask.options.get("type", "A").upper()
    if corefile and corefile.is_internal(name):
        name, kind = NEUTRAL_NAME, "A"
    servers = [s for s in (ask.options.get("server", ""),) if s]
    servers += corefile.upstreams(name) if corefile else ()
    if corefile is None or corefile.by_resolv_conf:
        servers += [s for r in resolvers for s in r.servers if not s.startswith("127.")]
    names = dict.fromkeys(((name, kind), (NEUTRAL_NAME, "A")))  # one zone may be dead where the upstream is well
    return tuple(
        Ask1(Asked.Q5, server, n, k) for server in list(dict.fromkeys(servers))[:MANY_UPSTREAMS] for n, k in names
    )


def ask_node(shell: Shell, node: str, questions: tuple[Ask1, ...], at: datetime) -> tuple[Reply, ...]:
    """Ask from a node: with ``dig``, else with ``nslookup``; what fails is asked twice more.

    Raises:
        SourceError: the node was not reached, or not one question could be asked.
    """
    answers: dict[Ask1, list[Answer]] = {q: [] for q in questions}
    tool = _first(shell, node, questions, answers)
    again = [q for q, got in answers.items() if got and got[0].rcode not in PLAIN]
    for _ in range(TRIES - 1 if tool else 0):
        assert tool is not None
        for question, answer in tool(shell, node, again).items():
            answers[question].append(answer)
    replies = tuple(reply_of(q, f"node/{node}", got, at) for q, got in answers.items() if got)
    if not replies:
        raise SourceError(Kind.NOT_RECORDED, f"DNS questions from {node}", "neither dig nor nslookup could ask")
    return replies


Tool = Callable[[Shell, str, Iterable[Ask1]], dict[Ask1, Answer]]


def _first(shell: Shell, node: str, questions: tuple[Ask1, ...], answers: dict[Ask1, list[Answer]]) -> Tool | None:
    """Ask everything once with the first tool that works, and say which."""
    for tool in (_dig, _nslookup):
        got = tool(shell, node, questions)
        for question, answer in got.items():
            answers[question].append(answer)
        if got:
            return tool
    return None


def _dig(shell: Shell, node: str, questions: Iterable[Ask1]) -> dict[Ask1, Answer]:
    return _run(
        shell, node, {q: section("DIG", server=q.server, name=q.name, type=q.type) for q in questions}, dns_answers.dig
    )


def _nslookup(shell: Shell, node: str, questions: Iterable[Ask1]) -> dict[Ask1, Answer]:
    asked = {q: section("NSLOOKUP", type=q.type, name=q.name, server=q.server) for q in questions}
    return _run(shell, node, asked, dns_answers.nslookup)


def _run(shell: Shell, node: str, asked: dict[Ask1, Section], read: dns_answers.Reader) -> dict[Ask1, Answer]:
    """Run the questions in round trips that fit the deadline, six at a time."""
    items = list(asked.items())
    found: dict[Ask1, Answer] = {}
    for start in range(0, len(items), 6):
        part = items[start : start + 6]
        outputs = shell.run(node, [s for _, s in part], deadline=TRIP)
        for question, wanted in part:
            output: Output | None = outputs.get(wanted.key)
            if output is not None:
                answer = read(
                    output, origin=f"node/{node}", server=question.server, name=question.name, kind=question.type
                )
                if answer is not None:
                    found[question] = answer
    return found


@collects(ClusterAnswers)
def cluster_answers(bot: DnsAnswers | None, nodes: PerNode[NodeDnsAnswers]) -> Iterator[Evidence | Gap]:
    """What counts of the answers to the bot, and the answers to nodes; a gap when nobody could ask."""
    replies = (*(bot.telling if bot else ()), *(r for n in nodes for r in n.replies))
    if not replies:
        yield Gap(type=ClusterAnswers, because="neither a node nor the bot could ask", hint=ASK_HINT)
        return
    yield ClusterAnswers(proof=replies[0].proof, replies=replies)


@collects(UpstreamAnswers)
def upstream_answers(nodes: PerNode[NodeUpstreamAnswers]) -> Iterator[Evidence | Gap]:
    """The answers to nodes; a gap when no node could ask."""
    replies = tuple(r for n in nodes for r in n.replies)
    if not replies:
        yield Gap(type=UpstreamAnswers, because="no node could ask", hint=ASK_HINT)
        return
    yield UpstreamAnswers(proof=replies[0].proof, replies=replies)


@collects(AnswerHistory)
def answer_history(history: History, ask: Ask, clock: Clock) -> Iterator[Evidence]:
    """What earlier runs were answered for the name (``answers`` of the history: name → [{at, addresses}])."""
    recorded = history.entries.get("answers")
    entries = recorded.get(ask.target, ()) if isinstance(recorded, dict) else ()
    items: list[PastAnswer] = []
    for entry in entries if isinstance(entries, list) else ():
        try:
            at = datetime.fromisoformat(str(entry["at"]))
            items.append(PastAnswer(at=at, addresses=tuple(sorted(str(a) for a in entry["addresses"]))))
        except (KeyError, TypeError, ValueError):
            continue
    proof = Proof(source=Source.DNS, what=f"answers to earlier runs for {ask.target}", at=clock.now)
    yield AnswerHistory(proof=proof, items=tuple(sorted(items, key=lambda a: a.at)))
