"""One real cluster: control plane, a systemd machine with kubelet and containerd, metrics-server as a pod; broken for real."""
