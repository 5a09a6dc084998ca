"""The facts on which the rows about DNS turn, one by one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.checks.dns.dead_upstream_resolver import dead_upstream_resolver
from bot.checks.dns.dns_pod_that_keeps_restarting import dns_pod_that_keeps_restarting
from bot.checks.dns.dns_without_upstream import dns_without_upstream
from bot.checks.dns.wrong_answer_from_upstream import wrong_answer_from_upstream
from bot.model.dns import DnsEvents
from bot.model.dns_answers import Asked, DnsAnswers
from bot.model.dns_judge import began, heard, restarts_in_window
from bot.model.dns_logs import DnsLogs, Saying
from bot.model.evidence import Ask
from bot.model.finding import Confidence, Finding, RuledOut
from bot.model.k8s import Event, Pod, TargetRef
from tests.unit.checks_dns.build import (
    CLOCK,
    PROOF,
    ago,
    answers,
    corefile,
    logs,
    pod,
    pods,
    reply,
    upstreams,
)

LOST = "[ERROR] plugin/errors: 2 example.com. A: read udp 10.244.1.2:45221->10.0.0.2:53: i/o timeout"


def lost_upstream(
    log: DnsLogs, one: Pod, *, bot: DnsAnswers | None = None, answer: str = "", name: str = ""
) -> list[Finding]:
    """DNS-03 for one pod whose log complains; ``answer`` is what node-2 was told by it, ``name`` what was asked."""
    replies = (reply(Asked.Q4, "10.244.1.2", *[answer] * 3),) if answer else bot.telling if bot else ()
    found = dns_without_upstream(
        pods=pods(one),
        logs=log,
        clock=CLOCK,
        ask=Ask(proof=PROOF, command="dns-check", target=name),
        answers=answers(*replies) if replies else None,
        upstreams=None,
        corefile=corefile(),
        service=None,
        workload=None,
    )
    return list(found)


def test_complaint_and_failing_question_are_confirmed() -> None:
    """The log and a question from a node agree."""
    one = pod()

    found = lost_upstream(logs(one, (ago(minutes=2), LOST)), one, answer="SERVFAIL")

    assert [(f.code, f.confidence, f.facts["upstreams"]) for f in found] == [
        ("DNS-03", Confidence.CONFIRMED, ("10.0.0.2",))
    ]


def test_complaint_alone_is_possible() -> None:
    """Nobody asked the pod: the rule is not fully met."""
    one = pod()

    found = lost_upstream(logs(one, (ago(minutes=2), LOST)), one)

    assert [f.confidence for f in found] == [Confidence.POSSIBLE]


def test_complaint_about_the_asked_name_is_likely() -> None:
    """Nobody could ask, but the log itself holds a failed question for this name."""
    one = pod()

    found = lost_upstream(logs(one, (ago(minutes=2), LOST)), one, name="example.com")

    assert [f.confidence for f in found] == [Confidence.LIKELY]


def test_complaint_while_the_name_resolves_is_no_finding() -> None:
    """The pod answers the question, so the complaint is about something else."""
    one = pod()

    assert lost_upstream(logs(one, (ago(minutes=2), LOST)), one, answer="NOERROR") == []


def test_silence_of_a_cluster_address_towards_the_bot_is_no_evidence() -> None:
    """A bot outside the cluster hears nothing from any pod: that proves nothing."""
    one = pod()
    silent = reply(Asked.Q4, "10.244.1.2", "timeout", "timeout", "timeout", origin="bot")
    bot = DnsAnswers(proof=PROOF, replies=(silent,))

    found = lost_upstream(logs(one, (ago(minutes=2), LOST)), one, bot=bot)

    assert bot.telling == ()
    assert [f.confidence for f in found] == [Confidence.POSSIBLE]


def test_silence_counts_once_the_bot_is_known_to_reach_pods() -> None:
    """Another pod answered the bot, so it has a route to pods, but nothing is known about Service addresses."""
    other = reply(Asked.Q2, "10.244.2.2", "NOERROR", origin="bot")
    silent = reply(Asked.Q4, "10.244.1.2", "timeout", origin="bot")
    service = reply(Asked.Q3, "10.96.0.10", "timeout", origin="bot")
    bot = DnsAnswers(proof=PROOF, replies=(other, silent, service))

    assert bot.telling == (other, silent)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ([ago(minutes=2)], 1),
        ([ago(minutes=12)], 0),
        ([ago(minutes=12), ago(minutes=13), ago(minutes=14)], 3),
        ([ago(minutes=40), ago(minutes=41), ago(minutes=42)], 0),
        ([None], 0),
    ],
)
def test_freshness_of_log_lines(lines: list[object], expected: int) -> None:
    """Inside the window, and either within ten minutes or three times; a single line without a time does not count."""
    one = pod()

    found = heard(logs(one, *[(at, LOST) for at in lines]), CLOCK, Saying.UPSTREAM)  # type: ignore[misc]

    assert sum(len(h.said) for h in found) == expected


def test_lines_of_the_container_before_are_not_current() -> None:
    """What was logged before the start of the running container says why it restarted, no more."""
    one = pod(running=ago(minutes=1), restarts=3)

    assert heard(logs(one, (ago(minutes=2), LOST)), CLOCK, Saying.UPSTREAM) == ()
    assert heard(logs(one, (ago(minutes=2), LOST), previous=True), CLOCK, Saying.UPSTREAM) == ()


def test_last_words_of_a_container_that_is_down_count_whatever_their_age() -> None:
    """A container that waits in back-off logs nothing new."""
    one = pod(waiting="CrashLoopBackOff", restarts=9)

    assert len(heard(logs(one, (ago(hours=2), LOST)), CLOCK, Saying.UPSTREAM)) == 1


def test_onset_is_unknown_when_the_log_begins_with_the_complaint() -> None:
    """It may have begun before the window; a wrong onset would break the causal order."""
    one = pod()
    headless = heard(logs(one, (ago(minutes=5), LOST), (ago(minutes=2), LOST)), CLOCK, Saying.UPSTREAM)
    dated = heard(logs(one, (ago(minutes=20), ".:53"), (ago(minutes=5), LOST)), CLOCK, Saying.UPSTREAM)

    assert (began(headless), began(dated)) == (None, ago(minutes=5))


@pytest.mark.parametrize(
    ("ended", "events", "expected"),
    [
        (None, (), 0),
        ((ago(days=3), ago(days=2)), (), 0),
        ((ago(days=3), ago(minutes=5)), (), 1),
        ((ago(minutes=9), ago(minutes=5)), (), 2),
        ((ago(days=3), ago(minutes=5)), (("Killing", ago(minutes=25), ago(minutes=5), 4),), 4),
        ((ago(days=3), ago(minutes=5)), (("Killing", ago(minutes=60), ago(minutes=0), 10),), 5),
        ((ago(days=3), ago(days=2)), (("Killing", ago(days=3), ago(days=2), 9),), 0),
    ],
)
def test_restarts_inside_the_window(ended: object, events: tuple[object, ...], expected: int) -> None:
    """Status dates at most two restarts, events give the rest; what lies before the window does not count."""
    one = pod(restarts=12, ended=ended)  # type: ignore[arg-type]
    happened = [
        Event(reason=reason, first_timestamp=first, last_timestamp=last, count=count)
        for reason, first, last, count in events  # type: ignore[misc]
    ]

    assert restarts_in_window(one, happened, CLOCK) == expected


def test_running_sample_never_clears_a_flapping_pod() -> None:
    """Running and ready at this moment, backed off two minutes ago: it flaps."""
    one = pod(restarts=9, running=ago(seconds=90), ended=(ago(minutes=8), ago(minutes=6)))
    backed_off = Event(
        reason="BackOff",
        involved_object=TargetRef(kind="Pod", namespace="kube-system", name="coredns-1"),
        first_timestamp=ago(minutes=50),
        last_timestamp=ago(minutes=2),
        count=60,
    )

    found = list(
        dns_pod_that_keeps_restarting(
            pods=pods(one),
            clock=CLOCK,
            events=DnsEvents(proof=PROOF, items=(backed_off,)),
            logs=None,
            service=None,
            workload=None,
        )
    )

    assert [(f.reason, f.confidence, f.onset) for f in found] == [("flapping", Confidence.CONFIRMED, ago(minutes=50))]


def judged_upstreams(*replies: tuple[str, str, tuple[str, ...]]) -> list[Finding | RuledOut]:
    """DNS-05 for replies of 10.0.0.2, given as node, name, codes."""
    asked = [reply(Asked.Q5, "10.0.0.2", *codes, origin=f"node/{node}", name=name) for node, name, codes in replies]
    return list(dead_upstream_resolver(upstreams(*asked), corefile(), CLOCK, None, None))


def test_upstream_that_answers_no_node_is_dead() -> None:
    """Two nodes, three tries each, no answer."""
    found = judged_upstreams(("a", "example.com", ("timeout",) * 3), ("b", "example.com", ("timeout",) * 3))

    assert [(type(f), f.code) for f in found] == [(Finding, "DNS-05")]


def test_upstream_that_one_node_cannot_ask_is_ruled_out() -> None:
    """The fault is that node's, not the upstream's."""
    found = judged_upstreams(("a", "example.com", ("timeout",) * 3), ("b", "example.com", ("NOERROR",)))

    assert [(type(f), f.code) for f in found] == [(RuledOut, "DNS-05")]


def test_upstream_asked_from_one_node_only_is_not_judged() -> None:
    """One place is not enough to blame a server."""
    assert judged_upstreams(("a", "example.com", ("timeout",) * 3)) == []


def test_upstream_that_fails_for_one_name_only_is_not_dead() -> None:
    """The zone of that name may be broken; a neutral name resolves."""
    found = judged_upstreams(
        ("a", "broken.test", ("SERVFAIL",) * 3),
        ("a", "example.com", ("NOERROR",)),
        ("b", "broken.test", ("SERVFAIL",) * 3),
        ("b", "example.com", ("NOERROR",)),
    )

    assert [f for f in found if isinstance(f, Finding)] == []


@pytest.mark.parametrize(
    ("expect", "addresses", "codes"),
    [
        ("10.219.226.0/24", ("10.219.226.9",), []),
        ("10.219.226.0/24", ("100.64.249.132",), ["DNS-06"]),
        ("10.219.226.0/24,100.64.0.0/10", ("100.64.249.132",), []),
        ("", ("100.64.249.132",), []),
    ],
)
def test_wrong_answer_needs_an_expectation(expect: str, addresses: tuple[str, ...], codes: list[str]) -> None:
    """An address is wrong only if another one was expected, whatever its class."""
    name = "oss.example.com"
    cluster = replace(reply(Asked.Q3, "10.96.0.10", "NOERROR", name=name), addresses=addresses)
    direct = replace(reply(Asked.Q5, "10.0.0.2", "NOERROR", name=name), addresses=addresses)
    ask = Ask(proof=PROOF, command="dns-check", target=name, options={"expect": expect} if expect else {})

    found = wrong_answer_from_upstream(
        ask=ask,
        clock=CLOCK,
        answers=answers(cluster),
        upstreams=upstreams(direct),
        history=None,
        expectations=None,
    )

    assert [f.code for f in found] == codes
