"""What can go wrong, in our words: each error says what happened, whose problem it is, and what to do.

No foreign exception crosses a client. The hierarchy::

    KubewhyError
    ├── UsageError                 the person's input; exit code 64
    ├── SettingsError              kubewhy.yaml or the environment
    ├── BundleError                a recorded cluster that cannot be read
    └── SourceError                a cluster, node, DNS server that did not answer; has a Kind
"""

from __future__ import annotations

import enum


class KubewhyError(Exception):
    """Base of every error that kubewhy raises on purpose."""


class UsageError(KubewhyError):
    """The command was typed wrong.

    Attributes:
        nearest: the closest valid words, best first; may be empty.
        example: a complete command that works.
    """

    def __init__(self, message: str, *, nearest: tuple[str, ...] = (), example: str = "") -> None:
        super().__init__(message)
        self.nearest = nearest
        self.example = example


class SettingsError(KubewhyError):
    """A setting is missing or invalid; the message names the key."""


class BundleError(KubewhyError):
    """A recorded cluster cannot be read; the message names the file."""


class Kind(enum.StrEnum):
    """How a source failed. A failed probe is unknown, never evidence, except where a catalogue row reads the kind."""

    UNREACHABLE = "unreachable"  # no route, name does not resolve, network down
    REFUSED = "refused"  # TCP connection refused: the host is up, the port is closed
    TIMED_OUT = "timed-out"
    RESET = "reset"  # cut off in the middle of an answer
    TLS = "tls"
    UNAUTHORIZED = "unauthorized"  # 401
    FORBIDDEN = "forbidden"  # 403
    NOT_FOUND = "not-found"  # 404
    GONE = "gone"  # 410
    THROTTLED = "throttled"  # 429
    SERVER_ERROR = "server-error"  # 5xx
    MALFORMED = "malformed"  # an answer that is not what was asked for
    HOST_KEY_UNKNOWN = "host-key-unknown"
    HOST_KEY_CHANGED = "host-key-changed"
    AUTHENTICATION = "authentication"  # SSH: key or certificate not accepted
    NO_SUDO = "no-sudo"
    CUT_OFF = "cut-off"  # more output than the cap
    NOT_RECORDED = "not-recorded"  # a bundle does not hold it


class SourceError(KubewhyError):
    """A cluster API, node, DNS server or probe did not give an answer.

    Attributes:
        kind: the class of the failure.
        what: what was asked, for example ``GET /api/v1/nodes`` or ``SSH to node-3``.
        detail: the foreign message, redacted, one line.
        hint: what the operator can do about it; may be empty.
        status: HTTP status where there was one, else None.
    """

    def __init__(self, kind: Kind, what: str, detail: str = "", *, hint: str = "", status: int | None = None) -> None:
        super().__init__(f"{what}: {detail or kind.value}")
        self.kind = kind
        self.what = what
        self.detail = detail
        self.hint = hint
        self.status = status
