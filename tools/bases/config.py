"""ConfigMaps of kube-system, and the kubelet configuration they hold."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

import json

from tools.bases.dns import corefile
from tools.bases.ids import born, obj
from tools.bases.world import World

CA = "-----BEGIN CERTIFICATE-----\nMIIDBTCCAe2gAwIBAgIIJfR0m1oNd+YwDQYJKoZIhvcNAQELBQAwFTETMBEGA1UE\n-----END CERTIFICATE-----\n"


def add_config_maps(world: World) -> None:
    """Add the ConfigMaps of kube-system and kube-public."""
    for name, data in _system_config(world).items():
        world.add(obj("v1", "ConfigMap", name, "kube-system", created=born(12), data=data))
    info = (
        f'apiVersion: v1\nclusters:\n- cluster:\n    server: https://{world.spec.endpoint}\n  name: ""\nkind: Config\n'
    )
    world.add(obj("v1", "ConfigMap", "cluster-info", "kube-public", created=born(13), data={"kubeconfig": info}))


def _system_config(world: World) -> dict[str, dict[str, str]]:
    spec = world.spec
    cluster = (
        "apiServer: {}\napiVersion: kubeadm.k8s.io/v1beta4\ncertificatesDir: /etc/kubernetes/pki\nclusterName: kubernetes\n"
        f"controlPlaneEndpoint: {spec.endpoint}\nimageRepository: registry.k8s.io\nkind: ClusterConfiguration\n"
        f"kubernetesVersion: {spec.version}\nnetworking:\n  dnsDomain: cluster.local\n  podSubnet: {spec.pod_cidr}\n"
        f"  serviceSubnet: {spec.service_cidr}\n"
    )
    proxy = (
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nbindAddress: 0.0.0.0\nclientConnection:\n"
        f"  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf\nclusterCIDR: {spec.pod_cidr}\nconntrack:\n  maxPerCore: null\n"
        'kind: KubeProxyConfiguration\nmetricsBindAddress: ""\nmode: ""\n'
    )
    proxy_kubeconfig = (
        "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n"
        "    certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt\n"
        f"    server: https://{spec.endpoint}\n  name: default\n"
    )
    found = {
        "kubeadm-config": {"ClusterConfiguration": cluster},
        "kubelet-config": {"kubelet": kubelet_config(world)},
        "kube-proxy": {"config.conf": proxy, "kubeconfig.conf": proxy_kubeconfig},
        "extension-apiserver-authentication": {
            "client-ca-file": CA,
            "requestheader-allowed-names": '["front-proxy-client"]',
            "requestheader-client-ca-file": CA,
            "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
            "requestheader-group-headers": '["X-Remote-Group"]',
            "requestheader-username-headers": '["X-Remote-User"]',
        },
        **_network_config(world),
    }
    return found | ({} if spec.legacy else {"coredns": {"Corefile": corefile(world)}})


def kubelet_config(world: World) -> str:
    """``/var/lib/kubelet/config.yaml``, the same on every node."""
    driver = "cgroupfs" if world.spec.legacy else "systemd"
    return (
        "apiVersion: kubelet.config.k8s.io/v1beta1\nauthentication:\n  anonymous:\n    enabled: false\n  webhook:\n"
        "    cacheTTL: 0s\n    enabled: true\n  x509:\n    clientCAFile: /etc/kubernetes/pki/ca.crt\nauthorization:\n  mode: Webhook\n"
        f"cgroupDriver: {driver}\nclusterDNS:\n- {world.spec.dns_ip}\nclusterDomain: cluster.local\n"
        + ("" if world.spec.legacy else "containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n")
        + "healthzBindAddress: 127.0.0.1\nhealthzPort: 10248\nkind: KubeletConfiguration\nkubeReserved:\n  cpu: 100m\n"
        "  memory: 256Mi\nresolvConf: /run/systemd/resolve/resolv.conf\nrotateCertificates: true\n"
        "staticPodPath: /etc/kubernetes/manifests\nsystemReserved:\n  cpu: 100m\n  memory: 256Mi\n"
    )


def _network_config(world: World) -> dict[str, dict[str, str]]:
    if world.spec.cni == "flannel":
        conf = {"Network": world.spec.pod_cidr, "EnableNFTables": False, "Backend": {"Type": "vxlan"}}
        return {"kube-flannel-cfg": {"net-conf.json": json.dumps(conf), "cni-conf.json": FLANNEL_CNI}}
    if world.spec.cni == "calico":
        return {"calico-config": {"calico_backend": "vxlan", "typha_service_name": "none", "veth_mtu": "0"}}
    return {"cni-ipamd": {"config": "podNic: eth1\nrouteTable: 2\nreconcileInterval: 60s\n"}}


FLANNEL_CNI = json.dumps(
    {
        "name": "cbr0",
        "cniVersion": "0.3.1",
        "plugins": [
            {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    },
    indent=2,
)
