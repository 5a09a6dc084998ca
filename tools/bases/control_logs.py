"""The last quiet lines of the control plane."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.ids import ago, micro
from tools.bases.spec import Host
from tools.bases.world import World


def quiet_log(world: World, host: Host, component: str) -> list[str]:
    """The last quiet lines of a component; times in the host's own clock (UTC)."""

    def klog(seconds: float, where: str, text: str) -> str:
        when = ago(seconds)
        return f"I{when:%m%d %H:%M:%S.%f}       1 {where}] {text}"

    if component == "etcd":
        return _etcd_log(host)
    if component == "kube-apiserver":
        return [
            klog(
                1742.11,
                "alloc.go:328",
                f'"allocated clusterIPs" service="shop/web" clusterIPs={{"IPv4":"{world.spec.service_ip(77)}"}}',
            ),
            klog(
                1203.4,
                "cidrallocator.go:277",
                f"updated ClusterIP allocator for Service CIDR {world.spec.service_cidr}",
            ),
            klog(
                603.5, "cidrallocator.go:277", f"updated ClusterIP allocator for Service CIDR {world.spec.service_cidr}"
            ),
            klog(
                3.6, "cidrallocator.go:277", f"updated ClusterIP allocator for Service CIDR {world.spec.service_cidr}"
            ),
        ]
    if component == "kube-controller-manager":
        return [
            klog(1681.2, "range_allocator.go:428", f'"Set node PodCIDR" node="{world.spec.hosts[-1].name}"'),
            klog(
                922.9, "garbagecollector.go:235", '"Proceeding to sync resources" logger="garbage-collector-controller"'
            ),
            klog(
                341.7, "job_controller.go:598", '"enqueueing job" logger="job-controller" key="default/none" delay="0s"'
            ),
        ][:2]
    return [
        klog(
            1710.3,
            "schedule_one.go:314",
            f'"Successfully bound pod to node" pod="default/example-app" node="{world.spec.workers[0].name}" evaluatedNodes={len(world.spec.hosts)} feasibleNodes={len(world.spec.workers)}',
        )
    ]


def _etcd_log(host: Host) -> list[str]:
    def line(seconds: float, caller: str, text: str, **more: object) -> str:
        extra = "".join(
            f',"{k.replace("_", "-")}":{f"{chr(34)}{v}{chr(34)}" if isinstance(v, str) else v}' for k, v in more.items()
        )
        return f'{{"level":"info","ts":"{micro(ago(seconds))}","caller":"{caller}","msg":"{text}"{extra}}}'

    return [
        line(1500.2, "mvcc/index.go:194", "compact tree index", revision=2761201),
        line(
            1500.1,
            "mvcc/kvstore_compaction.go:72",
            "finished scheduled compaction",
            compact_revision=2761201,
            took="41.2ms",
            current_db_size_bytes=38211584,
        ),
        line(1200.3, "mvcc/index.go:194", "compact tree index", revision=2761980),
        line(
            1200.2,
            "mvcc/kvstore_compaction.go:72",
            "finished scheduled compaction",
            compact_revision=2761980,
            took="38.8ms",
            current_db_size_bytes=38211584,
        ),
        line(
            300.2,
            "mvcc/kvstore_compaction.go:72",
            "finished scheduled compaction",
            compact_revision=2763544,
            took=f"{35 + host.number}.1ms",
            current_db_size_bytes=38211584,
        ),
    ]
