"""Serves a recorded cluster over real protocols: an HTTPS Kubernetes API, SSH nodes, DNS, and a local Slack."""
