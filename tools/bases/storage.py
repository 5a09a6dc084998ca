"""The storage driver."""

from __future__ import annotations

from tools.bases.common import NS
from tools.bases.ids import born, obj
from tools.bases.pods import container, spec
from tools.bases.workloads import daemonset, deployment
from tools.bases.world import World


def add_csi(world: World) -> None:
    """Add the CSI driver, its node agents and its controller."""
    driver = world.spec.csi
    short = driver.split(".", maxsplit=1)[0] if driver.startswith("disk") else driver.split(".")[1]
    world.add(
        obj(
            "storage.k8s.io/v1",
            "CSIDriver",
            driver,
            created=born(400),
            spec={
                "attachRequired": True,
                "podInfoOnMount": False,
                "storageCapacity": False,
                "fsGroupPolicy": "ReadWriteOnceWithFSType",
                "requiresRepublish": False,
                "seLinuxMount": False,
                "volumeLifecycleModes": ["Persistent"],
            },
        )
    )
    node = spec(
        [
            container(
                "driver-registrar", "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2.14.0", resources={}
            ),
            container(
                "csi-driver", f"registry.example.com/storage/{short}-csi:v3.5.0", securityContext={"privileged": True}
            ),
        ],
        sa="csi-node",
        host_network=True,
        priority="system-node-critical",
        volumes=[
            {
                "name": "plugin-dir",
                "hostPath": {"path": f"/var/lib/kubelet/plugins/{driver}", "type": "DirectoryOrCreate"},
            }
        ],
    )
    daemonset(world, NS, f"{short}-csi-node", {"app": f"{short}-csi-node"}, node, list(world.spec.hosts), born(400))
    sidecars = {"csi-attacher": "v4.9.0", "csi-provisioner": "v5.3.0", "csi-resizer": "v1.14.0"}
    controller = spec(
        [
            *(container(n, f"registry.k8s.io/sig-storage/{n}:{v}", resources={}) for n, v in sidecars.items()),
            container("csi-driver", f"registry.example.com/storage/{short}-csi:v3.5.0"),
        ],
        sa="csi-controller",
        priority="system-cluster-critical",
    )
    workers = list(world.spec.workers)
    deployment(
        world, NS, f"{short}-csi-controller", {"app": f"{short}-csi-controller"}, controller, [workers[-1]], born(400)
    )
