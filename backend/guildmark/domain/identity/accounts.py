"""What accounts sign beside typed data: envelopes, as wallets sign a message (EIP-191)."""

from guildmark.domain.builds.dsse import Verify
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.identifiers import Address, Digest, KeyId, to_hex
from guildmark.domain.signatures import SignatureMismatchError, recover_address

_PREFIX = b"\x19Ethereum Signed Message:\n"
_PADDING = bytes(12)


def message_digest(message: bytes) -> Digest:
    """Return the digest of a message that an account signs: EIP-191, version 0x45."""
    return keccak256(b"%b%d%b" % (_PREFIX, len(message), message))


def account_key(account: Address) -> KeyId:
    """Return how an envelope names an account as its signer: the address behind 12 zero bytes."""
    return KeyId(_PADDING + account)


def verifier_of(account: Address) -> Verify:
    """Return what checks that an account signed a message.

    The result raises MalformedSignatureError for bytes that are no signature, and
    SignatureMismatchError for one of another account or over other bytes.
    """

    def verify(message: bytes, signature: bytes) -> None:
        if recover_address(message_digest(message), signature) != account:
            text = f"The account {to_hex(account)} did not sign these bytes."
            raise SignatureMismatchError(text, account=to_hex(account))

    return verify
