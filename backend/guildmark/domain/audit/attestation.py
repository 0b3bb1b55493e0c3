"""What an auditor signs: an in-toto statement about the files of a report, as DSSE."""

from collections.abc import Sequence
from dataclasses import dataclass

from guildmark.domain.builds.dsse import Envelope, Sign
from guildmark.domain.builds.statement import PAYLOAD_TYPE, STATEMENT_TYPE
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import JsonObject, JsonValue
from guildmark.domain.identifiers import Digest, KeyId

PREDICATE_TYPE = "https://guildmark.org/audit/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedFile:
    """A file of a report, by its name and the SHA-256 of its bytes."""

    name: str
    digest: Digest


def attested(
    files: Sequence[NamedFile], summary: JsonObject, *, public_key: bytes, sign: Sign
) -> bytes:
    """Return the envelope in which an auditor says what he found.

    Its key id is the SHA-256 of the raw public key.

    Args:
        files: The subjects: what he wrote down.
        summary: The predicate: what it was about, and its sums.
        public_key: His Ed25519 key.
        sign: Signs with it.
    """
    subjects: list[JsonValue] = [
        {"name": one.name, "digest": {"sha256": one.digest.hex()}} for one in files
    ]
    payload = canonical(
        {
            "_type": STATEMENT_TYPE,
            "subject": subjects,
            "predicateType": PREDICATE_TYPE,
            "predicate": summary,
        }
    )
    signers = {KeyId(sha256(public_key)): sign}
    return Envelope.sign(payload, payload_type=PAYLOAD_TYPE, signers=signers).encode()
