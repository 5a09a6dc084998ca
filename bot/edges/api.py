"""Edges whose cause lies in aggregated APIs, metrics, kubectl (catalogue C.1).

The comment above an edge is its guard in words.
"""

from __future__ import annotations

from bot.edges.build import CAUSES, links
from bot.edges.guards import always, both, fact, same, same_node, undecided
from bot.edges.special import legacy_group, scrape_failure_breaks_api

LINKS = (
    # same group
    *links(
        "APISVC-01 APISVC-02 APISVC-03 APISVC-04 APISVC-05",
        "CTRL-07 APISVC-06 CTRL-15",
        CAUSES,
        same("group", "groups"),
    ),
    # KCM log names the same group AND KCM restarts (old KCM); otherwise edge inactive
    *links(
        "APISVC-01 APISVC-02 APISVC-03 APISVC-05",
        "CTRL-04",
        CAUSES,
        both(same("group", "groups"), fact("restarting", "true")),
    ),
    # group metrics.k8s.io
    *links(
        "APISVC-01 APISVC-03 APISVC-04",
        "HPA-01 METRICS-09",
        CAUSES,
        fact("group", "metrics.k8s.io", "metrics", of="cause"),
    ),
    # condition DiscoveryFailed names the group
    *links("APISVC-06", "CTRL-15", CAUSES, same("group", "groups")),
    # webhook backends on the same master-to-pod path
    *links("APISVC-03", "CTRL-14", CAUSES, same_node),
    # only discovery phase slow/failing
    *links("APISVC-06", "KUBECTL-02 KUBECTL-06", CAUSES, undecided),
    *links("METRICS-01", "HPA-01 METRICS-09", CAUSES, always),
    # no other ready endpoint
    *links("METRICS-02 METRICS-10", "APISVC-01", CAUSES, same("service")),
    # only if metrics-server runs on that node, or no node scraped, or legacy group metrics/v1alpha1
    *links("METRICS-03", "APISVC-01", CAUSES, scrape_failure_breaks_api),
    # target pods on that node
    *links("METRICS-03", "HPA-04", CAUSES, same_node),
    # >= 90 % nodes
    *links("METRICS-04 METRICS-05 METRICS-06", "METRICS-10", CAUSES, fact("most_nodes", "true", of="cause")),
    # subset of nodes
    *links("METRICS-05", "METRICS-03", CAUSES, same_node),
    # parent already repaired > 3 min
    *links("METRICS-07", "APISVC-01 CTRL-07", CAUSES, always),
    # consumer configured for Heapster
    *links("METRICS-08", "METRICS-09 HPA-01", CAUSES, always),
    # OOM
    *links("METRICS-11", "METRICS-02", CAUSES, fact("oom", "true")),
    *links("METRICS-12", "HPA-06", CAUSES, always),
    # same rule blocks 10250 for masters and metrics-server
    *links("KUBECTL-01", "METRICS-05", CAUSES, same_node),
    # x509/tls text
    *links("KUBECTL-03", "METRICS-04", CAUSES, always),
    # konnectivity cluster
    *links("KUBECTL-08", "KUBECTL-01 APISVC-03 CTRL-14", CAUSES, always),
    # legacy group metrics/v1alpha1
    *links("METRICS-03", "APISVC-05", CAUSES, legacy_group),
)
