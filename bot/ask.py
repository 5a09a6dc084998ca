"""The grammar of a question, the same in Slack and on the terminal (docs/commands.md).

Typed text is normalised first (curly quotes and dashes from phones), split, and every word is validated by its type;
what does not fit is refused with the nearest match and a complete example, and nothing is run.
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Callable, Iterable, Mapping

from bot.errors import UsageError
from bot.model.command import Argument, Command, Option, Question
from bot.model.text import T
from bot.rows import nearest

MAX_CHARS = 1000
NORMALISE = str.maketrans(
    {
        "“": '"',
        "”": '"',
        "„": '"',
        "‘": "'",
        "’": "'",
        "—": "--",
        "–": "-",
        "\u00a0": " ",
        "\u3000": " ",
        "：": ":",
        "＝": "=",
    }
)
LABEL = r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?"
DNS1123 = re.compile(rf"^{LABEL}(\.{LABEL})*$")
DNS_NAME = re.compile(r"^(?=.{1,253}\.?$)[A-Za-z0-9_]([A-Za-z0-9_-]{0,62})(\.[A-Za-z0-9_]([A-Za-z0-9_-]{0,62}))*\.?$")
DURATION = re.compile(r"^[1-9]\d{0,4}[smhd]$")

COMMON = (
    Option(name="ns", type=Argument.NAMESPACE, help=T("namespace of a bare name")),
    Option(name="since", type=Argument.DURATION, help=T("how far back logs and events count (default 30m)")),
    Option(name="timeout", type=Argument.DURATION, help=T("time for the whole run (default 90s)")),
    Option(name="lang", type=Argument.WORD, help=T("language of the answer: en or zh-CN")),
    Option(name="no-ssh", type=Argument.SWITCH, help=T("do not look into nodes")),
    Option(name="cluster", type=Argument.WORD, help=T("configured cluster to ask")),
)


def parse(text: str, command: str, commands: Mapping[str, Command], clusters: Iterable[str] = ()) -> Question:
    """Parse what follows a command's name.

    Args:
        text: as typed.
        command: the command's name.
        commands: every command by name.
        clusters: configured cluster names.

    Raises:
        UsageError: with the nearest match and an example.
    """
    if command not in commands:
        raise UsageError(
            f"there is no command {command!r}",
            nearest=nearest(command, commands),
            example=next(iter(commands.values())).examples[0],
        )
    definition = commands[command]
    example = definition.examples[0] if definition.examples else command
    if len(text) > MAX_CHARS:
        raise UsageError(f"the argument has {len(text)} characters; {MAX_CHARS} are the most", example=example)
    return question(_words(text, example), definition, clusters)


def _words(text: str, example: str) -> list[str]:
    try:
        return shlex.split(text.translate(NORMALISE))
    except ValueError:
        raise UsageError("a quote is not closed", example=example) from None


def question(words: list[str], command: Command, clusters: Iterable[str] = ()) -> Question:
    """Sort words into the target and the options of a command, each validated.

    Raises:
        UsageError: an unknown option, a value of the wrong type, a missing or second target.
    """
    known = {o.name: o for o in (*command.options, *COMMON)}
    example = command.examples[0] if command.examples else command.name
    targets: list[str] = []
    options: dict[str, str] = {}
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if word.startswith("--") and "=" not in word:
            name = word[2:]
            option = _option(name, known, example)
            options[name] = "true" if option.type is Argument.SWITCH else _take(rest, name, example)
        elif "=" in word:
            name, _, value = word.lstrip("-").partition("=")
            _option(name, known, example)
            options[name] = value
        elif word in known and known[word].type is Argument.SWITCH:
            options[word] = "true"
        else:
            targets.append(word)
    for name, value in options.items():
        _fits(known[name].type, value, name, example)
    cluster = _cluster(options.pop("cluster", ""), tuple(clusters), example)
    target = _target(targets, command, example)
    return Question(
        command=command.name, target=target, options=options, cluster=cluster, lang=options.get("lang", "en")
    )


def _option(name: str, known: Mapping[str, Option], example: str) -> Option:
    if name not in known:
        raise UsageError(f"there is no option {name!r}", nearest=nearest(name, known), example=example)
    return known[name]


def _take(rest: list[str], name: str, example: str) -> str:
    if not rest:
        raise UsageError(f"option {name!r} needs a value", example=example)
    return rest.pop(0)


def _cluster(name: str, clusters: tuple[str, ...], example: str) -> str:
    if name and clusters and name not in clusters:
        raise UsageError(f"I don't know cluster {name!r}", nearest=nearest(name, clusters), example=example)
    return name


def _target(targets: list[str], command: Command, example: str) -> str:
    if len(targets) > 1:
        raise UsageError(f"one target at a time; got {', '.join(repr(t) for t in targets[:4])}", example=example)
    if not targets:
        if command.target_required:
            raise UsageError(f"{command.name} needs a {command.target_name or 'target'}", example=example)
        return ""
    if command.target is None:
        raise UsageError(f"{command.name} takes no target", example=example)
    _fits(command.target, targets[0], command.target_name or "target", example)
    return targets[0]


def _fits(kind: Argument, value: str, name: str, example: str) -> None:
    if not FITS[kind](value):
        raise UsageError(
            f"{name}: {value[:80]!r} is no {kind.value}; {FORMS.get(kind, '')}".rstrip("; "), example=example
        )


def _is_address(value: str) -> bool:
    try:
        ipaddress.ip_address(value)
    except ValueError:
        return False
    return True


def _is_network(value: str) -> bool:
    try:
        return all(bool(ipaddress.ip_network(part, strict=False)) for part in value.split(","))
    except ValueError:
        return False


def _is_name(value: str) -> bool:
    return len(value) <= 253 and bool(DNS1123.match(value))  # noqa: PLR2004 - RFC 1123


def _is_object(value: str) -> bool:
    parts = value.rstrip("/").split("/")
    return 1 <= len(parts) <= 3 and all(_is_name(p.lower()) for p in parts)  # noqa: PLR2004 - NS/KIND/NAME


FITS: dict[Argument, Callable[[str], bool]] = {
    Argument.NODE: _is_name,
    Argument.NAME: lambda v: bool(DNS_NAME.match(v)),
    Argument.ADDRESS: _is_address,
    Argument.ORIGIN: _is_object,
    Argument.CIDR: _is_network,
    Argument.APISERVICE: _is_name,
    Argument.WORD: lambda v: bool(re.fullmatch(r"[A-Za-z0-9._-]{1,100}", v)),
    Argument.NAMESPACE: _is_name,
    Argument.DURATION: lambda v: bool(DURATION.match(v)),
    Argument.NUMBER: lambda v: v.isdigit() and len(v) <= 6,  # noqa: PLR2004 - a sane count
    Argument.SWITCH: lambda v: v in {"true", "false", "yes", "no", "1", "0"},
    Argument.DNS_TYPE: lambda v: v.upper() in {"A", "AAAA", "SRV"},
    Argument.OBJECT: _is_object,
}

FORMS = {
    Argument.DURATION: "for example 30m, 2h",
    Argument.DNS_TYPE: "A, AAAA or SRV",
    Argument.CIDR: "for example 10.0.0.7 or 10.0.0.0/24",
    Argument.ADDRESS: "for example 10.0.0.7",
    Argument.ORIGIN: "for example shop/web-1, or a node",
    Argument.SWITCH: "true or false",
}
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(duration: str) -> int:
    """A validated duration such as ``30m`` in seconds."""
    return int(duration[:-1]) * SECONDS[duration[-1]]
