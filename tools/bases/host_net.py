"""The network of a healthy node: interfaces, routes, rules, cards, filters, for each of the three kinds of CNI."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.host import Out, join
from tools.bases.host_cni import cards_section, cni_section, netconf_section, netlog_section, resolv_section
from tools.bases.host_filters import filter_sections, proxy_health
from tools.bases.host_links import NO_JSON, address_section, host_end, link_section, links, one_line, pods_with_ip
from tools.bases.ids import Obj
from tools.bases.network import nic
from tools.bases.spec import Host
from tools.bases.world import World


def network(world: World, host: Host) -> dict[str, Out]:
    """The sections about the network, by key."""
    found = {
        "LINKS": link_section(world, host),
        "ADDR": address_section(world, host),
        "IFACES": Out(join(sorted(link["ifname"] for link in links(world, host)))),
        "RULES": _rules(world, host),
        "RULES6": _rules6(world),
        "RULES_MAIN": _routes(world, main_routes(world, host)),
        "RULES_T": _table_two(world, host).of(table="2"),
        "CNI": cni_section(world, host),
        "PCI": cards_section(world),
        "CTCOUNT": Out(f"{420 + 37 * host.number}\n262144\n"),
        "CTSTAT": Out(
            join(
                f"cpu={i}   \tfound=0 invalid=0 insert=0 insert_failed=0 drop=0 early_drop=0 error=0 search_restart=0 clash_resolve=0 chaintoolong=0 "
                for i in range(host.cpu)
            )
        ),
        "RESOLV": resolv_section(world),
        "NETCONF": netconf_section(world, host),
        "NETLOG": netlog_section(world, host),
        "KPMODE": Out("iptables"),
        "KPHEALTH": proxy_health(),
        **filter_sections(world),
    }
    if world.spec.legacy:
        found["RULES_TEXT"] = Out("").of(table="2")
    return found


def _rules(world: World, host: Host) -> Out:
    rules: list[Obj] = [{"priority": 0, "src": "all", "table": "local"}]
    if host.nic:
        ips = [p["status"]["podIP"] for p in pods_with_ip(world, host)]
        rules += [{"priority": 512, "src": "all", "dst": ip, "table": "main"} for ip in ips]
        rules += [{"priority": 1536, "src": ip, "table": "2"} for ip in ips]
    rules += [{"priority": 32766, "src": "all", "table": "main"}, {"priority": 32767, "src": "all", "table": "default"}]
    if world.spec.legacy:
        return Out(join(f"{r['priority']}:\tfrom {r['src']} lookup {r['table']} " for r in rules), stderr=NO_JSON)
    return Out(one_line(rules))


def _rules6(world: World) -> Out:
    if world.spec.legacy:
        return Out("0:\tfrom all lookup local \n32766:\tfrom all lookup main \n", stderr=NO_JSON)
    return Out(
        one_line([{"priority": 0, "src": "all", "table": "local"}, {"priority": 32766, "src": "all", "table": "main"}])
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
    pods = [(p["status"]["podIP"], host_end(world, p)) for p in pods_with_ip(world, host)]
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
        return Out(one_line(routes))
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
        one_line(
            [
                {"dst": "default", "gateway": host.gateway, "dev": "eth1", "flags": []},
                {"dst": host.gateway, "dev": "eth1", "scope": "link", "flags": []},
            ]
        )
    )
