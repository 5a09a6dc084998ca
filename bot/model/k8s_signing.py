"""CertificateSigningRequests, as far as kubewhy reads them."""

from __future__ import annotations

from bot.model.k8s import Condition, Object, Struct


class SigningSpec(Struct):
    """CertificateSigningRequest.spec, without the request itself."""

    username: str = ""
    signer_name: str = ""


class SigningStatus(Struct):
    """CertificateSigningRequest.status."""

    conditions: tuple[Condition, ...] | None = None


class SigningRequestObject(Object):
    """A CertificateSigningRequest."""

    spec: SigningSpec = SigningSpec()
    status: SigningStatus = SigningStatus()
