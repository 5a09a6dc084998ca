"""The slash commands: what to ask, of which target. One command a file."""
