"""Rows HYG: posture and hygiene, never a root on their own (catalogue B.16). One check a file."""
