"""How many containers a node has: a trip of its own, made only where their list was too long to be kept whole."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect.host_read import NoAnswerError, Trip
from bot.collect.sections import base
from bot.collector import collects
from bot.model.evidence import Clock, Evidence, Gap
from bot.model.host import ContainerCount, ContainerRuntime
from bot.model.refs import NodeName
from bot.parse import cri
from bot.parse.common import UnparsableError
from bot.source import Shell


@collects(ContainerCount)
def host_containers(shell: Shell, node: NodeName, clock: Clock, runtime: ContainerRuntime) -> Iterator[Evidence | Gap]:
    """The number of containers: of the whole list, else counted on the node, else at least those it begins with."""
    if runtime.containers is not None:
        yield ContainerCount(proof=runtime.proof, node=node, count=len(runtime.containers), whole=True)
        return
    if not runtime.at_least:
        yield Gap(type=ContainerCount, key=node, because=f"{node}: its containers could not be listed")
        return
    trip = Trip.make(shell, node, clock, base("CRI_COUNT"))
    try:
        count, whole, proof = cri.count(trip.text("CRI_COUNT")), True, trip.proof("CRI_COUNT")
    except (NoAnswerError, UnparsableError):
        count, whole, proof = runtime.at_least, False, runtime.proof
    yield ContainerCount(proof=proof, node=node, count=count, whole=whole)
