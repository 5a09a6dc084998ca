"""A shell script whose commands are answered from a recording: what people and other tools send to a recorded node.

It knows what framing scripts are made of (``echo``, ``printf``, variables, ``$?``, pipes); every other command must be
recorded.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field

from bot.bundle import filters
from bot.bundle.entries import Entry
from bot.bundle.lookup import NodeCommands
from bot.bundle.words import split_list, split_pipe, words

NOT_FOUND = 127
MAX_DEPTH = 8
_ASSIGN = re.compile(r"([A-Za-z_]\w*)=(.*)", re.DOTALL)
_CAPTURED = re.compile(r'"?\$\((.*)\)"?', re.DOTALL)
_VARIABLE = re.compile(r"\$\{(\w+)\}|\$(\w+|\?)")
_ESCAPES = {"\\n": "\n", "\\t": "\t", "\\\\": "\\"}


@dataclass(slots=True)
class Script:
    """One run of a script; variables live as long as it does."""

    commands: NodeCommands
    status: int = 0
    variables: dict[str, str] = field(default_factory=dict)
    depth: int = 0

    def run(self, text: str) -> Entry:
        """What the script prints; a command that was not recorded says so and has the status of a missing program."""
        out, errors = [], []
        for operator, piece in split_list(text):
            if piece.startswith("#") or (operator == "&&" and self.status) or (operator == "||" and not self.status):
                continue
            said = self._piece(piece)
            self.status = said.exit
            out.append(said.stdout)
            errors.append(said.stderr)
        return Entry(exit=self.status, stdout="".join(out), stderr="".join(errors))

    def _piece(self, piece: str) -> Entry:
        whole = self.commands.line(piece)
        if whole is not None:
            return whole
        assigned = _ASSIGN.fullmatch(piece)
        if assigned and not re.match(r"\S+\s+\S", _CAPTURED.sub("", assigned[2])):
            return self._assign(assigned[1], assigned[2])
        first, *rest = split_pipe(piece)
        said = self._builtin(first) or self.commands.line(first)
        if said is None:
            return Entry(exit=NOT_FOUND, stderr=f"kubewhy playground: not recorded: {first}\n")
        for command in rest:
            filtered = filters.apply(command, said.text)
            if filtered is None:
                return Entry(exit=NOT_FOUND, stderr=f"kubewhy playground: not recorded: {piece}\n")
            said = Entry(exit=filtered[0], stdout=filtered[1])
        return said

    def _assign(self, name: str, value: str) -> Entry:
        captured = _CAPTURED.fullmatch(value)
        if captured is None or self.depth >= MAX_DEPTH:
            self.variables[name] = self._expand(" ".join(_split(value)))
            return Entry()
        said = Script(self.commands, self.status, dict(self.variables), self.depth + 1).run(captured[1])
        self.variables[name] = (said.text if "2>&1" in captured[1] else said.stdout).rstrip("\n")
        return Entry(exit=said.exit)

    def _builtin(self, command: str) -> Entry | None:
        program, *arguments = words(command) or ("",)
        shown = [self._expand(a) for a in arguments]
        if program == "echo":
            return Entry(stdout=" ".join(shown) + "\n")
        if program == "printf" and shown:
            return Entry(stdout=_printf(shown[0], shown[1:]))
        if program == "exit":
            return Entry(exit=int(shown[0]) if shown and shown[0].isdigit() else self.status)
        if program == "hostname" and not arguments:
            return Entry(stdout=f"{self.commands.node}\n")
        return Entry() if program in {"true", ":", "set", "sleep", "export"} else None

    def _expand(self, text: str) -> str:
        def value(match: re.Match[str]) -> str:
            name = match[1] or match[2]
            return str(self.status) if name == "?" else self.variables.get(name, "")

        return _VARIABLE.sub(value, text)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return [text]


def _printf(form: str, values: list[str]) -> str:
    text = re.sub(r"\\[nt\\]", lambda m: _ESCAPES[m[0]], form)
    waiting = iter(values)
    return re.sub(r"%[sd%]", lambda m: "%" if m[0] == "%%" else next(waiting, ""), text)
