"""The container runtime's clients: crictl's JSON and docker's JSON lines; their errors."""

from __future__ import annotations

import re
from typing import Any

from bot.model.host_runtime import RuntimeContainer
from bot.parse.common import UnparsableError, find_json, integer, json_lines, listed

_POD_NAME, _POD_NAMESPACE = "io.kubernetes.pod.name", "io.kubernetes.pod.namespace"
_SOCKET = re.compile(r"(?m)^s\S+\s.*?(/\S+\.sock)$")
_NO_SOCKET = re.compile(r"(?m)^ls: .*?['‘]?(/[^'’:\s]+\.sock)['’]?: (.*)$")
_HANGS = re.compile(
    r"context deadline exceeded|DeadlineExceeded"
    r"|error reading server preface: [^\n]*(?:use of closed network connection|timeout)"
)


def info(text: str) -> dict[str, tuple[bool, str]]:
    """``crictl info``: condition → (status, message).

    Raises:
        UnparsableError: no CRI status in it.
    """
    data = find_json(text, "crictl info")
    status = data.get("status") if isinstance(data, dict) else None
    if not isinstance(status, dict):
        raise UnparsableError("crictl info", text)
    conditions = [c for c in status.get("conditions") or () if isinstance(c, dict)]
    return {str(c.get("type", "")): (c.get("status") is True, str(c.get("message", ""))) for c in conditions}


def root(text: str) -> str:
    """Where ``crictl info`` says that containerd keeps everything; empty where it does not tell."""
    data = find_json(text, "crictl info")
    config = data.get("config") if isinstance(data, dict) else None
    found = config.get("containerdRootDir") if isinstance(config, dict) else None
    return found if isinstance(found, str) and found.startswith("/") else ""


def containers(text: str) -> tuple[tuple[RuntimeContainer, ...], bool]:
    """``crictl ps -a -o json``, and whether that is all of it: on a crowded node it is longer than what is kept.

    Raises:
        UnparsableError: not that.
    """
    found, whole = listed(text, "containers", "crictl ps")
    return tuple(_container(c) for c in found), whole


def count(text: str) -> int:
    """``crictl ps -a -q | wc -l``. A client that fails leaves a 0 behind its complaint, which is no count.

    Raises:
        UnparsableError: anything but one number, or 0.
    """
    number = integer(text.strip())
    if not number or number < 0:
        raise UnparsableError("number of containers", text)
    return number


def begins(text: str) -> bool:
    """Whether a JSON object begins a line, be it whole or cut off."""
    return re.search(r"(?m)^\s*\{", text) is not None


def _container(item: dict[str, Any]) -> RuntimeContainer:
    labels = item.get("labels") or {}
    meta = item.get("metadata") or {}
    image = item.get("image") or {}
    pod = f"{labels[_POD_NAMESPACE]}/{labels[_POD_NAME]}" if _POD_NAME in labels and _POD_NAMESPACE in labels else ""
    return RuntimeContainer(
        id=str(item.get("id", "")),
        name=str(meta.get("name", "")),
        image=str(image.get("image", "")),
        state=str(item.get("state", "")).removeprefix("CONTAINER_").lower(),
        pod=pod,
        attempt=int(meta.get("attempt") or 0),
    )


def docker_containers(text: str) -> tuple[RuntimeContainer, ...]:
    """``docker ps -a --format '{{json .}}'``; ``State`` is newer than ``Status``.

    Raises:
        UnparsableError: not that.
    """
    items = json_lines(text, "docker ps")
    if not all("ID" in item and "Names" in item for item in items):
        raise UnparsableError("docker ps", text)
    return tuple(_docker(item) for item in items)


def _docker(item: dict[str, Any]) -> RuntimeContainer:
    labels = dict(pair.partition("=")[::2] for pair in str(item.get("Labels", "")).split(","))
    name = str(item.get("Names", ""))
    parts = name.split("_")
    pod = f"{labels[_POD_NAMESPACE]}/{labels[_POD_NAME]}" if _POD_NAME in labels and _POD_NAMESPACE in labels else ""
    if not pod and parts[0] == "k8s" and len(parts) > 3:  # noqa: PLR2004 - k8s_CONTAINER_POD_NAMESPACE_…
        pod = f"{parts[3]}/{parts[2]}"
    up = str(item.get("Status", "")).startswith("Up")
    return RuntimeContainer(
        id=str(item.get("ID", "")),
        name=name,
        image=str(item.get("Image", "")),
        state=str(item.get("State") or ("running" if up else "exited")).lower(),
        pod=pod,
    )


def docker_alive(text: str) -> bool:
    """``docker info --format '{{json .}}'``: whether the daemon answered (the client alone prints ServerErrors)."""
    data = find_json(text, "docker info")
    return isinstance(data, dict) and not data.get("ServerErrors") and bool(data.get("ServerVersion"))


def sockets(text: str) -> dict[str, bool | None]:
    """``ls -l`` of the runtimes' sockets: path → there, not there, or None when it may not be looked at.

    Raises:
        UnparsableError: no line speaks of a socket.
    """
    found: dict[str, bool | None] = dict.fromkeys(_SOCKET.findall(text), True)
    for path, why in _NO_SOCKET.findall(text):
        found[path] = False if "No such file" in why else None
    if not found:
        raise UnparsableError("list of runtime sockets", text)
    return found


def hangs(text: str) -> bool:
    """Whether the client gave up waiting: by its own limit, or because the socket took the call and stayed silent.

    Newer gRPC gives a server five seconds for its first word, before any limit of ``crictl`` ends.
    """
    return _HANGS.search(text) is not None


def failure(text: str) -> str:
    """The runtime's or its client's own words, one line."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    telling = [line for line in lines if re.search(r"rpc error|dial unix|Cannot connect|FATA|level=fatal", line)]
    return (telling or lines or [""])[-1][:600]  # the reason stands at the end of a long line
