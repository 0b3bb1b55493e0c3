"""Parts over HTTP: found by label, shown by bundle, report and label; also a peer's."""

import io

import httpx
import pytest
import zxingcpp
from PIL import Image

from guildmark.domain import bundle, trust
from guildmark.domain.identifiers import to_hex
from guildmark.verify import verify_bundle
from guildmark.verify.document import document
from stages import Played

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]


def test_a_label_leads_to_its_entry(web: httpx.Client, played: Played) -> None:
    part = played.parts[1]

    found = web.get("/v1/parts", params={"label": part.label})

    assert found.json() == {"log": part.log, "index": part.index, "others": []}


@pytest.mark.parametrize("tail", ["9", "/", "?p=1.0"])
def test_another_label_leads_nowhere(web: httpx.Client, played: Played, tail: str) -> None:
    unknown = web.get("/v1/parts", params={"label": played.parts[1].label + tail})

    assert (unknown.status_code, unknown.json()["code"]) == (404, "part.labelUnknown")


@pytest.mark.parametrize(
    "label", ["", "http://a.example/id/x/1", "https://", "https://a\x00b", "https://ä.example"]
)
def test_a_label_is_a_link_in_ascii(web: httpx.Client, label: str) -> None:
    refused = web.get("/v1/parts", params={"label": label})

    assert (refused.status_code, refused.json()["code"]) == (400, "http.parameterInvalid")


def test_a_bundle_is_verified_with_the_reader_s_own_trust(
    web: httpx.Client, played: Played
) -> None:
    part = played.parts[0]
    trusted = trust.parse(web.get("/.well-known/guildmark-trust.json").content)
    bundle = web.get(f"/v1/parts/{part.hint}/bundle")

    report = verify_bundle(bundle.content, trusted)

    assert bundle.headers["content-type"] == "application/zip"
    assert bundle.headers["content-disposition"].endswith(
        f'filename="guildmark-{part.log}-{part.index}.zip"'
    )
    assert report.part is not None
    assert report.part.label == part.label
    # Only the block is not the reader's own.
    assert {check.number for check in report.checks if check.falls_short} == {0}


def test_a_bundle_at_one_block_is_the_same_bundle(web: httpx.Client, played: Played) -> None:
    block = web.get("/readyz").json()["block"]
    path = f"/v1/parts/{played.parts[0].hint}/bundle?block={block}"
    first = web.get(path)

    again = web.get(path, headers={"If-None-Match": first.headers["etag"]})

    assert web.get(path).content == first.content
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    ("block", "expected"),
    [(0, "evidence.blockTooEarly"), (2**53 - 1, "evidence.blockNotFinal")],
)
def test_a_bundle_is_not_shown_before_its_record_nor_before_finality(
    web: httpx.Client, played: Played, block: int, expected: str
) -> None:
    refused = web.get(f"/v1/parts/{played.parts[0].hint}/bundle?block={block}")

    assert (refused.status_code, refused.json()["code"]) == (409, expected)


def test_a_report_has_the_shape_of_the_command_s(web: httpx.Client, played: Played) -> None:
    part = played.parts[0]
    trusted = trust.parse(web.get("/.well-known/guildmark-trust.json").content)
    bundle = web.get(f"/v1/parts/{part.hint}/bundle").content
    printed = document(verify_bundle(bundle, trusted))

    report = web.get(f"/v1/parts/{part.hint}").json()

    assert report["verdict"] == "verified"
    assert report["exit"] == 0
    assert report["failed"] == []
    assert set(report) == set(printed)
    assert report["part"] == printed["part"]
    assert [check["name"] for check in report["checks"]] == [
        check["name"]  # type: ignore[index,call-overload]  # JSON
        for check in printed["checks"]  # type: ignore[union-attr]  # JSON
    ]


@pytest.mark.parametrize(
    ("case", "number", "exit_code"),
    [("altered", 2, 12), ("unregistered", 1, 16), ("over-quota", 6, 18)],
)
def test_a_bad_part_has_its_lowest_failed_check(
    web: httpx.Client, played: Played, case: str, number: int, exit_code: int
) -> None:
    report = web.get(f"/v1/parts/{played.bad[case]}").json()

    assert report["verdict"] == "problem"
    assert report["exit"] == exit_code
    assert report["failed"][0]["check"] == number


def test_an_unlisted_part_has_the_second_verdict(other_web: httpx.Client, played: Played) -> None:
    report = other_web.get(f"/v1/parts/{played.parts[0].hint}").json()

    assert (report["verdict"], report["exit"]) == ("untrusted", 16)
    assert not any(party["listed"] for party in report["parties"])


def test_a_peer_s_part_is_asked_for_once_and_kept(other_web: httpx.Client, played: Played) -> None:
    part = played.parts[2]

    bundle = other_web.get(f"/v1/parts/{part.hint}/bundle")
    kept = other_web.get(f"/v1/parts/{part.hint}/bundle?peers=false")
    found = other_web.get("/v1/parts", params={"label": part.label})

    assert (bundle.status_code, kept.status_code) == (200, 200)
    assert found.json() == {"log": part.log, "index": part.index, "others": []}


@pytest.mark.parametrize("what", ["", "/bundle", "/label.svg", "/label.png"])
def test_a_part_that_is_nowhere_is_not_found(web: httpx.Client, what: str) -> None:
    for part in ("1.999999", "2.999999", "7.0", "999999999999.999999999999999999"):
        unknown = web.get(f"/v1/parts/{part}{what}")

        assert (unknown.status_code, unknown.json()["code"]) == (404, "part.unknown")


@pytest.mark.parametrize("part", ["1", "1.", "01.0", "1.00", "0.1", "1.-1", "a.b", "1.0%00"])
def test_a_position_has_one_spelling(web: httpx.Client, part: str) -> None:
    refused = web.get(f"/v1/parts/{part}/bundle")

    assert (refused.status_code, refused.json()["code"]) == (400, "http.parameterInvalid")


def test_a_label_s_code_leads_to_the_page(web: httpx.Client, played: Played) -> None:
    part = played.parts[0]
    picture = web.get(f"/v1/parts/{part.hint}/label.png")

    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.content)))

    assert picture.headers["content-type"] == "image/png"
    assert found.text.startswith(f"{played.node.url}/id/")
    assert found.text.endswith(f"?p={part.hint}")
    assert "Verified" in web.get(found.text).text


def test_a_label_shows_the_serial(web: httpx.Client, played: Played) -> None:
    picture = web.get(f"/v1/parts/{played.parts[0].hint}/label.svg")

    assert picture.headers["content-type"] == "image/svg+xml"
    assert f">{played.parts[0].label.rsplit('/', 1)[-1]}</text>" in picture.text


def test_a_label_of_another_log_leads_to_this_node(other_web: httpx.Client, played: Played) -> None:
    picture = other_web.get(f"/v1/parts/{played.parts[0].hint}/label.png")

    (found,) = zxingcpp.read_barcodes(Image.open(io.BytesIO(picture.content)))

    assert found.text.startswith(f"{played.other.url}/id/")


def test_a_bundle_proves_what_the_askers_authorities_said(
    web: httpx.Client, played: Played
) -> None:
    named = [f"0x{number:064x}" for number in range(1, 18)]
    path = f"/v1/parts/{played.parts[0].hint}/bundle"

    shown = web.get(path, params={"authorities": ",".join(named[:16])})
    beyond = web.get(path, params={"authorities": ",".join(named)})
    twice = web.get(f"{path}?inspectors={named[0]}&inspectors={named[1]}")

    disclosed = bundle.read(shown.content).disclosed
    assert [to_hex(one) for one in disclosed.authorities] == named[:16]
    assert (beyond.status_code, twice.status_code) == (400, 400)
    assert beyond.json()["code"] == twice.json()["code"] == "http.parameterInvalid"
