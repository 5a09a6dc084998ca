"""The volume of the database, from its claim to the node it is attached to."""

from __future__ import annotations

from datetime import timedelta

from tools.bases.ids import DAY, born, iso, obj, owner_of, uid
from tools.bases.world import World


def add_volume(world: World, node: str) -> None:
    """The claim of mysql-0: its volume, where it is attached, and the class it came from."""
    driver = world.spec.csi
    created = born(2 * DAY + 1)
    claim_uid = uid("v1", "PersistentVolumeClaim", "shop", "data-mysql-0")
    name = f"pvc-{claim_uid}"
    handle = f"disk-{claim_uid[:12]}"
    world.add(
        obj(
            "storage.k8s.io/v1",
            "StorageClass",
            "standard",
            created=born(400),
            annotations={"storageclass.kubernetes.io/is-default-class": "true"},
            provisioner=driver,
            reclaimPolicy="Delete",
            volumeBindingMode="WaitForFirstConsumer",
            allowVolumeExpansion=True,
        )
    )
    shape = {"accessModes": ["ReadWriteOnce"], "storageClassName": "standard", "volumeMode": "Filesystem"}
    world.add(
        obj(
            "v1",
            "PersistentVolumeClaim",
            "data-mysql-0",
            "shop",
            created=created,
            labels={"app": "mysql"},
            annotations={
                "pv.kubernetes.io/bind-completed": "yes",
                "pv.kubernetes.io/bound-by-controller": "yes",
                "volume.kubernetes.io/selected-node": node,
                "volume.kubernetes.io/storage-provisioner": driver,
            },
            finalizers=["kubernetes.io/pvc-protection"],
            spec={**shape, "resources": {"requests": {"storage": "20Gi"}}, "volumeName": name},
            status={"phase": "Bound", "accessModes": ["ReadWriteOnce"], "capacity": {"storage": "20Gi"}},
        )
    )
    claim_ref = {
        "kind": "PersistentVolumeClaim",
        "namespace": "shop",
        "name": "data-mysql-0",
        "uid": claim_uid,
        "apiVersion": "v1",
        "resourceVersion": "193114",
    }
    attacher = f"external-attacher/{driver.replace('.', '-')}"
    volume = obj(
        "v1",
        "PersistentVolume",
        name,
        created=created + timedelta(seconds=4),
        annotations={"pv.kubernetes.io/provisioned-by": driver},
        finalizers=["external-provisioner.volume.kubernetes.io/finalizer", "kubernetes.io/pv-protection", attacher],
        spec={
            **shape,
            "capacity": {"storage": "20Gi"},
            "csi": {"driver": driver, "volumeHandle": handle, "fsType": "ext4"},
            "claimRef": claim_ref,
            "persistentVolumeReclaimPolicy": "Delete",
        },
        status={"phase": "Bound", "lastPhaseTransitionTime": iso(created + timedelta(seconds=4))},
    )
    world.add(volume)
    world.add(
        obj(
            "storage.k8s.io/v1",
            "VolumeAttachment",
            f"csi-{uid('attach', name, node).replace('-', '') * 2}",
            created=created + timedelta(seconds=6),
            finalizers=[attacher],
            spec={"attacher": driver, "nodeName": node, "source": {"persistentVolumeName": name}},
            status={"attached": True, "attachmentMetadata": {"devicePath": "/dev/sdb"}},
        )
    )


def csi_nodes(world: World) -> None:
    """Which drivers each node's kubelet has registered."""
    for node in world.all("Node"):
        name = node["metadata"]["name"]
        owner = {k: v for k, v in owner_of(node).items() if k not in ("controller", "blockOwnerDeletion")}
        driver = {
            "name": world.spec.csi,
            "nodeID": uid("system", name, world.spec.host(name).ip),
            "topologyKeys": None,
            "allocatable": {"count": 59},
        }
        world.add(
            obj(
                "storage.k8s.io/v1",
                "CSINode",
                name,
                created=world.spec.host(name).joined,
                owner=owner,
                spec={"drivers": [driver]},
            )
        )
