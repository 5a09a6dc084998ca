"""What others see of a node: its ports from the bot and from two other nodes, and its pending certificate requests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

from bot.collect.read import listing
from bot.collect.sections import VALID, section
from bot.collector import collects
from bot.errors import SourceError
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock, Evidence, Gap
from bot.model.host_reach import DEAD, NodeReach, PendingRequests, SigningRequest
from bot.model.k8s import Node
from bot.model.k8s_signing import SigningRequestObject
from bot.model.proof import Proof, Source
from bot.model.refs import NodeName
from bot.parse import certs, reach
from bot.parse.common import UnparsableError
from bot.source import Kube, Output, Prober, Right, Shell

LIST_REQUESTS = Right(verb="list", resource="certificatesigningrequests", group="certificates.k8s.io")
PORTS = (22, 10250)
MOST_PEERS, MOST_TRIES = 2, 3
UNDECIDED = frozenset({"DELAY", "PROBE", "INCOMPLETE"})  # the kernel still asks: 8 s until it gives up
TELLING = ("REACHABLE", "FAILED")


@collects(NodeReach, deadline=45.0)
def node_reach(
    *, prober: Prober, shell: Shell, node: NodeName, clock: Clock, nodes: Nodes, beats: Heartbeats
) -> Iterator[Evidence | Gap]:
    """Only a node that has not been heard of for a minute is tried, from the bot and from two nodes that are well."""
    here, beat = nodes.get(node), beats.last.get(node)
    address = here.address() if here else None
    if not address or not VALID["HOST"](address):
        yield Gap(type=NodeReach, key=node, because=f"the address of {node} is not known")
        return
    if beat is not None and clock.age(beat) <= beats.stale_seconds:
        yield NodeReach(proof=beats.proof, node=node, address=address, bot={}, peers={})
        return
    bot = {port: prober.connect(address, port).result for port in PORTS}
    peers: dict[str, Mapping[int, str]] = {}
    states: list[str] = []
    for peer in _well(nodes, beats, clock, node)[:MOST_TRIES]:
        if len(peers) < MOST_PEERS:
            found, state = _from_peer(shell, peer, address)
            peers |= {peer: found} if found else {}
            states += [state] if state else []
    neighbour = next((word for word in TELLING if word in states), states[0] if states else "")
    tried = {"bot": bot, **peers}
    shown = [f"from {place}: " + ", ".join(f"{port} {said}" for port, said in p.items()) for place, p in tried.items()]
    proof = Proof(source=Source.PROBE, what=f"TCP {address} ports 22, 10250", at=clock.now, body="\n".join(shown))
    yield NodeReach(proof=proof, node=node, address=address, bot=bot, peers=peers, neighbour=neighbour)


def _well(nodes: Nodes, beats: Heartbeats, clock: Clock, node: str) -> list[str]:
    """Other nodes that were heard of within a minute."""

    def fresh(item: Node) -> bool:
        beat = beats.last.get(item.name)
        return item.name != node and beat is not None and clock.age(beat) <= beats.stale_seconds

    return [n.name for n in nodes.items if fresh(n)]


def _from_peer(shell: Shell, peer: str, address: str) -> tuple[dict[int, str], str]:
    """The results on one peer; nothing when the peer cannot be asked. A neighbour entry in doubt is read once more."""
    sections = [section("TCP", host=address, port=str(port)) for port in PORTS] + [section("NEIGH", dst=address)]
    try:
        outputs = shell.run(peer, sections)
    except SourceError:
        return {}, ""
    found: dict[int, str] = {}
    for port, part in zip(PORTS, sections, strict=False):
        with contextlib.suppress(KeyError, UnparsableError):  # a peer without bash did not try
            found[port] = reach.connected(outputs[part.key].text)
    state = _state(outputs.get(sections[-1].key))
    if state in UNDECIDED and set(found.values()) <= DEAD:
        again = (sections[0], sections[-1])
        with contextlib.suppress(SourceError):
            state = _state(shell.run(peer, again).get(again[-1].key)) or state
    return found, state


def _state(entry: Output | None) -> str:
    """The state of the neighbour entry; empty when there is none, or none could be read."""
    try:
        return reach.neighbour(entry.text) if entry and entry.rc == 0 else ""
    except UnparsableError:
        return ""


@collects(PendingRequests, rights=(LIST_REQUESTS,))
def pending_requests(kube: Kube) -> Iterator[Evidence]:
    """Requests without a verdict."""
    found = listing(
        kube, "/apis/certificates.k8s.io/v1/certificatesigningrequests", SigningRequestObject, LIST_REQUESTS
    )
    waiting = tuple(
        SigningRequest(
            name=r.metadata.name,
            requestor=r.spec.username,
            signer=r.spec.signer_name,
            created=r.metadata.creation_timestamp,
            subject=certs.node_of_request(r.spec.request),
        )
        for r in found.items
        if not any(c.type in {"Approved", "Denied", "Failed"} for c in r.status.conditions or ())
    )
    yield PendingRequests(proof=found.proof, items=waiting)
