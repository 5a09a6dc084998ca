"""Certificates and kubeconfigs of the real cluster."""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PEM = serialization.Encoding.PEM
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL
PLAIN = serialization.NoEncryption()
DAY = dt.timedelta(days=1)


@dataclass(frozen=True)
class Authority:
    """A certificate authority that lives in a directory as NAME.crt and NAME.key."""

    name: str
    home: Path
    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def create(cls, home: Path, name: str) -> Authority:
        """A new authority, written to ``home``."""
        key = rsa.generate_private_key(65537, 2048)
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        constraints = x509.BasicConstraints(ca=True, path_length=None)
        builder = _builder(subject, subject, key.public_key(), 3650 * DAY).add_extension(constraints, critical=True)
        certificate = builder.sign(key, hashes.SHA256())
        _write(home, name, key, certificate)
        return cls(name, home, key, certificate)

    def issue(
        self,
        name: str,
        common: str,
        *,
        groups: Sequence[str] = (),
        hosts: Sequence[str] = (),
        life: dt.timedelta = 365 * DAY,
    ) -> None:
        """A certificate for server and client use, written beside the authority's as NAME.crt and NAME.key.

        It begins an hour ago: a ``life`` below that makes an expired one.
        """
        key = rsa.generate_private_key(65537, 2048)
        attributes = [x509.NameAttribute(NameOID.ORGANIZATION_NAME, g) for g in groups]
        subject = x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common)])
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH])
        builder = _builder(subject, self.certificate.subject, key.public_key(), life).add_extension(
            usage, critical=False
        )
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName([_host(h) for h in hosts]), critical=False)
        _write(self.home, name, key, builder.sign(self.key, hashes.SHA256()))


def service_account_keys(home: Path) -> None:
    """``sa.key`` and ``sa.pub`` for tokens."""
    key = rsa.generate_private_key(65537, 2048)
    (home / "sa.key").write_bytes(key.private_bytes(PEM, TRADITIONAL, PLAIN))
    public = key.public_key().public_bytes(PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    (home / "sa.pub").write_bytes(public)


def kubeconfig(path: Path, server: str, authority: str, certificate: str, key: str) -> Path:
    """A kubeconfig with one context called ``lab``."""
    path.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: lab\n"
        f"clusters: [{{name: lab, cluster: {{server: '{server}', certificate-authority: '{authority}'}}}}]\n"
        f"users: [{{name: user, user: {{client-certificate: '{certificate}', client-key: '{key}'}}}}]\n"
        "contexts: [{name: lab, context: {cluster: lab, user: user}}]\n"
    )
    return path


def _builder(
    subject: x509.Name, issuer: x509.Name, public: rsa.RSAPublicKey, life: dt.timedelta
) -> x509.CertificateBuilder:
    begin = dt.datetime.now(dt.UTC) - dt.timedelta(hours=1)  # noqa: TID251 - a certificate lives in real time
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + life)
    )


def _host(text: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(text))
    except ValueError:
        return x509.DNSName(text)


def _write(home: Path, name: str, key: rsa.RSAPrivateKey, certificate: x509.Certificate) -> None:
    (home / f"{name}.key").write_bytes(key.private_bytes(PEM, TRADITIONAL, PLAIN))
    (home / f"{name}.crt").write_bytes(certificate.public_bytes(PEM))
