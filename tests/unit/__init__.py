"""Fast tests."""
