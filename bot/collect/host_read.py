"""One round trip to a node, as collectors see it: a section is text with a proof, or the reason why it is neither.

A command that could not run is never an empty answer. Which exit status means what: catalogue section D.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from bot.collect.commands import TABLE
from bot.model.cluster import LogLine
from bot.model.evidence import Clock, Evidence, Gap
from bot.model.host_system import NodeReached
from bot.model.proof import Proof, Source
from bot.parse.common import TimeBase, UnparsableError
from bot.redact import clean
from bot.source import Output, Section, Shell

TIMED_OUT, NOT_EXECUTABLE, NOT_FOUND = 124, 126, 127
SHOWN = 60


class NoAnswerError(Exception):
    """A section has no usable text; the message says why, the hint what would help."""

    def __init__(self, because: str, hint: str = "") -> None:
        super().__init__(because)
        self.hint = hint


@dataclass(frozen=True, slots=True, kw_only=True)
class Trip:
    """What one round trip brought back.

    Attributes:
        node: where it went.
        clock: the moment of the observation.
        sections: what was asked, by key.
        outputs: what came back, by key.
    """

    node: str
    clock: Clock
    sections: Mapping[str, Section]
    outputs: Mapping[str, Output]

    @classmethod
    def make(cls, shell: Shell, node: str, clock: Clock, sections: Sequence[Section], deadline: float = 25.0) -> Trip:
        """Go there and back, within ``deadline`` seconds.

        Raises:
            SourceError: the node could not be reached or does not let the bot in.
        """
        outputs = shell.run(node, sections, deadline=deadline) if sections else {}
        return cls(node=node, clock=clock, sections={s.key: s for s in sections}, outputs=outputs)

    def output(self, key: str) -> Output:
        """The output of a section that ran.

        Raises:
            NoAnswerError: it was not recorded or got lost, sudo refused it, or the program does not exist.
        """
        found = self.outputs.get(key)
        if found is None:
            raise NoAnswerError(f"{key} was not recorded on {self.node}, or its answer was cut off")
        if found.denied:
            hint = f"allow in sudoers, without password: {self.sections[key].command}"
            raise NoAnswerError(f"{self.node}: {key} needs root: sudo is not allowed", hint)
        if found.rc in {NOT_EXECUTABLE, NOT_FOUND} and len(found.text.strip().splitlines()) <= 1:
            raise NoAnswerError(f"{self.node}: {found.text.strip()[:120] or 'no such program'}")
        return found

    def text(self, key: str) -> str:
        """The text of a section that ended in time.

        Raises:
            NoAnswerError: as :meth:`output`, or it timed out without a word.
        """
        found = self.output(key)
        if found.rc == TIMED_OUT and not found.text.strip():
            raise NoAnswerError(f"{self.node}: {key} did not end within {TABLE[key.partition(':')[0]].timeout} s")
        return found.text

    def text_or(self, key: str, default: str = "") -> str:
        """The text of a section that only adds to another."""
        try:
            return self.text(key)
        except NoAnswerError:
            return default

    def proof(self, *keys: str, quote: Sequence[str] = ()) -> Proof:
        """What was run and what it printed, redacted."""
        commands = [self.sections[k].command for k in keys if k in self.sections]
        shown = "; ".join(c if len(c) <= SHOWN else f"{c[: SHOWN - 1]}…" for c in commands)
        texts = [self.outputs[k].text.strip() for k in keys if k in self.outputs and not self.outputs[k].denied]
        body, taken = clean("\n".join(texts))
        proof = Proof(source=Source.NODE, what=f"{self.node}: {shown}", at=self.clock.now, body=body, redactions=taken)
        return proof.quote(*quote) if quote else proof

    def get(self, kind: type[Evidence], build: Callable[[], Evidence]) -> Evidence | Gap:
        """The evidence that ``build`` makes, or a gap with the reason."""
        try:
            return build()
        except NoAnswerError as error:
            return Gap(type=kind, key=self.node, because=str(error), hint=error.hint)
        except UnparsableError as error:
            return Gap(type=kind, key=self.node, because=f"{self.node}: {error}")


def base_of(reached: NodeReached) -> TimeBase:
    """The time base that an earlier round trip found."""
    return TimeBase(reached.clock_ahead, reached.timezone)


def log_proof(trip: Trip, key: str, lines: Sequence[LogLine]) -> Proof:
    """The proof of a log: what was asked, and the lines as they are judged (joined, unescaped)."""
    body, taken = clean("\n".join(line.text for line in lines))
    shown = trip.sections[key].command.removeprefix("sudo -n ")
    what = f"{trip.node}: {shown if len(shown) <= SHOWN else f'{shown[: SHOWN - 1]}…'}"
    return Proof(source=Source.LOG, what=what, at=trip.clock.now, body=body, redactions=taken)
