"""What every drill does: break one thing for real, wait until it is true on both sides, ask, repair, ask again."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from bot import app
from bot.ask import parse
from bot.config import Settings
from bot.model.finding import Finding
from bot.model.report import Report
from tests.cluster.conftest import Lab
from tests.cluster.control_plane import until
from tests.cluster.machine import Machine

WEB = """apiVersion: v1
kind: Pod
metadata: {{name: web, labels: {{app: web}}}}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: 1
  containers: [{{name: web, image: "lab.local/pause:1", imagePullPolicy: Never}}]
"""
READ = "NODE-03"  # a row that is judged only when SSH reached the host
ANSWERING = """apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: kube-system}}
spec:
  nodeName: {node}
  terminationGracePeriodSeconds: 1
  containers:
  - name: web
    image: lab.local/pause:1
    imagePullPolicy: Never
    command: [/bin/busybox, httpd, -f, -p, "8080"]
    ports: [{{containerPort: 8080}}]
"""


def ask(lab: Lab, text: str, **changes: object) -> Report:
    """Ask the live cluster; ``changes`` are settings of it that a user could make (``thresholds``, ...)."""
    name, _, rest = text.partition(" ")
    cluster = lab.settings.clusters["lab"].model_copy(update=changes)
    settings = Settings(clusters={"lab": cluster}, state=lab.settings.state)
    return app.run_live(parse(rest, name, app.commands()), settings)


def roots(report: Report) -> list[tuple[str, str]]:
    """Code and subject of every root."""
    found = [report.entry(root.finding).finding for root in report.roots]
    return [(f.code, str(f.subject)) for f in found]


def reason(report: Report) -> str:
    """The case of the first root."""
    return finding(report).reason


def finding(report: Report) -> Finding:
    """The first root."""
    return report.entry(report.roots[0].finding).finding


def quoted(report: Report) -> str:
    """What the first root's proofs show."""
    return "\n".join(p.excerpt for p in finding(report).proofs)


def chain(report: Report) -> list[str]:
    """The rows of the first root's chain."""
    return [report.entry(i).finding.code for i in report.roots[0].chain]


@contextmanager
def broken(name: str, breaks: Callable[[], object], repairs: Callable[[], object]) -> Iterator[None]:
    """Something is broken inside the block, and repaired after it, also when the test or the breaking itself fails."""
    try:
        breaks()
        yield
    finally:
        repairs()


def not_ready(lab: Lab) -> None:
    """Wait until the API says that the cloud node is not ready."""
    until("node2 NotReady", lambda: not lab.node_ready("node2"), 120)


def ready(lab: Lab) -> None:
    """Wait until the API says that the cloud node is ready."""
    until("node2 Ready", lambda: lab.node_ready("node2"), 120)


def healed(lab: Lab, question: str = "node-why node2", **changes: object) -> None:
    """Nothing is said any more, of a host that was read; what the kubelet still has to notice gets half a minute."""
    said: list[tuple[str, str]] = []

    def silent() -> bool:
        report = ask(lab, question, **changes)
        said[:] = roots(report) if READ in report.ran else [(READ, "was not judged")]
        return not said

    try:
        until(question, silent, 30, 3)
    except AssertionError as error:
        raise AssertionError(f"repaired, and still named: {said}") from error


def says(lab: Lab, report: Report, code: str, why: str = "", node: str = "") -> None:
    """The one root is ``code`` on the cloud node, or ``node``, for the reason ``why``."""
    found = [(f.role.value, f.finding.code, f.finding.reason, str(f.finding.title)) for f in report.entries]
    assert [(code, f"Node/{node or lab.cloud.name}")] == roots(report), found
    assert not why or why == reason(report)


def kubelet_said(lab: Lab, words: str) -> bool:
    """Whether the kubelet of the cloud node said this since it was started last."""
    log = lab.cloud.run("journalctl", "-u", "kubelet", "--since", "-1min", "-o", "cat", "--no-pager")
    return words in log.rpartition("Started kubelet.service")[2]


def run_web(lab: Lab) -> None:
    """A pod with an address of its own on the cloud node."""
    lab.plane.kubectl("apply", "-f", "-", stdin=WEB.format(node=lab.cloud.name))
    until("the pod web", lambda: bool(pod_address(lab, "web")), 60)


def run_answering(lab: Lab, machine: Machine) -> str:
    """A pod of the system on this node that listens, and says so; its address."""
    name = f"answer-{machine.name}"
    lab.plane.kubectl("apply", "-f", "-", stdin=ANSWERING.format(name=name, node=machine.name))
    until(f"the pod {name}", lambda: bool(pod_address(lab, name, "kube-system")), 60)
    return pod_address(lab, name, "kube-system")


def pod_address(lab: Lab, name: str, namespace: str = "default") -> str:
    """The address of a running pod; empty until it runs."""
    words = ("get", "pod", name, "-n", namespace, "-o", "jsonpath={.status.phase} {.status.podIP}")
    phase, _, address = lab.plane.kubectl(*words, check=False).partition(" ")
    return address if phase == "Running" else ""


def thresholds(**rows: Mapping[str, float]) -> dict[str, object]:
    """The setting ``thresholds``; a row's dash is written as an underscore."""
    return {"thresholds": {row.replace("_", "-"): dict(values) for row, values in rows.items()}}
