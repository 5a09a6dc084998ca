"""Rows NODE: hosts, kubelet and runtime (catalogue B.1). One check a file."""
