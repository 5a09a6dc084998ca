"""Roles, bindings and the accounts they name: those that the parts of the cluster use."""

from __future__ import annotations

from typing import Any

from tools.bases.ids import Obj, born, obj
from tools.bases.world import World

READ = ["get", "list", "watch"]


RBAC = "rbac.authorization.k8s.io/v1"


BOOT = {"kubernetes.io/bootstrapping": "rbac-defaults"}


def rule(resources: list[str], verbs: list[str], groups: list[str] | None = None, **more: Any) -> Obj:
    """One RBAC rule."""
    return {"apiGroups": groups or [""], "resources": resources, "verbs": verbs, **more}


SLICES = rule(["endpointslices"], ["list", "watch"], ["discovery.k8s.io"])


CLUSTER_ROLES: dict[str, list[Obj]] = {
    "cluster-admin": [rule(["*"], ["*"], ["*"]), {"nonResourceURLs": ["*"], "verbs": ["*"]}],
    "admin": [
        rule(["pods", "services", "configmaps", "secrets", "persistentvolumeclaims"], ["*"]),
        rule(["*"], ["*"], ["apps"]),
    ],
    "edit": [
        rule(
            ["pods", "services", "configmaps", "persistentvolumeclaims"], [*READ, "create", "update", "patch", "delete"]
        )
    ],
    "view": [rule(["pods", "services", "configmaps", "persistentvolumeclaims", "endpoints", "events"], READ)],
    "system:discovery": [
        {
            "nonResourceURLs": [
                "/api",
                "/api/*",
                "/apis",
                "/apis/*",
                "/healthz",
                "/livez",
                "/openapi",
                "/openapi/*",
                "/readyz",
                "/version",
                "/version/",
            ],
            "verbs": ["get"],
        }
    ],
    "system:public-info-viewer": [
        {"nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"], "verbs": ["get"]}
    ],
    "system:basic-user": [
        rule(["selfsubjectaccessreviews", "selfsubjectrulesreviews"], ["create"], ["authorization.k8s.io"]),
        rule(["selfsubjectreviews"], ["create"], ["authentication.k8s.io"]),
    ],
    "system:coredns": [rule(["endpoints", "services", "pods", "namespaces"], ["list", "watch"]), SLICES],
    "system:node-proxier": [
        rule(["services", "nodes"], READ),
        SLICES,
        rule(["events"], ["create", "patch", "update"], ["", "events.k8s.io"]),
    ],
    "system:node": [rule(["nodes"], ["create", *READ, "patch", "update"]), rule(["pods"], [*READ, "create", "delete"])],
    "system:kube-controller-manager": [
        rule(["leases"], ["create", "get", "update"], ["coordination.k8s.io"]),
        rule(["*"], ["list", "watch"], ["*"]),
    ],
    "system:kube-scheduler": [
        rule(["leases"], ["create", "get", "update"], ["coordination.k8s.io"]),
        rule(["nodes"], READ),
        rule(["pods"], ["delete", *READ]),
        rule(["bindings", "pods/binding"], ["create"]),
    ],
    "system:auth-delegator": [
        rule(["tokenreviews"], ["create"], ["authentication.k8s.io"]),
        rule(["subjectaccessreviews"], ["create"], ["authorization.k8s.io"]),
    ],
    "system:kubelet-api-admin": [
        rule(["nodes"], READ),
        rule(["nodes/log", "nodes/metrics", "nodes/proxy", "nodes/stats"], ["*"]),
    ],
    "system:metrics-server": [rule(["nodes/metrics"], ["get"]), rule(["pods", "nodes"], READ)],
    "system:aggregated-metrics-reader": [rule(["pods", "nodes"], READ, ["metrics.k8s.io"])],
    "system:controller:horizontal-pod-autoscaler": [
        rule(["horizontalpodautoscalers"], ["get", "list", "watch"], ["autoscaling"]),
        rule(["pods"], ["list"], ["metrics.k8s.io"]),
    ],
    "csi-node": [rule(["nodes"], ["get"])],
    "csi-controller": [
        rule(["persistentvolumes"], [*READ, "create", "delete", "patch"]),
        rule(["persistentvolumeclaims"], [*READ, "update"]),
        rule(
            ["volumeattachments", "volumeattachments/status", "storageclasses", "csinodes"],
            [*READ, "patch"],
            ["storage.k8s.io"],
        ),
    ],
    "cni-agent": [rule(["pods", "nodes", "namespaces"], READ), rule(["nodes/status"], ["patch"])],
}


def add_roles(world: World) -> None:
    """Add roles and bindings."""
    roles = dict(CLUSTER_ROLES)
    bindings: list[tuple[str, str, Obj]] = [
        ("cluster-admin", "cluster-admin", _group("system:masters")),
        ("kubeadm:cluster-admins", "cluster-admin", _group("kubeadm:cluster-admins")),
        ("system:basic-user", "system:basic-user", _group("system:authenticated")),
        ("system:discovery", "system:discovery", _group("system:authenticated")),
        ("system:public-info-viewer", "system:public-info-viewer", _group("system:unauthenticated")),
        ("system:kube-controller-manager", "system:kube-controller-manager", _user("system:kube-controller-manager")),
        ("system:kube-scheduler", "system:kube-scheduler", _user("system:kube-scheduler")),
        ("kubeadm:node-proxier", "system:node-proxier", _account("kube-proxy")),
        ("kube-apiserver-kubelet-admin", "system:kubelet-api-admin", _user("kube-apiserver-kubelet-client")),
        (
            "system:controller:horizontal-pod-autoscaler",
            "system:controller:horizontal-pod-autoscaler",
            _account("horizontal-pod-autoscaler"),
        ),
        ("csi-node", "csi-node", _account("csi-node")),
        ("csi-controller", "csi-controller", _account("csi-controller")),
        *[(f"{sa}-agent", "cni-agent", _account(sa)) for sa in _cni_accounts(world)],
    ]
    if world.spec.legacy:
        bindings.append(("system:metrics-server", "system:metrics-server", _account("metrics-server")))
    else:
        bindings += [
            ("system:coredns", "system:coredns", _account("coredns")),
            ("system:metrics-server", "system:metrics-server", _account("metrics-server")),
            ("metrics-server:system:auth-delegator", "system:auth-delegator", _account("metrics-server")),
        ]
    for name, rules in roles.items():
        world.add(
            obj(
                RBAC,
                "ClusterRole",
                name,
                created=born(6),
                labels=BOOT if name.startswith("system:") else None,
                rules=rules,
            )
        )
    for name, role, subject in bindings:
        world.add(
            obj(
                RBAC,
                "ClusterRoleBinding",
                name,
                created=born(14),
                roleRef=_ref("ClusterRole", role),
                subjects=[subject],
            )
        )
    reader = "extension-apiserver-authentication-reader"
    world.add(
        obj(
            RBAC,
            "Role",
            reader,
            "kube-system",
            created=born(6),
            labels=BOOT,
            rules=[rule(["configmaps"], READ, resourceNames=["extension-apiserver-authentication"])],
        )
    )
    account = _account("metrics-server")
    world.add(
        obj(
            RBAC,
            "RoleBinding",
            "metrics-server-auth-reader",
            "kube-system",
            created=born(300),
            roleRef=_ref("Role", reader),
            subjects=[account],
        )
    )
    bootstrap = {
        "system::leader-locking-kube-controller-manager": "kube-controller-manager",
        "system::leader-locking-kube-scheduler": "kube-scheduler",
    }
    for name, component in bootstrap.items():
        world.add(
            obj(
                RBAC,
                "Role",
                name,
                "kube-system",
                created=born(6),
                labels=BOOT,
                rules=[rule(["configmaps"], ["get", "update"], resourceNames=[component])],
            )
        )
        world.add(
            obj(
                RBAC,
                "RoleBinding",
                name,
                "kube-system",
                created=born(6),
                labels=BOOT,
                roleRef=_ref("Role", name),
                subjects=[_user(f"system:{component}")],
            )
        )


def _cni_accounts(world: World) -> tuple[str, ...]:
    return {"flannel": ("flannel",), "calico": ("calico-node", "calico-kube-controllers"), "ipamd": ("cni-ipamd",)}[
        world.spec.cni
    ]


def _ref(kind: str, name: str) -> Obj:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name}


def _user(name: str) -> Obj:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": name}


def _group(name: str) -> Obj:
    return {"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": name}


def _account(name: str) -> Obj:
    return {"kind": "ServiceAccount", "name": name, "namespace": "kube-system"}
