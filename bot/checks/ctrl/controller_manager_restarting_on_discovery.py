"""CTRL-04: the controller-manager exits because discovery is incomplete."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.ctrl.about import KCM, group_of, leader_proof, subject
from bot.model.apis import ApiServices, is_available
from bot.model.cluster import ControlPlaneLogs, Leaders, Log, SystemPods
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.health import last_end, leader_age, restarts_often
from bot.model.k8s import ApiService, Pod
from bot.model.lines import in_window
from bot.model.proof import Proof
from bot.model.text import T

NO_LEADER = 60.0
PATTERNS = (
    re.compile(r"failed to discover resources: unable to retrieve the complete list of server APIs: (?P<gv>[^\s:]+): "),
    re.compile(
        r"unable to (?:get all supported resources from server|retrieve the complete list of server APIs): "
        r"(?P<gv>[^\s:]+): (?:stale GroupVersion discovery: \S+|the server (?:could not find the requested resource"
        r"|is currently unable to handle the request))"
    ),
    re.compile(r'"?failed to discover some groups"?.*?groups="?\S*?(?P<gv>[\w.-]+/v\w+)'),
)


@check("CTRL-04")
def controller_manager_restarting_on_discovery(
    pods: SystemPods, logs: ControlPlaneLogs, apis: ApiServices, clock: Clock, leaders: Leaders | None
) -> Iterator[Finding]:
    """The controller-manager restarts again and again because an aggregated API breaks discovery.

    Says:
        "no new pods on any node", "all components look normal".
    Evidence:
        Restarts and last exit of the controller-manager's pod; its log, current and previous; the leader record;
        APIServices.
    Rule:
        At least 3 restarts with the last inside the window (or no leader for more than 60 s), and a discovery error
        about group G in the last run, and an APIService of group G that is not available. All three: confirmed.
    Cause:
        A dead aggregated API aborts the start of controllers in old releases (up to about 1.9).
    Fix:
        Repair the API's backend; as a stop-gap save and delete its APIService.
    Verify:
        The restarts stay constant for 10 min; the leader record is younger than 15 s; a new ReplicaSet gets pods.
    Must not fire:
        The log line without restarts (newer releases only complain); one restart during an upgrade; lost leader
        election because of slow etcd.
    Reasons:
        - discovery-fatal: the discovery error ended the last run
    """
    own = pods.component(KCM)
    looping = tuple(p for p in own if restarts_often(p, clock))
    leader = leaders.by_component.get(KCM) if leaders else None
    age = leader_age(leader, clock) if leader else None
    lost = age is not None and age > NO_LEADER
    broken = {a.spec.group: a for a in apis.aggregated if not is_available(a)}
    hit = _last_run(logs, clock)
    if hit is None or not (looping or lost) or group_of(hit[1]) not in broken:
        return
    gone = leader_proof(leaders, KCM, clock) if leaders and leader and lost else None
    listed = apis.proof.quote(f"{broken[group_of(hit[1])].metadata.name}: not Available")
    others = (listed, gone) if gone else (listed,)
    yield _finding(looping or own, hit, broken[group_of(hit[1])], pods, others)


def _last_run(logs: ControlPlaneLogs, clock: Clock) -> tuple[Log, str, str] | None:
    """The newest discovery error, of the last run first: log, group version, line."""
    own = sorted(logs.by_component.get(KCM, ()), key=lambda log: log.previous)
    for log in own:
        lines = log.lines if log.previous else in_window(log.lines, clock)
        for line in reversed(lines):
            for pattern in PATTERNS:
                hit = pattern.search(line.text)
                if hit:
                    return log, hit["gv"], line.text
    return None


def _finding(
    pods: tuple[Pod, ...],
    hit: tuple[Log, str, str],
    api: ApiService,
    system: SystemPods,
    others: tuple[Proof, ...],
) -> Finding:
    log, gv, line = hit
    restarts = max((p.restarts for p in pods), default=0)
    name = shlex.quote(api.metadata.name)
    counts = system.proof.quote(*(f"{p.path}: {p.restarts} restarts, last ended {last_end(p)}" for p in pods))
    return Finding(
        code="CTRL-04",
        reason="discovery-fatal",
        title=T(
            "kube-controller-manager keeps restarting ({restarts} times): discovery of {group} fails",
            restarts=restarts,
            group=gv,
        ),
        detail=T("Without it no controller works: nothing is created, moved or scaled anywhere."),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED,
        subject=subject(KCM, system),
        facts={"component": KCM, "group": api.spec.group, "restarting": True, "restarts": restarts},
        onset=None,
        proofs=(log.proof.quote(line), counts, *others),
        fixes=(
            Fix(
                what=T(
                    "Stop-gap: save and delete APIService {api}, so that the controller-manager can start; the metrics "
                    "API is gone until it is applied again.",
                    api=api.metadata.name,
                ),
                safety=Safety.REVERSIBLE,
                commands=(f"kubectl get apiservice {name} -o yaml > {name}.yaml", f"kubectl delete apiservice {name}"),
                verify=(f"kubectl -n kube-system get pods -l component={KCM}",),
                undo=(f"kubectl apply -f {name}.yaml",),
                stage=Stage.MITIGATION,
            ),
        ),
    )
