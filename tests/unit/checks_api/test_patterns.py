"""Patterns of log lines, on lines captured from real components (old and new)."""

from __future__ import annotations

import pytest

from bot.checks.ctrl.about import group_of
from bot.checks.ctrl.controller_manager_restarting_on_discovery import PATTERNS
from bot.checks.ctrl.failing_group_in_apiserver_log import ANY, FORMS
from bot.checks.etcd.about import JSON, PLAIN, TLS

LISTING = "unable to retrieve the complete list of server APIs"
FATAL = "F controllermanager.go:142] error starting controllers: failed to discover resources"
DISCOVERY = [
    f"{FATAL}: {LISTING}: metrics/v1alpha1: the server could not find the requested resource",
    (
        'E1121 11:25:19.854866    2882 namespace_controller.go:164] "Deletion of namespace failed" '
        f'err="{LISTING}: metrics.k8s.io/v1beta1: stale GroupVersion discovery: metrics.k8s.io/v1beta1" namespace="nsx"'
    ),
    (
        "E1121 resource_quota_controller.go:446] unable to get all supported resources from server: "
        f"{LISTING}: metrics.k8s.io/v1beta1: the server is currently unable to handle the request"
    ),
]
NO_LIST = "couldn't get resource list for metrics/v1alpha1: the server could not find the requested resource"
NO_ANSWER = "v1beta1.metrics.k8s.io failed with: failing or missing response from https://10.244.11.2:10251/apis: Get"
NO_SPEC = (
    'loading OpenAPI spec for \\"v1beta1.metrics.k8s.io\\" failed with: Error, could not get list of group versions'
)
NOTHING = 'error resolving kube-system/metrics-server: no endpoints available for service "metrics-server"'
REPORTED = [
    (f"E memcache.go:159] {NO_LIST}", "metrics/v1alpha1"),
    (f'E remote_available_controller.go:471] "Unhandled Error" err="{NO_ANSWER}', "v1beta1.metrics.k8s.io"),
    (f'E controller.go:123] "Unhandled Error" err="{NO_SPEC}"', "v1beta1.metrics.k8s.io"),
    (f"E handler_proxy.go:144] {NOTHING}", "kube-system/metrics-server"),
]


@pytest.mark.parametrize("line", DISCOVERY)
def test_discovery_errors_name_the_group(line: str) -> None:
    """Each release has its own words."""
    hits = [m["gv"] for p in PATTERNS if (m := p.search(line))]

    assert hits
    assert {"metrics", "metrics.k8s.io"} >= {group_of(gv) for gv in hits}


@pytest.mark.parametrize(("line", "named"), REPORTED)
def test_the_api_server_names_what_fails(line: str, named: str) -> None:
    """A group version, an APIService or a Service."""
    assert ANY.search(line)
    assert named == next(m["what"] for form in FORMS if (m := form.search(line)))


def test_an_empty_response_is_no_failure() -> None:
    """It is normal at verbosity 3."""
    assert None is ANY.search("I memcache.go:287] received empty response for: metrics.k8s.io/v1beta1")


def test_a_group_in_each_of_its_spellings() -> None:
    """As a group version, as an APIService's name, bare."""
    assert ["metrics.k8s.io"] * 3 == [
        group_of(t) for t in ("metrics.k8s.io/v1beta1", "v1beta1.metrics.k8s.io", "metrics.k8s.io")
    ]


def test_rejected_connections_in_both_forms_of_etcd() -> None:
    """3.4 wrote text, 3.5 and later JSON."""
    old = PLAIN.search('embed: rejected connection from "127.0.0.1:40712" (error "EOF", ServerName "")')
    new = JSON.search(
        '{"level":"warn","msg":"rejected connection on client endpoint","remote-addr":"10.0.0.11:1","server-name":"",'
        '"ip-addresses":[],"error":"tls: bad certificate"}'
    )

    assert old
    assert new
    assert (("127.0.0.1:40712", "EOF"), ("10.0.0.11:1", "tls: bad certificate")) == (
        (old["addr"], old["error"]),
        (new["addr"], new["error"]),
    )
    assert (False, True) == (bool(TLS.search(old["error"])), bool(TLS.search(new["error"])))
