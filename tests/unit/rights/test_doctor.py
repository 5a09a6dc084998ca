"""``kubewhy doctor`` agrees with the role: all is there with it, and what is taken away is named."""

from __future__ import annotations

from bot import collector
from bot.bundle.store import open_base
from bot.clients.live import sources
from bot.doctor import Examined, State, examine
from bot.rights import rules
from tests.unit.rights.account import bound, settings


def rights_of(role: list[dict[str, list[str]]]) -> Examined:
    """What the doctor says about the rights of a cluster in which kubewhy has this role."""
    with settings(bound(open_base("kubeadm-5"), role)) as made:
        (cluster,) = made.clusters.values()
        found = list(examine("recorded", sources(cluster), collector.load()))
    return next(item for item in found if item.what == "recorded: rights")


def test_nothing_is_missed_with_the_role() -> None:
    """The ClusterRole of the chart is all that the doctor asks for, limited names included."""
    examined = rights_of(rules(collector.load()))
    assert (State.WORKS, "") == (examined.state, examined.hint), examined.said


def test_what_the_role_lacks_is_named() -> None:
    """Without the rule for logs, the doctor names it."""
    role = [rule for rule in rules(collector.load()) if "pods/log" not in rule.get("resources", ())]
    examined = rights_of(role)
    assert examined.state is State.LIMITED
    assert "get pods/log" in examined.said
