"""What the API server says about aggregated APIs: APIServices, what is behind them, and what discovery shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bot.model.cluster import ServiceEndpoints
from bot.model.evidence import Evidence
from bot.model.k8s import ApiService, NamespaceObject, Pod, Service
from bot.model.proof import Proof

METRICS = "metrics.k8s.io"
LEGACY = "metrics"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiServices(Evidence):
    """Every APIService."""

    words: ClassVar[str] = "the APIServices"

    items: tuple[ApiService, ...]

    def get(self, name: str) -> ApiService | None:
        """The APIService of that name, or None."""
        return next((a for a in self.items if a.metadata.name == name), None)

    @property
    def aggregated(self) -> tuple[ApiService, ...]:
        """Those with a Service behind them; the others are served by the API server itself."""
        return tuple(a for a in self.items if a.spec.service is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backend:
    """The Service behind an APIService.

    Attributes:
        service: None when the API says that there is none.
        endpoints: None when the Service does not exist.
        pods: the pods that its selector matches, in full.
    """

    path: str
    service: Service | None
    endpoints: ServiceEndpoints | None
    pods: tuple[Pod, ...]
    proof: Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiBackends(Evidence):
    """What is behind the APIServices that are not Available, and behind the metrics API: ``ns/service`` → backend."""

    words: ClassVar[str] = "the Services behind the APIServices"

    by_service: Mapping[str, Backend]

    def of(self, api: ApiService) -> Backend | None:
        """The backend of an APIService, or None when it was not read."""
        return self.by_service.get(service_path(api))


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupProbe:
    """A raw GET of one group version: which HTTP status, which text."""

    group_version: str
    status: int
    text: str
    proof: Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupProbes(Evidence):
    """Raw GETs of the metrics API and of every APIService that is not Available: ``group/version`` → probe."""

    words: ClassVar[str] = "the answers of the aggregated APIs"

    by_group_version: Mapping[str, GroupProbe]


@dataclass(frozen=True, slots=True, kw_only=True)
class Discovery(Evidence):
    """``GET /apis``.

    Attributes:
        group_versions: ``group/version`` of everything that is announced.
        stale: those that the aggregated document marks Stale.
        aggregated: whether the document tells about freshness at all (1.26 and later).
    """

    words: ClassVar[str] = "the discovery document"

    group_versions: tuple[str, ...]
    stale: tuple[str, ...]
    aggregated: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Namespaces(Evidence):
    """Every namespace."""

    words: ClassVar[str] = "the namespaces"

    items: tuple[NamespaceObject, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Their names."""
        return tuple(n.metadata.name for n in self.items)


def service_path(api: ApiService) -> str:
    """``ns/name`` of the Service behind an APIService, empty for a local one."""
    return f"{api.spec.service.namespace}/{api.spec.service.name}" if api.spec.service else ""


def group_version(api: ApiService) -> str:
    """``metrics.k8s.io/v1beta1``."""
    return f"{api.spec.group}/{api.spec.version}"


def is_available(api: ApiService) -> bool:
    """Whether the Available condition is True; a missing condition is no."""
    return api.available is not None and api.available.status == "True"
