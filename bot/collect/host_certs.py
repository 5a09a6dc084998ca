"""Certificates on a node: which files are in use there, and which is the kubelet's own (catalogue D.3, CERTS)."""

from __future__ import annotations

import re

from bot.collect.host_read import NoAnswerError, Trip
from bot.collect.sections import VALID, section
from bot.model.host import Certificates, KubeletArguments, StaticManifests
from bot.model.host_runtime import KUBELET_CERTIFICATE, Certificate
from bot.parse import certs
from bot.parse.common import UnparsableError
from bot.source import Section, Shell

KUBECONFIG, CURRENT = "/etc/kubernetes/kubelet.conf", "kubelet-client-current.pem"
USED_BY = {
    "kube-apiserver": ("apiserver", "apiserver-kubelet-client", "apiserver-etcd-client", "front-proxy-client", "ca"),
    "etcd": ("etcd/server", "etcd/peer", "etcd/healthcheck-client", "etcd/ca"),
    "kube-controller-manager": ("ca", "front-proxy-ca"),
}
HELD_BY = {  # kubeconfigs that hold their certificate themselves
    "kube-controller-manager": "/etc/kubernetes/controller-manager.conf",
    "kube-scheduler": "/etc/kubernetes/scheduler.conf",
}
_NAMED = re.compile(r"(?m)^\s*client-certificate:\s*[\"']?([^\s\"']+)")


def own_file(arguments: KubeletArguments | None) -> str:
    """Where the kubelet keeps the certificate that it renews: by ``--cert-dir``, ``--root-dir``, or the usual place."""
    flags = arguments.flags if arguments else {}
    folder = flags.get("cert-dir") or (f"{flags['root-dir'].rstrip('/')}/pki" if flags.get("root-dir") else "")
    path = f"{folder.rstrip('/')}/{CURRENT}" if folder else KUBELET_CERTIFICATE
    return path if VALID["FILE"](path) else KUBELET_CERTIFICATE


def kubeconfig(arguments: KubeletArguments | None) -> str:
    """The kubelet's kubeconfig."""
    path = arguments.flags.get("kubeconfig", "") if arguments else ""
    return path if VALID["FILE"](path) else KUBECONFIG


def sections(manifests: StaticManifests | None, arguments: KubeletArguments | None) -> tuple[Section, ...]:
    """What to ask: the kubelet's certificate, what its kubeconfig says, and those of components run from manifests."""
    names = [n for c in (manifests.control_plane if manifests else ()) for n in USED_BY.get(c, ())]
    paths = (own_file(arguments), *dict.fromkeys(f"/etc/kubernetes/pki/{n}.crt" for n in names))
    conf = kubeconfig(arguments)
    held = [HELD_BY[c] for c in (manifests.control_plane if manifests else ()) if c in HELD_BY]
    return (
        *(section("CERTS", file=path) for path in paths),
        section("CERTS_PATH", file=conf),
        *(section("CERTS_DATA", file=path) for path in dict.fromkeys((conf, *held))),
    )


def read(trip: Trip, shell: Shell, arguments: KubeletArguments | None) -> Certificates:
    """Every certificate that could be read; a file that the kubeconfig names elsewhere costs one more visit.

    Raises:
        NoAnswerError: none could be read, and one of them is there.
        SourceError: the node does not let the bot in any more.
    """
    own, conf = own_file(arguments), kubeconfig(arguments)
    named = _named(trip, conf)
    keys = [key for key in trip.sections if key.startswith("CERTS:")]
    if named and f"CERTS:{named}" not in keys:
        more = Trip.make(shell, trip.node, trip.clock, (section("CERTS", file=named),))
        trip = Trip(
            node=trip.node,
            clock=trip.clock,
            sections={**trip.sections, **more.sections},
            outputs={**trip.outputs, **more.outputs},
        )
        keys.append(f"CERTS:{named}")
    items: list[Certificate] = []
    unread: dict[str, str] = {}
    for key in keys:
        path = key.partition(":")[2]
        try:
            found = certs.certificate(path, trip.output(key).text)
        except (NoAnswerError, UnparsableError) as error:
            unread[path] = str(error)
            continue
        items += [found] if found else []
    holding = [p for p in (*HELD_BY.values(), *(() if named else (conf,))) if f"CERTS_DATA:{p}" in trip.outputs]
    held = [found for p in holding if (found := _held(trip, p))]
    items += held
    if unread and not items:
        raise NoAnswerError(next(iter(unread.values())), "openssl on the node, and sudo for openssl x509 -noout")
    mine = named or _longer(items, own, conf)
    proof = trip.proof(*keys, *(f"CERTS_DATA:{c.path}" for c in held))
    return Certificates(proof=proof, node=trip.node, items=tuple(items), unread=unread, kubelet=mine)


def _named(trip: Trip, conf: str) -> str:
    """The file that the kubeconfig names as the kubelet's certificate; empty when it names none that may be read."""
    found = _NAMED.search(trip.text_or(f"CERTS_PATH:{conf}"))
    if not found:
        return ""
    path = found[1] if found[1].startswith("/") else f"{conf.rpartition('/')[0]}/{found[1]}"
    return path if VALID["FILE"](path) else ""


def _held(trip: Trip, conf: str) -> Certificate | None:
    """The certificate that stands in the kubeconfig itself."""
    try:
        return certs.certificate(conf, trip.text(f"CERTS_DATA:{conf}"))
    except (NoAnswerError, UnparsableError):
        return None


def _longer(items: list[Certificate], own: str, conf: str) -> str:
    """The kubelet takes the file that it renews, and what its kubeconfig holds when that is of no use."""
    both = [c for c in items if c.path in {own, conf}]
    return max(both, key=lambda c: c.not_after).path if both else own
