"""Slack: listening, access, and posting a thread."""
