"""Identifiers of other registers: published ones, and each refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.identity import registers
from guildmark.domain.identity.gs1 import MalformedGs1Error, parse_gcp
from guildmark.domain.identity.lei import WrongLeiCheckDigitsError

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
payloads = st.text(ALPHABET, min_size=10, max_size=10)


def test_a_published_business_partner_number_is_accepted() -> None:
    # The sample legal entity of the Catena-X standards.
    assert registers.parse_bpn("BPNL00000003AYRE") == "BPNL00000003AYRE"


@given(payloads, st.integers(0, 11), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_of_a_partner_number_is_found(
    payload: str, at: int, other: str
) -> None:
    good = payload + registers.bpn_check(payload)
    wrong = good[:at] + other + good[at + 1 :]

    assert registers.parse_bpn("BPNS" + good) == "BPNS" + good
    if wrong != good:
        with pytest.raises(registers.WrongBpnCheckError) as caught:
            registers.parse_bpn("BPNS" + wrong)
        assert caught.value.detail["found"] == "BPNS" + wrong


@given(payloads, st.integers(0, 10))
def test_swapped_neighbours_of_a_partner_number_are_found(payload: str, at: int) -> None:
    good = payload + registers.bpn_check(payload)
    swapped = good[:at] + good[at + 1] + good[at] + good[at + 2 :]

    if swapped != good:
        with pytest.raises(registers.WrongBpnCheckError):
            registers.parse_bpn("BPNA" + swapped)


@pytest.mark.parametrize(
    "text",
    ["", "BPNX00000003AYRE", "BPNL00000003AYR", "BPNL00000003AYREE", "bpnl00000003ayre"],
)
def test_other_text_is_no_partner_number(text: str) -> None:
    with pytest.raises(registers.MalformedRegisterError) as caught:
        registers.parse_bpn(text)

    assert caught.value.code == "register.malformed"


def test_a_duns_number_has_nine_digits() -> None:
    assert registers.parse_duns("150483782") == "150483782"


@pytest.mark.parametrize(
    "text", ["", "15048378", "1504837821", "15-048-3782", "15048378X", "\u0661" * 9]
)
def test_other_text_is_no_duns_number(text: str) -> None:
    with pytest.raises(registers.MalformedRegisterError):
        registers.parse_duns(text)


@pytest.mark.parametrize("text", ["1ABC2", "K1234", "1234G", "I9005", "00000"])
def test_a_cage_code_is_accepted(text: str) -> None:
    assert registers.parse_cage(text) == text


@pytest.mark.parametrize(
    "text", ["", "1ABC", "1ABC23", "1abc2", "O1234", "1O342", "1I342", "1234I", "1234O", "KABCD"]
)
def test_other_text_is_no_cage_code(text: str) -> None:
    with pytest.raises(registers.MalformedRegisterError):
        registers.parse_cage(text)


@pytest.mark.parametrize("text", ["9501", "123456789012"])
def test_a_company_prefix_has_4_to_12_digits(text: str) -> None:
    assert parse_gcp(text) == text


@pytest.mark.parametrize("text", ["", "950", "1234567890123", "95O1"])
def test_other_text_is_no_company_prefix(text: str) -> None:
    with pytest.raises(MalformedGs1Error):
        parse_gcp(text)


def test_each_scheme_is_checked_by_its_own_rule() -> None:
    registers.check_identifier("CAGE", "1ABC2")
    with pytest.raises(WrongLeiCheckDigitsError):
        registers.check_identifier("LEI", "9999EXAMPLE000000100")


def test_another_scheme_takes_any_text() -> None:
    registers.check_identifier("NAME", "Oficina Mondego")


@pytest.mark.parametrize(
    ("scheme", "plain"), [("lei", "LEI"), ("Lei ", "LEI"), ("D-U-N-S", "DUNS"), ("bpn", "BPN")]
)
def test_no_check_is_passed_by_under_another_spelling(scheme: str, plain: str) -> None:
    with pytest.raises(registers.MisspeltSchemeError) as caught:
        registers.check_identifier(scheme, "12345")

    assert caught.value.detail == {"found": ascii(scheme), "expected": plain}
    assert caught.value.code == "register.misspeltScheme"
