"""The bases themselves."""

from __future__ import annotations

from tools.bases.spec import Cluster, Host


def _hosts(
    masters: int, workers: list[str], subnet: str, *, pods: str = "10.244", zones: tuple[str, ...] = ("",)
) -> tuple[Host, ...]:
    """Machines at ``subnet.11``, ``.12`` …, masters first, each with a pod network of its own."""
    names = [f"master-{i + 1}" for i in range(masters)] + workers
    return tuple(
        Host(
            name=name,
            number=i + 1,
            ip=f"{subnet}.{11 + i}",
            pods=f"{pods}.{i}",
            control_plane=i < masters,
            zone=zones[i % len(zones)],
            cpu=4 if i < masters else 8,
            memory=8131892 if i < masters else 32865424,
        )
        for i, name in enumerate(names)
    )


def _cloud_hosts() -> tuple[Host, ...]:
    """Two NICs each: the host's own, and eth1 in the pod subnet of the host's zone."""
    plan = (("master-1", 90), ("node-a", 98), ("node-b", 102), ("node-c", 106), ("node-d", 110))
    return tuple(
        Host(
            name=name,
            number=i + 1,
            ip=f"10.0.0.{5 + i}",
            pods=f"10.176.{third}",
            nic=f"10.176.{third}.10",
            control_plane=name.startswith("master"),
            zone=f"eu-central-1{'abc'[i % 3]}",
            cpu=8,
            memory=32865424,
        )
        for i, (name, third) in enumerate(plan)
    )


KUBEADM = Cluster(
    name="kubeadm-5",
    version="v1.34.2",
    cni="flannel",
    endpoint="10.0.0.11:6443",
    hosts=_hosts(1, ["node-1", "node-2", "node-3", "node-4"], "10.0.0"),
    service_cidr="10.96.0.0/12",
    pod_cidr="10.244.0.0/16",
    upstreams=("10.0.0.2", "10.0.0.3"),
    dns_on=("node-1", "node-2"),
    metrics_on=("node-4",),
)


HA = Cluster(
    name="ha",
    version="v1.34.2",
    cni="flannel",
    endpoint="10.0.0.100:6443",
    hosts=_hosts(3, ["node-1", "node-2", "node-3"], "10.0.0", zones=("eu-west-1a", "eu-west-1b", "eu-west-1c")),
    service_cidr="10.96.0.0/12",
    pod_cidr="10.244.0.0/16",
    upstreams=("10.0.0.2", "10.0.0.3"),
    dns_on=("node-1", "node-2"),
    metrics_on=("node-2", "node-3"),
)


OVERLAY = Cluster(
    name="overlay-cni",
    version="v1.34.2",
    cni="calico",
    endpoint="10.0.0.11:6443",
    hosts=_hosts(1, ["node-a", "node-b", "node-c"], "10.0.0", pods="192.168"),
    service_cidr="10.96.0.0/12",
    pod_cidr="192.168.0.0/16",
    upstreams=("10.0.0.2", "10.0.0.3"),
    dns_on=("node-a", "node-b"),
    metrics_on=("node-c",),
)


CLOUD = Cluster(
    name="cloud-cni",
    version="v1.34.2",
    cni="ipamd",
    endpoint="10.0.0.5:6443",
    hosts=_cloud_hosts(),
    service_cidr="192.168.0.0/16",
    pod_cidr="10.176.0.0/16",
    upstreams=("10.16.16.16", "172.16.16.16"),
    dns_on=("node-b", "node-c"),
    metrics_on=("node-d",),
    csi="diskplugin.csi.alibabacloud.com",
    answers={
        "example-api.com": ("203.0.113.20",),
        "db.example.com": ("10.176.46.4",),
        "oss.example.com": ("10.219.226.17",),
        "registry.example.com": ("203.0.113.30",),
        "example.com": ("203.0.113.10",),
    },
)


LEGACY = Cluster(
    name="legacy-18",
    version="v1.8.15",
    cni="flannel",
    endpoint="10.0.0.11:6443",
    hosts=_hosts(1, ["node-1", "node-2", "node-3", "node-4"], "10.0.0"),
    service_cidr="10.96.0.0/12",
    pod_cidr="10.244.0.0/16",
    upstreams=("10.0.0.2", "10.0.0.3"),
    dns_on=("node-1", "node-2"),
    metrics_on=("node-4",),
    legacy=True,
)


CLUSTERS = (KUBEADM, HA, OVERLAY, CLOUD, LEGACY)
