"""NET-16: new pods on the node get no network."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.net.about import running_since
from bot.model.cluster import PodsOnNode
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import AddressLeases, KubeletLog
from bot.model.host_agents import CniAgent
from bot.model.k8s import Event, Pod
from bot.model.refs import node
from bot.model.text import T, Text
from bot.model.workloads import PodEvents

_NO_NETWORK = re.compile(
    r"failed to (?:setup|set up) network for sandbox|plugin type=\\?\"\S+\\?\" failed \(add\)"
    r"|no IP addresses available in range set|failed to assign an IP address|InsufficientFreeAddressesInSubnet"
    r"|networkPlugin cni failed"
)
_EXHAUSTED = re.compile(
    r"no IP addresses available in range set(?:: (?P<range>\S+))?|failed to assign an IP address"
    r"|InsufficientFreeAddressesInSubnet"
)
_NO_PLUGIN = re.compile(r'failed to find plugin \\?"(?P<plugin>[\w.-]+)')
LATEST, OFTEN, RESTART = 600.0, 3, 60.0
FEW, SHARE = 5, 0.2  # held for no pod: beyond what comes and goes
FOLDER, ASIDE = "/var/lib/cni/networks", "/var/lib/cni/leaked-addresses"
# host-local writes the sandbox's id into the first line of each file; a runtime that does not answer must not lose any
ORPHANS = (
    "sudo crictl pods -q >/dev/null && for f in $(sudo find "
    "{folder} -type f -name '*[.:]*' ! -name 'last_reserved*'); do "
    "sudo crictl inspectp \"$(sudo head -n 1 $f | tr -d '\\r')\" >/dev/null 2>&1 || "
)


@check("NET-16")
def failing_pod_network_setup(
    *,
    pods: PodsOnNode,
    events: PodEvents,
    clock: Clock,
    log: KubeletLog | None,
    leases: AddressLeases | None,
    agent: CniAgent | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The CNI cannot give new pods a network: no address is left, or its plugin fails.

    Says:
        "Pods stay in ContainerCreating", "no IP addresses available".
    Evidence:
        Events FailedCreatePodSandBox of pods on the node that have no address; the kubelet's log; the addresses that
        the CNI has given away (/var/lib/cni/networks) compared with those of the node's pods.
    Rule:
        Such an event is current: it was seen within ten minutes or three times in the window, and has been for more
        than a minute. Confirmed when the kubelet's log says the same, or when the addresses that were given away are
        leaked.
    Cause:
        The subnet or podCIDR is exhausted, addresses leaked, the CNI's plugin or agent fails. It explains POD-05,
        CTRL-08.
    Fix:
        A larger subnet; remove leaked addresses; repair the plugin.
    Verify:
        A new pod gets an address.
    Must not fire:
        While the CNI's plugin or agent restarts (less than a minute).
    Reasons:
        - addresses-exhausted: no address is left
        - addresses-leaked: no address is left, and many are held for pods that are gone
        - plugin-missing: the program that the CNI configuration names is not there
        - plugin-fails: the CNI's plugin says no for another reason
    """
    seconds = (expect.thresholds.get("NET-16", {}) if expect else {}).get("seconds", RESTART)
    waiting = {p.path: p for p in pods.items if not p.status.pod_ip and p.metadata.deletion_timestamp is None}
    current = [e for e in events.items if _about(e) in waiting and _is_current(e, clock)]
    starts = [t for e in current if (t := e.first_timestamp or e.seen)]
    if not current or not starts or clock.age(min(starts)) <= seconds or _restarts(agent, clock, seconds):
        return
    words = [e.message or "" for e in current]
    said = [x for x in (log.lines if log else ()) if _NO_NETWORK.search(x.text)]
    stuck = tuple(sorted({_about(e) for e in current}))
    leaked = _leaked(leases, pods) if _EXHAUSTED.search("\n".join(words)) else ()
    reason = "addresses-leaked" if leaked else _reason(words)
    yield Finding(
        code="NET-16",
        reason=reason,
        title=_title(reason, pods.node, words),
        detail=T(
            "{count} of {all} addresses that were given away belong to no pod of the node.",
            count=len(leaked),
            all=len(leases.files),
        )
        if leaked and leases
        else None,
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if said or leaked else Confidence.LIKELY,
        subject=node(pods.node),
        facts={
            "node": pods.node,
            "pods": stuck,
            "component": "cni",
            "given_away": len(leases.files) if leases else -1,
            "leaked": len(leaked),
        },
        onset=min(starts),
        proofs=(
            events.proof.quote(*(f"{_about(e)}: {e.reason} x{e.times}: {e.message}" for e in current[:3])),
            *((log.proof.quote(*(x.text for x in said[-2:])),) if log and said else ()),
            *((leases.proof.quote(*leaked[:3]),) if leases and leaked else ()),
        ),
        fixes=_fixes(reason, pods.node, waiting[stuck[0]], leaked),
    )


def _leaked(leases: AddressLeases | None, pods: PodsOnNode) -> tuple[str, ...]:
    """Files of addresses that no pod of the node has; a few are those of pods that come or go just now."""
    if leases is None:
        return ()
    used = {p.status.pod_ip for p in pods.items} | {a.ip for p in pods.items for a in p.status.pod_ips or ()}
    found = tuple(path for path, address in leases.files.items() if address not in used)
    return found if len(found) >= max(FEW, len(leases.files) * SHARE) else ()


def _restarts(agent: CniAgent | None, clock: Clock, seconds: float) -> bool:
    """Whether the CNI's agent was started just now."""
    starts = [s for p in (agent.pods if agent else ()) if (s := running_since(p))]
    return any(clock.age(s) <= seconds for s in starts)


def _about(event: Event) -> str:
    return f"{event.involved_object.namespace}/{event.involved_object.name}"


def _is_current(event: Event, clock: Clock) -> bool:
    if event.reason != "FailedCreatePodSandBox" or not _NO_NETWORK.search(event.message or "") or not event.seen:
        return False
    age = clock.age(event.seen)
    return age <= LATEST or (age <= clock.window_seconds and event.times >= OFTEN)


def _reason(words: list[str]) -> str:
    text = "\n".join(words)
    if _EXHAUSTED.search(text):
        return "addresses-exhausted"
    return "plugin-missing" if _NO_PLUGIN.search(text) else "plugin-fails"


def _title(reason: str, name: str, words: list[str]) -> Text:
    text = "\n".join(words)
    exhausted, missing = _EXHAUSTED.search(text), _NO_PLUGIN.search(text)
    if reason == "addresses-leaked":
        return T("no pod address is left on {node}: addresses of pods that are gone were never given back", node=name)
    if reason == "addresses-exhausted" and exhausted and exhausted["range"]:
        return T("no pod address is left on {node}: {range} is used up", node=name, range=exhausted["range"])
    if reason == "addresses-exhausted":
        return T("no pod address is left on {node}", node=name)
    if missing:
        return T("the CNI plugin {plugin} is missing on {node}", plugin=missing["plugin"], node=name)
    return T("the CNI plugin of {node} cannot set up the network of new pods", node=name)


def _fixes(reason: str, name: str, pod: Pod, leaked: tuple[str, ...]) -> tuple[Fix, ...]:
    space, pod_name = shlex.quote(pod.metadata.namespace or "default"), shlex.quote(pod.metadata.name)
    verify = (f"kubectl -n {space} get pod {pod_name} -o wide",)
    if reason not in {"addresses-exhausted", "addresses-leaked"}:
        look = Fix(
            what=T("On the node: compare the CNI configuration with the plugins that are there."),
            safety=Safety.READ_ONLY,
            commands=("sudo ls -la /etc/cni/net.d /opt/cni/bin",),
            verify=verify,
        )
        return (look,)
    count = Fix(
        what=T("Compare the addresses that the CNI has given away with the pods of {node}.", node=name),
        safety=Safety.READ_ONLY,
        commands=(
            f"sudo find {FOLDER} -type f | wc -l",
            f"kubectl get pods -A --field-selector spec.nodeName={shlex.quote(name)} -o wide",
        ),
        verify=verify,
    )
    if reason == "addresses-exhausted":
        larger = T("Give the node a larger pod network (podCIDR, or the subnet of its pods), or fewer pods.")
        return count, Fix(what=larger, safety=Safety.REVERSIBLE, verify=verify)
    folders = {path.rpartition("/")[0] for path in leaked}
    orphans = ORPHANS.format(folder=shlex.quote(folders.pop() if len(folders) == 1 else FOLDER))
    aside = Fix(
        what=T("On the node: put the files of addresses whose sandbox is gone aside."),
        safety=Safety.REVERSIBLE,
        commands=(f"sudo mkdir -p {ASIDE}", f"{orphans}sudo mv -v $f {ASIDE}/; done"),
        verify=verify,
        undo=(f"sudo cp -pn {ASIDE}/* {shlex.quote(leaked[0].rpartition('/')[0])}/",),
    )
    listed = Fix(
        what=T("On the node: list the addresses whose sandbox is gone."),
        safety=Safety.READ_ONLY,
        commands=(f"{orphans}echo $f; done",),
    )
    return count, listed, aside
