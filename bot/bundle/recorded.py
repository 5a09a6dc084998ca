"""A recorded cluster as the sources of a diagnosis: nothing but the bundle is read, and its clock is the clock."""

from __future__ import annotations

from bot.bundle.names import RecordedNames
from bot.bundle.probes import RecordedProbes, history
from bot.bundle.recording import Bundle
from bot.bundle.shell import RecordedShell
from bot.source import Sources


def sources(bundle: Bundle) -> Sources:
    """Everything that one diagnosis may ask of a recorded cluster.

    Raises:
        BundleError: a file of the bundle cannot be read, or it does not tell its time.
    """
    from bot.bundle.api import RecordedKube  # noqa: PLC0415 - the API's kinds take time to load, a bundle's nodes do not

    now = bundle.recorded_at
    names, probes = RecordedNames(bundle), RecordedProbes(bundle)
    return Sources(
        kube=RecordedKube(bundle),
        shell=RecordedShell(bundle, names),
        resolver=names,
        prober=probes,
        history=history(bundle),
        now=lambda: now,
    )
