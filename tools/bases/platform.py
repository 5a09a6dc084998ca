"""What the API server itself keeps: namespaces, accounts, roles, configuration, and its own health."""

from __future__ import annotations

from datetime import timedelta

from tools.bases.common import NAMESPACES
from tools.bases.config import CA, add_config_maps
from tools.bases.health import add_health
from tools.bases.ids import ago, born, hexid, iso, obj
from tools.bases.rbac import add_roles
from tools.bases.world import World


def add_platform(world: World) -> None:
    """Add everything that is no workload."""
    for name in NAMESPACES:
        world.add(
            obj(
                "v1",
                "Namespace",
                name,
                created=born(7),
                labels={"kubernetes.io/metadata.name": name},
                spec={"finalizers": ["kubernetes"]},
                status={"phase": "Active"},
            )
        )
        world.add(obj("v1", "ConfigMap", "kube-root-ca.crt", name, created=born(35), data={"ca.crt": CA}))
    _accounts(world)
    add_config_maps(world)
    add_roles(world)
    _priorities(world)
    _events(world)
    add_health(world)
    if not world.spec.legacy:
        _service_network(world)


def _accounts(world: World) -> None:
    used = {(p["metadata"]["namespace"], p["spec"].get("serviceAccountName")) for p in world.all("Pod")}
    used |= {(ns, "default") for ns in NAMESPACES} | {("kubewhy", "kubewhy"), ("kube-system", "node-controller")}
    for ns, name in sorted((n, s) for n, s in used if s):
        world.add(obj("v1", "ServiceAccount", name, ns, created=born(35)))


def _priorities(world: World) -> None:
    for name, value in (("system-cluster-critical", 2000000000), ("system-node-critical", 2000001000)):
        world.add(
            obj(
                "scheduling.k8s.io/v1",
                "PriorityClass",
                name,
                created=born(6),
                value=value,
                preemptionPolicy="PreemptLowerPriority",
                description="Used for system critical pods.",
            )
        )


def _events(world: World) -> None:
    """The few events of a quiet hour: a routine rescale that is long done."""
    if world.spec.legacy:
        return
    when = ago(2400)
    hpa = world.all("HorizontalPodAutoscaler")[0]["metadata"]
    world.add(
        obj(
            "v1",
            "Event",
            f"web.{hexid(16, 'event', world.spec.name)}",
            "shop",
            created=when,
            involvedObject={
                "kind": "HorizontalPodAutoscaler",
                "namespace": "shop",
                "name": "web",
                "uid": hpa["uid"],
                "apiVersion": "autoscaling/v2",
            },
            reason="SuccessfulRescale",
            message="New size: 3; reason: All metrics below target",
            source={"component": "horizontal-pod-autoscaler"},
            firstTimestamp=iso(when),
            lastTimestamp=iso(when),
            count=1,
            type="Normal",
            eventTime=None,
            reportingComponent="horizontal-pod-autoscaler",
            reportingInstance="",
        )
    )


def _service_network(world: World) -> None:
    world.add(
        obj(
            "networking.k8s.io/v1",
            "ServiceCIDR",
            "kubernetes",
            created=born(8),
            finalizers=["networking.k8s.io/service-cidr-finalizer"],
            spec={"cidrs": [world.spec.service_cidr]},
            status={
                "conditions": [
                    {
                        "type": "Ready",
                        "status": "True",
                        "lastTransitionTime": iso(born(8)),
                        "reason": "",
                        "message": "Kubernetes Service CIDR is ready",
                    }
                ]
            },
        )
    )
    for svc in world.all("Service"):
        ip = svc["spec"]["clusterIP"]
        if ip == "None":
            continue
        parent = {
            "group": "",
            "resource": "services",
            "namespace": svc["metadata"]["namespace"],
            "name": svc["metadata"]["name"],
        }
        labels = {
            "ipaddress.kubernetes.io/ip-family": "IPv4",
            "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        }
        world.add(
            obj(
                "networking.k8s.io/v1",
                "IPAddress",
                ip,
                created=born(9) + timedelta(seconds=1),
                labels=labels,
                spec={"parentRef": parent},
            )
        )
