"""The interfaces of a node."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

import json

from tools.bases.host import Out, join
from tools.bases.ids import Obj, hexid
from tools.bases.network import nic
from tools.bases.spec import Host
from tools.bases.world import World

UP = ["BROADCAST", "MULTICAST", "UP", "LOWER_UP"]


def veth(pod: Obj) -> str:
    """The host's end of a pod's cable."""
    return f"veth{hexid(8, 'veth', pod['metadata']['uid'])}"


def host_end(world: World, pod: Obj) -> str:
    """The host's end of a pod's cable, as the CNI names it."""
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
                host_end(world, pod),
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


def link_section(world: World, host: Host) -> Out:
    """LINKS."""
    found = links(world, host)
    if world.spec.legacy:
        return Out(join(_link_text(x) for x in found), stderr=NO_JSON)
    return Out(one_line([{k: v for k, v in x.items() if k != "addr_info"} for x in found]))


def address_section(world: World, host: Host) -> Out:
    """ADDR."""
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
    return Out(one_line([{k: v for k, v in x.items() if k not in drop} for x in found]))


def _link_text(x: Obj) -> str:
    name = f"{x['ifname']}@if2" if "link_netnsid" in x else x["ifname"]
    master = f" master {x['master']}" if "master" in x else ""
    kind = x.get("linkinfo", {}).get("info_kind")
    head = f"{x['ifindex']}: {name}: <{','.join(x['flags'])}> mtu {x['mtu']} qdisc {x['qdisc']}{master} state {x['operstate']} mode DEFAULT group default qlen {x['txqlen']}"
    ether = f"    link/{x['link_type']} {x['address']} brd {x['broadcast']} promiscuity 0"
    return "\n".join([head, ether, *([f"    {kind} "] if kind else [])])


def one_line(value: object) -> str:
    """JSON as ``ip -j`` prints it."""
    return json.dumps(value, separators=(",", ":")) + "\n"
