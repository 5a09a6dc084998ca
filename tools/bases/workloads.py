"""Controllers, their pods, and the Services in front of them."""

from __future__ import annotations

from datetime import datetime, timedelta

from tools.bases.ids import Obj, condition, iso, obj, owner_of, suffix
from tools.bases.pods import DAEMON, place
from tools.bases.spec import Host
from tools.bases.world import World

ROLLING = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}


def template_of(labels: dict[str, str], spec: Obj) -> Obj:
    """A pod template."""
    return {"metadata": {"labels": labels}, "spec": spec}


def deployment(  # noqa: PLR0917 - in the order in which one says it
    world: World,
    ns: str,
    name: str,
    labels: dict[str, str],
    spec: Obj,
    hosts: list[Host],
    created: datetime,
    *,
    ips: tuple[str, ...] = (),
    selector: dict[str, str] | None = None,
) -> list[Obj]:
    """Add a Deployment, its ReplicaSet and one pod on each of ``hosts``; returns the pods."""
    count = len(hosts)
    match = selector or labels
    deploy = obj(
        "apps/v1",
        "Deployment",
        name,
        ns,
        created=created,
        labels=labels,
        annotations={"deployment.kubernetes.io/revision": "1"},
        generation=1,
        spec={
            "replicas": count,
            "selector": {"matchLabels": match},
            "template": template_of(labels, spec),
            "strategy": ROLLING,
            "revisionHistoryLimit": 10,
            "progressDeadlineSeconds": 600,
        },
    )
    digest = suffix(9, ns, name, "template")
    settled = created + timedelta(seconds=20)
    deploy["status"] = {
        "observedGeneration": 1,
        "replicas": count,
        "updatedReplicas": count,
        "readyReplicas": count,
        "availableReplicas": count,
        "conditions": [
            _progress(
                "Progressing",
                created,
                "NewReplicaSetAvailable",
                f'ReplicaSet "{name}-{digest}" has successfully progressed.',
                settled,
            ),
            _progress(
                "Available", settled, "MinimumReplicasAvailable", "Deployment has minimum availability.", settled
            ),
        ],
    }
    world.add(deploy)
    hashed = {**labels, "pod-template-hash": digest}
    rs = obj(
        "apps/v1",
        "ReplicaSet",
        f"{name}-{digest}",
        ns,
        created=created,
        labels=hashed,
        annotations={
            "deployment.kubernetes.io/desired-replicas": str(count),
            "deployment.kubernetes.io/max-replicas": str(count + 1),
            "deployment.kubernetes.io/revision": "1",
        },
        owner=owner_of(deploy),
        generation=1,
        spec={
            "replicas": count,
            "selector": {"matchLabels": {**match, "pod-template-hash": digest}},
            "template": template_of(hashed, spec),
        },
        status={
            "replicas": count,
            "fullyLabeledReplicas": count,
            "readyReplicas": count,
            "availableReplicas": count,
            "observedGeneration": 1,
        },
    )
    world.add(rs)
    return [
        place(
            world,
            host,
            f"{rs['metadata']['name']}-{suffix(5, ns, name, i)}",
            ns,
            spec,
            labels=hashed,
            owner=owner_of(rs),
            created=created + timedelta(seconds=1),
            generate_name=f"{rs['metadata']['name']}-",
            ip=ips[i] if i < len(ips) else None,
        )
        for i, host in enumerate(hosts)
    ]


def _progress(kind: str, since: datetime, reason: str, message: str, updated: datetime) -> Obj:
    return {**condition(kind, "True", since, reason, message), "lastUpdateTime": iso(updated)}


def daemonset(  # noqa: PLR0917 - in the order in which one says it
    world: World, ns: str, name: str, labels: dict[str, str], spec: Obj, hosts: list[Host], created: datetime
) -> list[Obj]:
    """Add a DaemonSet and one pod on each of ``hosts``; returns the pods."""
    count = len(hosts)
    spec = {**spec, "tolerations": DAEMON}
    ds = obj(
        "apps/v1",
        "DaemonSet",
        name,
        ns,
        created=created,
        labels=labels,
        annotations={"deprecated.daemonset.template.generation": "1"},
        generation=1,
        spec={
            "selector": {"matchLabels": labels},
            "template": template_of(labels, spec),
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}},
            "revisionHistoryLimit": 10,
        },
        status={
            "currentNumberScheduled": count,
            "numberMisscheduled": 0,
            "desiredNumberScheduled": count,
            "numberReady": count,
            "observedGeneration": 1,
            "updatedNumberScheduled": count,
            "numberAvailable": count,
        },
    )
    world.add(ds)
    revision = {"controller-revision-hash": suffix(9, ns, name, "revision"), "pod-template-generation": "1"}
    return [
        place(
            world,
            host,
            f"{name}-{suffix(5, ns, name, host.name)}",
            ns,
            spec,
            labels={**labels, **revision},
            owner=owner_of(ds),
            created=max(created, host.joined) + timedelta(seconds=2),
            generate_name=f"{name}-",
            fields={"affinity": _pinned(host)},
        )
        for host in hosts
    ]


def _pinned(host: Host) -> Obj:
    term = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [host.name]}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}


def statefulset(  # noqa: PLR0917 - in the order in which one says it
    world: World,
    ns: str,
    name: str,
    labels: dict[str, str],
    spec: Obj,
    hosts: list[Host],
    created: datetime,
    *,
    claims: list[Obj],
) -> list[Obj]:
    """Add a StatefulSet and pod ``name-N`` on the N-th of ``hosts``; returns the pods."""
    count = len(hosts)
    revision = f"{name}-{suffix(9, ns, name, 'revision')}"
    sts = obj(
        "apps/v1",
        "StatefulSet",
        name,
        ns,
        created=created,
        labels=labels,
        generation=1,
        spec={
            "replicas": count,
            "selector": {"matchLabels": labels},
            "template": template_of(labels, spec),
            "volumeClaimTemplates": claims,
            "serviceName": name,
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
            "revisionHistoryLimit": 10,
            "persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Retain", "whenScaled": "Retain"},
        },
        status={
            "observedGeneration": 1,
            "replicas": count,
            "readyReplicas": count,
            "currentReplicas": count,
            "updatedReplicas": count,
            "availableReplicas": count,
            "currentRevision": revision,
            "updateRevision": revision,
            "collisionCount": 0,
        },
    )
    world.add(sts)
    made = []
    for i, host in enumerate(hosts):
        volumes = [
            {
                "name": c["metadata"]["name"],
                "persistentVolumeClaim": {"claimName": f"{c['metadata']['name']}-{name}-{i}"},
            }
            for c in claims
        ]
        pod_labels = {
            **labels,
            "apps.kubernetes.io/pod-index": str(i),
            "controller-revision-hash": revision,
            "statefulset.kubernetes.io/pod-name": f"{name}-{i}",
        }
        made.append(
            place(
                world,
                host,
                f"{name}-{i}",
                ns,
                {**spec, "hostname": f"{name}-{i}", "subdomain": name, "volumes": [*spec.get("volumes", []), *volumes]},
                labels=pod_labels,
                owner=owner_of(sts),
                created=created + timedelta(seconds=2 + 30 * i),
                generate_name=f"{name}-",
            )
        )
    return made
