"""``guildmark verify`` by a picture of a code, and by a serial."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from fakes.simulator import LABEL, Simulator
from fakes.web import Web, serving
from guildmark.adapters.clock import SystemClock
from guildmark.adapters.evidence_http import Parts, SourceAnswerError
from guildmark.adapters.labels import pictures
from guildmark.adapters.shapes import confined
from guildmark.cli import main
from guildmark.domain import bundle
from guildmark.domain import trust as trust_file
from guildmark.domain.labels.digital_link import DigitalLink

pytestmark = pytest.mark.allow_hosts(["127.0.0.1"])

HONEST = Simulator()
BUNDLE = bundle.write(HONEST.evidence())
PATH = "/v1/parts/1.103/bundle?block=77"
SERIAL = DigitalLink.parse_label(LABEL).serial or ""
GTIN = "09506000134352"
# Of a maker with a GTIN, whose license is for labels without one.
NUMBERED = Simulator(statement={"label": f"https://id.example.org/01/{GTIN}/21/{SERIAL}"})
_NAMESPACE = 18
FOUND = b'{"log":1,"index":103}'


@pytest.fixture
def web() -> Iterator[Web]:
    with serving(Web()) as server:
        server.pages = {PATH: (200, BUNDLE)}
        yield server


def _now(clock: SystemClock) -> int:
    return 3_000


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(SystemClock, "now", _now)
    monkeypatch.setenv("GUILDMARK_HOME", str(tmp_path))
    (tmp_path / "trust.json").write_bytes(trust_file.serialise(HONEST.trust()))
    return tmp_path


def run(*words: str | Path) -> int:
    with pytest.raises(SystemExit) as left:
        main([str(word) for word in words])
    assert isinstance(left.value.code, int)
    return left.value.code


def scanned(web: Web) -> str:
    return web.url + LABEL.removeprefix("https://id.example.org") + "?p=1.103"


def drawn(text: str, kind: str = "PNG") -> bytes:
    sink = io.BytesIO()
    Image.open(io.BytesIO(pictures.png(text))).convert("L").save(sink, kind)
    return sink.getvalue()


def asked(web: Web, serial: str, gtin: str | None = None) -> str:
    return f"/v1/serials?serial={serial}" + ("" if gtin is None else f"&gtin={gtin}")


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
def test_a_picture_s_code_is_followed(web: Web, folder: Path, kind: str) -> None:
    # What it is, its first bytes say, not its name.
    (folder / "photo").write_bytes(drawn(scanned(web), kind))

    assert run("verify", folder / "photo") == 0
    assert web.asked[0] == PATH


def test_a_picture_s_code_may_be_a_serial_at_a_node(web: Web, folder: Path) -> None:
    web.pages[asked(web, SERIAL)] = (200, FOUND)
    (folder / "photo.png").write_bytes(drawn(SERIAL))

    assert run("verify", folder / "photo.png", "--node", web.url) == 0


@pytest.mark.parametrize(
    ("picture", "code"),
    [
        (drawn("x")[:60], "picture.unreadable"),
        (drawn("x", "JPEG")[:200], "picture.unreadable"),
        (drawn("https://").ljust((16 << 20) + 1, b"\0"), "picture.tooLarge"),
        (drawn("https://"), "label.malformedLink"),
        (drawn("https://id.example.org@evil.example/x"), "typed.hostDisguised"),
        (drawn("hello"), "verify.targetInvalid"),
    ],
)
def test_a_picture_that_names_no_part_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], picture: bytes, code: str
) -> None:
    (folder / "photo.png").write_bytes(picture)

    assert run("verify", folder / "photo.png", "--json") == 2
    assert json.loads(capsys.readouterr().out)["code"] == code


def test_two_codes_in_a_picture_are_refused(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wide = Image.new("L", (800, 400), 255)
    for at, text in enumerate((LABEL, f"{LABEL}8")):
        wide.paste(Image.open(io.BytesIO(drawn(text))).resize((350, 350)), (at * 400, 20))
    wide.save(folder / "photo.png")

    assert run("verify", folder / "photo.png", "--json") == 2
    assert json.loads(capsys.readouterr().out)["code"] == "picture.severalCodes"


def test_a_picture_opens_no_connection_where_none_is_allowed(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "photo.png").write_bytes(drawn(scanned(web)))

    assert run("verify", folder / "photo.png", "--offline", "--json") == 2
    assert json.loads(capsys.readouterr().out)["code"] == "verify.targetOnline"
    assert web.asked == []


def test_without_the_extra_a_picture_is_refused(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confined, "find_spec", lambda _: None)
    (folder / "photo.png").write_bytes(drawn("x"))

    assert run("verify", folder / "photo.png", "--json") == 2
    told = json.loads(capsys.readouterr().out)
    assert told["code"] == "picture.readerMissing"
    assert "guildmark[scan]" in told["nextStep"]


def test_a_bundle_is_verified_without_what_reads_pictures(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PIL", "zxingcpp", "guildmark.adapters.labels.photos"):
        monkeypatch.setitem(sys.modules, name, None)
    (folder / "part.zip").write_bytes(BUNDLE)

    assert run("verify", folder / "part.zip", "--offline") == 0


def test_a_part_is_found_by_its_serial(web: Web, folder: Path) -> None:
    web.pages[asked(web, SERIAL)] = (200, FOUND)

    assert run("verify", SERIAL, "--node", web.url) == 0


@pytest.mark.parametrize(
    "text", [f"{GTIN} {SERIAL}", f"(01){GTIN}(21){SERIAL}", f"{GTIN[1:]}/{SERIAL}"]
)
def test_a_part_is_found_by_gtin_and_serial(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    (folder / "trust.json").write_bytes(trust_file.serialise(NUMBERED.trust()))
    numbered = bundle.write(NUMBERED.evidence())
    web.pages = {asked(web, SERIAL, GTIN): (200, FOUND), PATH: (200, numbered)}

    assert run("verify", text, "--node", web.url) == _NAMESPACE
    assert "  (3) ok " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "gtin"), [("L1-18", None), (f"{GTIN} L1-18", GTIN), (f"{GTIN} {SERIAL}", GTIN)]
)
def test_a_node_that_answers_with_another_part_is_caught(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str], text: str, gtin: str | None
) -> None:
    web.pages[asked(web, text.rpartition(" ")[2], gtin)] = (200, FOUND)

    assert run("verify", text, "--node", web.url) == 19
    assert "verify.labelMismatch" in capsys.readouterr().out


def test_a_serial_of_nobody_s_own_is_none_of_a_gtin_s(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder / "trust.json").write_bytes(trust_file.serialise(NUMBERED.trust()))
    numbered = bundle.write(NUMBERED.evidence())
    web.pages = {asked(web, SERIAL): (200, FOUND), PATH: (200, numbered)}

    assert run("verify", SERIAL, "--node", web.url) == 19
    assert "verify.labelMismatch" in capsys.readouterr().out


def test_a_serial_that_the_node_does_not_know_is_not_found(web: Web, folder: Path) -> None:
    assert run("verify", "77-1", "--node", web.url) == 11


@pytest.mark.parametrize("body", [b"", b"[]", b'{"log":1}', b'{"log":1,"index":"1"}'])
def test_an_answer_that_is_no_position_is_refused(web: Web, folder: Path, body: bytes) -> None:
    web.pages[asked(web, "77-1")] = (200, body)

    with pytest.raises(SourceAnswerError):
        Parts(url=web.url).find_serial("77-1", None)
    assert run("verify", "77-1", "--node", web.url) == 3


def test_a_bundle_that_cannot_be_read_is_told_as_that(web: Web, folder: Path) -> None:
    web.pages = {asked(web, SERIAL): (200, FOUND), PATH: (200, b"no bundle")}

    assert run("verify", SERIAL, "--node", web.url) == 14


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("L1-\u200b17", "typed.hiddenCharacter"),
        ("L1-\u0430", "typed.lookAlike"),
        ("ftp://a.example/x", "typed.schemeUnknown"),
        ("09506000134353 17", "gs1.wrongCheckDigit"),
        ("no such thing", "gs1.malformed"),
        ("0.1", "id.malformedPart"),
    ],
)
def test_what_names_no_part_is_refused_in_its_own_words(
    web: Web, folder: Path, capsys: pytest.CaptureFixture[str], text: str, code: str
) -> None:
    assert run("verify", text, "--node", web.url, "--json") == 2
    assert json.loads(capsys.readouterr().out)["code"] == code
    assert web.asked == []


def test_a_serial_needs_a_node(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("verify", SERIAL, "--json") == 2
    assert json.loads(capsys.readouterr().out)["code"] == "verify.targetInvalid"
    assert run("verify", SERIAL, "--node", "http://127.0.0.1:1", "--offline", "--json") == 2
    assert json.loads(capsys.readouterr().out)["code"] == "verify.targetOnline"
