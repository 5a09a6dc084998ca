"""Paths that are no Kubernetes objects: health, proxies to nodes and services, aggregated APIs.

All of them come out of ``api.json``; nothing is assumed healthy because nothing was recorded.
"""

from __future__ import annotations

from dataclasses import replace

from bot.bundle.api.cluster import Cluster
from bot.bundle.api.request import NO_SNIFF, NotRecorded, Request, reply, text, unknown_path
from bot.source import Response

HEALTH = ("/readyz", "/livez", "/healthz")
OK = 200


def is_health(path: str) -> bool:
    """Whether a path is one of the health paths, or a single check below one."""
    return f"/{path.strip('/').partition('/')[0]}" in HEALTH


def health(cluster: Cluster, request: Request) -> Response:
    """``/readyz``, ``/livez``, ``/healthz`` and their single checks, with or without ``verbose``.

    Raises:
        NotRecorded: the bundle does not say.
        Refused: 404, no such check.
    """
    root, _, check = request.path.strip("/").partition("/")
    verbose = cluster.recorded_answer(f"/{root}", {"verbose": ""})
    plain = cluster.recorded_answer(f"/{root}", {})
    if check and verbose is not None:
        return _one(verbose, root, check)
    if "verbose" in request.query and verbose is not None:
        return _named(verbose)
    found = verbose or plain
    if found is None or check:
        raise NotRecorded(request.path)
    if found.status == OK and "verbose" not in request.query:
        return text("ok", headers=NO_SNIFF)
    return _named(found)


def _named(found: Response) -> Response:
    return replace(found, headers={**NO_SNIFF, **found.headers})


def _one(verbose: Response, root: str, check: str) -> Response:
    """One check out of the verbose list, in the words of a healthz handler."""
    lines = verbose.body.decode("utf-8", "replace").splitlines()
    if f"[+]{check} ok" in lines:
        return text("ok")
    if any(line.startswith(f"[-]{check} ") for line in lines):
        return text(f"[-]{check} failed: reason withheld\n{root} check failed\n", status=500, headers=NO_SNIFF)
    raise unknown_path()


def openapi(request: Request) -> Response:
    """The least that clients need: an empty schema, in both versions.

    Raises:
        Refused: 404.
    """
    if request.path == "/openapi/v3":
        return reply({"paths": {}})
    if request.path == "/openapi/v2":
        info = {"title": "Kubernetes", "version": "unversioned"}
        return reply({"swagger": "2.0", "info": info, "paths": {}, "definitions": {}})
    raise unknown_path()
