"""The facts that the rules about cluster DNS and its clients join by AND."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.model.cluster import LogLine, Nodes
from bot.model.dns import (
    Corefile,
    DnsEndpoints,
    DnsEvents,
    DnsPods,
    DnsService,
    DnsWorkload,
    KubeletDns,
    SameNamed,
)
from bot.model.dns_answers import AnswerHistory, ClusterAnswers, UpstreamAnswers
from bot.model.dns_logs import ClientLogs, ClientPod, ClientServers, CrashingAddOns, DnsLogs, Said, Saying
from bot.model.evidence import Ask, Expectations
from bot.model.host import ApiPath
from bot.model.k8s import Endpoint, EndpointConditions, EndpointSlice
from tests.unit.judgement import undo
from tests.unit.judgement.fact import Change, Changes, Fact, Scene, each, put, swap, to, unread


def not_said(*about: Saying) -> Change:
    """The DNS pods say nothing of this kind; without ``about``, nothing at all."""

    def quiet(log: Any, _: Scene) -> Any:
        return swap(log, said=tuple(s for s in log.said if about and s.about not in about))

    return each("items", quiet)


def said_long_ago(log: Any, scene: Scene) -> Any:
    """What the log says was said two hours ago, before the container that runs was started."""
    if log.running_since is None:
        return swap(log, said=())
    said = tuple(swap(s, at=scene.ago(hours=2)) for s in log.said)
    return swap(log, said=said, running_since=scene.ago(hours=1))


def said_once(log: Any, _: Scene) -> Any:
    """The container runs, and the log has a single telling line."""
    if log.running_since is None:
        return swap(log, said=())
    return swap(log, said=log.said[-1:])


def refused(log: Any, scene: Scene) -> Any:
    """The API server refuses the pod: it is reached."""
    line = Said(about=Saying.FORBIDDEN, line="forbidden", at=scene.ago(seconds=20), target="services")
    return swap(log, said=(*log.said, line))


def every_reply(**members: Any) -> Change:
    """Every reply as given."""
    return each("replies", lambda r, _: swap(r, **members))


GOOD = every_reply(rcodes=("NOERROR", "NOERROR", "NOERROR"), addresses=("203.0.113.9",), ms=(2, 2, 2))
WELL_ANSWERED: Changes = {ClusterAnswers: GOOD}
NOBODY_ASKED: Changes = {ClusterAnswers: unread}


def ready_endpoints(found: Any, _: Scene) -> Any:
    """Two ready addresses behind the DNS Service."""
    some = tuple(
        Endpoint(addresses=(f"10.244.9.{n}",), conditions=EndpointConditions(ready=True), node_name=f"node-{n}")
        for n in (1, 2)
    )
    return put(found, "endpoints.slices", (EndpointSlice(endpoints=some),))


def restarted_yesterday(pod: Any, scene: Scene) -> Any:
    """The pod is well; what restarts it had are of yesterday."""
    healthy = undo.well(pod, scene)
    return put(healthy, "status.container_statuses", lambda old: tuple(swap(s, restart_count=3) for s in old))


WELL_PODS: Changes = {DnsPods: each("items", restarted_yesterday), DnsEvents: to(items=())}


def first_node(answers: Any) -> str:
    """The node that comes first by name."""
    return str(min(r.node for r in answers.replies))


def first_node_only(answers: Any, _: Scene) -> Any:
    """Only one node was asked to try."""
    return swap(answers, replies=tuple(r for r in answers.replies if r.node == first_node(answers)))


def first_node_answered(answers: Any, _: Scene) -> Any:
    """One node gets good answers."""
    mine = first_node(answers)
    replies = (swap(r, rcodes=("NOERROR",) * 3, ms=(2, 2, 2)) if r.node == mine else r for r in answers.replies)
    return swap(answers, replies=tuple(replies))


def all_addresses_right(expect: Any, scene: Scene) -> Any:
    """Every address is right for the name."""
    return swap(expect, answers={**expect.answers, scene.fact("name"): ("0.0.0.0/0", "::/0")})


def unexpected(ask: Any, _: Scene) -> Any:
    """The question names no right answer."""
    return swap(ask, options={k: v for k, v in ask.options.items() if k != "expect"})


def right_server(resolv: Any, scene: Scene) -> Any:
    """The pod asks the DNS Service."""
    service = scene.known.get(DnsService)
    assert service is not None
    return swap(resolv, servers=(service.address,))


def reloaded(log: Any, scene: Scene) -> Any:
    """A later reload of the Corefile worked."""
    line = LogLine(text="[INFO] Reloading complete", at=scene.ago(seconds=10))
    return put(log, "log.lines", lambda old: (*old, line))


def another_end(item: Any, scene: Scene) -> Any:
    """The add-on's log ends with another error."""
    lines = tuple(LogLine(text=f"panic: out of range {n}", at=scene.ago(seconds=15 - n)) for n in range(14))
    return put(item, "log.lines", lambda old: (*old, *lines))


def one_elsewhere(pods: Any, _: Scene) -> Any:
    """The last DNS pod runs on another node."""
    return swap(pods, items=(*pods.items[:-1], put(pods.items[-1], "spec.node_name", "another-node")))


def only_coredns(pod: Any, _: Scene) -> Any:
    """A pod of CoreDNS: one container."""
    return put(pod, "spec.containers", lambda old: tuple(swap(c, name="coredns") for c in (old or ())[:1]))


def schedulable_once(nodes: Any, scene: Scene) -> Any:
    """All nodes but one are cordoned."""
    return swap(nodes, items=(nodes.items[0], *(undo.cordoned(n, scene) for n in nodes.items[1:])))


def one_works(answers: Any, scene: Scene) -> Any:
    """One server knows the name."""
    name = scene.fact("name")
    first = next(r for r in answers.replies if r.name == name)
    better = swap(first, rcodes=("NOERROR",), addresses=("10.96.7.7",))
    return swap(answers, replies=tuple(better if r is first else r for r in answers.replies))


def mute(answers: Any, _: Scene) -> Any:
    """A server that did not answer."""
    return every_reply(rcodes=("timeout", "timeout", "timeout"), addresses=())(answers, _)


def long_ago(event: Any, scene: Scene) -> Any:
    """An event of three days ago."""
    then = scene.ago(days=3)
    return swap(event, first_timestamp=then, last_timestamp=then, event_time=None, series=None)


def errors_long_ago(client: Any, scene: Scene) -> Any:
    """The application's errors are two hours old."""
    return swap(client, errors=tuple(swap(e, at=scene.ago(hours=2)) for e in client.errors))


def started_anew(client: Any, scene: Scene) -> Any:
    """The application was started after its last error."""
    logs = scene.known.get(ClientLogs)
    newest = max((e.at for e in (logs.errors if logs else ()) if e.at), default=scene.ago(minutes=1))
    pod = undo.well(client.pod, scene)
    began = newest + timedelta(seconds=1)
    pod = put(
        pod, "status.container_statuses", lambda old: tuple(put(s, "state.running.started_at", began) for s in old)
    )
    return swap(client, pod=pod)


FACTS: dict[str, tuple[Fact, ...]] = {
    "DNS-01": (
        Fact(
            "there are three replicas, all ready",
            {DnsWorkload: lambda w, s: put(w, "workload.spec.replicas", 3), DnsEndpoints: ready_endpoints},
        ),
        Fact("one node can take pods", {Nodes: schedulable_once}, reasons=("one-replica", "one-ready"), left="quiet"),
    ),
    "DNS-02": (
        Fact("nothing restarted since yesterday", WELL_PODS),
        Fact("neither events nor a log agree", {DnsEvents: to(items=()), DnsLogs: to(items=())}, left="likely"),
    ),
    "DNS-03": (
        Fact("the log names no upstream", {DnsLogs: not_said(Saying.UPSTREAM, Saying.NO_UPSTREAM)}),
        Fact("the log named it before the last start", {DnsLogs: each("items", said_long_ago)}),
        Fact("the name resolves at every DNS pod", WELL_ANSWERED),
        Fact("nobody asked the DNS pods", NOBODY_ASKED, left="likely"),
    ),
    "DNS-04": (
        Fact("the log does not speak of the API", {DnsLogs: not_said(Saying.API, Saying.UNSYNCED, Saying.API_WAIT)}),
        Fact("it spoke of it before the last start", {DnsLogs: each("items", said_long_ago)}),
        Fact("it reconnected at once", {DnsLogs: each("items", said_once)}),
        Fact("the API server refuses the pod", {DnsLogs: each("items", refused)}),
        Fact(
            "its own name resolves, and the nodes reach the API server",
            {**WELL_ANSWERED, ApiPath: lambda p, s: swap(p, answers=dict.fromkeys(p.answers, 200))},
            everywhere=True,
            left="likely",
        ),
    ),
    "DNS-05": (
        Fact("every node gets answers", {UpstreamAnswers: GOOD}),
        Fact("one node gets answers", {UpstreamAnswers: first_node_answered}),
        Fact("only one node was asked", {UpstreamAnswers: first_node_only}),
        Fact("no DNS pod complains about it", {DnsLogs: not_said(Saying.UPSTREAM)}, left="likely"),
    ),
    "DNS-06": (
        Fact("the address is expected", {Expectations: all_addresses_right, Ask: unexpected}),
        Fact(
            "nobody said what is expected", {Expectations: to(answers={}), Ask: unexpected, AnswerHistory: to(items=())}
        ),
        Fact("the upstream was not asked directly", {UpstreamAnswers: unread}, left="likely"),
    ),
    "DNS-07": (
        Fact(
            "two endpoints are ready", {DnsEndpoints: ready_endpoints}, reasons=("scaled-to-zero", "no-ready-endpoint")
        ),
        Fact("it has not restarted since yesterday", WELL_PODS, reasons=("flapping-to-zero",)),
        Fact(
            "kubelets send pods elsewhere",
            {KubeletDns: to(servers=("10.0.0.53",))},
            reasons=("scaled-to-zero",),
            left="quiet",
        ),
        Fact(
            "the Service's address answers",
            WELL_ANSWERED,
            reasons=("no-ready-endpoint", "flapping-to-zero"),
            left="likely",
        ),
    ),
    "DNS-08": (
        Fact("the pod asks the DNS Service", {ClientServers: right_server}),
        Fact("the pod asks a cache on its node", {ClientServers: to(servers=("169.254.20.10",))}),
    ),
    "DNS-09": (
        Fact("one server knows the name", {ClusterAnswers: one_works}),
        Fact("no server answered", {ClusterAnswers: mute}),
        Fact("no name was asked for", {Ask: to(target="")}),
        Fact(
            "nobody looked for such a Service, or asked an upstream",
            {SameNamed: unread, UpstreamAnswers: unread},
            left="likely",
        ),
    ),
    "DNS-11": (
        Fact("its last words were others", {DnsLogs: not_said(Saying.LOOP)}),
        Fact("it has run since yesterday", {**WELL_PODS, DnsLogs: each("items", said_long_ago)}),
    ),
    "DNS-12": (
        Fact("the log takes the Corefile", {DnsLogs: not_said(Saying.CONFIG, Saying.RELOAD_FAILED)}),
        Fact("a later reload worked", {DnsLogs: each("items", reloaded)}, reasons=("fails-at-restart",)),
        Fact(
            "it has run since yesterday",
            {**WELL_PODS, DnsLogs: each("items", said_long_ago)},
            reasons=("does-not-start",),
        ),
        Fact(
            "the Corefile in force has no such word",
            {Corefile: to(plugins=frozenset())},
            reasons=("fails-at-restart",),
            left="likely",
        ),
    ),
    "DNS-17": (
        Fact("nothing is refused", {DnsLogs: not_said(Saying.FORBIDDEN)}),
        Fact("it was refused before the last start", {DnsLogs: each("items", said_long_ago)}),
        Fact(
            "the pods are ready and know their own name",
            {DnsPods: each("items", undo.well), **WELL_ANSWERED},
            left="likely",
        ),
    ),
    "DNS-18": (
        Fact("its pods are ready", {DnsPods: each("items", undo.well)}),
        Fact("it is CoreDNS", {DnsPods: each("items", only_coredns)}),
        Fact("its logs tell of nothing lost", {DnsLogs: not_said()}),
    ),
    "DNS-19": (
        Fact("its log ends with another error", {CrashingAddOns: each("items", another_end)}),
        Fact(
            "cluster DNS works",
            {DnsEndpoints: ready_endpoints, **WELL_PODS, DnsLogs: not_said(), **WELL_ANSWERED},
        ),
    ),
    "DNS-20": (
        Fact("one of them runs elsewhere", {DnsPods: one_elsewhere}),
        Fact("there is one node", {Nodes: lambda n, s: swap(n, items=n.items[:1])}),
        Fact("there is one replica", {DnsPods: lambda p, s: swap(p, items=p.items[:1])}),
    ),
    "DNS-21": (
        Fact("the event is three days old", {DnsEvents: each("items", long_ago)}),
        Fact("no such event", {DnsEvents: each("items", lambda e, s: None if e.reason == "DNSConfigForming" else e)}),
        Fact("the name resolves with what is left", WELL_ANSWERED, left="quiet"),
    ),
    "APP-01": (
        Fact("the log has no such error", {ClientLogs: to(errors=())}),
        Fact("the errors are two hours old", {ClientLogs: errors_long_ago}),
        Fact("it was started anew since", {ClientPod: started_anew}),
        Fact("cluster DNS knows the name", WELL_ANSWERED, left="likely"),
    ),
}
