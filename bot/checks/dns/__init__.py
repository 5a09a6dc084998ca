"""Rows about cluster DNS."""
