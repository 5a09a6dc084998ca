"""What a run is: one question that somebody asked, on its way to an answer."""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import dataclass
from typing import Any

from bot.model.command import Question


class State(enum.StrEnum):
    """Where a run stands."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    FAILED = "failed"

    @property
    def over(self) -> bool:
        """Whether nothing more will happen."""
        return self not in {State.QUEUED, State.RUNNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A question with where it was asked; everything that a process needs to go on with it after another one died.

    Attributes:
        id: ``dns-7f3a9c01d2``.
        channel: where the answer goes.
        thread_ts: the thread that it was asked in; empty when the answer starts a message of its own.
        user: who asked; team: the team of that person.
        created: when it was accepted, seconds since the epoch; deadline: after this moment it is expired, not
            continued.
        response_url: a private way back to the asker, good for 30 minutes; may be empty.
    """

    id: str
    question: Question
    channel: str
    user: str
    created: float
    deadline: float
    team: str = ""
    thread_ts: str = ""
    response_url: str = ""


def run_id(command: str, key: str) -> str:
    """The id of the run that the event ``key`` starts: a short word and 40 bits that nobody can guess without the key.

    The same event, delivered twice, is the same run.
    """
    digest = hashlib.sha256(f"{command} {key}".encode()).hexdigest()
    return f"{command.partition('-')[0]}-{digest[:10]}"


def fingerprint(question: Question, channel: str) -> str:
    """What makes two questions the same: command, target, options and cluster, asked in one channel."""
    asked: list[Any] = [channel, question.command, question.target, sorted(question.options.items()), question.cluster]
    return hashlib.sha256(json.dumps(asked).encode()).hexdigest()[:20]
