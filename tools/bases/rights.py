"""What the bot may do, as SelfSubjectRulesReview answers."""

from __future__ import annotations

from tools.bases.ids import Obj
from tools.bases.rbac import READ

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
