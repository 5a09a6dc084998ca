"""Pinned host keys as OpenSSH writes them: names, ports, hashes, patterns, revoked keys, damaged lines."""

from __future__ import annotations

from pathlib import Path

import paramiko
import pytest

from bot.clients.host_keys import HostKeys
from bot.errors import Kind, SettingsError, SourceError

KEY, OTHER = paramiko.ECDSAKey.generate(), paramiko.ECDSAKey.generate()
WHERE = ("10.0.0.7", 22)


def line(names: str, key: paramiko.PKey = KEY) -> str:
    """A line that pins a key."""
    return f"{names} {key.get_name()} {key.get_base64()} a comment\n"


def keys(tmp_path: Path, *lines: str) -> HostKeys:
    """The keys of one file."""
    (tmp_path / "known_hosts").write_text("".join(lines))
    return HostKeys([tmp_path / "known_hosts"])


@pytest.mark.parametrize(
    ("pinned", "port", "found"),
    [
        ("10.0.0.7", 22, True),
        ("node-3,10.0.0.7", 22, True),
        ("[10.0.0.7]:2203", 2203, True),
        ("[10.0.0.7]:2203", 22, False),
        pytest.param(paramiko.HostKeys.hash_host("10.0.0.7"), 22, True, id="hash of it"),
        pytest.param(paramiko.HostKeys.hash_host("10.0.0.8"), 22, False, id="hash of another"),
        ("10.0.0.*", 22, True),
        ("10.0.0.*,!10.0.0.7", 22, False),
        ("[10.0.0.*]:2203", 2203, True),
        ("10.0.0.?7", 22, False),
    ],
)
def test_a_key_is_found_under_its_names(tmp_path: Path, pinned: str, port: int, found: bool) -> None:
    """Lists, ports, hashed names, and patterns with exceptions."""
    assert found == bool(keys(tmp_path, line(pinned)).of(("10.0.0.7",), port))


def test_the_first_name_with_a_key_decides(tmp_path: Path) -> None:
    """A key under the node's name goes before one under its address."""
    known = keys(tmp_path, line("node-3", OTHER), line("10.0.0.7"))
    assert [OTHER] == list(known.of(("node-3", "10.0.0.7"), 22).values())


def test_damaged_lines_pin_nothing_and_harm_no_other(tmp_path: Path) -> None:
    """Half a line, a key that is none, an unknown kind, bytes that are no text."""
    damaged = (
        "10.0.0.7\n",
        "10.0.0.7 ssh-rsa AAAA%%%\n",
        "10.0.0.7 ssh-new AAAA\n",
        "10.0.0.7 ssh-ed25519 QUFB\n",
        "\x00\n",
    )
    known = keys(tmp_path, *damaged, line("10.0.0.8"))
    assert ({}, [KEY]) == (known.of(("10.0.0.7",), 22), list(known.of(("10.0.0.8",), 22).values()))


def test_a_revoked_key_is_refused_although_it_is_pinned(tmp_path: Path) -> None:
    """``@revoked`` goes before everything (sshd(8))."""
    known = keys(tmp_path, line("10.0.0.7"), "@revoked " + line("*"))
    with pytest.raises(SourceError) as caught:
        known.compare(KEY, known.of(("10.0.0.7",), 22), WHERE, "SSH to node-3")
    assert (Kind.HOST_KEY_CHANGED, True) == (caught.value.kind, "revoked" in str(caught.value))


def test_an_authority_pins_nothing_and_the_error_says_so(tmp_path: Path) -> None:
    """A host certificate cannot be checked: the key itself has to be pinned."""
    known = keys(tmp_path, "@cert-authority " + line("*"))
    with pytest.raises(SourceError) as caught:
        known.compare(KEY, known.of(("10.0.0.7",), 22), WHERE, "SSH to node-3")
    assert (Kind.HOST_KEY_UNKNOWN, True) == (caught.value.kind, "@cert-authority" in caught.value.hint)


def test_only_a_pinned_key_passes(tmp_path: Path) -> None:
    """Another key under the same name is a change."""
    known = keys(tmp_path, line("10.0.0.7"))
    pinned = known.of(("10.0.0.7",), 22)
    known.compare(KEY, pinned, WHERE, "SSH to node-3")
    with pytest.raises(SourceError) as caught:
        known.compare(OTHER, pinned, WHERE, "SSH to node-3")
    assert Kind.HOST_KEY_CHANGED == caught.value.kind


def test_a_file_that_cannot_be_read_is_a_settings_error(tmp_path: Path) -> None:
    """It names the file."""
    with pytest.raises(SettingsError, match="nowhere"):
        HostKeys([tmp_path / "nowhere"])
