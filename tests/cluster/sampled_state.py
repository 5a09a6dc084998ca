"""The state that every machine of ``tests.cluster.sampled`` is in: its files, its network, what runs there."""

from __future__ import annotations

from tests.cluster.control_plane import ADDRESS

UID = "4242"
POD = """apiVersion: v1
kind: Pod
metadata: {{name: {name}, namespace: kube-system, labels: {{component: {name}, tier: control-plane}}}}
spec:
  hostNetwork: true
  containers:
  - name: {name}
    image: lab.local/pause:1
    command: ["/bin/busybox", "sh", "-c", "echo {name} started; /bin/busybox nc -l -p {port} -e /bin/busybox cat"]
"""
MORE = """staticPodPath: /etc/kubernetes/manifests
readOnlyPort: 10255
evictionHard:
  memory.available: 100Mi
  nodefs.available: "10%"
imageGCHighThresholdPercent: 85
"""
KUBECONFIG = """apiVersion: v1
kind: Config
clusters:
- name: lab
  cluster:
    server: https://10.77.0.1:6443
users:
- name: admin
  user:
    {certificate}
"""
RUNC = """  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""
DROP_IN = """# written by kubeadm
[Service]
Environment="KUBELET_CONFIG_ARGS=--config=/var/lib/kubelet/config.yaml"
EnvironmentFile=-/etc/default/kubelet
ExecStart=
ExecStart=/usr/bin/kubelet --kubeconfig=/etc/kubernetes/kubelet.conf $KUBELET_CONFIG_ARGS $KUBELET_KUBEADM_ARGS
"""
OLD_LOG = """I1120 23:59:01.000001    1201 server.go:415] Version: v1.13.5
E1120 23:59:02.000002    1201 kubelet.go:2266] node "node1" not found
F1120 23:59:03.000003    1201 server.go:261] failed to run Kubelet: unable to load client CA file
"""
# A clock is measured, and never set: it is the host's.
CHRONY = f"server {ADDRESS} iburst minpoll 1 maxpoll 1\ndriftfile /var/lib/chrony/drift\n"
NTP = f"disable ntp\ndriftfile /var/lib/ntp/drift\nserver {ADDRESS} iburst minpoll 3 maxpoll 3\nrestrict default\n"
SYSCTL = """# made by an administrator
net.ipv4.ip_forward = 1
net/ipv4/conf/all/rp_filter=0
-net.bridge.bridge-nf-call-iptables = 1
"""
TEMPLATE = '{{range .info.runtimeSpec.mounts}}{{if eq .destination "/etc/resolv.conf"}}{{.source}}{{end}}{{end}}'
NETWORK = """
set -x
ip link add cni0 type bridge; ip addr add 10.244.11.1/24 dev cni0; ip link set cni0 up mtu 1450
ip link add flannel.1 type vxlan id 1 dev eth0 dstport 8472 local 10.77.0.11; ip addr add 10.244.11.0/32 dev flannel.1
ip link set flannel.1 up
ip link property add dev eth0 altname enp0s5
ip addr add fd77::11/64 dev eth0 nodad
ip rule add fwmark 0x100/0x300 lookup 1003 priority 1100
ip -6 rule add from fd78::/64 lookup 1002 priority 1000
ip route add blackhole 203.0.113.0/24
ip route add unreachable 192.0.2.0/24 metric 5
ip route add 10.244.12.0/24 via 10.77.0.12 dev eth0 onlink
bridge fdb append 5a:11:22:33:44:55 dev flannel.1 dst 10.77.0.12
ip neigh replace 10.77.0.99 dev eth0 nud failed
sysctl -q -w net.ipv4.conf.eth1.rp_filter=1
"""
STATE = """
set -x
iptables -P FORWARD DROP
iptables -I FORWARD 1 -m comment --comment "an administrator's rule" -s 198.51.100.0/24 -j ACCEPT
chmod 700 /var/lib/kubelet/pki
touch -d '2026-11-20 08:00:00' /var/lib/kubelet/config.yaml.bak /var/lib/kubelet/config.yaml
(exec 3>/var/log/rotated.log; rm /var/log/rotated.log; head -c 1048576 /dev/zero >&3
exec sleep 600 </dev/null >/dev/null 2>&1) &
curl -s -m 2 -k https://10.77.0.1:6443/livez
if command -v docker; then
  systemctl start docker; docker load -q -i /root/pause.tar
  docker run -d --name by-hand --network host lab.local/pause:1
  docker run --name ended --network host lab.local/pause:1 --help
fi
"""
