"""The command line as a person meets it: exit codes, errors with the nearest match, one JSON object, stored runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.bundle.base import base_path
from bot.cli import run
from bot.playground.demos import IDS, demo
from bot.playground.run import start

HEALTHY = str(base_path("ha"))


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A state directory of its own, and no settings of the person who runs the tests."""
    monkeypatch.setenv("KUBEWHY_STATE", str(tmp_path / "state"))
    monkeypatch.delenv("KUBEWHY_CONFIG", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_healthy_cluster_is_ok_and_exit_code_0(capsys: pytest.CaptureFixture[str]) -> None:
    """The verdict comes first."""
    assert 0 == run(["metrics-api", "--bundle", HEALTHY])
    assert capsys.readouterr().out.startswith("OK  Metrics API check")


def test_json_is_one_object_on_stdout_and_progress_is_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    """Others parse it."""
    assert 0 == run(["node-why", "node-2", "--bundle", HEALTHY, "-o", "json"])
    printed = capsys.readouterr()
    assert "kubewhy/report/v1" == json.loads(printed.out)["schema"]
    assert "readings" in printed.err


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [
        (["node-wy", "node-2"], "node-why"),
        (["node-why", "node-9", "--bundle", HEALTHY], "node-2"),
        (["metrics-api", "v1beta1.metricz.k8s.io", "--bundle", HEALTHY], "v1beta1.metrics.k8s.io"),
        (["metrics-api", "--lang", "fr", "--bundle", HEALTHY], "en"),
        (["demo", "W9"], "W"),
        (["explain", "NODE-4"], "NODE-04"),
    ],
)
def test_a_wrong_word_is_exit_code_64_with_the_nearest_match(
    arguments: list[str], nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing is run, and the person sees what was probably meant."""
    assert 64 == run(arguments)
    assert nearest in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments", [["metrics-api", "--bundle", "/nowhere"], ["metrics-api", "--config", "/nowhere"]]
)
def test_a_file_that_is_not_there_is_named(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Not a stack trace."""
    assert 64 == run(arguments)
    assert "/nowhere" in capsys.readouterr().err


def test_an_unreachable_cluster_is_could_not_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 4, never an all-clear."""
    config = tmp_path / "kubeconfig"
    config.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: x\nusers: [{name: u, user: {token: t}}]\n"
        "clusters: [{name: c, cluster: {server: 'https://127.0.0.1:1'}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\n"
    )
    settings = tmp_path / "kubewhy.yaml"
    settings.write_text(f"clusters: {{here: {{kubeconfig: {config}}}}}\n")
    assert 4 == run(["metrics-api", "--config", str(settings)])
    assert "COULD NOT CHECK" in capsys.readouterr().out


def test_a_stored_run_is_shown_again_whole_and_in_parts(capsys: pytest.CaptureFixture[str]) -> None:
    """What the report prints as its last line works."""
    run(["metrics-api", "--bundle", HEALTHY, "-o", "json"])
    report = json.loads(capsys.readouterr().out)
    assert 0 == run(["show", report["run"], "-o", "json"])
    assert report == json.loads(capsys.readouterr().out)
    assert 0 == run(["show", report["run"], "E1"])
    assert report["evidence"][0]["what"] in capsys.readouterr().out
    assert 64 == run(["show", report["run"], "E99"])
    assert 64 == run(["show", "metrics-0000000000"])


def test_the_plan_names_what_would_be_read_and_reads_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """For those who must say yes first."""
    assert 0 == run(["node-why", "node-2", "--plan"])
    plan = capsys.readouterr().out
    assert "systemctl show kubelet" in plan
    assert "list nodes" in plan
    assert "secrets" not in plan


def test_the_incidents_are_listed_with_their_expected_roots(capsys: pytest.CaptureFixture[str]) -> None:
    """The contract's form."""
    assert 0 == run(["demo", "--list", "-o", "json"])
    listed = {entry["id"]: entry["expected_roots"] for entry in json.loads(capsys.readouterr().out)}
    assert list(IDS) == list(listed)
    assert ["NODE-04", "CTRL-09"] == listed["W1"]
    assert [] == listed["healthy"]


def test_a_folder_of_a_scenario_is_a_demo_too(capsys: pytest.CaptureFixture[str]) -> None:
    """Whoever writes one sees what it says."""
    folder = Path(__file__).parents[2] / "scenarios" / "NODE-29-kernel-fault-that-nobody-reports"
    assert 0 == run(["demo", str(folder), "-o", "json"])
    assert ["NODE-29"] == [f["code"] for f in json.loads(capsys.readouterr().out)["findings"]]


def test_doctor_says_what_works_and_what_does_not(capsys: pytest.CaptureFixture[str]) -> None:
    """Against a recorded cluster over the real protocols."""
    chosen = demo("W1-modern")
    with start(chosen.bundle(), "play") as running:
        assert 0 == run(["doctor", "--config", str(running.config)])
    said = capsys.readouterr().out
    assert "ok      play: API: v1.34" in said
    assert "ok      play: SSH to master-1: logged in, with root rights" in said
