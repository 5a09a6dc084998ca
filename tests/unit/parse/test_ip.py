"""iproute2 as JSON (6.1, Debian 12) and as text (4.11, CentOS 7)."""

# ruff: noqa: E501 - captured output stands as it was printed

from __future__ import annotations

import pytest

from bot.model.host import Route, Rule
from bot.parse import ip
from bot.parse.common import UnparsableError

LINKS = (
    '[{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP"],"mtu":65536,"operstate":"UNKNOWN","address":"00:00:00:00:00:00"},'
    '{"ifindex":2,"ifname":"ens5","flags":["UP"],"mtu":9001,"operstate":"UP","address":"02:aa:bb:cc:dd:ee","altnames":["enp0s5"]},'
    '{"ifindex":3,"ifname":"veth1","flags":["UP"],"mtu":1500,"operstate":"UP","linkinfo":{"info_kind":"veth"}}]'
)
OLD = 'Option "-j" is unknown, try "ip -help".\n'
LINKS_TEXT = (
    OLD
    + """1: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN mode DEFAULT group default qlen 1
    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00 promiscuity 0 addrgenmode eui64
2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP mode DEFAULT group default qlen 1000
    link/ether fa:16:3e:11:22:33 brd ff:ff:ff:ff:ff:ff promiscuity 0
7: veth0@if3: <BROADCAST,MULTICAST> mtu 1450 qdisc noqueue master cni0 state DOWN mode DEFAULT group default
    link/ether 2a:00:00:00:00:01 brd ff:ff:ff:ff:ff:ff link-netnsid 0 promiscuity 1
    veth
"""
)
ADDR_TEXT = """2: eth0: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu 1500 qdisc mq state UP group default qlen 1000
    link/ether fa:16:3e:11:22:33 brd ff:ff:ff:ff:ff:ff
    inet 10.0.0.7/24 brd 10.0.0.255 scope global eth0
    inet6 fe80::1/64 scope link
"""
RULES = (
    '[{"priority":0,"src":"all","table":"local"},{"priority":1536,"src":"10.176.98.29","table":"2"},'
    '{"priority":1000,"src":"10.1.0.0","srclen":16,"iif":"eth1","fwmark":"0x80","table":"3"}]'
)
RULES_TEXT = (
    OLD
    + "0:\tfrom all lookup local \n1536:\tfrom 10.176.98.29 lookup 2 \n1000:\tfrom 10.1.0.0/16 fwmark 0x80 iif eth1 lookup 3 \n"
)
NO_TABLE = "[Error: ipv4: FIB table does not exist.\nDump terminated\n"


def test_json_and_text_name_the_same_interfaces() -> None:
    """Kinds, states and other names are kept; ``veth0@if3`` is veth0."""
    assert {"lo": "", "ens5": "", "veth1": "veth"} == {n: x.kind for n, x in ip.links(LINKS).items()}
    assert ("enp0s5",) == ip.links(LINKS)["ens5"].names
    text = ip.links(LINKS_TEXT)
    assert {"lo": "", "eth0": "", "veth0": "veth"} == {n: x.kind for n, x in text.items()}
    assert [True, True, False] == [x.up for x in text.values()]


def test_addresses_come_with_their_prefix() -> None:
    """Both families, both forms."""
    json = '[{"ifname":"eth0","addr_info":[{"family":"inet","local":"10.0.0.7","prefixlen":24}]},{"ifname":"eth9"}]'
    assert {"eth0": ("10.0.0.7/24",), "eth9": ()} == ip.addresses(json)
    assert {"eth0": ("10.0.0.7/24", "fe80::1/64")} == ip.addresses(ADDR_TEXT)


def test_rules_are_the_same_in_both_forms() -> None:
    """Source with its length, interface, mark and table."""
    assert ip.rules(RULES) == ip.rules(RULES_TEXT)
    assert Rule(priority=1000, source="10.1.0.0/16", table="3", interface="eth1", mark="0x80") == ip.rules(RULES)[2]


def test_a_rule_for_everybody_covers_nobody_by_name() -> None:
    """Only rules that name a source lead a pod somewhere of its own."""
    everybody, one, many = ip.rules(RULES)
    assert [False, True, True] == [
        everybody.covers("10.176.98.29"),
        one.covers("10.176.98.29"),
        many.covers("10.1.2.3"),
    ]


def test_routes_are_the_same_in_both_forms() -> None:
    """The default route with its gateway and device."""
    expected = Route(destination="default", gateway="10.176.98.1", device="eth1")
    assert (expected,) == ip.routes('[{"dst":"default","gateway":"10.176.98.1","dev":"eth1","flags":[]}]')
    assert (expected,) == ip.routes("default via 10.176.98.1 dev eth1 \n")


@pytest.mark.parametrize("text", ["[]\n", NO_TABLE, "Error: ipv4: FIB table does not exist.\nDump terminated\n[", ""])
def test_a_table_that_does_not_exist_is_an_empty_one(text: str) -> None:
    """iproute2 prints ``[`` and an error for it, with exit status 2."""
    assert () == ip.routes(text)


@pytest.mark.parametrize("parse", [ip.links, ip.addresses, ip.rules, ip.routes])
def test_other_output_is_refused(parse: object) -> None:
    """Also JSON that breaks off, which is no empty list."""
    assert callable(parse)
    for text in ("sh: 1: ip: not found\n", '[{"ifname":"eth0","flags":["UP"'):
        with pytest.raises(UnparsableError):
            parse(text)


def test_a_rule_names_the_interface_that_packets_leave_by_also_when_it_is_gone() -> None:
    """Output of iproute2 6.1 after eth1 was removed, as JSON and as text."""
    text = (
        '[{"priority":900,"src":"all","oif":"eth1","oif_detached":null,"table":"1002"},'
        '{"priority":1000,"src":"10.78.12.128","srclen":25,"table":"1002"}]'
    )
    plain = "900:\tfrom all oif eth1 [detached] lookup 1002\n1000:\tfrom 10.78.12.128/25 lookup 1002\n"
    assert [["eth1", ""], ["eth1", ""]] == [[r.interface for r in ip.rules(t)] for t in (text, plain)]


ODD_JSON = (
    '[{"priority":0,"src":"all","table":"local"},{"priority":32762,"src":"10.7.0.0","srclen":16,"goto":32766},'
    '{"priority":32764,"src":"10.9.0.0","srclen":16,"action":"unreachable"},'
    '{"priority":32765,"not":null,"src":"10.0.0.0","srclen":8,"table":"100"},{"priority":32766,"src":"all","table":"main"}]'
)
ODD_TEXT = """0:	from all lookup local
32762:	from 10.7.0.0/16 goto 32766
32764:	from 10.9.0.0/16 unreachable
32765:	not from 10.0.0.0/8 lookup 100
32766:	from all lookup main
"""


@pytest.mark.parametrize("text", [ODD_JSON, ODD_TEXT])
def test_rules_that_lead_to_no_table_are_left_out(text: str) -> None:
    """A rule with another action has no table that could be empty; one for everything else names no source."""
    assert [(0, "local"), (32766, "main")] == [(rule.priority, rule.table) for rule in ip.rules(text)]


@pytest.mark.parametrize(
    "text",
    [
        '[{"priority":512,"src":"10.176.98.29","dst":"10.0.0.0","dstlen":8,"table":"2"}]',
        "512:\tfrom 10.176.98.29 to 10.0.0.0/8 lookup 2 \n",
    ],
)
def test_a_rule_may_be_for_some_destinations_only(text: str) -> None:
    """Such a rule leads other packets nowhere."""
    (rule,) = ip.rules(text)
    assert ("10.0.0.0/8", False, True) == (rule.destination, rule.plain, rule.single)
