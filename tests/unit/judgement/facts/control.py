"""The facts that the rules about the control plane, aggregated APIs and metrics join by AND."""

from __future__ import annotations

from typing import Any

from bot.model.apis import METRICS, ApiBackends, ApiServices, Discovery, GroupProbes, Namespaces
from bot.model.cluster import (
    ApiHealth,
    ControlPlaneLogs,
    Heartbeats,
    KubernetesEndpoints,
    Leaders,
    Nodes,
    SystemPods,
)
from bot.model.evidence import Expectations
from bot.model.host import HostUnits, KubeletHealth
from bot.model.k8s import ApiService, ApiServiceSpec, Event, Meta, Service, TargetRef
from bot.model.metrics import MetricsServer, NodeMetrics, Scrapes
from bot.model.workloads import Hpas, PodEvents, PodRow, PodRows, SuspectPods, Workloads
from tests.unit.judgement import undo
from tests.unit.judgement.fact import Change, Changes, Fact, Scene, each, put, swap, to
from tests.unit.judgement.facts.node import as_control_plane

DISCOVERY = r"discover|retrieve the complete list|supported resources"
GROUP_LINE = r"[cC]ouldn't get resource list|failed with: failing or missing|loading OpenAPI|error resolving"


def leading(leaders: Any, scene: Scene) -> Any:
    """Every component is led and has renewed its record a second ago."""
    fresh = {
        k: swap(v, renewed=scene.ago(seconds=1), holder=v.holder or "master-1_1")
        for k, v in leaders.by_component.items()
    }
    return swap(leaders, by_component=fresh)


WELL_SYSTEM: Changes = {SystemPods: each("items", undo.well)}
SEEN = each("items", lambda w, _: put(w, "status.observed_generation", w.metadata.generation))


def group_gone(apis: Any, scene: Scene) -> Any:
    """No APIService of the finding's group."""
    return swap(apis, items=tuple(a for a in apis.items if a.spec.group != scene.fact("group")))


def moved(what: str) -> Change:
    """Waiting pods that have been ``gated``, ``placed``, or are for another scheduler."""
    path, value = {
        "gated": ("spec.scheduling_gates", (b"{}",)),
        "placed": ("spec.node_name", "node-1"),
        "other": ("spec.scheduler_name", "batch-scheduler"),
    }[what]
    return each("items", lambda p, _: put(p, path, value))


def scheduling_failed(events: Any, scene: Scene) -> Any:
    """The scheduler has said why it places none of the waiting pods."""
    told = []
    for path in scene.finding.facts["pods"]:  # type: ignore[union-attr]
        namespace, _, name = path.partition("/")
        about = TargetRef(kind="Pod", namespace=namespace, name=name)
        told.append(Event(reason="FailedScheduling", last_timestamp=scene.ago(seconds=30), involved_object=about))
    return swap(events, items=(*events.items, *told))


def one_started(rows: Any, _: Scene) -> Any:
    """A pod of two minutes ago runs."""
    row = PodRow(
        namespace="new",
        name="web-1",
        ready=1,
        total=1,
        status="Running",
        restarts=0,
        restarted=None,
        age=120.0,
        node="node-1",
    )
    return swap(rows, rows=(*rows.rows, row))


def second_of_each(pods: Any, _: Scene) -> Any:
    """Every component has a second instance."""
    more = (put(p, "metadata.name", f"{p.metadata.name}-b") for p in pods.items)
    return swap(pods, items=(*pods.items, *more))


def without_roles(node: Any, _: Scene) -> Any:
    """A node without role labels."""
    labels = {k: v for k, v in (node.metadata.labels or {}).items() if not k.startswith("node-role.kubernetes.io/")}
    return put(node, "metadata.labels", labels)


def namespace_condition(**members: Any) -> Change:
    """Another discovery condition of every namespace that has one."""

    def change(item: Any, _: Scene) -> Any:
        kind = "NamespaceDeletionDiscoveryFailure"
        there = any(c.type == kind for c in item.status.conditions or ())
        return undo.condition(item, kind, **members) if there else item

    return each("items", change)


def backend(**members: Any) -> Change:
    """Every backend with other members."""
    return lambda b, _: swap(b, by_service={k: swap(v, **members) for k, v in b.by_service.items()})


def said_in_condition(message: str) -> Change:
    """The same condition with another message."""
    return each("items", lambda a, _: undo.condition(a, "Available", message=message) if a.spec.service else a)


def registered(apis: Any, _: Scene) -> Any:
    """An APIService of the metrics API is there."""
    found = ApiService(
        metadata=Meta(name="v1beta1.metrics.k8s.io"), spec=ApiServiceSpec(group=METRICS, version="v1beta1")
    )
    return swap(apis, items=(*apis.items, found))


def hpa(**members: Any) -> Change:
    """Another ScalingActive condition of every HPA; ``seconds`` is how long ago it changed."""

    def change(item: Any, scene: Scene) -> Any:
        values = dict(members)
        if "seconds" in values:
            values["last_transition_time"] = scene.ago(seconds=values.pop("seconds"))
        return undo.condition(item, "ScalingActive", **values)

    return each("items", change)


def failures(**members: Any) -> Change:
    """Every failed scrape with other members; ``minutes`` is how long ago it was last seen."""

    def change(item: Any, scene: Scene) -> Any:
        values = dict(members)
        if "minutes" in values:
            values["last"] = scene.ago(minutes=values.pop("minutes"))
        return swap(item, **values)

    return each("failures", change)


def sampled(metrics: Any, scene: Scene) -> Any:
    """Every node has a sample of a few seconds ago."""
    nodes = scene.known.get(Nodes)
    return swap(metrics, sampled={n.name: scene.ago(seconds=8) for n in (nodes.items if nodes else ())})


def of_member(log: Any, _: Scene) -> Any:
    """Every rejected connection ends as those of probes do."""
    lines = (swap(x, text=x.text.replace("tls: bad certificate", "EOF")) for x in log.lines)
    return swap(log, lines=tuple(swap(x, text=_x509_off(x.text)) for x in lines))


def _x509_off(text: str) -> str:
    head, mark, _ = text.partition('"error":"')
    return f'{head}{mark}EOF"}}' if mark and "x509" in text else text


def server_pods(change: Change) -> Change:
    """A change of the pods of metrics-server."""
    return each("pods", change)


def silent_server(scrapes: Any, scene: Scene) -> Any:
    """The log of metrics-server does not say that it lacks samples."""
    quiet = undo.not_saying(r"no metrics to serve|at least 2 scrapes|last tick")
    return swap(scrapes, logs=tuple(quiet(log, scene) for log in scrapes.logs))


def started_now(pod: Any, scene: Scene) -> Any:
    """The container was started half a minute ago."""
    now = scene.ago(seconds=30)

    def young(status: Any) -> Any:
        return put(status, "state.running.started_at", now) if status.state.running else status

    pod = put(pod, "status.container_statuses", lambda old: tuple(young(s) for s in old or ()))
    return put(pod, "status.start_time", now)


def nothing_fatal(scrapes: Any, scene: Scene) -> Any:
    """No fatal error in the logs of metrics-server."""
    quiet = undo.not_saying(r"panic|unable to load|listen tcp|failed to create listener|no route to host")
    return swap(scrapes, logs=tuple(quiet(log, scene) for log in scrapes.logs))


AVAILABLE = Fact("the API is available", {ApiServices: each("items", undo.available)})
JUST_NOW = Fact("it changed ten seconds ago", {ApiServices: each("items", undo.lately)})
NO_503 = Fact("a raw GET answers", {GroupProbes: undo.answering}, left="likely")

FACTS: dict[str, tuple[Fact, ...]] = {
    "CTRL-04": (
        Fact("it does not restart, and it leads", {Leaders: leading, **WELL_SYSTEM}),
        Fact("its log has no discovery error", {ControlPlaneLogs: undo.in_logs(undo.not_saying(DISCOVERY))}),
        AVAILABLE,
        Fact("no APIService of that group exists", {ApiServices: group_gone}),
    ),
    "CTRL-05": (
        Fact("it runs and leads", {Leaders: leading, **WELL_SYSTEM}),
        Fact("its pod runs, and every change was seen", {**WELL_SYSTEM, Workloads: SEEN}, left="likely"),
    ),
    "CTRL-06": (
        Fact("it runs and leads", {Leaders: leading, **WELL_SYSTEM}),
        Fact("the pods wait for another scheduler", {SuspectPods: moved("other")}),
        Fact("the pods wait on purpose", {SuspectPods: moved("gated")}),
        Fact("the pods have a node", {SuspectPods: moved("placed")}),
        Fact("the scheduler has said why it places none", {PodEvents: scheduling_failed}),
        Fact("the pods are new", {SuspectPods: each("items", undo.aged(seconds=20))}),
    ),
    "CTRL-07": (
        Fact("no log says it", {ControlPlaneLogs: undo.in_logs(undo.not_saying(GROUP_LINE))}),
        Fact("the lines are of two hours ago", {ControlPlaneLogs: undo.in_logs(undo.older(GROUP_LINE, hours=2))}),
        Fact("no APIService of that group exists", {ApiServices: group_gone}),
        Fact("the API is available", {ApiServices: each("items", undo.available)}, left="likely"),
    ),
    "CTRL-08": (
        Fact("one new pod runs", {PodRows: one_started}),
        Fact("nothing was to be started", {Workloads: to(items=()), SuspectPods: to(items=())}),
        Fact("somebody leads", {Leaders: leading}, left="likely"),
    ),
    "CTRL-10": (
        Fact("there are several of everything", {Nodes: each("items", as_control_plane), SystemPods: second_of_each}),
        Fact("no node is a control-plane node", {Nodes: each("items", without_roles)}),
        Fact(
            "labels alone say it",
            {SystemPods: to(items=()), KubernetesEndpoints: to(addresses=("10.0.0.5", "10.0.0.6"))},
            reasons=("one-node",),
            left="likely",
        ),
    ),
    "CTRL-15": (
        Fact("discovery does not stop it", {Namespaces: namespace_condition(status="False")}),
        Fact(
            "it was deleted two minutes ago",
            {Namespaces: each("items", lambda n, s: put(n, "metadata.deletion_timestamp", s.ago(minutes=2)))},
        ),
        Fact(
            "it is not being deleted",
            {Namespaces: each("items", lambda n, s: put(n, "metadata.deletion_timestamp", None))},
        ),
        Fact("the API is available", {ApiServices: each("items", undo.available)}, left="likely"),
    ),
    "CTRL-17": (
        Fact("the node was heard of just now", {Heartbeats: undo.beating}),
        Fact("the node is not Ready", {Nodes: undo.of_node(undo.not_ready)}),
    ),
    "ETCD-04": (
        Fact("nothing is rejected", {ControlPlaneLogs: undo.in_logs(undo.not_saying("rejected connection"))}),
        Fact("etcd fails", {ApiHealth: to(ready=False, failed=("etcd",))}),
    ),
    "ETCD-05": (
        Fact("etcd's health checks pass", {ApiHealth: to(ready=True, failed=())}),
        Fact(
            "the address is no member's",
            {Nodes: each("items", without_roles), KubernetesEndpoints: to(addresses=("192.0.2.1",))},
        ),
        Fact("the connections end as those of probes do", {ControlPlaneLogs: undo.in_logs(of_member)}),
        Fact("the lines are of two hours ago", {ControlPlaneLogs: undo.in_logs(undo.older("rejected", hours=2))}),
    ),
    "APISVC-01": (
        AVAILABLE,
        JUST_NOW,
        Fact(
            "its Service does not exist",
            {
                ApiServices: each(
                    "items",
                    lambda a, s: undo.condition(a, "Available", reason="ServiceNotFound") if a.spec.service else a,
                )
            },
        ),
        Fact(
            "the API server serves it itself", {ApiServices: each("items", lambda a, s: put(a, "spec.service", None))}
        ),
        Fact(
            "neither endpoints nor a GET agree",
            {ApiBackends: to(by_service={}), GroupProbes: undo.answering},
            left="likely",
        ),
    ),
    "APISVC-02": (
        AVAILABLE,
        Fact("its Service exists", {ApiBackends: backend(service=Service())}),
        Fact("it was registered a minute ago", {ApiServices: each("items", undo.aged(minutes=1))}),
        Fact(
            "the API server has another complaint",
            {
                ApiServices: each(
                    "items",
                    lambda a, s: undo.condition(a, "Available", reason="FailedDiscoveryCheck") if a.spec.service else a,
                )
            },
        ),
        Fact("nobody looked for the Service", {ApiBackends: to(by_service={})}, left="likely"),
    ),
    "APISVC-03": (
        AVAILABLE,
        JUST_NOW,
        Fact("no endpoint is ready", {ApiBackends: backend(endpoints=None)}),
        Fact(
            "it is the certificate", {ApiServices: said_in_condition("x509: certificate signed by unknown authority")}
        ),
        NO_503,
    ),
    "APISVC-05": (
        Fact(
            "no such group is registered or asked for",
            {ApiServices: group_gone, ControlPlaneLogs: undo.in_logs(undo.not_saying(r"metrics/v|v1alpha1\.metrics"))},
        ),
        Fact(
            "the lines are of two hours ago",
            {ControlPlaneLogs: undo.in_logs(undo.older(r"metrics/v|v1alpha1\.metrics", hours=2))},
            reasons=("requested",),
        ),
        Fact(
            "neither a log nor a GET shows it failing",
            {
                ControlPlaneLogs: undo.in_logs(undo.not_saying(r"metrics/v|v1alpha1\.metrics")),
                GroupProbes: undo.answering,
            },
            reasons=("registered",),
            left="likely",
        ),
    ),
    "APISVC-06": (
        Fact("discovery is complete", {Discovery: to(stale=()), GroupProbes: undo.answering}),
        JUST_NOW,
        Fact(
            "neither the APIService nor a GET agrees",
            {ApiServices: each("items", undo.available), GroupProbes: undo.answering},
            left="likely",
        ),
    ),
    "METRICS-01": (
        Fact("it is registered", {ApiServices: registered}),
        Fact("no metrics are wanted here", {Expectations: to(metrics=False)}),
        Fact("a raw GET answers", {GroupProbes: undo.answering}, left="likely"),
        Fact("nothing needs it", {Hpas: to(items=()), Expectations: to(metrics=None)}, left="quiet"),
    ),
    "METRICS-02": (
        Fact("its pods are ready", {MetricsServer: server_pods(undo.well)}),
        Fact("its pods are half a minute old", {MetricsServer: server_pods(undo.aged(seconds=30))}),
        Fact(
            "the API is available and the log tells of nothing fatal",
            {ApiServices: each("items", undo.available), GroupProbes: undo.answering, Scrapes: nothing_fatal},
            left="likely",
        ),
    ),
    "METRICS-03": (
        Fact("the node is a minute old", {Nodes: undo.of_node(undo.aged(minutes=1))}),
        Fact(
            "the node was switched off on purpose",
            {Nodes: undo.of_node(lambda n, s: undo.not_ready(undo.cordoned(n, s), s))},
        ),
        Fact(
            "it is scraped",
            {
                Scrapes: to(failures=()),
                NodeMetrics: sampled,
                GroupProbes: undo.answering,
                KubeletHealth: undo.well_ports,
            },
            everywhere=True,
        ),
        Fact(
            "its kubelet has been back for five minutes",
            {KubeletHealth: undo.well_ports, HostUnits: undo.kubelet_runs(5)},
            everywhere=True,
        ),
    ),
    "METRICS-04": (
        Fact("only one node fails", {Scrapes: lambda e, s: swap(e, failures=e.failures[:1])}),
        Fact("they fail for other reasons", {Scrapes: failures(reason="timeout")}),
        Fact("it was twice, half an hour ago", {Scrapes: failures(times=2, minutes=29)}),
        Fact(
            "the API is available and has samples",
            {ApiServices: each("items", undo.available), NodeMetrics: sampled},
            left="likely",
        ),
    ),
    "METRICS-06": (
        Fact("the kubelets do not answer at all", {Scrapes: failures(error="context deadline exceeded")}),
        Fact("it was twice, half an hour ago", {Scrapes: failures(times=2, minutes=29)}),
        Fact("the nodes have samples", {NodeMetrics: sampled}, left="likely"),
    ),
    "METRICS-07": (
        Fact("the kubelet's port is closed", {KubeletHealth: lambda h, s: swap(h, serving="refused")}, everywhere=True),
        Fact("the kubelet is back for a minute", {HostUnits: undo.kubelet_runs(1)}, everywhere=True),
        Fact("the last failure is five minutes old", {Scrapes: failures(minutes=5)}),
        Fact("metrics-server was started since", {MetricsServer: server_pods(started_now)}),
        Fact(
            "the API is available and has samples",
            {ApiServices: each("items", undo.available), NodeMetrics: sampled},
        ),
    ),
    "METRICS-10": (
        Fact("its pod is ready", {MetricsServer: server_pods(undo.well)}),
        Fact("its log does not say that it lacks samples", {Scrapes: silent_server}),
        Fact("it was started half a minute ago", {MetricsServer: server_pods(started_now)}),
        Fact("the API is available", {ApiServices: each("items", undo.available)}, left="likely"),
    ),
    "HPA-01": (
        Fact("it scales", {Hpas: hpa(status="True", reason="ValidMetricFound")}),
        Fact("another metric is missing", {Hpas: hpa(reason="FailedGetExternalMetric")}),
        Fact("the pods have no requests", {Hpas: hpa(message="missing request for cpu")}),
        Fact("it changed ten seconds ago", {Hpas: hpa(seconds=10)}),
        Fact("it is a minute old", {Hpas: each("items", undo.aged(minutes=1))}),
        NO_503,
    ),
}
