"""Files encrypted each under a key of its own, over a local block store."""

from dataclasses import dataclass
from io import BufferedIOBase

from guildmark.adapters.content.failures import translated
from guildmark.domain.identifiers import Cid, Digest
from guildmark.ports.clock import Entropy
from guildmark.ports.content import EncryptedFile, PlainFile
from guildmark_ipfs import cid as addresses
from guildmark_ipfs.hybrid import HYBRID_PUBLIC_SIZE, HybridPublicKey
from guildmark_ipfs.keys import ContentKey, PublicKey
from guildmark_ipfs.store import ContentStore


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalVault:
    """Encrypted files in a block store; fulfils ``Vault``."""

    files: ContentStore
    entropy: Entropy

    def put(self, source: BufferedIOBase, key: bytes) -> EncryptedFile:
        """Encrypt a file under a new key of 32 bytes and store the result durably."""
        with translated():
            stored = self.files.put_encrypted(
                source, ContentKey.from_bytes(key), entropy=self.entropy.token
            )
        plain = PlainFile(size=stored.plain.size, digest=Digest(stored.plain.sha256))
        return EncryptedFile(
            cid=Cid(str(stored.stored.cid)), ciphertext=Digest(stored.stored.sha256), plain=plain
        )

    def get(self, cid: Cid, key: bytes, sink: BufferedIOBase) -> PlainFile:
        """Write a file's plain bytes; what was written before an error is worth nothing."""
        with translated():
            plain = self.files.decrypt(addresses.Cid.parse(cid), ContentKey.from_bytes(key), sink)
        return PlainFile(size=plain.size, digest=Digest(plain.sha256))

    def seal(self, document: bytes, recipient: bytes, *, info: bytes) -> bytes:
        """Seal a document (HPKE, RFC 9180) to a public key under the context ``info``.

        A key of 32 bytes is X25519's, one of 1,216 bytes ML-KEM-768's and X25519's.
        """
        with translated():
            kind = HybridPublicKey if len(recipient) == HYBRID_PUBLIC_SIZE else PublicKey
            return kind(recipient).seal(document, info=info)
