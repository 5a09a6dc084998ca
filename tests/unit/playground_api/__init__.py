"""The Kubernetes API of a recorded cluster, in process and over HTTPS."""
