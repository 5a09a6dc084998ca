"""Pods as the kubelet reports them: running, ready, never restarted."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tools.bases.ids import Obj, clean, condition, hexid, iso, obj, suffix
from tools.bases.spec import Host
from tools.bases.world import World

NOT_READY = [
    {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
    {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300},
]


DAEMON = [
    {"operator": "Exists"},
    {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/disk-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/pid-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/network-unavailable", "operator": "Exists", "effect": "NoSchedule"},
]


PRIORITY = {"system-node-critical": 2000001000, "system-cluster-critical": 2000000000}


TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a mount path


def probe(path: str, port: int | str, *, scheme: str = "HTTP", period: int = 10, delay: int = 0, **more: Any) -> Obj:
    """An HTTP probe with the API server's defaults filled in."""
    return clean(
        httpGet={"path": path, "port": port, "scheme": scheme},
        initialDelaySeconds=delay or None,
        timeoutSeconds=more.get("timeout", 1),
        periodSeconds=period,
        successThreshold=1,
        failureThreshold=more.get("failures", 3),
    )


def container(
    name: str, image: str, *, ports: dict[str, int] | None = None, udp: tuple[str, ...] = (), **more: Any
) -> Obj:
    """A container of a pod template; ``ports`` by name, ``udp`` the names of those that are UDP."""
    declared = [
        {"name": n, "containerPort": p, "protocol": "UDP" if n in udp else "TCP"} for n, p in (ports or {}).items()
    ]
    return clean(
        name=name,
        image=image,
        command=more.pop("command", None),
        args=more.pop("args", None),
        ports=declared,
        env=more.pop("env", None),
        resources=more.pop("resources", {"requests": {"cpu": "50m", "memory": "64Mi"}}),
        volumeMounts=more.pop("mounts", None),
        **more,
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy=more.get("terminationMessagePolicy", "File"),
        imagePullPolicy="IfNotPresent",
    )


def spec(containers: list[Obj], **more: Any) -> Obj:
    """A pod spec as a template holds it.

    Known in ``more``: ``sa``, ``host_network``, ``priority`` (class), ``volumes``, ``init``, ``tolerations``, ``dns_policy``,
    ``selector``, ``fields``.
    """
    host_network = more.get("host_network", False)
    return clean(
        volumes=more.get("volumes"),
        initContainers=more.get("init"),
        containers=containers,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy=more.get("dns_policy", "ClusterFirst"),
        nodeSelector=more.get("selector", {"kubernetes.io/os": "linux"}),
        serviceAccountName=more.get("sa"),
        serviceAccount=more.get("sa"),
        hostNetwork=True if host_network else None,
        schedulerName="default-scheduler",
        tolerations=more.get("tolerations"),
        priorityClassName=more.get("priority"),
        **more.get("fields", {}),
    )


def place(
    world: World,
    host: Host,
    name: str,
    ns: str,
    template: Obj,
    *,
    labels: dict[str, str],
    owner: Obj,
    created: datetime,
    **more: Any,
) -> Obj:
    """Add a running pod of the template on a host.

    Known in ``more``: ``ip``, ``static`` (a mirror pod), ``generate_name``, ``annotations``, ``fields`` (of the spec).
    """
    static = more.get("static", False)
    body = {**template, **more.get("fields", {}), "nodeName": host.name}
    if not static:
        body = _admitted(body, ns, name, world.spec.legacy)
    ip = host.ip if body.get("hostNetwork") else more.get("ip") or world.next_pod_ip(host)
    pod = obj(
        "v1",
        "Pod",
        name,
        ns,
        created=created,
        labels=labels,
        annotations=more.get("annotations"),
        owner=owner,
        generate_name=more.get("generate_name"),
        generation=1,
        spec=body,
    )
    pod["status"] = _status(world, pod, host, ip, created)
    return world.add(pod)


def _admitted(body: Obj, ns: str, name: str, legacy: bool) -> Obj:
    """What admission adds: the service account, its token, priority and default tolerations."""
    sa = body.get("serviceAccountName", "default")
    volume = f"kube-api-access-{suffix(5, ns, name, 'token')}"
    mount = {"name": volume, "readOnly": True, "mountPath": TOKEN}
    token = (
        _projected(volume)
        if not legacy
        else {"name": volume, "secret": {"secretName": f"{sa}-token-{suffix(5, ns, sa)}", "defaultMode": 420}}
    )
    added = {
        "volumes": [*body.get("volumes", []), token],
        "containers": [{**c, "volumeMounts": [*c.get("volumeMounts", []), mount]} for c in body["containers"]],
        "serviceAccountName": sa,
        "serviceAccount": sa,
        "tolerations": [*body.get("tolerations", []), *([] if body.get("tolerations") == DAEMON else NOT_READY)],
        "priority": PRIORITY.get(body.get("priorityClassName", ""), 0),
        "preemptionPolicy": "PreemptLowerPriority",
        "enableServiceLinks": True,
    }
    return {**body, **added}


def _projected(volume: str) -> Obj:
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {
            "downwardAPI": {
                "items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]
            }
        },
    ]
    return {"name": volume, "projected": {"sources": sources, "defaultMode": 420}}


def _status(world: World, pod: Obj, host: Host, ip: str, created: datetime) -> Obj:
    running = created + timedelta(seconds=4)
    ready = created + timedelta(seconds=12)
    kinds = [
        ("PodReadyToStartContainers", running),
        ("Initialized", running),
        ("Ready", ready),
        ("ContainersReady", ready),
        ("PodScheduled", created),
    ]
    first = 1 if world.spec.legacy else 0
    return clean(
        observedGeneration=1 if not world.spec.legacy else None,
        phase="Running",
        conditions=[condition(k, "True", when) for k, when in kinds[first:]],
        hostIP=host.ip,
        hostIPs=[{"ip": host.ip}],
        podIP=ip,
        podIPs=[{"ip": ip}],
        startTime=iso(created),
        initContainerStatuses=[
            _container(world, pod, c, running, ended=True) for c in pod["spec"].get("initContainers", [])
        ],
        containerStatuses=[_container(world, pod, c, running) for c in pod["spec"]["containers"]],
        qosClass=qos(pod["spec"]["containers"]),
    )


def container_id(pod: Obj, name: str) -> str:
    """The runtime's id of a container: 64 hex digits."""
    return hexid(64, "container", pod["metadata"]["uid"], name)


def image_id(image: str) -> str:
    """The digest of an image, with its repository."""
    return f"{image.rsplit(':', 1)[0]}@sha256:{hexid(64, 'image', image)}"


def _container(world: World, pod: Obj, item: Obj, started: datetime, *, ended: bool = False) -> Obj:
    runtime = "docker" if world.spec.legacy else "containerd"
    cid = f"{runtime}://{container_id(pod, item['name'])}"
    image_prefix = "docker-pullable://" if world.spec.legacy else ""
    state: Obj = {"running": {"startedAt": iso(started)}}
    if ended:
        state = {
            "terminated": {
                "exitCode": 0,
                "reason": "Completed",
                "startedAt": iso(started),
                "finishedAt": iso(started + timedelta(seconds=1)),
                "containerID": cid,
            }
        }
    return {
        "name": item["name"],
        "state": state,
        "lastState": {},
        "ready": True,
        "restartCount": 0,
        "image": item["image"],
        "imageID": image_prefix + image_id(item["image"]),
        "containerID": cid,
        "started": not ended,
    }


def qos(containers: list[Obj]) -> str:
    """The quality-of-service class that the kubelet computes."""
    resources = [c.get("resources", {}) for c in containers]
    if not any(resources):
        return "BestEffort"
    whole = all(set(r.get("limits", {})) == {"cpu", "memory"} and r["limits"] == r.get("requests") for r in resources)
    return "Guaranteed" if whole else "Burstable"
