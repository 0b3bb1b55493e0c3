"""Keys in SoftHSM's tokens: what they sign is ours, and each way to fail has its code."""

import logging
import sys
from pathlib import Path

import pkcs11
import pytest
from pkcs11 import Attribute, KeyType, MechanismFlag, ObjectClass, TokenFlag
from pkcs11.util.ec import encode_named_curve_parameters

from devices import PIN, SoftToken
from guildmark.adapters.keys import devices, tokens
from guildmark.adapters.keys.devices import DeviceUri, PinFile
from guildmark.adapters.keys.keystore import FileKeyStore, open_signer
from guildmark.adapters.keys.tokens import TokenKey
from guildmark.domain.builds.predicate import KeyHolder
from guildmark.domain.encoding.hashing import keccak256, sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.signatures import P256_ORDER, Algorithm, recover_address
from guildmark.domain.signatures import PublicKey as SigningKey
from guildmark.ports.keys import (
    KeyAlgorithm,
    KeyExistsError,
    KeyMissingError,
    KeyName,
    KeyPurposeError,
)

pytestmark = pytest.mark.needs("softhsm2")

ALGORITHMS = {
    KeyAlgorithm.SECP256K1: Algorithm.SECP256K1,
    KeyAlgorithm.P256: Algorithm.P256,
}


def no_password() -> str:
    raise AssertionError("no password opens a token")


@pytest.fixture(autouse=True)
def logged_out(token: SoftToken) -> None:
    """End what the test before left open: a login is the whole process's."""
    pkcs11.lib(str(token.module)).reinitialize()


@pytest.fixture
def keys(tmp_path: Path, token: SoftToken) -> FileKeyStore:
    return FileKeyStore(tmp_path, no_password, pin=token.pin_file)


@pytest.fixture(scope="module")
def made(token: SoftToken, tmp_path_factory: pytest.TempPathFactory) -> dict[KeyAlgorithm, KeyName]:
    """Return a key of each algorithm in the token."""
    store = FileKeyStore(tmp_path_factory.mktemp("home"), no_password, pin=token.pin_file)
    names = {algorithm: KeyName(token.uri(f"made-{algorithm}")) for algorithm in ALGORITHMS}
    for algorithm, name in names.items():
        store.create(name, algorithm)
    return names


def token_key(text: str, pin: Path | None = None) -> TokenKey:
    uri = tokens._parse(text)
    return TokenKey(uri=uri, pin=PinFile.of(uri, pin).read)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_what_a_token_signs_verifies_with_a_low_s(
    keys: FileKeyStore, made: dict[KeyAlgorithm, KeyName], algorithm: KeyAlgorithm
) -> None:
    name = made[algorithm]
    public = keys.public_key(name)

    signatures = {keys.sign_payload(name, b"payload") for _ in range(20)}

    key = SigningKey(algorithm=ALGORITHMS[algorithm], data=public.value)
    for signature in signatures:
        key.verify(b"payload", signature)
    assert (public.algorithm, keys.holder(name)) == (algorithm, KeyHolder.PKCS11)


def test_the_token_itself_gives_high_s_too(made: dict[KeyAlgorithm, KeyName]) -> None:
    key = token_key(made[KeyAlgorithm.P256])

    raw = [key.sign(sha256(b"payload")) for _ in range(40)]

    assert {int.from_bytes(one[32:], "big") <= P256_ORDER // 2 for one in raw} == {True, False}


def test_an_account_in_a_token_signs_transactions(
    keys: FileKeyStore, made: dict[KeyAlgorithm, KeyName]
) -> None:
    name = made[KeyAlgorithm.SECP256K1]

    for number in range(8):
        digest = keccak256(b"transaction %d" % number)
        assert recover_address(digest, keys.sign_digest(name, digest)) == keys.address(name)


def test_a_p256_key_has_no_account(keys: FileKeyStore, made: dict[KeyAlgorithm, KeyName]) -> None:
    with pytest.raises(KeyPurposeError):
        keys.sign_digest(made[KeyAlgorithm.P256], bytes(32))
    with pytest.raises(KeyPurposeError):
        keys.address(made[KeyAlgorithm.P256])


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_a_private_key_does_not_leave_the_token(
    made: dict[KeyAlgorithm, KeyName], algorithm: KeyAlgorithm
) -> None:
    private = token_key(made[algorithm])._opened()

    assert (private[Attribute.SENSITIVE], private[Attribute.EXTRACTABLE]) == (True, False)
    with pytest.raises(pkcs11.AttributeSensitive):
        private[Attribute.VALUE]


def test_a_public_key_needs_no_pin(
    token: SoftToken, made: dict[KeyAlgorithm, KeyName], tmp_path: Path
) -> None:
    name = KeyName(f"pkcs11:token=machines;object=made-p256{token.reached()}")
    without = FileKeyStore(tmp_path, no_password)

    assert without.public_key(name).algorithm is KeyAlgorithm.P256
    with pytest.raises(devices.PinMissingError):
        without.sign_payload(name, b"")


def test_a_key_is_found_by_its_id_and_its_token_by_its_serial(
    token: SoftToken, made: dict[KeyAlgorithm, KeyName]
) -> None:
    shown = token_key(made[KeyAlgorithm.P256])
    serial, name = shown._token().serial.decode(), shown._opened()[Attribute.ID]
    quoted = "".join(f"%{byte:02x}" for byte in name)

    found = open_signer(f"pkcs11:serial={serial};id={quoted}{token.reached()}", no_password)

    assert found.public_key == shown.public_key()


def test_a_key_is_never_overwritten(keys: FileKeyStore, made: dict[KeyAlgorithm, KeyName]) -> None:
    before = keys.public_key(made[KeyAlgorithm.P256])

    with pytest.raises(KeyExistsError):
        keys.create(made[KeyAlgorithm.P256], KeyAlgorithm.SECP256K1)

    assert keys.public_key(made[KeyAlgorithm.P256]) == before


def test_two_keys_of_a_token_sign_side_by_side(
    keys: FileKeyStore, made: dict[KeyAlgorithm, KeyName]
) -> None:
    for name in (*made.values(), *made.values()):
        keys.sign_payload(name, b"payload")


def test_a_lost_session_is_opened_again(made: dict[KeyAlgorithm, KeyName]) -> None:
    key = token_key(made[KeyAlgorithm.P256])
    key.sign(sha256(b"before"))
    key._private.session.close()

    assert len(key.sign(sha256(b"after"))) == 64


def test_a_login_that_another_key_ended_is_made_again(
    token: SoftToken, keys: FileKeyStore, made: dict[KeyAlgorithm, KeyName]
) -> None:
    keys.sign_payload(made[KeyAlgorithm.P256], b"before")
    # Making a key logs in and out, and the login is the whole process's.
    keys.create(KeyName(token.uri("further")), KeyAlgorithm.P256)

    assert len(keys.sign_payload(made[KeyAlgorithm.P256], b"after")) == 64


def test_a_refused_pin_is_not_tried_twice(
    token: SoftToken, made: dict[KeyAlgorithm, KeyName], wrong_pin: Path
) -> None:
    uri = made[KeyAlgorithm.P256].replace(str(token.pin_file), str(wrong_pin))
    key = token_key(uri)
    with pytest.raises(devices.PinWrongError) as first:
        key.sign(bytes(32))
    set_pin(token, PIN, "not-the-pin")
    try:
        # Had the token been asked again, it would now have said yes.
        with pytest.raises(devices.PinWrongError) as second:
            key.sign(bytes(32))
        assert len(token_key(uri).sign(bytes(32))) == 64
    finally:
        set_pin(token, "not-the-pin", PIN)

    wrong_pin.write_text(PIN)
    assert len(key.sign(bytes(32))) == 64
    assert "refused before" in second.value.message
    assert (first.value.code, first.value.exit_code) == ("key.pinWrong", 5)


def set_pin(token: SoftToken, old: str, new: str) -> None:
    library = pkcs11.lib(str(token.module))
    library.reinitialize()
    found = next(one for one in library.get_tokens() if one.label == "machines")
    with found.open(rw=True, user_pin=old) as session:
        session.set_pin(old, new)


@pytest.mark.parametrize("flag", [TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED])
def test_the_last_try_of_a_pin_is_not_used(flag: TokenFlag) -> None:
    uri = DeviceUri(scheme="pkcs11", path={"object": b"key"}, query={})

    tokens.refuse_spent(TokenFlag.USER_PIN_COUNT_LOW, uri)
    with pytest.raises(devices.PinLockedError):
        tokens.refuse_spent(flag | TokenFlag.TOKEN_INITIALIZED, uri)


def refused(text: str, pin: Path | None = None) -> GuildmarkError:
    with pytest.raises(GuildmarkError) as caught:
        open_signer(text, no_password, pin=pin).sign_payload(b"")
    return caught.value


def test_a_token_that_is_not_there_is_named(token: SoftToken) -> None:
    error = refused(token.uri("key", token="nowhere"))

    assert (error.code, error.exit_code) == ("key.deviceMissing", 4)
    assert error.detail == {"uri": "pkcs11:token=nowhere;object=key"}


def test_two_tokens_of_a_name_are_told_apart_by_the_user(token: SoftToken) -> None:
    assert refused(token.uri("key", token="twin")).code == "key.ambiguous"


def test_a_key_that_is_not_there_is_named(token: SoftToken) -> None:
    missing = token.uri("nobody")

    assert refused(missing).detail == {"uri": "pkcs11:token=machines;object=nobody"}
    with pytest.raises(KeyMissingError, match="without a PIN"):
        open_signer(f"pkcs11:token=machines;object=nobody{token.reached()}", no_password)


def test_a_public_key_without_its_private_one_signs_nothing(token: SoftToken) -> None:
    with opened_for_writing(token) as session:
        copy = public_key_object(session)
    uri = token.uri("half")

    assert refused(uri).code == "key.missing"
    assert open_signer(uri, no_password).public_key.value[1:] == copy[3:35]


def opened_for_writing(token: SoftToken) -> pkcs11.Session:
    library = pkcs11.lib(str(token.module))
    found = next(one for one in library.get_tokens() if one.label == "machines")
    session: pkcs11.Session = found.open(rw=True, user_pin=PIN)
    return session


def public_key_object(session: pkcs11.Session) -> bytes:
    point = bytes.fromhex("0441") + b"\4" + generator_of_p256()
    session.create_object(
        {
            Attribute.CLASS: ObjectClass.PUBLIC_KEY,
            Attribute.KEY_TYPE: KeyType.EC,
            Attribute.EC_PARAMS: encode_named_curve_parameters("secp256r1"),
            Attribute.EC_POINT: point,
            Attribute.LABEL: "half",
            Attribute.PRIVATE: False,
            Attribute.TOKEN: True,
        }
    )
    return point


def generator_of_p256() -> bytes:
    """Return the base point (SEC 2, 2.4.2)."""
    return bytes.fromhex(
        "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
        "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
    )


def test_a_private_key_without_its_public_one_is_none_of_ours(token: SoftToken) -> None:
    with opened_for_writing(token) as session:
        public = key_pair(session, "lonely", "secp256r1")
        public.destroy()

    error = refused(token.uri("lonely"))

    assert (error.code, "public half" in error.message) == ("key.missing", True)


def test_two_keys_of_a_name_are_told_apart_by_the_user(token: SoftToken) -> None:
    with opened_for_writing(token) as session:
        for _ in range(2):
            key_pair(session, "double", "secp256r1")

    assert refused(token.uri("double")).code == "key.ambiguous"


def key_pair(session: pkcs11.Session, label: str, curve: str) -> pkcs11.PublicKey:
    """Make a key pair as another program would, and return its public half."""
    public, _ = session.create_domain_parameters(
        KeyType.EC, {Attribute.EC_PARAMS: encode_named_curve_parameters(curve)}, local=True
    ).generate_keypair(
        store=True,
        label=label,
        capabilities=MechanismFlag.SIGN | MechanismFlag.VERIFY,
        public_template={Attribute.PRIVATE: False},
    )
    return public


def test_a_key_on_another_curve_is_refused(token: SoftToken) -> None:
    with opened_for_writing(token) as session:
        key_pair(session, "p384", "secp384r1")

    assert refused(token.uri("p384")).code == "key.algorithmUnsupported"


@pytest.mark.parametrize(
    "algorithm", [KeyAlgorithm.ED25519, KeyAlgorithm.X25519, KeyAlgorithm.HYBRID]
)
def test_keys_of_other_algorithms_are_not_made(
    token: SoftToken, keys: FileKeyStore, algorithm: KeyAlgorithm
) -> None:
    with pytest.raises(devices.AlgorithmUnsupportedError):
        keys.create(KeyName(token.uri("other")), algorithm)


def test_a_new_key_needs_a_name(token: SoftToken, keys: FileKeyStore) -> None:
    with pytest.raises(devices.DeviceUriError, match="object="):
        keys.create(KeyName(f"pkcs11:token=machines;id=%07{token.reached()}"), KeyAlgorithm.P256)


@pytest.mark.parametrize("module", ["/nowhere/module.so", "/etc/passwd"])
def test_a_module_that_cannot_be_loaded_is_named(module: str) -> None:
    error = refused(f"pkcs11:object=key?module-path={module}")

    assert (error.code, error.detail) == ("key.deviceSupport", {"path": module})


def test_a_uri_without_a_module_is_told_to_name_one() -> None:
    error = refused("pkcs11:object=key")

    assert (error.code, error.next_step) == (
        "key.deviceSupport",
        "Add ?module-path=/path/of/module.so.",
    )


@pytest.mark.parametrize("text", ["pkcs11:token=machines", "pkcs11:object=key;type=cert"])
def test_a_uri_that_names_no_key_is_refused(text: str) -> None:
    assert refused(text).code == "key.uriMalformed"


def test_the_binding_is_an_extra(monkeypatch: pytest.MonkeyPatch, token: SoftToken) -> None:
    monkeypatch.delitem(sys.modules, "guildmark.adapters.keys.tokens")
    monkeypatch.delattr("guildmark.adapters.keys.tokens")
    monkeypatch.setitem(sys.modules, "pkcs11", None)

    error = refused(token.uri("key"))

    assert (error.code, error.next_step) == ("key.deviceSupport", "pip install 'guildmark[hsm]'")


def test_other_failures_are_named_by_the_token_s_word() -> None:
    uri = DeviceUri(scheme="pkcs11", path={"object": b"key"}, query={})

    with pytest.raises(devices.DeviceFailedError) as caught, tokens._asking(uri):
        raise pkcs11.DeviceMemory

    assert caught.value.detail == {"uri": "pkcs11:object=key", "failure": "DeviceMemory"}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (pkcs11.PinLocked, "key.pinLocked"),
        (pkcs11.PinExpired, "key.pinLocked"),
        (pkcs11.TokenNotPresent, "key.deviceMissing"),
        (pkcs11.MechanismInvalid, "key.algorithmUnsupported"),
    ],
)
def test_what_soft_tokens_never_say_has_its_code(said: type[pkcs11.PKCS11Error], code: str) -> None:
    uri = DeviceUri(scheme="pkcs11", path={"object": b"key"}, query={})

    with pytest.raises(GuildmarkError) as caught, tokens._asking(uri):
        raise said

    assert caught.value.code == code


def test_no_pin_shows_itself(
    token: SoftToken,
    made: dict[KeyAlgorithm, KeyName],
    keys: FileKeyStore,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    key = token_key(made[KeyAlgorithm.P256])
    key.sign(bytes(32))
    pkcs11.lib(str(token.module)).reinitialize()
    token.pin_file.write_text(f"{PIN}-wrong")
    try:
        spoiled = token_key(made[KeyAlgorithm.P256])
        error = refused(made[KeyAlgorithm.P256])
        with pytest.raises(devices.PinWrongError):
            spoiled.sign(bytes(32))
    finally:
        token.pin_file.write_text(PIN)

    shown = [repr(key), str(key), repr(spoiled), repr(keys), repr(error), str(error), caplog.text]
    shown += [error.message, error.next_step, repr(error.detail), repr(error.__cause__)]
    assert error.code == "key.pinWrong"
    assert not any(PIN in one for one in shown)
