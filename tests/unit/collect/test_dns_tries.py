"""How often and how fast the bot repeats a DNS question."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field

from bot.collect.dns_answers import APART, TRIES, Ask1, _ask_bot
from bot.errors import Kind, SourceError
from bot.model.dns_answers import Asked, Reply
from bot.source import Answer
from tests.unit.checks_dns.build import NOW

QUESTION = Ask1(Asked.Q3, "10.96.0.10", "example.com", "A")
SILENCE = 2.0


@dataclass
class Timed:
    """Answers with the given codes in turn; ``timeout`` takes its time, an exception is raised."""

    codes: list[str | Exception]
    began: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, server: str, name: str, kind: str = "A", *, tcp: bool = False, timeout: float = 2.0) -> Answer:
        """See bot.source.Resolver."""
        with self.lock:
            code = self.codes[len(self.began)]
            self.began.append(time.monotonic())
        if isinstance(code, Exception):
            raise code
        if code == "timeout":
            time.sleep(SILENCE)
        return Answer(origin="bot", server=server, name=name, type=kind, rcode=code, ms=1)


def test_three_silences_take_four_seconds_and_not_six() -> None:
    """A try begins a second after the one before, whether that has ended or not."""
    resolver = Timed(["timeout"] * TRIES)
    began = time.monotonic()

    reply = _ask_bot(resolver, QUESTION, NOW)

    took = time.monotonic() - began
    assert isinstance(reply, Reply)
    assert ("timeout",) * TRIES == reply.rcodes
    assert 2 * APART + SILENCE <= took < TRIES * SILENCE
    assert all(
        later - earlier >= APART * 0.9 for earlier, later in zip(resolver.began, resolver.began[1:], strict=False)
    )


def test_a_plain_answer_is_not_repeated() -> None:
    """One NXDOMAIN is as good as three."""
    reply = _ask_bot(Timed(["NXDOMAIN"]), QUESTION, NOW)

    assert isinstance(reply, Reply)
    assert ("NXDOMAIN",) == reply.rcodes


def test_failures_that_come_at_once_are_asked_one_after_the_other() -> None:
    """The order of the tries is kept."""
    reply = _ask_bot(Timed(["SERVFAIL", "NOERROR", "SERVFAIL"]), QUESTION, NOW)

    assert isinstance(reply, Reply)
    assert ("SERVFAIL", "NOERROR", "SERVFAIL") == reply.rcodes


def test_a_question_that_cannot_be_sent_is_an_error_and_not_a_silence() -> None:
    """Nothing is repeated then."""
    error = SourceError(Kind.UNREACHABLE, "DNS example.com @10.96.0.10")
    resolver = Timed([error])

    assert error is _ask_bot(resolver, QUESTION, NOW)
    assert 1 == len(resolver.began)


def test_what_was_answered_before_an_error_counts() -> None:
    """A later try that cannot be sent takes nothing back."""
    reply = _ask_bot(Timed(["SERVFAIL", SourceError(Kind.RESET, "DNS"), "SERVFAIL"]), QUESTION, NOW)

    assert isinstance(reply, Reply)
    assert ("SERVFAIL", "SERVFAIL") == reply.rcodes
