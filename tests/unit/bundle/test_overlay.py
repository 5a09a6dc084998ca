"""Handwritten patches: each part of an overlay does what docs/scenarios.md says, and a mistake names its key."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.bundle.merge import merge
from bot.bundle.recording import Bundle
from bot.bundle.store import layered, open_base
from bot.bundle.times import duration
from bot.errors import BundleError

NODE = {
    "metadata": {"name": "node-3", "labels": {"a": "1"}},
    "status": {"conditions": [{"type": "Ready", "status": "True"}, {"type": "DiskPressure", "status": "False"}]},
}
FILES: dict[str, Any] = {
    "cluster-resources/nodes.json": {"kind": "NodeList", "items": [NODE]},
    "cluster-resources/namespaces.json": {"items": [{"metadata": {"name": "shop"}}]},
    "cluster-resources/pods/shop.json": {"items": [{"metadata": {"name": "web-1", "namespace": "shop", "uid": "u1"}}]},
    "cluster-resources/leases/kube-node-lease.json": {"items": [{"metadata": {"name": "node-3"}, "spec": {}}]},
    "kubewhy/nodes/node-3/commands.json": [
        {"key": "UNITS", "command": "systemctl show", "stdout": "MainPID=7\nId=kubelet.service\nActiveState=active\n"},
        {
            "key": "KLOG",
            "command": "journalctl",
            "stdout": '{"__REALTIME_TIMESTAMP": "1795233500000000", "MESSAGE": "b"}\n',
        },
        {"key": "DISK", "command": "df", "stdout": "/dev/vda 40% /\n"},
        {"key": "LINKS", "command": "ip -j link", "stdout": '[{"ifname": "eth0"}, {"ifname": "eth1", "mtu": 1500}]'},
    ],
}
Patch = Callable[[str], Bundle]


@pytest.fixture
def patch(make: Any, tmp_path: Path) -> Patch:
    """The bundle of FILES with an overlay over it."""
    base = make(FILES)

    def patched(overlay: str) -> Bundle:
        folder = tmp_path / "over" / "kubewhy"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "overlay.yaml").write_text(overlay)
        return layered(base, tmp_path / "over")

    return patched


def items(bundle: Bundle, path: str) -> list[dict[str, Any]]:
    """The objects of a List file."""
    found = bundle.json(path)
    return found["items"] if found else []


def output(bundle: Bundle, key: str) -> dict[str, Any]:
    """The recorded output of one key on node-3."""
    entries = bundle.json("kubewhy/nodes/node-3/commands.json")
    return next(e for e in entries or () if e.get("key") == key)


def test_an_object_is_patched_by_name_and_its_lists_by_theirs(patch: Patch) -> None:
    """Conditions merge by type; what is not mentioned stays; relative times and truth values become the API's."""
    bundle = patch(
        "objects:\n  Node/node-*:\n    metadata: {labels: {a: null, b: 2}}\n    status: {conditions: {Ready: "
        "{status: False, lastTransitionTime: -6min}, PIDPressure: {status: False}}}\n"
        "  lease/kube-node-lease/node-3: {spec: {renewTime: -40s}}\n"
    )
    node = items(bundle, "cluster-resources/nodes.json")[0]
    assert node["metadata"]["labels"] == {"b": "2"}
    assert node["status"]["conditions"] == [
        {"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-21T03:54:00Z"},
        {"type": "DiskPressure", "status": "False"},
        {"type": "PIDPressure", "status": "False"},
    ]
    lease = items(bundle, "cluster-resources/leases/kube-node-lease.json")[0]
    assert lease["spec"]["renewTime"] == "2026-11-21T03:59:20.000000Z"


def test_objects_come_and_go(patch: Patch) -> None:
    """An added object is a day old; a new namespace is empty, not unrecorded; a removed one is gone."""
    bundle = patch(
        "add:\n- {kind: Namespace, metadata: {name: new}}\n- {kind: Service, metadata: {name: web, namespace: shop}}\n"
        "remove: [Pod/shop/web-1]\n"
    )
    assert items(bundle, "cluster-resources/services/shop.json")[0]["metadata"] == {
        "name": "web",
        "namespace": "shop",
        "creationTimestamp": "2026-11-20T04:00:00Z",
    }
    assert items(bundle, "cluster-resources/pods/shop.json") == []
    assert bundle.json("cluster-resources/pods/new.json") == {"kind": "List", "apiVersion": "v1", "items": []}


def test_an_event_is_written_short(patch: Patch) -> None:
    """It is about the object with its uid, in the object's namespace, at the times given."""
    bundle = patch(
        "events:\n- {about: Pod/shop/web-1, reason: BackOff, message: m, first: -20min, last: -1min, count: 9}\n"
    )
    event = items(bundle, "cluster-resources/events/shop.json")[0]
    assert event["involvedObject"] == {
        "kind": "Pod",
        "name": "web-1",
        "namespace": "shop",
        "apiVersion": "v1",
        "uid": "u1",
    }
    assert ("2026-11-21T03:40:00Z", "2026-11-21T03:59:00Z", 9) == (
        event["firstTimestamp"],
        event["lastTimestamp"],
        event["count"],
    )


def test_a_unit_is_one_word_or_properties(patch: Patch) -> None:
    """A word sets what systemd would say together; times are written as systemd does; a new unit may be named."""
    text = output(
        patch("nodes: {node-3: {units: {kubelet: {is: failed, InactiveEnterTimestamp: -1min}, crio: active}}}"), "UNITS"
    )["stdout"]
    kubelet, crio = text.split("\n\n")
    assert "MainPID=0\nId=kubelet.service\nActiveState=failed\n" in kubelet
    assert "InactiveEnterTimestamp=Sat 2026-11-21 03:59:00 UTC" in kubelet
    assert "ActiveState=active" in crio


def test_journal_lines_join_the_recorded_ones_newest_first(patch: Patch) -> None:
    """A klog letter becomes a header; a repeated line is many; ``only`` drops what was recorded."""
    lines_written = '"-10s E a.go:7] boom", {at: -3min, until: -2min, every: 30s, message: x}'
    overlay = f"nodes: {{node-3: {{journal: {{kubelet: [{lines_written}]}}}}}}"
    lines = [json.loads(line) for line in output(patch(overlay), "KLOG")["stdout"].splitlines()]
    assert ["E1121 03:59:50.000000     812 a.go:7] boom", "b", "x", "x", "x"] == [line["MESSAGE"] for line in lines]
    assert lines[0]["PRIORITY"] == "3"
    only = patch("nodes: {node-3: {journal: {kubelet: {only: [-1s y]}, kernel: [-2s oom]}}}")
    assert [json.loads(output(only, "KLOG")["stdout"])["MESSAGE"]] == ["y"]
    assert output(only, "KERN")["stdout"] == "2026-11-21T03:59:58+0000 node-3 kernel: oom\n"


def test_outputs_are_replaced_patched_or_not_recorded(patch: Patch) -> None:
    """Text, a replacement that must occur, a JSON patch, an exit status, and null."""
    bundle = patch(
        "nodes:\n  node-3:\n    commands:\n      DISK: {replace: {'40%': '97%'}, exit: 1}\n"
        "      LINKS: {json: {eth1: null}}\n      UNITS: null\n      'RULES_T:2': \"[]\\n\"\n"
        "      cat /x: '@{-1min:unix}'\n"
    )
    assert ("/dev/vda 97% /\n", 1) == (output(bundle, "DISK")["stdout"], output(bundle, "DISK")["exit"])
    assert [{"ifname": "eth0"}] == json.loads(output(bundle, "LINKS")["stdout"])
    entries = bundle.json("kubewhy/nodes/node-3/commands.json") or []
    assert ["KLOG", "DISK", "LINKS", "RULES_T:2", ""] == [e.get("key", "") for e in entries]
    assert ("cat /x", "1795233540") == (entries[-1]["command"], entries[-1]["stdout"])


def test_a_node_becomes_unreachable_and_reachable(patch: Patch) -> None:
    """Either way of answering takes the other away."""
    bundle = patch("nodes: {node-3: {unreachable: connection refused}, node-4: {commands: {ID: x}}}")
    assert bundle.read("kubewhy/nodes/node-3/commands.json") is None
    assert bundle.text("kubewhy/nodes/node-3/unreachable") == "connection refused\n"
    assert ("node-3", "node-4") == bundle.nodes()


def test_logs_get_the_times_of_their_lines(patch: Patch) -> None:
    """A line without its own time was written with the one before it; append adds; previous is another file."""
    bundle = patch("logs: {shop/web-1/web: [-3min hello, world]}\nprevious-logs: {shop/web-1/web: plain}")
    assert bundle.text("cluster-resources/pods/logs/shop/web-1/web.log") == (
        "2026-11-21T03:57:00.000000000Z hello\n2026-11-21T03:57:00.000000000Z world\n"
    )
    assert bundle.text("cluster-resources/pods/logs/shop/web-1/web-previous.log") == "plain\n"


def test_questions_of_the_bot_are_replaced_one_by_one(patch: Patch) -> None:
    """Every combination of listed fields; a later entry of the same question wins; forget takes it away."""
    bundle = patch(
        "dns:\n- {server: [10.0.0.2, 10.0.0.3], name: a.example, answers: [1.2.3.4]}\n"
        "- {server: 10.0.0.3, name: A.example., rcode: timeout}\n- {server: 10.0.0.2, name: a.example, forget: true}\n"
        "probes: [{host: 10.0.0.7, port: 10250, result: refused}]\n"
        "api: {'/readyz?verbose': {status: 500, body: bad}, /x: {body: {a: -1min}}}\nhistory: {answers: {a: [1]}}\n"
    )
    assert [("10.0.0.3", "timeout")] == [(e["server"], e["rcode"]) for e in bundle.json("kubewhy/dns.json") or ()]
    assert [("bot", "tcp", "refused")] == [
        (e["from"], e["kind"], e["result"]) for e in bundle.json("kubewhy/probes.json") or ()
    ]
    bodies = {e["path"]: (e["status"], e["body"]) for e in bundle.json("kubewhy/api.json") or ()}
    assert {"/readyz?verbose": (500, "bad"), "/x": (200, '{"a": "2026-11-21T03:59:00Z"}')} == bodies
    assert bundle.json("kubewhy/history.json") == {"answers": {"a": [1]}}


def test_files_can_be_not_recorded_and_the_clock_set(patch: Patch) -> None:
    """``forget`` by pattern; times refer to the new clock."""
    bundle = patch('recorded-at: 2026-12-01T00:00:00Z\nforget: ["kubewhy/nodes/*"]\nlogs: {a/b/c: "-1min x"}\n')
    assert () == bundle.nodes()
    assert bundle.text("cluster-resources/pods/logs/a/b/c.log") == "2026-11-30T23:59:00.000000000Z x\n"


@pytest.mark.parametrize(
    ("overlay", "message"),
    [
        ("object: {}", "object: unknown key; did you mean objects?"),
        ("objects: {Node/node-9: {}}", "objects: Node/node-9: no such Node; there are: node-3"),
        ("objects: {Nod/node-3: {}}", "objects: Nod/node-3: there is no kind 'Nod'"),
        ("objects: {Pod/web-1: {}}", "objects: Pod/web-1: a Pod is named KIND/ns/name"),
        (
            "objects: {Node/node-3: {status: {conditions: {7: null}}}}",
            "there is no 7 in this list (Ready, DiskPressure)",
        ),
        ("objects: {Node/node-3: null}", "to take an object away, list it under remove:"),
        ("add: [{kind: Pod, metadata: {name: web-1, namespace: shop}}]", "Pod web-1 is there already"),
        ("add: [{kind: Pod}]", "an object needs kind and metadata.name"),
        ("remove: [Pod/shop/x]", "remove[Pod/shop/x]: no such Pod; there are: web-1"),
        ("nodes: {node-3: {unit: {}}}", "nodes: node-3: a node has unreachable, units, journal, commands"),
        ("nodes: {node-3: {units: {kubelet: broken}}}", "kubelet: a unit is one of active, inactive, failed"),
        ("nodes: {node-3: {commands: {DISK: {replace: {41%: x}}}}}", "commands: DISK: replace: '41%' is not in"),
        ("nodes: {node-3: {commands: {DISK: {lines: {^x: y}}}}}", "DISK: lines: no recorded line matches '^x'"),
        ("nodes: {node-3: {commands: {DISK: {lines: {'(': y}}}}}", "DISK: lines: '(': "),
        ("nodes: {node-3: {commands: {DISK: {json: {}}}}}", "DISK: json: the recorded output is no JSON"),
        ("nodes: {node-3: {journal: {sshd: []}}}", "journal: sshd: journals are kept of kubelet"),
        ("nodes: {x-*: {units: {}}}", "no recorded node is called so; there are: node-3"),
        ("dns: [{server: a}]", "needs name, server"),
        ("dns: [{server: a, name: b, answer: [x]}]", "may have answers, forget, from"),
        ("forget: [nothing.json]", "forget[nothing.json]: no recorded file is called so"),
        ("events: [{about: Pod/shop/web-1}]", "an event has about and reason"),
        ("logs: {shop/web-1: x}", "logs: shop/web-1: a log is named ns/pod/container"),
        ("logs: {a/b/c: [{at: soon, message: x}]}", "logs: a/b/c: "),
        ("logs: {a/b/c: '@{-1min:nope}'}", "there is no time form 'nope'"),
        ("nodes: {a: {}}\nnodes: {b: {}}", "the key 'nodes' is there twice"),
        ("[1]", "must be a map of keys"),
        ("a: [", "while parsing a flow"),
        ("objects: [1]", "objects: must be a map"),
    ],
)
def test_a_mistake_names_the_file_and_the_key(patch: Patch, overlay: str, message: str) -> None:
    """A scenario never silently tests nothing."""
    with pytest.raises(BundleError, match=re.escape(message)) as caught:
        patch(overlay)
    assert "kubewhy/overlay.yaml" in str(caught.value)


def test_plain_words_stay_text(patch: Patch) -> None:
    """No YAML surprises: dates, ``no``, leading zeros and times of day are what was written."""
    bundle = patch("history: {a: 2026-01-01, b: no, c: 010, d: 12:30:00, e: 5, f: true, g: 1.5}")
    assert bundle.json("kubewhy/history.json") == {
        "a": "2026-01-01",
        "b": "no",
        "c": "010",
        "d": "12:30:00",
        "e": 5,
        "f": True,
        "g": 1.5,
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("-40min", -2400), ("1h30min", 5400), ("@+2d", 172800), ("@now", 0), ("-1.5s", -1.5), ("-5m", -300)],
)
def test_durations(text: str, seconds: float) -> None:
    """Signs, combined units and fractions."""
    assert seconds == duration(text).total_seconds()


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=12,
)


@given(json_values)
def test_replacing_puts_exactly_that_value(value: Any) -> None:
    """``$replace`` is what the whole field becomes, and patching never changes what was recorded."""
    old = {"x": [{"name": "n", "v": 1}], "y": 1}
    before = json.dumps(old)
    merged = merge(old, {"x": {"$replace": [value]}})
    assert len(merged["x"]) == 1
    assert before == json.dumps(old)


def test_the_overlay_of_the_documentation_works(tmp_path: Path) -> None:
    """The example of docs/scenarios.md applies to the base it is written for."""
    text = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text("utf-8")
    overlay = text.partition("```yaml\n# bundle/kubewhy/overlay.yaml")[2].partition("```")[0]
    (tmp_path / "kubewhy").mkdir()
    (tmp_path / "kubewhy" / "overlay.yaml").write_text(f"#{overlay}")
    bundle = layered(open_base("kubeadm-5"), tmp_path)
    entries = {e.get("key"): e for e in bundle.json("kubewhy/nodes/node-3/commands.json") or ()}
    assert "No such file" in entries["KCFG"]["stdout"]
    assert "SubState=auto-restart" in entries["UNITS"]["stdout"]
    assert yaml.safe_load(f"#{overlay}").keys() == {"objects", "nodes", "events"}
