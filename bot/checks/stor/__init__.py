"""Rows about volumes."""
