"""Keys in a TPM: a real one as software, through the TPM's own tools."""

import logging
import os
import shutil
import stat
from pathlib import Path

import pytest

from devices import PIN, SoftTpm
from guildmark.adapters.keys import devices
from guildmark.adapters.keys import tpm as tpm_keys
from guildmark.adapters.keys.keystore import FileKeyStore, open_signer
from guildmark.domain.builds.predicate import KeyHolder
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.signatures import P256_ORDER, Algorithm
from guildmark.domain.signatures import PublicKey as SigningKey
from guildmark.ports.keys import KeyAlgorithm, KeyExistsError, KeyName, KeyPurposeError

pytestmark = pytest.mark.needs("swtpm")

HANDLE = 0x81010001


def no_password() -> str:
    raise AssertionError("no password opens a TPM")


@pytest.fixture
def keys(tmp_path: Path) -> FileKeyStore:
    return FileKeyStore(tmp_path, no_password)


@pytest.fixture
def name(tpm: SoftTpm, keys: FileKeyStore) -> KeyName:
    """Return a key in the TPM."""
    uri = KeyName(tpm.uri(HANDLE))
    keys.create(uri, KeyAlgorithm.P256)
    return uri


def refused(uri: str) -> GuildmarkError:
    with pytest.raises(GuildmarkError) as caught:
        open_signer(uri, no_password).sign_payload(b"")
    return caught.value


def failures(tpm: SoftTpm) -> int:
    shown = tpm.run("tpm2_getcap", "properties-variable")
    (line,) = (one for one in shown.splitlines() if one.startswith("TPM2_PT_LOCKOUT_COUNTER"))
    return int(line.split()[1], 16)


def test_what_a_tpm_signs_verifies_with_a_low_s(keys: FileKeyStore, name: KeyName) -> None:
    public = keys.public_key(name)

    signatures = {keys.sign_payload(name, b"payload") for _ in range(6)}

    key = SigningKey(algorithm=Algorithm.P256, data=public.value)
    for signature in signatures:
        key.verify(b"payload", signature)
    assert len(signatures) == 6
    assert (public.algorithm, keys.holder(name)) == (KeyAlgorithm.P256, KeyHolder.TPM)


def test_the_tpm_itself_gives_high_s_too(tpm: SoftTpm, name: KeyName) -> None:
    key = tpm_keys._parse(name, None)

    raw = (key.sign(sha256(b"payload")) for _ in range(40))
    seen = set()
    for one in raw:
        seen.add(int.from_bytes(one[32:], "big") <= P256_ORDER // 2)
        if len(seen) == 2:
            break

    assert seen == {True, False}


def test_a_key_outlives_the_tpm_s_restart(tpm: SoftTpm, keys: FileKeyStore, name: KeyName) -> None:
    before = keys.public_key(name)
    tpm.run("tpm2_shutdown", "-c")
    tpm.run("tpm2_startup", "-c")

    assert open_signer(name, no_password).public_key == before


def test_a_key_is_fixed_to_its_tpm(tpm: SoftTpm, name: KeyName) -> None:
    shown = tpm.run("tpm2_readpublic", "-c", f"{HANDLE:#x}")

    assert "fixedtpm|fixedparent|sensitivedataorigin|userwithauth|sign\n" in shown


def test_nothing_stays_in_the_tpm_s_short_memory(
    tpm: SoftTpm, keys: FileKeyStore, name: KeyName
) -> None:
    for further in range(1, 4):
        keys.create(KeyName(tpm.uri(HANDLE + further)), KeyAlgorithm.P256)

    assert tpm.run("tpm2_getcap", "handles-transient") == ""


def test_a_key_is_never_overwritten(tpm: SoftTpm, keys: FileKeyStore, name: KeyName) -> None:
    before = keys.public_key(name)

    with pytest.raises(KeyExistsError):
        keys.create(name, KeyAlgorithm.P256)

    assert open_signer(name, no_password).public_key == before


@pytest.mark.parametrize("algorithm", [one for one in KeyAlgorithm if one is not KeyAlgorithm.P256])
def test_a_tpm_makes_p256_keys_only(
    tpm: SoftTpm, keys: FileKeyStore, algorithm: KeyAlgorithm
) -> None:
    with pytest.raises(devices.AlgorithmUnsupportedError):
        keys.create(KeyName(tpm.uri(HANDLE)), algorithm)


def test_a_tpm_s_key_is_no_account(keys: FileKeyStore, name: KeyName) -> None:
    with pytest.raises(KeyPurposeError):
        keys.sign_digest(name, bytes(32))


def test_a_key_of_another_kind_is_refused(tpm: SoftTpm, tmp_path: Path) -> None:
    context = str(tmp_path / "rsa")
    tpm.run("tpm2_createprimary", "-Q", "-C", "o", "-G", "ecc384", "-c", context)
    tpm.run("tpm2_evictcontrol", "-Q", "-C", "o", "-c", context, f"{HANDLE:#x}")

    assert refused(tpm.uri(HANDLE)).code == "key.algorithmUnsupported"


def test_a_handle_without_a_key_is_named(tpm: SoftTpm) -> None:
    error = refused(tpm.uri(HANDLE))

    assert (error.code, error.exit_code) == ("key.missing", 4)
    assert error.detail == {"uri": "tpm:handle=0x81010001"}


def test_a_refused_pin_is_not_tried_twice(tpm: SoftTpm, name: KeyName, wrong_pin: Path) -> None:
    uri = tpm.uri(HANDLE, pin=wrong_pin)
    signer = open_signer(uri, no_password)

    with pytest.raises(devices.PinWrongError, match="refused the PIN"):
        signer.sign_payload(b"")
    with pytest.raises(devices.PinWrongError, match="refused before"):
        signer.sign_payload(b"")

    assert failures(tpm) == 1
    wrong_pin.write_text(PIN)
    assert len(signer.sign_payload(b"")) == 64


def test_the_try_that_would_lock_the_tpm_is_not_used(
    tpm: SoftTpm, name: KeyName, wrong_pin: Path
) -> None:
    uri = tpm.uri(HANDLE, pin=wrong_pin)
    codes = [refused(uri).code for _ in range(4)]

    assert codes == ["key.pinWrong", "key.pinWrong", "key.pinLocked", "key.pinLocked"]
    assert failures(tpm) == 2
    tpm.run("tpm2_dictionarylockout", "-c")
    assert len(open_signer(name, no_password).sign_payload(b"")) == 64


def test_a_locked_tpm_is_named(tpm: SoftTpm, name: KeyName, wrong_pin: Path) -> None:
    tpm.run("tpm2_dictionarylockout", "-s", "-n", "1", "-t", "1000", "-l", "1000")
    assert refused(tpm.uri(HANDLE, pin=wrong_pin)).code == "key.pinWrong"

    error = refused(name)

    assert (error.code, error.exit_code) == ("key.pinLocked", 1)
    assert error.detail == {"failed": 1, "most": 1}


def test_a_tpm_that_is_gone_is_named(tpm: SoftTpm, name: KeyName) -> None:
    signer = open_signer(name, no_password)
    (tpm.folder / "socket").rename(tpm.folder / "elsewhere")
    with pytest.raises(devices.DeviceMissingError):
        signer.sign_payload(b"")

    (tpm.folder / "elsewhere").rename(tpm.folder / "socket")
    assert len(signer.sign_payload(b"")) == 64


@pytest.mark.parametrize("tcti", ["device:/dev/nowhere", "nothing:at=all"])
def test_a_tpm_that_never_was_is_named(tcti: str) -> None:
    error = refused(f"tpm:handle=0x81010001?tcti={tcti}")

    assert (error.code, error.exit_code) == ("key.deviceMissing", 4)


def test_the_tools_are_asked_for(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    error = refused("tpm:handle=0x81010001")

    assert (error.code, error.detail) == ("key.deviceSupport", {"program": "tpm2_readpublic"})


@pytest.mark.parametrize(
    "text",
    [
        "tpm:",
        "tpm:handle=",
        "tpm:handle=0x80000001",
        "tpm:handle=0x81800000",
        "tpm:handle=2164326401",
        "tpm:handle=0x81010001;object=key",
        "tpm:handle=0x81010001?module-path=/x",
    ],
)
def test_a_uri_that_names_no_handle_of_the_owner_is_refused(text: str) -> None:
    assert refused(text).code == "key.uriMalformed"


def test_the_least_and_the_greatest_handle_are_taken(tpm: SoftTpm) -> None:
    for handle in (0x81000000, 0x817FFFFF):
        assert refused(tpm.uri(handle)).code == "key.missing"


def test_a_pin_that_no_tpm_takes_is_refused_before_it_is_tried(
    tpm: SoftTpm, keys: FileKeyStore
) -> None:
    tpm.pin_file.write_text("x" * 33)
    with pytest.raises(devices.PinWrongError, match="longer"):
        keys.create(KeyName(tpm.uri(HANDLE)), KeyAlgorithm.P256)

    tpm.pin_file.write_text("x" * 32)
    keys.create(KeyName(tpm.uri(HANDLE)), KeyAlgorithm.P256)
    assert len(keys.sign_payload(KeyName(tpm.uri(HANDLE)), b"")) == 64


def test_every_key_has_a_pin(tpm: SoftTpm, keys: FileKeyStore) -> None:
    uri = KeyName(f"tpm:handle=0x81010001?tcti={tpm.tcti}")

    with pytest.raises(devices.PinMissingError):
        keys.create(uri, KeyAlgorithm.P256)


@pytest.mark.parametrize("pin", ["hex:00", "str:x", "file:/etc/passwd", "session:x", "pcr:x", "-"])
def test_no_form_of_a_pin_is_a_command(tpm: SoftTpm, keys: FileKeyStore, pin: str) -> None:
    tpm.pin_file.write_text(pin)
    name = KeyName(tpm.uri(HANDLE))
    keys.create(name, KeyAlgorithm.P256)

    assert len(keys.sign_payload(name, b"")) == 64


@pytest.mark.parametrize(
    ("code", "said", "expected"),
    [
        (5, "ERROR: Could not handle algorithm", "key.algorithmUnsupported"),
        (1, "ERROR: Esys_Sign(0xA000A) - tcti:IO failure", "key.deviceMissing"),
        (1, "ERROR: Esys_Sign(0x9A2) - tpm:session(1):bad auth", "key.pinWrong"),
        (1, "ERROR: Esys_Sign(0x921) - tpm:warn(2.0): lockout", "key.pinLocked"),
        (1, "ERROR: EvictControl(0x14C) - already defined", "key.exists"),
        (1, "ERROR: Esys_Sign(0x101) - tpm:error(2.0): failure", "key.deviceFailed"),
        (1, "", "key.deviceFailed"),
    ],
)
def test_what_this_tpm_never_says_has_its_code(code: int, said: str, expected: str) -> None:
    uri = devices.DeviceUri(scheme="tpm", path={"handle": b"0x81010001"}, query={})

    assert tpm_keys._failure(uri, "tpm2_sign", code, said).code == expected


def test_a_tpm_that_does_not_answer_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program(tmp_path / "tpm2_readpublic", "sleep 30")
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(tpm_keys, "_SECONDS", 0.2)

    error = refused("tpm:handle=0x81010001")

    assert (error.code, error.exit_code) == ("key.deviceFailed", 3)


def program(path: Path, script: str) -> None:
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)


def test_no_pin_shows_itself_to_lists_of_processes_logs_or_errors(
    tpm: SoftTpm,
    keys: FileKeyStore,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    heard = watch_programs(tmp_path, monkeypatch)
    name = KeyName(tpm.uri(HANDLE))
    keys.create(name, KeyAlgorithm.P256)
    keys.sign_payload(name, b"payload")
    tpm.pin_file.write_text(f"{PIN}-wrong")
    error = refused(name)
    key = tpm_keys._parse(name, None)

    said = heard.read_text()
    assert {"tpm2_create", "tpm2_sign"} <= {line.split()[0] for line in said.splitlines()}
    shown = [said, repr(key), repr(keys), str(error), repr(error), repr(error.detail), caplog.text]
    assert error.code == "key.pinWrong"
    assert not any(PIN in one or PIN.encode().hex() in one for one in shown)


def watch_programs(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Let each of the TPM's programs note its arguments and variables, then run as it is."""
    heard = folder / "heard"
    for name in (
        "tpm2_createprimary",
        "tpm2_create",
        "tpm2_load",
        "tpm2_sign",
        "tpm2_evictcontrol",
    ):
        real = shutil.which(name)
        script = f'echo "{name} $* $(env | tr "\\n" " ")" >> {heard}\nexec {real} "$@"'
        program(folder / name, script)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return heard


def test_files_for_the_programs_are_gone_afterwards(
    keys: FileKeyStore, name: KeyName, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(place))

    keys.sign_payload(name, b"payload")

    assert list(place.iterdir()) == []
