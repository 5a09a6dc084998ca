"""The commands of catalogue section D, as a table: the only shell text that ever reaches a node.

A reader, and the sudoers list of a node, can hold the bot to it. Commands that need root stand alone, so that one
refusal of sudo takes nothing else with it.
"""

# ruff: noqa: E501 - the commands are quoted as they run

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

ROOT, BASE, LOGS, TARGETED = True, 1, 2, 3
UNITS = (
    "kubelet k3s k3s-agent rke2-server rke2-agent containerd crio docker cri-docker kube-proxy kube-apiserver "
    "kube-controller-manager kube-scheduler etcd node-problem-detector systemd-networkd NetworkManager ufw firewalld chronyd"
)
_PROPERTIES = (
    "Id LoadState UnitFileState ActiveState SubState Result NRestarts ExecMainStatus ExecMainCode MainPID "
    "ExecMainStartTimestamp ActiveEnterTimestamp InactiveEnterTimestamp MemoryCurrent CPUUsageNSec TasksCurrent "
    "NeedDaemonReload FragmentPath DropInPaths"
)
SHOW = " ".join(("systemctl show", UNITS, *(f"-p {name}" for name in _PROPERTIES.split()), "--no-pager"))
KUBELET_FILES = (
    "/var/lib/kubelet/config.yaml",
    "/var/lib/kubelet/kubeadm-flags.env",
    "/etc/kubernetes/kubelet.conf",
    "/etc/kubernetes/bootstrap-kubelet.conf",
    "/etc/kubernetes/pki/ca.crt",
    "/var/lib/kubelet/pki/kubelet-client-current.pem",
)
_JOURNAL = (
    "-o json --output-fields=__REALTIME_TIMESTAMP,PRIORITY,MESSAGE,_PID -r -n <LINES> --since '<SINCE>' --no-pager"
)
# what a kubelet says at its start, where the newest lines do not reach back to it (a usage text, a dump of goroutines)
_FIRST = "--since '<SINCE>' --no-pager | head -n 100"
_NIC = (
    'for d in /sys/bus/pci/devices/*; do c=$(cat $d/class); case $c in 0x0200*) echo "$d $(cat $d/vendor) $(cat $d/device) '
    "drv=$(basename \"$(readlink $d/driver)\") net=$(ls $d/net $d/virtio*/net 2>/dev/null | tr '\\n' ',')\";; esac; done"
)
_CNI_FILES = 'for f in /etc/cni/net.d/*.conf /etc/cni/net.d/*.conflist; do head -c 2000 "$f"; done'
_DIG = "dig +time=2 +tries=1 +noall +comments +answer +stats @<SERVER> <NAME> <TYPE>"
_REACH = "timeout 3 bash -c '</dev/tcp/<HOST>/<PORT>'"
_SYSCTLS = (
    "net.ipv4.ip_forward net.ipv4.conf.all.forwarding net.ipv6.conf.all.forwarding net.bridge.bridge-nf-call-iptables "
    "net.netfilter.nf_conntrack_max fs.inotify.max_user_watches vm.swappiness"
)
_SYSCTLD = "/etc/sysctl.conf /etc/sysctl.d/*.conf /usr/lib/sysctl.d/*.conf"
_CURL = "curl -sk -m 3"
# -s leaves nstat's file of earlier readings alone; without iproute the kernel's own table has the number, too
_DROPS = "nstat -asz TcpExtIPReversePathFilter || grep '^TcpExt:' /proc/net/netstat"


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """One row of the table.

    Attributes:
        text: the command, ``<NAME>`` where a validated value goes.
        timeout: seconds.
        trip: the round trip it belongs to: base, logs or targeted.
        root: whether it needs root.
    """

    text: str
    timeout: int
    trip: int
    root: bool = False

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of its parameters, in order of first use."""
        return tuple(dict.fromkeys(re.findall(r"<([A-Z]{3,})>", self.text)))


def _spec(text: str, timeout: int, trip: int, root: bool = False) -> Spec:
    return Spec(text=text, timeout=timeout, trip=trip, root=root)


TABLE: Mapping[str, Spec] = {
    "ID": _spec(
        "hostname; uname -r; cat /proc/sys/kernel/random/boot_id /proc/uptime /proc/loadavg; "
        "grep -E '^(ID|VERSION_ID)=' /etc/os-release; cat /etc/machine-id",
        3,
        BASE,
    ),
    "BOOT": _spec("who -b; last -x -n 8 reboot shutdown", 3, BASE),
    "TIME": _spec(
        "date +%s.%N; timedatectl show -p NTPSynchronized -p NTP -p Timezone || timedatectl; chronyc -c tracking || ntpq -pn",
        4,
        BASE,
    ),
    "UNITS": _spec(SHOW, 6, BASE),
    "KARGS": _spec(
        "systemctl cat kubelet --no-pager; P=$(systemctl show kubelet -p MainPID | cut -d= -f2); "
        "[ \"$P\" -gt 0 ] && tr '\\0' ' ' </proc/$P/cmdline",
        4,
        BASE,
    ),
    "KCFG": _spec(
        f"stat -L -c '%n|%s|%Y|%U|%a' {' '.join(KUBELET_FILES)} 2>&1; "
        "ls -la --time-style=full-iso /var/lib/kubelet/ /etc/kubernetes/ 2>&1",
        3,
        BASE,
    ),
    "KCFG_MORE": _spec("stat -L -c '%n|%s|%Y|%U|%a' <FILES> 2>&1", 3, LOGS),
    "KCFG_ROOT": _spec("sudo -n stat -L -c '%n|%s|%Y|%U|%a' <FILES> 2>&1", 3, LOGS, ROOT),
    "KCFG_LIST": _spec("sudo -n ls -la --time-style=full-iso /var/lib/kubelet/ /etc/kubernetes/ 2>&1", 3, LOGS, ROOT),
    "KHEALTH": _spec(
        "curl -sS -m 3 -w ' %{http_code}\\n' http://127.0.0.1:10248/healthz; "
        "curl -sSk -m 3 -o /dev/null -w '%{http_code}\\n' https://127.0.0.1:10250/healthz",
        8,
        BASE,
    ),
    "KSTATE": _spec(
        "P=$(systemctl show kubelet -p MainPID | cut -d= -f2); grep -E '^(State|VmRSS|Threads)' /proc/$P/status; "
        "cat /proc/$P/wchan; echo; ps -eo pid,stat,wchan:32,comm --no-headers | awk '$2 ~ /^D/' | head -20",
        3,
        BASE,
    ),
    "CRI": _spec("sudo -n crictl --timeout 8s info", 10, BASE, ROOT),
    "CRI_PS": _spec("sudo -n crictl --timeout 8s ps -a -o json", 10, BASE, ROOT),
    "CRI_COUNT": _spec("sudo -n crictl --timeout 8s ps -a -q | wc -l", 10, LOGS, ROOT),
    "CRI_PODS": _spec("sudo -n crictl --timeout 8s pods -o json", 10, BASE, ROOT),
    "CRI_SOCKETS": _spec(
        "ls -l /run/containerd/containerd.sock /var/run/crio/crio.sock /var/run/cri-dockerd.sock /var/run/docker.sock",
        3,
        BASE,
    ),
    "DOCKER_PS": _spec("sudo -n docker ps -a --no-trunc --format '{{json .}}'", 10, LOGS, ROOT),
    "DOCKER_INFO": _spec("sudo -n docker info --format '{{json .}}'", 10, LOGS, ROOT),
    "DISK": _spec("df -PT -B1 -x tmpfs -x overlay -x squashfs; df -Pi -x tmpfs -x overlay -x squashfs", 5, BASE),
    "DISK_JOURNAL": _spec("sudo -n journalctl --disk-usage", 3, BASE, ROOT),
    "MOUNTS": _spec(
        "findmnt -rn -o TARGET,SOURCE,FSTYPE,OPTIONS -t ext4,xfs,btrfs,nfs,nfs4,fuse.ossfs,ceph || cat /proc/self/mounts",
        3,
        BASE,
    ),
    "MEM": _spec("cat /proc/meminfo; grep . /proc/pressure/*", 2, BASE),
    "PID": _spec(
        "cat /proc/sys/kernel/pid_max /proc/sys/kernel/threads-max; ls -d /proc/[0-9]* | wc -l; "
        "awk '{print $4}' /proc/loadavg",
        2,
        BASE,
    ),
    "CGROUP": _spec(
        "stat -fc %T /sys/fs/cgroup; cat /proc/cgroups; timeout 5 find /sys/fs/cgroup -xdev -maxdepth 8 -type d | wc -l; "
        "systemctl list-units --type=scope --all --no-legend --plain | wc -l; "
        "systemctl list-units --type=scope --all --no-legend --plain 'run-*' | wc -l",
        8,
        BASE,
    ),
    "INOTIFY": _spec("cat /proc/sys/fs/inotify/max_user_watches /proc/sys/fs/inotify/max_user_instances", 3, BASE),
    "INOTIFY_USE": _spec(
        "sudo -n find /proc -maxdepth 3 -path '*/fd/*' -user root -lname 'anon_inode:inotify' | wc -l", 6, BASE, ROOT
    ),
    "INOTIFY_WATCHES": _spec(
        "sudo -n find /proc -maxdepth 3 -path '*/fdinfo/*' -user root -exec grep -hs '^inotify wd:' {} + | wc -l",
        6,
        BASE,
        ROOT,
    ),
    "SYSCTL": _spec(
        f"sysctl -e {_SYSCTLS}; sysctl -ar '^net\\.ipv4\\.conf\\.[^.]+\\.(rp_filter|forwarding)$'; cat /proc/swaps",
        3,
        BASE,
    ),
    "SYSCTLDIFF": _spec(f"cat {_SYSCTLD} | grep -E 'ip_forward|forwarding|rp_filter|inotify|bridge-nf'", 2, BASE),
    "PORTS": _spec("ss -Hlntu", 3, BASE),
    "PORTS_OWN": _spec(
        "sudo -n ss -Hlntup 'sport = :6443 or sport = :10250 or sport = :10257 or sport = :10259 or sport = :2379 "
        "or sport = :2380 or sport = :53'",
        3,
        BASE,
        ROOT,
    ),
    "LINKS": _spec("ip -j -d link show || ip -d link", 3, BASE),
    "ADDR": _spec("ip -j addr show || ip addr", 3, BASE),
    "IFACES": _spec("ls /sys/class/net", 3, BASE),
    "RULES": _spec("ip -j rule show || ip rule show", 3, BASE),
    "RULES6": _spec("ip -j -6 rule show || ip -6 rule show", 3, BASE),
    "RULES_MAIN": _spec("ip -j route show table main || ip route show table main", 3, BASE),
    "RULES_T": _spec("ip -j route show table <TABLE>", 3, TARGETED),
    "RULES_TEXT": _spec("ip route show table <TABLE>", 3, TARGETED),
    "CNI_LEASES": _spec("sudo -n find /var/lib/cni/networks -maxdepth 2 -type f", 3, LOGS, ROOT),
    "CNI": _spec(f"ls -la --time-style=full-iso /etc/cni/net.d /opt/cni/bin; {_CNI_FILES}", 3, BASE),
    "PCI": _spec(_NIC, 3, BASE),
    "CTCOUNT": _spec(
        "cat /proc/sys/net/netfilter/nf_conntrack_count /proc/sys/net/netfilter/nf_conntrack_max", 3, BASE
    ),
    "CTSTAT": _spec("sudo -n conntrack -S", 3, BASE, ROOT),
    "MANIFEST": _spec("ls -la --time-style=full-iso /etc/kubernetes/manifests", 3, BASE),
    "MANIFEST_FILE": _spec("sudo -n head -c 16384 /etc/kubernetes/manifests/<COMPONENT>.yaml", 3, LOGS, ROOT),
    "KLOG": _spec(f"sudo -n journalctl -u kubelet {_JOURNAL}", 8, LOGS, ROOT),
    # systemd before 236 has no --output-fields
    "KLOG_OLD": _spec(
        "sudo -n journalctl -u kubelet -o short-iso -r -n <LINES> --since '<SINCE>' --no-pager", 8, LOGS, ROOT
    ),
    "KLOG_START": _spec(
        f"sudo -n journalctl -u kubelet -o json --output-fields=__REALTIME_TIMESTAMP,PRIORITY,MESSAGE,_PID {_FIRST}",
        8,
        LOGS,
        ROOT,
    ),
    "KLOG_START_OLD": _spec(f"sudo -n journalctl -u kubelet -o short-iso {_FIRST}", 8, LOGS, ROOT),
    "KLOG_FILE": _spec("sudo -n tail -n <LINES> /var/log/kubelet.log", 8, LOGS, ROOT),
    "RTLOG": _spec(f"sudo -n journalctl -u containerd -u crio -u docker {_JOURNAL}", 6, LOGS, ROOT),
    "RTLOG_OLD": _spec(
        "sudo -n journalctl -u containerd -u crio -u docker -o short-iso -r -n <LINES> --since '<SINCE>' --no-pager",
        6,
        LOGS,
        ROOT,
    ),
    "CPLOG_LIST": _spec(
        "sudo -n crictl ps -a --name 'kube-apiserver|kube-controller-manager|kube-scheduler|etcd' -o json",
        10,
        LOGS,
        ROOT,
    ),
    "CPLOG": _spec("sudo -n crictl logs --tail 120 --timestamps <CONTAINER>", 10, TARGETED, ROOT),
    "CPLOG_UNITS": _spec(
        "sudo -n journalctl -u kube-apiserver -u kube-controller-manager -u kube-scheduler -u etcd -u kube-proxy "
        "-o json -r -n 300 --since '<SINCE>' --no-pager",
        10,
        LOGS,
        ROOT,
    ),
    "KERN": _spec("sudo -n journalctl -k -o short-iso -r -n 400 --since '-6h' --no-pager", 5, LOGS, ROOT),
    "KERN_DMESG": _spec("sudo -n dmesg -T | tail -n 400", 5, LOGS, ROOT),
    "NETCONF": _spec(
        "networkctl list --no-pager --no-legend; grep -rhE '^[[:space:]]*Manage(Foreign|Unmanaged)' "
        "/etc/systemd/networkd.conf /etc/systemd/networkd.conf.d /usr/lib/systemd/networkd.conf.d",
        6,
        LOGS,
    ),
    "NETLOG": _spec(
        "sudo -n journalctl -u systemd-networkd -u NetworkManager -o short-iso -r -n 100 --since '-24h' --no-pager",
        6,
        LOGS,
        ROOT,
    ),
    "PKGLOG": _spec("tail -n 40 /var/log/apt/history.log", 3, LOGS),
    "IMAGES": _spec("sudo -n crictl images -o json", 8, LOGS, ROOT),
    "IMAGES_DOCKER": _spec("sudo -n docker images --format '{{json .}}'", 8, LOGS, ROOT),
    "DU": _spec(
        "sudo -n timeout 20 du -x -B1 -d2 /var/log /var/lib/kubelet/pods /var/lib/containerd /var/lib/docker /tmp /var/tmp "
        "| sort -nr | head -15",
        22,
        LOGS,
        ROOT,
    ),
    "LSOF": _spec("sudo -n timeout 10 lsof -nP +L1", 12, LOGS, ROOT),
    "WRITABLE": _spec(
        "sudo -n crictl --timeout 8s stats -a -o json | grep -E -A1 'usedBytes|\"stats\"'", 10, LOGS, ROOT
    ),
    "HOSTLOGS": _spec("sudo -n tail -n 200 <FILE>", 4, LOGS, ROOT),
    "APIPATH": _spec(
        f"{_REACH} && {_CURL} https://<ENDPOINT>/livez -o /dev/null -w '%{{http_code}} %{{time_connect}}\\n'",
        10,
        TARGETED,
    ),
    "APILOCAL": _spec(
        f"{_CURL} 'https://127.0.0.1:6443/livez?verbose'; curl -sk -m 6 'https://127.0.0.1:6443/readyz?verbose'; "
        f"{_CURL} https://127.0.0.1:10257/healthz; {_CURL} https://127.0.0.1:10259/healthz",
        15,
        TARGETED,
    ),
    "CPS": _spec("sudo -n crictl ps -a -o json --name <COMPONENT>", 8, TARGETED, ROOT),
    "ETCD": _spec(
        "curl -s -m 3 http://127.0.0.1:2381/metrics | grep -E '^etcd_(server_has_leader|server_leader_changes_seen_total"
        "|disk_wal_fsync_duration_seconds_(sum|count)|mvcc_db_total_size_in_bytes|server_quota_backend_bytes)'; "
        "curl -s -m 3 http://127.0.0.1:2381/health",
        8,
        TARGETED,
    ),
    "CERTS": _spec("sudo -n openssl x509 -noout -subject -enddate -startdate -in <FILE>", 4, TARGETED, ROOT),
    # of a kubeconfig: where it says the certificate is, and the certificate that it holds itself; never a key
    "CERTS_PATH": _spec("sudo -n grep -E '^[[:space:]]*(server|client-certificate):' <FILE>", 3, TARGETED, ROOT),
    "CERTS_DATA": _spec(
        "sudo -n sed -n 's/^[[:space:]]*client-certificate-data:[[:space:]]*//p' <FILE> | base64 -d "
        "| openssl x509 -noout -subject -enddate -startdate",
        4,
        TARGETED,
        ROOT,
    ),
    "CERTS_PORT": _spec(
        "timeout 4 openssl s_client -connect <ENDPOINT> </dev/null 2>/dev/null "
        "| openssl x509 -noout -enddate -subject -ext subjectAltName",
        6,
        TARGETED,
    ),
    "CGDRV": _spec(
        "sudo -n grep -E '^cgroupDriver|^failCgroupV1|^cgroupsPerQOS|^enforceNodeAllocatable|^kubeReservedCgroup"
        "|^systemReservedCgroup|^configMapAndSecretChangeDetectionStrategy' /var/lib/kubelet/config.yaml",
        3,
        LOGS,
        ROOT,
    ),
    "KEVICT": _spec(
        "sudo -n grep -E '^(eviction|imageGC|mergeDefaultEvictionSettings)|^[[:space:]]+.?(memory|nodefs|imagefs)[.]' "
        "/var/lib/kubelet/config.yaml",
        3,
        LOGS,
        ROOT,
    ),
    "KSERIES": _spec(
        "curl -s -m 3 http://127.0.0.1:10255/metrics | sed 's/{.*//' | sort | uniq -c | sort -nr | head -20", 6, LOGS
    ),
    "CGDRV_RUNTIME": _spec(
        "sudo -n grep -nE 'SystemdCgroup|disabled_plugins|systemd_cgroup' /etc/containerd/config.toml /etc/crio/crio.conf.d/*",
        3,
        LOGS,
        ROOT,
    ),
    "IPT": _spec("sudo -n iptables -w 3 -S FORWARD", 8, LOGS, ROOT),
    "IPT_COUNT": _spec("sudo -n iptables -w 3 -L FORWARD -nvx", 8, LOGS, ROOT),
    "IPT_AGAIN": _spec(
        "sudo -n iptables -w 3 -S FORWARD | grep -q '^-P FORWARD DROP' && sleep 5; sudo -n iptables -w 3 -L FORWARD -nvx",
        14,
        LOGS,
        ROOT,
    ),
    "IPT_SVC": _spec("sudo -n iptables -w 3 -t nat -S | grep -c KUBE-SVC", 8, TARGETED, ROOT),
    "NFT": _spec("sudo -n nft list tables", 8, TARGETED, ROOT),
    "IPVS": _spec("sudo -n ipvsadm -Ln | head -50", 8, TARGETED, ROOT),
    "KPMODE": _spec("curl -s -m 2 http://127.0.0.1:10249/proxyMode", 3, TARGETED),
    "KPHEALTH": _spec("curl -s -m 2 -w ' %{http_code}' http://127.0.0.1:10256/healthz", 3, TARGETED),
    "RPFILTER": _spec(f"{_DROPS}; sleep 3; {_DROPS}", 6, TARGETED),
    "RPATH": _spec("ip -j route get <DST>", 2, TARGETED),
    "RPATH_FROM": _spec("ip -j route get <DST> from <PODIP> iif <IFACE>", 2, TARGETED),
    "NEIGH": _spec("ip neigh show <DST>", 2, TARGETED),
    "FDB": _spec("bridge fdb show dev <IFACE>", 2, TARGETED),
    "TCP": _spec(f"{_REACH}; echo rc=$?", 10, TARGETED),
    "DIG": _spec(_DIG, 4, TARGETED),
    "DIG_TCP": _spec(_DIG.replace("dig +", "dig +tcp +", 1), 4, TARGETED),
    "NSLOOKUP": _spec("nslookup -timeout=2 -type=<TYPE> <NAME> <SERVER>", 6, TARGETED),
    "RESOLV": _spec("cat /etc/resolv.conf", 2, BASE),
    "PODPID": _spec("sudo -n crictl inspect -o go-template --template '{{.info.pid}}' <CONTAINER>", 4, TARGETED, ROOT),
    "PODRESOLV_PATH": _spec(
        "sudo -n crictl inspect -o go-template --template '{{range .info.runtimeSpec.mounts}}"
        '{{if eq .destination "/etc/resolv.conf"}}{{.source}}{{end}}{{end}}\' <CONTAINER>',
        4,
        TARGETED,
        ROOT,
    ),
    "PODRESOLV": _spec("sudo -n head -c 4096 <RESOLVCONF>", 3, TARGETED, ROOT),
    "PODPORTS": _spec("sudo -n cat /proc/<PID>/net/tcp /proc/<PID>/net/tcp6 /proc/<PID>/net/udp", 2, TARGETED, ROOT),
    "PODSS": _spec("sudo -n nsenter -t <PID> -n ss -Htni", 3, TARGETED, ROOT),
    "CTFLOW": _spec("sudo -n conntrack -L -s <PODIP> -d <DST> | head -50", 4, TARGETED, ROOT),
    "CAP": _spec(
        "sudo -n timeout 20 tcpdump -nn -tttt -c 200 -s 96 -i any host <DST> and host <PODIP>", 22, TARGETED, ROOT
    ),
}
