"""Memory, tasks, cgroups, inotify, drivers, images and ``du``, as several systems print them."""

# ruff: noqa: E501 - captured output stands as it was printed

from __future__ import annotations

from collections.abc import Callable

import pytest

from bot.model.quantity import quantity
from bot.parse import resources
from bot.parse.common import UnparsableError

MEM_6_1 = """MemTotal:        8131892 kB
MemFree:          512344 kB
MemAvailable:    6021332 kB
/proc/pressure/cpu:some avg10=1.20 avg60=3.45 avg300=2.00 total=7162065
/proc/pressure/cpu:full avg10=0.00 avg60=0.00 avg300=0.00 total=0
/proc/pressure/memory:some avg10=41.00 avg60=38.12 avg300=12.00 total=926352
/proc/pressure/memory:full avg10=30.00 avg60=29.00 avg300=9.00 total=583209
"""
MEM_3_10 = "MemTotal:       32865424 kB\nMemFree:        13474823 kB\nCached:  1 kB\ngrep: /proc/pressure/*: No such file or directory\n"
PID = "4194304\n63447\n188\n2/614\n"
CGROUP_V2 = """cgroup2fs
#subsys_name	hierarchy	num_cgroups	enabled
cpu	0	141	1
memory	0	139	1
pids	0	141	1
137
4
1
"""
CGROUP_V1 = (
    "tmpfs\n#subsys_name\thierarchy\tnum_cgroups\tenabled\ncpuset\t2\t312\t1\nmemory\t6\t64891\t1\n64120\n5312\n5290\n"
)
CGROUP_6_12 = "cgroup2fs\n#subsys_name\thierarchy\tnum_cgroups\tenabled\nhugetlb\t0\t141\t1\n137\n4\n1\n"
IMAGES = '{"images":[{"id":"sha256:aa","repoTags":["registry.k8s.io/pause:3.10"],"repoDigests":["registry.k8s.io/pause@sha256:ee"],"size":"320368","uid":null,"username":"","spec":null,"pinned":true},{"id":"sha256:bb","repoTags":[],"repoDigests":["example.com/ml@sha256:cc"],"size":"31000000000","username":""},{"id":"sha256:dd","repoTags":[],"repoDigests":[],"size":"5"}]}'
IMAGES_1_13 = '{\n  "images": [\n    {\n      "id": "sha256:ff",\n      "repoTags": [\n        "k8s.gcr.io/pause:3.1"\n      ],\n      "repoDigests": [],\n      "size": "742472",\n      "uid": null,\n      "username": ""\n    }\n  ]\n}\n'
DU = "81000000000\t/var/log\n80500000000\t/var/log/pods\n4096\t/tmp\ndu: cannot access '/var/lib/docker': No such file or directory\n"


def test_memory_and_pressure() -> None:
    """KB become bytes, ``some avg60`` percent; an old kernel measures neither what is available nor pressure."""
    assert (8131892 * 1024, 6021332 * 1024, {"cpu": 3.45, "memory": 38.12}) == resources.memory(MEM_6_1)
    assert (32865424 * 1024, None, {}) == resources.memory(MEM_3_10)


def test_tasks() -> None:
    """The last number of loadavg's fourth field is the number of threads."""
    assert (4194304, 63447, 188, 614) == resources.tasks(PID)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (CGROUP_V2, (True, 139, 4, 1)),
        (CGROUP_V1, (False, 64891, 5312, 5290)),
        (CGROUP_6_12, (True, 137, 4, 1)),
    ],
)
def test_cgroups_of_both_versions(text: str, expected: tuple[bool, int, int, int]) -> None:
    """The kernel's own count comes first: it holds removed cgroups, too; where it has none, folders count."""
    assert expected == resources.cgroups(text)


WRITTEN = """  "stats":  [
    {
--
        "usedBytes":  {
          "value":  "53248"
--
        "usedBytes": {
          "value": "1000"
"""  # crictl 1.36 and 1.27, the lines that grep leaves


def test_what_containers_wrote_is_added_up() -> None:
    """Nothing at all was written where there are no containers; an answer that breaks off is none."""
    assert 54248 == resources.written(WRITTEN)
    assert 0 == resources.written('  "stats": []\n')
    for other in ("", "FATA[0000] validate service connection", WRITTEN[:-20], WRITTEN.replace("stats", "status")):
        with pytest.raises(UnparsableError):
            resources.written(other)


@pytest.mark.parametrize(
    "complaint",
    [
        "Failed to list units: Connection timed out",
        "System has not been booted with systemd as init system (PID 1). Can't operate.",
    ],
)
def test_scopes_that_systemd_did_not_list_are_not_counted(complaint: str) -> None:
    """The 0 of ``wc`` behind a complaint is no number."""
    with pytest.raises(UnparsableError):
        resources.cgroups(f"{complaint}\n".join(("tmpfs\nmemory\t6\t64891\t1\n64120\n", "0\n", "0\n")))


def test_inotify_limits() -> None:
    """Watches, then instances."""
    assert (524288, 8192) == resources.limits("524288\n8192\n")


def test_settings_that_grep_found() -> None:
    """Comments and quotes are no part of a name; no hit leaves all defaults."""
    text = "cgroupDriver: systemd\ncgroupsPerQOS: false  # by hand\nenforceNodeAllocatable:\n"
    expected = {"cgroupDriver": "systemd", "cgroupsPerQOS": "false", "enforceNodeAllocatable": ""}
    assert expected == resources.settings(text)
    assert {} == resources.settings("")


@pytest.mark.parametrize(
    "text",
    ["grep: /var/lib/kubelet/config.yaml: No such file or directory", "grep: config.yaml: Permission denied"],
)
def test_a_file_that_cannot_be_read_has_no_settings(text: str) -> None:
    """Unknown is not the default."""
    with pytest.raises(UnparsableError):
        resources.settings(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("/etc/containerd/config.toml:139:            SystemdCgroup = true\n", "systemd"),
        (
            "/etc/containerd/config.toml:9:  systemd_cgroup = false\n/etc/containerd/config.toml:99: SystemdCgroup = true\n",
            "",
        ),
        ("/etc/containerd/config.toml:139: SystemdCgroup = false\n", "cgroupfs"),
        ("/etc/containerd/config.toml:5:disabled_plugins = []\n", ""),
        ("grep: /etc/containerd/config.toml: No such file or directory\n", ""),
    ],
)
def test_the_runtimes_driver(text: str, expected: str) -> None:
    """Two answers that differ, or none, are no answer."""
    assert expected == resources.driver(text)


def test_dockers_driver() -> None:
    """A daemon that does not answer has no driver."""
    assert "cgroupfs" == resources.docker_driver('{"ServerVersion":"1.13.1","CgroupDriver":"cgroupfs"}\n')
    assert "" == resources.docker_driver('{"ServerErrors":["Cannot connect to the Docker daemon"]}\n')


def test_images_largest_first() -> None:
    """An image without a tag has the name of its digest, one without either none."""
    found = resources.images(IMAGES)
    assert ["example.com/ml@sha256:cc", "registry.k8s.io/pause:3.10", "<none>"] == [i.name for i in found]
    assert [31_000_000_000, 320368, 5] == [i.size for i in found]
    assert ["k8s.gcr.io/pause:3.1"] == [i.name for i in resources.images(IMAGES_1_13)]


def test_folders_in_the_order_of_du() -> None:
    """Complaints of du are passed over."""
    assert [("/var/log", 81_000_000_000), ("/var/log/pods", 80_500_000_000), ("/tmp", 4096)] == list(
        resources.folders(DU).items()
    )


@pytest.mark.parametrize(
    "parse",
    [
        resources.memory,
        resources.tasks,
        resources.cgroups,
        resources.limits,
        resources.docker_driver,
        resources.images,
        resources.folders,
    ],
)
@pytest.mark.parametrize("text", ["", "sudo: crictl: command not found\n", '{"message":"nothing"}\n[1]\n'])
def test_other_output_is_refused(parse: Callable[[str], object], text: str) -> None:
    """Garbage is an error, never zero; docker's answer without a driver is an empty one."""
    if parse is resources.docker_driver and text.startswith("{"):
        assert "" == parse(text)
        return
    with pytest.raises(UnparsableError):
        parse(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("8", 8.0),
        ("7800m", 7.8),
        ("32865424Ki", 32865424.0 * 1024),
        ("1G", 1e9),
        ("1e3", 1000.0),
        ("2Ei", 2.0 * 1024**6),
        ("3k", 3000.0),
        ("", None),
        ("8 cores", None),
    ],
)
def test_quantities(text: str, expected: float | None) -> None:
    """Decimal and binary suffixes, exponents; anything else is no quantity."""
    assert expected == (None if (found := quantity(text)) is None else pytest.approx(found))
