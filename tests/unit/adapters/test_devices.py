"""URIs of keys in devices, and the files with their PINs."""

from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.adapters.keys import devices
from guildmark.adapters.keys.devices import DeviceUri, PinFile, pin_file

PATH = ("object", "id", "token")
QUERY = ("module-path", "pin-source")
CANARY = "canary-pin-4711"


def parse(text: str) -> DeviceUri:
    return DeviceUri.parse(text, path=PATH, query=QUERY)


def test_a_uri_is_read_as_rfc_7512_writes_it() -> None:
    uri = parse(
        "pkcs11:token=The%20Software%20PKCS%2311%20Softtoken;object=my-certificate;"
        "id=%69%95%3E%5C%F4%BD%EC%91?pin-source=file:/etc/token_pin&module-path=/usr/lib/x.so"
    )

    assert uri.scheme == "pkcs11"
    assert uri.text("token") == "The Software PKCS#11 Softtoken"
    assert uri.path["id"] == bytes.fromhex("69953e5cf4bdec91")
    assert uri.text("module-path") == "/usr/lib/x.so"
    assert uri.text("object") == "my-certificate"
    assert parse("pkcs11:").path == {}


@given(st.binary(max_size=40))
def test_every_value_has_a_form_that_reads_as_itself(value: bytes) -> None:
    text = quote_from_bytes(value, safe="")

    assert parse(f"pkcs11:id={text}").path["id"] == value
    assert parse(f"pkcs11:?module-path={text}").query["module-path"] == value


@pytest.mark.parametrize(
    "text",
    [
        "pkcs11:object",
        "pkcs11:=key",
        "pkcs11:object=a;object=b",
        "pkcs11:object=a;",
        "pkcs11:object=a/b",
        "pkcs11:object=a b",
        "pkcs11:object=%4",
        "pkcs11:object=%zz",
        "pkcs11:object=ä",
        "pkcs11:object=a?module-path=/x#y",
        "pkcs11:object=a?module-path=/x&module-path=/y",
        "pkcs11:object=a?module-path=/x&",
        "pkcs11:module-path=/x",
        "pkcs11:object=a?token=b",
        "pkcs11:x-other=1",
    ],
)
def test_a_uri_outside_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(devices.DeviceUriError):
        parse(text)


@pytest.mark.parametrize(
    "text",
    [
        f"pkcs11:object=a?pin-value={CANARY}",
        f"pkcs11:object=a?module-path=/x&pin-value={CANARY}",
        f"pkcs11:object=a;pin-value={CANARY}",
    ],
)
def test_a_pin_in_a_uri_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(devices.PinInUriError) as caught:
        parse(text)

    shown = f"{caught.value!r} {caught.value.message} {caught.value.detail}"
    assert CANARY not in shown
    assert caught.value.code == "key.pinInUri"


@pytest.mark.parametrize("text", [f"pkcs11:object={CANARY} x", f"pkcs11:pin={CANARY}"])
def test_no_error_repeats_a_value(text: str) -> None:
    with pytest.raises(devices.DeviceUriError) as caught:
        parse(text)

    assert CANARY not in f"{caught.value!r} {caught.value.detail}"


def test_a_uri_shows_the_key_s_name_alone() -> None:
    uri = parse("pkcs11:token=t%0a;id=%ff%00;object=key?pin-source=file:/etc/pin")

    assert str(uri) == "pkcs11:token=0x740a;id=0xff00;object=key"


def test_a_text_that_is_none_is_refused() -> None:
    with pytest.raises(devices.DeviceUriError) as caught:
        parse("pkcs11:token=%ff").text("token")

    assert caught.value.detail == {"attribute": "token"}


@pytest.mark.parametrize("prefix", ["", "file:"])
def test_the_uri_s_pin_file_comes_before_the_home_s(tmp_path: Path, prefix: str) -> None:
    (tmp_path / "own").write_text("own pin\r\n")
    (tmp_path / "default").write_text("default pin\n")
    named = parse(f"pkcs11:object=a?pin-source={prefix}{tmp_path / 'own'}")

    assert PinFile.of(named, tmp_path / "default").read() == "own pin"
    assert PinFile.of(parse("pkcs11:object=a"), tmp_path / "default").read() == "default pin"


@pytest.mark.parametrize("source", ["%7Ccat", "pin", "file:pin", "https://pins.example/"])
def test_a_pin_comes_from_a_file_by_its_full_path_only(source: str) -> None:
    with pytest.raises(devices.DeviceUriError):
        PinFile.of(parse(f"pkcs11:object=a?pin-source={source}"), None)


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff"])
def test_a_pin_file_that_gives_none_is_named(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "pin"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(devices.PinMissingError) as caught:
        PinFile(path=path).read()

    assert caught.value.detail == {"path": str(path)}
    assert caught.value.__cause__ is caught.value.__context__ is None


def test_where_no_pin_file_is_named_it_is_said() -> None:
    with pytest.raises(devices.PinMissingError):
        PinFile(path=None).read()


def test_the_environment_names_a_file_not_a_pin() -> None:
    assert pin_file({}) is None
    assert pin_file({"GUILDMARK_PIN_FILE": ""}) is None
    assert pin_file({"GUILDMARK_PIN_FILE": "/etc/pin"}) == Path("/etc/pin")
