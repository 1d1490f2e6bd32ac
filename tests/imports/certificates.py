"""An authority of the tests' own, and certificates it gave out."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass(frozen=True)
class Certificates:
    """`authority` is the file that a client may trust."""

    folder: Path
    key: ec.EllipticCurvePrivateKey

    @property
    def authority(self) -> Path:
        return self.folder / "authority.pem"

    def server(self, host: str) -> ssl.SSLContext:
        """What a server of that name needs."""
        key, file = ec.generate_private_key(ec.SECP256R1()), self.folder / f"{host}.pem"
        names = x509.SubjectAlternativeName([x509.DNSName(host)])
        certificate = _builder(host, key).add_extension(names, critical=False).sign(self.key, hashes.SHA256())
        private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        file.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context


def found(folder: Path) -> Certificates:
    """A new authority in the folder."""
    new = Certificates(folder, ec.generate_private_key(ec.SECP256R1()))
    is_authority = x509.BasicConstraints(ca=True, path_length=0)
    certificate = _builder("tests", new.key).add_extension(is_authority, critical=True).sign(new.key, hashes.SHA256())
    new.authority.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return new


def _builder(name: str, key: ec.EllipticCurvePrivateKey) -> x509.CertificateBuilder:
    today = datetime.now(UTC)
    subject, issuer = (x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)]) for each in (name, "tests"))
    return (
        x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key())
        .serial_number(x509.random_serial_number()).not_valid_before(today - timedelta(days=1)).not_valid_after(today + timedelta(days=1))
    )  # fmt: skip
