"""The causal model as data (catalogue C.1): one module a family of causes, one tuple of all edges."""

from __future__ import annotations

from bot.edges import api, ctrl, dns, net, node, service, storage, workload
from bot.link import Link

LINKS: tuple[Link, ...] = (
    *node.LINKS,
    *ctrl.LINKS,
    *api.LINKS,
    *dns.LINKS,
    *net.LINKS,
    *service.LINKS,
    *workload.LINKS,
    *storage.LINKS,
)
