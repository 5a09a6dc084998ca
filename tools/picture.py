"""Takes docs/thread.png: a recorded incident, asked in a local Slack, photographed in a browser.

Run ``python -m tools.picture``. Needs chromium, a font with emoji (Debian: fonts-noto-color-emoji), and local-slack
(``make parts``).
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bot.cli.local_slack import bot_in_local_slack
from bot.config import load
from bot.playground.demos import demo
from bot.playground.run import start

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ROOT / "docs" / "thread.png"
PARTS = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kubewhy" / "parts"
BINARY = PARTS / "node_modules" / "local-slack-linux-x64" / "bin" / "local-slack"
INCIDENT, PORT = "W2", 3111
LAST = "Ask on in this thread"  # how the last message of a thread ends
MOST_BYTES = 300_000
CHROMIUM = "/usr/bin/chromium"
FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
# The thread is what there is to see: give it the room that the list of channels takes.
LAYOUT = ".thread-pane {width: 760px !important}"
SIZE = {"width": 1480, "height": 900}
PATIENCE = 60_000


def photograph(page: Page, question: str) -> None:
    """Ask in #incidents, wait for the last message of the thread, and take the picture."""
    page.goto(f"http://localhost:{PORT}")
    page.locator("textarea, [contenteditable=true]").last.fill(question)
    page.keyboard.press("Enter")
    page.get_by_text("replies").first.wait_for(timeout=PATIENCE)
    page.get_by_text("replies").first.click()
    page.get_by_text(LAST).first.wait_for(timeout=PATIENCE)
    page.add_style_tag(content=LAYOUT)
    page.locator(".thread-body").evaluate("thread => { thread.scrollTop = 0 }")
    page.wait_for_timeout(500)
    page.screenshot(path=PICTURE)


def main() -> int:
    """Take it; 1 when it is too large for a README."""
    if not os.environ.get("KUBEWHY_LOCAL_SLACK"):
        os.environ["KUBEWHY_LOCAL_SLACK"] = str(BINARY)
    incident = demo(INCIDENT)
    with (
        start(incident.bundle(), INCIDENT, dict(incident.config)) as running,
        bot_in_local_slack(load(running.config), running.folder, PORT, incident.command),
        sync_playwright() as browsers,
    ):
        browser = browsers.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        photograph(browser.new_page(viewport=SIZE), incident.command)
        browser.close()
    size = PICTURE.stat().st_size
    print(f"{PICTURE.relative_to(ROOT)}: {size} bytes")  # noqa: T201 - a tool's output
    return 0 if size <= MOST_BYTES else 1


if __name__ == "__main__":
    sys.exit(main())
