"""The network of a healthy node: interfaces, routes, rules, cards, filters, for each of the three kinds of CNI."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

import json

from tools.bases.addons import nic
from tools.bases.host import Out, join, ls
from tools.bases.ids import Obj, hexid, iso, number
from tools.bases.platform import FLANNEL_CNI
from tools.bases.spec import RECORDED, Host
from tools.bases.world import World

UP = ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"]


def network(world: World, host: Host) -> dict[str, Out]:
    """The sections about the network, by key."""
    found = {
        "LINKS": _links(world, host),
        "ADDR": _addresses(world, host),
        "IFACES": Out(join(sorted(link["ifname"] for link in links(world, host)))),
        "RULES": _rules(world, host),
        "RULES6": _rules6(world),
        "RULES_MAIN": _routes(world, main_routes(world, host)),
        "RULES_T": _table_two(world, host).of(table="2"),
        "CNI": _cni(world, host),
        "PCI": _cards(world),
        "CTCOUNT": Out(f"{420 + 37 * host.number}\n262144\n"),
        "CTSTAT": Out(
            join(
                f"cpu={i}   \tfound=0 invalid=0 insert=0 insert_failed=0 drop=0 early_drop=0 error=0 search_restart=0 clash_resolve=0 chaintoolong=0 "
                for i in range(host.cpu)
            )
        ),
        "RESOLV": _resolv_conf(world),
        "NETCONF": _netconf(world, host),
        "NETLOG": _netlog(world, host),
        "KPMODE": Out("iptables"),
        "KPHEALTH": _proxy_health(),
        **_filters(world),
    }
    if world.spec.legacy:
        found["RULES_TEXT"] = Out("").of(table="2")
    return found


def veth(pod: Obj) -> str:
    """The host's end of a pod's cable."""
    return f"veth{hexid(8, 'veth', pod['metadata']['uid'])}"


def _host_end(world: World, pod: Obj) -> str:
    return f"cali{hexid(11, 'veth', pod['metadata']['uid'])}" if world.spec.cni == "calico" else veth(pod)


def pods_with_ip(world: World, host: Host) -> list[Obj]:
    """The pods of a host that have an address of their own."""
    return [p for p in world.pods_on(host) if not p["spec"].get("hostNetwork")]


def mac(host: Host, name: str) -> str:
    """A locally administered address."""
    digits = hexid(8, "mac", host.name, host.ip, name)
    return "52:54:" + ":".join(digits[i : i + 2] for i in range(0, 8, 2))


def links(world: World, host: Host) -> list[Obj]:
    """The interfaces as ``ip -j -d link show`` lists them, with their addresses under ``addr_info``."""
    main = nic(world)
    mtu = 1450
    found = [_link(1, "lo", host, flags=["LOOPBACK", "UP", "LOWER_UP"], mtu=65536, kind="", address=("127.0.0.1", 8))]
    found.append(_link(2, main, host, address=(host.ip, 24)))
    if host.nic:
        found.append(_link(3, "eth1", host, address=(host.nic, 24)))
    if world.spec.cni == "flannel":
        found.append(_link(4, "flannel.1", host, kind="vxlan", mtu=mtu, address=(f"{host.pods}.0", 32)))
        found.append(_link(5, "cni0", host, kind="bridge", mtu=mtu, address=(host.gateway, 24)))
    if world.spec.cni == "calico":
        found.append(_link(4, "vxlan.calico", host, kind="vxlan", mtu=mtu, address=(f"{host.pods}.0", 32)))
    if world.spec.legacy:
        found.append(
            _link(
                6,
                "docker0",
                host,
                kind="bridge",
                address=("172.17.0.1", 16),
                flags=["BROADCAST", "MULTICAST", "UP"],
                state="DOWN",
            )
        )
    for i, pod in enumerate(pods_with_ip(world, host)):
        more = {"master": "cni0"} if world.spec.cni == "flannel" else {}
        found.append(
            _link(
                10 + i,
                _host_end(world, pod),
                host,
                kind="veth",
                mtu=mtu if world.spec.cni != "ipamd" else 1500,
                more=more,
            )
        )
    return found


def _link(
    index: int,
    name: str,
    host: Host,
    *,
    kind: str = "",
    mtu: int = 1500,
    address: tuple[str, int] | None = None,
    flags: list[str] | None = None,
    state: str = "UP",
    more: dict[str, str] | None = None,
) -> Obj:
    loop = name == "lo"
    item: Obj = {
        "ifindex": index,
        "ifname": name,
        "flags": flags or UP,
        "mtu": mtu,
        "qdisc": "noqueue" if kind or loop else "mq",
        **(more or {}),
        "operstate": "UNKNOWN" if loop or kind == "vxlan" else state,
        "linkmode": "DEFAULT",
        "group": "default",
        "txqlen": 1000,
        "link_type": "loopback" if loop else "ether",
        "address": "00:00:00:00:00:00" if loop else mac(host, name),
        "broadcast": "00:00:00:00:00:00" if loop else "ff:ff:ff:ff:ff:ff",
        "promiscuity": 0,
        "min_mtu": 68,
        "max_mtu": 65535,
    }
    if kind:
        item["linkinfo"] = {
            "info_kind": kind,
            "info_data": {"id": 4096, "port": 4789} if name == "vxlan.calico" else {},
        }
    if kind == "veth":
        item |= {"link_index": 2, "link_netnsid": index - 10}
    item["num_tx_queues"] = item["num_rx_queues"] = 1
    item["addr_info"] = (
        [
            {
                "family": "inet",
                "local": address[0],
                "prefixlen": address[1],
                "scope": "host" if loop else "global",
                "label": name,
                "valid_life_time": 4294967295,
                "preferred_life_time": 4294967295,
            }
        ]
        if address
        else []
    )
    return item


NO_JSON = 'Option "-j" is unknown, try "ip -help".\n'


def _links(world: World, host: Host) -> Out:
    found = links(world, host)
    if world.spec.legacy:
        return Out(join(_link_text(x) for x in found), stderr=NO_JSON)
    return Out(_one_line([{k: v for k, v in x.items() if k != "addr_info"} for x in found]))


def _addresses(world: World, host: Host) -> Out:
    found = links(world, host)
    if world.spec.legacy:
        return Out(
            join(
                _link_text(x)
                + "".join(
                    f"\n    inet {a['local']}/{a['prefixlen']} scope {a['scope']} {x['ifname']}\n       valid_lft forever preferred_lft forever"
                    for a in x["addr_info"]
                )
                for x in found
            ),
            stderr=NO_JSON,
        )
    drop = {"linkmode", "promiscuity", "min_mtu", "max_mtu", "linkinfo", "num_tx_queues", "num_rx_queues"}
    return Out(_one_line([{k: v for k, v in x.items() if k not in drop} for x in found]))


def _link_text(x: Obj) -> str:
    name = f"{x['ifname']}@if2" if "link_netnsid" in x else x["ifname"]
    master = f" master {x['master']}" if "master" in x else ""
    kind = x.get("linkinfo", {}).get("info_kind")
    head = f"{x['ifindex']}: {name}: <{','.join(x['flags'])}> mtu {x['mtu']} qdisc {x['qdisc']}{master} state {x['operstate']} mode DEFAULT group default qlen {x['txqlen']}"
    ether = f"    link/{x['link_type']} {x['address']} brd {x['broadcast']} promiscuity 0"
    return "\n".join([head, ether, *([f"    {kind} "] if kind else [])])


def _one_line(value: object) -> str:
    return json.dumps(value, separators=(",", ":")) + "\n"


def _rules(world: World, host: Host) -> Out:
    rules: list[Obj] = [{"priority": 0, "src": "all", "table": "local"}]
    if host.nic:
        ips = [p["status"]["podIP"] for p in pods_with_ip(world, host)]
        rules += [{"priority": 512, "src": "all", "dst": ip, "table": "main"} for ip in ips]
        rules += [{"priority": 1536, "src": ip, "table": "2"} for ip in ips]
    rules += [{"priority": 32766, "src": "all", "table": "main"}, {"priority": 32767, "src": "all", "table": "default"}]
    if world.spec.legacy:
        return Out(join(f"{r['priority']}:\tfrom {r['src']} lookup {r['table']} " for r in rules), stderr=NO_JSON)
    return Out(_one_line(rules))


def _rules6(world: World) -> Out:
    if world.spec.legacy:
        return Out("0:\tfrom all lookup local \n32766:\tfrom all lookup main \n", stderr=NO_JSON)
    return Out(
        _one_line([{"priority": 0, "src": "all", "table": "local"}, {"priority": 32766, "src": "all", "table": "main"}])
    )


def main_routes(world: World, host: Host) -> list[Obj]:
    """The main table."""
    main = nic(world)
    net = host.ip.rsplit(".", 1)[0]
    found: list[Obj] = [
        {"dst": "default", "gateway": world.spec.gateway, "dev": main, "protocol": "static", "flags": []},
        {"dst": f"{net}.0/24", "dev": main, "protocol": "kernel", "scope": "link", "prefsrc": host.ip, "flags": []},
    ]
    others = [h for h in world.spec.hosts if h is not host]
    pods = [(p["status"]["podIP"], _host_end(world, p)) for p in pods_with_ip(world, host)]
    if world.spec.cni == "flannel":
        found += [
            {"dst": f"{h.pods}.0/24", "gateway": f"{h.pods}.0", "dev": "flannel.1", "flags": ["onlink"]} for h in others
        ]
        found.append(
            {
                "dst": f"{host.pods}.0/24",
                "dev": "cni0",
                "protocol": "kernel",
                "scope": "link",
                "prefsrc": host.gateway,
                "flags": [],
            }
        )
    if world.spec.cni == "calico":
        found += [
            {
                "dst": f"{h.pods}.0/26",
                "gateway": f"{h.pods}.0",
                "dev": "vxlan.calico",
                "protocol": "80",
                "flags": ["onlink"],
            }
            for h in others
        ]
        found.append({"type": "blackhole", "dst": f"{host.pods}.0/26", "protocol": "80", "flags": []})
    if host.nic:
        found.append(
            {
                "dst": f"{host.pods}.0/24",
                "dev": "eth1",
                "protocol": "kernel",
                "scope": "link",
                "prefsrc": host.nic,
                "flags": [],
            }
        )
    if world.spec.cni != "flannel":
        found += [{"dst": ip, "dev": end, "scope": "link", "flags": []} for ip, end in pods]
    return found


def _routes(world: World, routes: list[Obj]) -> Out:
    if not world.spec.legacy:
        return Out(_one_line(routes))
    return Out(join(_route_text(r) for r in routes), stderr=NO_JSON)


def _route_text(r: Obj) -> str:
    words = [r["dst"], *(["via", r["gateway"]] if "gateway" in r else []), "dev", r["dev"]]
    for key, word in (("protocol", "proto"), ("scope", "scope"), ("prefsrc", "src")):
        words += [word, r[key]] if key in r else []
    return " ".join([*words, *r["flags"]]) + " "


def _table_two(world: World, host: Host) -> Out:
    if world.spec.legacy:
        return Out(stderr=NO_JSON, exit=255)
    if not host.nic:
        return Out("[", "Error: ipv4: FIB table does not exist.\nDump terminated\n", 2)
    return Out(
        _one_line(
            [
                {"dst": "default", "gateway": host.gateway, "dev": "eth1", "flags": []},
                {"dst": host.gateway, "dev": "eth1", "scope": "link", "flags": []},
            ]
        )
    )


PLUGINS = (
    "bandwidth",
    "bridge",
    "dhcp",
    "dummy",
    "firewall",
    "host-device",
    "host-local",
    "ipvlan",
    "loopback",
    "macvlan",
    "portmap",
    "ptp",
    "sbr",
    "static",
    "tap",
    "tuning",
    "vlan",
    "vrf",
)


def _cni(world: World, host: Host) -> Out:
    name, text = _cni_file(world)
    extra = {"flannel": ["flannel"], "calico": ["calico", "calico-ipam"], "ipamd": ["cni-ipam"]}[world.spec.cni]
    when = host.joined
    files = ls([("-rw-r--r--", len(text), name)], when, "/etc/cni/net.d")
    plugins = ls(
        [("-rwxr-xr-x", 3_000_000 + number(2_000_000, p), p) for p in sorted([*PLUGINS, *extra])], when, "/opt/cni/bin"
    )
    return Out(
        f"{files}\n{plugins}{text}",
        stderr="head: cannot open '/etc/cni/net.d/*.conf' for reading: No such file or directory\n",
    )


def _cni_file(world: World) -> tuple[str, str]:
    if world.spec.cni == "flannel":
        return "10-flannel.conflist", FLANNEL_CNI + "\n"
    kind = {
        "calico": {"type": "calico", "mtu": 0, "ipam": {"type": "calico-ipam"}, "policy": {"type": "k8s"}},
        "ipamd": {"type": "ptp", "mtu": 1500, "ipam": {"type": "cni-ipam", "socket": "/run/cni-ipamd.sock"}},
    }[world.spec.cni]
    plugins = [kind, {"type": "portmap", "capabilities": {"portMappings": True}}]
    conf = {
        "name": "k8s-pod-network" if world.spec.cni == "calico" else "cni-ipamd",
        "cniVersion": "0.3.1",
        "plugins": plugins,
    }
    return ("10-calico.conflist" if world.spec.cni == "calico" else "10-ipamd.conflist"), json.dumps(
        conf, indent=2
    ) + "\n"


def _cards(world: World) -> Out:
    if world.spec.cni == "ipamd":
        cards = [
            ("0000:00:05.0", "0x1af4 0x1000", "virtio-pci", "/virtio1", "eth0"),
            ("0000:00:06.0", "0x1af4 0x1000", "virtio-pci", "/virtio2", "eth1"),
        ]
    else:
        cards = [("0000:0b:00.0", "0x15ad 0x07b0", "vmxnet3", "", nic(world))]
    return Out(
        join(
            f"/sys/bus/pci/devices/{slot} {ids} drv={driver} net=/sys/bus/pci/devices/{slot}{sub}/net:,{name},"
            for slot, ids, driver, sub, name in cards
        )
    )


def _resolv_conf(world: World) -> Out:
    if world.spec.legacy:
        return Out("# Generated by NetworkManager\n" + join(f"nameserver {u}" for u in world.spec.upstreams))
    head = "# This is /run/systemd/resolve/resolv.conf managed by man:systemd-resolved(8).\n# Do not edit.\n\n"
    return Out(head + join([*(f"nameserver {u}" for u in world.spec.upstreams), "search ."]))


def _netconf(world: World, host: Host) -> Out:
    if world.spec.legacy:
        return Out(
            stderr="sh: networkctl: command not found\ngrep: /etc/systemd/networkd.conf: No such file or directory\ngrep: /etc/systemd/networkd.conf.d: No such file or directory\ngrep: /usr/lib/systemd/networkd.conf.d: No such file or directory\n",
            exit=2,
        )
    rows = []
    for x in links(world, host):
        managed = x["ifname"] == nic(world)
        kind = x.get("linkinfo", {}).get("info_kind")
        shown = {"vxlan": "vxlan", "bridge": "bridge"}.get(kind or "", "loopback" if x["ifname"] == "lo" else "ether")
        state = (
            "routable"
            if managed
            else "carrier"
            if x["ifname"] == "lo"
            else "degraded"
            if kind == "veth"
            else "routable"
        )
        rows.append(
            f"{x['ifindex']:>3} {x['ifname']:<16} {shown:<8} {state:<11} {'configured' if managed else 'unmanaged'}"
        )
    return Out(
        join(rows),
        stderr="grep: /etc/systemd/networkd.conf.d: No such file or directory\ngrep: /usr/lib/systemd/networkd.conf.d: No such file or directory\n",
        exit=2,
    )


def _netlog(world: World, host: Host) -> Out:  # noqa: ARG001 - the same shape as the others
    """Nothing in 24 hours: the network was set up at boot and left alone."""
    return Out("-- No entries --\n")


def _proxy_health() -> Out:
    updated = RECORDED.strftime("%Y-%m-%dT03:52:41.118204Z")
    return Out(
        f'{{"lastUpdated":"{iso(RECORDED)[:-1]}.021Z","currentTime":"{iso(RECORDED)[:-1]}.020Z","nodeEligible":true,"healthy":true,"status":{{"IPv4":{{"lastUpdated":"{updated}","healthy":true}}}}}} 200'
    )


CHAINS = (
    (
        "KUBE-PROXY-FIREWALL",
        "ctstate NEW /* kubernetes load balancer firewall */",
        '-m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall"',
    ),
    ("KUBE-FORWARD", "/* kubernetes forwarding rules */", '-m comment --comment "kubernetes forwarding rules"'),
    (
        "KUBE-SERVICES",
        "ctstate NEW /* kubernetes service portals */",
        '-m conntrack --ctstate NEW -m comment --comment "kubernetes service portals"',
    ),
    (
        "KUBE-EXTERNAL-SERVICES",
        "ctstate NEW /* kubernetes externally-visible service portals */",
        '-m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals"',
    ),
)


def _filters(world: World) -> dict[str, Out]:
    extra = {
        "flannel": ("FLANNEL-FWD", "/* flanneld forward */", '-m comment --comment "flanneld forward"'),
        "calico": ("cali-FORWARD", "/* cali:wUHhoiAYhphO9Mso */", '-m comment --comment "cali:wUHhoiAYhphO9Mso"'),
    }
    chains = [*CHAINS, *([extra[world.spec.cni]] if world.spec.cni in extra else [])]
    spec = "-P FORWARD ACCEPT\n" + join(f"-A FORWARD {match} -j {chain}" for chain, _shown, match in chains)
    head = "Chain FORWARD (policy ACCEPT 0 packets, 0 bytes)\n    pkts      bytes target     prot opt in     out     source               destination         \n"
    counts = head + join(
        f"{48210 + 911 * i:>8} {9120331 + 40127 * i:>9} {chain} 0    --  *      *       0.0.0.0/0            0.0.0.0/0            {shown}"
        for i, (chain, shown, _match) in enumerate(chains)
    )
    services = len([s for s in world.all("Service") if s["spec"]["clusterIP"] != "None"])
    missing = "command not found"
    return {
        "IPT": Out(spec),
        "IPT_COUNT": Out(counts),
        "IPT_AGAIN": Out(counts),
        "IPT_SVC": Out(f"{services * 4 + 9}\n"),
        "NFT": Out(
            "table ip mangle\ntable ip nat\ntable ip filter\ntable ip6 mangle\ntable ip6 nat\ntable ip6 filter\n"
        )
        if not world.spec.legacy
        else Out(stderr=f"sudo: nft: {missing}\n", exit=1),
        "IPVS": Out(stderr=f"sudo: ipvsadm: {missing}\n"),
    }
