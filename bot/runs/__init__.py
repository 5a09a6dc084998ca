"""Durable runs: a command that was accepted is finished, whatever happens to the process."""
