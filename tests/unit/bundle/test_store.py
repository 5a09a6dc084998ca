"""Opening a recorded cluster: directories, archives, layers, and what hostile archives are refused for."""

import io
import json
import tarfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.bundle import files
from bot.bundle.recording import Bundle
from bot.bundle.store import layered, open_base, open_bundle
from bot.errors import BundleError

AT = "2026-11-21T04:00:00Z"


def pack(path: Path, members: dict[str, Any], *, mode: str = "w:gz") -> Path:
    """An archive whose members are content, or a TarInfo set up by a function."""
    with tarfile.open(path, mode) as tar:  # type: ignore[call-overload]
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            if callable(content):
                content(info)
                tar.addfile(info)
            else:
                info.size = len(content)
                tar.addfile(info, io.BytesIO(content))
    return path


def link(target: str, kind: bytes = tarfile.SYMTYPE) -> Any:
    """A member that is a link."""

    def setup(info: tarfile.TarInfo) -> None:
        info.type, info.linkname = kind, target

    return setup


@pytest.mark.parametrize("top", ["", "support-bundle-2026-11-21/"])
@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_an_archive_reads_as_its_directory_does(tmp_path: Path, top: str, mode: str) -> None:
    """With or without one top folder, packed or not."""
    members = {f"{top}kubewhy/recorded-at": AT.encode(), f"{top}cluster-resources/nodes.json": b'{"items": []}'}
    bundle = open_bundle(pack(tmp_path / "b.tar.gz", members, mode=mode))
    assert ["cluster-resources/nodes.json", "kubewhy/recorded-at"] == list(bundle.names())
    assert {"items": []} == bundle.json("cluster-resources/nodes.json")
    assert datetime(2026, 11, 21, 4, tzinfo=UTC) == bundle.recorded_at


@pytest.mark.parametrize(
    "members",
    [
        {"../evil": b"x"},
        {"a/../../evil": b"x"},
        {"/etc/evil": b"x"},
        {"kubewhy/x": link("/etc/passwd")},
        {"kubewhy/x": link("../../etc/passwd")},
        {"kubewhy/x": link("../etc/passwd", tarfile.LNKTYPE)},
        {"kubewhy/dev": lambda info: setattr(info, "type", tarfile.CHRTYPE)},
        {"kubewhy/fifo": lambda info: setattr(info, "type", tarfile.FIFOTYPE)},
        {"a": link("b"), "b": link("a")},
    ],
)
def test_a_hostile_archive_is_refused(tmp_path: Path, members: dict[str, Any]) -> None:
    """Paths and links that leave the bundle, devices, and circles of links."""
    with pytest.raises(BundleError, match=r"b\.tar\.gz"):
        open_bundle(pack(tmp_path / "b.tar.gz", members))


def test_a_link_inside_an_archive_is_followed(tmp_path: Path) -> None:
    """Support bundles link the logs of pods to where their collector put them."""
    members = {
        "cluster-resources/pods/logs/a/b/c.log": link("../../../../../logs/b.log"),
        "logs/b.log": b"hello",
        "cluster-resources/gone.json": link("nowhere.json"),
    }
    bundle = open_bundle(pack(tmp_path / "b.tar.gz", members))
    assert bundle.text("cluster-resources/pods/logs/a/b/c.log") == "hello"
    assert bundle.read("cluster-resources/gone.json") is None


def test_an_archive_that_unpacks_without_end_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A small archive of a large file, one large file, and too many files."""
    path = pack(tmp_path / "b.tar.gz", {"kubewhy/zeros": bytes(1_000_000)})
    monkeypatch.setattr(files, "MAX_TOTAL", 100_000)
    with pytest.raises(BundleError, match="unpacks to more than"):
        open_bundle(path)
    monkeypatch.setattr(files, "MAX_TOTAL", 10_000_000)
    monkeypatch.setattr(files, "MAX_FILE", 1000)
    with pytest.raises(BundleError, match="larger than"):
        open_bundle(path)
    many = pack(tmp_path / "many.tar.gz", {f"f{i}": b"" for i in range(20)})
    monkeypatch.setattr(files, "MAX_FILES", 10)
    with pytest.raises(BundleError, match="more than 10 files"):
        open_bundle(many)


@pytest.mark.parametrize("content", [b"", b"no archive at all", b"\x1f\x8bbroken"])
def test_what_is_no_archive_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    """A file that is something else, and a path where nothing is."""
    path = tmp_path / "b.tar.gz"
    path.write_bytes(content)
    with pytest.raises(BundleError, match=r"no readable \.tar\.gz"):
        open_bundle(path)
    with pytest.raises(BundleError, match="no such bundle"):
        open_bundle(tmp_path / "nothing")


def test_a_directory_with_a_link_that_leaves_it_is_refused(tmp_path: Path) -> None:
    """A bundle that somebody else packed must not read files of this machine."""
    (tmp_path / "kubewhy").mkdir()
    (tmp_path / "kubewhy" / "recorded-at").symlink_to("/etc/passwd")
    with pytest.raises(BundleError, match="leads out of the bundle"):
        open_bundle(tmp_path)


def test_the_clock_falls_back_to_the_newest_thing_that_had_happened(tmp_path: Path) -> None:
    """A support bundle has no recorded-at; times to come (certificates) do not count."""
    (tmp_path / "cluster-resources").mkdir()
    node = {
        "status": {"conditions": [{"lastHeartbeatTime": "2026-11-20T10:00:00Z"}]},
        "notAfter": "2030-01-01T00:00:00Z",
    }
    (tmp_path / "cluster-resources" / "nodes.json").write_text(json.dumps({"items": [node]}))
    assert datetime(2026, 11, 20, 10, tzinfo=UTC) == open_bundle(tmp_path).recorded_at
    with pytest.raises(BundleError, match="nothing recorded tells the time"):
        _ = Bundle("empty", {}).recorded_at


def test_broken_files_are_named(make: Any) -> None:
    """JSON that is none, and a clock that is none."""
    bundle = make({"cluster-resources/nodes.json": "{", "kubewhy/recorded-at": "yesterday"})
    with pytest.raises(BundleError, match=r"cluster-resources/nodes\.json is no JSON"):
        bundle.json("cluster-resources/nodes.json")
    with pytest.raises(BundleError, match=r"recorded-at: 'yesterday'"):
        _ = bundle.recorded_at
    assert bundle.json("cluster-resources/none.json") is None


def test_a_layer_replaces_files_and_the_way_a_node_answers(make: Any, tmp_path: Path) -> None:
    """The same path wins; a node that became unreachable has no commands any more, and the other way round."""
    base = make(
        {"a.json": [1], "b.json": [2], "kubewhy/nodes/n1/commands.json": [], "kubewhy/nodes/n2/unreachable": "refused"}
    )
    over = tmp_path / "over"
    for name, text in {
        "a.json": "[3]",
        "kubewhy/nodes/n1/unreachable": "timeout",
        "kubewhy/nodes/n2/commands.json": "[]",
    }.items():
        (over / name).parent.mkdir(parents=True, exist_ok=True)
        (over / name).write_text(text)
    bundle = layered(base, over)
    assert ([3], [2]) == (bundle.json("a.json"), bundle.json("b.json"))
    assert bundle.read("kubewhy/nodes/n1/commands.json") is None
    assert bundle.read("kubewhy/nodes/n2/unreachable") is None
    assert ("n1", "n2") == bundle.nodes()


def test_a_bundle_may_extend_a_shipped_base_and_no_other_path(make: Any) -> None:
    """``kubewhy/extends`` is a name, never a path."""
    bundle = make({"kubewhy/extends": "kubeadm-5\n", "kubewhy/nodes/extra/unreachable": "refused"})
    assert set(bundle.nodes()) == {*open_base("kubeadm-5").nodes(), "extra"}
    with pytest.raises(BundleError, match=r"there is no base '\.\./\.\./etc'"):
        make({"kubewhy/extends": "../../etc"}, name="evil")
