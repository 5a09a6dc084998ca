"""``pods/log`` out of recorded container logs.

Options as in PodLogOptions; errors as the API server and the kubelet word them
(``pkg/registry/core/pod/strategy.go``, ``pkg/kubelet/kubelet_pods.go``). A recording made without ``--timestamps``
has no time of its own for a line: the time that the line itself states (klog, JSON ``ts``, RFC 3339) stands in;
lines without any are given without one and are never cut by ``since``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from bot.bundle.api.request import NotRecorded, Refused, Request, bad_request, failure
from bot.bundle.recording import Bundle
from bot.source import Response

Object = Mapping[str, Any]
TRUE = ("true", "1", "t", "T", "TRUE", "True")
_STAMP = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(?:Z|[+-]\d\d:\d\d)) ?(.*)", re.DOTALL)
_KLOG = re.compile(r"[IWEF](\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{6})")
_RFC3339 = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)([.,]\d+)?(Z|[+-]\d\d:?\d\d)?")


@dataclass(frozen=True, slots=True)
class Line:
    """A log line, with its end, and when it was written."""

    text: str
    at: datetime | None
    stamp: str


def log(request: Request, bundle: Bundle, pod: Object, now: datetime) -> Response:
    """Answer a log request about ``pod``.

    Raises:
        Refused: 400 as a real cluster refuses.
        NotRecorded: the log is not in the bundle.
    """
    query = request.query
    name = pod["metadata"]["name"]
    numbers = {option: _integer(query, option) for option in ("tailLines", "sinceSeconds", "limitBytes")}
    since = _since(query, numbers["sinceSeconds"], now)
    _validate(name, query, numbers)
    container = _container(pod, query.get("container", ""))
    previous = query.get("previous", "") in TRUE
    if not (pod.get("spec") or {}).get("nodeName"):
        return Response(status=204, body=b"", headers={})
    meta = pod["metadata"]
    base = f"cluster-resources/pods/logs/{meta['namespace']}/{meta['name']}/{container}"
    recorded = bundle.text(f"{base}{'-previous' if previous else ''}.log")
    if recorded is None:
        _refuse(pod, container, previous=previous)
        what = "previous log" if previous else "log"
        raise NotRecorded(f"{what} of {meta['namespace']}/{meta['name']}/{container}")
    lines = list(_lines(recorded, now))
    lines = _newer(lines, since)
    tail = numbers["tailLines"]
    if tail is not None:
        lines = lines[-tail:] if tail else []
    body = "".join(
        (f"{line.stamp} " if line.stamp and query.get("timestamps", "") in TRUE else "") + line.text for line in lines
    )
    limit = numbers["limitBytes"]
    data = body.encode() if limit is None else body.encode()[:limit]
    return Response(status=200, body=data, headers={"content-type": "text/plain"})


def _container(pod: Object, asked: str) -> str:
    spec = pod.get("spec") or {}
    groups = [
        [str(c.get("name")) for c in spec.get(k) or ()] for k in ("containers", "initContainers", "ephemeralContainers")
    ]
    name = pod["metadata"]["name"]
    if asked:
        if asked not in (n for group in groups for n in group):
            raise bad_request(f"container {asked} is not valid for pod {name}")
        return asked
    if len(groups[0]) == 1:
        return groups[0][0]
    if not groups[0]:
        raise bad_request(f"a container name must be specified for pod {name}")
    message = f"a container name must be specified for pod {name}, choose one of: [{' '.join(groups[0])}]"
    for words, group in (("init containers", groups[1]), ("ephemeral containers", groups[2])):
        message += f" or one of the {words}: [{' '.join(group)}]" if group else ""
    raise bad_request(message)


def _refuse(pod: Object, container: str, *, previous: bool) -> None:
    """Raise what a real cluster says when there can be no such log; return when there should be one."""
    name = pod["metadata"]["name"]
    status = pod.get("status") or {}
    states = [
        s
        for k in ("containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses")
        for s in status.get(k) or ()
    ]
    state = next((s for s in states if s.get("name") == container), None)
    if state is None:
        return
    ended = (state.get("lastState") or {}).get("terminated")
    if previous and not ended:
        raise bad_request(f'previous terminated container "{container}" in pod "{name}" not found')
    waiting = (state.get("state") or {}).get("waiting")
    if not previous and waiting and not ended:
        reason = waiting.get("reason") or "ContainerCreating"
        wrong = "trying and failing to pull image" if reason in ("ErrImagePull", "ImagePullBackOff") else reason
        raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {wrong}')


def _lines(recorded: str, now: datetime) -> Iterator[Line]:
    """Split a log into lines with their times; a line without one was written with the line before it."""
    texts = recorded.splitlines(keepends=True)
    stamped = bool(texts) and all(_STAMP.match(t) for t in texts if t.strip())
    last: datetime | None = None
    for line in texts:
        match = _STAMP.match(line) if stamped else None
        if match:
            last = datetime.fromisoformat(_microseconds(match.group(1)))
            yield Line(match.group(2) or "\n", last, match.group(1))
            continue
        last = _stated(line, now) or last
        yield Line(line, last, f"{last:%Y-%m-%dT%H:%M:%S.%f}000Z" if last else "")


def _microseconds(stamp: str) -> str:
    return re.sub(r"(\.\d{6})\d{3}", r"\1", stamp)


def _stated(line: str, now: datetime) -> datetime | None:
    """The time that a line itself states."""
    if match := _KLOG.match(line):
        month, day, hour, minute, second, micro = (int(g) for g in match.groups())
        try:
            at = datetime(now.year, month, day, hour, minute, second, micro, tzinfo=UTC)
        except ValueError:
            return None
        return at if at <= now + timedelta(days=1) else at.replace(year=now.year - 1)
    if match := _RFC3339.search(line[:120]):
        date, time, fraction, zone = match.groups()
        digits = (fraction or ".0")[1:7].ljust(6, "0")
        try:
            return datetime.fromisoformat(f"{date}T{time}.{digits}{zone or 'Z'}").astimezone(UTC)
        except ValueError:
            return None
    return None


def _since(query: Mapping[str, str], seconds: int | None, now: datetime) -> datetime | None:
    asked = query.get("sinceTime", "")
    if asked:
        try:
            return datetime.fromisoformat(asked).astimezone(UTC)
        except ValueError:
            wrong = f'parsing time "{asked}" as "2006-01-02T15:04:05Z07:00": cannot parse "{asked}" as "2006"'
            raise bad_request(wrong) from None
    return None if seconds is None else now - timedelta(seconds=seconds)


def _validate(name: str, query: Mapping[str, str], numbers: Mapping[str, int | None]) -> None:
    """Refuse option values as ``ValidatePodLogOptions`` does: 422."""
    least = {"tailLines": (0, "than or equal to 0"), "sinceSeconds": (1, "than 0"), "limitBytes": (1, "than 0")}
    for option, (floor, words) in least.items():
        value = numbers[option]
        if value is not None and value < floor:
            raise _invalid(name, option, "FieldValueInvalid", f"Invalid value: {value}: must be greater {words}")
    if numbers["sinceSeconds"] is not None and query.get("sinceTime"):
        words = "Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified"
        raise _invalid(name, "[]", "FieldValueForbidden", words)


def _invalid(name: str, option: str, reason: str, words: str) -> Refused:
    cause = {"reason": reason, "message": words, "field": option}
    details = {"name": name, "kind": "PodLogOptions", "causes": [cause]}
    return Refused(failure(422, "Invalid", f'PodLogOptions "{name}" is invalid: {option}: {words}', details))


def _newer(lines: Sequence[Line], since: datetime | None) -> list[Line]:
    return [line for line in lines if since is None or line.at is None or line.at >= since]


def _integer(query: Mapping[str, str], name: str) -> int | None:
    value = query.get(name, "")
    if not value:
        return None
    try:
        return int(value)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{value}": invalid syntax') from None
