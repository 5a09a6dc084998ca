"""The generated ClusterRole, used for real."""
