"""The facts of every rule, by row, one module a family."""

from __future__ import annotations

from collections.abc import Mapping

from tests.unit.judgement.fact import Fact
from tests.unit.judgement.facts import control, dns, kernel, net, node, resources, traffic, work

FACTS: Mapping[str, tuple[Fact, ...]] = {
    **node.FACTS,
    **control.FACTS,
    **kernel.FACTS,
    **resources.FACTS,
    **net.FACTS,
    **traffic.FACTS,
    **dns.FACTS,
    **work.FACTS,
}
