"""The kubelet and the container runtime of a healthy node: how they are started, their files, their quiet logs."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.config import kubelet_config
from tools.bases.host import Out, join, ls
from tools.bases.host_control import COMPONENTS, manifest
from tools.bases.host_runtime import runtime_driver
from tools.bases.host_system import pid
from tools.bases.ids import ago
from tools.bases.journal import record
from tools.bases.spec import Host
from tools.bases.world import World


def kubelet(world: World, host: Host) -> dict[str, Out]:
    """The sections about the kubelet, by key."""
    pod_count = len(world.pods_on(host))
    found = {
        "KARGS": _arguments(world, host),
        "KCFG": _files(world, host),
        "KHEALTH": Out("ok 200\n401\n"),
        "KSTATE": Out(
            f"State:\tS (sleeping)\nVmRSS:\t  {98_000 + 1200 * pod_count + 17 * host.number} kB\nThreads:\t{17 + host.number}\n0\n"
        ),
        "MANIFEST": _manifests(world, host),
        "KLOG": _log(world, host).of(lines="400", since="-30min"),
        "CGDRV": Out(join(line for line in kubelet_config(world).splitlines() if line.startswith("cgroupDriver"))),
        "CGDRV_RUNTIME": runtime_driver(world),
    }
    if world.spec.legacy:
        found["KLOG_FILE"] = Out(
            stderr="tail: cannot open '/var/log/kubelet.log' for reading: No such file or directory\n", exit=1
        ).of(lines="400")
    return found


def _arguments(world: World, host: Host) -> Out:
    drop_in = (
        "/etc/systemd/system/kubelet.service.d/10-kubeadm.conf"
        if world.spec.legacy
        else "/usr/lib/systemd/system/kubelet.service.d/10-kubeadm.conf"
    )
    unit = f"""# /lib/systemd/system/kubelet.service
[Unit]
Description=kubelet: The Kubernetes Node Agent
Documentation=https://kubernetes.io/docs/
Wants=network-online.target
After=network-online.target

[Service]
ExecStart=/usr/bin/kubelet
Restart=always
StartLimitInterval=0
RestartSec=10

[Install]
WantedBy=multi-user.target

# {drop_in}
# Note: This dropin only works with kubeadm and kubelet v1.11+
[Service]
Environment="KUBELET_KUBECONFIG_ARGS=--bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf"
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/var/lib/kubelet/kubeadm-flags.env
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet $KUBELET_KUBECONFIG_ARGS $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS $KUBELET_EXTRA_ARGS
"""
    started = "/usr/bin/kubelet --bootstrap-kubeconfig=/etc/kubernetes/bootstrap-kubelet.conf --kubeconfig=/etc/kubernetes/kubelet.conf --config=/var/lib/kubelet/config.yaml"
    extra = (
        " --cgroup-driver=cgroupfs --network-plugin=cni --allow-privileged=true "
        if world.spec.legacy
        else " --pod-infra-container-image=registry.k8s.io/pause:3.10.1 "
    )
    return Out(f"{unit}{started} --hostname-override={host.name}{extra}")


def _by_name(entries: list[tuple[str, int, str]]) -> list[tuple[str, int, str]]:
    return sorted(entries, key=lambda e: e[2])


def _files(world: World, host: Host) -> Out:
    when = int(host.joined.timestamp())
    size = len(kubelet_config(world))
    lines = [
        f"/var/lib/kubelet/config.yaml|{size}|{when}|root|644",
        f"/var/lib/kubelet/kubeadm-flags.env|94|{when}|root|644",
        f"/etc/kubernetes/kubelet.conf|1975|{when + 2}|root|600",
        "stat: cannot statx '/etc/kubernetes/bootstrap-kubelet.conf': No such file or directory",
        f"/etc/kubernetes/pki/ca.crt|1107|{when - 3}|root|644",
        f"/var/lib/kubelet/pki/kubelet-client-current.pem|2826|{when + 2}|root|600",
    ]
    if world.spec.legacy:
        lines[3] = lines[3].replace("statx", "stat")
    drop = [
        ("drwxr-xr-x", 4096, d)
        for d in ("checkpoints", "device-plugins", "pki", "plugins", "plugins_registry", "pod-resources", "pods")
    ]
    own = [
        ("-rw-r--r--", size, "config.yaml"),
        ("-rw-------", 62, "cpu_manager_state"),
        ("-rw-r--r--", 94, "kubeadm-flags.env"),
        ("-rw-------", 61, "memory_manager_state"),
    ]
    kube = [("-rw-------", 1975, "kubelet.conf"), ("drwxr-xr-x", 4096, "manifests"), ("drwxr-xr-x", 4096, "pki")]
    if host.control_plane:
        kube += [
            ("-rw-------", 5650, name)
            for name in ("admin.conf", "controller-manager.conf", "scheduler.conf", "super-admin.conf")
        ]
    listed = f"{ls(_by_name(kube), host.joined, '/etc/kubernetes/')}\n{ls(_by_name([*drop, *own]), host.joined, '/var/lib/kubelet/')}"
    return Out(join(lines) + listed)


def _manifests(world: World, host: Host) -> Out:
    entries = (
        [("-rw-------", len(manifest(world, host, c)), f"{c}.yaml") for c in sorted(COMPONENTS)]
        if host.control_plane
        else []
    )
    return Out(ls(entries, host.joined))


def _log(world: World, host: Host) -> Out:
    """The last half hour of a kubelet with nothing to do: rotations and image GC. Newest first."""
    process = pid(host, "kubelet")
    said = [
        (1502.3, "kubelet.go:2453", '"SyncLoop (PROBE)" probe="readiness" status="ready" pod="{}"'),
        (
            884.9,
            "reconciler_common.go:251",
            '"operationExecutor.VerifyControllerAttachedVolume started for volume \\"kube-api-access\\" pod=\\"{}\\""',
        ),
        (301.2, "kubelet.go:1536", '"Image garbage collection succeeded"'),
    ]
    pods = world.pods_on(host)
    name = f"{pods[-1]['metadata']['namespace']}/{pods[-1]['metadata']['name']}"
    lines = []
    for seconds, where, text in said:
        when = ago(seconds + host.number)
        lines.append(
            record(
                when, f"I{when:%m%d %H:%M:%S.%f} {process:>7} {where}] {text.format(name)}", process, host, "kubelet"
            )
        )
    return Out(join(reversed(lines)))
