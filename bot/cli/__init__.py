"""The command line: one invocation is one run; results on stdout, progress and logs on stderr (docs/commands.md)."""

from __future__ import annotations

import os
import sys
from typing import Annotated

import typer

from bot.cli import diagnose, playground, tools
from bot.errors import BundleError, KubewhyError, SettingsError, UsageError
from bot.version import VERSION
from handlers import COMMANDS

WRONG_USAGE = 64
FAILED = 4
STOPPED = 5
SAID: tuple[tuple[type[Exception], str, int], ...] = (
    (SettingsError, "settings: ", WRONG_USAGE),
    (BundleError, "bundle: ", WRONG_USAGE),
    (KubewhyError, "", FAILED),
)

application = typer.Typer(
    name="kubewhy",
    help='Answers "why is it broken?" for Kubernetes clusters, with proof. Reads, never writes.',
    epilog="Start with: kubewhy demo",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
for _command in COMMANDS:
    diagnose.add(application, _command)
playground.add(application)
tools.add(application)


def _version(value: bool) -> None:
    if value:
        typer.echo(f"kubewhy {VERSION}")
        raise typer.Exit


@application.callback()
def _main(
    *,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Answers "why is it broken?" for Kubernetes clusters, with proof. Reads, never writes."""


def run(arguments: list[str] | None = None) -> int:
    """Run the command line; the one boundary that shows errors to people. Returns the exit code."""
    try:
        outcome = application(args=arguments, standalone_mode=False)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader went away; say nothing more
        return 0
    except KeyboardInterrupt:
        _say("stopped", STOPPED)
        sys.stdout.flush()
        os._exit(STOPPED)  # readings that are under way would hold the process for as long as their time-outs
    except Exception as error:
        code = _told(error)
        if code is None:
            raise
        return code
    return outcome if isinstance(outcome, int) else 0


def _told(error: Exception) -> int | None:
    """Tell a person what was wrong, and return the exit code; None for an error that is a bug."""
    if isinstance(error, UsageError):
        return _usage(error)
    if isinstance(error, typer.Abort):
        return _say("stopped", STOPPED)
    for kind, prefix, code in SAID:
        if isinstance(error, kind):
            return _say(f"{prefix}{error}", code)
    words = getattr(error, "format_message", None)  # usage errors of the option parser
    return _say(words(), WRONG_USAGE) if words else None


def _usage(error: UsageError) -> int:
    nearest = f"\nDid you mean {' or '.join(error.nearest)}?" if error.nearest else ""
    example = f"\nExample: kubewhy {error.example.lstrip('/')}" if error.example else ""
    return _say(f"{error}{nearest}{example}", WRONG_USAGE)


def _say(text: str, code: int) -> int:
    typer.echo(f"kubewhy: {text}", err=True)
    return code
