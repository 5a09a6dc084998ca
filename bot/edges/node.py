"""Edges whose cause lies in hosts, kubelet and runtime (catalogue C.1).

The comment above an edge is its guard in words.
"""

from __future__ import annotations

from bot.edges.build import AMPLIFIES, CAUSES, TRIGGERS, links
from bot.edges.guards import both, either, fact, negate, pair_of_nodes, reason, same, same_node, whole_on_node
from bot.edges.special import soon_after_boot

# a kubelet that somebody stopped did not exit for a reason of its own
ENDED = negate(reason("stopped", "disabled", "not-started", "masked"))
AT_START = fact("at_start", "true", of="cause")
# nor did a runtime
CRASHED = negate(reason("unit-stopped"))
NO_SPACE = either(fact("pressure", "true", of="cause"), same("error_class"))
WRONG_ADDRESS = reason("not-on-host", "wrong-network", of="cause")

LINKS = (
    *links("NODE-01", "POD-10 METRICS-03 STOR-15", CAUSES, same_node),
    # all ready CoreDNS endpoints were on it
    *links("NODE-01", "DNS-07", CAUSES, whole_on_node),
    # metrics-server pod on it
    *links("NODE-01", "METRICS-02", CAUSES, same_node),
    # node is control plane; no other instance (HA: only degraded)
    *links("NODE-01", "CTRL-01 CTRL-05 CTRL-06 ETCD-01", CAUSES, both(same_node, negate(fact("degraded", "true")))),
    # stateful pod with RWO volume on it
    *links("NODE-01", "POD-16", CAUSES, same_node),
    # node came back
    *links("NODE-01", "NODE-30", TRIGGERS, same_node),
    # volume still attached to that node
    *links("NODE-01 NODE-03", "STOR-01", CAUSES, same_node),
    *links("NODE-02", "POD-10 METRICS-03", CAUSES, same_node),
    *links("NODE-02", "NET-09", CAUSES, pair_of_nodes),
    # a kubelet that cannot ask the API server about a token refuses it
    *links("NODE-02", "METRICS-06", CAUSES, both(whole_on_node, reason("unauthorized"))),
    # cut separates members
    *links("NODE-02", "ETCD-01", CAUSES, same_node),
    # effect onset within 15 min after boot
    *links(
        "NODE-30",
        "NODE-04 NODE-05 NODE-10 CTRL-09 NET-01 NET-02 NET-06 NET-07 ETCD-06",
        TRIGGERS,
        both(same_node, soon_after_boot),
    ),
    # it was not enabled before the boot
    *links("NODE-30", "NODE-03", TRIGGERS, both(same_node, soon_after_boot, reason("disabled"))),
    # kubelet not active and exit log names the file
    *links("NODE-04", "NODE-03", CAUSES, both(same_node, fact("active", "false"), ENDED, AT_START)),
    # pattern in the last start attempt
    *links("NODE-05 NODE-12 NODE-15", "NODE-03", CAUSES, both(same_node, fact("active", "false"), ENDED)),
    *links("NODE-07 NODE-14", "NODE-03", CAUSES, both(same_node, fact("active", "false"), ENDED, AT_START)),
    *links("NODE-10", "NODE-03", CAUSES, both(same_node, ENDED)),
    *links("NODE-10", "NODE-09 POD-05 POD-10", CAUSES, same_node),
    *links("NODE-11", "NODE-09 POD-05 POD-10 POD-11 NODE-06", CAUSES, same_node),
    *links("NODE-13", "POD-05 POD-03", CAUSES, same_node),
    # all nodes affected
    *links("NODE-13", "DNS-07", CAUSES, whole_on_node),
    # same node (KUBECTL-01 in refused form)
    *links("NODE-03", "METRICS-03 POD-10 NODE-31 STOR-15", CAUSES, same_node),
    # same node (KUBECTL-01 in refused form)
    *links("NODE-03", "KUBECTL-01", CAUSES, both(same_node, reason("refused"))),
    # metrics-server pod on this node
    *links("NODE-03", "METRICS-02", CAUSES, same_node),
    # stateful pod on this node
    *links("NODE-03", "POD-16", CAUSES, same_node),
    *links("NODE-06", "METRICS-03 POD-10 NODE-31", CAUSES, same_node),
    *links("NODE-07", "METRICS-06", CAUSES, same_node),
    # the kubelet is not let in, or cannot end a sandbox: nothing on the node can be confirmed as ended
    *links("NODE-07 NODE-13", "POD-10", CAUSES, same_node),
    # the kubelet says that certificates are not yet valid
    *links("NODE-08", "POD-10", CAUSES, both(same_node, fact("refuses", "true", of="cause"))),
    # abs(offset) > validity margin; "not yet valid" text
    *links(
        "NODE-08",
        "NODE-07 ETCD-05 CTRL-12 APISVC-04 METRICS-06 APP-10",
        CAUSES,
        both(same_node, fact("not_yet_valid", "true")),
    ),
    # the node is not Ready
    *links("NODE-09", "POD-10 NODE-31 POD-05", CAUSES, both(same_node, fact("ready", "false", of="cause"))),
    # cgroupsPath pattern
    *links("NODE-14", "POD-05", CAUSES, both(same_node, reason("cgroups-path"))),
    # cgroupsPerQOS off
    *links("NODE-16", "NODE-17", CAUSES, both(same_node, reason("feature-off", of="cause"))),
    # PSI high
    *links("NODE-17", "NODE-06 NODE-09 NODE-21", AMPLIFIES, both(same_node, fact("waiting", "true", of="cause"))),
    # pressure condition or no-space error
    *links("NODE-18 NODE-19 NODE-20", "POD-13 POD-03 POD-06", CAUSES, both(same_node, NO_SPACE)),
    # pressure condition or no-space error; nobody stopped the runtime
    *links("NODE-18 NODE-19 NODE-20", "NODE-10", CAUSES, both(same_node, NO_SPACE, CRASHED)),
    # etcd data dir on that filesystem
    *links("NODE-18 NODE-19", "ETCD-06 ETCD-01", CAUSES, both(same_node, same("mount"))),
    *links("NODE-21", "POD-13 NODE-06 POD-07", CAUSES, same_node),
    # nobody stopped the runtime
    *links("NODE-21", "NODE-10", CAUSES, both(same_node, CRASHED)),
    # same node, error text matches
    *links("NODE-20 NODE-22", "POD-05", CAUSES, both(same_node, same("error_class"))),
    *links("NODE-22", "NODE-06", CAUSES, same_node),
    # pattern names inotify
    *links("NODE-23", "NODE-03 POD-05", CAUSES, both(same_node, reason("inotify"))),
    # mkdir/no space pattern or CPU trend
    *links("NODE-24", "POD-05 NODE-06 NODE-26", CAUSES, both(same_node, fact("said", "true", of="cause"))),
    # count and cache-timeout pattern
    *links("NODE-25", "NODE-06 CTRL-13 POD-05", CAUSES, both(same_node, fact("late", "true", of="cause"))),
    *links("NODE-26", "NODE-21 NODE-06", CAUSES, same_node),
    *links(
        "NODE-27", "NODE-11 NODE-06 NODE-09", CAUSES, both(same_node, negate(reason("stale-condition", of="cause")))
    ),
    # same device: what failed has its folder on that disk
    *links("NODE-28", "NODE-03", CAUSES, both(same_node, fact("holds", "kubelet", of="cause"), ENDED)),
    *links("NODE-28", "NODE-10", CAUSES, both(same_node, fact("holds", "runtime", of="cause"), CRASHED)),
    # same device
    *links("NODE-28", "ETCD-02 ETCD-06 STOR-17", CAUSES, both(same_node, same("device"))),
    # no other eligible node
    *links("NODE-32", "POD-03", CAUSES, same_node),
    # instance from a node group
    *links("NODE-33 NODE-34", "AUTO-06", CAUSES, same_node),
    *links("NODE-34", "POD-03 SVC-16", CAUSES, same_node),
    # the address is wrong
    *links("NODE-35", "METRICS-03 KUBECTL-01", CAUSES, both(same_node, WRONG_ADDRESS)),
    *links("NODE-35", "NET-09", CAUSES, both(pair_of_nodes, WRONG_ADDRESS)),
    # bare pod on it
    *links("NODE-01", "POD-12", CAUSES, same_node),
)
