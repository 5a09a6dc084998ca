"""Rows about the resource metrics API."""
