"""Where a node is reached, from the settings, OpenSSH's configuration and the node object, in this order."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bot.bundle.recorded import sources
from bot.bundle.recording import Bundle
from bot.clients.live import target
from bot.clients.openssh import OpenSshConfig
from bot.clients.ssh_connect import Target
from bot.config import Cluster
from bot.errors import Kind, SettingsError, SourceError
from bot.source import Kube

TEXT = """
Host node-3
  HostName 192.0.2.7
  Port 2203
  User ops
  IdentityFile {home}/worker
  IdentityFile {home}/nowhere
  HostKeyAlias worker-3
  ProxyJump first,admin@second:2222
Host second
  HostName 192.0.2.2
  User nobody
  IdentityFile {home}/bastion
Host first
  ProxyJump outer
Host outer
  HostName 2001:db8::1
Host odd
  ProxyCommand nc %h %p
Host plain
  ProxyJump none
"""


@pytest.fixture
def openssh(tmp_path: Path) -> OpenSshConfig:
    """A configuration with two keys that exist."""
    for name in ("worker", "bastion"):
        (tmp_path / name).write_text("key")
    (tmp_path / "config").write_text(TEXT.format(home=tmp_path))
    return OpenSshConfig(tmp_path / "config", required=True)


@pytest.fixture
def kube() -> Kube:
    """A cluster with a node that has an InternalIP."""
    address = {"type": "InternalIP", "address": "10.0.0.9"}
    nodes = [{"metadata": {"name": name}, "status": {"addresses": [address]}} for name in ("plain", "node-3")]
    listed = json.dumps({"kind": "NodeList", "apiVersion": "v1", "items": nodes}).encode()
    files = {"cluster-resources/nodes.json": listed, "kubewhy/recorded-at": b"2026-11-20T10:00:00Z\n"}
    return sources(Bundle("test", files)).kube


def of(node: str, openssh: OpenSshConfig, kube: Kube, **settings: object) -> Target:
    """The target of a node with these settings."""
    cluster = Cluster.model_validate({"ssh": {"user": "", **settings.pop("ssh", {})}, **settings})  # type: ignore[dict-item]
    assert cluster.ssh is not None
    return target(node, cluster, cluster.ssh, openssh, kube)


def test_everything_that_the_configuration_says_counts(openssh: OpenSshConfig, kube: Kube, tmp_path: Path) -> None:
    """Name, port, user, the keys that exist, the alias of the host key, and each hop by its own entry."""
    outer = Target(host="2001:db8::1", port=22, user="admin", names=("outer",))
    first = Target(host="first", port=22, user="admin", names=("first",), jump=outer)
    second = Target(
        host="192.0.2.2", port=2222, user="admin", names=("second",), keys=(tmp_path / "bastion",), jump=first
    )
    expected = Target(
        host="192.0.2.7", port=2203, user="ops", names=("worker-3",), keys=(tmp_path / "worker",), jump=second
    )
    assert expected == of("node-3", openssh, kube)


def test_settings_go_before_the_configuration(openssh: OpenSshConfig, kube: Kube) -> None:
    """Also the key: one that was named in the settings is the only one."""
    found = of(
        "node-3",
        openssh,
        kube,
        ssh={"user": "kubewhy", "jump": "[2001:db8::2]:23", "key": "/k"},
        nodes={"node-3": {"address": "192.0.2.99", "port": 24, "user": "root"}},
    )
    hop = Target(host="2001:db8::2", port=23, user="root", names=("2001:db8::2",))
    assert Target(host="192.0.2.99", port=24, user="root", names=("worker-3",), jump=hop) == found


def test_without_an_entry_the_node_object_tells_the_address(openssh: OpenSshConfig, kube: Kube) -> None:
    """``ProxyJump none`` is no jump host."""
    found = of("plain", openssh, kube, ssh={"user": "kubewhy"})
    assert Target(host="10.0.0.9", port=22, user="kubewhy", names=("plain",)) == found


def test_a_proxy_command_is_not_run_and_said(openssh: OpenSshConfig, kube: Kube) -> None:
    """Going there directly would only time out."""
    with pytest.raises(SourceError) as caught:
        of("odd", openssh, kube)
    assert (Kind.UNREACHABLE, True) == (caught.value.kind, "ProxyJump" in caught.value.hint)


@pytest.mark.parametrize("jump", ["a b", "host:port", "user@", "a,,b", "host;id", "x@y@z:22:22"])
def test_a_jump_host_that_is_none_is_a_settings_error(openssh: OpenSshConfig, kube: Kube, jump: str) -> None:
    """It is quoted."""
    with pytest.raises(SettingsError, match="jump host"):
        of("plain", openssh, kube, ssh={"jump": jump})


def test_hops_that_lead_in_a_circle_end(tmp_path: Path, kube: Kube) -> None:
    """As ssh would for ever."""
    (tmp_path / "config").write_text("Host a\n ProxyJump b\nHost b\n ProxyJump a\n")
    with pytest.raises(SettingsError, match="hosts"):
        of("plain", OpenSshConfig(tmp_path / "config", required=True), kube, ssh={"jump": "a"})


@pytest.mark.parametrize("text", ["Host\n Port\n", "Host *\n Port many\n", "\x00 = \n Match exec id\n", 'Host "a\n'])
def test_a_configuration_that_cannot_be_understood_names_itself(tmp_path: Path, kube: Kube, text: str) -> None:
    """Never a traceback."""
    (tmp_path / "config").write_text(text)
    with pytest.raises(SettingsError, match="config"):
        of("plain", OpenSshConfig(tmp_path / "config", required=True), kube)
