"""How a kubelet gets back what it starts from: a file with or without backup, its kubeconfig and certificate."""

from __future__ import annotations

import shlex

from bot.checks.node.about import restart
from bot.model.finding import Fix, Safety
from bot.model.text import T

KUBECONFIG, CONFIG, CA = "/etc/kubernetes/kubelet.conf", "/var/lib/kubelet/config.yaml", "/etc/kubernetes/pki/ca.crt"
RESTART = "sudo systemctl restart kubelet"


def new_kubeconfig(name: str, *dated: str) -> Fix:
    """The way of kubeadm's documentation when the kubelet's client certificate is of no use any more.

    Args:
        name: the node.
        dated: a certificate whose dates show that it worked.
    """
    user, made, here = (shlex.quote(x) for x in (f"system:node:{name}", f"kubelet-{name}.conf", name))
    checks = (f"sudo openssl x509 -noout -dates -in {shlex.quote(path)}" for path in dated)
    return Fix(
        what=T(
            "On a control-plane host make a new kubeconfig, copy it to {node} in place of {path}, restart the kubelet. "
            "Without kubeadm, join the node again as the distribution says.",
            node=name,
            path=KUBECONFIG,
        ),
        safety=Safety.REVERSIBLE,
        commands=(
            f"sudo kubeadm kubeconfig user --org system:nodes --client-name {user} > {made}",
            f"scp {made} {here}:/tmp/kubelet.conf",
            f"sudo cp -p {KUBECONFIG} {KUBECONFIG}.before",
            f"sudo install -m 600 /tmp/kubelet.conf {KUBECONFIG}",
            RESTART,
        ),
        verify=(*checks, f"kubectl get node {here}"),
        undo=(f"sudo cp -p {KUBECONFIG}.before {KUBECONFIG}", RESTART),
    )


def from_backup(path: str, backup: str, *, latent: bool) -> Fix:
    """Copy the backup back; the kubelet of a latent fault still runs."""
    what = (
        T("On the node: compare {backup} with the same file of a healthy node, then copy it back.", backup=backup)
        if latent
        else T(
            "On the node: compare {backup} with the same file of a healthy node, copy it back, start the kubelet.",
            backup=backup,
        )
    )
    return restart(
        what,
        f"sudo cp -p {shlex.quote(backup)} {shlex.quote(path)}",
        *(() if latent else (RESTART,)),
        safety=Safety.REVERSIBLE,
        undo=(f"sudo rm {shlex.quote(path)}",),
    )


def without_backup(name: str, path: str, *, config: str, latent: bool) -> Fix:
    """Where the file comes from when nobody kept it: kubeadm, the cluster itself, or a healthy node."""
    then = () if latent else (RESTART,)
    if path == config:
        return restart(
            T("On the node: let kubeadm write the kubelet's configuration again, or copy it from a healthy node."),
            "sudo kubeadm upgrade node phase kubelet-config",
            *then,
            safety=Safety.REVERSIBLE,
        )
    if path.endswith((KUBECONFIG.rpartition("/")[2], "kubelet-client-current.pem", ".kubeconfig")):
        return new_kubeconfig(name)
    if path == CA:
        return restart(
            T("Take the cluster's certificate authority from the cluster, put it back on the node."),
            "kubectl -n kube-public get configmap kube-root-ca.crt -o jsonpath='{.data.ca\\.crt}' > ca.crt",
            f"scp ca.crt {shlex.quote(name)}:/tmp/ca.crt",
            f"sudo install -D -m 644 /tmp/ca.crt {CA}",
            *then,
            safety=Safety.REVERSIBLE,
        )
    return restart(
        T("Copy {path} from a healthy node of the same kind, adapt it, then start the kubelet.", path=path),
        f"ls -l {shlex.quote(path)}",
        *then,
        safety=Safety.REVERSIBLE,
    )
