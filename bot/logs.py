"""Logs go to stderr: for people where it is a terminal, as JSON lines elsewhere; stdout belongs to results."""

from __future__ import annotations

import sys

import structlog


def to_stderr() -> None:
    """Set the format and the stream of everything that is logged from here on."""
    lines = structlog.dev.ConsoleRenderer() if sys.stderr.isatty() else structlog.processors.JSONRenderer()
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            lines,
        ],
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
