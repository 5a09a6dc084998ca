"""POD-02: a pod is bound to nodes that cannot take it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from typing import Any

from bot.check import check
from bot.checks.pod.about import subject
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.health import is_down
from bot.model.k8s import Node, Pod, PodSpec
from bot.model.proof import Proof
from bot.model.refs import Subject
from bot.model.text import T
from bot.model.workloads import PodEvents, SuspectPods, Workloads

MESSAGE = re.compile(
    r"didn't (?:match (?P<rule>Pod's node affinity/selector|node selector|pod (?:anti-)?affinity rules"
    r"|pod topology spread constraints)|have free ports for the requested pod ports)"
)
WORDS = {
    "pod affinity rules": "pod-affinity",
    "pod anti-affinity rules": "pod-anti-affinity",
    "pod topology spread constraints": "topology-spread",
}
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


@check("POD-02")
def pod_pinned_to_unusable_node(
    suspects: SuspectPods,
    workloads: Workloads,
    nodes: Nodes,
    clock: Clock,
    *,
    heartbeats: Heartbeats | None,
    events: PodEvents | None,
) -> Iterator[Finding | RuledOut]:
    """A pod may only run on nodes that do not exist or cannot take it.

    Says:
        "the pod cannot move to another node".
    Evidence:
        nodeSelector and required node affinity against the labels of the nodes; the scheduler's message; node states.
    Rule:
        The nodes that match are none, or only dead and unschedulable ones. Confirmed when the scheduler's message says
        the same; else likely. Anti-affinity, spread and host ports are judged by the message alone.
    Cause:
        The pod is bound by labels.
    Fix:
        Relax the rule, or label another node.
    Verify:
        The pod is scheduled.
    Must not fire:
        Pods that another usable node may take (ruled out aloud); DaemonSet pods, which are always bound to their node.
    Reasons:
        - node-selector: nodeSelector
        - node-affinity: required node affinity
        - pod-affinity: required affinity to other pods
        - pod-anti-affinity: required distance from other pods
        - topology-spread: spread constraints
        - host-ports: the port is taken on every node
    """
    usable = {n.name for n in nodes.items if not n.spec.unschedulable and not is_down(n.name, nodes, heartbeats, clock)}
    for pod in suspects.items:
        if pod.status.phase == "Pending" and not pod.spec.node_name and not _daemon(pod):
            yield from _judge(pod, nodes, usable, _message(pod, events), suspects)
    for workload in workloads.items:
        meta, spec = workload.metadata, workload.spec.template.spec
        free = {n.name for n in nodes.items if _matches(n, spec)} & usable
        if workload.kind == "StatefulSet" and spec.containers and free:
            yield _ruled_out(Subject("StatefulSet", meta.name, meta.namespace), meta.path, free, workloads.proof)


def _ruled_out(what: Subject, name: str, free: set[str], proof: Proof) -> RuledOut:
    return RuledOut(
        code="POD-02",
        subject=what,
        because=T("{name} is not bound to one node: {nodes} may take it", name=name, nodes=tuple(sorted(free)[:3])),
        proofs=(proof.quote(f"{name}: nodeSelector and required affinity match {', '.join(sorted(free)[:3])}"),),
    )


def _daemon(pod: Pod) -> bool:
    owner = pod.metadata.controller
    return owner is not None and owner.kind == "DaemonSet"


def _message(pod: Pod, events: PodEvents | None) -> str:
    condition = pod.condition("PodScheduled")
    said = [e.message or "" for e in (events.of(pod.path) if events else ()) if e.reason == "FailedScheduling"]
    return (condition.message if condition else None) or (said[-1] if said else "")


def _judge(
    pod: Pod, nodes: Nodes, usable: set[str], message: str, suspects: SuspectPods
) -> Iterator[Finding | RuledOut]:
    hit = MESSAGE.search(message)
    word = _word(pod.spec, hit)
    matching = tuple(n.name for n in nodes.items if _matches(n, pod.spec))
    by_labels = word in {"node-selector", "node-affinity"}
    if by_labels and (free := set(matching) & usable):
        yield _ruled_out(subject(pod), pod.path, free, suspects.proof)
        return
    if not by_labels and hit is None:
        return
    yield _finding(pod, word, matching if by_labels else (), message, suspects, sure=by_labels and hit is not None)


def _word(spec: PodSpec, hit: re.Match[str] | None) -> str:
    rule = hit["rule"] if hit else None
    if rule in WORDS:
        return WORDS[str(rule)]
    if hit is not None and rule is None:
        return "host-ports"
    return "node-selector" if spec.node_selector else "node-affinity"


def _dict(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _terms(spec: PodSpec) -> list[dict[str, Any]]:
    required = _dict(_dict(_dict(spec.affinity).get("nodeAffinity")).get(REQUIRED))
    return [_dict(term) for term in required.get("nodeSelectorTerms") or ()]


def _matches(node: Node, spec: PodSpec) -> bool:
    labels = node.metadata.labels or {}
    selected = all(labels.get(k) == v for k, v in (spec.node_selector or {}).items())
    terms = _terms(spec)
    return selected and (not terms or any(_term(term, labels, node.name) for term in terms))


def _term(term: dict[str, Any], labels: dict[str, str], name: str) -> bool:
    rules = [_rule(_dict(r), labels) for r in term.get("matchExpressions") or ()]
    rules += [_rule(_dict(r), {"metadata.name": name}) for r in term.get("matchFields") or ()]
    return bool(rules) and all(rules)


def _rule(rule: dict[str, Any], labels: dict[str, str]) -> bool:
    """One requirement: In, NotIn, Exists, DoesNotExist, Gt, Lt."""
    value = labels.get(str(rule.get("key")))
    values = [str(v) for v in rule.get("values") or ()]
    verdicts = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
        "Gt": _number(value) > _number(values[0] if values else None),
        "Lt": _number(value) < _number(values[0] if values else None),
    }
    return verdicts.get(str(rule.get("operator")), False)


def _number(text: str | None) -> float:
    """A label's value as a number; what is none compares as false."""
    return float(text) if text and text.isdigit() else float("nan")


def _finding(
    pod: Pod, word: str, matching: tuple[str, ...], message: str, suspects: SuspectPods, *, sure: bool
) -> Finding:
    meta = pod.metadata
    where = f"-n {shlex.quote(meta.namespace or 'default')}"
    return Finding(
        code="POD-02",
        reason=word,
        title=T("{pod} may only run on {nodes}, and none of them can take it", pod=pod.path, nodes=matching or ("-",)),
        detail=T("The scheduler says: {message}", message=message) if message else None,
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if sure else Confidence.LIKELY,
        subject=subject(pod),
        facts={"pod": pod.path, "nodes": matching, "rule": word},
        onset=meta.creation_timestamp,
        proofs=(suspects.proof.quote(f"{pod.path}: {word}", message),),
        fixes=(
            Fix(
                what=T("Relax the rule in the workload's template, or label a node that may take the pod."),
                safety=Safety.READ_ONLY,
                commands=(
                    f"kubectl {where} get pod {shlex.quote(meta.name)} -o yaml | grep -A20 -e nodeSelector -e affinity",
                    "kubectl get nodes --show-labels",
                ),
                verify=(f"kubectl {where} get pod {shlex.quote(meta.name)} -o wide",),
            ),
        ),
    )
