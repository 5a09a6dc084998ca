"""Looks at an installation instead of a cluster: what works, what does not, and what to do (``kubewhy doctor``)."""

from __future__ import annotations

import enum
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.collect.sections import base
from bot.collector import Collector
from bot.errors import SourceError
from bot.source import Kube, Right, Sources

FEW_NODES = 3
PLAIN, ROOTED = "ID", "CRI"  # one command that anybody may run, one that needs root


class State(enum.StrEnum):
    """How one examination came out."""

    WORKS = "works"
    LIMITED = "limited"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True, kw_only=True)
class Examined:
    """One thing that was looked at.

    Attributes:
        what: ``cluster prod-eu: API``.
        said: the detail, one line.
        hint: what to do; empty when it works.
    """

    what: str
    state: State
    said: str
    hint: str = ""


def examine(name: str, sources: Sources, collectors: Iterable[Collector]) -> Iterator[Examined]:
    """Examine one cluster: its API, the rights, SSH to a few nodes. Never raises for what it finds."""
    try:
        version = sources.kube.get("/version")
    except SourceError as error:
        yield Examined(what=f"{name}: API", state=State.BROKEN, said=str(error), hint=error.hint)
        return
    yield Examined(what=f"{name}: API", state=State.WORKS, said=json.loads(version.body).get("gitVersion", "?"))
    yield from _rights(name, sources.kube, collectors)
    yield from _nodes(name, sources)


def _rights(name: str, kube: Kube, collectors: Iterable[Collector]) -> Iterator[Examined]:
    wanted: dict[str, Right] = {str(right): right for c in collectors for right in c.rights}
    missing: list[str] = []
    try:
        missing = [text for text, right in sorted(wanted.items()) if not kube.review(right)]
    except SourceError as error:
        yield Examined(what=f"{name}: rights", state=State.LIMITED, said=str(error), hint=error.hint)
        return
    if missing:
        yield Examined(
            what=f"{name}: rights",
            state=State.LIMITED,
            said=f"{len(missing)} of {len(wanted)} are missing: {', '.join(missing[:6])}",
            hint="Apply the ClusterRole of the chart (helm/kubewhy/templates/clusterrole.yaml).",
        )
    else:
        yield Examined(what=f"{name}: rights", state=State.WORKS, said=f"all {len(wanted)}")


def _nodes(name: str, sources: Sources) -> Iterator[Examined]:
    if sources.no_ssh:
        yield Examined(
            what=f"{name}: SSH", state=State.LIMITED, said=sources.no_ssh, hint="docs/nodes.md says how to set it up."
        )
        return
    try:
        answer = sources.kube.get("/api/v1/nodes", {"limit": str(FEW_NODES)})
    except SourceError as error:
        yield Examined(what=f"{name}: SSH", state=State.LIMITED, said=str(error), hint=error.hint)
        return
    for item in json.loads(answer.body).get("items") or ():
        yield _node(name, item["metadata"]["name"], sources)


def _node(name: str, node: str, sources: Sources) -> Examined:
    what = f"{name}: SSH to {node}"
    try:
        found = sources.shell.run(node, base(PLAIN, ROOTED), deadline=10.0)
    except SourceError as error:
        return Examined(what=what, state=State.BROKEN, said=str(error), hint=error.hint)
    root = found.get(ROOTED)
    if root is not None and root.denied:
        hint = "Install the collector (docs/nodes.md): what needs root is not checked without it."
        return Examined(what=what, state=State.LIMITED, said="logged in, without root rights", hint=hint)
    return Examined(what=what, state=State.WORKS, said="logged in, with root rights")
