"""A machine with systemd, sshd, containerd, kubelet and kube-proxy, in a network namespace of its own.

Ready in about 15 seconds. What this kind of machine cannot give (cgroup v2, quotas, a lower OOM score) is switched off
in its configuration.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import threading
import uuid
from pathlib import Path

from tests.cluster.control_plane import ADDRESS, BRIDGE, SERVER, ControlPlane, sh, until
from tests.cluster.parts import HOME, part
from tests.cluster.pki import kubeconfig

ROOT = HOME / "root-bookworm"
SUITE = "bookworm"
PACKAGES = (
    "systemd,systemd-sysv,dbus,openssh-server,iproute2,iptables,procps,curl,kmod,ethtool,conntrack,"
    "containerd,runc,containernetworking-plugins"
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
"""
UNIT = """[Unit]
Description={name}
After=containerd.service
[Service]
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
  {{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipMasq": true, "ipam": {{"type": "host-local",
    "ranges": [[{{"subnet": "10.244.{last}.0/24"}}]], "routes": [{{"dst": "0.0.0.0/0"}}]}}}},
  {{"type": "portmap", "capabilities": {{"portMappings": true}}}}]}}
"""


def root() -> Path:
    """The tree that machines are copied from; made once and kept."""
    if not (ROOT / ".complete").exists():
        shutil.rmtree(ROOT, ignore_errors=True)
        ROOT.parent.mkdir(parents=True, exist_ok=True)
        sh("debootstrap", "--variant=minbase", f"--include={PACKAGES}", SUITE, str(ROOT))
        (ROOT / ".complete").touch()
    return ROOT


class Machine:
    """One node of the real cluster."""

    def __init__(self, plane: ControlPlane, name: str, last: int, images: list[Path], public_key: str) -> None:
        self.plane, self.name, self.last = plane, name, last
        self.address = f"10.77.0.{last}"
        self.tree = plane.home / name
        self._images, self._public_key = images, public_key
        self._stopping = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Lay the tree out, connect it, boot it, and import the images."""
        sh("cp", "-a", str(root()), str(self.tree))
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
        sh("ip", "route", "del", f"10.244.{self.last}.0/24", check=False)
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
        sh("ip", "route", "replace", f"10.244.{self.last}.0/24", "via", self.address)  # aggregated APIs run in pods

    def _files(self) -> None:
        pki, name = self.plane.pki, self.name
        self.plane.authority.issue(name, f"system:node:{name}", groups=("system:nodes",), hosts=(name, self.address))
        inside = "/etc/kubernetes/pki"
        written = kubeconfig(
            self.plane.home / f"{name}.kubeconfig",
            SERVER,
            f"{inside}/ca.crt",
            f"{inside}/{name}.crt",
            f"{inside}/{name}.key",
        )
        self._write("etc/hostname", f"{name}\n")
        self._write("etc/machine-id", f"{uuid.uuid4().hex}\n")
        self._write("etc/hosts", f"127.0.0.1 localhost\n{self.address} {name}\n")
        self._write("etc/kubernetes/kubelet.conf", written.read_text())
        for file in ("ca.crt", f"{name}.crt", f"{name}.key"):
            self._write(f"etc/kubernetes/pki/{file}", (pki / file).read_text())
        self._write("var/lib/kubelet/config.yaml", KUBELET.format(name=name))
        self._write("etc/containerd/config.toml", CONTAINERD)
        self._write(
            "etc/systemd/system/containerd.service.d/lab.conf", BEFORE_CONTAINERD.format(controllers=CONTROLLERS)
        )
        self._write("etc/cni/net.d/10-bridge.conflist", CNI.format(last=self.last))
        self._write(
            "etc/systemd/system.conf.d/lab.conf", "[Manager]\nDefaultTimeoutStopSec=5s\n"
        )  # pause ignores SIGTERM
        self._write("root/.ssh/authorized_keys", self._public_key)
        (self.tree / "root" / ".ssh").chmod(0o700)
        for binary in ("kubelet", "kube-proxy"):
            shutil.copy(part(binary), self.tree / "usr" / "bin" / binary)
        own, config = f"--hostname-override={name}", "--kubeconfig=/etc/kubernetes/kubelet.conf"
        self._unit(
            "kubelet",
            f"/usr/bin/kubelet {config} --config=/var/lib/kubelet/config.yaml {own} --node-ip={self.address}",
        )
        conntrack = (
            "--conntrack-max-per-core=0 --conntrack-tcp-timeout-established=0 --conntrack-tcp-timeout-close-wait=0"
        )
        self._unit(
            "kube-proxy",
            f"/usr/bin/kube-proxy {config} {own} --proxy-mode=iptables --cluster-cidr=10.244.0.0/16 {conntrack}",
        )
        for unit in ("/lib/systemd/system/containerd.service", "/lib/systemd/system/ssh.service"):
            self._enable(unit)

    def _unit(self, name: str, command: str) -> None:
        self._write(f"etc/systemd/system/{name}.service", UNIT.format(name=name, command=command))
        self._enable(f"/etc/systemd/system/{name}.service")

    def _enable(self, unit: str) -> None:
        wants = self.tree / "etc/systemd/system/multi-user.target.wants"
        wants.mkdir(parents=True, exist_ok=True)
        link = wants / Path(unit).name
        link.unlink(missing_ok=True)
        link.symlink_to(unit)

    def _write(self, path: str, text: str) -> None:
        at = self.tree / path
        at.parent.mkdir(parents=True, exist_ok=True)
        at.write_text(text)
