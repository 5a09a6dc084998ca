"""Rows judged from the Kubernetes API, case by case."""
