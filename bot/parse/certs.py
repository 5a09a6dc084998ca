"""``openssl x509 -noout -subject -enddate -startdate``, as 1.0 (CentOS 7) and 3.0 print it; names in requests."""

from __future__ import annotations

import base64
import binascii
import re
from datetime import UTC, datetime

from bot.model.host_runtime import Certificate
from bot.parse.common import UnparsableError

_DATE = "%b %d %H:%M:%S %Y GMT"
_NODE = re.compile(rb"[\x0c\x13](.)system:node:", re.DOTALL)  # an ASN.1 string: its type, its length, its text
_PREFIX = "system:node:"


def node_of_request(request: str) -> str:
    """The node that a certificate request is for (``CN=system:node:NAME``); empty when it does not say.

    Args:
        request: base64 of a PEM block, as ``spec.request`` of a CertificateSigningRequest has it.
    """
    try:
        pem = base64.b64decode(request).decode("ascii")
        body = "".join(line for line in pem.splitlines() if not line.startswith("-----"))
        der = base64.b64decode(body)
    except (binascii.Error, ValueError):
        return ""
    found = _NODE.search(der)
    text = der[found.start() + 2 : found.start() + 2 + found[1][0]] if found else b""
    return text.decode("ascii", "replace").removeprefix(_PREFIX)


def certificate(path: str, text: str) -> Certificate | None:
    """The certificate in ``path``, or None when there is no such file.

    Certificates carry absolute times, so the node's clock has no part in them.

    Raises:
        UnparsableError: not a certificate, or it may not be read.
    """
    end = re.search(r"(?m)^notAfter=(.+)$", text)
    if not end:
        if "No such file or directory" in text:
            return None
        raise UnparsableError("certificate", text)
    start = re.search(r"(?m)^notBefore=(.+)$", text)
    subject = re.search(r"(?m)^subject=\s*(.+)$", text)
    return Certificate(
        path=path,
        subject=subject[1].strip() if subject else "",
        not_before=_date(start[1]) if start else None,
        not_after=_date(end[1]),
    )


def _date(text: str) -> datetime:
    try:
        return datetime.strptime(re.sub(r"\s+", " ", text.strip()), _DATE).replace(tzinfo=UTC)
    except ValueError as error:
        raise UnparsableError("date of a certificate", text) from error
