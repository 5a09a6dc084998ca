"""The role is enough: no question is refused anything; and no more: every rule of it is used."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from bot import collector
from bot.bundle.recording import Bundle
from bot.bundle.store import layered, open_base
from bot.playground.demos import demos
from bot.rights import ALWAYS, rules
from bot.source import Right
from handlers import COMMANDS
from tests.unit.rights.account import Asked, bound, diagnose

ROLE = rules(collector.load())
DECLARED = sorted({*ALWAYS, *(r for c in collector.load() for r in c.rights)}, key=str)
SUFFERING = """
objects:
  Deployment/shop/web: {status: {readyReplicas: 1, availableReplicas: 1, unavailableReplicas: 2}}
  StatefulSet/shop/mysql: {status: {readyReplicas: 0, availableReplicas: 0}}
  DaemonSet/kube-system/kube-proxy: {status: {numberReady: 1, numberAvailable: 1}}
  HorizontalPodAutoscaler/shop/web: {status: {currentMetrics: null}}
"""


def suffering(folder: Path) -> Bundle:
    """A cluster in which one workload of each kind lacks pods and an HPA has no value."""
    at = folder / "kubewhy" / "overlay.yaml"
    at.parent.mkdir(parents=True)
    at.write_text(SUFFERING, "utf-8")
    return layered(open_base("kubeadm-5"), folder)


def incidents() -> list[tuple[str, str]]:
    """Where something is asked, and the question."""
    healthy = [("kubeadm-5", q) for q in ("/metrics-api", "/dns-check kubernetes.default from=shop/mysql-0")]
    bases = [(base, question) for base in ("legacy-18", "ha") for question in ("/metrics-api", "/dns-check")]
    return [*healthy, *bases, ("kubeadm-5", "/node-why node-3"), *((d, s.command) for d, s in demos().items())]


def opened(name: str) -> tuple[Bundle, dict[str, Any]]:
    """A base cluster, or a recorded incident with its settings."""
    known = demos()
    return (known[name].bundle(), dict(known[name].config)) if name in known else (open_base(name), {})


@pytest.mark.parametrize(("name", "question"), incidents())
def test_no_question_is_refused_anything(name: str, question: str, asked: Asked) -> None:
    """Nothing that a diagnosis asks for answers 403 under the generated role."""
    bundle, config = opened(name)
    report = diagnose(bound(bundle, ROLE), question, config)
    assert asked.answers != []
    assert asked.refused == []
    assert [s.because for s in report.skipped if "forbidden" in s.because] == []


def test_nodes_are_found_by_their_addresses_with_the_role(asked: Asked) -> None:
    """Without exceptions in the settings the node's address is read from its object, and SSH works."""
    report = diagnose(bound(open_base("kubeadm-5"), ROLE), "/node-why node-3", exceptions=False)
    assert ("get", "nodes", "") in asked.used
    assert asked.refused == []
    assert [s.because for s in report.skipped if "SSH" in s.because] == []


def test_every_rule_of_the_role_is_used(asked: Asked, tmp_path: Path) -> None:
    """A right that no incident needs would be one too many."""
    diagnose(bound(suffering(tmp_path), ROLE), "/metrics-api")
    diagnose(bound(open_base("kubeadm-5"), ROLE), "/dns-check kubernetes.default from=shop/mysql-0")
    diagnose(bound(open_base("kubeadm-5"), ROLE), "/node-why node-3", exceptions=False)
    for name in ("W1", "W1-modern", "W3"):
        if name in demos():
            bundle, config = opened(name)
            diagnose(bound(bundle, ROLE), demos()[name].command, config)
    diagnose(bound(open_base("legacy-18"), ROLE), "/dns-check")
    diagnose(bound(open_base("legacy-18"), ROLE), "/metrics-api")
    surplus = [r for r in DECLARED if not r.path and (r.verb, r.resource, r.group) not in asked.used]
    assert surplus == []


def test_the_role_only_reads() -> None:
    """No write verb, no watch, no wildcard."""
    assert {verb for rule in ROLE for verb in rule["verbs"]} == {"get", "list"}
    assert [rule for rule in ROLE if "*" in {*rule.get("resources", ()), *rule.get("apiGroups", ())}] == []


@pytest.mark.parametrize("resource", ["secrets", "pods/exec", "pods/attach", "pods/portforward", "nodes/proxy"])
def test_the_role_leaves_out_what_could_do_harm(resource: str) -> None:
    """Secrets hold credentials; exec, attach, port-forward and the kubelet's proxy run things."""
    assert [rule for rule in ROLE if resource in rule.get("resources", ())] == []


def test_configuration_maps_are_limited_to_known_names() -> None:
    """ConfigMaps of applications are none of our business."""
    named = [rule.get("resourceNames") for rule in ROLE if "configmaps" in rule.get("resources", ())]
    assert named != []
    assert all(named)


def test_every_command_has_been_asked() -> None:
    """A new command must take part in this proof."""
    questions = [question for _, question in incidents()]
    missing = [c.name for c in COMMANDS if not any(q.startswith(f"/{c.name}") for q in questions)]
    assert missing == []


def test_rights_of_all_collectors_are_merged_without_loss() -> None:
    """What a collector declares is in the role."""

    def covers(right: Right) -> bool:
        return any(
            right.verb in rule["verbs"] and (right.path in rule.get("nonResourceURLs", ()))
            if right.path
            else right.verb in rule["verbs"]
            and right.resource in rule.get("resources", ())
            and right.group in rule.get("apiGroups", ())
            and list(right.names) == rule.get("resourceNames", [])
            for rule in ROLE
        )

    assert [r for r in DECLARED if not covers(r)] == []
