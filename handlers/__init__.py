"""The slash commands: what to ask, of which target.

One command a file; the tuple is the table that everything else reads.
"""

from __future__ import annotations

from bot.model.command import Command
from handlers import dns_check, metrics_api, node_why

COMMANDS: tuple[Command, ...] = (metrics_api.COMMAND, node_why.COMMAND, dns_check.COMMAND)
