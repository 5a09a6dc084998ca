"""The command lines of the control plane, as kubeadm writes them."""

from __future__ import annotations

from tools.bases.spec import Host
from tools.bases.world import World

IMAGES = "registry.k8s.io"


PKI = "/etc/kubernetes/pki"


def image(world: World, component: str) -> str:
    """The image of a control-plane component."""
    if world.spec.legacy:
        tag = "3.1.10" if component == "etcd" else world.spec.version
        return f"gcr.io/google_containers/{component}-amd64:{tag}"
    return f"{IMAGES}/etcd:3.6.5-0" if component == "etcd" else f"{IMAGES}/{component}:{world.spec.version}"


def flags(world: World, host: Host, component: str) -> list[str]:
    """The command line of a static pod, as kubeadm writes it."""
    service = f"{world.spec.service_cidr}"
    members = ",".join(f"{m.name}=https://{m.ip}:2380" for m in world.spec.masters)
    return {
        "kube-apiserver": [
            "kube-apiserver",
            f"--advertise-address={host.ip}",
            "--allow-privileged=true",
            "--authorization-mode=Node,RBAC",
            f"--client-ca-file={PKI}/ca.crt",
            "--enable-admission-plugins=NodeRestriction",
            "--enable-bootstrap-token-auth=true",
            f"--etcd-cafile={PKI}/etcd/ca.crt",
            f"--etcd-certfile={PKI}/apiserver-etcd-client.crt",
            f"--etcd-keyfile={PKI}/apiserver-etcd-client.key",
            "--etcd-servers=https://127.0.0.1:2379",
            f"--kubelet-client-certificate={PKI}/apiserver-kubelet-client.crt",
            f"--kubelet-client-key={PKI}/apiserver-kubelet-client.key",
            "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
            f"--proxy-client-cert-file={PKI}/front-proxy-client.crt",
            f"--proxy-client-key-file={PKI}/front-proxy-client.key",
            "--requestheader-allowed-names=front-proxy-client",
            f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            "--secure-port=6443",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={PKI}/sa.pub",
            f"--service-account-signing-key-file={PKI}/sa.key",
            f"--service-cluster-ip-range={service}",
            f"--tls-cert-file={PKI}/apiserver.crt",
            f"--tls-private-key-file={PKI}/apiserver.key",
        ],
        "kube-controller-manager": [
            "kube-controller-manager",
            *([] if world.spec.cni == "ipamd" else ["--allocate-node-cidrs=true"]),
            "--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf",
            "--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf",
            "--bind-address=127.0.0.1",
            f"--client-ca-file={PKI}/ca.crt",
            f"--cluster-cidr={world.spec.pod_cidr}",
            f"--cluster-name={'kubernetes'}",
            f"--cluster-signing-cert-file={PKI}/ca.crt",
            f"--cluster-signing-key-file={PKI}/ca.key",
            "--controllers=*,bootstrapsigner,tokencleaner",
            "--kubeconfig=/etc/kubernetes/controller-manager.conf",
            "--leader-elect=true",
            f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
            f"--root-ca-file={PKI}/ca.crt",
            f"--service-account-private-key-file={PKI}/sa.key",
            f"--service-cluster-ip-range={service}",
            "--use-service-account-credentials=true",
        ],
        "kube-scheduler": [
            "kube-scheduler",
            "--authentication-kubeconfig=/etc/kubernetes/scheduler.conf",
            "--authorization-kubeconfig=/etc/kubernetes/scheduler.conf",
            "--bind-address=127.0.0.1",
            "--kubeconfig=/etc/kubernetes/scheduler.conf",
            "--leader-elect=true",
        ],
        "etcd": [
            "etcd",
            f"--advertise-client-urls=https://{host.ip}:2379",
            f"--cert-file={PKI}/etcd/server.crt",
            "--client-cert-auth=true",
            "--data-dir=/var/lib/etcd",
            f"--initial-advertise-peer-urls=https://{host.ip}:2380",
            f"--initial-cluster={members}",
            f"--key-file={PKI}/etcd/server.key",
            f"--listen-client-urls=https://127.0.0.1:2379,https://{host.ip}:2379",
            "--listen-metrics-urls=http://127.0.0.1:2381",
            f"--listen-peer-urls=https://{host.ip}:2380",
            f"--name={host.name}",
            f"--peer-cert-file={PKI}/etcd/peer.crt",
            "--peer-client-cert-auth=true",
            f"--peer-key-file={PKI}/etcd/peer.key",
            f"--peer-trusted-ca-file={PKI}/etcd/ca.crt",
            "--snapshot-count=10000",
            f"--trusted-ca-file={PKI}/etcd/ca.crt",
        ],
    }[component]
