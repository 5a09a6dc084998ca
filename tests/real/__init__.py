"""Tests with real parts: run by make test-real."""
