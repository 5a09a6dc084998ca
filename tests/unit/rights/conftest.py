"""Fixtures of the tests of rights."""

from tests.unit.rights.account import asked

__all__ = ["asked"]
