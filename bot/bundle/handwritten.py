"""Reads YAML that people write: no surprises from dates, ``no``, or a key given twice."""

from __future__ import annotations

import re
from typing import Any

import yaml

from bot.errors import BundleError


class _Loader(yaml.SafeLoader):
    """YAML whose only plain values are text, decimal numbers, true, false and null."""


_Loader.yaml_implicit_resolvers = {}
_Loader.add_implicit_resolver("tag:yaml.org,2002:bool", re.compile(r"(?:true|True|false|False)\Z"), list("tTfF"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:int", re.compile(r"-?(?:0|[1-9][0-9]*)\Z"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:float", re.compile(r"-?[0-9]+\.[0-9]+\Z"), list("-0123456789"))
_Loader.add_implicit_resolver("tag:yaml.org,2002:null", re.compile(r"(?:~|null|)\Z"), ["~", "n", ""])
_Loader.add_implicit_resolver("tag:yaml.org,2002:merge", re.compile(r"<<\Z"), ["<"])


def _mapping(loader: _Loader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen and key.value != "<<":
            raise yaml.constructor.ConstructorError(None, None, f"the key {key.value!r} is there twice", key.start_mark)
        seen.add(key.value)
    loader.flatten_mapping(node)
    return loader.construct_mapping(node, deep=True)


_Loader.add_constructor("tag:yaml.org,2002:map", _mapping)


def load(text: bytes, where: str) -> dict[str, Any]:
    """The top-level map of a document; empty for an empty one.

    Raises:
        BundleError: no YAML, or no map; the message begins with ``where`` and names the line.
    """
    try:
        data = yaml.load(text, Loader=_Loader)  # noqa: S506 - a subclass of SafeLoader
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise BundleError(f"{where}: {' '.join(str(error).split())}") from None
    except RecursionError:
        raise BundleError(f"{where}: nested too deep") from None
    if data is None:
        return {}
    if not isinstance(data, dict):
        raise BundleError(f"{where}: must be a map of keys, see docs/scenarios.md")
    return data
