#!/usr/bin/env python3
"""Write the healthy base clusters below bot/bundle/bases, or check that what is committed is what this would write.

Five nodes times fifty commands, and every object of a cluster, are not kept by hand: they are derived from
tools/bases/clusters.py. The layout is that of docs/bundle.md. Output is deterministic; change it here, never there.

A name in dns.json that starts with ``*.`` answers for every name below it that has no entry of its own.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # not the folder of this file: names in it would hide modules of the standard library

from tools.bases.build import build  # noqa: E402
from tools.bases.clusters import CLUSTERS  # noqa: E402
from tools.bases.world import stale, write  # noqa: E402

TARGET = ROOT / "bot" / "bundle" / "bases"


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail when the committed files differ")
    parser.add_argument("base", nargs="*", help="only these bases")
    options = parser.parse_args(arguments)
    wrong: list[str] = []
    for spec in CLUSTERS:
        if options.base and spec.name not in options.base:
            continue
        files = build(spec)
        if options.check:
            wrong += [f"{spec.name}/{path}" for path in differing(TARGET / spec.name, files)]
        else:
            write(TARGET / spec.name, files)
    for path in wrong:
        sys.stderr.write(f"bot/bundle/bases/{path} is stale: run python tools/make_bases.py\n")
    return 1 if wrong else 0


def differing(root: Path, files: dict[str, str]) -> list[str]:
    """Files that are missing, differ, or should not be there."""
    changed = [
        p for p, text in files.items() if not (root / p).is_file() or (root / p).read_text(encoding="utf-8") != text
    ]
    return sorted(changed + stale(root, files))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
