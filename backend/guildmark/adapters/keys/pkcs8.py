"""Private keys as encrypted PKCS #8 (RFC 5958) with a memory-hard password (scrypt, RFC 7914).

Written here because the library writes 2,048 rounds of PBKDF2 only; the costs are the greatest
that OpenSSL's command line reads.
"""

import base64
import os
from textwrap import wrap

from cryptography.hazmat.primitives import padding
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

# RFC 8018, A.4 and B.2.5; RFC 7914, 7.
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_AES256_CBC = bytes.fromhex("060960864801650304012a")
_SCRYPT = bytes.fromhex("06092b06010401da47040b")

_INTEGER = 0x02
_OCTETS = 0x04
_SEQUENCE = 0x30
_SHORT = 0x80

_COST = 2**14
_BLOCK_SIZE = 8
_PARALLEL = 2
_AES_BLOCK_BITS = 128
_LINE = 64


def encrypted_pem(plain: bytes, password: bytes) -> bytes:
    """Return a DER private key (PKCS #8) as PEM, encrypted under ``password``."""
    salt, iv = os.urandom(16), os.urandom(16)
    key = Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK_SIZE, p=_PARALLEL).derive(password)
    kdf = _sequence(
        _octets(salt), *(_integer(number) for number in (_COST, _BLOCK_SIZE, _PARALLEL))
    )
    scheme = _sequence(_sequence(_SCRYPT, kdf), _sequence(_AES256_CBC, _octets(iv)))
    content = _octets(_encrypted(plain, key, iv))
    return _pem(_sequence(_sequence(_PBES2, scheme), content))


def _encrypted(plain: bytes, key: bytes, iv: bytes) -> bytes:
    padder = padding.PKCS7(_AES_BLOCK_BITS).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    padded = padder.update(plain) + padder.finalize()
    return encryptor.update(padded) + encryptor.finalize()


def _pem(der: bytes) -> bytes:
    lines = wrap(base64.b64encode(der).decode(), _LINE)
    label = "ENCRYPTED PRIVATE KEY"
    return "\n".join((f"-----BEGIN {label}-----", *lines, f"-----END {label}-----", "")).encode()


def _sequence(*items: bytes) -> bytes:
    return _tagged(_SEQUENCE, b"".join(items))


def _octets(value: bytes) -> bytes:
    return _tagged(_OCTETS, value)


def _integer(value: int) -> bytes:
    # One bit more than the number needs, so that it reads as positive.
    return _tagged(_INTEGER, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def _tagged(tag: int, value: bytes) -> bytes:
    size = len(value)
    if size < _SHORT:
        return bytes([tag, size]) + value
    digits = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, _SHORT | len(digits)]) + digits + value
