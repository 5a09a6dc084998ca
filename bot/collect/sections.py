"""From a key of the command table and values to a section that may run: every value is held to its form first.

A key may be asked several times in one round trip with different values; the section's key is then ``KEY:value``, and
the part before the colon is the key of the table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from ipaddress import ip_address

from bot.collect.commands import LOGS, TABLE, Spec
from bot.source import Section

__all__ = ["TABLE", "VALID", "Spec", "base", "section"]


def _address(value: str) -> bool:
    if "%" in value:  # a scope may hold any text, a semicolon too
        return False
    try:
        ip_address(value)
    except ValueError:
        return False
    return True


def _matches(pattern: str) -> Callable[[str], bool]:
    compiled = re.compile(pattern)
    return lambda value: compiled.fullmatch(value) is not None


_WHOLE = r"(?!\S*/\.{1,2}(/|$| ))"  # no "." or ".." on the way: a path stays below the folder it names
_FOREIGN = r"(?!.*/(fs|merged|diff|rootfs|upper|work|pods)/)"  # folders that a pod writes, links included
_NAME = r"[A-Za-z0-9_]([A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?\.?"
VALID: Mapping[str, Callable[[str], bool]] = {
    "DST": _address,
    "PODIP": _address,
    "SERVER": _address,
    "HOST": lambda v: _address(v) or _matches(_NAME)(v),
    "NAME": _matches(_NAME),
    "TYPE": _matches(r"A|AAAA|SRV|CNAME|NS|PTR|TXT|SOA"),
    "PORT": _matches(r"[1-9][0-9]{0,4}"),
    "PID": _matches(r"[1-9][0-9]{0,9}"),
    "TABLE": _matches(r"[0-9]{1,10}|[a-z][a-z0-9_.-]{0,31}"),
    "IFACE": _matches(r"[A-Za-z0-9][A-Za-z0-9_.@-]{0,14}"),
    "LINES": _matches(r"[1-9][0-9]{0,3}"),
    "SINCE": _matches(r"-[1-9][0-9]{0,4}(s|min|h)|@[0-9]{9,11}"),
    "CONTAINER": _matches(r"[0-9a-f]{12,64}"),
    "COMPONENT": _matches(r"kube-apiserver|kube-controller-manager|kube-scheduler|etcd"),
    "RESOLVCONF": _matches(
        rf"{_WHOLE}{_FOREIGN}/(var/lib|run|var/run)/(containerd|containers|docker|crio|kubelet)(/[A-Za-z0-9._@-]+)*/resolv\.conf"
    ),
    "FILE": _matches(rf"{_WHOLE}(/[A-Za-z0-9._@+-]+){{1,20}}"),
    "FILES": _matches(rf"{_WHOLE}(/[A-Za-z0-9._@+-]+)+( {_WHOLE}(/[A-Za-z0-9._@+-]+)+)*"),
    "ENDPOINT": _matches(r"([A-Za-z0-9.][A-Za-z0-9.-]{0,252}|\[[0-9a-fA-F:.]+\]):[0-9]{1,5}"),
}


def section(key: str, **values: str) -> Section:
    """The section ``key`` of the table with its parameters filled in.

    Args:
        key: a key of :data:`TABLE`.
        values: one value for every parameter, by its lower-case name: ``section("RULES_T", table="2")``.

    Raises:
        ValueError: a value is missing, superfluous, or not of its parameter's form; nothing may be run then.
        KeyError: no such key.
    """
    spec = TABLE[key]
    given = {name.upper(): value for name, value in values.items()}
    if set(given) != set(spec.parameters):
        raise ValueError(f"{key} takes {', '.join(spec.parameters) or 'nothing'}, not {', '.join(given) or 'nothing'}")
    text = spec.text
    for name, value in given.items():
        if not VALID[name](value):
            raise ValueError(f"{key}: {value!r} is no valid {name.lower()}")
        text = text.replace(f"<{name}>", value)
    arguments = tuple(given[name] for name in spec.parameters)
    return Section(
        key=":".join((key, *arguments)) if arguments and spec.trip != LOGS else key,
        command=text,
        timeout=spec.timeout,
        root=spec.root,
        arguments=arguments,
    )


def base(*keys: str) -> tuple[Section, ...]:
    """The named sections that take no parameters."""
    return tuple(section(key) for key in keys)
