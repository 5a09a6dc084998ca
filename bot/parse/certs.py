"""``openssl x509 -noout -subject -enddate -startdate``, as 1.0 (CentOS 7) and 3.0 print it."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from bot.model.host_runtime import Certificate
from bot.parse.common import UnparsableError

_DATE = "%b %d %H:%M:%S %Y GMT"


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
