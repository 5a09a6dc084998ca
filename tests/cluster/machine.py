"""A machine with systemd, sshd, containerd, kubelet and kube-proxy, in a network namespace of its own.

Laid out as kubeadm does it: units in /lib, flags in kubeadm-flags.env, the client certificate below /var/lib/kubelet.
A machine of the cloud kind has a second interface, whose subnet its pods are in, with a rule and a table for them.
Ready in about 15 seconds. What this kind of machine cannot give (cgroup v2, quotas, a lower OOM score) is switched off
in its configuration.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import uuid
from ipaddress import ip_network
from pathlib import Path

from tests.cluster.control_plane import ADDRESS, BRIDGE, SERVER, ControlPlane, sh, until
from tests.cluster.parts import HOME, part
from tests.cluster.pki import kubeconfig

ROOT = HOME / "root-bookworm"
SUITE = "bookworm"
PACKAGES = (
    "systemd,systemd-sysv,dbus,openssh-server,openssl,iproute2,iptables,procps,curl,kmod,ethtool,conntrack,"
    "containerd,runc,containernetworking-plugins,libfaketime"
)
REBOOT = 133  # how nspawn ends when the machine inside reboots and its unit is kept
CONTROLLERS = "devices freezer cpuacct cpu memory cpuset blkio pids"

KUBELET = """apiVersion: kubelet.config.k8s.io/v1beta1
kind: KubeletConfiguration
authentication:
  anonymous: {{enabled: false}}
  webhook: {{enabled: true}}
  x509: {{clientCAFile: /etc/kubernetes/pki/ca.crt}}
authorization: {{mode: Webhook}}
tlsCertFile: /etc/kubernetes/pki/{name}.crt
tlsPrivateKeyFile: /etc/kubernetes/pki/{name}.key
containerRuntimeEndpoint: unix:///run/containerd/containerd.sock
clusterDNS: [10.96.0.10]
clusterDomain: cluster.local
cgroupDriver: cgroupfs
failCgroupV1: false
cgroupsPerQOS: false
enforceNodeAllocatable: []
localStorageCapacityIsolation: false
failSwapOn: false
nodeStatusUpdateFrequency: 4s
runtimeRequestTimeout: 10s
evictionPressureTransitionPeriod: 5s
"""
FLAGS = "/var/lib/kubelet/kubeadm-flags.env"
PEM = "/var/lib/kubelet/pki/kubelet-client-current.pem"
CNI_CONFIG = "/etc/cni/net.d/10-lab.conflist"
SECOND_CARD = "eth1"
TABLE = "1002"
UNIT = """[Unit]
Description={name}
After=containerd.service
StartLimitIntervalSec=0
[Service]
EnvironmentFile=-{flags}
ExecStart={command}
Restart=always
RestartSec=5
[Install]
WantedBy=multi-user.target
"""
CONTAINERD = """version = 2
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "lab.local/pause:1"
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
"""
BEFORE_CONTAINERD = (
    "[Service]\nExecStartPre=/bin/sh -c 'for c in {controllers}; do mount -o remount,bind,rw /sys/fs/cgroup/$c; done; "
    "[ -e /dev/kmsg ] || mknod /dev/kmsg c 1 11'\n"
)
CNI = """{{"cniVersion": "0.4.0", "name": "lab", "plugins": [
  {{"type": {kind}, "ipMasq": {masked}, "ipam": {{"type": "host-local",
    "ranges": [[{{"subnet": "{subnet}", "gateway": "{gateway}"}}]], "routes": [{{"dst": "0.0.0.0/0"}}]}}}},
  {{"type": "portmap", "capabilities": {{"portMappings": true}}}}]}}
"""


def root() -> Path:
    """The tree that machines are copied from; made once and kept."""
    complete = ROOT / ".complete"
    if not complete.exists() or complete.read_text() != PACKAGES:
        fresh = ROOT.with_suffix(".new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.parent.mkdir(parents=True, exist_ok=True)
        sh("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(fresh))
        (fresh / ".complete").write_text(PACKAGES)
        shutil.rmtree(ROOT, ignore_errors=True)
        fresh.rename(ROOT)
    return ROOT


class Machine:
    """One node of the real cluster.

    Attributes:
        options: what else systemd-nspawn is told.
    """

    options: tuple[str, ...] = ()

    def __init__(
        self, plane: ControlPlane, name: str, last: int, images: list[Path], public_key: str, *, cloud: bool = False
    ) -> None:
        self.plane, self.name, self.last, self.cloud = plane, name, last, cloud
        self.address = f"10.77.0.{last}"
        self.second = f"10.78.{last}.2"
        self.pods = f"10.78.{last}.128/25" if cloud else f"10.244.{last}.0/24"
        self.tree = plane.home / name
        self._images, self._public_key = images, public_key
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Lay the tree out, connect it, boot it, and import the images."""
        sh("cp", "-a", str(self.origin()), str(self.tree))
        self._network()
        self._files()
        nspawn = Path("/run/systemd/nspawn")
        nspawn.mkdir(parents=True, exist_ok=True)
        if not os.path.ismount(nspawn):
            sh("mount", "-t", "tmpfs", "tmpfs", str(nspawn))
        self._thread = threading.Thread(target=self._keep_running, daemon=True)
        self._thread.start()
        until(f"containerd of {self.name}", lambda: self.run("ctr", "-n", "k8s.io", "version", check=False) != "")
        for archive in self._images:
            shutil.copy(archive, self.tree / "root" / archive.name)
            self.run("ctr", "-n", "k8s.io", "images", "import", f"/root/{archive.name}")

    def origin(self) -> Path:
        """The tree that this machine begins as a copy of."""
        return root()

    def stop(self) -> None:
        """Power the machine off and remove its namespace."""
        self._stopping.set()
        leader = self.leader()
        if leader:
            sh("kill", "-RTMIN+4", str(leader), check=False)
        if self._thread is not None:
            self._thread.join(30)
        if self._process is not None and self._process.poll() is None:
            self._process.kill()
        sh("ip", "netns", "del", self.name, check=False)
        sh("ip", "route", "del", self.pods, check=False)
        shutil.rmtree(self.tree, ignore_errors=True)

    def run(self, *words: str, check: bool = True) -> str:
        """Run a command inside the machine as root; its output."""
        leader = self.leader()
        if not leader:
            assert not check, f"{self.name} is not running"
            return ""
        return sh("nsenter", "-t", str(leader), "-m", "-u", "-i", "-p", "-n", "-C", *words, check=check)

    def reboot(self) -> None:
        """Reboot as an operator would, and wait until sshd answers again."""
        before = self.leader()
        self.run("systemctl", "reboot", check=False)
        until(f"reboot of {self.name}", lambda: self.leader() not in {0, before}, 90)
        until(
            f"sshd of {self.name}", lambda: "active" == self.run("systemctl", "is-active", "ssh", check=False).strip()
        )

    def leader(self) -> int:
        """The PID of the machine's init as this host sees it; 0 when it is not running."""
        if self._process is None or self._process.poll() is not None:
            return 0
        children = sh("pgrep", "-P", str(self._process.pid), check=False).split()
        return int(children[0]) if children else 0

    def _keep_running(self) -> None:
        environment = os.environ | {"SYSTEMD_SECCOMP": "0", "SYSTEMD_NSPAWN_API_VFS_WRITABLE": "yes"}
        command = [
            "systemd-nspawn", "-q", "-D", str(self.tree), "-M", self.name, "--register=no", "--keep-unit",
            f"--network-namespace-path=/var/run/netns/{self.name}", "--boot", "--capability=all", "--bind=/dev/kmsg",
            *self.options,
        ]  # fmt: skip
        with (self.plane.home / f"{self.name}.log").open("ab") as log:
            while True:
                self._process = subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment
                )
                if self._process.wait() != REBOOT or self._stopping.is_set():
                    return

    def _network(self) -> None:
        link = f"v{self.name}"
        sh("ip", "netns", "del", self.name, check=False)
        for left in (link, f"w{self.name}"):  # of a run that just ended: the kernel takes its time with a namespace
            sh("ip", "link", "del", left, check=False)
        sh("ip", "netns", "add", self.name)
        sh("ip", "link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        sh("ip", "link", "set", link, "master", BRIDGE, "up")
        for words in (
            ("addr", "add", f"{self.address}/24", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
            ("route", "add", "default", "via", ADDRESS),
        ):
            sh("ip", "-n", self.name, *words)
        sh("ip", "netns", "exec", self.name, "sysctl", "-q", "-w", "net.ipv4.ip_forward=1")
        sh("ip", "route", "replace", self.pods, "via", self.address)  # aggregated APIs run in pods
        if self.cloud:
            self.attach()

    def attach(self) -> None:
        """Give the machine its second interface, its rule and its table, as a cloud's CNI does."""
        link, gateway = f"w{self.name}", f"10.78.{self.last}.1"
        sh("ip", "link", "add", link, "type", "veth", "peer", "name", SECOND_CARD, "netns", self.name)
        sh("ip", "addr", "add", f"{gateway}/32", "dev", link)
        sh("ip", "link", "set", link, "up")
        sh("ip", "route", "replace", f"{self.second}/32", "dev", link)
        sh("ip", "-n", self.name, "addr", "add", f"{self.second}/24", "dev", SECOND_CARD)
        sh("ip", "-n", self.name, "link", "set", SECOND_CARD, "up")
        if f"oif {SECOND_CARD}" not in sh("ip", "-n", self.name, "rule"):
            sh("ip", "-n", self.name, "rule", "add", "oif", SECOND_CARD, "lookup", TABLE, "priority", "900")
        self.lead()

    def lead(self) -> None:
        """Write the table of the pods' interface, and the rule that leads there unless it stands."""
        sh("ip", "-n", self.name, "route", "replace", "default", "via", f"10.78.{self.last}.1", "dev", SECOND_CARD,
           "table", TABLE)  # fmt: skip
        if self.pods not in sh("ip", "-n", self.name, "rule"):
            sh("ip", "-n", self.name, "rule", "add", "from", self.pods, "lookup", TABLE, "priority", "1000")

    def _files(self) -> None:
        pki, name = self.plane.pki, self.name
        self.plane.authority.issue(name, f"system:node:{name}", groups=("system:nodes",), hosts=(name, self.address))
        written = kubeconfig(self.plane.home / f"{name}.kubeconfig", SERVER, "/etc/kubernetes/pki/ca.crt", PEM, PEM)
        self.write("etc/hostname", f"{name}\n")
        self.write("etc/machine-id", f"{uuid.uuid4().hex}\n")
        self.write("etc/hosts", f"127.0.0.1 localhost\n{self.address} {name}\n")
        self.write("etc/kubernetes/kubelet.conf", written.read_text())
        for file in ("ca.crt", f"{name}.crt", f"{name}.key"):
            self.write(f"etc/kubernetes/pki/{file}", (pki / file).read_text())
        self.credentials("2026-01-01-00-00-00")
        self.write("var/lib/kubelet/config.yaml", KUBELET.format(name=name))
        self.write("etc/containerd/config.toml", CONTAINERD)
        self.write(
            "etc/systemd/system/containerd.service.d/lab.conf", BEFORE_CONTAINERD.format(controllers=CONTROLLERS)
        )
        self.write(CNI_CONFIG, self._cni())
        self.write(
            "etc/systemd/system.conf.d/lab.conf", "[Manager]\nDefaultTimeoutStopSec=5s\n"
        )  # pause ignores SIGTERM
        self.write("root/.ssh/authorized_keys", self._public_key)
        (self.tree / "root" / ".ssh").chmod(0o700)
        for binary in ("kubelet", "kube-proxy", "crictl"):
            shutil.copy(part(binary), self.tree / "usr" / "bin" / binary)
        self.write("etc/crictl.yaml", "runtime-endpoint: unix:///run/containerd/containerd.sock\n")
        own, config = f"--hostname-override={name}", "--kubeconfig=/etc/kubernetes/kubelet.conf"
        self.write(FLAGS, f'KUBELET_KUBEADM_ARGS="{own} --node-ip={self.address}"\n')
        self.unit(
            "kubelet",
            f"/usr/bin/kubelet {config} --config=/var/lib/kubelet/config.yaml $KUBELET_KUBEADM_ARGS",
        )
        conntrack = (
            "--conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0"
        )
        self.unit(
            "kube-proxy",
            f"/usr/bin/kube-proxy {config} {own} --proxy-mode=iptables --cluster-cidr=10.244.0.0/16 {conntrack}",
        )
        for unit in ("/lib/systemd/system/containerd.service", "/lib/systemd/system/ssh.service"):
            self._enable(unit)

    def credentials(self, dated: str, certificate: str = "") -> None:
        """Lay out certificate and key as a kubelet that rotates them does: a dated file, and a link to it."""
        pki, name = self.plane.pki, self.name
        both = (pki / f"{certificate or name}.crt").read_text() + (pki / f"{certificate or name}.key").read_text()
        dated = f"{Path(PEM).parent}/kubelet-client-{dated}.pem"
        self.write(dated, both)
        link = self.tree / PEM.lstrip("/")
        link.unlink(missing_ok=True)
        link.symlink_to(dated)

    def _cni(self) -> str:
        kind = '"ptp"' if self.cloud else '"bridge", "bridge": "cni0", "isGateway": true'
        network = ip_network(self.pods)
        masked = "false" if self.cloud else "true"
        return CNI.format(kind=kind, subnet=network, gateway=network[1], masked=masked)

    def unit(self, name: str, command: str) -> None:
        """Write a unit and enable it."""
        self.write(f"lib/systemd/system/{name}.service", UNIT.format(name=name, command=command, flags=FLAGS))
        self._enable(f"/lib/systemd/system/{name}.service")

    def _enable(self, unit: str) -> None:
        wants = self.tree / "etc/systemd/system/multi-user.target.wants"
        wants.mkdir(parents=True, exist_ok=True)
        link = wants / Path(unit).name
        link.unlink(missing_ok=True)
        link.symlink_to(unit)

    def write(self, path: str, text: str) -> None:
        """Write a file of the machine."""
        at = self.tree / path.lstrip("/")
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text)
