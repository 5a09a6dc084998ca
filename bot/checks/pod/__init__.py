"""Rows about pods."""
