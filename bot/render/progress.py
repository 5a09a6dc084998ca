"""Shows on stderr how far a diagnosis is: one living line on a terminal, a few plain lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Protocol, Self, TextIO

from rich.console import Console
from rich.status import Status

from bot.model.text import T
from bot.redact import clean
from bot.render.i18n import Voice


class Step(Protocol):
    """An event of a running diagnosis: readings done, readings planned so far, and what is being read."""

    @property
    def done(self) -> int:
        """Readings that are in."""

    @property
    def total(self) -> int:
        """Readings planned so far."""

    @property
    def now(self) -> str:
        """What is being read, in the words of the evidence."""


class Progress:
    """A listener for progress; a context manager, so that the living line is gone before the report is printed.

    Args:
        stream: where to write, usually stderr.
        live: whether the stream is a terminal that wants a living line.
        lang: the language of the words.
    """

    def __init__(self, stream: TextIO, *, live: bool, lang: str = "en") -> None:
        self._voice = Voice(lang)
        self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        self._status: Status | None = None
        self._live = live
        self._tenth = -1

    def __enter__(self) -> Self:
        if self._live:
            self._status = self._console.status(self._voice.text(T("Starting …")), spinner="dots")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()
            self._status = None

    def __call__(self, event: Step) -> None:
        """Show one event; elsewhere than on a terminal only every tenth of the way."""
        shown = self._words(event)
        if self._status is not None:
            self._status.update(shown)
            return
        tenth = event.done * 10 // max(event.total, 1)
        if not self._live and tenth != self._tenth:
            self._tenth = tenth
            self._console.print(shown, soft_wrap=True)

    def _words(self, event: Step) -> str:
        counted = self._voice.text(T("{done} of {total} readings", done=event.done, total=event.total))
        now, _ = clean(self._voice.word(event.now), line=100, total=100)
        return f"{counted}  {now}".rstrip()
