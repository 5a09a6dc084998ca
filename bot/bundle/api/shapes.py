"""Objects in the form a client wants: themselves, only their metadata, or a table; as JSON or YAML.

Forms and refusals: k8s.io/apiserver ``pkg/endpoints/handlers/response.go``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import yaml

from bot.bundle.api.accept import YAML, Media
from bot.bundle.api.lists import Page
from bot.bundle.api.request import Refused, bad_request, encode, failure
from bot.bundle.api.resources import Resource
from bot.bundle.api.tables import table_of
from bot.source import Response

Object = Mapping[str, Any]
ROLLOUT = "deprecated.daemonset.template.generation"  # only full DaemonSets show this annotation


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """What is to be shown.

    Attributes:
        version: the group version's version under which it was asked for.
        page: set for a list; None for a single object.
    """

    kind: Resource
    version: str
    items: tuple[Object, ...]
    now: datetime
    page: Page | None = None

    @property
    def api_version(self) -> str:
        """``apps/v1``."""
        return f"{self.kind.group}/{self.version}" if self.kind.group else self.version


def show(shown: Shown, media: Media, query: Mapping[str, str]) -> Response:
    """Return the answer in the form asked for.

    Raises:
        Refused: 406 for the wrong form of metadata, 400 for a bad ``includeObject``.
    """
    if media.kind == "Table":
        body = _table(shown, media, query.get("includeObject", ""))
    elif media.kind:
        body = _metadata(shown, media)
    else:
        body = _plain(shown)
    data = yaml.safe_dump(body, allow_unicode=True).encode() if media.type == YAML else encode(body)
    return Response(status=200, body=data, headers={"content-type": media.type})


def _plain(shown: Shown) -> dict[str, Any]:
    if shown.page is None:
        return typed(shown.items[0], shown)
    items: list[Object] = list(shown.items)
    if shown.kind.custom:
        items = [typed(o, shown) for o in items]
    else:
        items = [{k: v for k, v in o.items() if k not in ("kind", "apiVersion")} for o in items]
    head = {"kind": f"{shown.kind.kind}List", "apiVersion": shown.api_version}
    return head | {"metadata": shown.page.meta(), "items": items}


def typed(item: Object, shown: Shown) -> dict[str, Any]:
    """The object with the kind and version under which it was asked for, first."""
    rest = {k: v for k, v in item.items() if k not in ("kind", "apiVersion")}
    return {"kind": shown.kind.kind, "apiVersion": shown.api_version} | rest


def _partial(item: Object, version: str) -> dict[str, Any]:
    meta = dict(item["metadata"])
    if ROLLOUT in (meta.get("annotations") or {}):
        meta["annotations"] = {k: v for k, v in meta["annotations"].items() if k != ROLLOUT}
        if not meta["annotations"]:
            del meta["annotations"]
    return {"kind": "PartialObjectMetadata", "apiVersion": f"meta.k8s.io/{version}", "metadata": meta}


def _metadata(shown: Shown, media: Media) -> dict[str, Any]:
    wants_list = media.kind.endswith("List")
    if shown.page is not None and not wants_list:
        what = f"list (*core.{shown.kind.kind}List)"
        raise _wrong_form(f"you requested PartialObjectMetadata, but the requested object is a {what}")
    if shown.page is None and wants_list:
        what = f"not a list (*core.{shown.kind.kind})"
        raise _wrong_form(f"you requested PartialObjectMetadataList, but the requested object is {what}")
    if shown.page is None:
        return _partial(shown.items[0], media.version)
    head = {"kind": media.kind, "apiVersion": f"meta.k8s.io/{media.version}", "metadata": shown.page.meta()}
    return head | {"items": [_partial(o, media.version) for o in shown.items] or None}


def _wrong_form(message: str) -> Refused:
    return Refused(failure(406, "NotAcceptable", message))


def _table(shown: Shown, media: Media, include: str) -> dict[str, Any]:
    if include not in ("", "None", "Metadata", "Object"):
        wrong = f"Invalid value: \"{include}\": must be 'Metadata', 'Object', 'None', or empty"
        raise bad_request(f"Unable to convert to Table as requested: includeObject: {wrong}")
    columns, found = table_of(shown.kind, shown.version, shown.items, shown.now)
    rows = None if found is None else [row | {"object": _row_object(o, shown, media, include)} for o, row in found]
    meta = shown.page.meta() if shown.page else {"resourceVersion": shown.items[0]["metadata"]["resourceVersion"]}
    head = {"kind": "Table", "apiVersion": f"meta.k8s.io/{media.version}", "metadata": meta}
    return head | {"columnDefinitions": columns, "rows": rows}


def _row_object(item: Object, shown: Shown, media: Media, include: str) -> dict[str, Any] | None:
    if include == "None":
        return None
    return typed(item, shown) if include == "Object" else _partial(item, media.version)
