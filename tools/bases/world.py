"""A cluster while it is being described: its objects by the file they belong to, its pods, its logs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.bases.ids import Obj, iso
from tools.bases.spec import RECORDED, Cluster, Host

BASE = "cluster-resources"


OWN = "kubewhy/cluster-resources"


CLUSTER_KINDS = {
    ("v1", "Node"): f"{BASE}/nodes.json",
    ("v1", "Namespace"): f"{BASE}/namespaces.json",
    ("v1", "PersistentVolume"): f"{BASE}/pvs.json",
    ("storage.k8s.io/v1", "StorageClass"): f"{BASE}/storage-classes.json",
    ("networking.k8s.io/v1", "IngressClass"): f"{BASE}/ingress-classes.json",
    ("scheduling.k8s.io/v1", "PriorityClass"): f"{BASE}/priorityclasses.json",
    ("rbac.authorization.k8s.io/v1", "ClusterRole"): f"{BASE}/clusterroles.json",
    ("rbac.authorization.k8s.io/v1", "ClusterRoleBinding"): f"{BASE}/clusterrolebindings.json",
    ("storage.k8s.io/v1", "VolumeAttachment"): f"{BASE}/volumeattachments.json",
    ("certificates.k8s.io/v1", "CertificateSigningRequest"): f"{BASE}/certificatesigningrequests.json",
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"): f"{BASE}/custom-resource-definitions.json",
    ("admissionregistration.k8s.io/v1", "ValidatingWebhookConfiguration"): (
        f"{BASE}/validating-webhook-configurations.json"
    ),
    ("admissionregistration.k8s.io/v1", "MutatingWebhookConfiguration"): f"{BASE}/mutating-webhook-configurations.json",
    ("apiregistration.k8s.io/v1", "APIService"): f"{OWN}/apiservices.json",
    ("storage.k8s.io/v1", "CSIDriver"): f"{OWN}/csidrivers.json",
    ("storage.k8s.io/v1", "CSINode"): f"{OWN}/csinodes.json",
    ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema"): f"{OWN}/flowschemas.json",
    ("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration"): f"{OWN}/prioritylevelconfigurations.json",
    ("networking.k8s.io/v1", "ServiceCIDR"): f"{OWN}/servicecidrs.json",
    ("networking.k8s.io/v1", "IPAddress"): f"{OWN}/ipaddresses.json",
    ("node.k8s.io/v1", "RuntimeClass"): f"{OWN}/runtimeclasses.json",
    ("metrics.k8s.io/v1beta1", "NodeMetrics"): f"{OWN}/nodemetrics.json",
}


NAMESPACED_KINDS = {
    ("v1", "Pod"): f"{BASE}/pods",
    ("v1", "Service"): f"{BASE}/services",
    ("v1", "Endpoints"): f"{BASE}/endpoints",
    ("discovery.k8s.io/v1", "EndpointSlice"): f"{BASE}/endpointslices",
    ("apps/v1", "Deployment"): f"{BASE}/deployments",
    ("apps/v1", "ReplicaSet"): f"{BASE}/replicasets",
    ("apps/v1", "StatefulSet"): f"{BASE}/statefulsets",
    ("apps/v1", "DaemonSet"): f"{BASE}/daemonsets",
    ("batch/v1", "Job"): f"{BASE}/jobs",
    ("batch/v1", "CronJob"): f"{BASE}/cronjobs",
    ("networking.k8s.io/v1", "Ingress"): f"{BASE}/ingress",
    ("networking.k8s.io/v1", "NetworkPolicy"): f"{BASE}/network-policy",
    ("v1", "ResourceQuota"): f"{BASE}/resource-quota",
    ("v1", "LimitRange"): f"{BASE}/limitranges",
    ("policy/v1", "PodDisruptionBudget"): f"{BASE}/pod-disruption-budgets",
    ("v1", "PersistentVolumeClaim"): f"{BASE}/pvcs",
    ("v1", "ConfigMap"): f"{BASE}/configmaps",
    ("v1", "ServiceAccount"): f"{BASE}/serviceaccounts",
    ("coordination.k8s.io/v1", "Lease"): f"{BASE}/leases",
    ("rbac.authorization.k8s.io/v1", "Role"): f"{BASE}/roles",
    ("rbac.authorization.k8s.io/v1", "RoleBinding"): f"{BASE}/rolebindings",
    ("v1", "Event"): f"{BASE}/events",
    ("autoscaling/v2", "HorizontalPodAutoscaler"): f"{OWN}/hpas",
    ("v1", "ReplicationController"): f"{OWN}/replicationcontrollers",
    ("storage.k8s.io/v1", "CSIStorageCapacity"): f"{OWN}/csistoragecapacities",
    ("metrics.k8s.io/v1beta1", "PodMetrics"): f"{OWN}/podmetrics",
}


class World:
    """The recorded cluster under construction.

    Attributes:
        spec: what it is made from.
        texts: every other file: relative path → content.
        absent: kinds that this cluster does not have at all.
    """

    def __init__(self, spec: Cluster) -> None:
        self.spec = spec
        self.texts: dict[str, str] = {"kubewhy/recorded-at": f"{iso(RECORDED)}\n"}
        self.absent: set[tuple[str, str]] = set()
        self._objects: list[Obj] = []
        self._pod_ips: dict[str, int] = {}

    def add(self, item: Obj) -> Obj:
        """Keep an object and return it."""
        self._objects.append(item)
        return item

    def all(self, kind: str) -> list[Obj]:
        """All objects of a kind."""
        return [o for o in self._objects if o["kind"] == kind]

    def pods_on(self, host: Host) -> list[Obj]:
        """The pods of one node."""
        return [p for p in self.all("Pod") if p["spec"]["nodeName"] == host.name]

    def next_pod_ip(self, host: Host) -> str:
        """The next free pod address of a host."""
        last = self._pod_ips.get(host.name, 1 if not host.nic else 19) + 1
        self._pod_ips[host.name] = last
        return f"{host.pods}.{last}"

    def log(self, pod: Obj, container: str, lines: list[str]) -> None:
        """Record the log of a container."""
        where = f"{BASE}/pods/logs/{pod['metadata']['namespace']}/{pod['metadata']['name']}/{container}.log"
        self.texts[where] = "".join(f"{line}\n" for line in lines)

    def json(self, path: str, value: Any) -> None:
        """Record a JSON file."""
        self.texts[path] = dump(value)

    def files(self) -> dict[str, str]:
        """The whole bundle: relative path → content. Every kind is recorded, for an empty List is knowledge too."""
        found = dict(self.texts)
        namespaces = [n["metadata"]["name"] for n in self.all("Namespace")]
        for (api, kind), path in CLUSTER_KINDS.items():
            if (api, kind) not in self.absent:
                found[path] = self._list(api, kind, None)
        for (api, kind), folder in NAMESPACED_KINDS.items():
            for ns in namespaces:
                if (api, kind) not in self.absent:
                    found[f"{folder}/{ns}.json"] = self._list(api, kind, ns)
        return found

    def _list(self, api: str, kind: str, ns: str | None) -> str:
        mine = [
            o
            for o in self._objects
            if (o["apiVersion"], o["kind"]) == (api, kind) and o["metadata"].get("namespace") == ns
        ]
        mine.sort(key=lambda o: str(o["metadata"]["name"]))
        return dump(
            {"kind": f"{kind}List", "apiVersion": api, "metadata": {"resourceVersion": "8412077"}, "items": mine}
        )


def dump(value: Any) -> str:
    """JSON as committed: readable in a diff."""
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


def write(root: Path, files: dict[str, str]) -> None:
    """Make ``root`` hold exactly these files."""
    for path, text in files.items():
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")
    for old in stale(root, files):
        (root / old).unlink()


def stale(root: Path, files: dict[str, str]) -> list[str]:
    """Files below ``root`` that are no part of the bundle."""
    return [
        p.relative_to(root).as_posix()
        for p in root.rglob("*")
        if p.is_file() and p.relative_to(root).as_posix() not in files
    ]
