"""Names and log lines that want to be more than text: a bundle made by an attacker, diagnosed and shown everywhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from bot.app import commands, run_bundle
from bot.ask import parse
from bot.bundle.recording import Bundle
from bot.bundle.store import layered, open_base
from bot.model.report import Report, Status
from bot.render.blocks import Outgoing
from bot.render.json import to_json
from bot.render.limits import lint, texts
from bot.render.markdown import markdown
from bot.render.mrkdwn import Profile
from bot.render.slack import root_final, thread
from bot.render.terminal import terminal

pytestmark = pytest.mark.xdist_group("judgement")  # every scenario is judged once, in one process

BIDI = "\u202e"
ESCAPE = "\x1b[2J\x1b]0;owned\x07"
SHOUT = "<!channel> <@U123> <https://evil.example|click>"
FENCE = "``` rm -rf / ``` `id`"
LINE = f"{SHOUT} {FENCE} {ESCAPE} {BIDI}txt.exe"
FLAG = "failed to parse kubelet flag: unknown flag: --"
OVERLAY = {
    "objects": {
        "Node/node-3": {
            "metadata": {"annotations": {"note": LINE}},
            "status": {
                "conditions": {
                    "Ready": {
                        "status": "Unknown",
                        "reason": "NodeStatusUnknown",
                        "lastTransitionTime": "-11min",
                        "message": LINE,
                    }
                }
            },
        },
        "Lease/kube-node-lease/node-3": {"spec": {"renewTime": "-12min"}},
        "APIService/v1beta1.metrics.k8s.io": {
            "status": {
                "conditions": {
                    "Available": {
                        "status": "False",
                        "reason": "MissingEndpoints",
                        "message": LINE,
                        "lastTransitionTime": "-12min",
                    }
                }
            }
        },
    },
    "nodes": {
        "node-3": {
            "units": {"kubelet": {"is": "restarting", "NRestarts": 71}},
            "journal": {
                "kubelet": [
                    {"at": "-10s", "message": "x" * 1_000_000},
                    {"at": "-9s", "message": "Started kubelet."},
                    {
                        "at": "-8s",
                        "message": f'E run.go:72] "command failed" err="{FLAG}{LINE}"',
                    },
                    {"at": "-6s", "message": "kubelet.service: Main process exited, code=exited, status=1/FAILURE"},
                ]
            },
        }
    },
}
PROFILES = (Profile.BASELINE, Profile.RICH, Profile.LOCAL)


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    """A cluster whose every free text is hostile."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "kubewhy").mkdir()
    (folder / "kubewhy" / "overlay.yaml").write_text(json.dumps(OVERLAY), "utf-8")
    return layered(open_base("kubeadm-5"), folder)


@pytest.fixture(scope="module")
def reports(bundle: Bundle) -> tuple[Report, ...]:
    """The node and the API, diagnosed."""
    asked = (("node-why", "node-3"), ("metrics-api", ""))
    return tuple(run_bundle(parse(words, name, commands()), bundle) for name, words in asked)


def test_the_hostile_words_reach_the_report(reports: tuple[Report, ...]) -> None:
    """Else the tests below would prove nothing."""
    assert [Status.CRITICAL, True] == [reports[0].status, all(r.entries for r in reports)]
    assert all("channel" in to_json(r) for r in reports)


def test_the_terminal_shows_no_control_character(reports: tuple[Report, ...]) -> None:
    """No escape sequence, no change of direction, no title of the window; lines are cut."""
    for report in reports:
        for shown in (terminal(report), terminal(report, lang="zh-CN"), terminal(report, width=40)):
            assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f\u202a-\u202e\u2066-\u2069]", shown) == []
            assert len(shown) < 60_000


def test_json_holds_it_as_data(reports: tuple[Report, ...]) -> None:
    """One object that parses; no raw control character; a line of a megabyte is not carried along."""
    for report in reports:
        raw = to_json(report)
        assert json.loads(raw)["schema"] == "kubewhy/report/v1"
        assert re.findall(r"[\x00-\x08\x0b-\x1f\x7f]", raw) == []
        assert len(raw) < 400_000


def test_markdown_keeps_it_inside_code(reports: tuple[Report, ...]) -> None:
    """No mention, no link and no HTML outside of code; a fence of the attacker's does not end ours."""
    for report in reports:
        prose = _prose(markdown(report))
        assert re.findall(r"<!channel>|<@U123>|<https?://evil|\[[^\]]*\]\(https?://evil", prose) == []


def _prose(text: str) -> str:
    """Markdown without its code: fences of any length first, then spans."""
    text = re.sub(r"^(`{3,}).*?^\1`*$", "", text, flags=re.DOTALL | re.MULTILINE)
    return re.sub(r"(`+)(?!`).*?(?<!`)\1(?!`)", "", text)


def test_slack_gets_no_command_and_no_message_beyond_its_limits(reports: tuple[Report, ...]) -> None:
    """Every message of the thread, in every profile and language, is accepted and calls nobody."""
    for report in reports:
        for profile in PROFILES:
            for lang in ("en", "zh-CN"):
                messages: list[Outgoing] = [root_final(report, profile=profile, lang=lang)]
                messages += thread(report, profile=profile, lang=lang)
                assert [found for m in messages for found in lint(m)] == []
                written = [text for m in messages for text in (m.text, *texts(m.blocks))]
                assert [t for t in written if re.search(r"<!(?!date\^\d)|<@|<https?://evil|\x1b|\u202e", t)] == []


@pytest.mark.parametrize("where", ["node", "namespace", "pod"])
def test_a_name_that_is_no_name_stays_a_name(tmp_path: Path, where: str) -> None:
    """Names are validated by a real API server; a recording may hold anything, and commands quote it."""
    evil = f"x;reboot $(id) {SHOUT}"
    stuck = {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": evil if where == "pod" else "web-1",
            "namespace": evil if where == "namespace" else "shop",
            "creationTimestamp": "-20min",
            "deletionTimestamp": "-10min",
        },
        "spec": {"nodeName": evil if where == "node" else "node-3", "containers": [{"name": "web", "image": "web"}]},
        "status": {"phase": "Running"},
    }
    (tmp_path / "kubewhy").mkdir()
    overlay = {
        "objects": {
            "Node/node-3": {"status": {"conditions": {"Ready": {"status": "Unknown", "lastTransitionTime": "-15min"}}}},
            "Lease/kube-node-lease/node-3": {"spec": {"renewTime": "-15min"}},
        },
        "add": [stuck],
    }
    (tmp_path / "kubewhy" / "overlay.yaml").write_text(json.dumps(overlay), "utf-8")
    report = run_bundle(parse("", "metrics-api", commands()), layered(open_base("kubeadm-5"), tmp_path))
    commands_ = [c for r in report.remedies for c in (*r.fix.commands, *r.fix.verify, *r.fix.undo)]
    loose = [c for c in commands_ if "reboot" in re.sub(r"'[^']*'", "", c)]
    assert [] == loose
    assert [found for m in thread(report) for found in lint(m)] == []
