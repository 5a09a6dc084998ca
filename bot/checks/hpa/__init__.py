"""Rows about autoscalers."""
