"""Private words: to whoever typed a command wrong, asked what was just asked, or where the bot may not speak.

Only the person sees them, and nothing was run. Each says what is the matter, what would work, and offers it as a
button.
"""

from __future__ import annotations

from bot.errors import UsageError
from bot.model.text import T, Text
from bot.render.blocks import Action, Block, Button, Buttons, Kind, Line, Message, Section, Span, Style
from bot.render.i18n import Voice
from bot.slack.arguments import Spoken

LABEL_CHARS = 24
FOLLOW_UPS = ("why F1", "show E1", "rerun", "explain NODE-04", "中文")
CLOSED_WORDS = {
    "not_in_channel": T("I am not in this channel. Type {invite}, then press the button.", invite="/invite @kubewhy"),
    "channel_not_found": T(
        "I cannot see this channel. Type {invite}, then press the button.", invite="/invite @kubewhy"
    ),
    "is_archived": T("This channel is archived, so I cannot answer in it. Ask me in another one."),
}
CLOSED = T("Slack does not let me post in this channel ({code}). Ask me in another one, or ask an administrator.")


def usage_error(voice: Voice, error: UsageError, offers: list[tuple[Spoken, str]]) -> Message:
    """The command was typed wrong: the problem, the nearest match, a whole example, and a button that runs it right.

    Args:
        voice: the language.
        error: what is wrong.
        offers: corrected lines with the ids of the questions kept for them.
    """
    lines: list[Line] = [voice(T("I did not understand that: {problem}.", problem=str(error)))]
    if error.nearest:
        lines.append(voice(T("Did you mean {nearest}?", nearest=error.nearest)))
    if error.example:
        lines.append(voice(T("A command that works: {example}", example="/" + error.example.lstrip("/"))))
    lines.append(voice(T("Nothing was run.")))
    buttons = [_run(voice, said, offer, number) for number, (said, offer) in enumerate(offers)]
    return _private(lines, buttons)


def _run(voice: Voice, said: Spoken, offer: str, number: int) -> Button:
    typed = f"{said.command} {said.rest}".strip()
    short = typed if len(typed) <= LABEL_CHARS else typed[: LABEL_CHARS - 1] + "…"
    label = voice.text(T("Run {command}", command=short))
    return Button(action=Action.RERUN, label=label, value=offer, says=label, number=number)


def same_question(voice: Voice, link: str, offer: str, *, going: bool) -> Message:
    """The same question is being answered, or was a moment ago: where, and how to ask it all the same."""
    said = T("The same question is being answered here right now.") if going else T("The same question was answered here less than a minute ago.")  # fmt: skip  # noqa: E501
    lines = [voice(said)] + ([(*voice(T("You find it here:")), Span(" "), Span(link))] if link else [])
    return _private(lines, [Button(action=Action.RERUN, label=voice.text(T("Run anyway")), value=offer)])


def closed(voice: Voice, code: str, offer: str) -> Message:
    """The bot may not speak in the channel: what to do about it, and a button for when it is done."""
    said = CLOSED_WORDS.get(code) or Text(CLOSED.msgid, (("code", code),))
    return _private([voice(said)], [Button(action=Action.RERUN, label=voice.text(T("Run again")), value=offer)])


def word(voice: Voice, said: Text) -> Message:
    """One sentence."""
    return _private([voice(said)], [])


def help_page(voice: Voice, lines: list[tuple[str, Text]], examples: tuple[str, ...]) -> Message:
    """How to ask: one line a command, by symptom; with examples where there are any."""
    rows: list[Line] = [(_code("/" + name), Span("  "), *voice(symptom)) for name, symptom in lines]
    blocks: list[Block] = [
        Section(lines=(voice(T("I say why something in a cluster is broken, with proof. I only read.")),)),
        Section(lines=tuple(rows)),
    ]  # fmt: skip
    if examples:
        shown = tuple((_code("/" + e.lstrip("/")),) for e in examples)
        blocks.append(Section(lines=(voice(T("Examples, ready to copy:")), *shown)))
    blocks.append(
        Section(
            lines=(
                voice(T("In a thread, mention me: {example}", example="@kubewhy node-why node-3")),
                voice(T("Under an answer of mine: {examples}", examples=FOLLOW_UPS)),
            )
        )
    )  # fmt: skip
    return Message(kind=Kind.HELP, run="", text=voice.text(T("How to ask kubewhy")), blocks=tuple(blocks))


def _code(text: str) -> Span:
    return Span(text, Style.CODE)


def _private(lines: list[Line], buttons: list[Button]) -> Message:
    blocks: list[Block] = [Section(lines=tuple(lines))]
    if buttons:
        blocks.append(Buttons(items=tuple(buttons)))
    text = " ".join("".join(span.plain for span in line) for line in lines)
    return Message(kind=Kind.ERROR, run="", text=text, blocks=tuple(blocks))
