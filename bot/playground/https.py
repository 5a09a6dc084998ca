"""A recorded cluster as a real HTTPS API on loopback, for kubectl, the official clients and our own.

What is answered comes from ``bot.bundle.api``; here are the listening socket, the certificates, the users and the
running clock.
"""

from __future__ import annotations

import base64
import json
import ssl
import tempfile
import threading
from pathlib import Path
from typing import Self

from bot.bundle.api import Cluster
from bot.bundle.api.request import READER
from bot.bundle.recording import Bundle
from bot.playground.connection import Api, Server
from bot.playground.faults import Faults
from bot.playground.pki import Authority
from bot.playground.users import Users

LOOPBACK = "127.0.0.1"


class ApiServer:
    """A playground's API while it runs.

    Attributes:
        url: ``https://127.0.0.1:PORT``.
        ca_pem: the certificate authority to trust.
        faults: what goes wrong, changeable at any time.
        seen: every request so far: user, method, path with query.
    """

    def __init__(self, bundle: Bundle, *, faults: Faults | None = None, host: str = LOOPBACK, port: int = 0) -> None:
        self.faults = faults or Faults()
        self.users = Users()
        self._authority = Authority()
        self.ca_pem = self._authority.pem
        # The clock stands still, as the nodes' does: a clock that ran would make every recorded node slow.
        self.cluster = Cluster(bundle)
        self._api = Api(cluster=self.cluster, users=self.users, faults=self.faults)
        self.seen = self._api.seen
        self._http = Server((host, port), self._api, _context(self._authority, host))
        self.url = f"https://{host}:{self._http.server_address[1]}"
        self._thread = threading.Thread(
            target=self._http.serve_forever, args=(0.05,), daemon=True, name="playground-api"
        )
        self._thread.start()

    def kubeconfig(self, user: str = READER.name, groups: tuple[str, ...] = (), *, certificate: bool = False) -> str:
        """A kubeconfig that authenticates ``user``, by a token or by a client certificate.

        Args:
            user: ``system:admin`` reads everything; service accounts are ``system:serviceaccount:NS:NAME``.
            groups: more groups of the user.
            certificate: whether to use a client certificate instead of a token.
        """
        credentials: dict[str, str] = {}
        if certificate:
            pem, key = self._authority.client(user, groups)
            credentials = {"client-certificate-data": _base64(pem), "client-key-data": _base64(key)}
        else:
            credentials = {"token": self.users.token(user, groups)}
        cluster = {"server": self.url, "certificate-authority-data": _base64(self.ca_pem)}
        config = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "playground", "cluster": cluster}],
            "users": [{"name": user, "user": credentials}],
            "contexts": [{"name": "playground", "context": {"cluster": "playground", "user": user}}],
            "current-context": "playground",
        }
        return json.dumps(config, indent=2) + "\n"  # JSON is YAML

    def stop(self) -> None:
        """End every connection and stop listening."""
        self._api.stopping.set()
        self._http.shutdown()
        self._http.end_connections()
        self._http.server_close()
        self._thread.join(5)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


def serve(bundle: Bundle, *, faults: Faults | None = None, host: str = LOOPBACK, port: int = 0) -> ApiServer:
    """Serve a recorded cluster's API over HTTPS until ``stop`` is called.

    Args:
        bundle: the recorded cluster.
        faults: what goes wrong from the first request on.
        host: the address to listen on.
        port: 0 picks a free one.

    Raises:
        OSError: the port cannot be listened on.
        BundleError: the bundle does not tell its time.
    """
    return ApiServer(bundle, faults=faults, host=host, port=port)


def _base64(pem: str) -> str:
    return base64.b64encode(pem.encode()).decode()


def _context(authority: Authority, host: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate, key = authority.server(host)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "server.pem")
        path.touch(mode=0o600)
        path.write_text(certificate + key, encoding="ascii")
        context.load_cert_chain(path)
    context.load_verify_locations(cadata=authority.pem)
    context.verify_mode = ssl.CERT_OPTIONAL
    return context
