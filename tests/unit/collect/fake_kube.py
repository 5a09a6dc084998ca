"""A Kubernetes API for tests: answers from a table of paths, remembers what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from bot.errors import Kind, SourceError
from bot.source import JSON, Response, Right

Answer = Any  # an object for JSON, a Response, an exception, or a function of the query


@dataclass
class FakeKube:
    """Answers GETs; a path that is not in the table is 404."""

    answers: dict[str, Answer]
    asked: list[tuple[str, dict[str, str], str]] = field(default_factory=list)

    def raw(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON, timeout: float | None = None
    ) -> Response:
        """Any status is an answer."""
        self.asked.append((path, dict(query or {}), accept))
        found = self.answers.get(path)
        if isinstance(found, Callable):  # type: ignore[arg-type]
            found = found(dict(query or {}))
        if isinstance(found, Exception):
            raise found
        if found is None:
            return Response(status=404, body=b"404 page not found")
        return found if isinstance(found, Response) else Response(status=200, body=json.dumps(found).encode())

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON, timeout: float | None = None
    ) -> Response:
        """As the client: 403 is raised."""
        response = self.raw(path, query, accept=accept)
        if response.status == 403:
            raise SourceError(Kind.FORBIDDEN, f"GET {path}", "forbidden", status=403)
        return response

    def review(self, right: Right, namespace: str | None = None) -> bool:
        """Everything is allowed."""
        return True
