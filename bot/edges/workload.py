"""Edges whose cause lies in pods, autoscaling and posture (catalogue C.1).

The comment above an edge is its guard in words.
"""

from __future__ import annotations

from bot.edges.build import AMPLIFIES, CAUSES, MASKS, TRIGGERS, links
from bot.edges.guards import always, both, same, same_node

LINKS = (
    # latent item is the same object
    *links("HYG-03", "NODE-04 CTRL-09 NET-07 DNS-12", TRIGGERS, both(same_node, same("path", "unit", "setting"))),
    *links("POD-01", "HPA-08", CAUSES, always),
    *links("POD-02 POD-10", "POD-16", CAUSES, always),
    # all backends
    *links("POD-05 POD-06 POD-07 POD-08 POD-09 POD-14 POD-17", "SVC-01", CAUSES, same("pod", "pods")),
    # the pending pod in question
    *links("POD-02 POD-04 POD-15", "AUTO-09", CAUSES, same("pod", "pods")),
    # whole zone affected
    *links("HYG-02", "NODE-01", AMPLIFIES, always),
    # that container
    *links("POD-08", "POD-07", CAUSES, same("pod", "pods")),
    # container is CoreDNS
    *links("POD-08", "DNS-13", CAUSES, same("pod", "pods")),
    # same volume
    *links("POD-10", "STOR-01", CAUSES, same("volume", "claim", "volumes", "claims")),
    # single sample
    *links("POD-18", "CTRL-17", MASKS, same("pod", "pods")),
    # POD-01 stays > 10 min
    *links("AUTO-01 AUTO-03 AUTO-04 AUTO-05 AUTO-06 AUTO-07", "POD-01", CAUSES, same("pod", "pods")),
    # same pod
    *links("POD-07 POD-09", "POD-18", CAUSES, same("pod", "pods")),
)
