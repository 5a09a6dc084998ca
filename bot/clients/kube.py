"""The live Kubernetes API: the official client for configuration and credentials, raw answers for everything else.

Raw, because typed models fail whole lists on one odd object and cost a hundred times more CPU. Retries are ours alone:
urllib3's are off, one tenacity policy repeats what may be repeated (cut connections, 429), and never more than three
times.
"""

from __future__ import annotations

import contextlib
import json
import os
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import kubernetes
import urllib3
from tenacity import RetryCallState, Retrying, retry_if_exception, stop_after_attempt

from bot.clients.failures import http_error, transport_error
from bot.clients.reach import Reach
from bot.errors import Kind, SettingsError, SourceError
from bot.redact import redact
from bot.source import JSON, Response, Right

TIMEOUT = 10.0
CONNECT = 3.0
MAX_BODY = 512 * 1024 * 1024
CHUNK = 1 << 20
ATTEMPTS = 3
REPEATABLE = {Kind.RESET, Kind.THROTTLED}
MAX_RETRY_AFTER = 5.0
POOL = 32
REVIEW = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"


class LiveKube:
    """A cluster's API over HTTPS; safe for many threads."""

    def __init__(self, configuration: kubernetes.client.Configuration) -> None:
        configuration.retries = False
        configuration.connection_pool_maxsize = POOL
        if (
            not configuration.verify_ssl
        ):  # the kubeconfig's own choice; kubectl does not complain at each request either
            urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        # Below call_api, which turns TLS failures into a status 0 and reads no answer under a deadline.
        self._pool: urllib3.PoolManager = kubernetes.client.ApiClient(configuration).rest_client.pool_manager
        self._configuration = configuration
        self.host: str = configuration.host

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON, timeout: float | None = None
    ) -> Response:
        """See :meth:`bot.source.Kube.get`."""
        what = f"GET {path}"

        def attempt() -> Response:
            response = self._send("GET", path, query, accept=accept, timeout=timeout)
            error = http_error(response, what)
            if error is not None:
                raise error
            return response

        return _repeat(attempt)

    def raw(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON, timeout: float | None = None
    ) -> Response:
        """See :meth:`bot.source.Kube.raw`."""
        return _repeat(lambda: self._send("GET", path, query, accept=accept, timeout=timeout))

    def review(self, right: Right, namespace: str | None = None) -> bool:
        """See :meth:`bot.source.Kube.review`."""
        return all(self._allowed(right, name, namespace) for name in right.names or ("",))

    def _allowed(self, right: Right, name: str, namespace: str | None) -> bool:
        resource, _, subresource = right.resource.partition("/")
        attributes: dict[str, Any] = {"verb": right.verb}
        if right.path:
            spec: dict[str, Any] = {"nonResourceAttributes": attributes | {"path": right.path}}
        else:
            attributes |= {"group": right.group, "resource": resource, "subresource": subresource}
            attributes |= {k: v for k, v in (("name", name), ("namespace", namespace)) if v}
            spec = {"resourceAttributes": attributes}
        body = {"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": spec}
        response = self._send("POST", REVIEW, None, accept=JSON, timeout=None, body=body)
        error = http_error(response, f"POST {REVIEW}")
        if error is not None:
            raise error
        return bool(json.loads(response.body).get("status", {}).get("allowed"))

    def _send(
        self,
        method: str,
        path: str,
        query: Mapping[str, str] | None,
        *,
        accept: str,
        timeout: float | None,
        body: dict[str, Any] | None = None,
    ) -> Response:
        what = f"{method} {path}"
        url = f"{self.host}{path}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": accept, "Accept-Encoding": "gzip", "User-Agent": "kubewhy"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        limit = timeout or TIMEOUT
        try:
            self._authenticate(headers)
            answer = self._pool.request(
                method,
                url,
                headers=headers,
                body=json.dumps(body) if body is not None else None,
                timeout=urllib3.Timeout(connect=min(CONNECT, limit), read=limit),
                preload_content=False,
                retries=False,
                redirect=False,
            )
            return _read(answer, what, time.monotonic() + limit)
        except SourceError:
            raise
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise transport_error(error, what, self.host) from None

    def _authenticate(self, headers: dict[str, str]) -> None:
        """Add credentials; tokens that expire are refreshed here by the client library."""
        settings = self._configuration.auth_settings()
        for auth in cast("Mapping[str, Mapping[str, str]]", settings).values():
            if auth.get("in") == "header" and auth.get("value"):
                headers[auth["key"]] = auth["value"]


def _read(answer: urllib3.BaseHTTPResponse, what: str, deadline: float) -> Response:
    """Read the whole body under one deadline; a part is no answer."""
    parts: list[bytes] = []
    size = 0
    try:
        for part in answer.stream(CHUNK, decode_content=True):
            parts.append(part)
            size += len(part)
            if size > MAX_BODY:
                raise SourceError(Kind.CUT_OFF, what, f"more than {MAX_BODY >> 20} MiB")
            if time.monotonic() > deadline:
                raise SourceError(Kind.TIMED_OUT, what, "the answer did not end in time")
    finally:
        with contextlib.suppress(Exception):
            answer.release_conn()
    return Response(
        status=answer.status,
        body=b"".join(parts),
        headers={k.lower(): v for k, v in answer.headers.items()},
        date=_date(answer.headers.get("Date")),
    )


def _date(value: str | None) -> datetime | None:
    try:
        return parsedate_to_datetime(value).astimezone(UTC) if value else None
    except ValueError:
        return None


def _repeat(attempt: Any) -> Response:
    """The one retry policy of the cluster API."""

    def pause(state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        wanted = getattr(error, "retry_after", 0.0) or 0.2 * state.attempt_number
        return min(float(wanted), MAX_RETRY_AFTER)

    policy = Retrying(
        stop=stop_after_attempt(ATTEMPTS),
        wait=pause,
        retry=retry_if_exception(lambda e: isinstance(e, SourceError) and e.kind in REPEATABLE),
        reraise=True,
    )
    result: Response = policy(attempt)
    return result


def from_kubeconfig(path: Path | None, context: str, reach: Reach) -> LiveKube:
    """A client for a kubeconfig's context (the current one when empty).

    Raises:
        SettingsError: the file or context does not exist or is broken.
    """
    configuration = kubernetes.client.Configuration()
    try:
        kubernetes.config.load_kube_config(
            config_file=str(path.expanduser()) if path else None,
            context=context or None,
            client_configuration=configuration,
            persist_config=False,
        )
    except (kubernetes.config.ConfigException, OSError, TypeError, ValueError) as error:
        where = path or os.environ.get("KUBECONFIG") or "~/.kube/config"
        named = f", context {context}" if context else ""
        raise SettingsError(f"kubeconfig {where}{named}: {redact(str(error))[0]}") from None
    return LiveKube(reach.configured(configuration))


def in_cluster() -> LiveKube:
    """A client for the cluster this process runs in.

    Raises:
        SettingsError: it runs in none.
    """
    configuration = kubernetes.client.Configuration()
    try:
        kubernetes.config.load_incluster_config(client_configuration=configuration)
    except kubernetes.config.ConfigException as error:
        raise SettingsError(f"in-cluster: {error}") from None
    return LiveKube(configuration)


def contexts(path: Path | None) -> Iterator[str]:
    """Names of the contexts of a kubeconfig; nothing when there is none."""
    try:
        known, _ = kubernetes.config.list_kube_config_contexts(str(path.expanduser()) if path else None)
    except (kubernetes.config.ConfigException, OSError, TypeError):
        return
    yield from (c["name"] for c in known)
