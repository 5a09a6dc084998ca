"""What earlier runs knew of a node: how large its kubelet was (catalogue NODE-26)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.collector import collects
from bot.model.evidence import Clock, Evidence
from bot.model.host_resources import KubeletPast, PastSize
from bot.model.proof import Proof, Source
from bot.model.refs import NodeName
from bot.source import History


@collects(KubeletPast)
def kubelet_past(history: History, node: NodeName, clock: Clock) -> Iterator[Evidence]:
    """``sizes`` of the history: ``kubelet`` → node → [{at, bytes}]; entries of another form are passed over."""
    sizes = history.entries.get("sizes")
    kubelets = sizes.get("kubelet") if isinstance(sizes, dict) else None
    recorded = kubelets.get(node) if isinstance(kubelets, dict) else None
    items: list[PastSize] = []
    for entry in recorded if isinstance(recorded, list) else ():
        try:
            items.append(PastSize(at=datetime.fromisoformat(str(entry["at"])), size=int(entry["bytes"])))
        except (KeyError, TypeError, ValueError):
            continue
    past = tuple(sorted((i for i in items if i.at.tzinfo), key=lambda i: i.at))
    shown = "\n".join(f"{i.at.isoformat()} {i.size // 1024**2} MiB" for i in past)
    proof = Proof(source=Source.NODE, what=f"{node}: size of the kubelet in earlier runs", at=clock.now, body=shown)
    yield KubeletPast(proof=proof, node=node, items=past)
