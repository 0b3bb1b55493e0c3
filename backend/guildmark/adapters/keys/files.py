"""Key files: Ethereum's v3 keystore for secp256k1, encrypted PKCS #8 for the others.

The public half stands beside the encrypted one, so that lists need no password; what opens is
compared with it. A hybrid key is its two halves, one behind the other.
"""

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import orjson
from coincurve import PrivateKey
from coincurve import PublicKey as Point
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, mlkem, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
    load_pem_public_key,
)

from guildmark.adapters.files import create_durably
from guildmark.adapters.keys import signer
from guildmark.adapters.keys.pkcs8 import encrypted_pem
from guildmark.adapters.keys.signer import Signer
from guildmark.domain.errors import ContentError
from guildmark.ports.keys import (
    KeyAlgorithm,
    KeyExistsError,
    KeyMissingError,
    PasswordWrongError,
    PublicKey,
)

KEYSTORE = ".json"
PKCS8 = ".pem"

_COST = 2**15
_MODE = 0o600
_PRIVATE = re.compile(
    rb"-----BEGIN ENCRYPTED PRIVATE KEY-----.*?-----END ENCRYPTED PRIVATE KEY-----", re.DOTALL
)
_PUBLIC = re.compile(rb"-----BEGIN PUBLIC KEY-----.*?-----END PUBLIC KEY-----", re.DOTALL)


class KeyFileMalformedError(ContentError):
    """A key's file is damaged, or of a kind that is not read."""

    code = "key.fileMalformed"
    hint = "Restore the file from a backup."


def create(folder: Path, name: str, algorithm: KeyAlgorithm, password: str) -> PublicKey:
    """Make a key and write its file.

    Raises:
        KeyExistsError: There is a file of that name.
    """
    secret = signer.generate(algorithm)
    if algorithm is KeyAlgorithm.SECP256K1:
        path, content = folder / f"{name}{KEYSTORE}", _keystore(secret[0], password)
    else:
        path, content = folder / f"{name}{PKCS8}", _pem(secret, password)
    try:
        create_durably(path, content, mode=_MODE)
    except FileExistsError as exc:
        message = f"There is a key file {path} already."
        raise KeyExistsError(message, path=str(path)) from exc
    return public_key(path)


def public_key(path: Path) -> PublicKey:
    """Return the public half, without a password.

    Raises:
        KeyMissingError: There is no such file.
        KeyFileMalformedError: It is no key file.
    """
    content = _content(path)
    if path.suffix == PKCS8:
        return _read_public(path, content)
    document = _document(path, content)
    try:
        value = bytes.fromhex(document["publicKey"])
        Point(value)
    except (KeyError, TypeError, ValueError) as exc:
        message = f"{path} does not say its public key."
        raise KeyFileMalformedError(message, path=str(path)) from exc
    return PublicKey(algorithm=KeyAlgorithm.SECP256K1, value=value)


def open_key(path: Path, password: str) -> Signer:
    """Return the opened key.

    Raises:
        KeyMissingError: There is no such file.
        PasswordWrongError: The password does not open it.
        KeyFileMalformedError: It is no key file, or its two halves differ.
    """
    content = _content(path)
    reader = _open_pem if path.suffix == PKCS8 else _open_keystore
    opened = reader(path, content, password)
    if opened.public_key != public_key(path):
        message = f"The public key in {path} is not that of its private key."
        raise KeyFileMalformedError(message, path=str(path))
    return opened


def _keystore(secret: bytes, password: str) -> bytes:
    from eth_account import Account  # noqa: PLC0415 - a second of imports, for these files only

    document = Account.encrypt(secret, password, kdf="scrypt", iterations=_COST)
    public = PrivateKey(secret).public_key.format().hex()
    return orjson.dumps({**document, "publicKey": public}, option=orjson.OPT_INDENT_2) + b"\n"


def _open_keystore(path: Path, content: bytes, password: str) -> Signer:
    from eth_account import Account  # noqa: PLC0415 - a second of imports, for these files only

    document = _document(path, content)
    try:
        secret = bytes(Account.decrypt(document, password))
    except ValueError as exc:
        raise _wrong_password(path) from exc
    except (KeyError, TypeError, NotImplementedError) as exc:
        message = f"{path} is no keystore of version 3: {exc}."
        raise KeyFileMalformedError(message, path=str(path)) from exc
    return signer.secp256k1(PrivateKey(secret))


def _pem(halves: Sequence[bytes], password: str) -> bytes:
    keys = (load_der_private_key(half, None).public_key() for half in halves)
    spki = PublicFormat.SubjectPublicKeyInfo
    public = (key.public_bytes(Encoding.PEM, spki) for key in keys)
    private = (encrypted_pem(half, password.encode()) for half in halves)
    return b"".join((*public, *private))


def _read_public(path: Path, content: bytes) -> PublicKey:
    try:
        halves = [load_pem_public_key(half) for half in _PUBLIC.findall(content)]
    except (ValueError, UnsupportedAlgorithm) as exc:
        message = f"{path} holds no public key in PEM."
        raise KeyFileMalformedError(message, path=str(path)) from exc
    match halves:
        case [ec.EllipticCurvePublicKey() as key] if isinstance(key.curve, ec.SECP256R1):
            point = key.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
            return PublicKey(algorithm=KeyAlgorithm.P256, value=point)
        case [ed25519.Ed25519PublicKey() as key]:
            return PublicKey(algorithm=KeyAlgorithm.ED25519, value=key.public_bytes_raw())
        case [x25519.X25519PublicKey() as key]:
            return PublicKey(algorithm=KeyAlgorithm.X25519, value=key.public_bytes_raw())
        case [mlkem.MLKEM768PublicKey() as quantum, x25519.X25519PublicKey() as key]:
            value = quantum.public_bytes_raw() + key.public_bytes_raw()
            return PublicKey(algorithm=KeyAlgorithm.HYBRID, value=value)
        case [rsa.RSAPublicKey() as key]:
            value = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return PublicKey(algorithm=KeyAlgorithm.RSA, value=value)
        case _:
            raise _unknown_algorithm(path)


def _open_pem(path: Path, content: bytes, password: str) -> Signer:
    private = _PRIVATE.findall(content)
    if not private:
        message = f"{path} holds no encrypted private key."
        raise KeyFileMalformedError(message, path=str(path))
    try:
        halves = [load_pem_private_key(half, password.encode()) for half in private]
    except (ValueError, UnsupportedAlgorithm) as exc:
        raise _wrong_password(path) from exc
    match halves:
        case [ec.EllipticCurvePrivateKey() as key]:
            return signer.p256(key)
        case [ed25519.Ed25519PrivateKey() as key]:
            return signer.ed25519_signer(key)
        case [x25519.X25519PrivateKey() as key]:
            return signer.x25519_opener(key)
        case [mlkem.MLKEM768PrivateKey() as quantum, x25519.X25519PrivateKey() as key]:
            return signer.hybrid_opener(quantum, key)
        case [rsa.RSAPrivateKey() as key]:
            return signer.rsa_opener(key)
        case _:
            raise _unknown_algorithm(path)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError as exc:
        message = f"There is no key file {path}."
        raise KeyMissingError(message, path=str(path)) from exc


def _document(path: Path, content: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(content)
    except orjson.JSONDecodeError as exc:
        message = f"{path} is no JSON."
        raise KeyFileMalformedError(message, path=str(path)) from exc
    if not isinstance(document, dict):
        message = f"{path} is no keystore."
        raise KeyFileMalformedError(message, path=str(path))
    return document


def _unknown_algorithm(path: Path) -> KeyFileMalformedError:
    message = f"{path} holds a key that is neither P-256, Ed25519, X25519, hybrid nor RSA."
    return KeyFileMalformedError(message, path=str(path))


def _wrong_password(path: Path) -> PasswordWrongError:
    message = f"The password does not open the key file {path}."
    return PasswordWrongError(message, path=str(path))
