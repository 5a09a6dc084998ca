"""Kubernetes quantities (``3800m``, ``32865424Ki``, ``1e9``) as numbers.

https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re

_FORM = re.compile(r"([+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?)(n|u|m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?")
_SMALL = {"n": 1e-9, "u": 1e-6, "m": 1e-3}
_STEPS = "kMGTPE"


def quantity(text: str) -> float | None:
    """The number that a quantity stands for; None for anything else."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    return float(found[1]) * _factor(found[2] or "")


def _factor(suffix: str) -> float:
    if not suffix:
        return 1.0
    if suffix in _SMALL:
        return _SMALL[suffix]
    step = _STEPS.index(suffix[0].replace("K", "k")) + 1
    return float((1024 if suffix.endswith("i") else 1000) ** step)
