"""NODE-33: a kubelet runs on the host, but the cluster has no such node."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.checks.node.about import last_start
from bot.model.cluster import LogLine, Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import HostUnits, KubeletArguments, KubeletLog, NodeIdentity, Unit
from bot.model.host_reach import PendingRequests, SigningRequest
from bot.model.lines import current
from bot.model.refs import node
from bot.model.text import T, Text

_BOOTSTRAP = "kubernetes.io/kube-apiserver-client-kubelet"
_REFUSED = r"(?:Unable to register node|Failed while requesting|certificate signing request|bootstrap)"
# what a kubelet asks of the API server, not of a registry
_ASKED = r"(?:register node|[Ff]ailed to (?:watch|list|ensure lease)|certificate signing request|bootstrap|/apis?/)"
PATTERNS = {
    "name-clash": re.compile(r'nodes \\?"\S+\\?" is forbidden: node \\?"\S+\\?" (?:is not allowed to modify|cannot)'),
    "unknown-authority": re.compile(rf"{_ASKED}.*x509: certificate signed by unknown authority"),
    "token-refused": re.compile(rf"bootstrap token .*(?:invalid|expired)|{_REFUSED}.*Unauthorized"),
    "not-registered": re.compile(r"Unable to register node with API server"),
}


@check("NODE-33")
def host_that_never_joined(
    *,
    units: HostUnits,
    clock: Clock,
    nodes: Nodes,
    identity: NodeIdentity | None,
    arguments: KubeletArguments | None,
    log: KubeletLog | None,
    requests: PendingRequests | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """A host runs a kubelet that cannot register with the cluster.

    Says:
        "The new machine never appears in kubectl get nodes."
    Evidence:
        The node objects; the kubelet's unit and log on the host; CertificateSigningRequests that wait.
    Rule:
        The host has run a kubelet for more than three minutes (or one that exits because it is refused), and there is
        no node object for it. Confirmed when its log or a request of this host that waits shows why.
    Cause:
        The token has expired, the host trusts another CA, nobody approves the request (CTRL-05), or the name belongs
        to another host. It explains AUTO-06.
    Fix:
        A new token, the right CA, an approved request, a name of its own.
    Verify:
        The node appears and becomes Ready.
    Must not fire:
        Instances that are held ready and are not meant to join: no kubelet runs there.
    Reasons:
        - token-refused: the bootstrap token is not accepted
        - unknown-authority: the host does not trust the API server's certificate
        - name-clash: the kubelet's credentials belong to another node
        - not-approved: its certificate request waits for approval
        - not-registered: why is not known
    """
    agent = units.agent
    unit = agent if agent is not None and agent.running else units.kubelet
    limit = (expect.thresholds.get("NODE-33", {}) if expect else {}).get("seconds", 180)
    since = _since(unit, log) if unit is not None else None
    if unit is None or since is None or clock.age(since) <= limit or _known(units.node, nodes, identity, arguments):
        return
    waiting = tuple(
        r
        for r in (requests.items if requests else ())
        if _waits(r, clock, limit) and _is_of(r, units.node, identity, arguments)
    )
    reason, hit = _reason(log, unit, clock, waiting)
    proofs = [nodes.proof.quote(f"no node {units.node} among {len(nodes.items)}")]
    proofs.append(units.proof.quote(f"Id={unit.name}.service ActiveState={unit.active} since {since}"))
    proofs += [log.proof.quote(hit.text)] if log and hit else []
    if requests and waiting:
        proofs.append(requests.proof.quote(*(f"{r.name} of {r.requestor} waits since {r.created}" for r in waiting)))
    yield Finding(
        code="NODE-33",
        reason=reason,
        title=_title(reason, units.node),
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY if reason == "not-registered" and hit is None else Confidence.CONFIRMED,
        subject=node(units.node),
        facts={"node": units.node, "requests": tuple(r.name for r in waiting), "component": "kubelet"},
        onset=since,
        proofs=tuple(proofs),
        fixes=_fixes(reason, units.node, waiting),
    )


def _since(unit: Unit, log: KubeletLog | None) -> datetime | None:
    """Since when the host has run a kubelet: for one that exits at every start, since it was first refused."""
    if unit.running:
        return unit.active_since or unit.started
    if unit.down and unit.active != "inactive" and any(_refused(x.text) for x in last_start(log, unit)):
        return next((x.at for x in (log.lines if log else ()) if x.at and _refused(x.text)), None)
    return None


def _refused(text: str) -> bool:
    return any(pattern.search(text) for reason, pattern in PATTERNS.items() if reason != "not-registered")


def _names(host: str, identity: NodeIdentity | None, arguments: KubeletArguments | None) -> set[str]:
    """The names that the host may have as a node: its own, or the one that its kubelet uses."""
    named = arguments.flags.get("hostname-override", "") if arguments else ""
    return {n.lower() for n in (host, identity.hostname if identity else "", named) if n}


def _is_of(
    request: SigningRequest, host: str, identity: NodeIdentity | None, arguments: KubeletArguments | None
) -> bool:
    """Whether the request is this host's, or says not whose it is."""
    return not request.subject or request.subject.lower() in _names(host, identity, arguments)


def _known(host: str, nodes: Nodes, identity: NodeIdentity | None, arguments: KubeletArguments | None) -> bool:
    """Whether the host is a node, under one of its names or by its machine-id."""
    names = _names(host, identity, arguments)
    machine = identity.machine_id if identity else ""
    return any(n.name.lower() in names or (machine and n.status.node_info.machine_id == machine) for n in nodes.items)


def _waits(request: SigningRequest, clock: Clock, limit: float) -> bool:
    old = request.created is not None and clock.age(request.created) > limit
    return old and request.signer == _BOOTSTRAP and request.requestor.startswith("system:bootstrap:")


def _reason(
    log: KubeletLog | None, unit: Unit, clock: Clock, waiting: tuple[SigningRequest, ...]
) -> tuple[str, LogLine | None]:
    for reason, pattern in PATTERNS.items():
        if reason == "not-registered" and waiting:
            continue
        ended = tuple(x for x in last_start(log, unit) if pattern.search(x.text)) if unit.down else ()
        if found := ended or current(log.lines if log else (), pattern, clock):
            return reason, found[-1]
    return ("not-approved" if waiting else "not-registered"), None


def _title(reason: str, name: str) -> Text:
    return {
        "token-refused": T("{node} cannot join: its bootstrap token is not accepted", node=name),
        "unknown-authority": T("{node} cannot join: it does not trust the API server's certificate", node=name),
        "name-clash": T("{node} cannot join: its credentials belong to another node", node=name),
        "not-approved": T("{node} cannot join: nobody has approved its certificate request", node=name),
    }.get(reason, T("{node} runs a kubelet, but is no node of the cluster", node=name))


def _fixes(reason: str, host: str, waiting: tuple[SigningRequest, ...]) -> tuple[Fix, ...]:
    seen = ("kubectl get nodes",)
    join = Fix(
        what=T("On a control-plane node: make a new token; run the command that it prints on the host."),
        safety=Safety.REVERSIBLE,
        commands=("sudo kubeadm token create --print-join-command",),
        verify=seen,
    )
    if reason == "not-approved":
        names = [shlex.quote(r.name) for r in waiting[:3]]
        what = T("See who asks; approve the request only when the host is meant to join.")
        look = Fix(
            what=what,
            safety=Safety.READ_ONLY,
            commands=("kubectl get csr", *(f"kubectl describe csr {n}" for n in names)),
        )
        approve = Fix(
            what=T("Let the host join."),
            safety=Safety.REVERSIBLE,
            commands=tuple(f"kubectl certificate approve {n}" for n in names),
            verify=seen,
        )
        return look, approve
    if reason == "unknown-authority":
        what = T("Compare the CA that the host trusts with the cluster's.")
        commands = (
            "kubectl -n kube-public get configmap cluster-info -o yaml",
            "sudo openssl x509 -noout -subject -in /etc/kubernetes/pki/ca.crt",
        )
        return Fix(what=what, safety=Safety.READ_ONLY, commands=commands), join
    if reason == "token-refused":
        return (join,)
    if reason == "name-clash":
        what = T("On {node}: see under which name its credentials were made, and which it uses now.", node=host)
        asked = (
            "hostname",
            "sudo openssl x509 -noout -subject -in /var/lib/kubelet/pki/kubelet-client-current.pem",
            "kubectl get nodes -o wide",
        )
        return (Fix(what=what, safety=Safety.READ_ONLY, commands=asked, verify=seen),)
    what = T("On {node}: read what its kubelet says.", node=host)
    said = ("sudo journalctl -u kubelet -n 50 --no-pager", "systemctl status kubelet --no-pager")
    return (Fix(what=what, safety=Safety.READ_ONLY, commands=said, verify=seen),)
