"""What findings about aggregated APIs have in common."""

from __future__ import annotations

import shlex

from bot.model.apis import ApiBackends, Backend, GroupProbes, group_version
from bot.model.evidence import Ask, Clock
from bot.model.k8s import ApiService
from bot.model.proof import Proof
from bot.model.refs import Subject

GRACE = 60.0
SERVICE_UNAVAILABLE = 503


def asked(ask: Ask, api: ApiService) -> bool:
    """Whether the question is about this APIService: named, or none named, or ``all``."""
    return ask.command != "metrics-api" or ask.target in {"", "all", api.metadata.name}


def subject(api: ApiService) -> Subject:
    """The APIService."""
    return Subject("APIService", api.metadata.name)


def is_settled(api: ApiService, clock: Clock) -> bool:
    """Whether it has been in its state for more than a minute, and is itself older than that."""
    condition = api.available
    since = condition.last_transition_time if condition else None
    made = api.metadata.creation_timestamp
    return (since is None or clock.age(since) > GRACE) and (made is None or clock.age(made) > GRACE)


def nodes_of(backend: Backend | None) -> tuple[str, ...]:
    """The nodes on which the pods behind an API are."""
    names = (p.spec.node_name for p in (backend.pods if backend else ()))
    return tuple(dict.fromkeys(n for n in names if n))


def answers_503(api: ApiService, probes: GroupProbes | None) -> Proof | None:
    """The proof that a raw GET said 503, or None."""
    probe = probes.by_group_version.get(group_version(api)) if probes else None
    return probe.proof if probe and probe.status == SERVICE_UNAVAILABLE else None


def backend_of(api: ApiService, backends: ApiBackends | None) -> Backend | None:
    """What is behind an API, or None when it was not read."""
    return backends.of(api) if backends else None


def look(api: ApiService) -> str:
    """The command that shows an APIService's state."""
    name = shlex.quote(api.metadata.name)
    return f"kubectl get apiservice {name} -o jsonpath='{{.status.conditions}}'"
