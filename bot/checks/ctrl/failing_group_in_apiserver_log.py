"""CTRL-07: the API server's log reports a failing aggregated group."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.checks.ctrl.about import KCM, current_lines, group_of
from bot.model.apis import ApiServices, is_available, service_path
from bot.model.cluster import ControlPlaneLogs, Log, LogLine
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.k8s import ApiService
from bot.model.lines import RECENT, span
from bot.model.refs import Subject
from bot.model.text import T

NOT_FOUND = "could not find the requested resource"
FORMS = (
    re.compile(r"couldn't get resource list for (?P<what>[^\s:]+): (?P<why>[^\"]*)"),
    re.compile(r"\"Couldn't get resource list\".*?g(?:v|roupVersion)=\"(?P<what>[^\"]+)\"(?P<why>.*)"),
    re.compile(
        r"(?P<what>[A-Za-z0-9][A-Za-z0-9.-]*) failed with: (?P<why>failing or missing response from https://\S+?: .*)"
    ),
    re.compile(r"loading OpenAPI spec for \\?\"(?P<what>[^\"\\]+)\\?\" failed(?P<why>.*)"),
    re.compile(
        r"error resolving (?P<what>[^\s/]+/[^\s:]+): "
        r"(?P<why>no endpoints available for service|service \"\S+\" not found|.*is not listening on port)"
    ),
)
ANY = re.compile("|".join(re.sub(r"\?P<\w+>", "?:", form.pattern) for form in FORMS))


@check("CTRL-07")
def failing_group_in_apiserver_log(logs: ControlPlaneLogs, apis: ApiServices, clock: Clock) -> Iterator[Finding]:
    """The control plane's log says that an aggregated group does not answer.

    Says:
        "the API server's log is full of metrics errors", "kubectl prints memcache.go: couldn't get resource list".
    Evidence:
        Logs of the API server and the controller-manager; APIServices.
    Rule:
        A current pattern names a group, and an APIService of that group exists. "could not find" means that the backend
        does not serve it (APISVC-05), "unable to handle" that it is down (APISVC-01, APISVC-03). Confirmed when the
        APIService is not available; else likely, and only with a line of the last 10 minutes.
    Cause:
        A symptom: follow the APIService.
    Fix:
        Repair the API behind the group.
    Verify:
        The pattern stops.
    Must not fire:
        "received empty response for:" lines; old lines after the repair; a client's stale discovery cache.
    Reasons:
        - not-found: 404, the backend does not serve the group
        - unavailable: 503, the backend is down
        - no-endpoints: nothing behind its Service
        - no-response: the backend does not answer
        - openapi: its OpenAPI document cannot be loaded
    """
    by_group: dict[str, list[tuple[Log, LogLine, str, str]]] = {}
    for component in ("kube-apiserver", KCM):
        for log, lines in current_lines(logs, component, ANY, clock):
            for line in lines:
                named = _named(line.text, apis)
                if named:
                    by_group.setdefault(named[0].metadata.name, []).append((log, line, named[1], named[2]))
    for name, hits in by_group.items():
        api = apis.get(name)
        newest = span(line for _, line, _, _ in hits)[1]
        fresh = newest is not None and clock.age(newest) <= RECENT
        if api is not None and (fresh or not is_available(api)):
            yield _finding(api, hits)


def _named(text: str, apis: ApiServices) -> tuple[ApiService, str, str] | None:
    """The APIService that a line is about, the reason word, the text of the error."""
    for position, form in enumerate(FORMS):
        hit = form.search(text)
        if hit:
            api = _api(hit["what"], apis)
            return (api, _word(position, hit["why"]), hit["why"]) if api else None
    return None


def _api(what: str, apis: ApiServices) -> ApiService | None:
    by_name = apis.get(what)
    if by_name is not None and by_name.spec.service is not None:
        return by_name
    return next((a for a in apis.aggregated if a.spec.group == group_of(what) or service_path(a) == what), None)


def _word(position: int, why: str) -> str:
    if NOT_FOUND in why:
        return "not-found"
    if "no endpoints" in why or "not found" in why or "not listening" in why:
        return "no-endpoints"
    return ("unavailable", "unavailable", "no-response", "openapi", "no-endpoints")[position]


def _finding(api: ApiService, hits: list[tuple[Log, LogLine, str, str]]) -> Finding:
    log, _, word, _ = hits[-1]
    first = span(line for _, line, _, _ in hits)[0]
    start = next((entry.at for entry in log.lines if entry.at), None)
    began = first if first and start and (first - start).total_seconds() > 120 else None  # noqa: PLR2004 - seconds
    return Finding(
        code="CTRL-07",
        reason=word,
        title=T(
            "The control plane's log reports that {group} fails ({count} lines)", group=api.spec.group, count=len(hits)
        ),
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY if is_available(api) else Confidence.CONFIRMED,
        subject=Subject("APIGroup", api.spec.group),
        facts={"group": api.spec.group, "apiservice": api.metadata.name},
        onset=began,
        proofs=(log.proof.quote(*(entry.text for _, entry, _, _ in hits[-2:])),),
        fixes=(
            Fix(
                what=T("Follow the APIService: the log only repeats what it says."),
                safety=Safety.READ_ONLY,
                commands=(f"kubewhy metrics-api {api.metadata.name}",),
                verify=("kubectl -n kube-system logs -l component=kube-apiserver --tail=50",),
            ),
        ),
    )
