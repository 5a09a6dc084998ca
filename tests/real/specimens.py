"""Objects beside a healthy base: pods in every state that has a word of its own, and kinds that a base has none of."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from bot.bundle.api.resources import BUILT_IN

Object = dict[str, Any]
NS = "zoo"
ZOO = Path(__file__).with_name("zoo.yaml")
KINDS = {k.title: k for k in BUILT_IN}


def _stamp(now: datetime, minutes: int) -> str:
    return f"{now - timedelta(minutes=minutes):%Y-%m-%dT%H:%M:%SZ}"


def _meta(name: str, **more: Any) -> Object:
    return {"name": name, "namespace": NS, **more}


def pods(now: datetime) -> list[Object]:
    """Pods by the word that a table shows for them."""
    ended = {"exitCode": 1, "reason": "Error", "startedAt": _stamp(now, 9), "finishedAt": _stamp(now, 8)}
    good = {"exitCode": 0, "reason": "Completed", "startedAt": _stamp(now, 9), "finishedAt": _stamp(now, 8)}
    running = {"running": {"startedAt": _stamp(now, 7)}}
    return [
        _pod("crash", [_state({"waiting": {"reason": "CrashLoopBackOff"}}, restarts=14, last=ended)]),
        _pod("running", [_state(running, ready=True, restarts=1, last=ended)], ready=True),
        _pod("done", [_state({"terminated": good})], phase="Succeeded"),
        _pod("failed", [_state({"terminated": ended})], phase="Failed"),
        _pod("exit-code", [_state({"terminated": {"exitCode": 3}})], phase="Failed"),
        _pod("signal", [_state({"terminated": {"exitCode": 137, "signal": 9}})], phase="Failed"),
        _pod("evicted", [], phase="Failed", reason="Evicted"),
        _pod("pulling", [_state({"waiting": {"reason": "ImagePullBackOff", "message": "no"}})], phase="Pending"),
        _pod(
            "init-error",
            [_state(_waits())],
            init=[_state({"terminated": ended}, name="i", restarts=2)],
            phase="Pending",
        ),
        _pod("init-runs", [_state(_waits())], init=[_state(running, name="i")], phase="Pending"),
        _pod(
            "init-waits",
            [_state(_waits())],
            init=[_state({"waiting": {"reason": "ErrImagePull"}}, name="i")],
            phase="Pending",
        ),
        _pod("half", [_state(running, ready=True), _state({"terminated": good}, name="d")], ready=False),
        _pod("pending", [], phase="Pending", node=""),
    ]


def _waits(reason: str = "PodInitializing") -> Object:
    return {"waiting": {"reason": reason}}


def _state(
    state: Object, *, name: str = "c", ready: bool = False, restarts: int = 0, last: Object | None = None
) -> Object:
    found = {"name": name, "image": "i:1", "imageID": "", "ready": ready, "restartCount": restarts, "state": state}
    return found | ({"lastState": {"terminated": last}} if last else {})


def _pod(
    name: str,
    states: list[Object],
    *,
    init: list[Object] | None = None,
    phase: str = "Running",
    reason: str = "",
    node: str = "node-1",
    ready: bool | None = None,
) -> Object:
    spec: Object = {
        "containers": [{"name": s["name"], "image": "i:1"} for s in states] or [{"name": "c", "image": "i:1"}]
    }
    if init:
        spec["initContainers"] = [{"name": s["name"], "image": "i:1"} for s in init]
    if node:
        spec["nodeName"] = node
    status: Object = {"phase": phase, "containerStatuses": states}
    status |= {"initContainerStatuses": init} if init else {}
    status |= {"reason": reason} if reason else {}
    status |= {"podIP": "10.244.1.9", "podIPs": [{"ip": "10.244.1.9"}], "hostIP": "10.0.0.12"} if ready else {}
    if ready is not None:
        status["conditions"] = [{"type": "Ready", "status": str(ready)}]
    return {"metadata": _meta(name, labels={"app": "zoo", "case": name}), "spec": spec, "status": status}


def others(now: datetime) -> Iterator[tuple[str, Object]]:
    """Yield plural with group, and the object, in the order in which they can be made."""
    for title, items in yaml.safe_load(ZOO.read_text(encoding="utf-8")).items():
        for item in items:
            meta = item["metadata"] | ({"namespace": NS} if KINDS[title].namespaced else {})
            yield title, _filled(item | {"metadata": meta}, now)


def _filled(value: Any, now: datetime) -> Any:
    """The value with its times and its certificate request put in."""
    if isinstance(value, dict):
        return {k: _filled(v, now) for k, v in value.items()}
    if isinstance(value, list):
        return [_filled(v, now) for v in value]
    if value == "@request":
        return _request()
    past = re.fullmatch(r"@-(\d+)m", value) if isinstance(value, str) else None
    return _stamp(now, int(past.group(1))) if past else value


def widgets() -> list[Object]:
    """Objects of the custom kind."""
    return [
        {"apiVersion": "example.com/v1", "kind": "Widget", "metadata": _meta(n), "spec": {"size": 1}}
        for n in ("w1", "w2")
    ]


def _request() -> str:
    """A certificate request for CN=x."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "x")])
    made = x509.CertificateSigningRequestBuilder().subject_name(name)
    signed = made.sign(ec.generate_private_key(ec.SECP256R1()), hashes.SHA256())
    return base64.b64encode(signed.public_bytes(serialization.Encoding.PEM)).decode()
