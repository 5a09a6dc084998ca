"""Rows about the control plane."""
