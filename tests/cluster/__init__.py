"""One real cluster: control plane, a systemd machine with kubelet and containerd, metrics-server as a pod.

It is broken for real.
"""
