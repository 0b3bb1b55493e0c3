"""Content and vault in memory; a sealed document wears its context on its front."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BufferedIOBase

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Cid
from guildmark.ports.content import (
    ContentMismatchError,
    ContentMissingError,
    EncryptedFile,
    PlainFile,
    StoreAnswer,
    UploadState,
    UploadUnknownError,
)


def _mixed(data: bytes, key: bytes) -> bytes:
    return bytes(byte ^ key[at % len(key)] for at, byte in enumerate(data))


@dataclass
class MemoryContent:
    """Fulfils ``ContentStore``."""

    files: dict[Cid, bytes] = field(default_factory=dict)

    def put(self, chunks: Iterable[bytes]) -> Cid:
        data = b"".join(chunks)
        cid = Cid("b" + sha256(data).hex()[:58].translate(str.maketrans("0189", "abcd")))
        self.files[cid] = data
        return cid

    def get(self, cid: Cid) -> Iterator[bytes]:
        if cid not in self.files:
            message = f"There is no {cid}."
            raise ContentMissingError(message)
        yield self.files[cid]

    def has(self, cid: Cid) -> bool:
        return cid in self.files

    def write_car(self, cid: Cid) -> Iterator[bytes]:
        yield b"car of "
        yield from self.get(cid)

    def load_car(self, chunks: Iterable[bytes], cid: Cid) -> None:
        data = b"".join(chunks).removeprefix(b"car of ")
        if self.put([data]) != cid:
            message = "It is another file's."
            raise ContentMismatchError(message)


@dataclass
class MemoryStores:
    """Fulfils ``ContentStores`` with answers that were laid ready."""

    answers: list[StoreAnswer] = field(default_factory=list)

    def round(self) -> Iterator[StoreAnswer]:
        yield from self.answers


@dataclass
class MemoryUploads:
    """Fulfils ``Uploads``, for one part at a time."""

    content: MemoryContent
    parts: dict[str, tuple[int, bytes]] = field(default_factory=dict)

    def begin(self, size: int) -> UploadState:
        name = f"{len(self.parts):032x}"
        self.parts[name] = (size, b"")
        return self.status(name)

    def status(self, name: str) -> UploadState:
        if name not in self.parts:
            message = "There is no such upload."
            raise UploadUnknownError(message)
        size, data = self.parts[name]
        return UploadState(name=name, size=size, offset=len(data))

    def append(self, name: str, offset: int, chunks: Iterable[bytes]) -> UploadState:
        size, data = self.parts[name]
        assert offset == len(data)
        self.parts[name] = (size, data + b"".join(chunks))
        return self.status(name)

    def finish(self, name: str) -> Cid:
        size, data = self.parts[name]
        assert len(data) == size
        return self.content.put([data])


@dataclass
class MemoryVault:
    """Fulfils ``Vault``."""

    content: MemoryContent = field(default_factory=MemoryContent)

    def put(self, source: BufferedIOBase, key: bytes) -> EncryptedFile:
        plain = source.read()
        encrypted = _mixed(plain, key)
        return EncryptedFile(
            cid=self.content.put([encrypted]),
            ciphertext=sha256(encrypted),
            plain=PlainFile(size=len(plain), digest=sha256(plain)),
        )

    def get(self, cid: Cid, key: bytes, sink: BufferedIOBase) -> PlainFile:
        plain = _mixed(b"".join(self.content.get(cid)), key)
        sink.write(plain)
        return PlainFile(size=len(plain), digest=sha256(plain))

    def seal(self, document: bytes, recipient: bytes, *, info: bytes) -> bytes:
        return info + document


@dataclass
class CountingEntropy:
    """Bytes that are never the same twice, and the same in every run."""

    count: int = 0

    def token(self, size: int) -> bytes:
        self.count += 1
        return sha256(b"token %d" % self.count)[:size].ljust(size, b"\0")
