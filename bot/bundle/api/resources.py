"""Which kinds a cluster serves and where a bundle keeps them: the table behind discovery, routing and reading.

Base layout and ``kubewhy/`` layout as docs/bundle.md has them. Group versions carry the minor releases that served
them, so that an old cluster's recording answers as an old cluster (Kubernetes deprecation guide).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.bundle.api.kinds import TABLE

FULL = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")
CUSTOM = ("delete", "deletecollection", "get", "list", "patch", "create", "update", "watch")
VERBS = {
    "full": FULL,
    "no-collection": tuple(v for v in FULL if v != "deletecollection"),
    "read": ("get", "list"),
    "create": ("create",),
}
CHANGE = ("get", "patch", "update")
CONNECT = ("create", "get")
# subresource → the kind it answers with (empty: its parent's), its verbs
SUBRESOURCES: dict[str, tuple[str, tuple[str, ...]]] = {
    "approval": ("", CHANGE),
    "attach": ("PodAttachOptions", CONNECT),
    "binding": ("Binding", ("create",)),
    "ephemeralcontainers": ("", CHANGE),
    "eviction": ("Eviction", ("create",)),
    "exec": ("PodExecOptions", CONNECT),
    "finalize": ("", ("update",)),
    "log": ("", ("get",)),
    "portforward": ("PodPortForwardOptions", CONNECT),
    "proxy": ("", ("create", "delete", "get", "patch", "update")),
    "resize": ("", CHANGE),
    "scale": ("Scale", CHANGE),
    "status": ("", CHANGE),
    "token": ("TokenRequest", ("create",)),
}
LATEST = 999
METRICS = "metrics.k8s.io"
BASE, OWN = "cluster-resources", "kubewhy/cluster-resources"


@dataclass(frozen=True, slots=True)
class Version:
    """A served version of a group's resource: in minor releases ``since`` to ``until`` inclusive."""

    name: str
    since: int = 0
    until: int = LATEST


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One kind.

    Attributes:
        versions: newest first.
        files: paths below the bundle without suffix; a cluster-scoped kind is ``FILE.json``, others ``FILE/NS.json``.
        subresources: name → verbs.
        custom: it comes from a CustomResourceDefinition; its objects keep ``kind`` and ``apiVersion`` in lists.
        printed: version → the ``additionalPrinterColumns`` of a custom kind.
    """

    group: str
    versions: tuple[Version, ...]
    plural: str
    kind: str
    namespaced: bool
    singular: str
    files: tuple[str, ...]
    short: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    verbs: tuple[str, ...] = FULL
    subresources: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    custom: bool = False
    printed: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """``deployments.apps``, ``pods``."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    def served(self, minor: int) -> tuple[str, ...]:
        """The versions a cluster of that minor release serves, newest first."""
        return tuple(v.name for v in self.versions if v.since <= minor <= v.until)


def _parse(line: str) -> Resource:
    group, versions, plural, kind, scope, files, short, categories, verbs, subresources = line.split()
    group = "" if group == "core" else group
    return Resource(
        group=group,
        versions=tuple(_version(v) for v in versions.split(",")),
        plural=plural,
        kind=kind,
        namespaced=scope == "ns",
        singular=kind.lower(),
        files=_paths(group, plural, _words(files)),
        short=_words(short),
        categories=_words(categories),
        verbs=VERBS[verbs],
        subresources={name: SUBRESOURCES[name][1] for name in _words(subresources)},
    )


def _words(text: str) -> tuple[str, ...]:
    return () if text == "-" else tuple(text.split(","))


def _version(text: str) -> Version:
    name, _, rest = text.partition("@")
    since, _, until = rest.partition("-")
    return Version(name, int(since or 0), int(until or LATEST))


def _paths(group: str, plural: str, base: tuple[str, ...]) -> tuple[str, ...]:
    """Where a kind's Lists may be: the base layout's name, then kubewhy's, by plural and by ``plural.group``."""
    own = base if group == METRICS else (*base, plural)  # metrics.k8s.io calls its kinds "pods" and "nodes" too
    full = [f"{OWN}/{plural}.{group}"] if group else []
    return tuple(dict.fromkeys([*(f"{BASE}/{name}" for name in base), *(f"{OWN}/{name}" for name in own), *full]))


_ALL = tuple(_parse(line) for line in TABLE.split("\n") if line)
BUILT_IN = tuple(r for r in _ALL if r.group != METRICS)
METRIC_KINDS = tuple(r for r in _ALL if r.group == METRICS)


def custom(definitions: Iterable[Mapping[str, object]]) -> tuple[Resource, ...]:
    """Return the kinds that CustomResourceDefinitions add; what is not a definition is left out."""
    found = (_custom(d.get("spec")) for d in definitions)
    return tuple(r for r in found if r)


def _columns(spec: Mapping[str, Any], version: Mapping[str, Any]) -> tuple[Mapping[str, Any], ...]:
    found = version.get("additionalPrinterColumns") or spec.get("additionalPrinterColumns") or ()
    return tuple(c for c in found if isinstance(c, Mapping))


def _custom(spec: object) -> Resource | None:
    names = spec.get("names") if isinstance(spec, Mapping) else None
    if not isinstance(spec, Mapping) or not isinstance(names, Mapping):
        return None
    group, plural, kind = (str(x or "") for x in (spec.get("group"), names.get("plural"), names.get("kind")))
    versions = spec.get("versions") or [{"name": spec.get("version"), "served": True}]
    if not (group and plural and kind and isinstance(versions, list)):
        return None
    full = f"{plural}.{group}"
    return Resource(
        group=group,
        versions=tuple(Version(str(v.get("name"))) for v in versions if isinstance(v, Mapping) and v.get("served")),
        plural=plural,
        kind=kind,
        namespaced=spec.get("scope") == "Namespaced",
        singular=str(names.get("singular") or kind.lower()),
        files=(f"cluster-resources/custom-resources/{full}", *_paths(group, plural, ())),
        short=tuple(str(s) for s in names.get("shortNames") or ()),
        categories=tuple(str(s) for s in names.get("categories") or ()),
        verbs=CUSTOM,
        custom=True,
        printed={str(v.get("name")): _columns(spec, v) for v in versions if isinstance(v, Mapping)},
    )
