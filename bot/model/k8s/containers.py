"""Containers: what a pod asks for, and how they fare. Values of environment variables are deliberately not read."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bot.model.k8s.meta import Struct


class StateTerminated(Struct):
    """ContainerStateTerminated."""

    exit_code: int = 0
    reason: str | None = None
    message: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class StateWaiting(Struct):
    """ContainerStateWaiting."""

    reason: str | None = None
    message: str | None = None


class StateRunning(Struct):
    """ContainerStateRunning."""

    started_at: datetime | None = None


class ContainerState(Struct):
    """ContainerState: at most one member is set."""

    waiting: StateWaiting | None = None
    running: StateRunning | None = None
    terminated: StateTerminated | None = None


class ContainerStatus(Struct):
    """One container's status."""

    name: str = ""
    ready: bool = False
    restart_count: int = 0
    image: str = ""
    container_id: str = msgspec.field(name="containerID", default="")
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class ContainerPort(Struct):
    """A declared port."""

    name: str | None = None
    container_port: int = 0
    protocol: str = "TCP"


class Named(Struct):
    """A reference to an object of the pod's namespace by its name."""

    name: str = ""


class EnvironmentSource(Struct):
    """Where variables of a container come from; never their values."""

    config_map_ref: Named | None = None
    secret_ref: Named | None = None


class VariableSource(Struct):
    """Where the value of one variable comes from."""

    config_map_key_ref: Named | None = None
    secret_key_ref: Named | None = None


class Variable(Struct):
    """One variable of a container: only where its value comes from, never a name or value that stands in the spec."""

    value_from: VariableSource | None = None


class Container(Struct):
    """One container of a pod's spec (of its environment only the objects that it refers to)."""

    name: str = ""
    image: str = ""
    args: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    ports: tuple[ContainerPort, ...] | None = None
    env: tuple[Variable, ...] | None = None
    env_from: tuple[EnvironmentSource, ...] | None = None
