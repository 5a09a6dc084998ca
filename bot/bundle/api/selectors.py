"""Label and field selectors, parsed and refused as an API server does.

Grammar and messages: k8s.io/apimachinery ``pkg/labels`` and ``pkg/fields``; supported fields per kind:
``pkg/registry/*/strategy.go``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from bot.bundle.api.request import bad_request
from bot.bundle.api.resources import Resource

Object = Mapping[str, Any]
Test = Callable[[Object], bool]
_TOKEN = re.compile(r"\s*(==|!=|=|!|,|\(|\)|>|<|[^\s=!,()<>]+)")
_OPERATORS = ("in", "notin", "=", "==", "!=", ">", "<")
_ENDS = ("", ",")
META = ("metadata.name", "metadata.namespace")
FIELDS: dict[str, tuple[str, ...]] = {
    "pods": (
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.podIPs",
        "status.nominatedNodeName",
    ),
    "nodes": ("spec.unschedulable",),
    "namespaces": ("status.phase",),
    "services": ("spec.clusterIP", "spec.type"),
    "events": (
        "involvedObject.kind",
        "involvedObject.namespace",
        "involvedObject.name",
        "involvedObject.uid",
        "involvedObject.apiVersion",
        "involvedObject.resourceVersion",
        "involvedObject.fieldPath",
        "reason",
        "reportingComponent",
        "source",
        "type",
    ),
    "events.events.k8s.io": (
        "regarding.kind",
        "regarding.namespace",
        "regarding.name",
        "regarding.uid",
        "regarding.apiVersion",
        "regarding.resourceVersion",
        "regarding.fieldPath",
        "reason",
        "reportingController",
        "type",
    ),
    "replicationcontrollers": ("status.replicas",),
    "jobs.batch": ("status.successful",),
    "certificatesigningrequests.certificates.k8s.io": ("spec.signerName",),
    "secrets": ("type",),
}
# field → where it is kept, when that is not its own path
KEPT = {
    "source": "source.component",
    "reportingComponent": "reportingComponent",
    "status.successful": "status.succeeded",
}
DEFAULTS = {
    "spec.unschedulable": "false",
    "spec.hostNetwork": "false",
    "status.replicas": "0",
    "status.successful": "0",
    "spec.schedulerName": "default-scheduler",
    "spec.restartPolicy": "Always",
}


def labels(text: str) -> Test:
    """Return the test that a label selector makes of an object.

    Raises:
        Refused: 400, the selector does not parse.
    """
    parser = _Parser(text)
    requirements = parser.requirements()
    return lambda item: all(r((item.get("metadata") or {}).get("labels") or {}) for r in requirements)


class _Parser:
    """A label selector, read from left to right."""

    def __init__(self, text: str) -> None:
        self.tokens = [m.group(1) for m in _TOKEN.finditer(text)]

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self) -> str:
        return self.tokens.pop(0) if self.tokens else ""

    def requirements(self) -> list[Test]:
        found: list[Test] = []
        while self.tokens:
            found.append(self.requirement())
            if (end := self.take()) not in _ENDS:
                raise bad_request(f"found '{end}', expected: ',' or 'end of string'")
            if end and not self.tokens:
                raise bad_request("found '', expected: identifier after ','")
        return found

    def requirement(self) -> Test:
        absent = self.peek() == "!" and bool(self.take())
        key = self.take()
        if not key or key in "=!,()<>==":
            raise bad_request(f"found '{key}', expected: !, identifier, or 'end of string'")
        if absent:
            return lambda have: key not in have
        if self.peek() in _ENDS:
            return lambda have: key in have
        return self.comparison(key)

    def comparison(self, key: str) -> Test:
        operator = self.take()
        if operator not in _OPERATORS:
            raise _unparsed(f"found '{operator}', expected: in, notin, =, ==, !=, gt, lt")
        if operator in ("in", "notin"):
            values = self.values()
            within = operator == "in"
            return lambda have: (
                have[key] in values if within and key in have else not within and have.get(key) not in values
            )
        value = "" if self.peek() in _ENDS else self.take()
        if operator in ("=", "=="):
            return lambda have: have.get(key) == value
        if operator == "!=":
            return lambda have: have.get(key) != value
        return _ordered(key, operator, value)

    def values(self) -> frozenset[str]:
        if (first := self.take()) != "(":
            raise _unparsed(f"found '{first}' expected: '('")
        found: set[str] = set()
        while (word := self.take()) != ")":
            if word == ",":
                found.add("") if self.peek() in (",", ")") else None
                continue
            if not word or word in "=!(<>":
                raise _unparsed(f"found '{word}', expected: ',', ')' or identifier")
            found.add(word)
            if self.peek() not in (",", ")"):
                raise _unparsed(f"found '{self.peek()}', expected: ',' or ')'")
        return frozenset(found or {""})


def _ordered(key: str, operator: str, value: str) -> Test:
    if not re.fullmatch(r"-?\d+", value):
        raise _unparsed(
            f"values[0]: Invalid value: \"{value}\": for 'Gt', 'Lt' operators, the value must be an integer"
        )
    greater = operator == ">"

    def test(have: Mapping[str, Any]) -> bool:
        number = str(have.get(key, ""))
        if not re.fullmatch(r"-?\d+", number):
            return False
        return int(number) > int(value) if greater else int(number) < int(value)

    return test


def _unparsed(message: str) -> Exception:
    return bad_request(f"unable to parse requirement: {message}")


def fields(text: str, resource: Resource) -> Test:
    """Return the test that a field selector makes of an object.

    Raises:
        Refused: 400, it does not parse or names a field that the kind does not support.
    """
    terms = [_term(part) for part in _split(text) if part]
    known = FIELDS.get(resource.title, ())
    for name, _, _ in terms:
        if name not in known and (name != "metadata.namespace" or not resource.namespaced) and name != "metadata.name":
            raise bad_request(_unsupported(name, resource))
    return lambda item: all((_value(item, name) == wanted) == equal for name, equal, wanted in terms)


def _unsupported(name: str, resource: Resource) -> str:
    if resource.custom or (resource.title in FIELDS and not resource.group):
        return f"field label not supported: {name}"
    return f'"{name}" is not a known field selector: only "metadata.name", "metadata.namespace"'


def _split(text: str) -> list[str]:
    return re.split(r"(?<!\\),", text)


def _term(part: str) -> tuple[str, bool, str]:
    match = re.match(r"([^=!]*)(==|!=|=)(.*)", part, re.DOTALL)
    if not match:
        raise bad_request(f"invalid selector: '{part}'; can't understand '{part}'")
    name, operator, value = match.groups()
    return name, operator != "!=", re.sub(r"\\([\\,=])", r"\1", value)


def exact_name(text: str) -> str:
    """The name that a field selector asks for with ``metadata.name=``, or ""."""
    return next((v for part in _split(text) for n, equal, v in (_term(part),) if part and equal and n == META[0]), "")


def _value(item: Object, name: str) -> str:
    """A field's value as the server compares it: text, with the zero value where nothing is set."""
    value: Any = item
    for step in KEPT.get(name, name).split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    if value is None or value == "":
        return DEFAULTS.get(name, "")
    return str(value).lower() if isinstance(value, bool) else str(value)
