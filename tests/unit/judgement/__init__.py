"""Tests that hold the judgement honest: no finding without its facts, no cause that is not one."""
