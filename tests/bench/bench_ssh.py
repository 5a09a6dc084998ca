"""How fast nodes are visited over SSH, against OpenSSH's own client doing the same at the same parallelism.

Forty real sshd processes on loopback, 200 visits over 32 threads, the same script each time. The bot keeps connections
open between round trips, which ``ssh`` without further configuration does not: both ways are measured. The reference is
``ssh`` as it is installed. The key exchange that OpenSSH 9.0 to 9.8 chooses between its own two ends (sntrup761) costs
it several times the CPU of curve25519, which the bot and these servers agree on, so it is measured with that as well.
CPU is that of the client alone. Run as ``python tests/bench/bench_ssh.py``; it needs openssh-server.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot import framing
from bot.clients.reach import Reach
from bot.clients.ssh import LiveShell
from bot.clients.ssh_connect import Connector, Target
from bot.source import Section
from tests.bench.figures import Figures, skipped
from tests.real.sshds import SSHD, Sshd, keygen, sshd

SERVERS, VISITS, THREADS = 40, 200, 32
SAME = ("-o", "KexAlgorithms=curve25519-sha256")
QUIET = "SetEnv HOME=/nonexistent"  # the start files of whoever runs this are nobody's figure
PROMISED_OPEN, PROMISED_COLD = 4.0, 1.5
SECTIONS = (
    Section(key="HOST", command="uname -a; cat /proc/loadavg", timeout=5),
    Section(key="ADDR", command="cat /proc/net/route /proc/net/dev", timeout=5),
    Section(key="MEM", command="cat /proc/meminfo", timeout=5),
)


def main() -> int:
    """Measure and print; the exit status."""
    ssh = shutil.which("ssh")
    if ssh is None or not Path(SSHD).exists():
        skipped("ssh", "openssh-server and openssh-client are not installed")
        return 0
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        home = Path(folder)
        servers = [running.enter_context(sshd(home / f"s{n}", QUIET)) for n in range(SERVERS)]
        key, known = _shared(home, servers)
        theirs, their_cpu = _openssh(ssh, servers, key, known)
        same, same_cpu = _openssh(ssh, servers, key, known, *SAME)
        cold, cold_cpu = _cold(servers, key, known)
        warm, warm_cpu = _warm(servers, key, known)
    each = 1000 / VISITS
    for reference, wall, cpu in (("", theirs, their_cpu), ("_same_key_exchange", same, same_cpu)):
        figures.say(f"ssh.with_open_connections{reference}", warm, f"s for {VISITS} visits", reference=wall)
        figures.say(f"ssh.cold{reference}", cold, f"s for {VISITS} visits", reference=wall)
        figures.say(f"ssh.cpu_with_open_connections{reference}", warm_cpu * each, "ms a visit", reference=cpu * each)
        figures.say(f"ssh.cpu_cold{reference}", cold_cpu * each, "ms a visit", reference=cpu * each)
    figures.promise(theirs / warm, PROMISED_OPEN)
    figures.promise(theirs / cold, PROMISED_COLD)
    return figures.end()


def _shared(home: Path, servers: list[Sshd]) -> tuple[Path, Path]:
    """One key that every server accepts, and one file with all host keys."""
    key = keygen(home / "key")
    for server in servers:
        with (server.known_hosts.parent / "authorized_keys").open("a") as keys:
            keys.write(key.with_name("key.pub").read_text())
    known = home / "known_hosts"
    known.write_text("".join(server.known_hosts.read_text() for server in servers))
    return key, known


def _client(servers: list[Sshd], key: Path, known: Path) -> Callable[[], LiveShell]:
    connector = Connector(keys=(key,), known_hosts=(known,), use_agent=False, reach=Reach())
    targets = {f"node-{n}": Target(host="127.0.0.1", port=s.port, user=s.user) for n, s in enumerate(servers)}
    return lambda: LiveShell(targets.__getitem__, connector)


def _visit(shell: LiveShell, number: int) -> None:
    found = shell.run(f"node-{number % SERVERS}", SECTIONS)
    assert [0] * len(SECTIONS) == [output.rc for output in found.values()]


def _warm(servers: list[Sshd], key: Path, known: Path) -> tuple[float, float]:
    shell = _client(servers, key, known)()
    _all(lambda n: _visit(shell, n), SERVERS)
    cpu = time.process_time()
    took = _all(lambda n: _visit(shell, n), VISITS)
    cpu = time.process_time() - cpu
    shell.close()
    return took, cpu


def _cold(servers: list[Sshd], key: Path, known: Path) -> tuple[float, float]:
    new = _client(servers, key, known)

    def one(number: int) -> None:
        shell = new()
        _visit(shell, number)
        shell.close()

    cpu = time.process_time()
    took = _all(one, VISITS)
    return took, time.process_time() - cpu


def _openssh(program: str, servers: list[Sshd], key: Path, known: Path, *more: str) -> tuple[float, float]:
    mark = framing.new_mark()
    script = framing.script(SECTIONS, mark).encode()
    options = ("-o", f"UserKnownHostsFile={known}", "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes", *more)

    def one(number: int) -> None:
        server = servers[number % SERVERS]
        where = ("-p", str(server.port), f"{server.user}@127.0.0.1")
        command = [program, "-F", "none", "-i", str(key), *options, *where, framing.SHELL]
        done = subprocess.run(command, input=script, check=True, capture_output=True, timeout=60)
        assert len(SECTIONS) == len(framing.outputs(done.stdout, SECTIONS, mark))

    before = os.times()
    took = _all(one, VISITS)
    after = os.times()
    # What this process itself spends on starting ssh is part of visiting nodes with ssh.
    return took, sum(
        getattr(after, t) - getattr(before, t) for t in ("user", "system", "children_user", "children_system")
    )


def _all(work: Callable[[int], None], count: int) -> float:
    """Do it so many times over the threads; seconds."""
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        for _ in pool.map(work, range(count)):
            pass
    return time.perf_counter() - began


if __name__ == "__main__":
    sys.exit(main())
