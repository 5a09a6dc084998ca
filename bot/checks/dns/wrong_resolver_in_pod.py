"""DNS-08: a pod that asks something other than cluster DNS."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from bot.check import check
from bot.model.dns import Corefile, DnsEvents, DnsService
from bot.model.dns_judge import is_fresh
from bot.model.dns_logs import ClientLogs, ClientPod, ClientServers
from bot.model.evidence import Ask, Clock
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.k8s import Event, Pod
from bot.model.proof import Proof
from bot.model.refs import Subject
from bot.model.text import T, Text

CLUSTER_FIRST = {"ClusterFirst", "ClusterFirstWithHostNet"}


@check("DNS-08")
def wrong_resolver_in_pod(
    *,
    service: DnsService,
    clock: Clock,
    ask: Ask,
    client: ClientPod | None,
    client_logs: ClientLogs | None,
    asks: ClientServers,
    corefile: Corefile | None,
    events: DnsEvents | None,
) -> Iterator[Finding | RuledOut]:
    """A pod uses the wrong resolver.

    Says:
        "This pod cannot resolve service names, others can."
    Evidence:
        dnsPolicy, dnsConfig and hostNetwork of the client pod, its effective resolv.conf, clusterDNS of the kubelets,
        the address of the DNS Service, events MissingClusterDNS.
    Rule:
        A ClusterFirst pod whose first name server is neither the Service address nor a node-local one; or a pod on
        the host
        network with ClusterFirst, or with Default or None and no search list of the cluster, that asks for cluster
        names.
    Cause:
        clusterDNS that differs from the Service, a Service that was made anew with another address, a mutated pod.
    Fix:
        Align clusterDNS, restart kubelets, recreate pods; or correct dnsPolicy.
    Verify:
        resolv.conf of a new pod.
    Must not fire:
        dnsPolicy None with its own name servers, for names outside the cluster.
    Reasons:
        - wrong-nameserver: resolv.conf of the pod names another server
        - kubelet-clusterdns: the kubelet configuration names another server than the Service
        - missing-clusterdns: the kubelet has no clusterDNS and falls back to the node's resolvers
        - host-network: the pod is on the host network and needs ClusterFirstWithHostNet
        - no-cluster-search: its DNS policy leaves cluster names out
    """
    if client is None or not service.address:
        return
    pod = client.pod
    inside = _asks_inside(ask, client_logs, corefile)
    missing = events.about(pod.path, "MissingClusterDNS") if events else ()
    found = _judge(pod, service.address, asks, inside=inside, missing=[e for e in missing if is_fresh(e, clock)])
    proofs: tuple[Proof, ...] = (asks.proof, client.proof, service.proof)
    subject = Subject("Pod", pod.metadata.name, pod.metadata.namespace)
    if found is not None:
        reason, title, confidence = found
        yield Finding(
            code="DNS-08",
            reason=reason,
            title=title,
            severity=Severity.HIGH,
            confidence=confidence,
            subject=subject,
            facts={"pod": pod.path, "node": pod.spec.node_name or "", "service": service.path},
            proofs=proofs,
            fixes=(_fix(reason, service.address),),
        )
    elif _asks_cluster_dns(pod, service.address, asks):
        yield RuledOut(code="DNS-08", subject=subject, because=_well(pod, service.address, asks), proofs=proofs)


def _asks_inside(ask: Ask, logs: ClientLogs | None, corefile: Corefile | None) -> bool:
    names = [n for n in (ask.target, *(e.name for e in (logs.errors if logs else ()))) if n]
    inside = corefile.is_internal if corefile else lambda n: n.endswith((".svc", ".cluster.local"))
    return any(inside(n) for n in names)


def _judge(
    pod: Pod, address: str, asks: ClientServers, *, inside: bool, missing: list[Event]
) -> tuple[str, Text, Confidence] | None:
    if _bypasses(pod):
        return _by_policy(pod, sure=asks.by_file) if inside else None
    return _by_server(pod.path, address, asks, missing)


def _bypasses(pod: Pod) -> bool:
    """Whether the pod's own spec leads it past cluster DNS."""
    policy = pod.spec.dns_policy
    return policy not in CLUSTER_FIRST or (policy == "ClusterFirst" and pod.spec.host_network)


def _by_policy(pod: Pod, *, sure: bool) -> tuple[str, Text, Confidence] | None:
    """What a policy does to a pod that asks for cluster names."""
    policy, path = pod.spec.dns_policy, pod.path
    if policy == "ClusterFirst" and pod.spec.host_network:
        title = T("{pod} is on the host network, so its DNS policy ClusterFirst means the node's resolvers", pod=path)
        return "host-network", title, Confidence.CONFIRMED if sure else Confidence.LIKELY
    searches = (pod.spec.dns_config.searches if pod.spec.dns_config else None) or ()
    if policy in CLUSTER_FIRST or any(s.startswith("svc.") or ".svc." in s for s in searches):
        return None
    title = T("{pod} has the DNS policy {policy}, which leaves cluster names out", pod=path, policy=policy)
    return "no-cluster-search", title, Confidence.LIKELY


def _by_server(
    path: str, address: str, asks: ClientServers, missing: list[Event]
) -> tuple[str, Text, Confidence] | None:
    """What server the pod was given."""
    if missing:
        title = T("the kubelet of {pod} has no clusterDNS, so the pod asks the node's resolvers", pod=path)
        return "missing-clusterdns", title, Confidence.CONFIRMED if asks.by_file else Confidence.LIKELY
    if not asks.servers or _is_cluster_dns(asks.servers[0], address):
        return None
    if asks.by_file:
        title = T(
            "{pod} asks {server}, not the DNS Service {address}", pod=path, server=asks.servers[0], address=address
        )
        return "wrong-nameserver", title, Confidence.CONFIRMED
    title = T("kubelets send pods to {servers}, the DNS Service is {address}", servers=asks.servers, address=address)
    return "kubelet-clusterdns", title, Confidence.LIKELY


def _asks_cluster_dns(pod: Pod, address: str, asks: ClientServers) -> bool:
    """Whether it was seen that the pod asks cluster DNS."""
    return not _bypasses(pod) and bool(asks.servers) and _is_cluster_dns(asks.servers[0], address)


def _well(pod: Pod, address: str, asks: ClientServers) -> Text:
    if asks.servers[0] != address:
        return T("{pod} asks {server}, the node-local cache", pod=pod.path, server=asks.servers[0])
    return T("{pod} asks {server}, the address of the DNS Service", pod=pod.path, server=address)


def _is_cluster_dns(server: str, address: str) -> bool:
    """The Service's address, or a link-local one: NodeLocal DNSCache."""
    try:
        return server == address or ipaddress.ip_address(server).is_link_local
    except ValueError:
        return False


def _fix(reason: str, address: str) -> Fix:
    if reason in {"host-network", "no-cluster-search"}:
        return Fix(
            what=T("Set dnsPolicy in the pod template: ClusterFirst, or ClusterFirstWithHostNet on the host network."),
            safety=Safety.DISRUPTIVE,
        )
    return Fix(
        what=T(
            "Set clusterDNS to {address} in the kubelet configuration, restart kubelets, recreate the pods.",
            address=address,
        ),
        safety=Safety.DISRUPTIVE,
        commands=(
            "sudo grep -A2 '^clusterDNS' /var/lib/kubelet/config.yaml",
            f"sudo sed -i '/^clusterDNS:/{{n;s/.*/- {address}/}}' /var/lib/kubelet/config.yaml",
            "sudo systemctl restart kubelet",
        ),
        verify=("sudo grep -A2 '^clusterDNS' /var/lib/kubelet/config.yaml",),
    )
