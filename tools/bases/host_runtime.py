"""The container runtime of a node: what it runs, as crictl or docker print it."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

import json
from datetime import datetime

from tools.bases.host import Out, join
from tools.bases.host_system import pid
from tools.bases.ids import Obj, ago, hexid, number
from tools.bases.journal import record
from tools.bases.pods import container_id, image_id
from tools.bases.spec import Host
from tools.bases.world import World

NANO = 1_000_000_000


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
        "CRI_PS": cri_ps(world, host),
        "CRI_PODS": _cri_pods(world, host),
        "CRI_SOCKETS": _sockets(world, host),
        "RTLOG": _quiet("containerd", host).of(lines="200", since="-30min"),
        "IMAGES": _images(world, host),
    }


def _quiet(unit: str, host: Host) -> Out:
    when = ago(301.4 + host.number)
    text = f'time="{when:%Y-%m-%dT%H:%M:%S.%f}Z" level=info msg="ImageUpdate event name:\\"registry.k8s.io/pause:3.10.1\\""'
    return Out(record(when, text, pid(host, unit), host, unit) + "\n")


def runtime_driver(world: World) -> Out:
    """The runtime's cgroup driver."""
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


def cri_ps(world: World, host: Host, *only: str) -> Out:
    """``crictl ps -a``, of all containers or those of these names."""
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
