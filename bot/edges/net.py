"""Edges whose cause lies in the node and pod network (catalogue C.1).

The comment above an edge is its guard in words.
"""

from __future__ import annotations

from bot.edges.build import AMPLIFIES, CAUSES, links
from bot.edges.guards import both, either, fact, negate, pair_of_nodes, reason, same, same_node, undecided
from bot.edges.special import same_device

# rules that accept the pods are no cause
drops = negate(reason("covered", of="cause"))

LINKS = (
    # table/rule refers to the missing device
    *links("NET-01", "NET-02 NET-03 NET-04", CAUSES, both(same_node, same_device)),
    # pod's IP belongs to that NIC
    *links("NET-01", "DNS-03 DNS-04 DNS-02 APP-01 APP-02 POD-09", CAUSES, both(same_node, same("pod", "pods"))),
    # pod of that node
    *links("NET-02", "NET-03", CAUSES, same_node),
    # route get shows the wrong device
    *links("NET-03", "APP-02 DNS-03 DNS-04 NET-15", CAUSES, same_node),
    # martian/rp_filter counter
    *links("NET-17", "NET-03", CAUSES, same_node),
    # agent not Ready/restarting, or its log shows the failed route/ENI/IP operation
    *links("NET-04", "NET-02 NET-16", CAUSES, both(same_node, negate(reason("does-not-reconcile", of="cause")))),
    # agent Ready, clean log, does not re-create lost routes
    *links("NET-04", "NET-02", AMPLIFIES, both(same_node, reason("does-not-reconcile", of="cause"))),
    # the same pods send by the dead table
    *links("NET-02", "APP-02 DNS-03 DNS-04", CAUSES, both(same_node, same("pod", "pods"))),
    # that node is one of the pair, and the pods that are out of reach (or reach nothing) send by the dead table
    *links("NET-02", "NET-09", CAUSES, both(pair_of_nodes, same("pods", "on_node"))),
    # networkd/NM restart in the window
    *links("NET-05", "NET-02", CAUSES, same_node),
    # drop counter / forwarding off on that node
    *links("NET-07", "DNS-03 DNS-04 APP-02", CAUSES, same_node),
    *links("NET-06", "DNS-03 DNS-04 APP-02", CAUSES, both(same_node, drops)),
    # that node is one of the pair
    *links("NET-07 NET-08", "NET-09", CAUSES, pair_of_nodes),
    *links("NET-06", "NET-09", CAUSES, both(pair_of_nodes, drops)),
    # same boundary and port
    *links("NET-08", "DNS-10 KUBECTL-01 METRICS-05 APISVC-03 ING-02 SVC-11 SVC-16 APP-02", CAUSES, same_node),
    # pair of nodes matches
    *links("NET-09", "DNS-03 DNS-04 APISVC-03 APP-02", CAUSES, same_node),
    *links("NET-10 NET-11 NET-17", "APP-02 APP-03", CAUSES, same_node),
    # insert_failed
    *links("NET-11", "DNS-14", CAUSES, both(same_node, fact("insert_failed", "true", of="cause"))),
    # stale UDP entry to a dead DNS pod: which entries are left is not collected by any command yet
    *links("NET-12", "DNS-14 APP-01", CAUSES, both(same_node, undecided)),
    *links("NET-13", "DNS-04 APP-02 SVC-15", CAUSES, same_node),
    # policy selects the flow
    *links("NET-14", "APP-02 DNS-10", CAUSES, either(same("pod", "pods"), same_node)),
    # same pod or node
    *links("NET-16", "POD-05", CAUSES, either(same("pod", "pods"), same_node)),
    # what does not start everywhere waits for its network
    *links("NET-16", "CTRL-08", CAUSES, fact("stage", "4")),
)
