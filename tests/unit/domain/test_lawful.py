"""Lawful use: countries allowed and denied, control classes cleared."""

import pytest

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32
from guildmark.domain.recipes.clauses import DisclosedClauses, clause_root, disclose
from guildmark.domain.rights.lawful import (
    COUNTRIES,
    CountryUnknownError,
    Use,
    country_code,
    uncleared,
    use_in,
)
from guildmark.domain.rights.terms import (
    MalformedSpdxError,
    TermsKind,
    spdx_member,
    terms_members,
    text_member,
)

ALLOWED, DENIED = TermsKind.COUNTRY, TermsKind.COUNTRY_DENIED
CLASS, TEXT = TermsKind.CONTROL_CLASS, TermsKind.TEXT


def shown(named: dict[TermsKind, list[str]], *hidden: TermsKind) -> DisclosedClauses:
    """Return terms of which all but some kinds are shown."""
    leaves = terms_members(named, new_salt=lambda: Bytes32(sha256(b"salt")))
    ways = [f"/terms/{kind.value}/" for kind in hidden]
    paths = [one.path for one in leaves if not any(one.path.startswith(way) for way in ways)]
    return disclose(leaves, paths).verify(clause_root(leaves))


def test_all_249_countries_are_known() -> None:
    assert len(COUNTRIES) == 249
    assert {"DE", "FR", "US", "ZW", "AX"} <= COUNTRIES
    assert all(len(code) == 2 and code.isupper() for code in COUNTRIES)


@pytest.mark.parametrize("text", ["", "de", "DEU", "UK", "EU", "XX", "D E"])
def test_what_is_no_country_is_refused(text: str) -> None:
    with pytest.raises(CountryUnknownError) as caught:
        country_code(text)

    assert caught.value.code == "country.unknown"


def test_a_country_is_its_code() -> None:
    assert country_code("CH") == "CH"


@pytest.mark.parametrize(
    ("named", "country", "use"),
    [
        ({TEXT: ["any"]}, "DE", Use.ALLOWED),
        ({TEXT: ["any"]}, None, Use.ALLOWED),
        ({ALLOWED: ["AT", "DE"]}, "DE", Use.ALLOWED),
        ({ALLOWED: ["AT", "DE"]}, "FR", Use.DENIED),
        ({ALLOWED: ["DE"]}, None, Use.PLACE_UNKNOWN),
        ({DENIED: ["FR"]}, "DE", Use.ALLOWED),
        ({DENIED: ["FR"]}, "FR", Use.DENIED),
        ({DENIED: ["FR"]}, None, Use.PLACE_UNKNOWN),
        ({DENIED: ["FR"]}, "fr", Use.PLACE_UNKNOWN),
        ({DENIED: ["FR"]}, "FRA", Use.PLACE_UNKNOWN),
        ({DENIED: ["FR"]}, "", Use.PLACE_UNKNOWN),
        ({ALLOWED: ["DE"]}, "ZZ", Use.PLACE_UNKNOWN),
        ({ALLOWED: ["DE"], DENIED: ["DE"]}, "DE", Use.DENIED),
    ],
)
def test_a_country_is_allowed_unless_others_are_named_or_it_is_denied(
    named: dict[TermsKind, list[str]], country: str | None, use: Use
) -> None:
    assert use_in(shown(named), country) is use


@pytest.mark.parametrize(
    ("hidden", "country", "use"),
    [
        (DENIED, "DE", Use.WITHHELD),
        (DENIED, "AT", Use.WITHHELD),  # the hidden one may allow it
        (ALLOWED, "FR", Use.DENIED),
        (ALLOWED, "DE", Use.WITHHELD),
        (TEXT, "DE", Use.ALLOWED),
    ],
)
def test_what_is_hidden_is_not_taken_for_allowed(hidden: TermsKind, country: str, use: Use) -> None:
    named = {ALLOWED: ["DE"], DENIED: ["FR"], TermsKind.SITE: ["0x00"], TEXT: ["price"]}
    assert use_in(shown(named, hidden), country) is use


def test_each_class_that_is_named_is_to_be_cleared() -> None:
    members = shown({CLASS: ["9E001", "9E003"]})

    assert uncleared(members, []) == ("9E001", "9E003")
    assert uncleared(members, ["9E003", "other"]) == ("9E001",)
    assert uncleared(members, ["9E001", "9E003"]) == ()
    assert uncleared(shown({TEXT: ["none"]}), []) == ()


def test_a_text_is_named_by_its_digest() -> None:
    assert text_member(b"") == (
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


@pytest.mark.parametrize(
    "name", ["MIT", "CERN-OHL-S-2.0", "GPL-2.0+", "Apache-2.0 WITH LLVM-exception OR MIT"]
)
def test_an_spdx_expression_is_a_member(name: str) -> None:
    assert spdx_member(name) == f"SPDX:{name}"


@pytest.mark.parametrize(
    "name",
    ["", " MIT", "MIT ", "MIT  OR MIT", "MIT or BSD", "-MIT", "MIT OR", "a" * 81, "M\u0130T"],
)
def test_what_spdx_does_not_write_is_refused(name: str) -> None:
    with pytest.raises(MalformedSpdxError) as caught:
        spdx_member(name)

    assert caught.value.code == "license.malformedSpdx"
