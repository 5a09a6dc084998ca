"""Which form of an answer a client wants: the Accept header, read as an API server reads it.

Rules and messages: k8s.io/apiserver ``pkg/endpoints/handlers/negotiation``.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.bundle.api.request import Refused, failure

JSON, YAML, PROTOBUF = "application/json", "application/yaml", "application/vnd.kubernetes.protobuf"
OBJECTS = f"{JSON}, {YAML}, {PROTOBUF}, {JSON};stream=watch, {PROTOBUF};stream=watch"
META = "meta.k8s.io"
FORMS = ("Table", "PartialObjectMetadata", "PartialObjectMetadataList")
_WILD = ("*/*", "application/*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Media:
    """A form of answer.

    Attributes:
        type: the bare media type.
        kind: ``Table``, ``PartialObjectMetadata`` …; empty for the objects themselves.
    """

    type: str = JSON
    kind: str = ""
    group: str = ""
    version: str = ""


def clauses(accept: str) -> list[Media]:
    """The clauses of an Accept header, most wanted first."""
    found: list[tuple[float, int, Media]] = []
    for at, clause in enumerate(accept.split(",")):
        bare, *rest = (part.strip() for part in clause.split(";"))
        if bare:
            given = dict(p.split("=", 1) for p in rest if "=" in p)
            media = Media(
                type=bare.lower(), kind=given.get("as", ""), group=given.get("g", ""), version=given.get("v", "")
            )
            found.append((-_quality(given.get("q", "1")), at, media))
    return [media for _, _, media in sorted(found, key=lambda f: f[:2])]


def _quality(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return 1.0


def negotiate(accept: str) -> Media:
    """Return the form to answer objects in.

    Raises:
        Refused: 406.
    """
    wanted = clauses(accept) or [Media()]
    for media in wanted:
        bare = JSON if media.type in _WILD else media.type
        if bare not in (JSON, YAML):
            continue
        if not media.kind:
            return Media(type=bare)
        if media.kind in FORMS and media.group == META and media.version in ("v1", "v1beta1"):
            return Media(type=bare, kind=media.kind, group=media.group, version=media.version)
    if any(m.type in (JSON, YAML, PROTOBUF, *_WILD) for m in wanted):
        message = f"only the following media types are accepted: {JSON}, {YAML}, {PROTOBUF}"
        raise Refused(failure(406, "NotAcceptable", message))
    raise Refused(failure(406, "NotAcceptable", f"406: Not Acceptable\n\nAvailable representations: {OBJECTS}", {}))


def discovery(accept: str) -> Media:
    """Return the form to answer discovery in: aggregated when asked for, else the old one."""
    for media in clauses(accept):
        if (
            media.kind == "APIGroupDiscoveryList"
            and media.group == "apidiscovery.k8s.io"
            and media.version in ("v2", "v2beta1")
        ):
            return Media(kind=media.kind, group=media.group, version=media.version)
        if media.type == JSON and not media.kind:
            break
    return Media()
