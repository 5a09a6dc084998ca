"""What DNS servers answer, and what the bot could connect to, on a healthy day.

An entry whose name starts with ``*.`` stands for every name below that suffix for which no entry of its own is recorded: names
made up by a probe (``x<random>.svc.cluster.local``) cannot be listed one by one.
"""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.ids import Obj, ago, iso, number
from tools.bases.world import World


def add_names(world: World) -> None:
    """Record dns.json and probes.json."""
    world.json("kubewhy/dns.json", answers(world))
    past = [{"at": iso(ago(86400.0 * days)), "addresses": []} for days in (7, 3, 1)]
    known = {name: [{**p, "addresses": list(a)} for p in past] for name, a in world.spec.answers.items()}
    world.json("kubewhy/history.json", {"answers": known})
    probes = [_tried(f"{h.ip}", port, h.name) for h in world.spec.hosts for port in (22, 10250)]
    probes += [_tried(m.ip, 6443, m.name) for m in world.spec.masters]
    vip, _, port = world.spec.endpoint.rpartition(":")
    if vip not in {m.ip for m in world.spec.masters}:
        probes.append(_tried(vip, int(port), "endpoint"))
    world.json("kubewhy/probes.json", probes)


def _tried(host: str, port: int, salt: str) -> Obj:
    return {"from": "bot", "host": host, "port": port, "kind": "tcp", "result": "ok", "ms": 1 + number(3, salt, port)}


def answers(world: World) -> list[Obj]:
    """Every question, as the bot and as each node asked it."""
    cluster = [world.spec.dns_ip, *dns_pods(world)]
    found = []
    for origin in ("bot", *(f"node/{h.name}" for h in world.spec.hosts)):
        for server in cluster:
            found += [_entry(origin, server, name, addresses) for name, addresses in _inside(world).items()]
        for server in (*cluster, *world.spec.upstreams):
            found += [_entry(origin, server, name, addresses) for name, addresses in world.spec.answers.items()]
            found += [{**_entry(origin, server, name, ()), "type": "AAAA"} for name in world.spec.answers]
            found.append(_entry(origin, server, "*.svc.cluster.local", (), "NXDOMAIN"))
    return found


def dns_pods(world: World) -> list[str]:
    """The addresses of the DNS pods."""
    return [
        p["status"]["podIP"] for p in world.all("Pod") if p["metadata"].get("labels", {}).get("k8s-app") == "kube-dns"
    ]


def _inside(world: World) -> dict[str, tuple[str, ...]]:
    """Service names of the cluster; a headless one answers with its pods."""
    found: dict[str, tuple[str, ...]] = {}
    pods = world.all("Pod")
    for svc in world.all("Service"):
        meta, spec = svc["metadata"], svc["spec"]
        ip = spec["clusterIP"]
        if ip == "None":
            wanted = spec["selector"].items()
            mine = [
                p
                for p in pods
                if p["metadata"]["namespace"] == meta["namespace"] and wanted <= p["metadata"]["labels"].items()
            ]
            found[f"{meta['name']}.{meta['namespace']}.svc.cluster.local"] = tuple(p["status"]["podIP"] for p in mine)
        else:
            found[f"{meta['name']}.{meta['namespace']}.svc.cluster.local"] = (ip,)
    return found


def _entry(origin: str, server: str, name: str, addresses: tuple[str, ...], rcode: str = "NOERROR") -> Obj:
    return {
        "from": origin,
        "server": server,
        "name": name,
        "type": "A",
        "rcode": rcode,
        "answers": list(addresses),
        "ms": 1 + number(4, origin, server, name),
    }
