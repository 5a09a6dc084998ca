"""/metrics-api: is an aggregated API broken, which kubelet or network hop breaks it, who suffers."""

from __future__ import annotations

from bot.model.apis import ApiServices
from bot.model.cluster import Heartbeats, Leaders, Nodes, SystemPods
from bot.model.command import Argument, Command
from bot.model.evidence import Clock
from bot.model.health import is_ready, is_virtual, leaderless, parked, restarts_often, silence
from bot.model.metrics import MetricsServer, NodeMetrics, Scrapes
from bot.model.text import T

MOST = 5
KCM = "kube-controller-manager"


def look_into(
    *,
    nodes: Nodes,
    clock: Clock,
    heartbeats: Heartbeats | None,
    server: MetricsServer | None,
    scrapes: Scrapes | None,
    metrics: NodeMetrics | None,
    leaders: Leaders | None,
    pods: SystemPods | None,
) -> tuple[str, ...]:
    """The nodes that may break metrics, worst first, at most 5; none when all is well.

    Silent nodes first, then nodes that are not ready, nodes with an unready metrics-server pod, nodes that could not
    be scraped or have no sample, and the control-plane nodes when the controller-manager does not work.
    """
    live = [n for n in nodes.items if not parked(n) and not is_virtual(n)]
    silent = {n.name: age for n in live if (age := silence(n.name, heartbeats, clock)) is not None}
    chosen = sorted(silent, key=lambda name: -silent[name])
    chosen += [n.name for n in live if not is_ready(n)]
    chosen += [p.spec.node_name for p in (server.pods if server else ()) if not p.ready and p.spec.node_name]
    chosen += [f.node for f in (scrapes.failures if scrapes else ())]
    if metrics is not None and metrics.sampled:
        chosen += [n.name for n in live if n.name not in metrics.sampled]
    manager = leaders.by_component.get(KCM) if leaders else None
    looping = any(restarts_often(p, clock) for p in (pods.component(KCM) if pods else ()))
    if looping or (manager is not None and leaderless(manager, clock)):
        chosen += [n.name for n in live if n.control_plane]
    known = {n.name for n in live}
    return tuple(dict.fromkeys(name for name in chosen if name in known))[:MOST]


def targets(services: ApiServices) -> tuple[str, ...]:
    """The names of the registered APIServices, the one everybody expects, and the word for all."""
    return ("all", "v1beta1.metrics.k8s.io", *(s.metadata.name for s in services.items))


COMMAND = Command(
    name="metrics-api",
    symptom=T("why kubectl top, an HPA or an aggregated API does not work"),
    owns=("APISVC-*", "METRICS-*", "CTRL-04", "CTRL-07", "CTRL-15"),
    runs=(
        "CTRL-05",
        "CTRL-06",
        "CTRL-08",
        "CTRL-09",
        "CTRL-10",
        "CTRL-12",
        "CTRL-17",
        "ETCD-04",
        "ETCD-05",
        "NODE-01",
        "NODE-02",
        "NODE-03",
        "NODE-04",
        "NODE-05",
        "NODE-06",
        "NODE-07",
        "NODE-08",
        "NODE-10",
        "NODE-12",
        "NODE-14",
        "NODE-15",
        "NODE-23",
        "NODE-24",
        "NODE-30",
        "NODE-31",
        "NODE-35",
        "HYG-03",
        "POD-02",
        "POD-10",
        "POD-16",
        "STOR-01",
        "HPA-01",
    ),
    headlines=("APISVC-0[1-5]", "METRICS-01", "METRICS-*", "APISVC-06", "CTRL-15"),
    target=Argument.APISERVICE,
    target_name="apiservice",
    examples=(
        "/metrics-api",
        "/metrics-api v1beta1.custom.metrics.k8s.io",
        "/metrics-api all",
    ),
    targets=targets,
    look_into=look_into,
)
