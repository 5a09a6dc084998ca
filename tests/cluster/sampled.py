"""Machines of several distributions, all in the same state, whose answers are the samples of the parsers' tests.

``unshare -n -m .venv/bin/python -m tests.cluster.sampled SYSTEM...`` (root) starts a control plane, and one after
another a machine of each SYSTEM, and stores what ``tools.samples`` asks of it below tests/unit/parse/captured/SYSTEM.
The namespaces keep addresses and names apart from those of the host. The state is the same everywhere, so that one
expectation holds for every system; what is in it, and ``SYSTEM=TREE``: captured/README.md. ``--only KEY,KEY``
keeps the samples of these keys alone: a new key costs no others.
"""

from __future__ import annotations

import argparse
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
from tests.cluster.machine import PACKAGES, PEM, Machine
from tests.cluster.parts import HOME, part
from tests.cluster.sampled_state import (
    CHRONY,
    DROP_IN,
    KUBECONFIG,
    MORE,
    NETWORK,
    NTP,
    OLD_LOG,
    POD,
    RUNC,
    STATE,
    SYSCTL,
    TEMPLATE,
    UID,
)
from tools import samples

BUSYBOX = "/bin/busybox"
MORE_PACKAGES = "nftables,ipvsadm,lsof,chrony,bind9-dnsutils,sudo,tcpdump,docker.io"
OWN_PACKAGES = {"trixie": "wtmpdb,docker-cli"}  # of which older releases have no such part
REGISTRY = {"index.docker.io": "registry.example.com", '"docker.io"': '"registry.example.com"'}  # docker's own default
SETTLE = 25  # seconds until the static pods run and the clock is measured
SHELL = ("env", "-i", "LC_ALL=C", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "sh", "-s")


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
    """Capture every SYSTEM or SYSTEM=TREE."""
    parser = argparse.ArgumentParser(prog="python -m tests.cluster.sampled")
    parser.add_argument("--only", default="", metavar="KEY,KEY")
    parser.add_argument("systems", nargs="+", metavar="SYSTEM[=TREE]")
    given = parser.parse_args(arguments)
    only = {key for key in given.only.split(",") if key}
    alone()
    split = [argument.partition("=") for argument in given.systems]
    trees = {system: Path(path) if path else tree(system) for system, _, path in split}
    home = Path(tempfile.mkdtemp(prefix="kubewhy-samples-"))
    plane = ControlPlane(home)
    helpers: list[subprocess.Popen[bytes]] = []
    try:
        plane.start()
        plane.kubectl(
            "create", "clusterrolebinding", "proxies", "--clusterrole=system:node-proxier", "--group=system:nodes"
        )
        helpers += surroundings(list(trees.values()))
        pause = image(home / "pause.tar", "lab.local/pause:1", [BUSYBOX, "sleep", "2147483647"], {BUSYBOX: BUSYBOX})
        for system, made in trees.items():
            capture(plane, system, made, pause, only)
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


def tree(system: str) -> Path:
    """The tree of a Debian release, with the programs that nodes may have, or of busybox alone; made once and kept."""
    made = HOME / f"sampled-{system}"
    if made.exists():
        return made
    fresh = made.with_suffix(".new")
    shutil.rmtree(fresh, ignore_errors=True)
    if system == "busybox":
        for folder in ("bin", "dev", "etc", "lib", "proc", "root", "run", "sys", "tmp", "usr", "var/log"):
            (fresh / folder).mkdir(parents=True)
        shutil.copy(BUSYBOX, fresh / "bin")
        for applet in {*sh(BUSYBOX, "--list").split()} - {"busybox"}:
            (fresh / "bin" / applet).symlink_to("/bin/busybox")
        for file, line in (("passwd", "root:x:0:0::/root:/bin/sh\n"), ("group", "root:x:0:\n")):
            (fresh / "etc" / file).write_text(line)
    else:
        packages = f"{PACKAGES},{MORE_PACKAGES},{OWN_PACKAGES.get(system, '')}".strip(",")
        sh("debootstrap", "--variant=minbase", f"--include={packages}", system, str(fresh))
    fresh.rename(made)
    return made


def capture(plane: ControlPlane, system: str, made: Path, pause: Path, only: set[str]) -> None:
    """Start one machine, ask it as root and as an ordinary user, and store the answers."""
    kind = Sampled if (made / "lib/systemd/systemd").exists() else Bare
    machine = kind(plane, "node1", 11, [pause], "", cloud=True)
    machine.source = made
    try:
        machine.start()
        time.sleep(SETTLE)
        values = machine.values()
        wanted = only | {"ID"} if only else set(samples.TABLE)
        asked = {name: s for name, s in samples.sections(values).items() if samples.key_of(name) in wanted}
        script = samples.framing.script(list(asked.values()), samples.MARK)
        for user in (False, True):
            outputs = samples.answers(machine.ask(script, user=user), asked)
            hide = {str(machine.tree): "/machine", **REGISTRY, **samples.host_kernel(outputs["ID"].text)}
            kept = {name: o for name, o in outputs.items() if not only or samples.key_of(name) in only}
            samples.store(samples.CAPTURED / system, kept, user=user, hide=hide)
    finally:
        machine.stop()


if __name__ == "__main__":
    part("etcd")
    sys.exit(main(sys.argv[1:]))
