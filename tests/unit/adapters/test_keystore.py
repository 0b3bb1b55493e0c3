"""Key files: what opens them, what does not, and that nothing shows a key."""

import json
import pickle
import time
from collections.abc import Mapping
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, mlkem, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)
from eth_account import Account

from guildmark.adapters.files import create_durably, write_durably
from guildmark.adapters.keys import files
from guildmark.adapters.keys.keystore import (
    FileKeyStore,
    KeyNameError,
    PasswordMissingError,
    SignerUriError,
    open_signer,
    password_from,
)
from guildmark.adapters.keys.signer import oaep
from guildmark.domain.encoding.hashing import keccak256
from guildmark.domain.signatures import Algorithm, recover_address
from guildmark.domain.signatures import PublicKey as SigningKey
from guildmark.ports.keys import (
    KeyAlgorithm,
    KeyExistsError,
    KeyMissingError,
    KeyName,
    KeyPurposeError,
    PasswordWrongError,
    PublicKey,
    SealBrokenError,
)
from guildmark_ipfs.hybrid import HybridPublicKey
from guildmark_ipfs.keys import PublicKey as SealingKey

PASSWORD = "correct horse"
ALL = list(KeyAlgorithm)
SIGNING = {
    KeyAlgorithm.SECP256K1: Algorithm.SECP256K1,
    KeyAlgorithm.P256: Algorithm.P256,
    KeyAlgorithm.ED25519: Algorithm.ED25519,
}

SEALING: Mapping[KeyAlgorithm, type[SealingKey] | type[HybridPublicKey]] = {
    KeyAlgorithm.X25519: SealingKey,
    KeyAlgorithm.HYBRID: HybridPublicKey,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> FileKeyStore:
    """Return a store with one key of each algorithm, called as the algorithm."""
    keys = FileKeyStore(tmp_path_factory.mktemp("home") / "keys", lambda: PASSWORD)
    for algorithm in ALL:
        keys.create(KeyName(algorithm.value), algorithm)
    return keys


def named(algorithm: KeyAlgorithm) -> KeyName:
    return KeyName(algorithm.value)


def with_password(made: FileKeyStore, password: str) -> FileKeyStore:
    return FileKeyStore(made.folder, lambda: password)


def test_names_are_sorted(made: FileKeyStore) -> None:
    assert made.names() == sorted(algorithm.value for algorithm in ALL)


def test_a_folder_that_is_not_there_has_no_keys(tmp_path: Path) -> None:
    assert FileKeyStore(tmp_path / "keys", lambda: PASSWORD).names() == []


@pytest.mark.parametrize("algorithm", SIGNING)
def test_what_a_machine_key_signs_verifies(made: FileKeyStore, algorithm: KeyAlgorithm) -> None:
    signature = made.sign_payload(named(algorithm), b"payload")

    public = made.public_key(named(algorithm))
    SigningKey(algorithm=SIGNING[algorithm], data=public.value).verify(b"payload", signature)
    assert public.algorithm is algorithm


def test_an_account_s_signature_recovers_to_its_address(made: FileKeyStore) -> None:
    digest = keccak256(b"typed data")

    signature = made.sign_digest(named(KeyAlgorithm.SECP256K1), digest)

    assert recover_address(digest, signature) == made.address(named(KeyAlgorithm.SECP256K1))


@pytest.mark.parametrize("algorithm", SEALING)
def test_what_is_sealed_to_a_site_opens_in_its_context_only(
    made: FileKeyStore, algorithm: KeyAlgorithm
) -> None:
    public = made.public_key(named(algorithm))
    sealed = SEALING[algorithm](public.value).seal(b"content key", info=b"license 1")

    assert public.algorithm is algorithm
    assert made.unseal(named(algorithm), sealed, info=b"license 1") == b"content key"
    with pytest.raises(SealBrokenError):
        made.unseal(named(algorithm), sealed, info=b"license 2")


def test_what_is_sealed_to_one_kind_of_key_does_not_open_with_the_other(made: FileKeyStore) -> None:
    kinds = (KeyAlgorithm.X25519, KeyAlgorithm.HYBRID)
    for sealing, opening in (kinds, kinds[::-1]):
        public = made.public_key(named(sealing))
        sealed = SEALING[sealing](public.value).seal(b"content key", info=b"license 1")

        with pytest.raises(SealBrokenError):
            made.unseal(named(opening), sealed, info=b"license 1")


def test_the_halves_of_a_hybrid_key_are_keys_that_others_read(made: FileKeyStore) -> None:
    content = (made.folder / "x25519-mlkem768.pem").read_bytes()
    quantum, classical = content.split(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")[1:]
    halves = [
        load_pem_private_key(b"-----BEGIN ENCRYPTED PRIVATE KEY-----" + half, PASSWORD.encode())
        for half in (quantum, classical)
    ]

    assert isinstance(halves[0], mlkem.MLKEM768PrivateKey)
    assert isinstance(halves[1], x25519.X25519PrivateKey)


def test_a_hybrid_key_that_lost_a_half_is_none(made: FileKeyStore, tmp_path: Path) -> None:
    content = (made.folder / "x25519-mlkem768.pem").read_bytes()
    path = tmp_path / "half.pem"
    begin = content.rindex(b"-----BEGIN ENCRYPTED PRIVATE KEY-----")
    path.write_bytes(content[:begin])

    with pytest.raises(files.KeyFileMalformedError):
        files.open_key(path, PASSWORD)


@pytest.mark.parametrize(
    "algorithm", [found for found in ALL if found is not KeyAlgorithm.SECP256K1]
)
def test_only_accounts_have_addresses_and_sign_digests(
    made: FileKeyStore, algorithm: KeyAlgorithm
) -> None:
    with pytest.raises(KeyPurposeError):
        made.sign_digest(named(algorithm), bytes(32))
    with pytest.raises(KeyPurposeError):
        made.address(named(algorithm))


@pytest.mark.parametrize("digest", ["sha1", "sha256"])
def test_a_printer_s_key_opens_what_is_wrapped_for_it(made: FileKeyStore, digest: str) -> None:
    public = load_der_public_key(made.public_key(KeyName("rsa")).value)
    assert isinstance(public, rsa.RSAPublicKey)
    wrapped = public.encrypt(b"k" * 32, oaep(mask=digest, digest=digest))

    assert public.key_size == 3072
    assert made.unwrap(KeyName("rsa"), wrapped, mask=digest, digest=digest) == b"k" * 32
    with pytest.raises(SealBrokenError):
        made.unwrap(KeyName("rsa"), wrapped[:-1] + b"\0", mask=digest, digest=digest)
    with pytest.raises(KeyPurposeError):
        made.unwrap(KeyName("p256"), wrapped, mask=digest, digest=digest)


@pytest.mark.parametrize("algorithm", [*SEALING, KeyAlgorithm.RSA])
def test_a_sealing_key_signs_nothing(made: FileKeyStore, algorithm: KeyAlgorithm) -> None:
    with pytest.raises(KeyPurposeError):
        made.sign_payload(named(algorithm), b"")


@pytest.mark.parametrize("algorithm", SIGNING)
def test_a_signing_key_opens_nothing(made: FileKeyStore, algorithm: KeyAlgorithm) -> None:
    with pytest.raises(KeyPurposeError):
        made.unseal(named(algorithm), b"", info=b"")


@pytest.mark.parametrize("algorithm", ALL)
def test_a_wrong_password_is_refused_fast_and_names_the_file(
    made: FileKeyStore, algorithm: KeyAlgorithm
) -> None:
    wrong = with_password(made, "wrong")
    started = time.monotonic()

    with pytest.raises(PasswordWrongError) as caught:
        wrong.unseal(named(algorithm), b"", info=b"")

    path = next(made.folder.glob(f"{algorithm}.*"))
    assert caught.value.detail == {"path": str(path)}
    assert str(path) in caught.value.message
    assert caught.value.code == "key.passwordWrong"
    assert time.monotonic() - started < 10


@pytest.mark.parametrize("algorithm", ALL)
def test_a_public_key_needs_no_password(made: FileKeyStore, algorithm: KeyAlgorithm) -> None:
    assert with_password(made, "wrong").public_key(named(algorithm)) == made.public_key(
        named(algorithm)
    )


@pytest.mark.parametrize("algorithm", ALL)
def test_a_key_file_is_its_owner_s_alone(made: FileKeyStore, algorithm: KeyAlgorithm) -> None:
    path = next(made.folder.glob(f"{algorithm}.*"))

    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("first", ALL)
@pytest.mark.parametrize("second", [KeyAlgorithm.SECP256K1, KeyAlgorithm.P256])
def test_a_key_is_never_overwritten(
    made: FileKeyStore, first: KeyAlgorithm, second: KeyAlgorithm
) -> None:
    before = made.public_key(named(first))

    with pytest.raises(KeyExistsError):
        made.create(named(first), second)

    assert made.public_key(named(first)) == before


def test_a_file_that_appears_meanwhile_is_not_overwritten(made: FileKeyStore) -> None:
    with pytest.raises(KeyExistsError):
        files.create(made.folder, "p256", KeyAlgorithm.P256, PASSWORD)


@pytest.mark.parametrize("name", ["", "A", "a/b", "../a", ".a", "a b", "a" * 65, "ä"])
def test_what_cannot_name_a_key_is_refused(made: FileKeyStore, name: str) -> None:
    with pytest.raises(KeyNameError):
        made.create(KeyName(name), KeyAlgorithm.P256)
    with pytest.raises(KeyMissingError):
        made.public_key(KeyName(name))


def test_a_key_that_is_not_there_is_named(made: FileKeyStore) -> None:
    with pytest.raises(KeyMissingError) as caught:
        made.sign_payload(KeyName("nobody"), b"")

    assert caught.value.detail == {"name": "nobody"}


def test_nothing_shows_a_key(made: FileKeyStore) -> None:
    made.sign_payload(named(KeyAlgorithm.SECP256K1), b"")
    opened = files.open_key(made.folder / "secp256k1.json", PASSWORD)

    secret = Account.decrypt(
        json.loads((made.folder / "secp256k1.json").read_bytes()), PASSWORD
    ).hex()
    for shown in (repr(made), repr(opened), str(opened)):
        assert PASSWORD not in shown
        assert secret not in shown
    with pytest.raises((TypeError, AttributeError, pickle.PicklingError)):
        pickle.dumps(opened)


def test_geth_s_keystore_format_is_what_eth_account_reads(made: FileKeyStore) -> None:
    document = json.loads((made.folder / "secp256k1.json").read_bytes())

    account = Account.from_key(Account.decrypt(document, PASSWORD))

    address = made.address(named(KeyAlgorithm.SECP256K1))
    assert (document["version"], document["crypto"]["kdf"]) == (3, "scrypt")
    assert account.address.lower() == "0x" + address.hex()


def test_an_encrypted_pem_is_standard(made: FileKeyStore) -> None:
    content = (made.folder / "p256.pem").read_bytes()
    private = content[content.index(b"-----BEGIN ENCRYPTED") :]

    key = load_pem_private_key(private, PASSWORD.encode())

    assert isinstance(key, ec.EllipticCurvePrivateKey)
    point = key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    assert made.public_key(named(KeyAlgorithm.P256)) == PublicKey(
        algorithm=KeyAlgorithm.P256, value=point
    )


def test_a_signer_is_chosen_by_its_uri(made: FileKeyStore) -> None:
    found = open_signer(f"file:{made.folder / 'p256.pem'}", lambda: PASSWORD)

    assert found.public_key == made.public_key(named(KeyAlgorithm.P256))


@pytest.mark.parametrize("uri", ["", "hsm:slot=1", "/a/path"])
def test_a_uri_of_no_known_scheme_is_refused(uri: str) -> None:
    with pytest.raises(SignerUriError):
        open_signer(uri, lambda: PASSWORD)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(KeyMissingError):
        open_signer("file:/nowhere/key.json", lambda: PASSWORD)


def swapped(first: bytes, second: bytes) -> bytes:
    """Return the public half of one file with the private half of another."""
    marker = b"-----BEGIN ENCRYPTED"
    return first[: first.index(marker)] + second[second.index(marker) :]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.json", b"{"),
        ("a.json", b"[]"),
        ("a.json", b"{}"),
        ("a.json", b'{"publicKey": "zz"}'),
        ("a.json", b'{"publicKey": "02"}'),
        ("a.json", b'{"publicKey": 1}'),
        ("a.pem", b""),
        ("a.pem", b"-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"),
    ],
)
def test_a_damaged_file_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)

    with pytest.raises(files.KeyFileMalformedError):
        files.public_key(path)
    with pytest.raises(files.KeyFileMalformedError):
        files.open_key(path, PASSWORD)


def test_a_keystore_without_its_cipher_is_refused(made: FileKeyStore, tmp_path: Path) -> None:
    document = json.loads((made.folder / "secp256k1.json").read_bytes())
    path = tmp_path / "a.json"
    path.write_text(json.dumps({**document, "crypto": {}}))

    with pytest.raises(files.KeyFileMalformedError):
        files.open_key(path, PASSWORD)


@pytest.mark.parametrize("kind", [".json", ".pem"])
def test_two_halves_that_do_not_belong_together_are_refused(
    made: FileKeyStore, tmp_path: Path, kind: str
) -> None:
    path = tmp_path / f"a{kind}"
    if kind == ".pem":
        public, private = (made.folder / f"{n}.pem" for n in ("ed25519", "x25519"))
        path.write_bytes(swapped(public.read_bytes(), private.read_bytes()))
    else:
        document = json.loads((made.folder / "secp256k1.json").read_bytes())
        other = "02" + "00" * 31 + "01"
        path.write_text(json.dumps({**document, "publicKey": other}))

    with pytest.raises(files.KeyFileMalformedError, match="not that of its private key"):
        files.open_key(path, PASSWORD)


@pytest.mark.parametrize(
    "key", [ec.generate_private_key(ec.SECP384R1()), ed448.Ed448PrivateKey.generate()]
)
def test_a_key_of_another_algorithm_is_refused(
    made: FileKeyStore,
    tmp_path: Path,
    key: ec.EllipticCurvePrivateKey | ed448.Ed448PrivateKey,
) -> None:
    path = tmp_path / "a.pem"
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    private = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(PASSWORD.encode())
    )
    path.write_bytes(public + private)

    with pytest.raises(files.KeyFileMalformedError):
        files.public_key(path)
    with pytest.raises(files.KeyFileMalformedError):
        files.open_key(path, PASSWORD)


def test_a_key_that_is_not_encrypted_is_refused(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    path = tmp_path / "a.pem"
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    path.write_bytes(public + key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))

    with pytest.raises(files.KeyFileMalformedError, match="no encrypted private key"):
        files.open_key(path, PASSWORD)


def test_the_password_comes_from_the_named_file_else_from_beside_the_keys(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("beside\n")
    (tmp_path / "named").write_text("named\r\n")

    beside = password_from(tmp_path, {})
    named_one = password_from(tmp_path, {"GUILDMARK_PASSWORD_FILE": str(tmp_path / "named")})

    assert (beside(), named_one()) == ("beside", "named")


def test_a_password_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(PasswordMissingError) as caught:
        password_from(tmp_path, {})()

    assert caught.value.detail == {"path": str(tmp_path / "password")}


def test_files_are_replaced_whole_and_created_once(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_durably(path, b"one")
    write_durably(path, b"two", mode=0o600)

    with pytest.raises(FileExistsError):
        create_durably(path, b"three")

    assert path.read_bytes() == b"two"
    assert [found.name for found in tmp_path.iterdir()] == ["file"]
