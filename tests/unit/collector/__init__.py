"""Tests of what is installed on nodes."""
