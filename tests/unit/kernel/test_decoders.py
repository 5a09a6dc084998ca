"""Decoding in many threads at once, as a diagnosis does: the process survives the first meeting with every class."""

from __future__ import annotations

import subprocess
import sys

MEETING = """
import random, sys, threading
import msgspec
from bot.collect.read import decoder_of
from bot.model import k8s, k8s_more

sys.setswitchinterval(1e-6)
objects = [v for m in (k8s, k8s_more) for v in vars(m).values() if isinstance(v, type) and issubclass(v, k8s.Object)]
kinds = [*objects, *(k8s.List[o] for o in objects)] * 2
random.shuffle(kinds)
barrier = threading.Barrier(len(kinds))

def meet(kind):
    barrier.wait()
    try:
        decoder_of(kind).decode(b'{"items":[{"metadata":{"name":"x"}}],"metadata":{}}')
    except msgspec.ValidationError:
        pass

threads = [threading.Thread(target=meet, args=(kind,)) for kind in kinds]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_classes_that_are_first_met_by_many_threads_end_no_process() -> None:
    """Without the lock about every third of these processes died of a segmentation fault."""
    codes = [subprocess.run((sys.executable, "-c", MEETING), check=False).returncode for _ in range(5)]
    assert [0] * 5 == codes
