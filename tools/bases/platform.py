"""What the API server itself keeps: namespaces, accounts, roles, configuration, and its own health."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from tools.bases.addons import corefile
from tools.bases.ids import Obj, ago, born, hexid, iso, obj
from tools.bases.world import World

NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease", "kubewhy", "shop")
CA = "-----BEGIN CERTIFICATE-----\nMIIDBTCCAe2gAwIBAgIIJfR0m1oNd+YwDQYJKoZIhvcNAQELBQAwFTETMBEGA1UE\n-----END CERTIFICATE-----\n"
READ = ["get", "list", "watch"]
RBAC = "rbac.authorization.k8s.io/v1"
BOOT = {"kubernetes.io/bootstrapping": "rbac-defaults"}


def add_platform(world: World) -> None:
    """Add everything that is no workload."""
    for name in NAMESPACES:
        world.add(
            obj(
                "v1",
                "Namespace",
                name,
                created=born(7),
                labels={"kubernetes.io/metadata.name": name},
                spec={"finalizers": ["kubernetes"]},
                status={"phase": "Active"},
            )
        )
        world.add(obj("v1", "ConfigMap", "kube-root-ca.crt", name, created=born(35), data={"ca.crt": CA}))
    _accounts(world)
    _config_maps(world)
    _roles(world)
    _priorities(world)
    _events(world)
    _api(world)
    if not world.spec.legacy:
        _service_network(world)


def _accounts(world: World) -> None:
    used = {(p["metadata"]["namespace"], p["spec"].get("serviceAccountName")) for p in world.all("Pod")}
    used |= {(ns, "default") for ns in NAMESPACES} | {("kubewhy", "kubewhy"), ("kube-system", "node-controller")}
    for ns, name in sorted((n, s) for n, s in used if s):
        world.add(obj("v1", "ServiceAccount", name, ns, created=born(35)))


def _config_maps(world: World) -> None:
    for name, data in _system_config(world).items():
        world.add(obj("v1", "ConfigMap", name, "kube-system", created=born(12), data=data))
    info = (
        f'apiVersion: v1\nclusters:\n- cluster:\n    server: https://{world.spec.endpoint}\n  name: ""\nkind: Config\n'
    )
    world.add(obj("v1", "ConfigMap", "cluster-info", "kube-public", created=born(13), data={"kubeconfig": info}))


def _system_config(world: World) -> dict[str, dict[str, str]]:
    spec = world.spec
    cluster = (
        "apiServer: {}\napiVersion: kubeadm.k8s.io/v1beta4\ncertificatesDir: /etc/kubernetes/pki\nclusterName: kubernetes\n"
        f"controlPlaneEndpoint: {spec.endpoint}\nimageRepository: registry.k8s.io\nkind: ClusterConfiguration\n"
        f"kubernetesVersion: {spec.version}\nnetworking:\n  dnsDomain: cluster.local\n  podSubnet: {spec.pod_cidr}\n"
        f"  serviceSubnet: {spec.service_cidr}\n"
    )
    proxy = (
        "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nbindAddress: 0.0.0.0\nclientConnection:\n"
        f"  kubeconfig: /var/lib/kube-proxy/kubeconfig.conf\nclusterCIDR: {spec.pod_cidr}\nconntrack:\n  maxPerCore: null\n"
        'kind: KubeProxyConfiguration\nmetricsBindAddress: ""\nmode: ""\n'
    )
    proxy_kubeconfig = (
        "apiVersion: v1\nkind: Config\nclusters:\n- cluster:\n"
        "    certificate-authority: /var/run/secrets/kubernetes.io/serviceaccount/ca.crt\n"
        f"    server: https://{spec.endpoint}\n  name: default\n"
    )
    found = {
        "kubeadm-config": {"ClusterConfiguration": cluster},
        "kubelet-config": {"kubelet": kubelet_config(world)},
        "kube-proxy": {"config.conf": proxy, "kubeconfig.conf": proxy_kubeconfig},
        "extension-apiserver-authentication": {
            "client-ca-file": CA,
            "requestheader-allowed-names": '["front-proxy-client"]',
            "requestheader-client-ca-file": CA,
            "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
            "requestheader-group-headers": '["X-Remote-Group"]',
            "requestheader-username-headers": '["X-Remote-User"]',
        },
        **_network_config(world),
    }
    return found | ({} if spec.legacy else {"coredns": {"Corefile": corefile(world)}})


def kubelet_config(world: World) -> str:
    """``/var/lib/kubelet/config.yaml``, the same on every node."""
    driver = "cgroupfs" if world.spec.legacy else "systemd"
    return (
        "apiVersion: kubelet.config.k8s.io/v1beta1\nauthentication:\n  anonymous:\n    enabled: false\n  webhook:\n"
        "    cacheTTL: 0s\n    enabled: true\n  x509:\n    clientCAFile: /etc/kubernetes/pki/ca.crt\nauthorization:\n  mode: Webhook\n"
        f"cgroupDriver: {driver}\nclusterDNS:\n- {world.spec.dns_ip}\nclusterDomain: cluster.local\n"
        + ("" if world.spec.legacy else "containerRuntimeEndpoint: unix:///run/containerd/containerd.sock\n")
        + "healthzBindAddress: 127.0.0.1\nhealthzPort: 10248\nkind: KubeletConfiguration\nkubeReserved:\n  cpu: 100m\n"
        "  memory: 256Mi\nresolvConf: /run/systemd/resolve/resolv.conf\nrotateCertificates: true\n"
        "staticPodPath: /etc/kubernetes/manifests\nsystemReserved:\n  cpu: 100m\n  memory: 256Mi\n"
    )


def _network_config(world: World) -> dict[str, dict[str, str]]:
    if world.spec.cni == "flannel":
        conf = {"Network": world.spec.pod_cidr, "EnableNFTables": False, "Backend": {"Type": "vxlan"}}
        return {"kube-flannel-cfg": {"net-conf.json": json.dumps(conf), "cni-conf.json": FLANNEL_CNI}}
    if world.spec.cni == "calico":
        return {"calico-config": {"calico_backend": "vxlan", "typha_service_name": "none", "veth_mtu": "0"}}
    return {"cni-ipamd": {"config": "podNic: eth1\nrouteTable: 2\nreconcileInterval: 60s\n"}}


FLANNEL_CNI = json.dumps(
    {
        "name": "cbr0",
        "cniVersion": "0.3.1",
        "plugins": [
            {"type": "flannel", "delegate": {"hairpinMode": True, "isDefaultGateway": True}},
            {"type": "portmap", "capabilities": {"portMappings": True}},
        ],
    },
    indent=2,
)


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


def _roles(world: World) -> None:
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


def _priorities(world: World) -> None:
    for name, value in (("system-cluster-critical", 2000000000), ("system-node-critical", 2000001000)):
        world.add(
            obj(
                "scheduling.k8s.io/v1",
                "PriorityClass",
                name,
                created=born(6),
                value=value,
                preemptionPolicy="PreemptLowerPriority",
                description="Used for system critical pods.",
            )
        )


def _events(world: World) -> None:
    """The few events of a quiet hour: a routine rescale that is long done."""
    if world.spec.legacy:
        return
    when = ago(2400)
    hpa = world.all("HorizontalPodAutoscaler")[0]["metadata"]
    world.add(
        obj(
            "v1",
            "Event",
            f"web.{hexid(16, 'event', world.spec.name)}",
            "shop",
            created=when,
            involvedObject={
                "kind": "HorizontalPodAutoscaler",
                "namespace": "shop",
                "name": "web",
                "uid": hpa["uid"],
                "apiVersion": "autoscaling/v2",
            },
            reason="SuccessfulRescale",
            message="New size: 3; reason: All metrics below target",
            source={"component": "horizontal-pod-autoscaler"},
            firstTimestamp=iso(when),
            lastTimestamp=iso(when),
            count=1,
            type="Normal",
            eventTime=None,
            reportingComponent="horizontal-pod-autoscaler",
            reportingInstance="",
        )
    )


def _service_network(world: World) -> None:
    world.add(
        obj(
            "networking.k8s.io/v1",
            "ServiceCIDR",
            "kubernetes",
            created=born(8),
            finalizers=["networking.k8s.io/service-cidr-finalizer"],
            spec={"cidrs": [world.spec.service_cidr]},
            status={
                "conditions": [
                    {
                        "type": "Ready",
                        "status": "True",
                        "lastTransitionTime": iso(born(8)),
                        "reason": "",
                        "message": "Kubernetes Service CIDR is ready",
                    }
                ]
            },
        )
    )
    for svc in world.all("Service"):
        ip = svc["spec"]["clusterIP"]
        if ip == "None":
            continue
        parent = {
            "group": "",
            "resource": "services",
            "namespace": svc["metadata"]["namespace"],
            "name": svc["metadata"]["name"],
        }
        labels = {
            "ipaddress.kubernetes.io/ip-family": "IPv4",
            "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io",
        }
        world.add(
            obj(
                "networking.k8s.io/v1",
                "IPAddress",
                ip,
                created=born(9) + timedelta(seconds=1),
                labels=labels,
                spec={"parentRef": parent},
            )
        )


HOOKS = (
    "start-apiserver-admission-initializer",
    "generic-apiserver-start-informers",
    "priority-and-fairness-config-consumer",
    "priority-and-fairness-filter",
    "storage-object-count-tracker-hook",
    "start-apiextensions-informers",
    "start-apiextensions-controllers",
    "crd-informer-synced",
    "start-system-namespaces-controller",
    "start-cluster-authentication-info-controller",
    "start-kube-apiserver-identity-lease-controller",
    "start-kube-apiserver-identity-lease-garbage-collector",
    "start-legacy-token-tracking-controller",
    "start-service-ip-repair-controllers",
    "rbac/bootstrap-roles",
    "scheduling/bootstrap-system-priority-classes",
    "priority-and-fairness-config-producer",
    "bootstrap-controller",
    "start-kubernetes-service-cidr-controller",
    "aggregator-reload-proxy-client-cert",
    "start-kube-aggregator-informers",
    "apiservice-status-local-available-controller",
    "apiservice-status-remote-available-controller",
    "apiservice-registration-controller",
    "apiservice-discovery-controller",
    "kube-apiserver-autoregistration",
)


def health(kind: str) -> str:
    """``/readyz?verbose`` or ``/livez?verbose`` of a healthy API server."""
    first = ["ping", "log", "etcd", *(["etcd-readiness", "informer-sync"] if kind == "readyz" else [])]
    last = [
        "autoregister-completion",
        "poststarthook/apiservice-openapi-controller",
        "poststarthook/apiservice-openapiv3-controller",
    ]
    names = [*first, *(f"poststarthook/{h}" for h in HOOKS), *last, *(["shutdown"] if kind == "readyz" else [])]
    return "".join(f"[+]{n} ok\n" for n in names) + f"{kind} check passed\n"


def version(world: World) -> Obj:
    """The body of ``/version``."""
    major, minor = world.spec.version.lstrip("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": world.spec.version,
        "gitCommit": hexid(40, world.spec.version),
        "gitTreeState": "clean",
        "buildDate": "2018-07-17T11:41:43Z" if world.spec.legacy else "2026-09-09T19:37:45Z",
        "goVersion": "go1.8.3" if world.spec.legacy else "go1.24.7",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def _api(world: World) -> None:
    info = version(world)
    world.json("cluster-info/cluster_version.json", {"info": info, "string": world.spec.version})
    answers = [
        {"path": "/version", "status": 200, "content_type": "application/json", "body": json.dumps(info, indent=2)}
    ]
    for kind in ("readyz", "livez"):
        answers.append({"path": f"/{kind}", "status": 200, "content_type": "text/plain", "body": "ok"})
        answers.append({"path": f"/{kind}?verbose", "status": 200, "content_type": "text/plain", "body": health(kind)})
    answers.append({"path": "/healthz", "status": 200, "content_type": "text/plain", "body": "ok"})
    answers.append({"path": "/metrics", "status": 200, "content_type": "text/plain; version=0.0.4", "body": METRICS})
    world.json("kubewhy/api.json", answers)
    for ns in NAMESPACES:
        world.json(f"cluster-resources/auth-cani-list/{ns}.json", RIGHTS)


METRICS = """# HELP aggregator_unavailable_apiservice [ALPHA] Gauge of APIServices which are marked as unavailable broken down by APIService name.
# TYPE aggregator_unavailable_apiservice gauge
aggregator_unavailable_apiservice{name="v1."} 0
# HELP apiserver_current_inflight_requests [STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second.
# TYPE apiserver_current_inflight_requests gauge
apiserver_current_inflight_requests{request_kind="mutating"} 1
apiserver_current_inflight_requests{request_kind="readOnly"} 4
# HELP apiserver_flowcontrol_rejected_requests_total [BETA] Number of requests rejected by API Priority and Fairness subsystem
# TYPE apiserver_flowcontrol_rejected_requests_total counter
apiserver_flowcontrol_rejected_requests_total{flow_schema="service-accounts",priority_level="workload-low",reason="queue-full"} 0
"""

RIGHTS: Obj = {
    "resourceRules": [
        {
            "verbs": READ,
            "apiGroups": [""],
            "resources": [
                "nodes",
                "namespaces",
                "pods",
                "services",
                "endpoints",
                "events",
                "configmaps",
                "persistentvolumes",
                "persistentvolumeclaims",
                "replicationcontrollers",
                "resourcequotas",
                "limitranges",
                "serviceaccounts",
            ],
        },
        {
            "verbs": READ,
            "apiGroups": [
                "apps",
                "batch",
                "gateway.networking.k8s.io",
                "admissionregistration.k8s.io",
                "rbac.authorization.k8s.io",
                "flowcontrol.apiserver.k8s.io",
                "metrics.k8s.io",
            ],
            "resources": ["*"],
        },
        {"verbs": READ, "apiGroups": ["autoscaling"], "resources": ["horizontalpodautoscalers"]},
        {"verbs": READ, "apiGroups": ["policy"], "resources": ["poddisruptionbudgets"]},
        {
            "verbs": READ,
            "apiGroups": ["networking.k8s.io"],
            "resources": ["ingresses", "ingressclasses", "networkpolicies", "servicecidrs", "ipaddresses"],
        },
        {"verbs": READ, "apiGroups": ["discovery.k8s.io"], "resources": ["endpointslices"]},
        {"verbs": READ, "apiGroups": ["coordination.k8s.io"], "resources": ["leases"]},
        {
            "verbs": READ,
            "apiGroups": ["storage.k8s.io"],
            "resources": ["storageclasses", "volumeattachments", "csinodes", "csidrivers", "csistoragecapacities"],
        },
        {"verbs": READ, "apiGroups": ["apiregistration.k8s.io"], "resources": ["apiservices"]},
        {"verbs": READ, "apiGroups": ["apiextensions.k8s.io"], "resources": ["customresourcedefinitions"]},
        {"verbs": READ, "apiGroups": ["certificates.k8s.io"], "resources": ["certificatesigningrequests"]},
        {"verbs": READ, "apiGroups": ["events.k8s.io"], "resources": ["events"]},
        {
            "verbs": ["get"],
            "apiGroups": [""],
            "resources": ["pods/log", "nodes/metrics", "nodes/stats", "nodes/healthz", "nodes/configz", "nodes/log"],
        },
        {
            "verbs": ["create"],
            "apiGroups": ["authorization.k8s.io"],
            "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews", "subjectaccessreviews"],
        },
        {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
    ],
    "nonResourceRules": [
        {
            "verbs": ["get"],
            "nonResourceURLs": [
                "/livez*",
                "/readyz*",
                "/healthz*",
                "/metrics",
                "/version",
                "/apis*",
                "/api*",
                "/openapi/*",
            ],
        }
    ],
    "incomplete": False,
}
