"""Edges whose cause lies in cluster DNS (catalogue C.1).

The comment above an edge is its guard in words.
"""

from __future__ import annotations

from bot.edges.build import AMPLIFIES, CAUSES, links
from bot.edges.guards import always, either, fact, negate, same, same_node
from bot.edges.special import cluster_name, external_name

LINKS = (
    # the single replica is the failing one
    *links("DNS-01", "DNS-07", AMPLIFIES, always),
    # all on the failing node
    *links("DNS-20", "DNS-07", AMPLIFIES, same_node),
    # no other ready endpoint
    *links("DNS-02", "DNS-07", CAUSES, same("service")),
    # liveness/readiness kill or exit follows the pattern within 5 min
    *links("DNS-03 DNS-04", "DNS-02", CAUSES, same("pod", "pods")),
    # external name
    *links("DNS-03", "APP-01", CAUSES, external_name),
    # cluster name / unsynced
    *links("DNS-04", "APP-01", CAUSES, cluster_name),
    # the same upstream
    *links("DNS-05", "DNS-03", CAUSES, same("upstream", "upstreams")),
    # the same upstream
    *links("DNS-05", "APP-01 APP-03", CAUSES, either(same("upstream", "upstreams"), external_name)),
    # name of the slow/failing peer
    *links("DNS-06", "APP-07 APP-02 APP-03", CAUSES, same("name")),
    # consumer is ClusterFirst
    *links("DNS-07", "APP-01 DNS-19 CTRL-14 POD-07", CAUSES, negate(fact("cluster_first", "false"))),
    # same pod/name/node
    *links(
        "DNS-08 DNS-09 DNS-15 DNS-16 DNS-17", "APP-01", CAUSES, either(same("pod", "pods"), same("name"), same_node)
    ),
    # boundary matches
    *links("DNS-10", "DNS-03 APP-01", CAUSES, same_node),
    # previous log shows the pattern
    *links("DNS-11 DNS-12 DNS-13", "DNS-02", CAUSES, same("pod", "pods")),
    # DNS share of latency > 30 %
    *links("DNS-13 DNS-14", "APP-03", CAUSES, fact("dns_share_high", "true")),
    # forbidden text
    *links("DNS-17", "DNS-04", CAUSES, same("pod", "pods")),
    # legacy kube-dns pods
    *links("DNS-03 DNS-04", "DNS-18", CAUSES, same("pod", "pods")),
    *links("DNS-18", "DNS-07 DNS-19", CAUSES, always),
    # omitted nameserver mattered
    *links("DNS-21", "DNS-05", CAUSES, same("upstream")),
    # same pod
    *links("DNS-02", "POD-18", CAUSES, same("pod", "pods")),
)
