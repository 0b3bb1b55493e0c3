"""Keys of notes for tests: each secret is the name itself, filled up."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from guildmark.domain.log.note import NoteKey, NoteKind, NoteSignature, cosign, sign

TEXT = "example.org/log\n3\nroot\n"


def secret(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(name.encode().ljust(32, b"."))


def key(name: str, kind: NoteKind = NoteKind.NOTE) -> NoteKey:
    return NoteKey(name=name, kind=kind, public=secret(name).public_key().public_bytes_raw())


def signature(name: str, text: str = TEXT) -> NoteSignature:
    return sign(text, key(name), secret(name).sign)


def cosignature(name: str, time: int = 1_700_000_000, text: str = TEXT) -> NoteSignature:
    return cosign(text, key(name, NoteKind.COSIGNATURE), secret(name).sign, time=time)
