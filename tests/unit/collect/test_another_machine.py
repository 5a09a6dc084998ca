"""An address that leads to another machine: nothing of that machine is said of the node."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.collect.host_kinds import hold_to
from bot.errors import Kind, SourceError
from bot.model.host import NodeIdentity
from bot.model.k8s import Node
from bot.model.k8s.meta import Meta
from bot.model.k8s.nodes import NodeStatus, NodeSystemInfo
from bot.model.proof import Proof, Source

NODE = Node(metadata=Meta(name="node-2"), status=NodeStatus(node_info=NodeSystemInfo(machine_id="2" * 32)))


def identity(hostname: str, machine_id: str) -> NodeIdentity:
    """Who answered."""
    return NodeIdentity(
        proof=Proof(source=Source.NODE, what="ID"),
        node="node-2",
        hostname=hostname,
        kernel="6.1",
        boot_id="b",
        uptime_seconds=9.0,
        booted=datetime(2026, 11, 21, tzinfo=UTC),
        machine_id=machine_id,
    )


def test_a_machine_with_another_name_and_another_id_is_not_the_node() -> None:
    """The reason names it, the hint says where to correct the address."""
    with pytest.raises(SourceError) as refused:
        hold_to(NODE, identity("node-1", "1" * 32), "node-2")
    assert refused.value.kind is Kind.MALFORMED
    assert "node-1" in refused.value.detail
    assert "nodes:" in refused.value.hint


@pytest.mark.parametrize(
    ("node", "hostname", "machine_id"),
    [
        (NODE, "node-2.example.com", "1" * 32),
        (NODE, "renamed", "2" * 32),
        (NODE, "node-1", ""),
        (None, "node-1", "1" * 32),
    ],
    ids=["new machine-id", "renamed", "no machine-id", "no node object"],
)
def test_a_renamed_or_renewed_machine_is_still_the_node(node: Node | None, hostname: str, machine_id: str) -> None:
    """One sign alone is no proof of another machine."""
    hold_to(node, identity(hostname, machine_id), "node-2")
