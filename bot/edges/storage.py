"""Edges whose cause lies in volumes (catalogue C.1).

The comment above an edge is its guard in words.
"""

from __future__ import annotations

from bot.edges.build import CAUSES, links
from bot.edges.guards import always, either, same, same_node

LINKS = (
    # its volume
    *links("STOR-01 STOR-13 STOR-15 STOR-09", "POD-16", CAUSES, same("volume", "claim", "volumes", "claims")),
    # its PVC
    *links("STOR-02 STOR-07 STOR-13 STOR-14", "POD-04", CAUSES, same("claim", "claims")),
    # class provisioner is the missing driver
    *links("STOR-03", "STOR-07", CAUSES, same("driver")),
    # D-state on that mount
    *links("STOR-06", "NODE-06", CAUSES, same_node),
    # PVC Pending
    *links("STOR-12", "POD-04", CAUSES, same("claim", "claims")),
    # stage 3
    *links("STOR-01 STOR-03 STOR-05 STOR-06 STOR-09 STOR-18", "POD-05", CAUSES, same("pod", "pods", "claim", "claims")),
    # its disk
    *links("STOR-04", "STOR-15 STOR-01", CAUSES, same("volume", "volumes")),
    # that driver/node
    *links("STOR-10", "STOR-03 STOR-07 STOR-15", CAUSES, either(same("driver"), same_node)),
    # its PV
    *links("STOR-15", "STOR-01", CAUSES, same("volume", "volumes")),
    # that backend
    *links("STOR-16", "STOR-05 STOR-06 NODE-06 ETCD-06 POD-16", CAUSES, same("backend")),
    *links("STOR-17", "POD-07", CAUSES, always),
)
