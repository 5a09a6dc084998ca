"""Machines of several distributions, all in the same state, whose answers are the samples of the parsers' tests.

``unshare -n -m .venv/bin/python -m tests.cluster.sampled SYSTEM=TREE...`` (root) starts a control plane, and one after
another a machine from each TREE (made by debootstrap), and stores what ``tools.samples`` asks of it below
tests/unit/parse/captured/SYSTEM. The namespaces keep addresses and names apart from those of the host. The state is the
same everywhere, so that one expectation holds for every system; what is in it: captured/README.md.
"""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from tests.cluster.control_plane import ADDRESS, ControlPlane, sh, until
from tests.cluster.images import image
from tests.cluster.machine import PEM, Machine
from tests.cluster.parts import part
from tools import samples

BUSYBOX = "/bin/busybox"
SETTLE = 25  # seconds until the static pods run and the clock is measured
SHELL = ("env", "-i", "LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-s")
UID = "4242"
POD = """apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: kube-system, labels: {{component: {name}, tier: control-plane}}}}
spec:
  hostNetwork: true
  containers:
  - name: {name}
    image: lab.local/pause:1
    command: ["/bin/busybox", "sh", "-c", "echo {name} started; /bin/busybox nc -l -p {port} -e /bin/busybox cat"]
"""
MORE = """staticPodPath: /etc/kubernetes/manifests
readOnlyPort: 10255
evictionHard:
  memory.available: 100Mi
  nodefs.available: "10%"
imageGCHighThresholdPercent: 85
"""
KUBECONFIG = """apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster:
    server: https://10.77.0.1:6443
users:
- name: admin
  user:
    {certificate}
"""
RUNC = """  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""
DROP_IN = """# written by kubeadm
[Service]
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet --kubeconfig=/etc/kubernetes/kubelet.conf $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS
"""
OLD_LOG = """I1120 23:59:01.000001    1201 server.go:415] Version: v1.13.5
E1120 23:59:02.000002    1201 kubelet.go:2266] node "node1" not found
F1120 23:59:03.000003    1201 server.go:261] failed to run Kubelet: unable to load client CA file
"""
# A clock is measured, and never set: it is the host's.
CHRONY = f"server {ADDRESS} iburst minpoll 1 maxpoll 1\ndriftfile /var/lib/chrony/drift\n"
NTP = f"disable ntp\ndriftfile /var/lib/ntp/drift\nserver {ADDRESS} iburst minpoll 3 maxpoll 3\nrestrict default\n"
SYSCTL = """# made by an administrator
net.ipv4.ip_forward = 1
net/ipv4/conf/all/rp_filter=0
-net.bridge.bridge-nf-call-iptables = 1
"""
TEMPLATE = '{{range .info.runtimeSpec.mounts}}{{if eq .destination "/etc/resolv.conf"}}{{.source}}{{end}}{{end}}'
NETWORK = """
set -x
ip link add cni0 type bridge; ip addr add 10.244.11.1/24 dev cni0; ip link set cni0 up mtu 1450
ip link add flannel.1 type vxlan id 1 dev eth0 dstport 8472 local 10.77.0.11; ip addr add 10.244.11.0/32 dev flannel.1
ip link set flannel.1 up
ip link property add dev eth0 altname enp0s5
ip addr add fd77::11/64 dev eth0 nodad
ip rule add fwmark 0x100/0x300 lookup 1003 priority 1100
ip -6 rule add from fd78::/64 lookup 1002 priority 1000
ip route add blackhole 203.0.113.0/24
ip route add unreachable 192.0.2.0/24 metric 5
ip route add 10.244.12.0/24 via 10.77.0.12 dev eth0 onlink
bridge fdb append 5a:11:22:33:44:55 dev flannel.1 dst 10.77.0.12
ip neigh replace 10.77.0.99 dev eth0 nud failed
sysctl -q -w net.ipv4.conf.eth1.rp_filter=1
"""
STATE = """
set -x
iptables -P FORWARD DROP
iptables -I FORWARD 1 -m comment --comment "an administrator's rule" -s 198.51.100.0/24 -j ACCEPT
chmod 700 /var/lib/kubelet/pki
touch -d '2026-11-20 08:00:00' /var/lib/kubelet/config.yaml.bak /var/lib/kubelet/config.yaml
(exec 3>/var/log/rotated.log; rm /var/log/rotated.log; head -c 1048576 /dev/zero >&3
exec sleep 600 </dev/null >/dev/null 2>&1) &
curl -s -m 2 -k https://10.77.0.1:6443/livez
if command -v docker; then
  systemctl start docker; docker load -q -i /root/pause.tar
  docker run -d --name by-hand --network host lab.local/pause:1
  docker run --name ended --network host lab.local/pause:1 --help
fi
"""


class Sampled(Machine):
    """A node in the state that the expectations of the tests name."""

    source: Path
    options = ("--resolv-conf=off",)
    awake = "[ active = $(systemctl is-active ssh) ] && echo up"

    def origin(self) -> Path:
        """The tree that debootstrap made."""
        return self.source

    def start(self) -> None:
        """As a machine, which may have no container runtime."""
        sh("cp", "-a", str(self.origin()), str(self.tree))
        self._network()
        sys.stderr.write(sh("ip", "netns", "exec", self.name, "sh", "-c", f"exec 2>&1; {NETWORK}", check=False))
        self._files()
        self._thread = threading.Thread(target=self._keep_running, daemon=True)
        self._thread.start()
        until("its shell", lambda: "up" == self.run("sh", "-c", self.awake, check=False).strip(), 90)
        for archive in self._images:
            shutil.copy(archive, self.tree / "root" / archive.name)
            self.run("ctr", "-n", "k8s.io", "images", "import", f"/root/{archive.name}", check=False)
        sys.stderr.write(self.run("sh", "-c", f"exec 2>&1; {STATE}", check=False))

    def _files(self) -> None:
        super()._files()
        for name, port in (("kube-apiserver", 7443), ("etcd", 7379)):
            self.write(f"etc/kubernetes/manifests/{name}.yaml", POD.format(name=name, port=port))
        path = "var/lib/kubelet/config.yaml"
        configured = (self.tree / path).read_text() + MORE
        self.write(path, configured)
        self.write(f"{path}.bak", configured)
        path = "etc/containerd/config.toml"
        self.write(path, (self.tree / path).read_text() + RUNC)
        data = base64.b64encode((self.plane.pki / "admin.crt").read_bytes()).decode()
        held, named = f"client-certificate-data: {data}", f"client-certificate: {PEM}"
        self.write("etc/kubernetes/admin.conf", KUBECONFIG.format(certificate=held))
        self.write("etc/kubernetes/scheduler.conf", KUBECONFIG.format(certificate=named))
        for address in ("10.78.11.130", "10.78.11.131", "last_reserved_ip.0"):
            self.write(f"var/lib/cni/networks/lab/{address}", "0f0f0f0f\neth0")
        self.write("etc/systemd/system/kubelet.service.d/10-kubeadm.conf", DROP_IN)
        for file, line in (("passwd", f"kubewhy:x:{UID}:{UID}::/:/bin/sh\n"), ("group", f"kubewhy:x:{UID}:\n")):
            self.write(f"etc/{file}", (self.tree / "etc" / file).read_text() + line)
        self.write("etc/cni/net.d/.10-lab.conflist.swp", "")
        (self.tree / "opt/cni/bin").mkdir(parents=True, exist_ok=True)
        for plugin in ("bridge", "ptp", "portmap"):
            (self.tree / "opt/cni/bin" / plugin).symlink_to(f"/usr/lib/cni/{plugin}")
        self.write("etc/sysctl.d/99-admin.conf", SYSCTL)
        self.write("etc/resolv.conf", f"nameserver {ADDRESS}\nsearch example.com corp.example.com\noptions ndots:2\n")
        self.write("var/log/kubelet.log", OLD_LOG)
        self.write("var/log/kube-scheduler.log", OLD_LOG)
        self.write("etc/chrony/chrony.conf", CHRONY)
        self.write("etc/default/chrony", 'DAEMON_OPTS="-x -F 0"\n')
        self.write("etc/ntp.conf", NTP)
        self.write("etc/docker/daemon.json", '{"bridge": "none", "iptables": false, "storage-driver": "vfs"}\n')
        (self.tree / "etc/systemd/system/multi-user.target.wants/docker.service").unlink(missing_ok=True)

    def ask(self, script: str, *, user: bool = False) -> bytes:
        """Run a script in the machine as a login over SSH would; what it printed."""
        login = ("--setuid", UID, "--setgid", UID) if user else ()
        words = ("nsenter", "-t", str(self.leader()), "-m", "-u", "-i", "-p", "-n", "-C", *login, *SHELL)
        done = subprocess.run(words, input=script.encode(), capture_output=True, check=False, timeout=300)
        return done.stdout

    def values(self) -> dict[str, str]:
        """What only a running machine knows: a container, its process, its resolv.conf."""
        found = self.run("sh", "-c", "crictl ps -q --name kube-apiserver | head -1", check=False).strip()
        if not found:
            return {}
        pid = self.run("crictl", "inspect", "-o", "go-template", "--template", "{{.info.pid}}", found, check=False)
        path = self.run("crictl", "inspect", "-o", "go-template", "--template", TEMPLATE, found, check=False)
        return {"container": found, "pid": pid.strip(), "resolvconf": path.strip()}


class Bare(Sampled):
    """A tree without an init: no services, only its tools, among the same files and in the same network."""

    awake = "echo up"

    def _keep_running(self) -> None:
        command = (
            "systemd-nspawn", "-q", "-D", str(self.tree), "-M", self.name, "--register=no", "--keep-unit",
            f"--network-namespace-path=/run/netns/{self.name}", "--capability=all", *self.options, "--as-pid2",
            "/bin/sh", "-c", "while :; do sleep 1; done",
        )  # fmt: skip
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self._process.wait()


def main(arguments: list[str]) -> int:
    """Capture every SYSTEM=TREE."""
    alone()
    home = Path(tempfile.mkdtemp(prefix="kubewhy-samples-"))
    plane = ControlPlane(home)
    helpers: list[subprocess.Popen[bytes]] = []
    try:
        plane.start()
        plane.kubectl(
            "create", "clusterrolebinding", "proxies", "--clusterrole=system:node-proxier", "--group=system:nodes"
        )
        helpers += surroundings([Path(a.partition("=")[2]) for a in arguments])
        pause = image(home / "pause.tar", "lab.local/pause:1", [BUSYBOX, "sleep", "2147483647"], {BUSYBOX: BUSYBOX})
        for argument in arguments:
            system, _, tree = argument.partition("=")
            capture(plane, system, Path(tree), pause)
    finally:
        for process in helpers:
            process.terminate()
        plane.stop()
        shutil.rmtree(home, ignore_errors=True)
    return 0


def alone() -> None:
    """Make this process's mounts its own, and the places empty where names of machines are kept.

    Raises:
        SystemExit: the network is the host's.
    """
    if len(sh("ip", "-o", "link").splitlines()) > 3 or "eth0" in sh("ip", "-o", "link"):
        raise SystemExit("run this under unshare -n -m: it makes a network of its own")
    sh("mount", "--make-rprivate", "/")
    for place in ("/run/netns", "/run/systemd/nspawn"):
        Path(place).mkdir(parents=True, exist_ok=True)
        sh("mount", "-t", "tmpfs", "tmpfs", place)
    sh("ip", "link", "set", "lo", "up")


def surroundings(trees: list[Path]) -> list[subprocess.Popen[bytes]]:
    """What the machine meets in its network: a DNS server, a silent port, a server that does not answer, a clock."""
    sh("ip", "addr", "add", "10.77.0.2/24", "dev", "br-kubewhy")
    for words in (("-d", "10.77.0.2"), ("-p", "tcp", "--dport", "81")):
        sh("iptables", "-A", "INPUT", *words, "-j", "DROP")
    dns = (
        "dnsmasq", "--no-daemon", "--conf-file=/dev/null", "--no-resolv", "--no-hosts", f"--listen-address={ADDRESS}",
        "--bind-interfaces", "--local=/example.com/", "--host-record=api.example.com,203.0.113.7,60",
        "--host-record=api.example.com,203.0.113.8,60", "--srv-host=_https._tcp.example.com,api.example.com,443",
    )  # fmt: skip
    commands = [dns]
    for tree in [t for t in trees if (t / "usr/sbin/chronyd").exists()][:1]:
        sh("mkdir", "-p", f"{tree}/run/chrony")
        commands.append(("chroot", str(tree), "chronyd", "-x", "-d", "local stratum 3", "allow all", "cmdport 0"))
    return [subprocess.Popen(c, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for c in commands]


def capture(plane: ControlPlane, system: str, tree: Path, pause: Path) -> None:
    """Start one machine, ask it as root and as an ordinary user, and store the answers."""
    kind = Sampled if (tree / "lib/systemd/systemd").exists() else Bare
    machine = kind(plane, "node1", 11, [pause], "", cloud=True)
    machine.source = tree
    try:
        machine.start()
        time.sleep(SETTLE)
        values = machine.values()
        asked = samples.sections(values)
        script = samples.framing.script(list(asked.values()), samples.MARK)
        for user in (False, True):
            outputs = samples.answers(machine.ask(script, user=user), asked)
            samples.store(samples.CAPTURED / system, outputs, user=user, hide={str(machine.tree): "/machine"})
    finally:
        machine.stop()


if __name__ == "__main__":
    part("etcd")
    sys.exit(main(sys.argv[1:]))
