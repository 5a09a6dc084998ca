"""Reads the client pod's resolv.conf on its node: what the pod really asks, whatever its spec says."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect.sections import section
from bot.collector import collects
from bot.errors import Kind, SourceError
from bot.model.dns import KubeletDns
from bot.model.dns_logs import ClientPod, ClientResolv, ClientServers
from bot.model.evidence import Ask, Clock, Evidence, Gap
from bot.model.proof import Proof, Source
from bot.parse import dns_answers
from bot.source import Output, Section, Shell


@collects(ClientResolv)
def client_resolv(shell: Shell, clock: Clock, client: ClientPod) -> Iterator[Evidence]:
    """The file mounted over ``/etc/resolv.conf`` of the pod's first container, found by ``crictl inspect``."""
    node = client.pod.spec.node_name or ""
    container = next((c.container_id for c in client.pod.status.container_statuses or () if c.container_id), "")
    identity = container.partition("://")[2]
    if not node or not identity:
        raise SourceError(Kind.NOT_FOUND, f"container of {client.pod.path}", "it was never created")
    try:
        where = _run(shell, node, section("PODRESOLV_PATH", container=identity)).text.strip().splitlines()
        output = _run(shell, node, section("PODRESOLV", resolvconf=where[-1] if where else ""))
    except ValueError as error:  # the runtime named a path that is not one of its own: it is not read
        raise SourceError(Kind.MALFORMED, f"resolv.conf of {client.pod.path}", str(error)) from None
    servers, searches, ndots = dns_answers.resolv_conf(output.text)
    proof = Proof(
        source=Source.NODE, what=f"{node}: resolv.conf of {client.pod.path}", at=clock.now, body=output.text[:4096]
    )
    yield ClientResolv(proof=proof, servers=servers, searches=searches, ndots=ndots)


@collects(ClientServers)
def client_servers(
    ask: Ask, client: ClientPod | None, resolv: ClientResolv | None, kubelet: KubeletDns | None
) -> Iterator[Evidence | Gap]:
    """The name servers of the client pod; nothing to know when no pod was named, a gap when nothing tells them."""
    if "/" not in ask.options.get("from", ""):
        yield ClientServers(proof=ask.proof)
    elif client is None:
        yield Gap(type=ClientServers, because="the client pod could not be read")
    elif resolv is not None and resolv.servers:
        yield ClientServers(proof=resolv.proof, servers=resolv.servers, by_file=True)
    elif kubelet is not None and kubelet.servers:
        yield ClientServers(proof=kubelet.proof, servers=kubelet.servers)
    else:
        yield Gap(
            type=ClientServers, because="neither the pod's resolv.conf nor the kubelet configuration could be read"
        )


def _run(shell: Shell, node: str, wanted: Section) -> Output:
    output = shell.run(node, (wanted,)).get(wanted.key)
    if output is None:
        raise SourceError(Kind.NOT_RECORDED, f"{node}: {wanted.key}")
    if output.denied or output.rc != 0:
        raise SourceError(Kind.NO_SUDO if output.denied else Kind.MALFORMED, f"{node}: {wanted.key}", output.text[:120])
    return output
