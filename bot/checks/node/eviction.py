"""From which point on a kubelet evicts pods: what its flag or its file says, else its defaults."""

from __future__ import annotations

from collections.abc import Mapping

from bot.model.host import KubeletArguments
from bot.model.host_resources import KubeletSettings
from bot.model.quantity import quantity

DEFAULTS: Mapping[str, str] = {
    "memory.available": "100Mi",
    "nodefs.available": "10%",
    "imagefs.available": "15%",
    "nodefs.inodesFree": "5%",
    "imagefs.inodesFree": "5%",
}
_FILE = "evictionHard."
_COLLECT = "imageGCHighThresholdPercent"


def limit(signal: str, settings: KubeletSettings | None, arguments: KubeletArguments | None) -> str:
    """The least that must be left of ``signal`` (``nodefs.available``), as written: ``10%`` or ``1Gi``.

    Where the node sets limits of its own, but none for images, images are collected from
    ``imageGCHighThresholdPercent`` on. A limit of nothing switches eviction off, not the fault: then, as where nothing
    can be read, the default of the kubelet counts.
    """
    own = _own(settings, arguments)
    value = own.get(signal, _collecting(settings, arguments) if own and signal == "imagefs.available" else "")
    return value if (_number(value) or 0.0) > 0 else DEFAULTS[signal]


def below(least: str, available: float, total: float) -> bool:
    """Whether less is available than the limit allows."""
    number = _number(least) or 0.0
    return available < (number * total / 100 if least.endswith("%") else number)


def _own(settings: KubeletSettings | None, arguments: KubeletArguments | None) -> dict[str, str]:
    """What the node sets: a flag overrides the file."""
    flag = arguments.flags.get("eviction-hard", "") if arguments else ""
    if flag:
        pairs = (pair.partition("<") for pair in flag.strip("\"'").split(","))
        return {name.strip(): value.strip() for name, sign, value in pairs if sign}
    values = settings.values if settings else {}
    return {name.removeprefix(_FILE): value for name, value in values.items() if name.startswith(_FILE)}


def _collecting(settings: KubeletSettings | None, arguments: KubeletArguments | None) -> str:
    flag = arguments.flags.get("image-gc-high-threshold", "") if arguments else ""
    high = _number(flag or (settings.values.get(_COLLECT, "") if settings else ""))
    return f"{100 - high:g}%" if high is not None and 0 < high < 100 else ""  # noqa: PLR2004 - percent


def _number(value: str) -> float | None:
    return quantity(value.strip("\"' ").removesuffix("%"))
