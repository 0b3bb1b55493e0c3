"""Documents sealed to one recipient in one piece: packages, not files of any size."""

from guildmark_ipfs.errors import MalformedError, TooLargeError
from guildmark_ipfs.keys import SEAL_OVERHEAD, PrivateKey, PublicKey

MAX_DOCUMENT = 16 * 1024 * 1024
# The last byte names the suite: X25519, HKDF-SHA256, AES-256-GCM.
_MAGIC = b"gm-sealed\x01"
_DOMAIN = b"guildmark/sealed/v1"
OVERHEAD = len(_MAGIC) + SEAL_OVERHEAD


def seal(document: bytes, recipient: PublicKey, *, info: bytes) -> bytes:
    """Return ``document`` sealed to ``recipient`` for the purpose that ``info`` names.

    Raises:
        TooLargeError: More than ``MAX_DOCUMENT`` bytes.
        MalformedError: ``info`` is empty.
    """
    if len(document) > MAX_DOCUMENT:
        message = f"A sealed document has at most {MAX_DOCUMENT} bytes, not {len(document)}."
        raise TooLargeError(message, size=len(document), limit=MAX_DOCUMENT)
    return _MAGIC + recipient.seal(document, info=_bound(info))


def open_sealed(sealed: bytes, recipient: PrivateKey, *, info: bytes) -> bytes:
    """Return the document that ``seal`` sealed.

    Raises:
        TooLargeError: More bytes than ``seal`` ever writes.
        MalformedError: No sealed document of a known kind, or ``info`` is empty.
        WrongKeyError: Sealed to another recipient or purpose, or changed since.
    """
    if len(sealed) > MAX_DOCUMENT + OVERHEAD:
        message = f"A sealed document has at most {MAX_DOCUMENT + OVERHEAD} bytes."
        raise TooLargeError(message, size=len(sealed), limit=MAX_DOCUMENT + OVERHEAD)
    if len(sealed) < OVERHEAD or not sealed.startswith(_MAGIC):
        message = "The bytes are no sealed document of a known kind."
        raise MalformedError(message, found=sealed[: len(_MAGIC)].hex())
    return recipient.open(sealed[len(_MAGIC) :], info=_bound(info))


def _bound(info: bytes) -> bytes:
    if not info:
        message = "A document is sealed for a purpose: the context must not be empty."
        raise MalformedError(message)
    return _DOMAIN + b"\x00" + info
