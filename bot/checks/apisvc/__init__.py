"""Rows about aggregated APIs."""
