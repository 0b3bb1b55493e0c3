"""LEIs: a published one, and each refusal."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.identity import lei

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"
READ_ALIKE = ({"B", "1"}, {"M", "2"}, {"X", "3"})


def test_a_published_lei_is_accepted() -> None:
    # The LEI of the Global Legal Entity Identifier Foundation.
    assert lei.parse_lei("506700GE1G29325QX363") == "506700GE1G29325QX363"


@given(st.text(ALPHABET, min_size=18, max_size=18), st.integers(0, 17), st.sampled_from(ALPHABET))
def test_every_single_wrong_character_is_found(payload: str, at: int, other: str) -> None:
    good = payload + lei.lei_check_digits(payload)
    wrong = good[:at] + other + good[at + 1 :]

    assert lei.parse_lei(good) == good
    if wrong != good:
        with pytest.raises(lei.WrongLeiCheckDigitsError) as caught:
            lei.parse_lei(wrong)
        assert caught.value.detail["found"] == wrong


@given(st.text(ALPHABET, min_size=18, max_size=18), st.integers(0, 16))
def test_swapped_neighbours_are_found(payload: str, at: int) -> None:
    good = payload + lei.lei_check_digits(payload)
    swapped = good[:at] + good[at + 1] + good[at] + good[at + 2 :]

    if swapped != good and {good[at], good[at + 1]} not in READ_ALIKE:
        with pytest.raises(lei.WrongLeiCheckDigitsError):
            lei.parse_lei(swapped)


def test_what_is_written_alike_in_decimal_is_the_limit_of_the_check() -> None:
    # B is 11, so that B1 and 1B both count as 111.
    good = "B1" + "0" * 16 + lei.lei_check_digits("B1" + "0" * 16)

    assert lei.parse_lei("1B" + good[2:]) == "1B" + good[2:]


@pytest.mark.parametrize(("ending", "twin"), [("97", "00"), ("98", "01"), ("02", "99")])
def test_check_digits_have_no_twin_of_the_same_remainder(ending: str, twin: str) -> None:
    payload = next(
        text for text in map("{:018d}".format, range(97)) if lei.lei_check_digits(text) == ending
    )

    assert int(payload + twin) % 97 == int(payload + ending) % 97
    assert lei.parse_lei(payload + ending) == payload + ending
    with pytest.raises(lei.WrongLeiCheckDigitsError) as caught:
        lei.parse_lei(payload + twin)
    assert caught.value.detail == {"found": payload + twin, "expected": ending}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "506700GE1G29325QX36",
        "506700GE1G29325QX3633",
        "506700ge1g29325qx363",
        "506700GE1G29325QX3A3",
    ],
)
def test_other_text_is_refused(text: str) -> None:
    with pytest.raises(lei.MalformedLeiError) as caught:
        lei.parse_lei(text)

    assert caught.value.code == "lei.malformed"


def test_check_digits_of_another_form_are_refused() -> None:
    with pytest.raises(lei.MalformedLeiError):
        lei.lei_check_digits("SHORT")
