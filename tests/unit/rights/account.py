"""A recorded cluster that answers kubewhy only what a ClusterRole allows, asked over HTTPS and SSH as a real one is."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot import app, ask
from bot.bundle.api import Cluster
from bot.bundle.api.rbac import Action
from bot.bundle.api.request import Request
from bot.bundle.api.routes import action_of
from bot.bundle.recording import Bundle
from bot.config import Settings, load
from bot.model.command import Question
from bot.model.report import Report
from bot.playground import connection
from bot.playground.run import start
from bot.source import Response

ACCOUNT = "system:serviceaccount:kubewhy:kubewhy"
SUBJECT = {"kind": "ServiceAccount", "name": "kubewhy", "namespace": "kubewhy"}
REFERENCE = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "kubewhy"}
NAME = "recorded"
FORBIDDEN = 403


@dataclass(slots=True)
class Asked:
    """What the API server was asked, and what it answered.

    Attributes:
        answers: the action of each request and its HTTP status.
    """

    answers: list[tuple[Action, int]] = field(default_factory=list)

    @property
    def used(self) -> set[tuple[str, str, str]]:
        """Verb, resource and group of every request for objects."""
        return {(a.verb, a.resource, a.group) for a, _ in self.answers if not a.path}

    @property
    def refused(self) -> list[Action]:
        """What RBAC did not allow."""
        return [action for action, status in self.answers if status == FORBIDDEN]


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Asked:
    """Listen at the playground's API server."""
    heard, answer = Asked(), connection.answer

    def listening(cluster: Cluster, request: Request) -> Response:
        response = answer(cluster, request)
        heard.answers.append((action_of(request), response.status))
        return response

    monkeypatch.setattr(connection, "answer", listening)
    return heard


def bound(bundle: Bundle, rules: Sequence[dict[str, Any]]) -> Bundle:
    """The recorded cluster with a ClusterRole of these rules, bound to kubewhy's ServiceAccount and to nothing else."""
    role = {"metadata": {"name": "kubewhy"}, "rules": list(rules)}
    binding = {"metadata": {"name": "kubewhy"}, "roleRef": REFERENCE, "subjects": [SUBJECT]}
    changes: dict[str, bytes | None] = {}
    for name, item in (("clusterroles", role), ("clusterrolebindings", binding)):
        path = f"cluster-resources/{name}.json"
        listed = bundle.json(path)
        assert listed is not None, f"{bundle.name} does not record {name}"
        changes[path] = json.dumps({**listed, "items": [*listed["items"], item]}).encode()
    return bundle.patched(changes)


@contextmanager
def settings(bundle: Bundle, config: dict[str, Any] | None = None, *, exceptions: bool = True) -> Iterator[Settings]:
    """Settings that reach the served cluster with the ServiceAccount's token.

    Args:
        bundle: with the role in it.
        config: further settings of the cluster.
        exceptions: False finds nodes by the address of their object, as on a real cluster.
    """
    with start(bundle, NAME, config) as running:
        kubeconfig = running.folder / "account"
        kubeconfig.write_text(running.api.kubeconfig(ACCOUNT), "utf-8")
        made = load(running.config)
        changes: dict[str, Any] = {"kubeconfig": kubeconfig}
        cluster = made.clusters[NAME]
        if not exceptions:
            assert cluster.ssh is not None
            empty = running.folder / "no_ssh_config"
            empty.touch()
            addresses = {node: f"{e.address}:{e.port}" for node, e in cluster.nodes.items()}
            reach = {f"{_internal(bundle, node)}:22": there for node, there in addresses.items()}
            changes |= {"nodes": {}, "reach": cluster.reach | reach}
            changes["ssh"] = cluster.ssh.model_copy(update={"config": empty})
        yield made.model_copy(update={"clusters": {NAME: cluster.model_copy(update=changes)}})


def _internal(bundle: Bundle, node: str) -> str:
    items = (bundle.json("cluster-resources/nodes.json") or {})["items"]
    found = next(item for item in items if item["metadata"]["name"] == node)
    return str(next(a["address"] for a in found["status"]["addresses"] if a["type"] == "InternalIP"))


def asked_for(line: str) -> Question:
    """A question as it is typed: ``/node-why node-3``."""
    name, _, rest = line.lstrip("/").partition(" ")
    return ask.parse(rest, name, app.commands())


def diagnose(bundle: Bundle, line: str, config: dict[str, Any] | None = None, *, exceptions: bool = True) -> Report:
    """Ask a question of the served cluster with the live clients."""
    with settings(bundle, config, exceptions=exceptions) as made:
        return app.run_live(asked_for(line), made)
