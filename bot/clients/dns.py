"""Live DNS questions and connection attempts, from where the bot stands."""

from __future__ import annotations

import errno
import socket
import ssl
import time

import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from bot.clients.reach import Reach
from bot.errors import Kind, SourceError
from bot.source import Answer
from bot.source import Reach as Reached

PORT = 53
NO_ROUTE = {errno.ENETUNREACH, errno.EHOSTUNREACH}


class LiveResolver:
    """Asks a given server directly, UDP with a fall-back to TCP when the answer is cut."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def ask(self, server: str, name: str, kind: str = "A", *, tcp: bool = False, timeout: float = 2.0) -> Answer:
        """See :meth:`bot.source.Resolver.ask`."""
        host, port = self._reach(server, PORT)
        query = dns.message.make_query(name, kind)
        began = time.monotonic()
        try:
            if tcp:
                answer = dns.query.tcp(query, host, timeout=timeout, port=port)
            else:
                answer, _ = dns.query.udp_with_fallback(
                    query, host, timeout=timeout, port=port, ignore_unexpected=True, ignore_errors=True
                )
        except dns.exception.Timeout:
            return self._failed(server, name, kind, "timeout", began)
        except ConnectionRefusedError:
            return self._failed(server, name, kind, "refused", began)
        except dns.exception.DNSException as error:
            raise SourceError(Kind.MALFORMED, f"DNS {name} @{server}", type(error).__name__) from None
        except OSError as error:
            found = Kind.UNREACHABLE if error.errno in NO_ROUTE else Kind.RESET
            raise SourceError(found, f"DNS {name} @{server}", error.strerror or str(error)) from None
        if answer.rcode() == dns.rcode.NOTIMP:  # it has no opinion on the name: no evidence, neither good nor bad
            raise SourceError(Kind.MALFORMED, f"DNS {name} @{server}", "the server takes no such question (NOTIMP)")
        records = tuple(
            item.to_text().rstrip(".")
            for rrset in answer.answer
            if rrset.rdtype == dns.rdatatype.from_text(kind)
            for item in rrset
        )
        rcode = dns.rcode.to_text(answer.rcode())
        return Answer(origin="bot", server=server, name=name, type=kind, rcode=rcode, addresses=records, ms=_ms(began))

    def _failed(self, server: str, name: str, kind: str, rcode: str, began: float) -> Answer:
        return Answer(origin="bot", server=server, name=name, type=kind, rcode=rcode, ms=_ms(began))


class LiveProber:
    """Tries to connect."""

    def __init__(self, reach: Reach) -> None:
        self._reach = reach

    def connect(self, host: str, port: int, kind: str = "tcp", *, timeout: float = 3.0) -> Reached:
        """See :meth:`bot.source.Prober.connect`."""
        began = time.monotonic()
        result = self._try(self._reach(host, port), kind, timeout)
        return Reached(origin="bot", host=host, port=port, kind=kind, result=result, ms=_ms(began))

    def _try(self, address: tuple[str, int], kind: str, timeout: float) -> str:
        try:
            with socket.create_connection(address, timeout=timeout) as raw:
                if kind == "tls":
                    context = ssl.create_default_context()
                    context.check_hostname = False  # whether TLS is spoken there, not whose it is
                    context.verify_mode = ssl.CERT_NONE
                    context.wrap_socket(raw, server_hostname=address[0]).close()
        except ssl.SSLError:
            return "tls"
        except ConnectionRefusedError:
            return "refused"
        except TimeoutError:
            return "timeout"
        except OSError:
            return "unreachable"
        return "ok"


def _ms(began: float) -> int:
    return int((time.monotonic() - began) * 1000)
