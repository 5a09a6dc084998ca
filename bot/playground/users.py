"""Who may talk to the playground's API: tokens and client certificates, mapped to Kubernetes users."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping
from typing import Any

from bot.bundle.api.request import ANONYMOUS, AUTHENTICATED, READER, User

ACCOUNT = "system:serviceaccount:"


def user_of(name: str, groups: tuple[str, ...] = ()) -> User:
    """The user of that name with the groups that an API server adds by itself."""
    if name == READER.name:
        return READER
    added: list[str] = list(groups)
    if name.startswith(ACCOUNT):
        namespace = name.removeprefix(ACCOUNT).partition(":")[0]
        added += ["system:serviceaccounts", f"system:serviceaccounts:{namespace}"]
    return User(name=name, groups=tuple(dict.fromkeys([*added, AUTHENTICATED])))


class Users:
    """The tokens that one playground has given out."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[str, User] = {}

    def token(self, name: str, groups: tuple[str, ...] = ()) -> str:
        """A new bearer token for a user; service accounts are ``system:serviceaccount:NS:NAME``."""
        made = secrets.token_urlsafe(24)
        with self._lock:
            self._tokens[made] = user_of(name, groups)
        return made

    def identify(self, headers: Mapping[str, str], certificate: Mapping[str, Any] | None) -> User | None:
        """The user of a request; None when its credentials are not valid.

        Args:
            headers: lower-case names.
            certificate: what ``SSLSocket.getpeercert`` says, None without a verified client certificate.
        """
        kind, _, value = headers.get("authorization", "").partition(" ")
        if kind.lower() == "bearer":
            found = self._tokens.get(value.strip())
        elif certificate:
            found = _of_certificate(certificate)
        else:
            found = ANONYMOUS
        return _impersonated(found, headers) if found else None


def _of_certificate(certificate: Mapping[str, Any]) -> User | None:
    parts = [pair for group in certificate.get("subject", ()) for pair in group]
    name = next((v for k, v in parts if k == "commonName"), "")
    return user_of(name, tuple(v for k, v in parts if k == "organizationName")) if name else None


def _impersonated(user: User, headers: Mapping[str, str]) -> User:
    """``kubectl --as``: the unlimited reader may speak as anybody, others only as themselves."""
    name = headers.get("impersonate-user", "")
    if not name or not user.unlimited:
        return user
    groups = tuple(g.strip() for g in headers.get("impersonate-group", "").split(",") if g.strip())
    return user_of(name, groups)
