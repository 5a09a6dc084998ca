"""Rows about etcd."""
