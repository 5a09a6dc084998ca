"""What only a control-plane host answers, and every certificate of a host."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.flags import PKI, flags, image
from tools.bases.health import health
from tools.bases.host import Out
from tools.bases.host_runtime import cri_ps
from tools.bases.ids import born
from tools.bases.spec import Host
from tools.bases.world import World


def control_plane(world: World, host: Host) -> list[tuple[str, Out]]:
    """The sections that only make sense on a control-plane host."""
    found = [("APILOCAL", Out(f"{health('livez')}{health('readyz')}okok")), ("ETCD", _etcd(host))]
    if not world.spec.legacy:
        found += [("CPS", cri_ps(world, host, component).of(component=component)) for component in COMPONENTS]
        found.append(("CPLOG_LIST", cri_ps(world, host, *COMPONENTS)))
    found += [("MANIFEST_FILE", Out(manifest(world, host, c)).of(component=c)) for c in COMPONENTS]
    return found


COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")


def manifest(world: World, host: Host, component: str) -> str:
    """The manifest of a static pod."""
    words = "".join(f"    - {flag}\n" for flag in flags(world, host, component))
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    component: {component}\n    tier: control-plane\n  name: {component}\n"
        f"  namespace: kube-system\nspec:\n  containers:\n  - command:\n{words}    image: {image(world, component)}\n"
        f"    imagePullPolicy: IfNotPresent\n    name: {component}\n  hostNetwork: true\n  priorityClassName: system-node-critical\n"
    )


def _etcd(host: Host) -> Out:
    leader = 1
    return Out(
        f"etcd_server_has_leader {leader}\netcd_server_leader_changes_seen_total 1\n"
        f"etcd_disk_wal_fsync_duration_seconds_sum {812.4 + host.number:.4f}\netcd_disk_wal_fsync_duration_seconds_count 548211\n"
        "etcd_mvcc_db_total_size_in_bytes 3.8211584e+07\netcd_server_quota_backend_bytes 2.147483648e+09\n"
        '{"health":"true","reason":""}'
    )


LEAVES = (
    "apiserver.crt",
    "apiserver-kubelet-client.crt",
    "apiserver-etcd-client.crt",
    "front-proxy-client.crt",
    "etcd/server.crt",
    "etcd/peer.crt",
    "etcd/healthcheck-client.crt",
)


ROOTS = ("ca.crt", "front-proxy-ca.crt", "etcd/ca.crt")


def certificates(host: Host) -> list[tuple[str, Out]]:
    """CERTS of every certificate file of a host, and of the ports that serve with one."""
    files = [f"{PKI}/{name}" for name in (LEAVES + ROOTS if host.control_plane else ("ca.crt",))]
    files.append("/var/lib/kubelet/pki/kubelet-client-current.pem")
    found = [("CERTS", Out(_certificate(host, f)).of(file=f)) for f in files]
    ports = {10250: f"{host.name}@1793584800"} | (
        {6443: "kube-apiserver", 2379: host.name} if host.control_plane else {}
    )
    for port, subject in ports.items():
        text = f"notAfter={born().replace(year=2027):%b %e %H:%M:%S %Y} GMT\nsubject=CN = {subject}\nX509v3 Subject Alternative Name: \n    DNS:{host.name}, IP Address:{host.ip}\n"
        found.append(("CERTS_PORT", Out(text).of(endpoint=f"{host.ip}:{port}")))
    return found


def _certificate(host: Host, path: str) -> str:
    name = path.removeprefix(f"{PKI}/")
    years = 10 if name in ROOTS else 1
    subject = {
        "apiserver.crt": "CN = kube-apiserver",
        "apiserver-kubelet-client.crt": "O = kubeadm:cluster-admins, CN = kube-apiserver-kubelet-client",
        "apiserver-etcd-client.crt": "CN = kube-apiserver-etcd-client",
        "front-proxy-client.crt": "CN = front-proxy-client",
        "ca.crt": "CN = kubernetes",
        "front-proxy-ca.crt": "CN = front-proxy-ca",
        "etcd/ca.crt": "CN = etcd-ca",
    }.get(name, f"CN = {host.name}" if name.startswith("etcd/") else f"O = system:nodes, CN = system:node:{host.name}")
    begin = born(-600)
    return f"subject={subject}\nnotAfter={begin.replace(year=begin.year + years):%b %e %H:%M:%S %Y} GMT\nnotBefore={begin:%b %e %H:%M:%S %Y} GMT\n"
