"""Reads what a KubeletConfiguration says about DNS, without trusting the rest of the document."""

from __future__ import annotations

import yaml

from bot.model.dns import DEFAULT_DOMAIN


def cluster_dns(text: str) -> tuple[tuple[str, ...], str]:
    """``clusterDNS`` and ``clusterDomain`` of a KubeletConfiguration in YAML.

    Raises:
        ValueError: it is no YAML mapping.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise ValueError(str(error).splitlines()[0]) from None
    if not isinstance(document, dict):
        raise ValueError("no mapping")  # noqa: TRY004 - one error for everything that is not that document
    servers = document.get("clusterDNS")
    domain = document.get("clusterDomain")
    return (
        tuple(str(s) for s in servers) if isinstance(servers, list) else (),
        str(domain).rstrip(".") if domain else DEFAULT_DOMAIN,
    )
