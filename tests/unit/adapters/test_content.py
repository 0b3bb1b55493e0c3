"""Content on this disk: hashed again when read, encrypted where it is a secret."""

from io import BytesIO
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from guildmark.adapters.clock import SystemEntropy
from guildmark.adapters.content.store import LocalContent
from guildmark.adapters.content.stores import open_stores
from guildmark.adapters.content.vault import LocalVault
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import Cid
from guildmark.ports.content import ContentMismatchError, ContentMissingError
from guildmark.ports.store import StoreUnavailableError
from guildmark_ipfs.hybrid import HybridPrivateKey

PLAIN = b"solid bracket" * 50_000
KEY = bytes(range(32))
ABSENT = Cid("bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku")


@pytest.fixture
def content(tmp_path: Path) -> LocalContent:
    return opened(tmp_path / "content")


def opened(folder: Path, *addresses: str) -> LocalContent:
    stores = open_stores(folder, addresses, copies=None, entropy=SystemEntropy())
    return LocalContent(stores.blocks)


@pytest.fixture
def vault(content: LocalContent) -> LocalVault:
    return LocalVault(files=content.files, entropy=SystemEntropy())


def blocks(tmp_path: Path) -> list[Path]:
    return [path for path in (tmp_path / "content").rglob("*") if path.is_file()]


def test_file_is_read_as_it_was_put(content: LocalContent) -> None:
    cid = content.put([PLAIN[:100], PLAIN[100:]])

    assert b"".join(content.get(cid)) == PLAIN
    assert content.has(cid)


def test_equal_bytes_have_one_address(content: LocalContent) -> None:
    assert content.put([PLAIN]) == content.put([PLAIN[:7], PLAIN[7:]])


def test_file_that_was_never_put_is_missing(content: LocalContent) -> None:
    assert not content.has(ABSENT)
    with pytest.raises(ContentMissingError) as caught:
        list(content.get(ABSENT))

    assert caught.value.code == "content.missing"


def test_text_that_is_no_address_is_refused(content: LocalContent) -> None:
    with pytest.raises(MalformedError):
        list(content.get(Cid("QmNotAnAddressOfThisProfile")))


def test_file_leaves_and_arrives_as_a_car(content: LocalContent, tmp_path: Path) -> None:
    cid, other = content.put([PLAIN]), content.put([b"another"])
    elsewhere = opened(tmp_path / "elsewhere")
    car = b"".join(content.write_car(cid))

    elsewhere.load_car([car[:50], car[50:]], cid)

    assert b"".join(elsewhere.get(cid)) == PLAIN
    with pytest.raises(ContentMismatchError):
        elsewhere.load_car([car], other)
    with pytest.raises(ContentMismatchError):
        elsewhere.load_car([car[:-1]], cid)
    with pytest.raises(ContentMissingError):
        list(content.write_car(ABSENT))


def test_changed_block_is_never_given_out(content: LocalContent, tmp_path: Path) -> None:
    cid = content.put([PLAIN])
    for path in blocks(tmp_path):
        if path.stat().st_size > 1_000:
            path.chmod(0o644)
            path.write_bytes(path.read_bytes()[:-1] + b"X")

    with pytest.raises(ContentMismatchError) as caught:
        list(content.get(cid))

    assert caught.value.exit_code == 14


def test_folder_that_cannot_be_written_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "content").write_text("a file stands in the way")

    with pytest.raises(StoreUnavailableError):
        opened(tmp_path / "content")


def test_encrypted_file_opens_with_its_key(vault: LocalVault) -> None:
    stored = vault.put(BytesIO(PLAIN), KEY)
    sink = BytesIO()

    plain = vault.get(stored.cid, KEY, sink)

    assert sink.getvalue() == PLAIN
    assert plain == stored.plain
    assert (plain.size, plain.digest) == (len(PLAIN), sha256(PLAIN))


def test_ciphertext_digest_is_that_of_the_stored_bytes(
    vault: LocalVault, content: LocalContent
) -> None:
    stored = vault.put(BytesIO(PLAIN), KEY)

    assert sha256(b"".join(content.get(stored.cid))) == stored.ciphertext


def test_same_file_twice_is_not_the_same_ciphertext(vault: LocalVault) -> None:
    first, second = (vault.put(BytesIO(PLAIN), KEY) for _ in range(2))

    assert first.cid != second.cid


def test_other_key_opens_nothing(vault: LocalVault) -> None:
    stored, sink = vault.put(BytesIO(PLAIN), KEY), BytesIO()

    with pytest.raises(ContentMismatchError):
        vault.get(stored.cid, KEY[::-1], sink)

    assert sink.getvalue() == b""


def test_key_of_another_size_is_refused(vault: LocalVault) -> None:
    with pytest.raises(MalformedError):
        vault.put(BytesIO(PLAIN), KEY[:-1])


def test_document_is_sealed_to_its_recipient(vault: LocalVault) -> None:
    private = X25519PrivateKey.generate()
    recipient = private.public_key().public_bytes_raw()

    sealed = vault.seal(b"terms", recipient, info=b"to site 1")

    suite = hpke.Suite(hpke.KEM.X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.AES_256_GCM)
    assert suite.decrypt(sealed, private, b"to site 1") == b"terms"


def test_document_is_sealed_to_a_hybrid_recipient(vault: LocalVault) -> None:
    private = HybridPrivateKey.generate()

    sealed = vault.seal(b"terms", bytes(private.public_key()), info=b"to site 1")

    assert private.open(sealed, info=b"to site 1") == b"terms"


def test_recipient_that_is_no_key_is_refused(vault: LocalVault) -> None:
    with pytest.raises(MalformedError):
        vault.seal(b"terms", bytes(32), info=b"to site 1")
