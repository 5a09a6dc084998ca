"""How evidence from the Kubernetes API is read."""
