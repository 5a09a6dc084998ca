"""NODE-33: a kubelet runs on the host, but the cluster has no such node."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import matching
from bot.model.cluster import LogLine, Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import HostUnits, KubeletArguments, KubeletLog, NodeIdentity
from bot.model.host_reach import PendingRequests, SigningRequest
from bot.model.refs import node
from bot.model.text import T, Text

_BOOTSTRAP = "kubernetes.io/kube-apiserver-client-kubelet"
_REFUSED = r"(?:Unable to register node|Failed while requesting|certificate signing request|bootstrap)"
PATTERNS = {
    "name-clash": re.compile(r'nodes \\?"\S+\\?" is forbidden: node \\?"\S+\\?" (?:is not allowed to modify|cannot)'),
    "unknown-authority": re.compile(r"x509: certificate signed by unknown authority"),
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
        The host has run a kubelet for more than three minutes, and there is no node object for it. Confirmed when
        its log or a request that waits shows why.
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
    since = (unit.active_since or unit.started) if unit is not None and unit.running else None
    if unit is None or since is None or clock.age(since) <= limit or _known(units.node, nodes, identity, arguments):
        return
    lines = tuple(x for x in (log.lines if log else ()) if x.at is None or clock.age(x.at) <= clock.window_seconds)
    waiting = tuple(r for r in (requests.items if requests else ()) if _waits(r, clock, limit))
    reason, hit = _reason(lines, waiting)
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
        fixes=_fixes(reason, waiting),
    )


def _known(host: str, nodes: Nodes, identity: NodeIdentity | None, arguments: KubeletArguments | None) -> bool:
    """Whether the host is a node, under its own name or the one that its kubelet uses."""
    named = arguments.flags.get("hostname-override", "") if arguments else ""
    names = {host, identity.hostname if identity else "", named}
    machine = identity.machine_id if identity else ""
    return any(n.name in names or (machine and n.status.node_info.machine_id == machine) for n in nodes.items)


def _waits(request: SigningRequest, clock: Clock, limit: float) -> bool:
    old = request.created is not None and clock.age(request.created) > limit
    return old and request.signer == _BOOTSTRAP and request.requestor.startswith("system:bootstrap:")


def _reason(lines: tuple[LogLine, ...], waiting: tuple[SigningRequest, ...]) -> tuple[str, LogLine | None]:
    for reason, pattern in PATTERNS.items():
        if reason == "not-registered" and waiting:
            continue
        if found := matching(lines, pattern):
            return reason, found[1]
    return ("not-approved" if waiting else "not-registered"), None


def _title(reason: str, name: str) -> Text:
    return {
        "token-refused": T("{node} cannot join: its bootstrap token is not accepted", node=name),
        "unknown-authority": T("{node} cannot join: it does not trust the API server's certificate", node=name),
        "name-clash": T("{node} cannot join: its credentials belong to another node", node=name),
        "not-approved": T("{node} cannot join: nobody has approved its certificate request", node=name),
    }.get(reason, T("{node} runs a kubelet, but is no node of the cluster", node=name))


def _fixes(reason: str, waiting: tuple[SigningRequest, ...]) -> tuple[Fix, ...]:
    if reason == "not-approved":
        look = ("kubectl get csr", *(f"kubectl describe csr {shlex.quote(r.name)}" for r in waiting[:3]))
        return (
            Fix(
                what=T("See who asks; approve the request only when the host is meant to join."),
                safety=Safety.READ_ONLY,
                commands=look,
                verify=("kubectl get nodes",),
            ),
        )
    if reason == "unknown-authority":
        commands = (
            "kubectl -n kube-public get configmap cluster-info -o yaml",
            "sudo openssl x509 -noout -subject -in /etc/kubernetes/pki/ca.crt",
        )
        what = T("Compare the CA that the host trusts with the cluster's.")
        return (Fix(what=what, safety=Safety.READ_ONLY, commands=commands, verify=("kubectl get nodes",)),)
    return (
        Fix(
            what=T("On a control-plane node: make a new token; run the command that it prints on the host."),
            safety=Safety.REVERSIBLE,
            commands=("sudo kubeadm token create --print-join-command",),
            verify=("kubectl get nodes",),
        ),
    )
