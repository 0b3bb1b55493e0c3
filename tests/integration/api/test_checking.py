"""The page on which a part is checked: by a typed text, or by a photo."""

import io
from collections.abc import Callable
from dataclasses import replace

import httpx
import pytest
from PIL import Image

from guildmark.adapters.labels import photos, pictures
from guildmark.api.pages import checking
from guildmark.api.pages.checking import FormMalformedError, PictureMissingError, Readers
from guildmark.api.pages.rendering import render
from guildmark.domain.bundle import read as read_bundle
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.identifiers import Bytes32, Index, to_hex
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.labels.proof import ProofCode, WitnessSignature
from guildmark.domain.trust import parse
from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
MAKER = "parts.douro.example"


def typed(web: httpx.Client, text: str) -> httpx.Response:
    return web.get("/verify", params={"q": text}, headers=BROWSER)


def sent(web: httpx.Client, picture: bytes, *, field: str = "picture") -> httpx.Response:
    return web.post("/verify", files={field: ("label.png", picture, "image/png")}, headers=BROWSER)


def token(web: httpx.Client, played: Played, *, chain: int = 0) -> str:
    pin = parse(web.get("/.well-known/guildmark-trust.json").content).chain
    contract = to_hex(pin.contracts[ContractName.PARTS].address)
    log, _, index = played.parts[0].hint.partition(".")
    number = int(log) * 2**64 + int(index)
    return f"eip155:{chain or pin.chain_id}/erc721:{contract}/{number}"


def test_the_page_asks_and_says_nothing_yet(web: httpx.Client) -> None:
    answer = web.get("/verify", headers=BROWSER)

    assert answer.status_code == 200
    assert "Check a part" in answer.text
    assert "What to do" not in answer.text
    assert len(answer.content) < 20_000


@pytest.mark.parametrize(
    "write",
    [
        lambda _, played: played.parts[0].hint,
        lambda _, played: played.parts[0].label,
        lambda _, played: played.parts[0].label.replace("https", "http"),
        lambda _, played: f" {played.parts[0].label}\n",
        token,
    ],
)
def test_what_names_a_part_leads_to_its_page(
    web: httpx.Client, played: Played, write: Callable[[httpx.Client, Played], str]
) -> None:
    answer = typed(web, write(web, played))

    assert answer.status_code == 303, answer.text[:2_000]
    page = web.get(answer.headers["location"], headers=BROWSER, follow_redirects=True)
    assert "Verified on this node" in page.text
    assert played.parts[0].label.rsplit("/", 1)[-1] in page.text


@pytest.mark.parametrize(
    ("text", "status", "headline", "code"),
    [
        ("", 400, "Cannot be read", "typed.empty"),
        ("no such thing", 400, "Cannot be read", "gs1.malformed"),
        ("77-00001", 404, "Not found", "part.labelUnknown"),
        ("09506000134352 77-00001", 404, "Not found", "part.labelUnknown"),
        ("(01)09506000134353(21)1", 400, "Cannot be read", "gs1.wrongCheckDigit"),
        ("L1-\u200b1", 400, "Cannot be read", "typed.hiddenCharacter"),
        ("L1-\u0430", 400, "Cannot be read", "typed.lookAlike"),
        ("ftp://a.example/id/abcdefgh/1", 400, "Cannot be read", "typed.schemeUnknown"),
        ("https://a@b.example/id/abcdefgh/1", 400, "Cannot be read", "typed.hostDisguised"),
        ("https://shop.example/id/abcdefgh/1", 404, "Not found", "typed.hostForeign"),
        ("https://xn--a-_.example/id/abcdefgh/1", 400, "Cannot be read", "label.malformedLink"),
        ("https://xn--999999999.example/id/abcdefgh/1", 404, "Not found", "typed.hostForeign"),
        ("https://shop.example/", 400, "Cannot be read", "label.malformedLink"),
        ("eip155:1/erc721:0x/1", 400, "Cannot be read", "typed.tokenMalformed"),
        ("x" * 600, 400, "Cannot be read", "typed.tooLong"),
    ],
)
def test_what_names_none_has_its_own_words(
    web: httpx.Client, text: str, status: int, headline: str, code: str
) -> None:
    answer = typed(web, text)

    assert (answer.status_code, code in answer.text) == (status, True), answer.text[:3_000]
    assert f">{headline}</h1>" in answer.text
    assert "What to do:" in answer.text


def test_a_token_of_another_chain_is_a_problem(web: httpx.Client, played: Played) -> None:
    answer = typed(web, token(web, played, chain=7))

    assert answer.status_code == 422
    assert "verify.tokenElsewhere" in answer.text


@pytest.mark.parametrize("host", ["127.O.O.1", "127.0.0.1.evil.example", "l27.0.0.1"])
def test_a_host_that_looks_like_this_one_s_is_a_problem(
    web: httpx.Client, played: Played, host: str
) -> None:
    path = played.parts[0].label.removeprefix(f"https://{MAKER}")

    # The position of a stranger's link is not believed.
    answer = typed(web, f"https://{host}{path}?p={played.parts[0].hint}")

    assert answer.status_code == 422, answer.text[:2_000]
    assert "typed.hostLookAlike" in answer.text
    assert "Problem found" in answer.text


def test_a_stranger_s_link_with_a_position_is_not_found(web: httpx.Client, played: Played) -> None:
    path = played.parts[0].label.removeprefix(f"https://{MAKER}")

    answer = typed(web, f"https://shop.example{path}?p={played.parts[0].hint}")

    assert answer.status_code == 404
    assert "typed.hostForeign" in answer.text


def test_a_link_to_this_node_leads_to_its_part(web: httpx.Client, played: Played) -> None:
    path = played.parts[0].label.removeprefix(f"https://{MAKER}")

    answer = typed(web, f"{played.node.url}{path}?p={played.parts[0].hint}")

    assert (answer.status_code, answer.headers["location"]) == (
        303,
        f"{path}?p={played.parts[0].hint}",
    )


def test_what_was_typed_is_escaped_and_can_be_corrected(web: httpx.Client) -> None:
    answer = typed(web, '"><script>alert(1)</script>')

    assert answer.status_code == 400
    assert "<script>" not in answer.text
    assert "&#34;&gt;&lt;script&gt;" in answer.text


def test_a_photo_leads_to_its_part(web: httpx.Client, played: Played) -> None:
    answer = sent(web, pictures.png(played.parts[0].label))

    assert answer.status_code == 303, answer.text[:2_000]
    assert answer.headers["location"] == typed(web, played.parts[0].label).headers["location"]


def photo(image: Image.Image) -> bytes:
    sink = io.BytesIO()
    image.save(sink, "PNG")
    return sink.getvalue()


def both() -> bytes:
    wide = Image.new("L", (900, 400), 255)
    for at, text in enumerate(("https://a.example/id/abcdefgh/1", "https://a.example/x")):
        wide.paste(Image.open(io.BytesIO(pictures.png(text))).resize((350, 350)), (at * 450, 20))
    return photo(wide)


@pytest.mark.parametrize(
    ("picture", "status", "code"),
    [
        (b"x", 400, "picture.unreadable"),
        (b"", 400, "picture.missing"),
        (photo(Image.new("L", (60, 60), 255)), 400, "picture.noCode"),
        (both(), 400, "picture.severalCodes"),
        (pictures.png("hello"), 404, "part.labelUnknown"),
        (pictures.png("https://shop.example/id/abcdefgh/1"), 404, "typed.hostForeign"),
        (bytes(checking.PICTURE_MAX), 400, "picture.unreadable"),
        (bytes(checking.PICTURE_MAX + 1), 400, "picture.tooLarge"),
        (bytes(checking.PICTURE_MAX + (5 << 10)), 413, "http.bodyTooLarge"),
    ],
)
def test_a_photo_that_leads_nowhere_has_its_own_words(
    web: httpx.Client, picture: bytes, status: int, code: str
) -> None:
    answer = sent(web, picture)

    assert (answer.status_code, code in answer.text) == (status, True), answer.text[:3_000]
    assert "What to do:" in answer.text


def test_a_body_that_is_no_form_is_refused(web: httpx.Client) -> None:
    picture = pictures.png("hello")
    for kind in ("image/png", "multipart/form-data", "multipart/form-data; boundary="):
        answer = web.post("/verify", content=picture, headers={"Content-Type": kind})

        assert (answer.status_code, "http.mediaTypeUnsupported" in answer.text) == (415, True)
    form = "multipart/form-data; boundary=x"
    answer = web.post("/verify", content=picture, headers={"Content-Type": form})
    assert (answer.status_code, "http.formMalformed" in answer.text) == (400, True)
    assert "picture.missing" in sent(web, picture, field="other").text


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x",
        b"--x\r\n",
        b'--x\r\nContent-Disposition: form-data; name="picture"\r\n\r\nabc',
        b"--x\r\n\r\na\r\n" * 5 + b"--x--",
    ],
)
def test_a_form_that_does_not_end_is_refused(body: bytes) -> None:
    with pytest.raises(FormMalformedError):
        checking.picture_in(body, b"x")


def test_the_field_of_the_picture_is_taken_as_it_is() -> None:
    head = b'Content-Disposition: form-data; name="%s"; filename="a"\r\n\r\n'
    other, wanted = head % b"other" + b"1", head % b"picture" + b"\r\n--y\r\n\r\n2"
    body = b"--x\r\n" + b"\r\n--x\r\n".join((other, wanted)) + b"\r\n--x--\r\n"

    assert checking.picture_in(body, b"x") == b"\r\n--y\r\n\r\n2"
    with pytest.raises(PictureMissingError):
        checking.picture_in(b"--x\r\n" + other + b"\r\n--x--", b"x")


def test_a_few_pictures_are_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = Readers(patience=0.01, count=1)

    def within(_: io.BytesIO) -> str:
        with pytest.raises(checking.ReadersBusyError):
            readers.code_in(b"")
        return "read"

    monkeypatch.setattr(photos, "code_in", within)

    assert readers.code_in(b"") == "read"
    assert readers.code_in(b"") == "read"


def test_a_node_without_a_reader_says_so() -> None:
    html = render("verify.html", checking.CheckPage(reads_pictures=False), host="a")

    assert "this node reads no photos" in html
    assert 'aria-labelledby="photo-title" hidden' in html


def test_a_serial_is_found_under_the_maker_s_host(web: httpx.Client, played: Played) -> None:
    part = played.parts[0]
    serial = DigitalLink.parse_label(part.label).serial or ""
    log, _, index = part.hint.partition(".")

    led = typed(web, serial)
    found = web.get("/v1/serials", params={"serial": serial})

    assert led.headers["location"].endswith(f"?p={part.hint}")
    assert found.json() == {"log": int(log), "index": int(index)}


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ({"serial": "77-00001"}, 404, "part.labelUnknown"),
        ({"serial": "^"}, 404, "part.labelUnknown"),
        ({"serial": "1", "gtin": "09506000134352"}, 404, "part.labelUnknown"),
        ({"serial": "1", "gtin": "09506000134353"}, 404, "part.labelUnknown"),
        ({"serial": "1", "gtin": "9506000134352"}, 400, "http.parameterInvalid"),
        ({"serial": "a" * 21}, 400, "http.parameterInvalid"),
        ({}, 400, "http.parameterInvalid"),
    ],
)
def test_a_serial_that_is_on_no_label_is_not_found(
    web: httpx.Client, query: dict[str, str], status: int, code: str
) -> None:
    answer = web.get("/v1/serials", params=query)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


def proof_of(web: httpx.Client, played: Played) -> ProofCode:
    """Return a proof code of the first part; that its signature is none, only its reader finds."""
    core = read_bundle(web.get(f"/v1/parts/{played.parts[0].hint}/bundle").content).core
    nobody = WitnessSignature(key=b"none", time=1, value=bytes(64))
    return ProofCode(
        bare=core.record,
        entry=core.entry,
        salt=core.salt,
        position=core.position,
        path=core.path,
        size=core.record.seq + 1,
        record_path=(),
        signatures=(nobody,),
    )


def test_a_proof_code_leads_to_its_part(web: httpx.Client, played: Played) -> None:
    proof = proof_of(web, played)

    led, shown = typed(web, proof.text()), sent(web, pictures.png(proof.text()))

    for answer in (led, shown):
        assert (answer.status_code, answer.headers["location"]) == (
            303,
            f"/parts/{played.parts[0].hint}",
        )


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        (lambda proof: replace(proof, salt=Bytes32(bytes(32))), 422, "typed.proofElsewhere"),
        (
            lambda proof: replace(proof, bare=replace(proof.bare, time=7)),
            422,
            "typed.proofElsewhere",
        ),
        (
            lambda proof: replace(proof, entry=replace(proof.entry, maker=proof.entry.machine)),
            422,
            "typed.proofElsewhere",
        ),
        (
            lambda proof: replace(proof, bare=replace(proof.bare, first_index=Index(10**6))),
            404,
            "part.unknown",
        ),
    ],
)
def test_a_proof_code_of_another_entry_leads_nowhere(
    web: httpx.Client,
    played: Played,
    change: Callable[[ProofCode], ProofCode],
    status: int,
    code: str,
) -> None:
    answer = typed(web, change(proof_of(web, played)).text())

    assert (answer.status_code, code in answer.text) == (status, True), answer.text[:2_000]


def test_a_text_that_only_begins_like_a_proof_is_refused(web: httpx.Client) -> None:
    answer = typed(web, "GM1:ABC")

    assert (answer.status_code, "label.proofMalformed" in answer.text) == (400, True)
