"""The keys of a home in a backup: one sealed file, opened by a password that is not in it."""

import base64
import json
from collections.abc import Mapping

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from guildmark.adapters.backups.refusals import BackupPasswordError, BackupPasswordShortError
from guildmark.ports.clock import Entropy

LEAST = 12
"""How many characters a password must have."""

_MAGIC = b"guildmark-keys/1\n"
_SALT, _NONCE = 16, 12
_COST = 2**16
_BLOCK_SIZE = 8
_PARALLEL = 1


def seal(files: Mapping[str, bytes], password: str, entropy: Entropy) -> bytes:
    """Return files sealed by a password: scrypt (RFC 7914), then AES-256-GCM.

    Raises:
        BackupPasswordShortError: Fewer than ``LEAST`` characters.
    """
    if len(password) < LEAST:
        message = f"The password has {len(password)} characters; {LEAST} are the least."
        raise BackupPasswordShortError(message)
    named = {name: base64.b64encode(content).decode() for name, content in sorted(files.items())}
    head = _MAGIC + entropy.token(_SALT)
    nonce = entropy.token(_NONCE)
    sealed = AESGCM(_key(password, head)).encrypt(nonce, json.dumps(named).encode(), head)
    return head + nonce + sealed


def unseal(sealed: bytes, password: str) -> dict[str, bytes]:
    """Return the files that were sealed.

    Raises:
        BackupPasswordError: The password is another one.
    """
    size = len(_MAGIC) + _SALT
    head, nonce, content = sealed[:size], sealed[size : size + _NONCE], sealed[size + _NONCE :]
    try:
        named = json.loads(AESGCM(_key(password, head)).decrypt(nonce, content, head))
    except (InvalidTag, ValueError) as exc:
        message = "The password does not open the keys of this backup."
        raise BackupPasswordError(message) from exc
    return {name: base64.b64decode(content) for name, content in named.items()}


def _key(password: str, head: bytes) -> bytes:
    salt = head[len(_MAGIC) :]
    return Scrypt(salt=salt, length=32, n=_COST, r=_BLOCK_SIZE, p=_PARALLEL).derive(
        password.encode()
    )
