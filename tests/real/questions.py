"""The questions that are put to a real API server and to the playground."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.real.comparing import JSON, kinds, path_of
from tests.real.specimens import NS

META = "g=meta.k8s.io;v=v1"
TABLE = f"application/json;as=Table;{META}"
KUBECTL = f"{TABLE},application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json"
PARTIAL = f"application/json;as=PartialObjectMetadata;{META}"
PARTIAL_LIST = f"application/json;as=PartialObjectMetadataList;{META}"
AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """One request; ``token`` says who asks."""

    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    accept: str = JSON
    method: str = "GET"
    body: Any = None
    token: str = "admin-token"

    def __str__(self) -> str:
        query = "&".join(f"{k}={v}" for k, v in self.query.items())
        who = "" if self.token == "admin-token" else f" as {self.token or 'nobody'}"
        form = "" if self.accept == JSON else f" [{self.accept[:60]}]"
        return f"{self.method} {self.path}{'?' if query else ''}{query}{form}{who} {self.body or ''}".strip()


def lists() -> Iterator[Question]:
    """Every kind: as objects, as tables, as metadata."""
    for kind in kinds():
        path = path_of(kind)
        yield Question(path=path)
        yield Question(path=path, accept=KUBECTL, query={"includeObject": "None"})
        yield Question(path=path, accept=TABLE, query={"limit": "1"})
        yield Question(path=path, accept=PARTIAL_LIST)
        if kind.namespaced:
            yield Question(path=path_of(kind, NS))
            yield Question(path=path_of(kind, "no-such-namespace"))
            yield Question(path=path_of(kind, NS, "no-such-object"))
        else:
            yield Question(path=path_of(kind, name="no-such-object"))
    yield Question(path="/apis/example.com/v1/widgets", accept=KUBECTL)
    yield Question(path=f"/apis/example.com/v1/namespaces/{NS}/widgets")
    yield Question(
        path="/apis/autoscaling/v1/horizontalpodautoscalers", accept=KUBECTL, query={"includeObject": "None"}
    )


PODS = "/api/v1/pods"


def discoveries() -> Iterator[Question]:
    """Discovery in both forms."""
    for path in ("/api", "/apis"):
        yield Question(path=path)
        yield Question(path=path, accept=AGGREGATED)
    yield Question(path="/version")
    yield Question(path="/api/v1")
    groups = sorted({(k.group, v) for k in kinds() if k.group for v in k.served(36)} | {("example.com", "v1")})
    for group, version in groups:
        yield Question(path=f"/apis/{group}")
        yield Question(path=f"/apis/{group}/{version}")
    for path in ("/readyz", "/livez", "/healthz"):
        yield Question(path=path, query={"verbose": ""})


LABELS = """
app=zoo
app!=zoo
case in (crash,done)
case notin (crash)
case
!case
app==zoo,case=half
a in (b
=x
app=zoo,
a b
app in ()
x gt 1
x>1
x>a
app=
app=a=b
!app=1
,
""".strip().splitlines()
FIELDS = """
spec.nodeName=node-1
spec.nodeName!=node-1
spec.nodeName=
status.phase=Failed
status.phase!=Running,status.phase!=Succeeded
metadata.name=crash
metadata.namespace=zoo
spec.restartPolicy=Always
status.podIP=10.244.1.9
spec.foo=1
spec.foo
metadata.labels=x
spec.hostNetwork=true
spec.schedulerName=default-scheduler
""".strip().splitlines()


def selections() -> Iterator[Question]:
    """Selectors, limits, and what is refused."""
    yield from (Question(path=PODS, query={"labelSelector": text}) for text in LABELS)
    yield from (Question(path=PODS, query={"fieldSelector": text}) for text in FIELDS)
    for path, text in (
        ("/api/v1/events", "involvedObject.name=crash,involvedObject.kind=Pod"),
        ("/api/v1/events", "reason=BackOff"),
        ("/api/v1/events", "type!=Normal"),
        ("/api/v1/events", "nope=1"),
        ("/api/v1/nodes", "spec.unschedulable=true"),
        ("/api/v1/nodes", "spec.unschedulable=false"),
        ("/api/v1/nodes", "status.phase=x"),
        ("/api/v1/nodes", "metadata.namespace=x"),
        ("/api/v1/services", "spec.type=NodePort"),
        ("/api/v1/services", "status.phase=x"),
        ("/api/v1/namespaces", "status.phase=Active"),
        ("/api/v1/configmaps", "metadata.name=coredns"),
        ("/api/v1/configmaps", "data.x=1"),
        ("/apis/apps/v1/deployments", "metadata.name=web"),
        ("/apis/apps/v1/deployments", "status.replicas=1"),
        ("/apis/apps/v1/replicasets", "status.replicas=3"),
        ("/apis/batch/v1/jobs", "status.successful=1"),
        ("/apis/example.com/v1/widgets", "metadata.name=w1"),
        ("/apis/example.com/v1/widgets", "spec.size=1"),
    ):
        yield Question(path=path, query={"fieldSelector": text})
    for query in (
        {"limit": "3"},
        {"limit": "abc"},
        {"limit": "-1"},
        {"continue": "xyz"},
        {"limit": "2", "labelSelector": "app=zoo"},
    ):
        yield Question(path=PODS, query=query)


WRONG = """
/nope
/api/v2
/api/v1/nope
/apis/nope
/apis/nope/v1
/apis/nope/v1/x
/apis/apps/v9
/apis/apps/v9/deployments
/apis/apps/v1/nope
/api/v1/pods/x
/api/v1/namespaces/zoo/nodes
/api/v1/namespaces/zoo/pods/crash/nope
/api/v1/nodes/x/y
/apis/metrics.k8s.io/v1beta1
/apis/metrics.k8s.io/v1beta1/nodes
/apis/apps/v1/namespaces/zoo/deployments/x/scale
/api/v1/namespaces/zoo
/api/v1/namespaces/none
/api/v1/namespaces/zoo/pods/crash/status
/api/v1/namespaces/zoo/pods/none/log
/apis/authorization.k8s.io/v1/selfsubjectaccessreviews
/readyz/nope
/readyz/ping
/readyz
/livez
/healthz
""".strip().splitlines()


def errors() -> Iterator[Question]:
    """Paths and methods that do not exist, forms that cannot be had."""
    yield from (Question(path=path) for path in WRONG)
    for method, path in (("DELETE", "/api/v1"), ("PUT", PODS), ("PATCH", "/version"), ("POST", PODS)):
        yield Question(method=method, path=path, body={})
    for accept in (
        "text/html",
        "application/xml",
        "application/json;as=Table;v=v3;g=meta.k8s.io",
        PARTIAL,
        "application/yaml",
        "*/*",
        "",
    ):
        yield Question(path="/api/v1/namespaces/zoo/pods", accept=accept)
    one = "/api/v1/namespaces/zoo/pods/crash"
    for accept in (PARTIAL, PARTIAL_LIST, TABLE, "application/yaml"):
        yield Question(path=one, accept=accept)
    yield Question(path="/api/v1/namespaces/zoo/pods", accept=TABLE, query={"includeObject": "Nonsense"})
    yield Question(path="/api/v1/namespaces/zoo/pods", accept=TABLE, query={"includeObject": "Object"})


def logs() -> Iterator[Question]:
    """Log requests that are refused before a kubelet is asked."""
    base = "/api/v1/namespaces/zoo/pods/"
    for name, query in (
        ("half", {}), ("half", {"container": "nope"}), ("pending", {}), ("nobody", {}),
        ("half", {"container": "c", "tailLines": "x"}), ("half", {"container": "c", "tailLines": "-1"}),
        ("half", {"container": "c", "sinceSeconds": "1", "sinceTime": "2026-01-01T00:00:00Z"}),
        ("half", {"container": "c", "sinceSeconds": "0"}), ("half", {"container": "c", "limitBytes": "0"}),
        ("half", {"container": "c", "sinceTime": "yesterday"}),
    ):  # fmt: skip
        yield Question(path=f"{base}{name}/log", query=query)
