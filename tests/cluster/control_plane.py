"""A real control plane on this host: etcd, API server, controller-manager, scheduler; ready in about five seconds."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from tests.cluster.parts import part
from tests.cluster.pki import Authority, kubeconfig, service_account_keys

ADDRESS = "10.77.0.1"
BRIDGE = "br-kubewhy"
SERVER = f"https://{ADDRESS}:6443"
ETCD = "http://127.0.0.1:22379"
FORWARD = Path("/proc/sys/net/ipv4/ip_forward")


def sh(*words: str, check: bool = True) -> str:
    """Run a command of this host; its output."""
    done = subprocess.run(words, check=False, capture_output=True, text=True, timeout=300)
    assert not check or done.returncode == 0, f"{' '.join(words)}: {done.stdout}{done.stderr}"
    return done.stdout


def until(what: str, ready: Callable[[], bool], seconds: float = 60, every: float = 0.5) -> None:
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if ready():
            return
        time.sleep(every)
    raise AssertionError(f"{what}: not within {seconds:g} s")


class ControlPlane:
    """Runs the four processes, each with its log in ``home``."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.pki = home / "pki"
        self.admin = home / "admin.kubeconfig"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self._forwarded = ""

    def start(self) -> None:
        """Make the bridge and the certificates, start everything, and wait until the API server is ready."""
        self.pki.mkdir(parents=True)
        self._certificates()
        sh("ip", "link", "del", BRIDGE, check=False)
        sh("ip", "link", "add", BRIDGE, "type", "bridge")
        sh("ip", "addr", "add", f"{ADDRESS}/24", "dev", BRIDGE)
        sh("ip", "link", "set", BRIDGE, "up")
        self._forwarded = FORWARD.read_text()
        FORWARD.write_text("1")  # this host is the router between the nodes' pods
        self._etcd()
        self._apiserver()
        until("API server", self._ready)
        self._controllers()

    def stop(self) -> None:
        """End the processes, in the opposite order, and remove the bridge."""
        for name in reversed(list(self._running)):
            self.stop_part(name)
        if self._forwarded:
            FORWARD.write_text(self._forwarded)
        sh("ip", "link", "del", BRIDGE, check=False)

    def stop_part(self, name: str) -> None:
        """End one process."""
        process = self._running.pop(name)
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()

    def kubectl(self, *words: str, check: bool = True, stdin: str | None = None) -> str:
        """Run kubectl as admin; its output."""
        command = [part("kubectl"), "--kubeconfig", str(self.admin), *words]
        done = subprocess.run(command, check=False, capture_output=True, text=True, input=stdin, timeout=60)
        assert not check or done.returncode == 0, f"kubectl {' '.join(words)}: {done.stderr}"
        return done.stdout

    def _ready(self) -> bool:
        process = self._running["kube-apiserver"]
        assert process.poll() is None, (self.home / "kube-apiserver.log").read_text()[-2000:]
        return self.kubectl("get", "--raw", "/readyz", check=False) == "ok"

    def _certificates(self) -> None:
        ca = Authority.create(self.pki, "ca")
        front = Authority.create(self.pki, "front-proxy-ca")
        hosts = ("localhost", "kubernetes.default.svc", "127.0.0.1", "10.96.0.1", ADDRESS)
        ca.issue("apiserver", "kube-apiserver", hosts=hosts)
        ca.issue("kubelet-client", "apiserver-kubelet-client", groups=("system:masters",))
        front.issue("front-proxy", "front-proxy-client")
        ca.issue("admin", "admin", groups=("system:masters",))
        service_account_keys(self.pki)
        for user in ("kube-controller-manager", "kube-scheduler"):
            ca.issue(user, f"system:{user}")
        for user in ("admin", "kube-controller-manager", "kube-scheduler"):
            at = (str(self.pki / f) for f in ("ca.crt", f"{user}.crt", f"{user}.key"))
            kubeconfig(self.home / f"{user}.kubeconfig", SERVER, *at)
        self.authority = ca

    def _start(self, name: str, *words: str) -> None:
        with (self.home / f"{name}.log").open("ab") as log:
            self._running[name] = subprocess.Popen([part(name), *words], stdout=log, stderr=log)

    def _etcd(self) -> None:
        peer = "http://127.0.0.1:22380"
        self._start(
            "etcd", "--data-dir", str(self.home / "etcd"),
            "--listen-client-urls", ETCD, "--advertise-client-urls", ETCD,
            "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster", f"default={peer}",
        )  # fmt: skip

    def _apiserver(self) -> None:
        p = self.pki
        self._start(
            "kube-apiserver", "--etcd-servers", ETCD, "--bind-address", ADDRESS, "--advertise-address", ADDRESS,
            "--secure-port", "6443", "--service-cluster-ip-range", "10.96.0.0/16", "--client-ca-file", f"{p}/ca.crt",
            "--tls-cert-file", f"{p}/apiserver.crt", "--tls-private-key-file", f"{p}/apiserver.key",
            "--service-account-issuer", "https://kubernetes.default.svc", "--service-account-key-file", f"{p}/sa.pub",
            "--service-account-signing-key-file", f"{p}/sa.key", "--authorization-mode", "Node,RBAC",
            "--allow-privileged=true", "--kubelet-client-certificate", f"{p}/kubelet-client.crt",
            "--kubelet-client-key", f"{p}/kubelet-client.key", "--kubelet-preferred-address-types", "InternalIP",
            "--requestheader-client-ca-file", f"{p}/front-proxy-ca.crt",
            "--requestheader-allowed-names", "front-proxy-client", "--requestheader-username-headers", "X-Remote-User",
            "--requestheader-group-headers", "X-Remote-Group",
            "--requestheader-extra-headers-prefix", "X-Remote-Extra-",
            "--proxy-client-cert-file", f"{p}/front-proxy.crt", "--proxy-client-key-file", f"{p}/front-proxy.key",
            "--enable-aggregator-routing",
        )  # fmt: skip

    def _controllers(self) -> None:
        for name in ("kube-controller-manager", "kube-scheduler"):
            config = str(self.home / f"{name}.kubeconfig")
            own = (
                "--service-account-private-key-file", f"{self.pki}/sa.key", "--root-ca-file", f"{self.pki}/ca.crt",
                "--use-service-account-credentials", "--node-monitor-grace-period", "16s",
                "--node-monitor-period", "2s",
            ) if name == "kube-controller-manager" else ()  # fmt: skip
            self._start(
                name, "--kubeconfig", config, "--authentication-kubeconfig", config, "--authorization-kubeconfig",
                config, "--bind-address", "127.0.0.1", *own )  # fmt: skip
