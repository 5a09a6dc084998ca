"""Edges whose cause lies in the control plane and etcd (catalogue C.1).

The comment above an edge is its guard in words.
"""

from __future__ import annotations

from bot.edges.build import AMPLIFIES, CAUSES, MASKS, links
from bot.edges.guards import always, both, either, fact, reason, same, same_node, undecided
from bot.edges.special import component_stopped, stray_holds_lease

LINKS = (
    # all instances down
    *links(
        "CTRL-01", "KUBECTL-02 KUBECTL-07 DNS-04 CTRL-05 CTRL-06 METRICS-02 NET-13", CAUSES, reason("down", of="cause")
    ),
    # client uses that LB
    *links("CTRL-02 CTRL-03", "KUBECTL-02 KUBECTL-07", CAUSES, same("load_balancer")),
    # nodes use that LB
    *links("CTRL-02 CTRL-03", "NODE-02", CAUSES, same("load_balancer")),
    # KCM has no leader or exits
    *links("CTRL-04", "CTRL-05", CAUSES, component_stopped),
    # stage-0 stall / no detach / frozen slices
    *links("CTRL-05", "CTRL-08", CAUSES, fact("stage", "0")),
    # stage-0 stall / no detach / frozen slices
    *links("CTRL-05", "POD-16", CAUSES, reason("not-created", "not-scheduled", "controller-down")),
    # stage-0 stall / no detach / frozen slices
    *links("CTRL-05", "POD-10 SVC-08 STOR-15 NODE-33 SVC-01 CTRL-15", CAUSES, undecided),
    # node Ready=True while Lease stale
    *links("CTRL-05", "CTRL-17", MASKS, always),
    # stage-1 stall
    *links("CTRL-06", "CTRL-08", CAUSES, fact("stage", "1")),
    # replacement pod not created or not scheduled
    *links("CTRL-08", "POD-16", CAUSES, reason("not-created", "not-scheduled", "controller-down")),
    # stray holds the Lease, or leaderTransitions grow
    *links("CTRL-09", "CTRL-05 CTRL-06", CAUSES, stray_holds_lease),
    # its IP is in the kubernetes EndpointSlice (partial failures)
    *links("CTRL-09", "CTRL-01", CAUSES, fact("in_endpoints", "true", of="cause")),
    # remote-addr is that host
    *links("CTRL-09", "ETCD-05 ETCD-04", CAUSES, both(same("address", "addresses"))),
    # port/config conflict in the kubelet log
    *links("CTRL-09", "NODE-03", CAUSES, both(same_node, reason("port-conflict"))),
    # single instance
    *links("CTRL-10", "CTRL-01 CTRL-05 CTRL-06 ETCD-01", AMPLIFIES, always),
    # component of that manifest
    *links("CTRL-11", "CTRL-01 CTRL-05 CTRL-06 ETCD-01", CAUSES, same("component")),
    # that certificate is used on the failing hop
    *links(
        "CTRL-12",
        "CTRL-01 CTRL-05 CTRL-06 ETCD-01 ETCD-05 NODE-07 APISVC-04",
        CAUSES,
        both(same_node, same("certificate", "component")),
    ),
    # 429/latency at the same time
    *links("CTRL-13", "KUBECTL-02 CTRL-05 CTRL-06 NODE-02", CAUSES, always),
    # stage 0, message names the webhook
    *links("CTRL-14", "CTRL-08 POD-15 DNS-07 SVC-01", CAUSES, either(same("webhook"), fact("webhook_named", "true"))),
    # CCM owns that resource (SVC-06 only when CCM logs are the source)
    *links("CTRL-16", "SVC-06 SVC-08 SVC-16 NODE-34 NET-02", CAUSES, undecided),
    # status word contradicts heartbeat
    *links("CTRL-17", "NODE-01 NODE-03 DNS-02 CTRL-04", MASKS, either(same_node, same("pod", "pods", "component"))),
    # readyz etcd failed
    *links("ETCD-01", "CTRL-01 CTRL-05 CTRL-06", CAUSES, fact("etcd_failed", "true")),
    # lease loss with fsync peaks
    *links("ETCD-02", "CTRL-13 CTRL-05 CTRL-06 ETCD-01", CAUSES, undecided),
    # writes fail
    *links("ETCD-03", "CTRL-01 CTRL-08", CAUSES, always),
    # rejected address is a member/apiserver
    *links("ETCD-05", "ETCD-01 CTRL-01", CAUSES, fact("legitimate", "true", of="cause")),
    *links("ETCD-06", "ETCD-01 CTRL-01", CAUSES, always),
    *links("ETCD-07", "ETCD-01 ETCD-06", AMPLIFIES, always),
    # same group
    *links("CTRL-07", "APISVC-06", CAUSES, same("group", "groups")),
)
