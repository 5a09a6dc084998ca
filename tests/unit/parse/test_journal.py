"""journald, dmesg and klog: order, byte arrays, multi-line and escaped messages."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.parse import journal
from bot.parse.common import TimeBase, UnparsableError

NEWEST_FIRST = "\n".join(
    json.dumps(entry)
    for entry in (
        {"__REALTIME_TIMESTAMP": "1795260003000000", "MESSAGE": " >", "PRIORITY": "6"},
        {"__REALTIME_TIMESTAMP": "1795260002000000", "MESSAGE": '\t  line 17: key "failCgroupV1" already set in map'},
        {
            "__REALTIME_TIMESTAMP": "1795260001000000",
            "MESSAGE": 'I1121 11:16:56 codec.go:102] "Using lenient decoding" err=<',
        },
        {"__REALTIME_TIMESTAMP": "1795260000000000", "MESSAGE": list(b"caf\xe9 \xff started"), "_PID": "76"},
    )
)
SHORT_ISO = """2026-11-21T11:22:10+0000 node1 systemd-networkd[76]: eth1: Gained carrier
2026-11-21T11:22:09+0000 node1 systemd-networkd[76]: eth1: Link UP
"""
CENTOS_7 = """-- Logs begin at Sat 2026-11-21 19:00:00 CST. --
2026-11-21T19:22:10+0800 node1 kubelet[76]: unknown flag: --cni-bin-dir
2026-11-21T19:22:09+0800 node1 systemd[1]: Started kubelet.
"""
DMESG = "[Sat Nov 21 11:04:00 2026] INFO: task dockerd:1234 blocked for more than 120 seconds.\n"


def test_lines_come_oldest_first_and_multi_line_messages_as_one() -> None:
    """``-r`` is undone; ``err=<`` … `` >`` becomes one line; bytes that are no UTF-8 are kept readable."""
    lines = journal.journal(NEWEST_FIRST, TimeBase())
    assert [
        "caf\ufffd \ufffd started",
        'I1121 11:16:56 codec.go:102] "Using lenient decoding" err=< line 17: key "failCgroupV1" already set in map >',
    ] == [line.text for line in lines]
    assert datetime(2026, 11, 21, 11, 20, tzinfo=UTC) == lines[0].at


def test_quotes_that_klog_escaped_are_quotes_again() -> None:
    """Patterns see one form, whatever klog did inside err="…"."""
    text = json.dumps({"__REALTIME_TIMESTAMP": "1", "MESSAGE": 'err="endpoint \\"unix:///x.sock\\": refused"'})
    assert 'err="endpoint "unix:///x.sock": refused"' == journal.journal(text, TimeBase())[0].text


def test_a_line_that_the_cap_cut_off_is_left_out() -> None:
    """The oldest line of a long log may be half a line."""
    assert 2 == len(journal.journal(NEWEST_FIRST + '\n{"__REALTIME_TIMESTAMP":"17952599', TimeBase()))


def test_no_entries_is_an_empty_log() -> None:
    """It is an answer: nothing was logged."""
    assert () == journal.journal("-- No entries --\n", TimeBase())
    assert () == journal.short_iso("-- No entries --\n", TimeBase())


def test_the_text_form_keeps_the_programs_name() -> None:
    """Networkd's lines are told from others by it."""
    assert ["systemd-networkd: eth1: Link UP", "systemd-networkd: eth1: Gained carrier"] == [
        line.text for line in journal.short_iso(SHORT_ISO, TimeBase())
    ]


def test_an_old_journal_has_a_heading_and_local_times() -> None:
    """Systemd 219, east of Greenwich; a unit's log without the program's name."""
    lines = journal.unit_lines(CENTOS_7, TimeBase())
    assert ["Started kubelet.", "unknown flag: --cni-bin-dir"] == [line.text for line in lines]
    assert datetime(2026, 11, 21, 11, 22, 10, tzinfo=UTC) == lines[-1].at


def test_the_ring_buffer_is_read_in_the_nodes_zone() -> None:
    """Dmesg -T prints local time without a zone."""
    assert datetime(2026, 11, 21, 3, 4, tzinfo=UTC) == journal.dmesg(DMESG, TimeBase(0.0, "Asia/Shanghai"))[0].at


def test_a_log_file_has_no_year() -> None:
    """Old kubelets wrote to a file; in January, a line of December is of the year before."""
    now = datetime(2026, 1, 1, 0, 5, tzinfo=UTC)
    text = "I1231 23:59:00.1 1 server.go:1] a\nE0101 00:04:00.2 1 server.go:2] b\n"
    assert [datetime(2025, 12, 31, 23, 59, tzinfo=UTC), datetime(2026, 1, 1, 0, 4, tzinfo=UTC)] == [
        line.at for line in journal.klog_file(text, TimeBase(0.0, "Etc/UTC"), now)
    ]
    with pytest.raises(UnparsableError):
        journal.klog_file("tail: cannot open '/var/log/kubelet.log' for reading\n", TimeBase(), now)


@pytest.mark.parametrize(
    "text", ["journalctl: unrecognized option '--output-fields=MESSAGE'\n", '{"kind": "Status"}\n', "[1, 2]\n"]
)
def test_other_output_is_refused(text: str) -> None:
    """An error message is no empty log."""
    with pytest.raises(UnparsableError):
        journal.journal(text, TimeBase())
    with pytest.raises(UnparsableError):
        journal.short_iso("Hint: You are currently not seeing messages from other users\n", TimeBase())
