"""How collectors read the Kubernetes API: pages, tables, single objects and errors that say which right is missing.

A list is read to its end or not at all: one that breaks off midway raises, so that a part is never taken for the whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from threading import Lock
from typing import Any, Generic, TypeVar

import msgspec

from bot.errors import Kind, SourceError
from bot.model.k8s import List, Meta, Object
from bot.model.proof import Proof, Source
from bot.redact import clean, redact
from bot.source import JSON, Kube, Response, Right

PAGE = 500
PARALLEL = 8
BODY_CHARS = 8192
LINE_CHARS = 2000
NOT_ACCEPTABLE = 406
NOT_FOUND = 404
NOISY_ANNOTATION = "kubectl.kubernetes.io/last-applied-configuration"
T = TypeVar("T")
O = TypeVar("O", bound=Object)  # noqa: E741 - an object
R = TypeVar("R")
A = TypeVar("A")
_making = Lock()
_decoders: dict[Any, msgspec.json.Decoder[Any]] = {}


@dataclass(frozen=True, slots=True)
class Items(Generic[T]):
    """A complete list and where it was read."""

    items: tuple[T, ...]
    proof: Proof


def grant(right: Right) -> str:
    """The one ClusterRole rule that is missing, as YAML flow text that can be pasted under ``rules:``."""
    if right.path:
        return f'Grant: - {{nonResourceURLs: ["{right.path}"], verbs: [{right.verb}]}}'
    names = f", resourceNames: [{', '.join(right.names)}]" if right.names else ""
    return f'Grant: - {{apiGroups: ["{right.group}"], resources: [{right.resource}], verbs: [{right.verb}]{names}}}'


def explained(error: SourceError, right: Right) -> SourceError:
    """The same error, with the missing rule as its hint when the API said 403."""
    if error.kind is Kind.FORBIDDEN and not error.hint:
        return SourceError(error.kind, error.what, error.detail, hint=grant(right), status=error.status)
    return error


def ask(kube: Kube, path: str, query: Mapping[str, str] | None, right: Right, *, accept: str = JSON) -> Response:
    """GET; 404 is an answer.

    Raises:
        SourceError: as :meth:`bot.source.Kube.get`, a 403 with the missing rule as its hint.
    """
    try:
        return kube.get(path, query, accept=accept)
    except SourceError as error:
        raise explained(error, right) from None


def decoder_of(kind: type[T]) -> msgspec.json.Decoder[T]:
    """The decoder of a type, made once and by one thread at a time.

    msgspec looks into a Struct class when it first meets it and keeps in the class what it saw; two threads that do so
    at once end the process (segmentation fault, msgspec 0.22 with Python 3.11).
    """
    with _making:
        if kind not in _decoders:
            _decoders[kind] = msgspec.json.Decoder(kind)
        return _decoders[kind]


def decode(body: bytes, kind: type[T], what: str) -> T:
    """Decode an answer; ``null`` where a value belongs counts as left out.

    Raises:
        SourceError: MALFORMED, naming ``what``.
    """
    decoder = decoder_of(kind)
    try:
        return decoder.decode(body)
    except msgspec.MsgspecError:
        pass
    try:
        return msgspec.convert(_without_nulls(msgspec.json.decode(body)), kind)
    except msgspec.MsgspecError as error:
        raise SourceError(Kind.MALFORMED, what, redact(str(error))[0][:200]) from None


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without_nulls(v) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [_without_nulls(v) for v in value if v is not None]
    return value


def one(kube: Kube, path: str, kind: type[O], right: Right) -> tuple[O | None, Proof]:
    """One object, or None when the API says 404.

    Raises:
        SourceError: anything else.
    """
    response = ask(kube, path, None, right)
    if response.status == NOT_FOUND:
        return None, proof_of(path, response, "404: there is none")
    if not response.ok:
        raise _unexpected(path, response)
    found = decode(response.body, kind, f"GET {path}")
    return found, proof_of(path, response, show((found,)))


def listing(kube: Kube, path: str, kind: type[O], right: Right, query: Mapping[str, str] | None = None) -> Items[O]:
    """Every object of a list, in pages of 500.

    Raises:
        SourceError: NOT_FOUND when the API does not know the path; anything that broke the list off.
    """
    try:
        return _pages(kube, path, kind, right, dict(query or {}))
    except SourceError as error:
        if error.kind is not Kind.GONE:
            raise
    return _pages(kube, path, kind, right, dict(query or {}))  # the list's version expired midway: once more


def _pages(kube: Kube, path: str, kind: type[O], right: Right, query: dict[str, str]) -> Items[O]:
    found: list[O] = []
    token: str | None = ""
    first: Response | None = None
    while token is not None:
        response = ask(kube, path, query | {"limit": str(PAGE)} | ({"continue": token} if token else {}), right)
        if not response.ok:
            raise _unexpected(path, response)
        page = decode(response.body, List[kind], f"GET {path}")  # type: ignore[valid-type]
        found.extend(page.items or ())
        first = first or response
        token = page.metadata.continue_ or None
    assert first is not None
    return Items(tuple(found), proof_of(_with(path, query), first, show(found)))


def _unexpected(path: str, response: Response) -> SourceError:
    kind = Kind.NOT_FOUND if response.status == NOT_FOUND else Kind.MALFORMED
    text = redact(response.body[:200].decode("utf-8", "replace"))[0]
    return SourceError(kind, f"GET {path}", f"HTTP {response.status} {text}".strip(), status=response.status)


def _with(path: str, query: Mapping[str, str]) -> str:
    return f"{path}?{'&'.join(f'{k}={v}' for k, v in query.items())}" if query else path


def proof_of(path: str, response: Response, body: str) -> Proof:
    """A proof for an API answer; ``body`` is redacted and cut here."""
    text, count = clean(body[:BODY_CHARS], line=LINE_CHARS)
    at: datetime | None = response.date
    return Proof(source=Source.API, what=f"GET {path}", at=at, body=text, redactions=count)


def show(items: Iterable[Object]) -> str:
    """The objects as JSON lines, only the fields that kubewhy reads (no environment, no applied configuration)."""
    lines: list[str] = []
    size = 0
    for item in items:
        bare = msgspec.structs.replace(item, metadata=_bare(item.metadata))
        line = msgspec.json.encode(bare).decode()
        size += len(line)
        if size > BODY_CHARS:
            lines.append("…")
            break
        lines.append(line)
    return "\n".join(lines) or "(none)"


def _bare(meta: Meta) -> Meta:
    kept = {k: v for k, v in (meta.annotations or {}).items() if k != NOISY_ANNOTATION}
    return msgspec.structs.replace(meta, annotations=kept or None)


def together(work: Callable[[A], R], over: Sequence[A], *, parallel: int = PARALLEL) -> list[R]:
    """Do the same for each, ``parallel`` at a time, in the order given; the first error is raised."""
    if len(over) <= 1:
        return [work(item) for item in over]
    with ThreadPoolExecutor(min(parallel, len(over)), thread_name_prefix="read") as pool:
        return list(pool.map(work, over))


def merged(proofs: Sequence[Proof], what: str) -> Proof:
    """One proof for several readings of the same kind."""
    body = "\n".join(p.body for p in proofs if p.body and p.body != "(none)")[:BODY_CHARS] or "(none)"
    at = next((p.at for p in proofs if p.at), None)
    count = sum(p.redactions for p in proofs)
    return replace(Proof(source=Source.API, what=what), at=at, body=body, redactions=count)
