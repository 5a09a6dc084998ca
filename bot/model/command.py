"""What a slash command is, as data: the same table yields the parser, the help, the manifest and the docs."""

from __future__ import annotations

import enum
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from bot.model.text import Text


class Argument(enum.StrEnum):
    """The type of a target or option; nothing that does not match its type reaches a source."""

    NODE = "node"
    NAME = "dns-name"
    ADDRESS = "address"
    ORIGIN = "origin"  # ns/pod or node
    CIDR = "ip-or-cidr"
    APISERVICE = "apiservice"
    WORD = "word"
    NAMESPACE = "namespace"
    DURATION = "duration"
    NUMBER = "number"
    SWITCH = "switch"
    DNS_TYPE = "dns-type"
    OBJECT = "object"


@dataclass(frozen=True, slots=True, kw_only=True)
class Option:
    """One ``key=value`` or bare switch of a command."""

    name: str
    type: Argument
    help: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One question that people ask.

    Attributes:
        name: ``node-why``.
        symptom: when to use it, by symptom.
        target: type of the positional argument, None when there is none.
        target_required: whether the command makes no sense without it.
        options: beyond the common ones of contract.md.
        owns: patterns of rows (``NODE-*``, ``CTRL-04``) whose serious checks are mandatory for an all-clear.
        runs: further rows that are checked along.
        headlines: patterns of rows that are what people came with, most telling first: the verdict begins with one.
        switched: switch → patterns of rows that are judged only when it is given.
        examples: complete, copyable.
        targets: a function like ``look_into`` that returns the names a target may have; None when any may be asked.
        about: the nodes a question is about; what is wrong on other visited nodes is only remarked. None: all.
        unexplained: a function of evidence that says what is plainly wrong with the target, or None; with no finding
            this, and not an all-clear, is the verdict.
        look_into: a collector-like function whose parameters are evidence; it returns the nodes to visit, worst first,
            and may be None for commands that never visit nodes.
    """

    name: str
    symptom: Text
    owns: tuple[str, ...]
    runs: tuple[str, ...] = ()
    headlines: tuple[str, ...] = ()
    switched: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    target: Argument | None = None
    target_name: str = ""
    target_required: bool = False
    options: tuple[Option, ...] = ()
    examples: tuple[str, ...] = ()
    targets: Callable[..., tuple[str, ...]] | None = None
    about: Callable[[Question], frozenset[str]] | None = None
    unexplained: Callable[..., Text | None] | None = None
    look_into: Callable[..., tuple[str, ...]] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """A parsed, validated command line: what one run is about.

    Attributes:
        command: the command's name.
        target: as typed, normalised; empty when none.
        options: name → value; switches are ``"true"``.
        cluster: configured cluster name; empty for the default or when ``context``/``bundle`` is given.
    """

    command: str
    target: str = ""
    options: Mapping[str, str] = field(default_factory=dict)
    cluster: str = ""
    lang: str = "en"
