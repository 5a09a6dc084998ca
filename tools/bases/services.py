"""Services with their endpoints, and disruption budgets."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from datetime import datetime, timedelta

from tools.bases.ids import Obj, ago, clean, condition, iso, obj, owner_of, suffix
from tools.bases.world import World


def service(  # noqa: PLR0917 - in the order in which one says it
    world: World,
    ns: str,
    name: str,
    ip: str,
    ports: list[tuple[str, int, int, str]],
    pods: list[Obj],
    created: datetime,
    *,
    selector: dict[str, str],
    labels: dict[str, str] | None = None,
    target: dict[str, int | str] | None = None,
    annotations: dict[str, str] | None = None,
) -> Obj:
    """Add a Service with its Endpoints and EndpointSlice.

    ``ip`` is the ClusterIP or ``None`` for a headless one; a port is its name, number, the pods' number and protocol; ``target``
    gives the ``targetPort`` of a port where it is a name.
    """
    named = target or {}
    declared = [
        {"name": n, "protocol": proto, "port": port, "targetPort": named.get(n, to)} for n, port, to, proto in ports
    ]
    svc = obj(
        "v1",
        "Service",
        name,
        ns,
        created=created,
        labels=labels,
        annotations=annotations,
        spec={
            "ports": declared,
            "selector": selector,
            "clusterIP": ip,
            "clusterIPs": [ip],
            "type": "ClusterIP",
            "sessionAffinity": "None",
            "ipFamilies": ["IPv4"],
            "ipFamilyPolicy": "SingleStack",
            "internalTrafficPolicy": "Cluster",
        },
        status={"loadBalancer": {}},
    )
    world.add(svc)
    endpoints(world, svc, [(n, to, proto) for n, _port, to, proto in ports], pods)
    return svc


def endpoints(world: World, svc: Obj, ports: list[tuple[str, int, str]], pods: list[Obj]) -> None:
    """Add the Endpoints and the EndpointSlice of a Service."""
    ns, name = svc["metadata"]["namespace"], svc["metadata"]["name"]
    given = svc["metadata"].get("labels", {})
    headless = {"service.kubernetes.io/headless": ""} if svc["spec"]["clusterIP"] == "None" else {}
    created = ago(0) if not pods else _ready_time(pods)
    shown = [clean(name=n, port=p, protocol=proto) for n, p, proto in ports]
    world.add(
        obj(
            "v1",
            "Endpoints",
            name,
            ns,
            created=created,
            labels={**given, **headless, "endpoints.kubernetes.io/managed-by": "endpoint-controller"},
            annotations={"endpoints.kubernetes.io/last-change-trigger-time": iso(created)},
            subsets=[{"addresses": [_address(p) for p in pods], "ports": shown}] if pods else None,
        )
    )
    world.add(
        obj(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            f"{name}-{suffix(5, ns, name, 'slice')}",
            ns,
            created=created,
            generate_name=f"{name}-",
            generation=len(pods) + 1,
            labels={
                **given,
                **headless,
                "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                "kubernetes.io/service-name": name,
            },
            annotations={"endpoints.kubernetes.io/last-change-trigger-time": iso(created)},
            owner=owner_of(svc),
            addressType="IPv4",
            endpoints=[_endpoint(world, p) for p in pods],
            ports=shown,
        )
    )


def _ready_time(pods: list[Obj]) -> datetime:
    text = max(str(p["status"]["startTime"]) for p in pods)
    return datetime.fromisoformat(text) + timedelta(seconds=12)


def _ref(pod: Obj) -> Obj:
    meta = pod["metadata"]
    return {"kind": "Pod", "namespace": meta["namespace"], "name": meta["name"], "uid": meta["uid"]}


def _address(pod: Obj) -> Obj:
    return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": _ref(pod)}


def _endpoint(world: World, pod: Obj) -> Obj:
    return clean(
        addresses=[pod["status"]["podIP"]],
        conditions={"ready": True, "serving": True, "terminating": False},
        hostname=pod["spec"].get("hostname"),
        targetRef=_ref(pod),
        nodeName=pod["spec"]["nodeName"],
        zone=world.spec.host(pod["spec"]["nodeName"]).zone or None,
    )


def budget(world: World, ns: str, name: str, labels: dict[str, str], pods: int, created: datetime) -> None:  # noqa: PLR0917 - in the order in which one says it
    """Add a PodDisruptionBudget that allows one pod to go."""
    world.add(
        obj(
            "policy/v1",
            "PodDisruptionBudget",
            name,
            ns,
            created=created,
            generation=1,
            spec={"minAvailable": pods - 1, "selector": {"matchLabels": labels}},
            status={
                "observedGeneration": 1,
                "disruptionsAllowed": 1,
                "currentHealthy": pods,
                "desiredHealthy": pods - 1,
                "expectedPods": pods,
                "conditions": [
                    {
                        **condition("DisruptionAllowed", "True", created + timedelta(seconds=30), "SufficientPods", ""),
                        "message": "",
                        "observedGeneration": 1,
                    }
                ],
            },
        )
    )
