"""The documentation, asked of the code."""
