"""Finds cluster DNS: its Service, pods, Deployment, endpoints and configuration, under whatever name."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect.endpoints import GET_ENDPOINTS, LIST_SLICES, endpoints_of
from bot.collect.read import Items, listing, one
from bot.collector import collects
from bot.errors import Kind, SourceError
from bot.model.cluster import ServiceEndpoints, SystemPods
from bot.model.dns import (
    RESOLV_CONF,
    SERVICE_NAMES,
    WORKLOAD_NAMES,
    Corefile,
    DnsEndpoints,
    DnsEvents,
    DnsPods,
    DnsService,
    DnsWorkload,
    Flavour,
    Forward,
    KubeletDns,
    NamedService,
    SameNamed,
)
from bot.model.evidence import Ask, Evidence, Gap
from bot.model.k8s import ConfigMap, Event, Pod, Service, Workload
from bot.model.proof import Proof
from bot.parse import dns_corefile
from bot.parse.dns_kubelet import cluster_dns
from bot.source import Kube, Right

SYSTEM, OPENSHIFT = "kube-system", "openshift-dns"
LABEL = "k8s-app"
APP = "kube-dns"
LIST_SERVICES = Right(verb="list", resource="services")
LIST_DEPLOYMENTS = Right(verb="list", resource="deployments", group="apps")
LIST_DAEMONSETS = Right(verb="list", resource="daemonsets", group="apps")
LIST_PODS = Right(verb="list", resource="pods")
LIST_EVENTS = Right(verb="list", resource="events")
GET_CONFIGMAP = Right(verb="get", resource="configmaps", names=("coredns", "kube-dns", "kubelet-config"))
COREFILES = ("coredns", "rke2-coredns-rke2-coredns", "dns-default")


@collects(DnsPods, rights=(LIST_PODS,))
def dns_pods(kube: Kube, system: SystemPods) -> Iterator[Evidence]:
    """The pods labelled ``k8s-app=kube-dns``; on OpenShift those of its own namespace."""
    here = tuple(p for p in system.items if p.metadata.label(LABEL) == APP)
    if here:
        yield DnsPods(proof=system.proof, items=here)
        return
    try:
        there = listing(kube, f"/api/v1/namespaces/{OPENSHIFT}/pods", Pod, LIST_PODS)
    except SourceError as error:
        if error.kind not in {Kind.NOT_RECORDED, Kind.NOT_FOUND}:
            raise
        there = Items((), system.proof)
    pods = tuple(p for p in there.items if p.metadata.name.startswith("dns-default"))
    yield DnsPods(proof=system.proof, items=pods, namespace=OPENSHIFT if pods else SYSTEM)


@collects(DnsService, rights=(LIST_SERVICES,))
def dns_service(kube: Kube, pods: DnsPods) -> Iterator[Evidence]:
    """The Service by its well-known names, else by the label that goes with it."""
    found = listing(kube, f"/api/v1/namespaces/{pods.namespace}/services", Service, LIST_SERVICES)
    named = {s.metadata.name: s for s in found.items}
    service = next((named[n] for n in SERVICE_NAMES if n in named), None)
    labelled = (s for s in found.items if s.metadata.label(LABEL) == APP and s.metadata.name != "kube-dns-upstream")
    yield DnsService(proof=found.proof, service=service or next(labelled, None), namespace=pods.namespace)


@collects(DnsWorkload, rights=(LIST_DEPLOYMENTS, LIST_DAEMONSETS))
def dns_workload(kube: Kube, pods: DnsPods) -> Iterator[Evidence]:
    """The Deployment of the DNS pods, else the DaemonSet."""
    proofs: list[Proof] = []
    for kind, resource, right in (
        ("Deployment", "deployments", LIST_DEPLOYMENTS),
        ("DaemonSet", "daemonsets", LIST_DAEMONSETS),
    ):
        found = listing(kube, f"/apis/apps/v1/namespaces/{pods.namespace}/{resource}", Workload, right)
        proofs.append(found.proof)
        named = {w.metadata.name: w for w in found.items}
        labelled = (w for w in found.items if w.metadata.label(LABEL) == APP)
        workload = next((named[n] for n in WORKLOAD_NAMES if n in named), None) or next(labelled, None)
        if workload is not None:
            yield DnsWorkload(proof=found.proof, workload=_with_kind(workload, kind))
            return
    yield DnsWorkload(proof=proofs[0], workload=None)


def _with_kind(workload: Workload, kind: str) -> Workload:
    return Workload(metadata=workload.metadata, kind=kind, spec=workload.spec, status=workload.status)


@collects(DnsEndpoints, rights=(LIST_SLICES, GET_ENDPOINTS))
def dns_endpoints(kube: Kube, service: DnsService) -> Iterator[Evidence]:
    """The endpoints of the Service; none when it is known that there is no Service."""
    if service.service is None:
        none = ServiceEndpoints(service=service.path, slices=(), proof=service.proof)
        yield DnsEndpoints(proof=service.proof, endpoints=none)
        return
    meta = service.service.metadata
    found = endpoints_of(kube, meta.namespace or service.namespace, meta.name)
    yield DnsEndpoints(proof=found.proof, endpoints=found)


@collects(Corefile, rights=(GET_CONFIGMAP,))
def corefile(kube: Kube, pods: DnsPods) -> Iterator[Evidence]:
    """The Corefile of CoreDNS; for kube-dns its optional ConfigMap and its arguments."""
    if pods.flavour is Flavour.KUBE_DNS:
        yield _kube_dns(kube, pods)
        return
    for name in COREFILES:
        path = f"/api/v1/namespaces/{pods.namespace}/configmaps/{name}"
        found, proof = one(kube, path, ConfigMap, GET_CONFIGMAP)
        if found is not None and "Corefile" in (found.data or {}):
            text = (found.data or {})["Corefile"]
            blocks = dns_corefile.read(text)
            yield Corefile(
                proof=proof,
                text=text,
                zones=dns_corefile.zones(blocks),
                forwards=dns_corefile.forwards(blocks),
                plugins=dns_corefile.plugins(blocks),
            )
            return
    raise SourceError(Kind.NOT_FOUND, f"ConfigMap {pods.namespace}/coredns", "no Corefile is there")


def _kube_dns(kube: Kube, pods: DnsPods) -> Corefile:
    try:
        found, proof = one(kube, f"/api/v1/namespaces/{pods.namespace}/configmaps/kube-dns", ConfigMap, GET_CONFIGMAP)
    except SourceError as error:
        if error.kind is not Kind.NOT_RECORDED:
            raise
        found, proof = None, pods.proof
    arguments = tuple(
        a for p in pods.items for c in p.spec.containers or () if c.name == "kubedns" for a in c.args or ()
    )
    try:
        forwards = dns_corefile.kube_dns_forwards((found.data if found else None) or {})
    except ValueError as error:
        raise SourceError(Kind.MALFORMED, f"ConfigMap {pods.namespace}/kube-dns", str(error)) from None
    own = (Forward(zone=".", to=(RESOLV_CONF,)),)
    return Corefile(proof=proof, text="", zones=(dns_corefile.kube_dns_domain(arguments),), forwards=forwards or own)


@collects(KubeletDns, rights=(GET_CONFIGMAP,))
def kubelet_dns(kube: Kube) -> Iterator[Evidence]:
    """``clusterDNS`` and ``clusterDomain`` of the kubelet configuration that kubeadm shares."""
    path = f"/api/v1/namespaces/{SYSTEM}/configmaps/kubelet-config"
    found, proof = one(kube, path, ConfigMap, GET_CONFIGMAP)
    if found is None:
        raise SourceError(
            Kind.NOT_FOUND, "ConfigMap kube-system/kubelet-config", "there is none (not a kubeadm cluster)"
        )
    try:
        servers, domain = cluster_dns((found.data or {}).get("kubelet", ""))
    except ValueError as error:
        raise SourceError(Kind.MALFORMED, "ConfigMap kube-system/kubelet-config", str(error)) from None
    yield KubeletDns(proof=proof, servers=servers, domain=domain)


@collects(DnsEvents, rights=(LIST_EVENTS,))
def dns_events(kube: Kube, ask: Ask, pods: DnsPods) -> Iterator[Evidence]:
    """The events of the DNS namespace, and of the client's when a client pod was named."""
    namespaces = dict.fromkeys((pods.namespace, ask.options.get("from", "").rpartition("/")[0]))
    found = [listing(kube, f"/api/v1/namespaces/{ns}/events", Event, LIST_EVENTS) for ns in namespaces if ns]
    yield DnsEvents(proof=found[0].proof, items=tuple(e for items in found for e in items.items))


@collects(SameNamed, rights=(LIST_SERVICES,))
def same_named(kube: Kube, ask: Ask) -> Iterator[Evidence | Gap]:
    """The Services of every namespace with the name's first label, asked for by field selector."""
    label = ask.target.partition(".")[0]
    if not label:
        yield Gap(type=SameNamed, because="no name was asked for")
        return
    found = listing(kube, "/api/v1/services", Service, LIST_SERVICES, {"fieldSelector": f"metadata.name={label}"})
    items = tuple(
        NamedService(namespace=s.metadata.namespace or "", name=s.metadata.name)
        for s in found.items
        if s.metadata.name == label
    )
    yield SameNamed(proof=found.proof, items=items)
