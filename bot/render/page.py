"""A page of a terminal: wrapped paragraphs with hanging labels; wide characters count as two."""

from __future__ import annotations

from io import StringIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as Rich

from bot.model.text import Text
from bot.render.blocks import Icon, Line, Span, Style
from bot.render.i18n import Voice


class Page:
    """Collects wrapped lines."""

    def __init__(self, voice: Voice, width: int, *, color: bool) -> None:
        self.voice = voice
        self.width = width
        self._file = StringIO()
        self._console = Console(
            file=self._file,
            width=width,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )

    def text(self) -> str:
        """What was written, without blanks at the ends of lines."""
        return "\n".join(line.rstrip() for line in self._file.getvalue().strip("\n").split("\n")) + "\n"

    def gap(self) -> None:
        """Leave a line empty."""
        self._file.write("\n")

    def heading(self, text: Text) -> None:
        """Write a heading after an empty line."""
        self.gap()
        self.put(Rich(self.voice.text(text).upper(), style="bold"))

    def put(self, body: Rich, *, label: str = "", style: str = "", indent: int = 0) -> None:
        """Write a paragraph with a label before its first line; the lines below hang under the text."""
        room = max(20, self.width - indent)
        shown = Rich(label, style=style)
        shown.append(" " * max(0, indent - cell_len(label)))
        for n, line in enumerate(body.wrap(self._console, room)):
            line.rstrip()
            before = shown if n == 0 else Rich(" " * indent)
            self._console.print(Rich.assemble(before, line), soft_wrap=True)

    def raw(self, line: str, *, indent: int, style: str = "") -> None:
        """Write a line that is never wrapped."""
        self._console.print(Rich(" " * indent + line, style=style), soft_wrap=True)


def rich(line: Line) -> Rich:
    """Spans as styled text: data is told apart by colour only where there is colour."""
    styles = {Style.PLAIN: "", Style.STRONG: "bold", Style.CODE: "cyan"}
    written = Rich()
    for span in line:
        if isinstance(span, Span):
            written.append(span.text, style=styles[span.style])
        elif not isinstance(span, Icon):
            written.append(span.plain)
    return written
