"""Tries to reach something: endings that no machine of the captured samples shows."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.parse import reach
from bot.parse.common import UnparsableError


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Terminated\nrc=143\n", "timeout"),  # timeout of busybox
        (
            "bash: connect: No route to host\nbash: line 1: /dev/tcp/10.0.0.9/80: No route to host\nrc=1\n",
            "unreachable",
        ),
        ("bash: connect: Network is unreachable\nrc=1", "unreachable"),
    ],
)
def test_a_try_to_connect_that_failed(text: str, expected: str) -> None:
    """By the status, and bash's words where it is 1."""
    assert expected == reach.connected(text)


@pytest.mark.parametrize("text", ["", "rc=", "rc=126\n", "rc=127\n", "rc=2\n", "rc=0 but more\n"])
def test_a_try_that_was_none(text: str) -> None:
    """No status, or that of a shell that found nothing to run."""
    with pytest.raises(UnparsableError):
        reach.connected(text)


@pytest.mark.parametrize(("text", "expected"), [("", 0), ("000 0.000000\n", 0), ("401 0.001020\n", 401)])
def test_http_status(text: str, expected: int) -> None:
    """Silence and curl's 000 are no answer of a server; 401 is one."""
    assert expected == reach.http_status(text)


@pytest.mark.parametrize(
    ("read", "text"),
    [
        (reach.proxy_mode, "404 page not found"),  # of a kube-proxy before 1.8, or of something else
        (reach.proxy_mode, "sh: 1: curl: not found\n"),
        (reach.neighbour, 'Object "neigh" is unknown, try "ip help".\n'),
        (reach.http_status, "sh: 1: curl: not found\n"),
    ],
)
def test_what_is_no_answer(read: Callable[[str], object], text: str) -> None:
    """Somebody else's words, or those of a shell."""
    with pytest.raises(UnparsableError):
        read(text)


@pytest.mark.parametrize(
    ("text", "expected"), [("", None), (" 000", 0), ('{"healthy":false} 503', 503), ("sh: 1: curl: not found\n", None)]
)
def test_the_health_of_kube_proxy(text: str, expected: int | None) -> None:
    """The status stands behind the body; nothing listens: 000."""
    assert expected == reach.proxy_health(text)
