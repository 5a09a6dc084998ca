"""The incidents that ship with kubewhy, and scenarios of others: a recorded cluster, a question, what must come out."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from bot.errors import UsageError
from bot.rows import nearest
from bot.scenario import Scenario, read

IDS = ("W1", "W1-modern", "W2", "W3", "W6a", "healthy")


def scenarios_root() -> Path:
    """The folder of the shipped incidents."""
    return Path(str(files("bot.playground"))) / "scenarios"


def demos() -> dict[str, Scenario]:
    """Every shipped incident by its short id; a folder is called ``ID-what-happened``."""
    folders = sorted(path.parent for path in scenarios_root().glob("*/expected.yaml"))
    found: dict[str, Scenario] = {}
    for demo in IDS:
        longer = tuple(f"{other}-" for other in IDS if other.startswith(f"{demo}-"))
        for folder in folders:
            name = folder.name
            if name == demo or (name.startswith(f"{demo}-") and not name.startswith(longer or ("\0",))):
                found.setdefault(demo, read(folder))
    return found


def demo(name: str) -> Scenario:
    """One shipped incident, or the scenario in a folder.

    Raises:
        UsageError: there is none of that id; the nearest are named.
        BundleError: the scenario in the folder is broken.
    """
    known = demos()
    if (Path(name) / "expected.yaml").is_file():
        return read(Path(name))
    for key, scenario in known.items():
        if key.lower() == name.lower():
            return scenario
    raise UsageError(
        f"there is no incident {name!r}; known: {', '.join(known)}",
        nearest=nearest(name, known),
        example="demo W1",
    )
