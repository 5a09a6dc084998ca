"""What writes generated files: run each as ``python -m tools.NAME``."""
