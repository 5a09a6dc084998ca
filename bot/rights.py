"""The ClusterRole that the collectors need, and nothing more: generated, so that it cannot lie."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

import yaml

from bot.collector import Collector
from bot.source import Right

# What is read outside of collectors: the API server's clock, and the address of a node before SSH.
ALWAYS = (Right(verb="get", path="/version"), Right(verb="get", resource="nodes"))
HEAD = """# Written by tools/docs.py from what the collectors declare.
# Only get and list: no write verb, no Secret, no exec.
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata:
  name: {name}
"""


def rules(collectors: Iterable[Collector]) -> list[dict[str, list[str]]]:
    """The rules, merged by group and verbs, in a stable order."""
    verbs: dict[tuple[str, str, tuple[str, ...]], set[str]] = defaultdict(set)
    paths: dict[str, set[str]] = defaultdict(set)
    for right in (*ALWAYS, *(r for c in collectors for r in c.rights)):
        if right.path:
            paths[right.path].add(right.verb)
        else:
            verbs[right.group, right.resource, right.names].add(right.verb)
    merged: dict[tuple[str, tuple[str, ...], tuple[str, ...]], list[str]] = defaultdict(list)
    for (group, resource, names), allowed in sorted(verbs.items()):
        merged[group, tuple(sorted(allowed)), names].append(resource)
    found = [
        {"apiGroups": [group], "resources": resources, "verbs": list(allowed)}
        | ({"resourceNames": list(names)} if names else {})
        for (group, allowed, names), resources in merged.items()
    ]
    if paths:
        found.append({"nonResourceURLs": sorted(paths), "verbs": sorted({v for vs in paths.values() for v in vs})})
    return found


def cluster_role(collectors: Iterable[Collector], *, templated: bool = False) -> str:
    """The ClusterRole as YAML; ``templated`` for the chart."""
    name = '{{ include "kubewhy.fullname" . }}' if templated else "kubewhy"
    body = yaml.safe_dump({"rules": rules(collectors)}, sort_keys=False, width=100)
    text = HEAD.replace("{name}", name) + body
    return f"{{{{- if .Values.rbac.create }}}}\n{text}{{{{- end }}}}\n" if templated else text
