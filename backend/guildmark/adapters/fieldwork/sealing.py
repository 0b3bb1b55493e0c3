"""Photos and telemetry encrypted before they leave the machine's side."""

from dataclasses import dataclass
from io import BytesIO

from guildmark.domain.identifiers import Bytes32
from guildmark.ports.clock import Entropy
from guildmark_ipfs.crypt import decrypt, encrypt
from guildmark_ipfs.keys import ContentKey

_SEGMENT_BITS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSealer:
    """Encrypts small files as `guildmark_ipfs` does."""

    entropy: Entropy

    def seal(self, data: bytes, key: Bytes32) -> bytes:
        """Return a file encrypted under a key that encrypts nothing else."""
        sink = BytesIO()
        content_key = ContentKey.from_bytes(key)
        encrypt(
            BytesIO(data),
            sink,
            content_key,
            entropy=self.entropy.token,
            segment_bits=_SEGMENT_BITS,
        )
        return sink.getvalue()

    def open(self, data: bytes, key: Bytes32) -> bytes:
        """Return what was encrypted.

        Raises:
            guildmark_ipfs.errors.ContentError: Another key, or changed bytes.
        """
        sink = BytesIO()
        decrypt(BytesIO(data), sink, ContentKey.from_bytes(key))
        return sink.getvalue()
