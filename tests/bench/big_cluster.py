"""A real API server that holds a large cluster: 1,000 nodes and 20,000 pods of about 10 KiB with a realistic status.

The objects are written into etcd in the form in which an API server stores them (JSON is one of its storage forms),
because 40,000 requests for pods and their status would take longer than everything that is measured. The API server
reads them when it starts, and answers from its own memory as always.
"""

from __future__ import annotations

import base64
import hashlib
import json
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from bot.bundle.store import open_base
from tests.real import parts

PODS, NODES, NAMESPACES, DEPLOYMENTS = 20_000, 1000, 100, 2000
BATCH, CONNECTIONS = 100, 16
WRONG_EVERY = 397  # one pod of so many is in trouble; a prime, so that they are spread over all teams
STAMP = "%Y-%m-%dT%H:%M:%SZ"
ETCD_LIMITS = ["--max-txn-ops=1000", "--max-request-bytes=33554432", "--quota-backend-bytes=8589934592"]


@contextmanager
def big_cluster(folder: Path, pods: int = PODS) -> Iterator[Path]:
    """Run etcd and an API server with the objects; yields an admin's kubeconfig."""
    etcd, peer, port = parts.free_port(), parts.free_port(), parts.free_port()
    processes = []
    try:
        processes.append(parts._start(folder, "etcd", [*parts._etcd_flags(folder, etcd, peer), *ETCD_LIMITS]))
        parts._wait(processes[-1], lambda: parts._ok(f"http://127.0.0.1:{etcd}/health"), folder / "etcd.log")
        fill(f"http://127.0.0.1:{etcd}", pods)
        processes.append(parts._start(folder, "kube-apiserver", parts._api_flags(folder, etcd, port)))
        url = f"https://127.0.0.1:{port}"
        parts._wait(processes[-1], lambda: parts._ok(f"{url}/readyz"), folder / "kube-apiserver.log")
        yield _kubeconfig(folder, url)
    finally:
        for process in reversed(processes):
            process.kill()
            process.wait(20)


def _kubeconfig(folder: Path, url: str) -> Path:
    certificate = folder / "certs" / "apiserver.crt"  # signed by itself
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": "big", "cluster": {"server": url, "certificate-authority": str(certificate)}}],
        "users": [{"name": "admin", "user": {"token": parts.ADMIN}}],
        "contexts": [{"name": "big", "context": {"cluster": "big", "user": "admin"}}],
        "current-context": "big",
    }
    at = folder / "kubeconfig"
    at.write_text(json.dumps(config))
    return at


def fill(etcd: str, pods: int) -> None:
    """Write every object, in batches over several connections."""
    now = datetime.now(UTC)  # noqa: TID251 - a real server has a real clock
    everything = list(_objects(now, pods))
    batches = [everything[at : at + BATCH] for at in range(0, len(everything), BATCH)]
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for _ in pool.map(lambda batch: _put(etcd, batch), batches):
            pass


def _put(etcd: str, batch: list[tuple[str, bytes]]) -> None:
    operations = [
        {"requestPut": {"key": base64.b64encode(key.encode()).decode(), "value": base64.b64encode(value).decode()}}
        for key, value in batch
    ]
    body = json.dumps({"success": operations}).encode()
    request = urllib.request.Request(f"{etcd}/v3/kv/txn", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        answer.read()


def _objects(now: datetime, pods: int) -> Iterator[tuple[str, bytes]]:
    """Key and stored form of every object; pods are spread unevenly over the namespaces, as teams are."""
    for n in range(NAMESPACES):
        name = f"team-{n:02}"
        spec = {"spec": {"finalizers": ["kubernetes"]}, "status": {"phase": "Active"}}
        yield f"/registry/namespaces/{name}", _stored("v1", "Namespace", {"name": name}, now, **spec)
    base = open_base("kubeadm-5")
    template = _template(base.json("cluster-resources/nodes.json")["items"][-1], "node", now)
    for n in range(NODES):
        yield f"/registry/minions/node-{n:04}", _filled(template, name=f"node-{n:04}", number=n)
    yield from _deployments(now)
    well = _template(_pod(base, now), "pod", now)
    wrong = _template(_crashing(_pod(base, now)), "pod", now)
    for n in range(pods):
        namespace, name = f"team-{_team(n):02}", f"web-{n % 97}-{_hash(n)[:9]}-{_hash(n)[9:14]}"
        template = wrong if n % WRONG_EVERY == 0 else well
        yield (
            f"/registry/pods/{namespace}/{name}",
            _filled(template, name=name, namespace=namespace, number=n, node=f"node-{n % NODES:04}"),
        )


def _deployments(now: datetime) -> Iterator[tuple[str, bytes]]:
    status = {"replicas": 10, "readyReplicas": 10, "availableReplicas": 10, "updatedReplicas": 10}
    labels = {"app": "web"}
    container = {"name": "web", "image": "registry.example.com/web:1"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": 10, "selector": {"matchLabels": labels}, "template": template}
    for n in range(DEPLOYMENTS):
        namespace, name = f"team-{_team(n):02}", f"web-{n}"
        meta = {"name": name, "namespace": namespace}
        value = _stored("apps/v1", "Deployment", meta, now, spec=spec, status=status)
        yield f"/registry/deployments/{namespace}/{name}", value


def _team(number: int) -> int:
    """Half of everything belongs to ten of the hundred teams."""
    return number // 2 % 10 if number % 2 else number // 2 % NAMESPACES


def _hash(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def _stored(version: str, kind: str, meta: dict[str, Any], now: datetime, **rest: Any) -> bytes:
    uid = hashlib.sha256(f"{kind}/{meta['name']}".encode()).hexdigest()
    own = {"uid": f"{uid[:8]}-{uid[8:12]}-4{uid[13:16]}-8{uid[17:20]}-{uid[20:32]}"}
    created = {"creationTimestamp": (now - timedelta(days=30)).strftime(STAMP)}
    return json.dumps({"apiVersion": version, "kind": kind, "metadata": meta | own | created} | rest).encode()


def _pod(base: Any, now: datetime) -> dict[str, Any]:
    """A pod of the healthy base cluster, with the sidecar, environment and managed fields that real ones have."""
    items = base.json("cluster-resources/pods/kube-system.json")["items"]
    pod: dict[str, Any] = json.loads(json.dumps(next(p for p in items if p["metadata"]["name"].startswith("coredns"))))
    for side in ("containers", "containerStatuses"):
        part = pod["spec" if side == "containers" else "status"]
        part[side].append(part[side][0] | {"name": "sidecar"})
    pod["spec"]["containers"][0]["env"] = [{"name": f"SETTING_{n}", "value": f"value {n}" * 3} for n in range(20)]
    fields = {f"f:{key}": {"f:name": {}, "f:value": {}} for key in ("spec", "status", "metadata")}
    fields |= {f'k:{{"type":"{n}"}}': {".": {}, "f:lastTransitionTime": {}, "f:status": {}} for n in range(14)}
    at = now.strftime(STAMP)
    pod["metadata"]["managedFields"] = [
        {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": at, "fieldsType": "FieldsV1"}
        | {"fieldsV1": fields}
        for manager in ("kube-controller-manager", "kubelet")
    ]
    return pod


def _crashing(pod: dict[str, Any]) -> dict[str, Any]:
    status = pod["status"]["containerStatuses"][0]
    status |= {"ready": False, "restartCount": 41, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    return pod


def _template(item: dict[str, Any], kind: str, now: datetime) -> str:
    """The object as text with places for what differs."""
    meta = item["metadata"]
    meta |= {"name": "@NAME@", "uid": "@UID@", "creationTimestamp": (now - timedelta(days=9)).strftime(STAMP)}
    meta.pop("resourceVersion", None)
    if kind == "pod":
        meta["namespace"] = "@NAMESPACE@"
        item["spec"]["nodeName"] = "@NODE@"
        item["status"] |= {"podIP": "@ADDRESS@", "podIPs": [{"ip": "@ADDRESS@"}]}
    return json.dumps(item)


def _filled(template: str, *, name: str, number: int, namespace: str = "", node: str = "") -> bytes:
    uid = _hash(number)
    address = f"10.{128 + number // 65536}.{number // 256 % 256}.{number % 256}"
    for place, value in {
        "@NAME@": name,
        "@NAMESPACE@": namespace,
        "@NODE@": node,
        "@ADDRESS@": address,
        "@UID@": f"{uid[:8]}-{uid[8:12]}-4{uid[13:16]}-8{uid[17:20]}-{uid[20:32]}",
    }.items():
        template = template.replace(place, value)
    return template.encode()
