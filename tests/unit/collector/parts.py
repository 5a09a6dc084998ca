"""Running the programs of node/ under every shell that nodes have."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from tools.collector import ROOT

COLLECT = ROOT / "node" / "kubewhy-collect"
FORMS = (("sh",), ("dash",), ("bash", "--posix"), ("busybox", "sh"))
SHELLS = [form for form in FORMS if shutil.which(form[0])]
USAGE = 64


def run(
    shell: tuple[str, ...], *words: str | Path, stdin: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """One program under one shell; output may hold any bytes."""
    return subprocess.run(
        [*shell, *map(os.fsencode, words)],
        input=stdin,
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        timeout=60,
        env={"PATH": os.environ["PATH"], **environment},
    )
