"""Tests of the rows about cluster DNS."""
