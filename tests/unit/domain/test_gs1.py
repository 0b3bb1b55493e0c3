"""GS1 keys: known numbers, biip as the peer, and each refusal."""

import pytest
from biip.gln import Gln
from biip.gtin import Gtin
from biip.sscc import Sscc
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.identity import gs1

DIGITS = st.text("0123456789")


def test_check_digit_is_that_of_the_standard_s_example() -> None:
    # GS1 General Specifications, 7.9.1: 6291041500213.
    assert gs1.check_digit("629104150021") == "3"


@given(st.text("0123456789", min_size=13, max_size=13))
def test_gtins_are_those_of_biip(payload: str) -> None:
    gtin = payload + gs1.check_digit(payload)

    assert gs1.parse_gtin(gtin) == gtin == Gtin.parse(gtin).as_gtin_14()


@given(st.text("0123456789", min_size=12, max_size=12))
def test_glns_are_those_of_biip(payload: str) -> None:
    gln = payload + gs1.check_digit(payload)

    assert gs1.parse_gln(gln) == gln == Gln.parse(gln).value


@given(st.text("0123456789", min_size=17, max_size=17))
def test_ssccs_are_those_of_biip(payload: str) -> None:
    sscc = payload + gs1.check_digit(payload)

    assert gs1.parse_sscc(sscc) == sscc == Sscc.parse(sscc).value


@given(st.text("0123456789", min_size=13, max_size=13), st.integers(0, 13), st.integers(1, 9))
def test_every_single_wrong_digit_is_found(payload: str, at: int, by: int) -> None:
    good = payload + gs1.check_digit(payload)
    wrong = good[:at] + str((int(good[at]) + by) % 10) + good[at + 1 :]

    with pytest.raises(gs1.WrongCheckDigitError) as caught:
        gs1.parse_gtin(wrong)

    assert caught.value.detail["found"] == wrong


@pytest.mark.parametrize(
    ("short", "long"),
    [
        ("96385074", "00000096385074"),
        ("614141000036", "00614141000036"),
        ("9506000134352", "09506000134352"),
    ],
)
def test_short_gtins_get_leading_zeros(short: str, long: str) -> None:
    assert gs1.parse_gtin(short) == long


@pytest.mark.parametrize(
    "text",
    ["", "1234567", "123456789", "95060001343521x", "9506000134a52", "\u0663" * 8, "1234567x"],
)
def test_text_that_is_no_gtin_is_refused(text: str) -> None:
    with pytest.raises(gs1.MalformedGs1Error, match="GTIN"):
        gs1.parse_gtin(text)


def test_documents_and_assets_are_read_with_and_without_a_serial() -> None:
    assert gs1.parse_gdti("4012345000009") == "4012345000009"
    assert gs1.parse_gdti("4012345000009ABC-1") == "4012345000009ABC-1"
    assert gs1.parse_grai("04012345000009") == "04012345000009"
    assert gs1.parse_grai("04012345000009" + "9" * 16) == "04012345000009" + "9" * 16
    assert gs1.parse_giai("4012345MILL/7") == "4012345MILL/7"
    assert gs1.parse_giai("4012" + "x" * 26) == "4012" + "x" * 26
    assert gs1.parse_cpid("4012345BR-#7/A") == "4012345BR-#7/A"
    assert gs1.parse_cpid("4012" + "A" * 26) == "4012" + "A" * 26
    assert gs1.parse_characters("serial", "x" * 20) == "x" * 20


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("gln", "401234500000"),
        ("sscc", "123456789012345678 "),
        ("gdti", "401234500000"),
        ("gdti", "4012345000009" + "9" * 18),
        ("grai", "14012345000009"),
        ("grai", "04012345000009" + "9" * 17),
        ("giai", "401"),
        ("giai", "4012" + "x" * 27),
        ("giai", "MILL7"),
        ("giai", "\u0664\u0660\u0661\u0662x"),
        ("cpid", "4012"),
        ("cpid", "4012345a"),
        ("cpid", "4012" + "A" * 27),
    ],
)
def test_other_keys_are_refused_outside_their_syntax(kind: str, text: str) -> None:
    with pytest.raises(gs1.MalformedGs1Error):
        getattr(gs1, f"parse_{kind}")(text)


@pytest.mark.parametrize("text", ["", "x" * 21, "a b", "a^b", "é", "a\n"])
def test_serials_outside_the_character_set_are_refused(text: str) -> None:
    with pytest.raises(gs1.MalformedGs1Error, match="serial"):
        gs1.parse_characters("serial", text)


def test_check_digit_of_no_digits_is_refused() -> None:
    with pytest.raises(gs1.MalformedGs1Error):
        gs1.check_digit("")
