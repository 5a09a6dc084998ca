"""stat, ls, df and mount tables."""

# ruff: noqa: E501 - captured output stands as it was printed

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.model.host import Presence
from bot.parse import files
from bot.parse.common import TimeBase, UnparsableError

STAT_9 = """/var/lib/kubelet/config.yaml|661|1795259039|root|644
stat: cannot statx '/var/lib/kubelet/kubeadm-flags.env': No such file or directory
stat: cannot statx '/etc/kubernetes/kubelet.conf': Permission denied
/etc/kubernetes/:
total 16
drwxr-xr-x  3 root root 4096 2026-11-21 11:03:59.987458872 +0000 .
-rw-------  1 root root  362 2026-11-21 11:03:59.991753099 +0000 kubelet.conf

/var/lib/kubelet/:
total 60
drwxr-xr-x 9 root root 4096 2026-11-21 11:20:12.283493644 +0000 .
-rw-r--r-- 1 root root  661 2026-11-21 11:03:59.994878132 +0000 config.yaml
lrwxrwxrwx 1 root root   59 2026-11-21 11:03:59.000000000 +0000 current -> /var/lib/kubelet/pki/x.pem
"""
STAT_CENTOS = "stat: cannot stat ‘/var/lib/kubelet/config.yaml’: No such file or directory\n"
LS_CENTOS = """/etc/kubernetes/:
total 4
drwxr-xr-x.  3 root root   58 2026-11-21 19:03:59.987458872 +0800 .
-rw-r--r--.  1 root root  100 2026-11-21 19:03:59.991753099 +0800 a name.conf
"""
DF = """Filesystem     Type         1-blocks        Used   Available Capacity Mounted on
/dev/vda       ext4     270553174016 38247583744 59545710592      40% /
devtmpfs       devtmpfs  12630487040           0 12630487040       0% /dev
Filesystem       Inodes  IUsed    IFree IUse% Mounted on
/dev/vda       16777216 794663 15982553    5% /
"""
DF_BTRFS = """Filesystem Type 1-blocks Used Available Capacity Mounted on
/dev/sdb btrfs 100 90 10 90% /var/lib/with space
Filesystem Inodes IUsed IFree IUse% Mounted on
/dev/sdb 0 0 0 - /var/lib/with space
"""


def test_a_missing_file_is_absent_and_a_forbidden_one_unknown() -> None:
    """May not be looked at is not the same as not there."""
    found = files.stats(STAT_9, TimeBase())
    assert [Presence.PRESENT, Presence.ABSENT, Presence.UNKNOWN] == [f.presence for f in found.values()]
    assert 661 == found["/var/lib/kubelet/config.yaml"].size


def test_an_older_stat_quotes_with_other_marks() -> None:
    """Coreutils 8.22 in CentOS 7."""
    assert files.stats(STAT_CENTOS, TimeBase())["/var/lib/kubelet/config.yaml"].unusable


def test_directories_are_listed_by_name() -> None:
    """Times with their own zone; links with their target."""
    found = files.listings(STAT_9, TimeBase())
    assert ["/etc/kubernetes", "/var/lib/kubelet"] == list(found)
    assert datetime(2026, 11, 21, 11, 20, 12, tzinfo=UTC) == found["/var/lib/kubelet"][0].modified
    assert "/var/lib/kubelet/pki/x.pem" == found["/var/lib/kubelet"][2].target


def test_selinux_dots_and_names_with_spaces_are_read() -> None:
    """``drwxr-xr-x.`` of CentOS."""
    entries = files.listings(LS_CENTOS, TimeBase())["/etc/kubernetes"]
    assert [".", "a name.conf"] == [e.name for e in entries]
    assert datetime(2026, 11, 21, 11, 3, 59, tzinfo=UTC) == entries[0].modified


def test_what_ls_could_not_show_is_absent_or_unknown() -> None:
    """Only "No such file" says that it is not there."""
    text = "ls: cannot access '/opt/cni/bin': No such file or directory\nls: cannot open directory '/x/': Permission denied\n"
    assert {"/opt/cni/bin": True, "/x": False} == files.absences(text)


def test_sizes_and_inodes_meet() -> None:
    """Df -PT and df -Pi of one filesystem; what has no disk is left out."""
    (root,) = files.filesystems(DF)
    assert ("/", 39, 794663) == (root.mount, int(root.percent), root.inodes_used)


def test_filesystems_without_fixed_inodes_have_none() -> None:
    """Btrfs reports 0 and ``-``; that is never "full"."""
    (found,) = files.filesystems(DF_BTRFS)
    assert ("/var/lib/with space", 90.0, 0) == (found.mount, found.percent, found.inodes)


def test_findmnt_and_proc_mounts_say_the_same() -> None:
    """The columns stand in another order."""
    by_findmnt = files.mounts("/ /dev/vda ext4 rw,relatime\n")
    assert by_findmnt == files.mounts("/dev/vda / ext4 rw,relatime 0 0\n")


@pytest.mark.parametrize("parse", [lambda t: files.stats(t, TimeBase()), files.filesystems, files.mounts])
def test_other_output_is_refused(parse: object) -> None:
    """Garbage is an error."""
    assert callable(parse)
    with pytest.raises(UnparsableError):
        parse("sh: 1: df: not found\n")
