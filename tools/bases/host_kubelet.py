"""The kubelet and the container runtime of a healthy node: how they are started, their files, their quiet logs."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

import json
from datetime import datetime

from tools.bases.control import PKI, flags, image
from tools.bases.host import Out, join, ls
from tools.bases.host_system import pid
from tools.bases.ids import Obj, ago, born, hexid, number
from tools.bases.nodes import boot_id
from tools.bases.platform import health, kubelet_config
from tools.bases.pods import container_id, image_id
from tools.bases.spec import Host
from tools.bases.world import World

NANO = 1_000_000_000


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
        "CGDRV_RUNTIME": _runtime_driver(world),
    }
    if world.spec.legacy:
        found["KLOG_FILE"] = Out(
            stderr="tail: cannot open '/var/log/kubelet.log' for reading: No such file or directory\n", exit=1
        ).of(lines="400")
    return found


def runtime(world: World, host: Host) -> dict[str, Out]:
    """The sections about the container runtime, by key."""
    if world.spec.legacy:
        missing = Out(stderr="sudo: crictl: command not found\n", exit=1)
        return {
            "CRI": missing,
            "CRI_PS": missing,
            "CRI_PODS": missing,
            "CRI_SOCKETS": _sockets(world, host),
            "DOCKER_PS": _docker_ps(world, host),
            "DOCKER_INFO": _docker_info(world, host),
            "RTLOG": _quiet("docker", host).of(lines="200", since="-30min"),
        }
    return {
        "DOCKER_PS": Out(stderr="sudo: docker: command not found\n", exit=1),
        "CRI": _cri_info(),
        "CRI_PS": _cri_ps(world, host),
        "CRI_PODS": _cri_pods(world, host),
        "CRI_SOCKETS": _sockets(world, host),
        "RTLOG": _quiet("containerd", host).of(lines="200", since="-30min"),
        "IMAGES": _images(world, host),
    }


def control_plane(world: World, host: Host) -> list[tuple[str, Out]]:
    """The sections that only make sense on a control-plane host."""
    found = [("APILOCAL", Out(f"{health('livez')}{health('readyz')}okok")), ("ETCD", _etcd(host))]
    if not world.spec.legacy:
        found += [("CPS", _cri_ps(world, host, component).of(component=component)) for component in COMPONENTS]
        found.append(("CPLOG_LIST", _cri_ps(world, host, *COMPONENTS)))
    found += [("MANIFEST_FILE", Out(_manifest(world, host, c)).of(component=c)) for c in COMPONENTS]
    return found


COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")


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
    by_name = lambda entries: sorted(entries, key=lambda e: e[2])  # noqa: E731 - used twice, right here
    listed = f"{ls(by_name(kube), host.joined, '/etc/kubernetes/')}\n{ls(by_name([*drop, *own]), host.joined, '/var/lib/kubelet/')}"
    return Out(join(lines) + listed)


def _manifests(world: World, host: Host) -> Out:
    entries = (
        [("-rw-------", len(_manifest(world, host, c)), f"{c}.yaml") for c in sorted(COMPONENTS)]
        if host.control_plane
        else []
    )
    return Out(ls(entries, host.joined))


def _manifest(world: World, host: Host, component: str) -> str:
    words = "".join(f"    - {flag}\n" for flag in flags(world, host, component))
    return (
        f"apiVersion: v1\nkind: Pod\nmetadata:\n  labels:\n    component: {component}\n    tier: control-plane\n  name: {component}\n"
        f"  namespace: kube-system\nspec:\n  containers:\n  - command:\n{words}    image: {image(world, component)}\n"
        f"    imagePullPolicy: IfNotPresent\n    name: {component}\n  hostNetwork: true\n  priorityClassName: system-node-critical\n"
    )


def record(when: datetime, message: str, process: int, host: Host, salt: str) -> str:
    """A line of ``journalctl -o json``."""
    micros = int(when.timestamp() * 1_000_000)
    up = micros - int(host.boot.timestamp() * 1_000_000)
    boot = boot_id(host).replace("-", "")
    cursor = f"s={hexid(32, 'journal', host.name)};i={number(900_000, salt, micros):x};b={boot};m={up:x};t={micros:x};x={hexid(16, salt, micros)}"
    fields = {
        "__CURSOR": cursor,
        "__REALTIME_TIMESTAMP": str(micros),
        "__MONOTONIC_TIMESTAMP": str(up),
        "_BOOT_ID": boot,
        "PRIORITY": "6",
        "_PID": str(process),
        "MESSAGE": message,
    }
    return json.dumps(fields, separators=(",", ":"))


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


def _quiet(unit: str, host: Host) -> Out:
    when = ago(301.4 + host.number)
    text = f'time="{when:%Y-%m-%dT%H:%M:%S.%f}Z" level=info msg="ImageUpdate event name:\\"registry.k8s.io/pause:3.10.1\\""'
    return Out(record(when, text, pid(host, unit), host, unit) + "\n")


def _runtime_driver(world: World) -> Out:
    none = "grep: /etc/crio/crio.conf.d/*: No such file or directory\n"
    if world.spec.legacy:
        return Out(stderr=f"grep: /etc/containerd/config.toml: No such file or directory\n{none}", exit=2)
    return Out(
        "/etc/containerd/config.toml:5:disabled_plugins = []\n/etc/containerd/config.toml:139:            SystemdCgroup = true\n",
        stderr=none,
        exit=2,
    )


def _sockets(world: World, host: Host) -> Out:
    real = "/var/run/docker.sock" if world.spec.legacy else "/run/containerd/containerd.sock"
    all_ = (
        "/run/containerd/containerd.sock",
        "/var/run/crio/crio.sock",
        "/var/run/cri-dockerd.sock",
        "/var/run/docker.sock",
    )
    missing = [f"ls: cannot access '{s}': No such file or directory" for s in all_ if s != real]
    return Out(f"srw-rw---- 1 root root 0 {host.boot:%b %e %H:%M} {real}\n", stderr=join(missing), exit=2)


def _cri_info() -> Out:
    conditions = [
        {"type": "RuntimeReady", "status": True, "reason": "", "message": ""},
        {"type": "NetworkReady", "status": True, "reason": "", "message": ""},
        {"type": "ContainerdHasNoDeprecationWarnings", "status": True, "reason": "", "message": ""},
    ]
    runc = {"runtimeType": "io.containerd.runc.v2", "options": {"SystemdCgroup": True, "BinaryName": ""}}
    info = {
        "status": {"conditions": conditions},
        "config": {
            "containerd": {"snapshotter": "overlayfs", "defaultRuntimeName": "runc", "runtimes": {"runc": runc}},
            "cni": {"binDir": "/opt/cni/bin", "confDir": "/etc/cni/net.d"},
            "sandboxImage": "registry.k8s.io/pause:3.10.1",
        },
        "golang": "go1.23.11",
        "lastCNILoadStatus": "OK",
        "lastCNILoadStatus.default": "OK",
    }
    return Out(json.dumps(info, indent=2) + "\n")


def _created(pod: Obj, seconds: int) -> str:
    return str(
        (int(datetime.fromisoformat(pod["status"]["startTime"]).timestamp()) + seconds) * NANO
        + number(NANO, pod["metadata"]["uid"])
    )


def sandbox_id(pod: Obj) -> str:
    """The runtime's id of a pod's sandbox."""
    return hexid(64, "sandbox", pod["metadata"]["uid"])


def _cri_ps(world: World, host: Host, *only: str) -> Out:
    found = []
    for pod in world.pods_on(host):
        spec, meta = pod["spec"], pod["metadata"]
        ended = {c["name"] for c in spec.get("initContainers", [])}
        for c in [*spec["containers"], *spec.get("initContainers", [])]:
            if only and c["name"] not in only:
                continue
            labels = {
                "io.kubernetes.container.name": c["name"],
                "io.kubernetes.pod.name": meta["name"],
                "io.kubernetes.pod.namespace": meta["namespace"],
                "io.kubernetes.pod.uid": meta["uid"],
            }
            found.append(
                {
                    "id": container_id(pod, c["name"]),
                    "podSandboxId": sandbox_id(pod),
                    "metadata": {"name": c["name"], "attempt": 0},
                    "image": {
                        "image": f"sha256:{hexid(64, 'config', c['image'])}",
                        "annotations": {},
                        "userSpecifiedImage": c["image"],
                        "runtimeHandler": "",
                    },
                    "imageRef": f"sha256:{hexid(64, 'config', c['image'])}",
                    "state": "CONTAINER_EXITED" if c["name"] in ended else "CONTAINER_RUNNING",
                    "createdAt": _created(pod, 4),
                    "labels": labels,
                    "annotations": {"io.kubernetes.container.restartCount": "0"},
                }
            )
    return Out(json.dumps({"containers": found}, separators=(",", ":")) + "\n")


def _cri_pods(world: World, host: Host) -> Out:
    items = [
        {
            "id": sandbox_id(p),
            "metadata": {
                "name": p["metadata"]["name"],
                "uid": p["metadata"]["uid"],
                "namespace": p["metadata"]["namespace"],
                "attempt": 0,
            },
            "state": "SANDBOX_READY",
            "createdAt": _created(p, 2),
            "labels": {
                "io.kubernetes.pod.name": p["metadata"]["name"],
                "io.kubernetes.pod.namespace": p["metadata"]["namespace"],
                "io.kubernetes.pod.uid": p["metadata"]["uid"],
            },
            "annotations": {},
            "runtimeHandler": "",
        }
        for p in world.pods_on(host)
    ]
    return Out(json.dumps({"items": items}, separators=(",", ":")) + "\n")


def _images(world: World, host: Host) -> Out:
    names = sorted({c["image"] for p in world.pods_on(host) for c in p["spec"]["containers"]})
    items = [
        {
            "id": f"sha256:{hexid(64, 'config', n)}",
            "repoTags": [n],
            "repoDigests": [image_id(n)],
            "size": str(20_000_000 + number(90_000_000, n)),
            "uid": None,
            "username": "",
            "pinned": False,
        }
        for n in names
    ]
    return Out(json.dumps({"images": items}, separators=(",", ":")) + "\n")


def _docker_ps(world: World, host: Host) -> Out:
    lines = []
    for pod in world.pods_on(host):
        meta = pod["metadata"]
        stem = f"{meta['name']}_{meta['namespace']}_{meta['uid']}_0"
        rows = [("POD", sandbox_id(pod), "gcr.io/google_containers/pause-amd64:3.0", "/pause")]
        rows += [
            (
                c["name"],
                container_id(pod, c["name"]),
                image_id(c["image"]),
                " ".join(c.get("command", ["/entrypoint"]))[:80],
            )
            for c in pod["spec"]["containers"]
        ]
        for name, cid, picture, command in rows:
            lines.append(
                json.dumps(
                    {
                        "Command": json.dumps(command),
                        "CreatedAt": f"{pod['status']['startTime'][:10]} {pod['status']['startTime'][11:19]} +0000 UTC",
                        "ID": cid,
                        "Image": picture,
                        "Labels": f"io.kubernetes.container.name={name},io.kubernetes.pod.name={meta['name']},io.kubernetes.pod.namespace={meta['namespace']},io.kubernetes.pod.uid={meta['uid']}",
                        "LocalVolumes": "0",
                        "Mounts": "",
                        "Names": f"k8s_{name}_{stem}",
                        "Networks": "host" if pod["spec"].get("hostNetwork") else "none",
                        "Ports": "",
                        "RunningFor": "2 weeks ago",
                        "Size": "0 B",
                        "Status": "Up 2 weeks",
                    }
                )
            )
    return Out(join(lines))


def _docker_info(world: World, host: Host) -> Out:
    count = sum(1 + len(p["spec"]["containers"]) for p in world.pods_on(host))
    info = {
        "ID": hexid(24, host.name).upper(),
        "Containers": count,
        "ContainersRunning": count,
        "ContainersPaused": 0,
        "ContainersStopped": 0,
        "Images": 14,
        "Driver": "overlay2",
        "CgroupDriver": "cgroupfs",
        "LoggingDriver": "json-file",
        "KernelVersion": "3.10.0-1160.119.1.el7.x86_64",
        "OperatingSystem": "CentOS Linux 7 (Core)",
        "NCPU": host.cpu,
        "MemTotal": host.memory * 1024,
        "DockerRootDir": "/var/lib/docker",
        "Name": host.name,
        "ServerVersion": "1.13.1",
        "LiveRestoreEnabled": False,
    }
    return Out(json.dumps(info) + "\n")


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
