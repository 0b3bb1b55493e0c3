"""Print files for named keys: lib3mf reads what we write, and we read what it writes."""

import io
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from io import BufferedIOBase
from pathlib import Path
from typing import Any, BinaryIO, cast

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from fakes.content import CountingEntropy
from fakes.meshes import RELATIONSHIPS, mesh_xml, model_xml, packed, threemf
from guildmark.adapters.keys import signer
from guildmark.adapters.shapes import confined, operations, printing, secure
from guildmark.adapters.shapes.keystore import SECURE
from guildmark.adapters.shapes.limits import LIMITS
from guildmark.adapters.shapes.measuring import measure
from guildmark.adapters.shapes.refusals import SecureKeyError, SecureRecipientError
from guildmark.domain.errors import ContentError, GuildmarkError

EXAMPLES = Path(__file__).parents[3] / "examples"
KEY = b"k" * 32
UUID = "6f9d1a4e-3a52-4c1b-9a0e-4b8f4f0c1d2e"
PARTS = ("3D/secured.model", "Metadata/texture.png")


@pytest.fixture(scope="module")
def printer() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


@pytest.fixture(scope="module")
def stranger() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65_537, 2048)


def der(key: rsa.RSAPrivateKey) -> bytes:
    return signer.rsa_opener(key).public_key.value


@pytest.fixture
def inline(monkeypatch: pytest.MonkeyPatch) -> None:
    """Do without a child, which takes half a second each time; other tests have it."""

    def run(
        operation: str, source: BufferedIOBase, arguments: Mapping[str, Any], _: object = None
    ) -> bytes:
        return operations.run(operation, cast("BinaryIO", source), arguments)

    monkeypatch.setattr(confined, "run", run)


def recipient(key: rsa.RSAPrivateKey, name: str = "printer-1") -> printing.Recipient:
    return printing.recipient(name, der(key))


def unwrap(key: rsa.RSAPrivateKey) -> printing.Unwrap:
    opener = signer.rsa_opener(key)
    return lambda wrapped, mask, digest: opener.unwrap(wrapped, mask=mask, digest=digest)


def sealed(data: bytes, *keys: rsa.RSAPrivateKey) -> bytes:
    recipients = [recipient(key, f"printer-{at}") for at, key in enumerate(keys, 1)]
    return printing.seal(io.BytesIO(data), recipients, CountingEntropy())


def unsealed(data: bytes, key: rsa.RSAPrivateKey) -> bytes:
    return printing.unseal(io.BytesIO(data), der(key), unwrap(key))


def in_here(data: bytes) -> bytes:
    """Seal without a child and for nobody: what is refused is the same."""
    return secure.seal_package(data, {"key": KEY.hex(), "uuid": UUID, "consumers": []}, LIMITS)


def group_of(data: bytes) -> str:
    found = re.search(rb'keyuuid="([^"]+)"', zipfile.ZipFile(io.BytesIO(data)).read(STORE))
    assert found is not None
    return found[1].decode()


STORE = "Secure/keystore.xml"


def opened_here(data: bytes, key: bytes = KEY, total: int = LIMITS.total) -> bytes:
    return secure.open_package(data, {group_of(data): key}, replace(LIMITS, total=total))


def changed(data: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    entries = {one: zipfile.ZipFile(io.BytesIO(data)).read(one) for one in names(data)}
    return packed({**entries, name: change(entries[name])})


def names(data: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(data)).namelist()


# With another implementation


@pytest.mark.needs("lib3mf")
def test_lib3mf_reads_what_we_write(printer: rsa.RSAPrivateKey) -> None:
    from fakes.lib3mf_peer import Peer  # noqa: PLC0415 - where it is

    data = (EXAMPLES / "part.3mf").read_bytes()

    assert Peer(printer).read(sealed(data, printer)) == (4032, 2012, [])


@pytest.mark.needs("lib3mf")
@pytest.mark.parametrize("bits", [160, 256])
@pytest.mark.parametrize("compress", [True, False])
@pytest.mark.usefixtures("inline")
def test_we_read_what_lib3mf_writes(printer: rsa.RSAPrivateKey, bits: int, compress: bool) -> None:
    from fakes.lib3mf_peer import Peer  # noqa: PLC0415 - where it is

    data = (EXAMPLES / "part.3mf").read_bytes()

    plain = unsealed(Peer(printer).write(data, bits=bits, compress=compress), printer)

    assert measure(plain, "3mf", LIMITS) == measure(data, "3mf", LIMITS)
    assert Peer(printer).read(plain) == (4032, 2012, [])


# Round trips


@pytest.mark.usefixtures("inline")
def test_every_recipient_opens_it_and_nobody_else(
    printer: rsa.RSAPrivateKey, stranger: rsa.RSAPrivateKey
) -> None:
    other = rsa.generate_private_key(65_537, 2048)
    data = sealed(threemf(), printer, other)

    for key in (printer, other):
        assert measure(unsealed(data, key), "3mf", LIMITS) == measure(threemf(), "3mf", LIMITS)
    with pytest.raises(SecureKeyError) as caught:
        unsealed(data, stranger)
    assert caught.value.detail == {"recipients": ["printer-1", "printer-2"]}


@pytest.mark.usefixtures("inline")
def test_a_consumer_that_shows_no_key_is_tried(
    printer: rsa.RSAPrivateKey, stranger: rsa.RSAPrivateKey
) -> None:
    def without_keys(store: bytes) -> bytes:
        return re.sub(rb"<keyvalue>[^<]*</keyvalue>", b"", store)

    data = changed(sealed(threemf(), stranger, printer), STORE, without_keys)

    assert measure(unsealed(data, printer), "3mf", LIMITS).mesh is not None


def test_nothing_of_the_shape_stays_plain() -> None:
    picture = b"\x89PNG " + bytes(range(256))
    relation = (
        '<Relationship Id="r1" Target="/Metadata/thumbnail.png" Type="http://schemas.openxml'
        'formats.org/package/2006/relationships/metadata/thumbnail"/>'
    )
    data = threemf(
        more={
            "_rels/.rels": RELATIONSHIPS.format(more=relation).encode(),
            "Metadata/thumbnail.png": picture,
            "Metadata/texture.png": picture,
            "3D/_rels/3dmodel.model.rels": RELATIONSHIPS.format(more="").encode(),
        }
    )

    found = zipfile.ZipFile(io.BytesIO(in_here(data)))

    assert "Metadata/thumbnail.png" not in found.namelist()
    assert all(found.read(part).startswith(b"%3McF") for part in PARTS)
    for name in found.namelist():
        assert b"<vertex" not in found.read(name)
        assert picture not in found.read(name)
    plain = zipfile.ZipFile(io.BytesIO(opened_here(in_here(data))))
    assert plain.read("Metadata/texture.png") == picture
    assert STORE not in plain.namelist()
    assert b"encryptedfile" not in plain.read("3D/_rels/3dmodel.model.rels")
    assert b'requiredextensions="p"' in plain.read("3D/3dmodel.model")


def test_items_keep_their_places() -> None:
    place = "1 0 0 0 1 0 0 0 1 5 0 0"
    items = f'<item objectid="1"/><item objectid="1" transform="{place}" partnumber="a&amp;b"/>'
    data = threemf(model_xml(items=items))

    plain = opened_here(in_here(data))

    assert measure(plain, "3mf", LIMITS) == measure(data, "3mf", LIMITS)
    assert b'partnumber="a&amp;b"' in zipfile.ZipFile(io.BytesIO(plain)).read("3D/3dmodel.model")


def test_models_in_other_parts_are_encrypted_where_they_are() -> None:
    root = model_xml(
        f'<object id="2">{mesh_xml()}</object>',
        '<item objectid="1" p:path="/3D/other.model"/><item objectid="2"/>',
    )
    data = threemf(root, {"3D/other.model": model_xml(items=""), "3D/secured.model": b"taken"})

    found = in_here(data)

    assert "3D/secured1.model" in names(found)
    assert zipfile.ZipFile(io.BytesIO(found)).read("3D/other.model").startswith(b"%3McF")
    assert measure(opened_here(found), "3mf", LIMITS) == measure(data, "3mf", LIMITS)


@pytest.mark.usefixtures("inline")
def test_equal_files_are_encrypted_otherwise_each_time(printer: rsa.RSAPrivateKey) -> None:
    entropy = CountingEntropy()
    one, two = (
        printing.seal(io.BytesIO(threemf()), [recipient(printer)], entropy) for _ in range(2)
    )

    parts = [zipfile.ZipFile(io.BytesIO(data)).read(PARTS[0]) for data in (one, two)]
    assert parts[0] != parts[1]


# What is refused


def refused(data: bytes, total: int = LIMITS.total) -> str:
    def attempt() -> None:
        secure.read_rights(data, LIMITS)
        opened_here(data, total=total)

    with pytest.raises(GuildmarkError) as caught:
        attempt()
    return caught.value.code


@pytest.mark.parametrize("at", [12, 40, -1])
def test_a_changed_part_does_not_open(at: int) -> None:
    def flipped(part: bytes) -> bytes:
        found = bytearray(part)
        found[at] ^= 1
        return bytes(found)

    assert refused(changed(in_here(threemf()), PARTS[0], flipped)) == "secure.tampered"


def test_parts_do_not_open_in_each_other_s_place() -> None:
    data = in_here(threemf(more={"Metadata/texture.png": b"picture"}))
    other = zipfile.ZipFile(io.BytesIO(data)).read(PARTS[1])

    assert refused(changed(data, PARTS[0], lambda _: other)) == "secure.tampered"


def test_another_content_key_does_not_open_it() -> None:
    for key in (b"x" * 32, b"short"):
        with pytest.raises(ContentError) as caught:
            opened_here(in_here(threemf()), key)
        assert caught.value.code == "secure.tampered"


@pytest.mark.parametrize(
    ("before", "after", "code"),
    [
        (b"aes256-gcm", b"aes256-cbc", "secure.algorithm"),
        (b'compression="deflate"', b'compression="zip"', "secure.algorithm"),
        (b'path="/3D/secured.model"', b'path="/3D/none.model"', "shape.malformed"),
        (b'path="/3D/secured.model"', b'path="/../secured.model"', "shape.malformed"),
        (b"<iv>AAAA", b"<iv>", "secure.malformed"),
        (b"<iv>AAAA", b"<iv>!AAA", "secure.malformed"),
        (b"<tag>", b"<tag>AAAA", "secure.malformed"),
        (b"<resourcedatagroup", b"<nothing", "secure.malformed"),
        (SECURE.encode(), b"urn:another", "shape.malformed"),
    ],
)
def test_a_key_store_that_does_not_fit_is_refused(before: bytes, after: bytes, code: str) -> None:
    data = in_here(threemf())
    store = zipfile.ZipFile(io.BytesIO(data)).read(STORE)
    assert before in store

    assert refused(changed(data, STORE, lambda one: one.replace(before, after, 1))) == code


RIGHT = (
    b'<accessright consumerindex="%s"><kekparams wrappingalgorithm="%s" digestmethod="%s"/>'
    b"<cipherdata><x:CipherValue xmlns:x='http://www.w3.org/2001/04/xmlenc#'>AAAA</x:CipherValue>"
    b"</cipherdata></accessright>"
)
OAEP, SHA256 = (
    b"http://www.w3.org/2009/xmlenc11#rsa-oaep",
    b"http://www.w3.org/2001/04/xmlenc#sha256",
)


@pytest.mark.parametrize(
    ("inside", "code"),
    [
        (RIGHT % (b"0", OAEP, SHA256), None),
        (RIGHT % (b"1", OAEP, SHA256), "secure.malformed"),
        (RIGHT % (b"-1", OAEP, SHA256), "shape.indexRange"),
        (RIGHT % (b"0", b"rsa-1_5", SHA256), "secure.algorithm"),
        (RIGHT % (b"0", OAEP, b"md5"), "secure.algorithm"),
        (b"<cipherdata><iv>AAAA</iv></cipherdata>", "secure.malformed"),
        (b"<kekparams/>", "secure.malformed"),
        ((RIGHT % (b"0", OAEP, SHA256)) * 200, None),
        ((RIGHT % (b"0", OAEP, SHA256)) * 201, "secure.malformed"),
    ],
)
def test_access_rights_belong_to_their_consumers(inside: bytes, code: str | None) -> None:
    consumer = b'<consumer consumerid="a"><keyvalue/></consumer>'
    store = (
        b'<keystore xmlns="%s" UUID="u">%s<resourcedatagroup keyuuid="g">%s</resourcedatagroup>'
        b"</keystore>" % (SECURE.encode(), consumer, inside)
    )
    data = changed(in_here(threemf()), STORE, lambda _: store)

    if code is None:
        assert {right["digest"] for right in secure.read_rights(data, LIMITS)} == {"sha256"}
    else:
        assert refused(data) == code


@pytest.mark.parametrize(
    "inside", [b"<accessright consumerindex='0'/>", b"<resourcedata path='/a'/>", b"<iv>AA==</iv>"]
)
def test_entries_outside_a_group_are_refused(inside: bytes) -> None:
    store = b'<keystore xmlns="%s">%s</keystore>' % (SECURE.encode(), inside)

    assert refused(changed(in_here(threemf()), STORE, lambda _: store)) == "secure.malformed"


@pytest.mark.parametrize(
    "header",
    [
        b"%3McX\x00\x00\x00\x0c\x00\x00\x00",
        b"%3McF\x01\x00\x00\x0c\x00\x00\x00",
        b"%3McF\x00\x00\x00\x0b\x00\x00\x00",
        b"%3McF\x00\x00\x00\xff\xff\xff\x7f",
        b"%3McF",
    ],
)
def test_an_encrypted_part_has_its_header(header: bytes) -> None:
    data = changed(in_here(threemf()), PARTS[0], lambda part: header + part[12:])

    assert refused(data) in {"secure.malformed", "secure.tampered"}


def test_a_longer_header_is_passed_over() -> None:
    data = changed(
        in_here(threemf()),
        PARTS[0],
        lambda part: b"%3McF\x00\x00\x00\x10\x00\x00\x00more" + part[12:],
    )

    assert measure(opened_here(data), "3mf", LIMITS).mesh is not None


def test_encrypted_parts_unpack_to_as_much_as_is_read() -> None:
    inner = b"\0" * 300_000
    data = in_here(threemf(more={"Metadata/texture.png": inner}))

    assert measure(opened_here(data), "3mf", LIMITS).mesh is not None
    assert refused(data, total=300_000) == "shape.archiveBomb"


@pytest.mark.parametrize("packed_", [b"\xff\xff", zlib.compress(b"x" * 99, wbits=-15)[:-2]])
def test_what_does_not_unpack_is_refused(packed_: bytes) -> None:
    with pytest.raises(ContentError) as caught:
        secure._inflated(packed_, 1_000)

    assert caught.value.code == "secure.malformed"


def test_a_plain_package_is_not_encrypted() -> None:
    with pytest.raises(ContentError) as caught:
        secure.read_rights(threemf(), LIMITS)

    assert caught.value.code == "secure.malformed"


def test_a_package_that_is_no_3mf_is_not_sealed() -> None:
    for data in (b"", packed({"a": b"b"}), threemf(b"<model/>")):
        with pytest.raises(ContentError):
            in_here(data)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a" * 65, "ä", "<a>"])
def test_a_recipient_has_a_plain_name(printer: rsa.RSAPrivateKey, name: str) -> None:
    recipient(printer, "a" * 64)
    with pytest.raises(SecureRecipientError):
        recipient(printer, name)


def test_a_recipient_has_an_rsa_key_that_is_long_enough() -> None:
    elliptic = ec.generate_private_key(ec.SECP256R1()).public_key()
    short = rsa.generate_private_key(65_537, 1024).public_key()
    for data in (
        b"",
        b"-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n",
        elliptic.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
        short.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    ):
        with pytest.raises(SecureRecipientError):
            printing.recipient("printer", data)


def test_recipients_are_named_each_once(printer: rsa.RSAPrivateKey) -> None:
    for recipients in ([], [recipient(printer)] * 2):
        with pytest.raises(SecureRecipientError):
            printing.seal(io.BytesIO(threemf()), recipients, CountingEntropy())


def test_a_refusal_of_the_child_keeps_its_kind(printer: rsa.RSAPrivateKey) -> None:
    data = changed(sealed(threemf(), printer), PARTS[0], lambda part: part[:-1])

    with pytest.raises(ContentError) as caught:
        unsealed(data, printer)

    assert caught.value.code == "secure.tampered"


WHOLE = in_here(threemf())
STORE_TEXT = zipfile.ZipFile(io.BytesIO(WHOLE)).read(STORE)
GROUP = group_of(WHOLE)


@given(st.lists(st.tuples(st.integers(0, len(STORE_TEXT) - 1), st.integers(0, 255)), max_size=6))
def test_any_key_store_opens_or_is_refused(changes: list[tuple[int, int]]) -> None:
    store = bytearray(STORE_TEXT)
    for at, value in changes:
        store[at] = value

    data = changed(WHOLE, STORE, lambda _: bytes(store))

    with suppress(ContentError):
        secure.read_rights(data, LIMITS)
        secure.open_package(data, {GROUP: KEY}, LIMITS)


def test_every_code_of_a_child_is_known_outside() -> None:
    assert {"secure.tampered", "secure.malformed", "secure.algorithm"} <= set(
        confined.SHAPES.refusals
    )
    assert json.loads(confined.run("rights", io.BytesIO(in_here(threemf())), {})) == []
