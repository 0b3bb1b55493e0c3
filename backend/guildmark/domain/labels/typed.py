"""What people type or paste to name a part: a position, a token, a link, or a serial.

Text that only looks like one of these is refused with a code of its own: who typed it learns what
is wrong with it, and never lands on another part.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import NoReturn, TypeAlias

from guildmark.domain.errors import MalformedError, UntrustedError
from guildmark.domain.identifiers import (
    Address,
    ChainId,
    Index,
    LogNumber,
    PartId,
    address_from_hex,
    parse_hint,
    to_hex,
)
from guildmark.domain.identity import gs1
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.labels.qr import read_link

TYPED_MAX = 512

_POSITION = re.compile(r"[0-9]+\.[0-9]+", re.ASCII)
# CAIP-19: an asset of the namespace erc721 on a chain of the namespace eip155.
_TOKEN = re.compile(r"eip155:([1-9][0-9]{0,31})/erc721:(0x[0-9a-fA-F]{40})/(0|[1-9][0-9]{0,77})")
_CHAIN = "eip155:"
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(//)?", re.ASCII)
_WEB = ("http", "https")
# With brackets as GS1 prints below a code, or as two words.
_GTIN = re.compile(r"(?:\(01\)([0-9]{8,14}) ?\(21\)|([0-9]{8}|[0-9]{12,14})[ /,;]+)(\S+)", re.ASCII)


class TypedEmptyError(MalformedError):
    """Nothing was typed."""

    code = "typed.empty"
    hint = "Type the link below the code, or the serial."


class TypedTooLongError(MalformedError):
    """A text that is longer than any link."""

    code = "typed.tooLong"
    hint = "Copy the link alone, nothing around it."


class HiddenCharacterError(MalformedError):
    """A text with a character that nobody sees: it could hide another link."""

    code = "typed.hiddenCharacter"
    hint = "Type it by hand as it is printed; do not paste it."


class LookAlikeError(MalformedError):
    """A text with a letter that no label has, and that may look like one that labels have."""

    code = "typed.lookAlike"
    hint = "Type it by hand as it is printed. If it was sent to you so, do not trust its sender."


class SchemeUnknownError(MalformedError):
    """A link of another kind than http and https."""

    code = "typed.schemeUnknown"
    hint = "A part's link begins with https://. Do not open the other one."


class HostDisguisedError(MalformedError):
    """A link that leads to another host than it seems to."""

    code = "typed.hostDisguised"
    hint = "Do not open it. Scan the code on the part itself."


class TokenMalformedError(MalformedError):
    """A text that begins like a token and is none."""

    code = "typed.tokenMalformed"
    hint = "Write it as CAIP-19 does: eip155:CHAIN/erc721:CONTRACT/NUMBER."


class TokenElsewhereError(UntrustedError):
    """A token of another contract than that of the parts on the trusted chain."""

    code = "verify.tokenElsewhere"
    hint = "Compare chain and contract with `guildmark trust show`; such a token is no part's."


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedPlace:
    """A position in a log."""

    log: LogNumber
    index: Index


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedToken:
    """A part's token, by its chain, contract and number."""

    chain: ChainId
    contract: Address
    number: int

    def place(self, chain: ChainId, contract: Address) -> tuple[LogNumber, Index]:
        """Return the position of the part that it stands for.

        Args:
            chain: The chain whose parts are meant.
            contract: Their contract on it.

        Raises:
            TokenElsewhereError: It is of another chain or contract.
            MalformedPartIdError: Its number is no part's.
        """
        if (self.chain, self.contract) != (chain, contract):
            found = f"Contract {to_hex(self.contract)} of chain {self.chain}"
            message = f"{found} is not that of the parts you trust."
            raise TokenElsewhereError(message, chain=self.chain, contract=to_hex(self.contract))
        part = PartId.from_token_id(self.number, chain_id=chain, build_log=contract)
        return part.log, part.index


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedLink:
    """A part's link, and the position that it hints at."""

    link: DigitalLink
    hint: tuple[LogNumber, Index] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TypedSerial:
    """A serial: below a GTIN, or of an operator's own where none is named."""

    serial: str
    gtin: str | None = None

    def link(self, host: str, operator: str) -> DigitalLink:
        """Return the link that a label with this serial has.

        Args:
            host: The host of the link.
            operator: Whose own serials are meant where no GTIN is named, as links name him.
        """
        if self.gtin is None:
            return DigitalLink.of_own_part(host, operator, self.serial)
        return DigitalLink.of_part(host, self.gtin, self.serial)

    def is_of(self, link: DigitalLink) -> bool:
        """Return whether a link names a part with this serial, of whatever host."""
        is_kind = link.is_own if self.gtin is None else link.value == self.gtin
        return is_kind and link.serial == self.serial


Typed: TypeAlias = TypedPlace | TypedToken | TypedLink | TypedSerial


def read_typed(text: str) -> Typed:
    """Return what a text names.

    Raises:
        MalformedError: It names nothing that a part can be found by.
    """
    if len(text) > TYPED_MAX:
        message = f"This is longer than {TYPED_MAX} characters: no link is."
        raise TypedTooLongError(message, limit=TYPED_MAX)
    bare = text.strip(" \t\r\n")
    if not bare:
        message = "Nothing was typed."
        raise TypedEmptyError(message)
    _check_letters(bare)
    scheme = _SCHEME.match(bare)
    if bare.startswith(_CHAIN):
        return _token(bare)
    if scheme is not None and (scheme[2] or scheme[1].lower() in _FORBIDDEN):
        return _link(scheme[1].lower(), bare[scheme.end() :])
    if _POSITION.fullmatch(bare):
        log, index = parse_hint(bare)
        return TypedPlace(log=log, index=index)
    return _serial(bare)


# Schemes that run or show something, and stand without a double slash.
_FORBIDDEN = frozenset({"data", "javascript", "vbscript", "blob", "mailto", "tel", "sms"})


def _check_letters(text: str) -> None:
    for letter in text:
        if letter.isascii() and letter.isprintable():
            continue
        name = unicodedata.name(letter, f"character {ord(letter):#x}").lower()
        if not letter.isprintable() or letter.isspace():
            message = f"There is a character in it that is not seen: {name}."
            raise HiddenCharacterError(message, character=f"U+{ord(letter):04X}")
        message = f"There is a letter in it that no label has: {name}."
        raise LookAlikeError(message, character=f"U+{ord(letter):04X}")


def _token(text: str) -> TypedToken:
    found = _TOKEN.fullmatch(text)
    if found is None:
        message = f"{text[:80]!r} is no token of a part."
        raise TokenMalformedError(message)
    contract = address_from_hex(found[2].lower())
    return TypedToken(chain=ChainId(int(found[1])), contract=contract, number=int(found[3]))


def _link(scheme: str, rest: str) -> TypedLink:
    if scheme not in _WEB:
        message = f"{scheme[:20]!r} begins no link of a part."
        raise SchemeUnknownError(message, scheme=scheme[:20])
    authority = re.split(r"[/?#]", rest, maxsplit=1)[0]
    if "@" in authority or "\\" in authority or "%" in authority:
        _refuse_disguise(authority)
    label, hint = read_link(f"https://{rest}")
    return TypedLink(link=DigitalLink.parse(label), hint=hint)


def _refuse_disguise(authority: str) -> NoReturn:
    host = re.split(r"[@\\]", authority)[-1]
    message = f"The link does not lead to where it seems to, but to {host[:80]!r}."
    raise HostDisguisedError(message, host=host[:80])


def _serial(text: str) -> TypedSerial:
    found = _GTIN.fullmatch(text)
    if found is None:
        return TypedSerial(serial=gs1.parse_characters("serial", text))
    gtin = gs1.parse_gtin(found[1] or found[2])
    return TypedSerial(gtin=gtin, serial=gs1.parse_characters("serial", found[3]))
