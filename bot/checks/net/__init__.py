"""Rows NET: the network of nodes and pods (catalogue B.8). One check a file."""
