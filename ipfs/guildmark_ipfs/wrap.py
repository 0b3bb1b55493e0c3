"""Content keys wrapped for one recipient, bound to chain, license, recipient and file."""

from dataclasses import dataclass

from guildmark_ipfs.cid import Cid
from guildmark_ipfs.errors import MalformedError
from guildmark_ipfs.hybrid import HybridPrivateKey, HybridPublicKey
from guildmark_ipfs.keys import KEY_SIZE, ContentKey, PrivateKey, PublicKey

_DOMAIN = b"guildmark/wrap/v1"
_ID_SIZE = 32
_MAX_CHAIN_ID = 2**256 - 1


@dataclass(frozen=True, slots=True, kw_only=True)
class WrapContext:
    """What a wrapped key is for; under any other context it does not open.

    Args:
        chain_id: The chain that the license is on.
        license_id: The license, 32 bytes.
        recipient: The recipient's identity, 32 bytes.
        cid: The encrypted file.

    Raises:
        MalformedError: A value of another size.
    """

    chain_id: int
    license_id: bytes
    recipient: bytes
    cid: Cid

    def __post_init__(self) -> None:
        if not 0 < self.chain_id <= _MAX_CHAIN_ID:
            message = f"{self.chain_id} is no chain id."
            raise MalformedError(message, chain_id=str(self.chain_id))
        if len(self.license_id) != _ID_SIZE or len(self.recipient) != _ID_SIZE:
            message = "License and recipient are named by 32 bytes each."
            raise MalformedError(message)

    def info(self) -> bytes:
        """Return the bytes that HPKE binds the key to: every field of fixed size."""
        chain = self.chain_id.to_bytes(_ID_SIZE, "big")
        return _DOMAIN + chain + self.license_id + self.recipient + bytes(self.cid)


def wrap(key: ContentKey, recipient: PublicKey | HybridPublicKey, context: WrapContext) -> bytes:
    """Return ``key`` sealed to ``recipient``, after the number of the recipient's suite."""
    sealed = recipient.seal(key.secret.expose(), info=context.info())
    return bytes([recipient.suite]) + sealed


def unwrap(
    wrapped: bytes, recipient: PrivateKey | HybridPrivateKey, context: WrapContext
) -> ContentKey:
    """Return the key that ``wrap`` sealed; the recipient's own kind decides which suite it may be.

    Raises:
        MalformedError: The bytes are no wrapped key of the recipient's kind.
        WrongKeyError: Wrapped for another recipient or context, or changed since.
    """
    size = 1 + KEY_SIZE + recipient.overhead
    if len(wrapped) != size or wrapped[0] != recipient.suite:
        message = f"A key wrapped for this recipient has {size} bytes, the first {recipient.suite}."
        raise MalformedError(message, size=len(wrapped))
    return ContentKey.from_bytes(recipient.open(wrapped[1:], info=context.info()))
