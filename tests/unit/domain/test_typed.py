"""What people type to name a part, and what only looks like it."""

import pytest

from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Address, ChainId, PartId
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.labels.typed import (
    TYPED_MAX,
    TypedLink,
    TypedPlace,
    TypedSerial,
    TypedToken,
    read_typed,
)

CONTRACT = Address(bytes.fromhex("12" * 20))
GTIN = "09506000134352"
LINK = f"https://id.example.org/01/{GTIN}/21/L1-17"


def refused(text: str) -> str:
    with pytest.raises(GuildmarkError) as caught:
        read_typed(text)
    return caught.value.code


def test_a_position_is_read() -> None:
    assert read_typed(" 7.12\n") == TypedPlace(log=7, index=12)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [LINK, LINK.replace("https", "http"), f"{LINK}?linkType=all"])
def test_a_link_is_read(text: str) -> None:
    found = read_typed(text)

    assert found == TypedLink(link=DigitalLink.parse(LINK))


def test_a_link_s_position_is_a_hint() -> None:
    found = read_typed(f"{LINK}?p=7.12")

    assert isinstance(found, TypedLink)
    assert found.hint == (7, 12)


@pytest.mark.parametrize(
    "text",
    [
        f"(01){GTIN}(21)L1-17",
        f"(01){GTIN} (21)L1-17",
        f"{GTIN} L1-17",
        "9506000134352 L1-17",
        f"{GTIN}/L1-17",
    ],
)
def test_a_gtin_and_a_serial_are_read(text: str) -> None:
    found = read_typed(text)

    assert found == TypedSerial(gtin=GTIN, serial="L1-17")
    assert found.link("id.example.org", "abcdefgh").label == LINK


def test_a_serial_alone_is_the_operator_s_own() -> None:
    found = read_typed("L1-17")

    assert found == TypedSerial(serial="L1-17")
    assert found.link("id.example.org", "abcdefgh").label == (
        "https://id.example.org/id/abcdefgh/L1-17"
    )


def test_a_serial_fits_its_own_link_alone() -> None:
    own, numbered = TypedSerial(serial="L1-17"), TypedSerial(gtin=GTIN, serial="L1-17")
    below, gs1 = own.link("a.example", "abcdefgh"), numbered.link("b.example", "")
    other = DigitalLink.of_part("b.example", "4006381333931", "L1-17")

    assert (own.is_of(below), own.is_of(gs1)) == (True, False)
    assert (numbered.is_of(below), numbered.is_of(gs1), numbered.is_of(other)) == (
        False,
        True,
        False,
    )
    assert not own.is_of(TypedSerial(serial="L1-18").link("a.example", "abcdefgh"))


def test_a_token_stands_for_a_part_of_one_contract() -> None:
    part = PartId(chain_id=ChainId(5), build_log=CONTRACT, log=7, index=12)  # type: ignore[arg-type]
    found = read_typed(f"eip155:5/erc721:0x{'12' * 20}/{part.token_id}")

    assert isinstance(found, TypedToken)
    assert found.place(ChainId(5), CONTRACT) == (7, 12)
    for chain, contract in ((6, CONTRACT), (5, Address(bytes(20)))):
        with pytest.raises(GuildmarkError) as caught:
            found.place(ChainId(chain), contract)
        assert caught.value.code == "verify.tokenElsewhere"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "typed.empty"),
        (" \t\r\n", "typed.empty"),
        ("a" * (TYPED_MAX + 1), "typed.tooLong"),
        ("L1-\u200b17", "typed.hiddenCharacter"),
        ("L1-\u202e17", "typed.hiddenCharacter"),
        ("L1-\u00a017", "typed.hiddenCharacter"),
        ("L1-\x0017", "typed.hiddenCharacter"),
        ("L1-\ud80017", "typed.hiddenCharacter"),
        ("L1-\U000e000017", "typed.hiddenCharacter"),
        ("https://id.ex\u0430mple.org/id/abcdefgh/L1-17", "typed.lookAlike"),
        ("L1-\uff11\uff17", "typed.lookAlike"),
        ("ftp://id.example.org/id/abcdefgh/1", "typed.schemeUnknown"),
        ("javascript:alert(1)", "typed.schemeUnknown"),
        ("DATA:text/html,x", "typed.schemeUnknown"),
        ("https://id.example.org@evil.example/id/abcdefgh/1", "typed.hostDisguised"),
        ("https://evil.example\\@id.example.org/id/abcdefgh/1", "typed.hostDisguised"),
        ("https://id.example.org%2fevil/id/abcdefgh/1", "typed.hostDisguised"),
        ("https://", "label.malformedLink"),
        ("https://id.example.org/", "label.malformedLink"),
        ("https://id.example.org/01/09506000134353/21/1", "gs1.wrongCheckDigit"),
        ("https://id.example.org/id/abcdefgh/1?p=x", "id.malformedPart"),
        ("eip155:1/erc721:0x12/7", "typed.tokenMalformed"),
        ("0.1", "id.malformedPart"),
        ("09506000134353 L1-17", "gs1.wrongCheckDigit"),
        (f"{GTIN} {'a' * 21}", "gs1.malformed"),
        ("no such thing", "gs1.malformed"),
        ("a" * 21, "gs1.malformed"),
    ],
)
def test_what_only_looks_like_it_is_refused(text: str, code: str) -> None:
    assert refused(text) == code


def test_the_longest_text_is_looked_at() -> None:
    assert refused("a" * TYPED_MAX) == "gs1.malformed"
