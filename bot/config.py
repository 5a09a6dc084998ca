"""Settings: ``kubewhy.yaml`` and the environment, validated once, with errors that name the key.

The environment wins over the file. Every field's description becomes docs/settings.md and .env.example.
"""

from __future__ import annotations

import os
from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.errors import SettingsError

Port = Annotated[int, Field(ge=1, le=65535)]


class Part(BaseModel):
    """A section of the file: unknown keys are errors, so that a typo is not silence."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Ssh(Part):
    """How nodes are reached."""

    user: str = Field(
        default="", description="login user on the nodes; empty: the OpenSSH client configuration decides"
    )
    key: Path | None = Field(default=None, description="private key file; a certificate lies beside it as KEY-cert.pub")
    known_hosts: Path | None = Field(default=None, description="pinned host keys; an unknown key is an error")
    config: Path | None = Field(default=None, description="OpenSSH client configuration (default: ~/.ssh/config)")
    agent: bool = Field(default=False, description="use the OpenSSH agent")
    port: Port = Field(default=22, description="SSH port")
    address: Literal["InternalIP", "ExternalIP", "Hostname"] = Field(
        default="InternalIP", description="which address of the node to use"
    )
    jump: str = Field(default="", description="jump hosts as [user@]host[:port], the first one first")
    collector: bool = Field(
        default=False, description="the root-owned collector kubewhy-collect is installed on the nodes"
    )


class NodeException(Part):
    """A node that is reached differently."""

    address: str = Field(default="", description="address instead of the node object's")
    port: Port | None = Field(default=None, description="SSH port of this node")
    user: str = Field(default="", description="login user on this node")


class Expect(Part):
    """What the operator says is normal; an absent expectation lowers confidence, it never makes a finding."""

    answers: dict[str, list[str]] = Field(default_factory=dict, description="DNS name: CIDRs that are right for it")
    peers: dict[str, list[str]] = Field(default_factory=dict, description="workload: host:port it is meant to talk to")
    metrics: bool | None = Field(default=None, description="whether a metrics API is expected")


class Ignore(Part):
    """A row that is accepted here."""

    row: str = Field(description="row code, or CODE@Kind/name")
    reason: str = Field(description="why")
    until: date | None = Field(default=None, description="last day on which it is ignored")


class Cluster(Part):
    """One cluster."""

    kubeconfig: Path | Literal["in-cluster"] | None = Field(default=None, description="kubeconfig file, or in-cluster")
    context: str = Field(default="", description="context of the kubeconfig")
    ssh: Ssh | None = Field(default=None, description="how nodes are reached; without it nodes are not looked into")
    nodes: dict[str, NodeException] = Field(default_factory=dict, description="exceptions by node name")
    control_plane_hosts: list[str] = Field(default_factory=list, description="hosts for the day when the API is silent")
    expect: Expect = Field(default_factory=Expect, description="what is normal here")
    ignore: list[Ignore] = Field(default_factory=list, description="rows that are accepted here")
    thresholds: dict[str, dict[str, float]] = Field(default_factory=dict, description="row: name: number")
    reach: dict[str, str] = Field(default_factory=dict, description="address:port → address:port for every client")


class Channel(Part):
    """Defaults of one Slack channel."""

    cluster: str = Field(default="", description="cluster that commands in this channel ask")
    lang: Literal["", "en", "zh-CN"] = Field(default="", description="language of the threads in this channel")


class Slack(Part):
    """The Slack app."""

    bot_token: str = Field(default="", repr=False, description="xoxb-… of the installed app")
    app_token: str = Field(default="", repr=False, description="xapp-… with connections:write, for Socket Mode")
    signing_secret: str = Field(default="", repr=False, description="signing secret, for HTTP mode")
    mode: Literal["socket", "http"] = Field(default="socket", description="how Slack reaches the bot")
    port: Port = Field(default=3000, description="listening port in HTTP mode")
    base_url: str = Field(default="", description="another Slack API, such as the local one of the playground")
    flavor: Literal["baseline", "rich", "local"] = Field(default="baseline", description="which blocks are posted")
    allowed_channels: list[str] = Field(default_factory=list, description="channels that may ask; empty: all")
    allowed_users: list[str] = Field(
        default_factory=list, description="users that may ask; empty: all of the workspace"
    )
    allow_external: bool = Field(default=False, description="whether Slack Connect guests may ask")


ENVIRONMENT: dict[str, tuple[str, ...]] = {
    "bot_token": ("SLACK_BOT_TOKEN",),
    "app_token": ("SLACK_APP_TOKEN",),
    "signing_secret": ("SLACK_SIGNING_SECRET",),
    "mode": ("SLACK_MODE",),
    "base_url": ("SLACK_BASE_URL",),
    "flavor": ("SLACK_FLAVOR",),
    "port": ("SLACK_PORT",),
}


def _state_default() -> Path:
    base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
    return Path(base) / "kubewhy"


class Settings(BaseSettings):
    """Everything that can be configured."""

    model_config = SettingsConfigDict(env_prefix="KUBEWHY_", extra="forbid", frozen=True, populate_by_name=True)

    clusters: dict[str, Cluster] = Field(default_factory=dict, description="the clusters that may be asked, by name")
    default_cluster: str = Field(default="", description="cluster that is asked when none is named")
    channels: dict[str, Channel] = Field(default_factory=dict, description="defaults by Slack channel id")
    slack: Slack = Field(default_factory=Slack, description="the Slack app")
    lang: Literal["en", "zh-CN"] = Field(default="en", description="language of answers")
    state: Path = Field(default_factory=_state_default, description="directory of runs, evidence and audit")
    database_url: str = Field(
        default="",
        repr=False,
        description="postgresql:// URL for several replicas; empty: a SQLite file in the state directory",
    )
    retention_days: int = Field(default=30, ge=1, le=3650, description="how long finished runs are kept, in days")
    timeout: str = Field(default="90s", pattern=r"^[1-9]\d*[smh]$", description="time for one diagnosis")
    concurrency: int = Field(
        default=8,
        ge=1,
        le=64,
        validation_alias=AliasChoices("concurrency", "KUBEWHY_CONCURRENCY"),
        description="diagnoses at once",
    )

    @field_validator("default_cluster")
    @classmethod
    def _plain(cls, value: str) -> str:
        return value.strip()


def load(path: Path | None = None) -> Settings:
    """Read the file (``--config``, ``KUBEWHY_CONFIG``, else ./kubewhy.yaml when there is one) and the environment.

    Raises:
        SettingsError: a file that is named and missing, broken YAML, an unknown key, a value of the wrong type.
    """
    data = _file(path)
    slack = dict(data.get("slack") or {})
    for field, names in ENVIRONMENT.items():
        for name in names:
            if os.environ.get(name):
                slack[field] = os.environ[name]
    if slack:
        data["slack"] = slack
    for name in ("state", "lang", "database_url", "retention_days", "timeout", "default_cluster"):
        value = os.environ.get(f"KUBEWHY_{name.upper()}")
        if value:
            data[name] = value
    try:
        return Settings(**data)
    except ValidationError as error:
        problems = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
        raise SettingsError(problems) from None


def _file(path: Path | None) -> dict[str, Any]:
    named = path or (Path(os.environ["KUBEWHY_CONFIG"]) if os.environ.get("KUBEWHY_CONFIG") else None)
    at = named or Path("kubewhy.yaml")
    if named is None and not at.is_file():
        return {}
    try:
        data = yaml.safe_load(at.read_text("utf-8")) or {}
    except OSError as error:
        raise SettingsError(f"{at}: {error.strerror}") from None
    except yaml.YAMLError as error:
        raise SettingsError(f"{at}: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict):
        raise SettingsError(f"{at}: the file is no mapping of settings")
    return data
