"""What every cluster runs in kube-system: proxy, network, DNS, metrics, storage driver."""

from __future__ import annotations

from tools.bases.apis import LOCAL_GROUPS, add_metrics_server, api_service
from tools.bases.dns import add_coredns
from tools.bases.network import add_calico, add_flannel, add_ipamd, add_kube_proxy
from tools.bases.storage import add_csi
from tools.bases.world import World


def add_addons(world: World) -> None:
    """Add everything."""
    add_kube_proxy(world)
    {"flannel": add_flannel, "calico": add_calico, "ipamd": add_ipamd}[world.spec.cni](world)
    if not world.spec.legacy:
        add_coredns(world)
        add_metrics_server(world)
    add_csi(world)
    for name in LOCAL_GROUPS:
        world.add(api_service(name))
