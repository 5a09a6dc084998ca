"""Hosts that cannot be looked into like a Linux machine with a shell: which they are, and what to use there instead."""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.collect.host_read import Trip
from bot.errors import Kind, SourceError
from bot.model.evidence import Clock
from bot.model.health import is_virtual
from bot.model.host import NodeIdentity
from bot.model.k8s import Node
from bot.source import Section, Shell

_BY_CONTAINER = re.compile(r"Bottlerocket")


def without_shell(node: Node) -> tuple[str, str]:
    """Why nobody can log in to the host, and a hint; both empty for one that has a shell."""
    image = node.status.node_info.os_image
    if is_virtual(node):
        return "it is a virtual node: no machine is behind it", "ask the service that runs its pods"
    if node.status.node_info.operating_system == "windows":
        return "it runs Windows, and only Linux hosts are looked into", "Get-Service kubelet, containerd on the host"
    if image.startswith("Talos"):
        return "it runs Talos, which has no shell", "talosctl -n ADDRESS services; talosctl -n ADDRESS logs kubelet"
    return "", ""


def visit(shell: Shell, here: Node | None, node: str, clock: Clock, sections: Sequence[Section]) -> Trip:
    """Go to a host, unless its node object says that there is nothing to log in to.

    Raises:
        SourceError: it could not be reached, does not let the bot in, or has no shell (UNREACHABLE).
    """
    because, hint = without_shell(here) if here else ("", "")
    if because:
        raise SourceError(Kind.UNREACHABLE, f"SSH to {node}", because, hint=hint)
    try:
        return Trip.make(shell, node, clock, sections)
    except SourceError as error:
        if error.hint or here is None or not _BY_CONTAINER.match(here.status.node_info.os_image):
            raise
        hint = "nobody gets in until the admin container runs: apiclient set host-containers.admin.enabled=true"
        raise SourceError(error.kind, error.what, error.detail, hint=hint, status=error.status) from error


def hold_to(node: Node | None, identity: NodeIdentity, name: str) -> None:
    """Make sure that the machine that was visited is the node: nothing of another machine may be said of it.

    Its machine-id and its host name must both be others than the node's: a host may be renamed, an image may be cloned.

    Raises:
        SourceError: it is another machine (MALFORMED).
    """
    known = node.status.node_info.machine_id if node else ""
    if node is None or not known or not identity.machine_id or known == identity.machine_id:
        return
    names = {node.name, node.metadata.label("kubernetes.io/hostname")}
    names |= {a.address for a in node.status.addresses or ()}
    if identity.hostname.partition(".")[0] in {n.partition(".")[0] for n in names if n}:
        return
    raise SourceError(
        Kind.MALFORMED,
        f"SSH to {name}",
        f"the address leads to another machine: {identity.hostname}, machine-id {identity.machine_id}",
        hint=f"correct the address of {name} in the settings (nodes:)",
    )


def left_over(name: str, machine: Node) -> SourceError:
    """Why nothing of the machine may be said of a node object that has merely its address."""
    because = f"the machine at {machine.address()} is {machine.name}, which is registered with the same InternalIP"
    return SourceError(Kind.MALFORMED, f"SSH to {name}", because)
