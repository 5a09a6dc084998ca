"""The playground over real TLS: users, clock, compression, watches, faults."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
import ssl
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from bot.bundle.api.request import text
from bot.playground.faults import Broken, Fault, Faults, Forbidden, Half, Instead, Reset, Slow, Throttled
from bot.playground.https import ApiServer, serve
from tests.unit.playground_api.world import named, world

Reply = tuple[int, dict[str, str], bytes]


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """A playground with two pods and a large ConfigMap."""
    bundle = world(
        pods__shop=[named("a"), named("b")],
        configmaps__shop=[named("big", data={"x": "y" * 200_000})],
        clusterroles=[],
        clusterrolebindings=[],
        roles__shop=[],
        rolebindings__shop=[],
    )
    with serve(bundle) as running:
        yield running


@pytest.fixture
def faults(server: ApiServer) -> Iterator[Faults]:
    """The server's faults; none are left over."""
    yield server.faults
    server.faults.clear()


def connect(server: ApiServer, certificate: str = "") -> http.client.HTTPSConnection:
    """A connection that verifies the server's certificate."""
    context = ssl.create_default_context(cadata=server.ca_pem)
    if certificate:
        context.load_cert_chain(certificate)
    return http.client.HTTPSConnection(str(urlsplit(server.url).netloc), context=context, timeout=5)


def ask(server: ApiServer, path: str, token: str | None = None, **headers: str) -> Reply:
    """GET with the reader's token, or another; ``""`` for none."""
    token = server.users.token("system:admin") if token is None else token
    given = {k.replace("_", "-"): v for k, v in headers.items()} | (
        {"Authorization": f"Bearer {token}"} if token else {}
    )
    connection = connect(server)
    try:
        connection.request("GET", path, headers=given)
        answer = connection.getresponse()
        return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
    finally:
        connection.close()


def test_the_date_is_the_recorded_clock(server: ApiServer) -> None:
    """It starts at the recording's time and runs."""
    status, headers, _ = ask(server, "/api/v1/pods")
    assert status == 200
    assert headers["date"].startswith("Sat, 21 Nov 2026 04:5")
    assert headers["audit-id"]


@pytest.mark.parametrize(("token", "status"), [("", 403), ("wrong", 401), (None, 200)])
def test_tokens_decide(server: ApiServer, token: str | None, status: int) -> None:
    """No token is system:anonymous, a wrong one is nobody."""
    assert ask(server, "/api/v1/pods", token)[0] == status


def test_a_service_account_is_told_what_it_may_not(server: ApiServer) -> None:
    """Its name stands in the refusal."""
    account = "system:serviceaccount:shop:web"
    status, _, body = ask(server, "/api/v1/pods", server.users.token(account))
    assert (status, f'User \\"{account}\\" cannot list' in body.decode()) == (403, True)


def test_a_client_certificate_is_a_user(server: ApiServer, tmp_path: Path) -> None:
    """CN is the name, O a group."""
    config = json.loads(server.kubeconfig("root", ("system:masters",), certificate=True))
    given = config["users"][0]["user"]
    pem = tmp_path / "client.pem"
    pem.write_bytes(b"".join(base64.b64decode(given[k]) for k in ("client-certificate-data", "client-key-data")))
    connection = connect(server, str(pem))
    connection.request("GET", "/api/v1/pods")
    assert connection.getresponse().status == 200
    connection.close()
    assert server.seen[-1][:2] == ("root", "GET")


def test_only_large_answers_are_compressed(server: ApiServer) -> None:
    """From 128 KiB on, for clients that accept it."""
    assert "content-encoding" not in ask(server, "/api/v1/pods", accept_encoding="gzip")[1]
    _, headers, body = ask(server, "/api/v1/configmaps", accept_encoding="gzip")
    assert headers["content-encoding"] == "gzip"
    assert len(gzip.decompress(body)) > 200_000 > len(body)


def test_a_connection_serves_many_requests(server: ApiServer) -> None:
    """HTTP/1.1 keeps it open."""
    token = server.users.token("system:admin")
    connection = connect(server)
    for _ in range(3):
        connection.request("GET", "/api/v1/pods", headers={"Authorization": f"Bearer {token}"})
        assert connection.getresponse().read()
    connection.close()


def test_a_watch_starts_with_what_there_is(server: ApiServer) -> None:
    """ADDED for each object, the end when its time is over."""
    begun = time.monotonic()
    _, _, body = ask(server, "/api/v1/pods?watch=true&timeoutSeconds=1")
    events = [json.loads(line) for line in body.splitlines()]
    assert [(e["type"], e["object"]["metadata"]["name"]) for e in events] == [("ADDED", "a"), ("ADDED", "b")]
    assert time.monotonic() - begun >= 1


def test_a_watch_list_ends_its_beginning_with_a_bookmark(server: ApiServer) -> None:
    """``sendInitialEvents``, as informers ask since 1.34."""
    query = "watch=true&timeoutSeconds=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan"
    events = [json.loads(line) for line in ask(server, f"/api/v1/pods?{query}")[2].splitlines()]
    assert events[-1]["type"] == "BOOKMARK"
    assert events[-1]["object"]["metadata"]["annotations"] == {"k8s.io/initial-events-end": "true"}


@pytest.mark.parametrize(
    ("fault", "status", "reason"),
    [
        (Broken(), 500, "InternalError"),
        (Broken(503, "down"), 503, "ServiceUnavailable"),
        (Forbidden(), 403, "Forbidden"),
        (Forbidden("list"), 403, "Forbidden"),
    ],
)
def test_faults_that_are_answers(server: ApiServer, faults: Faults, fault: Fault, status: int, reason: str) -> None:
    """Only requests that match go wrong, as often as was asked for."""
    faults.on("/api/v1/pods", fault, times=1)
    assert ask(server, "/api/v1/configmaps")[0] == 200
    found = ask(server, "/api/v1/pods")
    assert (found[0], json.loads(found[2])["reason"]) == (status, reason)
    assert ask(server, "/api/v1/pods")[0] == 200


def test_a_forbidden_verb_leaves_others_alone(server: ApiServer, faults: Faults) -> None:
    """``watch`` forbidden is not ``list`` forbidden."""
    faults.on("/api/v1/pods", Forbidden("watch"))
    assert ask(server, "/api/v1/pods")[0] == 200
    assert ask(server, "/api/v1/pods?watch=true")[0] == 403


def test_throttling_says_when_to_come_back(server: ApiServer, faults: Faults) -> None:
    """429 with Retry-After."""
    faults.on("/api/v1/*", Throttled(7))
    status, headers, _ = ask(server, "/api/v1/pods")
    assert (status, headers["retry-after"]) == (429, "7")


def test_slowness_is_only_late(server: ApiServer, faults: Faults) -> None:
    """The answer is whole."""
    faults.on("/api/v1/pods", Slow(0.3))
    begun = time.monotonic()
    assert ask(server, "/api/v1/pods")[0] == 200
    assert time.monotonic() - begun >= 0.3


def test_another_answer_altogether(server: ApiServer, faults: Faults) -> None:
    """A proxy's page in place of JSON."""
    faults.on("/api/v1/pods", Instead(text("<html>log in</html>")))
    assert ask(server, "/api/v1/pods")[2] == b"<html>log in</html>"


@pytest.mark.parametrize(("fault", "error"), [(Reset(), ConnectionResetError), (Half(), http.client.IncompleteRead)])
def test_broken_connections(server: ApiServer, faults: Faults, fault: Fault, error: type[Exception]) -> None:
    """A reset has no answer; half an answer ends too early."""
    faults.on("/api/v1/pods", fault)
    with pytest.raises(error):
        ask(server, "/api/v1/pods")


def test_stopping_ends_open_connections() -> None:
    """A watch does not hold the server up, and the port is free again."""
    running = serve(world(pods__shop=[]))
    connection = connect(running)
    token = running.users.token("system:admin")
    connection.request("GET", "/api/v1/pods?watch=true", headers={"Authorization": f"Bearer {token}"})
    assert connection.getresponse().status == 200
    begun = time.monotonic()
    running.stop()
    assert time.monotonic() - begun < 3
    with pytest.raises(OSError):  # noqa: PT011 - any error of the socket
        ask(running, "/api/v1/pods")
    connection.close()


def test_impersonation_is_for_the_reader(server: ApiServer) -> None:
    """``kubectl --as``: others stay who they are."""
    assert ask(server, "/api/v1/pods", impersonate_user="ann")[0] == 403
    body: Any = json.loads(ask(server, "/api/v1/pods", server.users.token("bob"), impersonate_user="root")[2])
    assert 'User "bob"' in body["message"]
