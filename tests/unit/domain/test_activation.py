"""Codes of scratch fields, chips and claims: what is typed, what is committed to."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fakes.cases.draft import Draft
from fakes.cases.second import CODE, claim
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import UINT40_MAX
from guildmark.domain.labels.activation import (
    CODE_ENTROPY,
    ActivationCode,
    ClaimFile,
    ClaimMalformedError,
    CodeMalformedError,
    FirstClaim,
)

LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODES = st.binary(min_size=CODE_ENTROPY, max_size=CODE_ENTROPY).map(ActivationCode.drawn)


@given(CODES)
def test_what_is_printed_can_be_typed(code: ActivationCode) -> None:
    text = code.text()

    assert ActivationCode.parse(text) == code
    assert ActivationCode.parse(text.lower().replace("-", " ").replace("0", "o")) == code
    assert ActivationCode.parse(text.replace("-", "").replace("1", "I")) == code
    assert len(text) == 24


@given(CODES, st.integers(0, 19), st.integers(1, 31))
def test_one_wrong_letter_is_noticed(code: ActivationCode, at: int, step: int) -> None:
    letters = list(code.text().replace("-", ""))
    letters[at] = LETTERS[(LETTERS.index(letters[at]) + step) % 32]

    with pytest.raises(CodeMalformedError):
        ActivationCode.parse("".join(letters))


@given(CODES, st.integers(0, 18))
def test_two_swapped_letters_are_noticed(code: ActivationCode, at: int) -> None:
    letters = list(code.text().replace("-", ""))
    if letters[at] == letters[at + 1]:
        return
    letters[at : at + 2] = reversed(letters[at : at + 2])

    with pytest.raises(CodeMalformedError):
        ActivationCode.parse("".join(letters))


@pytest.mark.parametrize("text", ["", CODE.text()[:-1], CODE.text() + "0", "U" * 20, "é" * 20])
def test_another_text_is_no_code(text: str) -> None:
    with pytest.raises(CodeMalformedError):
        ActivationCode.parse(text)


def test_codes_have_ninety_bits() -> None:
    assert ActivationCode.drawn(b"\xff" * CODE_ENTROPY).number == 2**90 - 1
    assert ActivationCode.drawn(bytes(CODE_ENTROPY)).number == 0


def test_a_code_is_not_in_what_is_logged() -> None:
    assert str(CODE.number) not in repr(CODE)
    assert str(CODE.number) not in repr(claim(Draft()))


def test_a_digest_is_of_one_label() -> None:
    assert CODE.digest("https://a.example/id/x/1") != CODE.digest("https://a.example/id/x/2")


def test_a_claim_file_is_read_as_it_was_written() -> None:
    file = claim(Draft()).file

    assert ClaimFile.parse(file.encode()) == file


@pytest.mark.parametrize(
    "changes", [{"code": "1234"}, {"token": "0x12"}, {"receipt": "no note"}, {"more": 1}]
)
def test_another_file_is_no_claim(changes: dict[str, object]) -> None:
    members = json.loads(claim(Draft()).file.encode())

    with pytest.raises(MalformedError):
        ClaimFile.parse(json.dumps({**members, **changes}).encode())


def first() -> FirstClaim:
    return FirstClaim.parse(claim(Draft()).file.receipt.text)


def test_a_first_claim_has_one_spelling() -> None:
    said = first()

    assert FirstClaim.parse(said.text()) == said
    assert FirstClaim.parse(said.text().replace("2150", str(UINT40_MAX))).time == UINT40_MAX


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("activation/v1", "activation/v2"),
        ("2150", "02150"),
        ("2150", "-1"),
        ("2150", str(UINT40_MAX + 1)),
        ("1.103", "1"),
        ("1.103", "01.103"),
        ("0x", ""),
        ("2150\n", "2150\nmore\n"),
    ],
)
def test_another_spelling_is_refused(old: str, new: str) -> None:
    with pytest.raises(ClaimMalformedError):
        FirstClaim.parse(first().text().replace(old, new))


def test_claims_name_digests_alone() -> None:
    assert CODE.text() not in first().text()
    assert sha256(b"claimant").hex() not in first().text()
