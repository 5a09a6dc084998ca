"""Rows about the path of an application."""
