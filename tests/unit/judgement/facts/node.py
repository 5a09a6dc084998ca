"""The facts that the rules about nodes and their control-plane parts join by AND."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from bot.model.cluster import (
    Heartbeats,
    KubernetesEndpoints,
    Leaders,
    LogLine,
    NodeEvents,
    Nodes,
    PodsOnNode,
)
from bot.model.evidence import Expectations
from bot.model.host import (
    ApiPath,
    Call,
    Certificates,
    CniFiles,
    ContainerRuntime,
    HostUnits,
    KernelLog,
    KubeletArguments,
    KubeletFiles,
    KubeletHealth,
    KubeletLog,
    ListeningPorts,
    ManualContainers,
    NodeClock,
    NodeIdentity,
    Presence,
    StaticManifests,
    Sysctls,
)
from bot.model.host_reach import NodeReach
from bot.model.host_resources import Cgroups, KubeletSettings
from bot.model.k8s import Event, TargetRef
from tests.unit.judgement import undo
from tests.unit.judgement.fact import Changes, Fact, Scene, each, put, swap, to

START_ERROR = r"command failed|unknown flag|[Ff]ailed to (?:load|parse|validate|run)|Failed to load environment"


def file_is_there(files: Any, scene: Scene) -> Any:
    """The file that the finding names is present and not empty."""
    path = scene.fact("path")
    fact = swap(files.by_path[path], presence=Presence.PRESENT, size=900)
    return swap(files, by_path={**files.by_path, path: fact})


def not_named(arguments: Any, scene: Scene) -> Any:
    """The command line does not refer to the file."""
    path = scene.fact("path")
    return swap(
        arguments,
        flags={k: v for k, v in arguments.flags.items() if v != path},
        environment_files=tuple(f for f in arguments.environment_files if f != path),
    )


def another_start(log: Any, scene: Scene) -> Any:
    """The kubelet was started once more and ended for another reason."""
    later = (
        LogLine(text="Started kubelet.", at=scene.ago(seconds=3)),
        LogLine(text="kubelet.service: Main process exited, code=killed, status=9/KILL", at=scene.ago(seconds=2)),
    )
    return swap(log, lines=(*log.lines, *later))


def announced(events: Any, scene: Scene) -> Any:
    """The node was cordoned ten minutes before it booted."""
    assert scene.finding.onset is not None
    event = Event(
        reason="NodeNotSchedulable",
        last_timestamp=scene.finding.onset - timedelta(minutes=10),
        involved_object=TargetRef(kind="Node", name=scene.key),
    )
    return swap(events, items=(*events.items, event))


def upgraded(node: Any, _: Scene) -> Any:
    """A node whose kubelet is of 1.36."""
    return put(node, "status.node_info.kubelet_version", "v1.36.3")


def same_boot(node: Any, scene: Scene) -> Any:
    """The node object knows the boot that the node itself tells."""
    return put(node, "status.node_info.boot_id", scene.fact("boot_id"))


def works_by_hand(units: Any, scene: Scene) -> Any:
    """The unit of the finding is active."""
    return undo.with_unit(scene.fact("unit"), active="active", sub="running", result="success")(units, scene)


def sockets_there(runtime: Any, _: Scene) -> Any:
    """Every socket of a runtime is there."""
    return swap(runtime, sockets=dict.fromkeys(runtime.sockets, True))


def seen(pod: Any, scene: Scene) -> Any:
    """A pod that its kubelet has acknowledged."""
    return put(pod, "status.start_time", scene.ago(seconds=5))


def bound_just_now(pod: Any, scene: Scene) -> Any:
    """A pod that the scheduler placed half a minute ago."""
    pod = put(pod, "metadata.creation_timestamp", scene.ago(seconds=40))
    return undo.condition(pod, "PodScheduled", status="True", last_transition_time=scene.ago(seconds=30))


def at_peace(node: Any, scene: Scene) -> Any:
    """A node that is Ready, and whose kernel node-problem-detector does not complain about."""
    node = undo.ready(node, scene)
    return undo.condition(node, "KernelDeadlock", status="False") if node.condition("KernelDeadlock") else node


def no_stray(units: Any, _: Scene) -> Any:
    """No control-plane unit is active or enabled."""
    names = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
    idle = {
        n: swap(u, active="inactive", sub="dead", file_state="disabled") for n, u in units.by_name.items() if n in names
    }
    return swap(units, by_name={**units.by_name, **idle})


def elsewhere_held(leaders: Any, _: Scene) -> Any:
    """Every leader record is held by another host."""
    held = {k: swap(v, holder="another-host_1") for k, v in leaders.by_component.items()}
    return swap(leaders, by_component=held)


def setting_agrees(sysctls: Any, scene: Scene) -> Any:
    """The file says what is in force."""
    name = scene.fact("setting")
    return swap(sysctls, files={**(sysctls.files or {}), name: (sysctls.values[name],)})


def as_control_plane(node: Any, _: Scene) -> Any:
    """A node with the label of a control-plane host."""
    labels = {**(node.metadata.labels or {}), "node-role.kubernetes.io/control-plane": ""}
    return put(node, "metadata.labels", labels)


def under_maintenance(node: Any, scene: Scene) -> Any:
    """A node that an agent for planned reboots has drained."""
    node = put(node, "metadata.annotations", {**(node.metadata.annotations or {}), "weave.works/kured-node-lock": "x"})
    return undo.cordoned(node, scene)


def answered_by_peers(reach: Any, _: Scene) -> Any:
    """Every other node gets an answer from port 10250."""
    return swap(reach, peers={k: {22: "timeout", 10250: "ok"} for k in reach.peers})


def reaching(path: Any, _: Scene) -> Any:
    """Every address of the API server answers from the node."""
    return swap(path, answers=dict.fromkeys(path.answers, 200))


def all_silent(beats: Any, scene: Scene) -> Any:
    """No node was heard of for ten minutes: the control plane is the matter."""
    return swap(beats, last=dict.fromkeys(beats.last, scene.ago(minutes=10)))


def talking(log: Any, scene: Scene) -> Any:
    """The kubelet wrote a line just now."""
    return swap(log, lines=(*log.lines, LogLine(text="I0101 kubelet.go:1] all is well", at=scene.ago(seconds=2))))


RUNS = Fact("the kubelet is active, for an hour", {HostUnits: undo.kubelet_runs()})
IN_K3S = Fact("the kubelet is inside k3s", {HostUnits: undo.K3S})
HEARD: Changes = {Nodes: undo.of_node(undo.ready), Heartbeats: undo.beating, KubeletHealth: undo.well_ports}

FACTS: dict[str, tuple[Fact, ...]] = {
    "NODE-01": (
        Fact("it was heard of just now", {Heartbeats: undo.beating}),
        Fact("the bot gets a sign of life", {NodeReach: to(bot={22: "refused", 10250: "timeout"})}),
        Fact("other nodes get a sign of life", {NodeReach: answered_by_peers}),
        Fact("its neighbours know its address", {NodeReach: to(neighbour="REACHABLE")}),
        Fact("it is being scaled down", {Nodes: undo.of_node(undo.tainted("karpenter.sh/disrupted", "NoSchedule"))}),
        Fact("the node was drained for maintenance", {Nodes: undo.of_node(under_maintenance)}),
    ),
    "NODE-02": (
        Fact("the API server answers from the node", {ApiPath: reaching}),
        Fact("it was heard of just now", {Heartbeats: undo.beating}),
        Fact("no node is heard of", {Heartbeats: all_silent}),
        Fact("the kubelet does not run", {HostUnits: undo.with_unit("kubelet", active="failed", sub="failed")}),
        Fact("the kubelet was started just now", {HostUnits: undo.kubelet_runs(0.2)}),
        Fact("a proxy stands between", {KubeletArguments: to(proxies=("HTTPS_PROXY",))}),
        Fact("the log does not speak of it", {KubeletLog: to(lines=())}, left="likely"),
        Fact("the log spoke of it yesterday", {KubeletLog: undo.older(".", hours=26)}, left="likely"),
        IN_K3S,
    ),
    "NODE-03": (
        RUNS,
        IN_K3S,
        Fact("the node was drained for maintenance", {Nodes: undo.of_node(under_maintenance)}),
        Fact("the API server and the kubelet's ports know of no fault", HEARD, left="likely"),
    ),
    "NODE-04": (
        Fact("the file is there", {KubeletFiles: file_is_there}),
        Fact("the kubelet runs, started after the file went", {HostUnits: undo.kubelet_runs(0.05)}),
        Fact("no start names the file", {KubeletArguments: not_named, KubeletLog: undo.not_saying(START_ERROR)}),
        Fact("the log does not name it", {KubeletLog: undo.not_saying(START_ERROR)}, left="likely"),
        IN_K3S,
    ),
    "NODE-05": (
        RUNS,
        IN_K3S,
        Fact("the last start says nothing about flags", {KubeletLog: undo.not_saying(START_ERROR)}),
        Fact("an earlier start said it, the last one did not", {KubeletLog: another_start}),
        Fact("the API server and the kubelet's ports know of no fault", HEARD, left="likely"),
    ),
    "NODE-06": (
        Fact("it was heard of just now", {Heartbeats: undo.beating}),
        Fact(
            "the API server does not answer from the node",
            {ApiPath: lambda p, s: swap(p, answers=dict.fromkeys(p.answers, 0))},
        ),
        Fact("the kubelet was started a minute ago", {HostUnits: undo.kubelet_runs(1)}),
        Fact("the kubelet does not run", {HostUnits: undo.with_unit("kubelet", active="failed", sub="failed")}),
        Fact("its port answers and it writes its log", {KubeletHealth: undo.well_ports, KubeletLog: talking}),
        Fact("its port answers", {KubeletHealth: undo.well_ports}, left="likely"),
        IN_K3S,
    ),
    "NODE-07": (
        Fact(
            "the certificate is valid for a year",
            {Certificates: each("items", lambda c, s: swap(c, not_after=s.clock.now + timedelta(days=365)))},
        ),
        Fact(
            "the file is not the one in use", {Certificates: each("items", lambda c, s: swap(c, path=f"{c.path}.old"))}
        ),
        Fact("the log does not complain", {KubeletLog: to(lines=())}, left="likely"),
        Fact(
            "the kubelet uses the certificate in its kubeconfig",
            {Certificates: to(kubelet="/etc/kubernetes/kubelet.conf")},
        ),
    ),
    "NODE-08": (
        Fact("the clock is right", {NodeClock: to(offset=0.02, daemon_offset=0.01)}),
        Fact("the measurement is too coarse to say it", {NodeClock: to(uncertainty=86400.0, daemon_offset=None)}),
        Fact(
            "the time service sees no offset",
            {NodeClock: to(daemon_offset=0.01), StaticManifests: to(files={})},
            left="likely",
        ),
    ),
    "NODE-09": (
        Fact(
            "neither the condition nor the log says it",
            {Nodes: undo.of_node(undo.ready), KubeletLog: undo.not_saying("PLEG")},
        ),
        Fact("the kubelet was started a minute ago", {HostUnits: undo.kubelet_runs(1)}),
        Fact("the node is Ready", {Nodes: undo.of_node(undo.ready)}, left="likely"),
        Fact("the log said it yesterday", {KubeletLog: undo.older("PLEG", hours=26)}, left="likely"),
    ),
    "NODE-11": (
        Fact("one call was slow", {ContainerRuntime: to(timeouts=1), ManualContainers: to(timeouts=1)}),
        Fact(
            "the runtime does not run",
            {HostUnits: lambda u, s: swap(u, by_name={k: swap(v, active="failed") for k, v in u.by_name.items()})},
        ),
        Fact(
            "nothing else agrees",
            {Nodes: undo.of_node(at_peace), KernelLog: to(lines=()), KubeletLog: to(lines=())},
            left="likely",
        ),
        Fact(
            "the kernel and the kubelet complained yesterday",
            {
                Nodes: undo.of_node(at_peace),
                KernelLog: undo.older(".", hours=26),
                KubeletLog: undo.older(".", hours=26),
            },
            left="likely",
        ),
    ),
    "NODE-12": (
        RUNS,
        IN_K3S,
        Fact("the last start says nothing of the endpoint", {KubeletLog: undo.not_saying("validate CRI")}),
        Fact("the runtime is stopped", {HostUnits: undo.with_unit("containerd", active="failed", sub="failed")}),
        Fact("the API server and the kubelet's ports know of no fault", HEARD, left="likely"),
    ),
    "NODE-13": (
        Fact("the node is Ready", {Nodes: undo.of_node(undo.ready)}),
        Fact(
            "it is not Ready for another reason",
            {Nodes: undo.of_node(lambda n, s: undo.condition(n, "Ready", message="PLEG is not healthy"))},
        ),
        Fact(
            "it has been so for half a minute",
            {Nodes: undo.of_node(lambda n, s: undo.condition(n, "Ready", last_transition_time=s.ago(seconds=30)))},
        ),
        Fact("the node is a minute old", {Nodes: undo.of_node(undo.aged(minutes=1))}),
        Fact(
            "the CNI is configured and runs",
            {CniFiles: to(configurations={"10.conflist": "{}"})},
            ("config-missing",),
            left="likely",
        ),
    ),
    "NODE-15": (
        Fact("the kubelet is active, for an hour", RUNS.changes, reasons=("cgroup-v1",)),
        IN_K3S,
        Fact("the last start does not say it", {KubeletLog: undo.not_saying("cgroup v1")}, reasons=("cgroup-v1",)),
        Fact("an earlier start said it, the last one did not", {KubeletLog: another_start}, reasons=("cgroup-v1",)),
        Fact("the API server and the kubelet's ports know of no fault", HEARD, ("cgroup-v1",), left="likely"),
        Fact("the host uses cgroup v2", {Cgroups: to(unified=True)}, reasons=("next-upgrade",)),
        Fact("the kubelet has been upgraded", {Nodes: undo.of_node(upgraded)}, reasons=("next-upgrade",)),
        Fact(
            "cgroup v1 is allowed", {KubeletSettings: to(values={"failCgroupV1": "false"})}, reasons=("next-upgrade",)
        ),
    ),
    "NODE-10": (
        Fact("unit and socket are there", {HostUnits: works_by_hand, ContainerRuntime: sockets_there}),
        Fact("the runtime answers", {ContainerRuntime: to(call=Call.OK, error="")}),
        Fact(
            "nobody else complains",
            {
                ContainerRuntime: to(call=Call.UNKNOWN, error=""),
                Nodes: undo.of_node(lambda n, s: undo.condition(n, "Ready", message="kubelet is posting ready status")),
                KubeletLog: undo.not_saying(r"\.sock"),
            },
        ),
        Fact(
            "the node uses another runtime",
            {Nodes: undo.of_node(lambda n, s: put(n, "status.node_info.container_runtime_version", "cri-o://1.30.0"))},
        ),
    ),
    "NODE-30": (
        Fact("it booted two days ago", {NodeIdentity: lambda e, s: swap(e, booted=s.ago(days=2))}),
        Fact("it was cordoned ten minutes before", {NodeEvents: announced}),
        Fact(
            "the machine is new",
            {Nodes: undo.of_node(lambda n, s: put(n, "metadata.creation_timestamp", s.finding.onset))},
        ),
        Fact(
            "the API server did not see a boot",
            {
                NodeEvents: each("items", lambda e, s: None if e.reason == "Rebooted" else e),
                Nodes: undo.of_node(same_boot),
            },
            left="likely",
        ),
    ),
    "NODE-31": (
        Fact("its kubelet has seen the pods", {PodsOnNode: each("items", seen)}),
        Fact("the pods were bound just now", {PodsOnNode: each("items", bound_just_now)}),
        Fact(
            "nothing shows that the runtime works",
            {ContainerRuntime: to(call=Call.FAILED), ManualContainers: to(running=())},
        ),
        Fact("the node is cordoned", {Nodes: undo.of_node(undo.cordoned)}),
        Fact("the kubelet was started a minute ago", {HostUnits: undo.kubelet_runs(1)}),
        Fact("the kubelet works", {HostUnits: undo.kubelet_runs(), **HEARD}, left="likely"),
    ),
    "NODE-32": (
        Fact(
            "it is neither cordoned nor tainted",
            {Nodes: undo.of_node(lambda n, s: put(n, "spec", lambda spec: swap(spec, unschedulable=False, taints=())))},
        ),
    ),
    "HYG-03": (
        Fact("the file is there", {KubeletFiles: file_is_there}, reasons=("missing-file",)),
        Fact(
            "the kubelet does not run",
            {HostUnits: undo.with_unit("kubelet", active="failed", sub="failed")},
            reasons=("missing-file",),
        ),
        Fact("the unit is not enabled", {HostUnits: no_stray}, reasons=("stray-unit-enabled",)),
        Fact(
            "the node is a control-plane node", {Nodes: undo.of_node(as_control_plane)}, reasons=("stray-unit-enabled",)
        ),
        Fact("the file sets the value that is in force", {Sysctls: setting_agrees}, reasons=("sysctl-differs",)),
    ),
    "CTRL-09": (
        Fact(
            "nothing of it runs or would start",
            {HostUnits: no_stray, ListeningPorts: to(items=()), StaticManifests: to(files={})},
        ),
        Fact("the node is a control-plane node", {Nodes: undo.of_node(as_control_plane)}),
        Fact("the operator names the host", {Expectations: lambda e, s: swap(e, control_plane_hosts=(s.key,))}),
        Fact("it is a k3s server", {HostUnits: undo.with_unit("k3s", active="active", sub="running")}),
        Fact(
            "nothing but systemd knows of them",
            {ListeningPorts: to(items=()), KubernetesEndpoints: to(addresses=()), Leaders: elsewhere_held},
            left="likely",
        ),
    ),
    "CTRL-12": (
        Fact(
            "the certificates are valid for a year",
            {Certificates: each("items", lambda c, s: swap(c, not_after=s.clock.now + timedelta(days=365)))},
        ),
        Fact(
            "no component here uses the file",
            {Certificates: each("items", lambda c, s: swap(c, path=f"/root/old{c.path}"))},
        ),
    ),
}
