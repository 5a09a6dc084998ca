"""Leases: heartbeats of nodes, leaders, API servers."""

from __future__ import annotations

from tools.bases.ids import Obj, ago, born, micro, obj, owner_of, suffix, uid
from tools.bases.spec import Host
from tools.bases.world import World


def node_lease(host: Host, node: Obj) -> Obj:
    """The heartbeat of a node."""
    owner = owner_of(node)
    return obj(
        "coordination.k8s.io/v1",
        "Lease",
        host.name,
        "kube-node-lease",
        created=host.joined,
        owner={k: v for k, v in owner.items() if k not in ("controller", "blockOwnerDeletion")},
        spec={
            "holderIdentity": host.name,
            "leaseDurationSeconds": 40,
            "renewTime": micro(ago(0.7 + 1.37 * host.number)),
        },
    )


def leader_lease(name: str, holder: str, seconds: float) -> Obj:
    """The Lease of an elected leader, renewed ``seconds`` ago."""
    return obj(
        "coordination.k8s.io/v1",
        "Lease",
        name,
        "kube-system",
        created=born(30),
        spec={
            "acquireTime": micro(born(31.482211)),
            "holderIdentity": f"{holder}_{uid('leader', name, holder)}",
            "leaseDurationSeconds": 15,
            "leaseTransitions": 0,
            "renewTime": micro(ago(seconds)),
        },
    )


def apiserver_lease(world: World, host: Host) -> Obj:
    """The identity Lease of one API server."""
    digest = suffix(26, "apiserver", host.name)
    return obj(
        "coordination.k8s.io/v1",
        "Lease",
        f"apiserver-{digest}",
        "kube-system",
        created=host.joined,
        labels={
            "apiserver.kubernetes.io/identity": "kube-apiserver",
            "kubernetes.io/hostname": host.name,
        },
        spec={
            "holderIdentity": f"apiserver-{digest}_{uid('apiserver', world.spec.name, host.name)}",
            "leaseDurationSeconds": 3600,
            "renewTime": micro(ago(4.2 + host.number)),
        },
    )
