"""CertificateSigningRequests, as far as kubewhy reads them."""

from __future__ import annotations

from bot.model.k8s import Condition, Object, Struct


class SigningSpec(Struct):
    """CertificateSigningRequest.spec; ``request`` is base64 of PEM, and holds no secret: a name and a public key."""

    username: str = ""
    signer_name: str = ""
    request: str = ""


class SigningStatus(Struct):
    """CertificateSigningRequest.status."""

    conditions: tuple[Condition, ...] | None = None


class SigningRequestObject(Object):
    """A CertificateSigningRequest."""

    spec: SigningSpec = SigningSpec()
    status: SigningStatus = SigningStatus()
