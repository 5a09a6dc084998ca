"""Reads controllers and autoscalers: rows of all, in full only those whose row says that they lack something."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import msgspec

from bot.collect.read import decoder_of, merged, together
from bot.collect.tables import Glance, attempt, chosen, fraction, glance, sorted_out
from bot.collector import collects
from bot.errors import Kind, SourceError
from bot.model.apis import Namespaces
from bot.model.evidence import Evidence
from bot.model.k8s import Condition, Workload
from bot.model.k8s_more import Hpa
from bot.model.proof import Proof
from bot.model.workloads import Hpas, PodRows, Workloads
from bot.source import Kube, Right

KINDS = {"deployments": "Deployment", "statefulsets": "StatefulSet", "daemonsets": "DaemonSet"}
PREFIXES = ("/apis/apps/v1", "/apis/apps/v1beta2", "/apis/apps/v1beta1", "/apis/extensions/v1beta1")
HPA_PREFIXES = tuple(f"/apis/autoscaling/{v}" for v in ("v2", "v2beta2", "v2beta1", "v1"))
RIGHTS = tuple(Right(verb=v, resource=r, group="apps") for r in KINDS for v in ("get", "list"))
HPA_RIGHTS = tuple(Right(verb=v, resource="horizontalpodautoscalers", group="autoscaling") for v in ("get", "list"))
CONDITIONS = "autoscaling.alpha.kubernetes.io/conditions"


@dataclass(frozen=True, slots=True)
class _Found:
    """What one namespace holds of one kind."""

    items: tuple[Workload, ...]
    total: int
    proof: Proof


@collects(Workloads, rights=RIGHTS, deadline=60.0)
def workloads(kube: Kube, namespaces: Namespaces, pods: PodRows | None) -> Iterator[Evidence]:
    """Deployments, StatefulSets and DaemonSets with fewer ready pods than wanted, or (StatefulSets) a pod missing."""
    asked = [(plural, ns) for plural in KINDS for ns in namespaces.names]
    kinds = tuple(KINDS)
    served = dict(zip(kinds, together(lambda kind: _prefix(kube, kind, namespaces.names), kinds), strict=True))
    there = frozenset(row.path for row in pods.rows) if pods else None
    unseen = frozenset(pods.unread) if pods else frozenset()

    def read(at: tuple[str, str]) -> _Found | SourceError:
        return attempt(lambda: _of(kube, served[at[0]], *at, None if at[1] in unseen else there))

    tried = together(read, asked)
    found, unread = sorted_out([("/".join(at), result) for at, result in zip(asked, tried, strict=True)])
    yield Workloads(
        proof=merged(
            [f.proof for f in found], "GET Deployments, StatefulSets and DaemonSets of every namespace (tables)"
        ),
        items=tuple(w for f in found for w in f.items),
        total=sum(f.total for f in found),
        unread=unread,
    )


def _prefix(kube: Kube, plural: str, namespaces: tuple[str, ...]) -> str:
    """The newest API that serves a kind: ``apps/v1`` since 1.9."""
    at = namespaces[0] if namespaces else "default"
    right = Right(verb="list", resource=plural, group="apps")
    return first_served(PREFIXES, lambda prefix: glance(kube, f"{prefix}/namespaces/{at}/{plural}", Workload, right))


def first_served(prefixes: tuple[str, ...], read: Callable[[str], object]) -> str:
    """The first prefix that the API does not answer with 404.

    Raises:
        SourceError: NOT_FOUND when none is served; anything else at once.
    """
    last: SourceError | None = None
    for prefix in prefixes:
        try:
            read(prefix)
        except SourceError as error:
            if error.kind in {Kind.FORBIDDEN, Kind.NOT_RECORDED}:
                return prefix  # known to the API, and not to be read in this namespace
            if error.kind is not Kind.NOT_FOUND:
                raise
            last = error
        else:
            return prefix
    assert last is not None
    raise last


def _of(kube: Kube, prefix: str, plural: str, namespace: str, there: frozenset[str] | None) -> _Found:
    right = Right(verb="list", resource=plural, group="apps")
    seen = glance(kube, f"{prefix}/namespaces/{namespace}/{plural}", Workload, right)
    if seen.full is not None:
        items = tuple(w for w in seen.full if lacks(w) or _gone(plural, w.metadata.path, w.spec.replicas or 0, there))
    else:
        get = Right(verb="get", resource=plural, group="apps")
        items = chosen(kube, seen, lambda r: row_lacks(r) or _row_gone(plural, namespace, r, there), Workload, get)
    named = tuple(msgspec.structs.replace(w, kind=KINDS[plural]) for w in items)
    return _Found(named, seen.total, seen.proof)


def _row_gone(plural: str, namespace: str, row: dict[str, str], there: frozenset[str] | None) -> bool:
    wanted = fraction(row.get("Ready", ""))[1] or _number(row.get("Desired", ""))
    return _gone(plural, f"{namespace}/{row.get('Name', '')}", wanted, there)


def _number(text: str) -> int:
    return int(text) if text.isdigit() else 0


def _gone(plural: str, path: str, wanted: int, there: frozenset[str] | None) -> bool:
    """Whether a StatefulSet's pod does not exist; its status cannot be trusted when nobody writes it."""
    if plural != "statefulsets" or there is None:
        return False
    return any(f"{path}-{ordinal}" not in there for ordinal in range(wanted))


def row_lacks(row: dict[str, str]) -> bool:
    """Whether a row of any of the three kinds shows fewer pods than wanted."""
    if "Desired" in row:
        wanted = row["Desired"]
        return any(row.get(column, wanted) != wanted for column in ("Current", "Ready", "Up-to-date", "Available"))
    ready, wanted_pods = fraction(row.get("Ready", ""))
    fresh = row.get("Up-to-date", str(wanted_pods))
    return ready < wanted_pods or fresh != str(wanted_pods)


def lacks(workload: Workload) -> bool:
    """The same for an object that was read in full, which also shows an unseen generation."""
    spec, status = workload.spec, workload.status
    wanted = status.desired_number_scheduled or (
        1 if spec.replicas is None and not status.number_ready else spec.replicas or 0
    )
    ready = status.number_ready if status.desired_number_scheduled else status.ready_replicas
    behind = workload.metadata.generation > status.observed_generation > 0
    return ready < wanted or behind


@collects(Hpas, rights=HPA_RIGHTS, deadline=60.0)
def hpas(kube: Kube, namespaces: Namespaces) -> Iterator[Evidence]:
    """The HorizontalPodAutoscalers that have no value for a metric."""
    names = namespaces.names
    right = HPA_RIGHTS[1]
    at = names[0] if names else "default"
    prefix = first_served(HPA_PREFIXES, lambda p: glance(kube, _hpa_path(p, at), Hpa, right))
    tried = together(lambda ns: attempt(lambda: glance(kube, _hpa_path(prefix, ns), Hpa, right)), names)
    seen, _ = sorted_out(list(zip(names, tried, strict=True)))
    found = [_hpas(kube, g) for g in seen]
    yield Hpas(
        proof=merged([g.proof for g in seen], "GET HorizontalPodAutoscalers of every namespace (tables)"),
        items=tuple(with_conditions(h) for items in found for h in items),
        total=sum(g.total for g in seen),
    )


def _hpa_path(prefix: str, namespace: str) -> str:
    return f"{prefix}/namespaces/{namespace}/horizontalpodautoscalers"


def _hpas(kube: Kube, seen: Glance[Hpa]) -> tuple[Hpa, ...]:
    if seen.full is not None:
        return seen.full
    return chosen(kube, seen, lambda r: "<unknown>" in r.get("Targets", ""), Hpa, HPA_RIGHTS[0])


def with_conditions(hpa: Hpa) -> Hpa:
    """``autoscaling/v1`` keeps the conditions in an annotation: the same HPA with them in its status."""
    text = (hpa.metadata.annotations or {}).get(CONDITIONS)
    if hpa.status.conditions is not None or text is None:
        return hpa
    try:
        conditions = decoder_of(tuple[Condition, ...]).decode(text)
    except msgspec.MsgspecError:
        return hpa
    return msgspec.structs.replace(hpa, status=msgspec.structs.replace(hpa.status, conditions=conditions))
