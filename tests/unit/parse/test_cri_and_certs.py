"""crictl and docker, and certificates by openssl 3 and 1.0."""

# ruff: noqa: E501 - captured output stands as it was printed

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.parse import certs, cri
from bot.parse.common import UnparsableError

INFO = {
    "status": {
        "conditions": [
            {"type": "RuntimeReady", "status": True, "reason": "", "message": ""},
            {
                "type": "NetworkReady",
                "status": False,
                "reason": "NetworkPluginNotReady",
                "message": "cni plugin not initialized",
            },
        ]
    },
    "config": {},
}
PS = {
    "containers": [
        {
            "id": "a1",
            "metadata": {"name": "coredns", "attempt": 9},
            "image": {"image": "sha256:1"},
            "state": "CONTAINER_RUNNING",
            "labels": {"io.kubernetes.pod.name": "coredns-1", "io.kubernetes.pod.namespace": "kube-system"},
        }
    ]
}
DOCKER_27 = '{"ID":"b1","Image":"busybox","Names":"manual_test","State":"running","Status":"Up 2 hours","Labels":""}'
DOCKER_1_13 = '{"ID":"b2","Image":"x","Names":"k8s_dns_kube-dns-1_kube-system_uid_0","Status":"Exited (1) 3 hours ago","Labels":""}'
SOCKETS = """srw-rw---- 1 root root 0 Nov 21 11:04 /run/containerd/containerd.sock
ls: cannot access '/var/run/crio/crio.sock': No such file or directory
ls: cannot access '/var/run/docker.sock': Permission denied
"""
OPENSSL_3 = "subject=O = system:nodes, CN = system:node:node-3\nnotAfter=Nov  2 01:50:00 2027 GMT\nnotBefore=Nov  2 01:50:00 2026 GMT\n"
OPENSSL_1_0 = "subject= /O=system:nodes/CN=system:node:node-3\nnotAfter=Nov 22 01:50:00 2027 GMT\n"


def test_conditions_of_the_runtime() -> None:
    """Which condition, whether it holds, and why not."""
    assert {"RuntimeReady": (True, ""), "NetworkReady": (False, "cni plugin not initialized")} == cri.info(
        json.dumps(INFO)
    )


def test_containers_know_their_pod() -> None:
    """State in lower case, without the CRI's prefix."""
    (found,), whole = cri.containers("WARN[0000] runtime connect using default endpoints\n" + json.dumps(PS))
    assert whole
    assert ("kube-system/coredns-1", "running", 9) == (found.pod, found.state, found.attempt)


def test_a_container_made_by_hand_has_no_pod() -> None:
    """Docker 27 and 1.13: state words differ, old pods are known by their container's name."""
    manual, old = cri.docker_containers(f"{DOCKER_27}\n{DOCKER_1_13}\n")
    assert [("", "running"), ("kube-system/kube-dns-1", "exited")] == [(c.pod, c.state) for c in (manual, old)]


def test_a_docker_client_without_daemon_is_not_alive() -> None:
    """The client prints JSON of its own and the server's errors in it."""
    assert cri.docker_alive('{"ServerVersion":"27.1"}')
    assert not cri.docker_alive('{"ServerVersion":"","ServerErrors":["Cannot connect to the Docker daemon"]}')


def test_sockets_are_there_gone_or_hidden() -> None:
    """May not be looked at is unknown."""
    assert {
        "/run/containerd/containerd.sock": True,
        "/var/run/crio/crio.sock": False,
        "/var/run/docker.sock": None,
    } == cri.sockets(SOCKETS)


def test_the_telling_line_of_an_error() -> None:
    """Not the warning before it."""
    assert "FATA[0000] connect: no such file" == cri.failure(
        "WARN[0000] default endpoints\nFATA[0000] connect: no such file\n"
    )


def test_dates_of_certificates() -> None:
    """One-digit days have two spaces; subjects are written in two ways."""
    new, old = certs.certificate("a", OPENSSL_3), certs.certificate("b", OPENSSL_1_0)
    assert new is not None
    assert old is not None
    assert (datetime(2027, 11, 2, 1, 50, tzinfo=UTC), "O = system:nodes, CN = system:node:node-3") == (
        new.not_after,
        new.subject,
    )
    assert (None, "/O=system:nodes/CN=system:node:node-3") == (old.not_before, old.subject)


def test_a_certificate_that_is_not_there_is_none_and_a_hidden_one_an_error() -> None:
    """No such file is an answer; Permission denied is not."""
    assert certs.certificate("a", "Can't open a for reading, No such file or directory\n") is None
    with pytest.raises(UnparsableError):
        certs.certificate("a", "Can't open a for reading, Permission denied\n")


@pytest.mark.parametrize("parse", [cri.info, cri.containers, cri.docker_containers, cri.sockets])
def test_other_output_is_refused(parse: object) -> None:
    """Garbage, and JSON of another thing, is an error."""
    assert callable(parse)
    for text in ("sh: 1: crictl: not found\n", "[1, 2]"):
        with pytest.raises(UnparsableError):
            parse(text)


SILENT = (
    'time="2026-11-21T14:12:24Z" level=fatal msg="validate service connection: validate CRI v1 runtime API for endpoint '
    '\\"unix:///run/containerd/containerd.sock\\": rpc error: code = Unavailable desc = connection error: desc = '
    '\\"error reading server preface: read unix @->/run/containerd/containerd.sock: use of closed network connection\\""\n'
)
GONE = (
    'time="2026-11-21T14:12:24Z" level=fatal msg="validate service connection: validate CRI v1 runtime API for endpoint '
    '\\"unix:///run/containerd/containerd.sock\\": rpc error: code = Unavailable desc = connection error: desc = '
    '\\"transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: no such file or directory\\""\n'
)


def test_a_socket_that_takes_the_call_and_stays_silent_is_a_hang_and_a_missing_one_is_not() -> None:
    """The words of crictl 1.36 in front of a stopped (SIGSTOP) containerd, and of an absent one."""
    assert [True, False] == [cri.hangs(text) for text in (SILENT, GONE)]
