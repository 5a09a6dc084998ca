"""Edges whose cause lies in Services, Ingress and applications (catalogue C.1).

The comment above an edge is its guard in words.
"""

from __future__ import annotations

from bot.edges.build import AMPLIFIES, CAUSES, LEADS, links
from bot.edges.guards import always, same

LINKS = (
    # that Service
    *links("SVC-01 SVC-02 SVC-03", "APP-02 APP-09 ING-05", CAUSES, same("service")),
    # Service is the backend
    *links("SVC-01", "APISVC-01 CTRL-14", CAUSES, same("service")),
    # in-cluster client on a non-backend node
    *links("SVC-09", "ING-01 APP-02", CAUSES, same("service")),
    *links("SVC-10 SVC-11", "APP-02", CAUSES, always),
    *links("SVC-14", "SVC-12", CAUSES, always),
    # NodePort target refused
    *links("SVC-02", "SVC-16", CAUSES, same("service")),
    # some nodes not added
    *links("SVC-06", "SVC-16", CAUSES, same("service")),
    # pod-sourced client
    *links("ING-02", "APP-02", CAUSES, same("service", "pod")),
    # object in the log
    *links("ING-04", "ING-05", CAUSES, same("service")),
    # share >= 60 % AND symptom disappears when fixed
    *links("APP-04", "APP-03", CAUSES, same("peer")),
    *links("APP-05", "APP-03", AMPLIFIES, always),
    # the undeclared peer is that dependency
    *links("APP-06", "APP-07 APP-04", LEADS, same("peer")),
    # share of the peer
    *links("APP-07 APP-08", "APP-03", CAUSES, same("peer")),
    # that pod
    *links("APP-08", "POD-09 DNS-13", CAUSES, same("pod", "pods")),
    # same client and destination
    *links("ING-01", "APP-02", CAUSES, same("client", "service")),
)
