"""What the metrics API says of nodes and pods."""

from __future__ import annotations

from tools.bases.ids import Obj, ago, iso, number
from tools.bases.machine import labels
from tools.bases.spec import Host
from tools.bases.world import World


def add_usage(world: World, host: Host) -> None:
    """Add the sample of a node and of each of its pods."""
    if world.spec.legacy:
        return
    sample = ago(11 + host.number)
    world.add(
        {
            "apiVersion": "metrics.k8s.io/v1beta1",
            "kind": "NodeMetrics",
            "metadata": {"name": host.name, "creationTimestamp": iso(ago(0)), "labels": labels(world, host)},
            "timestamp": iso(sample),
            "window": "20.04s",
            "usage": {
                "cpu": f"{180_000_000 + number(240_000_000, host.name)}n",
                "memory": f"{2_100_000 + number(900_000, host.name)}Ki",
            },
        }
    )
    for pod in world.pods_on(host):
        world.add(_pod_metrics(pod, iso(sample)))


def _pod_metrics(pod: Obj, sample: str) -> Obj:
    meta = pod["metadata"]
    return {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": "PodMetrics",
        "metadata": {
            "name": meta["name"],
            "namespace": meta["namespace"],
            "creationTimestamp": iso(ago(0)),
            "labels": meta.get("labels", {}),
        },
        "timestamp": sample,
        "window": "17.3s",
        "containers": [
            {
                "name": c["name"],
                "usage": {
                    "cpu": f"{2_000_000 + number(30_000_000, meta['name'], c['name'])}n",
                    "memory": f"{18_000 + number(120_000, meta['name'], c['name'])}Ki",
                },
            }
            for c in pod["spec"]["containers"]
        ],
    }
