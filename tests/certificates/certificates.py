"""Which certificates do the tests need? Good ones of one private authority, and bad ones of every common kind."""

from __future__ import annotations

import datetime
import os
from pathlib import Path
from typing import Any

import trustme
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
    pkcs12,
)
from cryptography.x509 import load_pem_x509_certificate

DAY = datetime.timedelta(days=1)
OTHER_HOST = "another-host.invalid"


def make(folder: Path, hosts: list[str], user: str, password: str) -> dict[str, Any]:
    """Writes everything below `folder`, readable by this user only, and answers the paths.

    `hosts`: names and addresses in the server's certificate; `user`: the client certificate's common name;
    `password`: opens the PKCS#12 file and the encrypted key.
    """
    now = datetime.datetime.now(datetime.timezone.utc)
    ours = trustme.CA(organization_name="AsyncMQ Console tests", organization_unit_name="Private authority")
    strangers = trustme.CA(organization_name="Strangers", organization_unit_name="An authority that nobody trusts")
    client_name = {"common_name": user, "organization_name": "Acme", "organization_unit_name": "Operators"}
    client = ours.issue_cert(f"{user}@acme.example", **client_name)
    return {
        "ca_file": _write(folder / "ca.pem", ours.cert_pem.bytes()),
        "server": _pem(folder / "server", ours.issue_cert(*hosts)),
        "expired_server": _pem(
            folder / "expired-server", ours.issue_cert(*hosts, not_before=now - 30 * DAY, not_after=now - DAY)
        ),
        "other_host_server": _pem(folder / "other-host-server", ours.issue_cert(OTHER_HOST)),
        "client": {**_pem(folder / "client", client), **_other_forms(folder / "client", client, password)},
        "expired_client": _pem(
            folder / "expired-client",
            ours.issue_cert(f"{user}@acme.example", **client_name, not_before=now - 30 * DAY, not_after=now - DAY),
        ),
        "stranger": {
            "ca_file": _write(folder / "stranger-ca.pem", strangers.cert_pem.bytes()),
            "server": _pem(folder / "stranger-server", strangers.issue_cert(*hosts)),
            "client": _pem(folder / "stranger-client", strangers.issue_cert("mallory@elsewhere.example")),
        },
        "pid": os.getpid(),
    }


def _pem(stem: Path, leaf: trustme.LeafCert) -> dict[str, str]:
    """The certificate with its chain, and the key as PKCS#8."""
    chain = b"".join(blob.bytes() for blob in leaf.cert_chain_pems)
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    return {
        "certificate_file": _write(stem.with_suffix(".pem"), chain),
        "key_file": _write(
            stem.with_suffix(".key"), key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        ),
    }


def _other_forms(stem: Path, leaf: trustme.LeafCert, password: str) -> dict[str, str]:
    """The forms in which operators are handed a client certificate, besides plain PEM."""
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None)
    certificate = load_pem_x509_certificate(leaf.cert_chain_pems[0].bytes())
    encryption = BestAvailableEncryption(password.encode())
    old = (
        PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(2048)
        .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
        .build(password.encode())
    )
    name = stem.name.encode()
    return {
        "pkcs12_file": _write(
            stem.with_suffix(".p12"), pkcs12.serialize_key_and_certificates(name, key, certificate, None, encryption)
        ),
        "old_pkcs12_file": _write(
            stem.with_name(f"{stem.name}-old.p12"),
            pkcs12.serialize_key_and_certificates(name, key, certificate, None, old),
        ),
        "encrypted_key_file": _write(
            stem.with_name(f"{stem.name}-encrypted.key"),
            key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption),
        ),
        "traditional_key_file": _write(
            stem.with_name(f"{stem.name}-traditional.key"),
            key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()),
        ),
        "password": password,
    }


def _write(path: Path, content: bytes) -> str:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    return str(path)
