"""APISVC-06: clients do not get the whole list of APIs."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.apisvc.about import is_settled
from bot.model.apis import ApiServices, Discovery, GroupProbes, group_version, is_available
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.proof import Proof
from bot.model.refs import Subject, cluster
from bot.model.text import T

BROKEN = frozenset({404, 503})


@check("APISVC-06")
def incomplete_discovery(
    discovery: Discovery, clock: Clock, apis: ApiServices | None, probes: GroupProbes | None
) -> Iterator[Finding | RuledOut]:
    """Discovery is degraded: a group version is announced but cannot tell what it serves.

    Says:
        "helm is slow", "unable to retrieve the complete list of server APIs", operators that restart.
    Evidence:
        The aggregated discovery document with ``freshness: Stale``; on clusters without it, raw GETs of the groups.
    Rule:
        At least one group version is stale. Confirmed when a raw GET of it fails too, or its APIService is down; only
        possible where the APIServices could not be read: it may have been so for seconds.
    Cause:
        An aggregated API is down (APISVC-01 to APISVC-05).
    Fix:
        Repair that API.
    Verify:
        Discovery is complete.
    Must not fire:
        Missing rights: discovery is open to every authenticated user, so it is never a matter of RBAC; an APIService
        that has been down for less than 60 s.
    Reasons:
        - stale: the aggregated document marks it Stale
        - no-answer: an old cluster's group version answers 404 or 503
    """
    failing = _stale(discovery, apis, probes)
    if not failing:
        yield RuledOut(
            code="APISVC-06",
            subject=cluster(),
            because=T("discovery is complete"),
            proofs=(discovery.proof,),
        )
    settled = {group_version(a) for a in apis.items if is_settled(a, clock)} if apis else set(failing)
    for gv in (gv for gv in failing if gv in settled):
        yield _finding(gv, discovery, apis, probes)


def _stale(discovery: Discovery, apis: ApiServices | None, probes: GroupProbes | None) -> tuple[str, ...]:
    if discovery.aggregated:
        return discovery.stale
    registered = {group_version(a) for a in apis.aggregated} if apis else set()
    failing = {gv for gv, p in (probes.by_group_version if probes else {}).items() if p.status in BROKEN}
    return tuple(sorted(registered & failing))


def _finding(gv: str, discovery: Discovery, apis: ApiServices | None, probes: GroupProbes | None) -> Finding:
    group = gv.partition("/")[0]
    probe = probes.by_group_version.get(gv) if probes else None
    own = next((a for a in apis.items if group_version(a) == gv), None) if apis else None
    down = own is not None and not is_available(own)
    refused = probe is not None and probe.status in BROKEN
    proofs: list[Proof] = [discovery.proof.quote(f"{gv} freshness: Stale")] if discovery.aggregated else []
    proofs += [probe.proof] if probe and refused else []
    two = (down or refused) if discovery.aggregated else (down and refused)
    return Finding(
        code="APISVC-06",
        reason="stale" if discovery.aggregated else "no-answer",
        title=T("Discovery is incomplete: {group} does not say what it serves", group=gv),
        detail=T("kubectl, helm and operators see only a part of the API, or wait for it."),
        severity=Severity.HIGH,
        confidence=Confidence.POSSIBLE if apis is None else Confidence.CONFIRMED if two else Confidence.LIKELY,
        subject=Subject("APIGroup", group),
        facts={"group": group},
        onset=own.available.last_transition_time if own and own.available and down else None,
        proofs=tuple(proofs),
        fixes=(
            Fix(
                what=T("Repair the API behind the group; discovery follows by itself."),
                safety=Safety.READ_ONLY,
                commands=("kubectl get apiservices",),
                verify=("kubectl get --raw /apis | head -c 300", "kubectl api-resources"),
            ),
        ),
    )
