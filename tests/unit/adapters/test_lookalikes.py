# ruff: noqa: RUF001 - letters that look alike are what this is about
"""Unicode's tables: which texts look alike, and which scripts they are written in."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.adapters.lookalikes import UnicodeNames

NAMES = UnicodeNames()


# Pairs of UTS 39 and of known frauds.
@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("paypal", "раураl"),
        ("scope", "ѕсоре"),
        ("lufthansa", "Iufthansa"),
        ("modern", "modem"),
        ("Oficina", "0ficina"),
        ("Oficina", "Oﬁcina"),
        ("ΑΒΓ", "АВГ"),
        ("Société", unicodedata.normalize("NFD", "Société")),
        ("ABC", "ＡＢＣ"),
    ],
)
def test_what_looks_alike_has_one_skeleton(one: str, other: str) -> None:
    assert NAMES.skeleton(one) == NAMES.skeleton(other)


@pytest.mark.parametrize(
    ("one", "other"), [("Müller", "Muller"), ("Mondego", "Mandego"), ("東京", "京都"), ("a", "A")]
)
def test_what_looks_different_has_another(one: str, other: str) -> None:
    assert NAMES.skeleton(one) != NAMES.skeleton(other)


@pytest.mark.parametrize(
    ("text", "scripts"),
    [
        ("Oficina-7", {"LATIN"}),
        ("Завод", {"CYRILLIC"}),
        ("Оficina", {"CYRILLIC", "LATIN"}),
        ("日本テスト", {"HAN", "KATAKANA"}),
        ("7 + 3", set()),
        ("\U000e0fff", set()),
    ],
)
def test_scripts_are_named(text: str, scripts: set[str]) -> None:
    assert NAMES.scripts(text) == scripts


@given(st.text(st.characters(codec="utf-8"), max_size=20))
def test_how_letters_are_composed_does_not_matter(text: str) -> None:
    composed, taken_apart = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))

    assert NAMES.skeleton(composed) == NAMES.skeleton(taken_apart)
