"""The DNS servers of a recorded cluster on loopback, UDP and TCP: they say what they said to the bot, or stay silent.

A question that was not recorded is answered NOTIMP, which no name server of a cluster says, rather than with a silence
or an error that would be evidence.
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

import dns.exception
import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from bot.bundle.names import RecordedNames
from bot.playground.ports import LOOPBACK, NOWHERE, Ports, background
from bot.source import Answer

PORT = 53
TTL = 30
SECONDS = 10.0


class DnsServers:
    """Every server that the bot asked, listening until ``close``.

    Attributes:
        reach: ``address:53`` → where that server listens, for the setting of that name.
    """

    def __init__(self, names: RecordedNames) -> None:
        self._names = names
        self._ports = Ports()
        self.reach = {f"{server}:{PORT}": self._serve(server) for server in self._servers()}

    def close(self) -> None:
        """Stop listening."""
        self._ports.close()

    def _servers(self) -> list[str]:
        return sorted({answer.server for answer in self._names.all()})

    def _serve(self, server: str) -> str:
        """Start one server; the address to ask instead of its own."""
        seen = {answer.rcode for answer in self._names.all() if answer.server == server}
        if seen == {"unreachable"}:
            return f"{NOWHERE}:{PORT}"
        listener, datagrams = self._pair()
        port = listener.getsockname()[1]
        if seen == {"refused"}:
            listener.close()
            datagrams.close()
            return f"{LOOPBACK}:{port}"
        background(self._over_udp, f"playground-dns-{server}", server, datagrams)
        background(self._over_tcp, f"playground-dns-{server}", server, listener)
        return f"{LOOPBACK}:{port}"

    def _pair(self) -> tuple[socket.socket, socket.socket]:
        """The same port number free for TCP and UDP."""
        for _ in range(20):
            listener = self._ports.listening()
            with suppress(OSError):
                return listener, self._ports.listening(socket.SOCK_DGRAM, listener.getsockname()[1])
        raise OSError("no port number is free for both TCP and UDP")

    def _over_udp(self, server: str, datagrams: socket.socket) -> None:
        while True:
            try:
                data, client = datagrams.recvfrom(4096)
            except OSError:
                return  # closed
            if not data:
                return
            reply = self._reply(server, data, tcp=False)
            if reply is not None:
                with suppress(OSError):
                    datagrams.sendto(reply, client)

    def _over_tcp(self, server: str, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed
            background(self._connection, f"playground-dns-{server}", server, connection)

    def _connection(self, server: str, connection: socket.socket) -> None:
        connection.settimeout(SECONDS)
        with connection, suppress(OSError):
            while data := _message(connection):
                reply = self._reply(server, data, tcp=True)
                if reply is not None:
                    connection.sendall(struct.pack("!H", len(reply)) + reply)

    def _reply(self, server: str, data: bytes, *, tcp: bool) -> bytes | None:
        """The answer to one message; None for silence."""
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None
        if not query.question:
            return None
        question = query.question[0]
        kind = dns.rdatatype.to_text(question.rdtype)
        found = self._names.find("bot", server, question.name.to_text(), kind, tcp=tcp)
        if found is not None and not found.answered:
            return None
        reply = dns.message.make_response(query, recursion_available=True)
        reply.set_rcode(dns.rcode.NOTIMP if found is None else dns.rcode.from_text(found.rcode))
        if found is not None and found.addresses:
            reply.answer = _records(question.name, found)
        return reply.to_wire()


def _records(name: dns.name.Name, answer: Answer) -> list[dns.rrset.RRset]:
    """The recorded records; text that is no record of the type asked for is what the name was an alias of."""
    aliases, records = [], []
    for text in answer.addresses:
        try:
            records.append(dns.rrset.from_text(name, TTL, "IN", answer.type, text))
        except (dns.exception.DNSException, ValueError):
            with suppress(dns.exception.DNSException, ValueError):
                aliases.append(dns.rrset.from_text(name, TTL, "IN", "CNAME", text))
    return [*aliases, *records]


def _message(connection: socket.socket) -> bytes:
    """One length-prefixed message; empty at the end."""
    size = _exactly(connection, 2)
    return _exactly(connection, struct.unpack("!H", size)[0]) if size else b""


def _exactly(connection: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        part = connection.recv(count - len(data))
        if not part:
            return b""
        data += part
    return data
