"""Limits for eviction, docker's images, deleted files, counts with complaints, metrics: as the tools print them."""

from __future__ import annotations

import pytest

from bot.model.host_resources import DeletedFile
from bot.parse import cri, resources
from bot.parse.common import UnparsableError

BLOCK = """evictionHard:
  imagefs.available: 5%
  "nodefs.available": "10Gi"   # by hand
imageGCHighThresholdPercent: 95
evictionSoft:
  memory.available: 1Gi
"""
LSOF = """COMMAND     PID   USER   FD   TYPE DEVICE   SIZE/OFF NLINK     NODE NAME
systemd-j   412   root  txt    REG  253,0     150000     0   393241 /lib/systemd/x (deleted)
java      24611   1000    7w   REG  253,0 81604378624     0   131090 /var/log/app/app.log (deleted)
java      24611   1000    8w   REG  253,0 81604378624     0   131090 /var/log/app/app.log (deleted)
tail      24700   1000    3r   REG  253,0       4096     0   131091 /tmp/a b (deleted)
"""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            BLOCK,
            {
                "evictionHard.imagefs.available": "5%",
                "evictionHard.nodefs.available": "10Gi",
                "imageGCHighThresholdPercent": "95",
                "evictionSoft.memory.available": "1Gi",
            },
        ),
        (
            'evictionHard: {imagefs.available: 15%, nodefs.available: "10%"}\n',
            {"evictionHard.imagefs.available": "15%", "evictionHard.nodefs.available": "10%"},
        ),
    ],
    ids=["block", "inline"],
)
def test_nested_settings_belong_to_the_line_above(text: str, expected: dict[str, str]) -> None:
    """Hard and soft limits name the same signals; YAML has two forms of a map."""
    found = resources.settings(text)
    assert expected == {k: v for k, v in found.items() if "." in k or k.startswith("image")}


def test_docker_counts_an_image_with_two_tags_once() -> None:
    """Sizes are decimal; an image without a tag has the name of its repository."""
    text = (
        '{"ID":"8c811b4aec35","Repository":"busybox","Size":"1.15MB","Tag":"latest"}\n'
        '{"ID":"8c811b4aec35","Repository":"example.com/b","Size":"1.15MB","Tag":"1"}\n'
        '{"ID":"aaaaaaaaaaaa","Repository":"example.com/ml","Size":"31.2GB","Tag":"<none>"}\n'
    )
    found = [(i.name, i.size, i.names) for i in resources.docker_images(text)]
    assert [
        ("example.com/ml", 31_200_000_000, ("example.com/ml",)),
        ("busybox:latest", 1_150_000, ("busybox:latest", "example.com/b:1")),
    ] == found


def test_deleted_files_are_listed_once_and_largest_first() -> None:
    """Two descriptors of one file hold its space once; a library that was replaced is no open file."""
    assert (
        DeletedFile(command="java", pid=24611, path="/var/log/app/app.log", size=81604378624),
        DeletedFile(command="tail", pid=24700, path="/tmp/a b", size=4096),
    ) == resources.deleted(LSOF)
    assert () == resources.deleted("")
    with pytest.raises(UnparsableError):
        resources.deleted("lsof: WARNING: can't stat() fuse.gvfsd-fuse file system")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("16\n", 16),
        ("find: '/proc/8004/fd/6': No such file or directory\n16\n", 16),
        ("sudo: find: command not found\n0\n", None),
        ("", None),
    ],
)
def test_processes_that_end_meanwhile_do_not_spoil_a_count(text: str, expected: int | None) -> None:
    """What a real node prints: find complains of its own descriptor."""
    assert expected == resources.counted(text)


def test_series_are_counted_by_name() -> None:
    """Comments of the metrics begin with a hash."""
    text = "   8200 reflector_items_per_list\n    120 # HELP x\n     41 go_goroutines\n"
    assert {"reflector_items_per_list": 8200, "go_goroutines": 41} == resources.series(text)
    with pytest.raises(UnparsableError):
        resources.series("")


@pytest.mark.parametrize(
    ("text", "root"),
    [
        ('{"status": {}, "config": {"containerdRootDir": "/data/containerd"}}', "/data/containerd"),
        ('{"status": {}, "config": {}}', ""),
        ('{"status": {}}', ""),
    ],
)
def test_where_containerd_keeps_everything(text: str, root: str) -> None:
    """CRI-O does not tell."""
    assert root == cri.root(text)
