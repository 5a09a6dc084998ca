"""Writes the skeleton of a new check: its file, and its positive and silent scenario.

CONTRIBUTING.md, "a new check in ten minutes", starts with it.
"""

from __future__ import annotations

import re
from pathlib import Path

from bot.check import FORBIDDEN_SLUG, load
from bot.errors import UsageError
from bot.model.rows import Row, rows

COMMANDS = ("node-why", "metrics-api", "dns-check")  # best first: where a row is shown by several
EXAMPLE = "new-check NODE-33 node_that_cannot_join"

CHECK = '''"""{code}: {words}."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.model.cluster import Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.refs import node as node_subject
from bot.model.text import T

CONDITION = "ReplaceMe"  # the fact that the rule turns on; other evidence is a parameter of another type (bot/model)


@check("{code}")
def {slug}(nodes: Nodes, clock: Clock) -> Iterator[Finding | RuledOut]:
    """The cluster has {words}.

    Says:
        What people say when they have it.
    Evidence:
        Which fields, log lines and node commands are read.
    Rule:
        What must hold together; what makes it confirmed instead of likely.
    Cause:
        Why it happens, and what it explains.
    Fix:
        What to do, with its safety.
    Verify:
        How to see that it worked.
    Must not fire:
        The look-alikes.
    Reasons:
        - first-case: what this case is
    """
    for item in nodes.items:
        condition = item.condition(CONDITION)
        if condition is None or condition.status != "True":
            continue
        yield Finding(
            code="{code}",
            reason="first-case",
            title=T("say in one line what {{node}} has", node=item.name),
            severity=Severity.{severity},
            confidence=Confidence.LIKELY,
            subject=node_subject(item.name),
            facts={{"node": item.name}},
            onset=condition.last_transition_time or clock.now,
            proofs=(nodes.proof.quote(f"{{item.name}}: {{condition.type}}={{condition.status}}"),),
            fixes=(
                Fix(
                    what=T("say what the commands do"),
                    safety=Safety.READ_ONLY,
                    commands=(f"kubectl describe node {{shlex.quote(item.name)}}",),
                ),
            ),
        )
'''

POSITIVE = """title: "{code} is found: say what happened"
base: kubeadm-5
command: /{command}{target}
find: [{code}]
"""

SILENT = """title: "{code} must stay silent: say which fact differs"
base: kubeadm-5
command: /{command}{target}
roots: []
silent: {{{code}: "say which fact the silence turns on"}}
"""

OVERLAY = """# Only what differs from the healthy base; docs/scenarios.md shows every form. For example:
#
# objects:
#   Node/node-3: {status: {conditions: {ReplaceMe: {status: "True", lastTransitionTime: -10min}}}}
# nodes:
#   node-3: {unreachable: connection refused}
objects: {}
"""


def write(root: Path, code: str, slug: str) -> tuple[Path, ...]:
    """Write the files and return their paths; nothing that exists is touched.

    Args:
        root: the repository.
        code: the catalogue row.
        slug: the defect, in words that fit after "the cluster has".

    Raises:
        UsageError: no such row, no command shows it, it has a check, or the slug names an action.
    """
    row = rows().get(code)
    if row is None:
        raise UsageError(f"{code} is no row of the catalogue", example=EXAMPLE)
    if not set(COMMANDS) & set(row.commands):
        raise UsageError(f"{code} belongs to {', '.join(row.commands)}, which does not exist yet", example=EXAMPLE)
    if code in load():
        raise UsageError(f"{code} has a check already: kubewhy explain {code}", example=EXAMPLE)
    if not re.fullmatch(r"[a-z][a-z0-9_]{3,60}", slug) or FORBIDDEN_SLUG.match(slug):
        raise UsageError(f"{slug!r} must name the defect in snake_case, not an action", example=EXAMPLE)
    files = _files(root, row, slug)
    if existing := [str(path) for path in files if path.exists()]:
        raise UsageError(f"{existing[0]} exists already", example=EXAMPLE)
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    return tuple(files)


def _files(root: Path, row: Row, slug: str) -> dict[Path, str]:
    command = next(c for c in COMMANDS if c in row.commands)
    values = {
        "code": row.code,
        "words": slug.replace("_", " "),
        "slug": slug,
        "severity": row.severity.name,
        "command": command,
        "target": " node-3" if command == "node-why" else "",
    }
    words = slug.replace("_", "-")
    scenarios = root / "tests" / "scenarios"
    family = root / "bot" / "checks" / row.family.lower()
    files = {
        family / f"{slug}.py": CHECK.format(**values),
        scenarios / f"{row.code}-{words}" / "expected.yaml": POSITIVE.format(**values),
        scenarios / f"{row.code}-{words}" / "bundle" / "kubewhy" / "overlay.yaml": OVERLAY,
        scenarios / f"{row.code}-not-{words}" / "expected.yaml": SILENT.format(**values),
        scenarios / f"{row.code}-not-{words}" / "bundle" / "kubewhy" / "overlay.yaml": OVERLAY,
    }
    package = family / "__init__.py"
    return files if package.exists() else files | {package: f'"""Rows {row.family}-*."""\n'}
