"""Labels of parts: GS1 Digital Link URIs, and the own form for makers without a GS1 prefix.

GS1 Digital Link URI syntax 1.4: https://host/path/AI/value/AI/value...?AI=value. The own form is
https://host/id/operator/serial.
"""

import re
from base64 import b32encode
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import pairwise
from typing import NoReturn, Self, TypeAlias

from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import IdentityId, LaneNumber
from guildmark.domain.identity import gs1

LINK_MAX = 400
OWN_KEY = "id"
SERIALS = ("21", "235", "8011")
"""Application identifiers of what tells one thing of a kind from the next."""

_HOST = re.compile(
    r"(?=.{1,253}(?::|$))[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
    r"(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)*(?::[1-9][0-9]{0,4})?",
    re.ASCII,
)
_OPERATOR = re.compile(r"[0-9a-z]{6,66}", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9._~-]*", re.ASCII)
_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
_PLAIN_SERIAL = re.compile(r"(?!\.\.?$)[A-Za-z0-9._-]{1,20}", re.ASCII)
_ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})|%", re.ASCII)

_Check: TypeAlias = Callable[[str], str]

_KEYS: dict[str, _Check] = {
    "00": gs1.parse_sscc,
    "01": gs1.parse_gtin,
    "253": gs1.parse_gdti,
    "414": gs1.parse_gln,
    "417": gs1.parse_gln,
    "8003": gs1.parse_grai,
    "8004": gs1.parse_giai,
    "8010": gs1.parse_cpid,
}
RESOLVABLE = ("00", "01", "253", "8003", "8010")
"""Primary keys all of whose qualifiers are read (GS1 Digital Link URI Syntax 1.4, 4.9)."""

# Of these the first digit is an indicator or a filler, and the company prefix follows it.
_INDICATED = frozenset({"00", "01", "8003"})
# In the order in which the syntax demands them.
_QUALIFIERS: dict[str, dict[str, _Check]] = {
    "01": {
        "22": partial(gs1.parse_characters, "variant"),
        "10": partial(gs1.parse_characters, "batch"),
        "21": partial(gs1.parse_characters, "serial"),
        "235": partial(gs1.parse_characters, "third-party serial", most=28),
    },
    "414": {"254": partial(gs1.parse_characters, "location")},
    "8010": {"8011": gs1.parse_cpid_serial},
}
# A serial that a third party controls stands alone below its GTIN.
_ALONE = "235"


class MalformedLinkError(MalformedError):
    """Text that is no Digital Link and no link of the own form."""

    code = "label.malformedLink"
    hint = "Scan the label again or type its link as printed."


class LinkNotCanonicalError(MalformedLinkError):
    """A link that is written in another form than the one that labels have."""

    code = "label.notCanonical"
    hint = "Use the link in its canonical form, which the message shows."


@dataclass(frozen=True, slots=True, kw_only=True)
class DigitalLink:
    """A link by which a thing is known.

    Args:
        host: Host and optional port, in lower case.
        key: The primary key's application identifier; "id" in the own form.
        value: The primary key's value; in the own form the operator.
        qualifiers: Application identifiers and values below the key; in the own form the serial.
        prefix: The path in front of the key.
        query: Names and values behind the question mark; labels have none.
    """

    host: str
    key: str
    value: str
    qualifiers: tuple[tuple[str, str], ...] = ()
    prefix: tuple[str, ...] = ()
    query: tuple[tuple[str, str], ...] = ()

    def __post_init__(self) -> None:
        if not _HOST.fullmatch(self.host):
            _refuse(f"{self.host[:80]!r} is no host in lower case")
        if any(not segment or segment in {".", ".."} for segment in self.prefix):
            _refuse("the path in front of the key has an empty or dotted segment")
        if self.key == OWN_KEY:
            self._check_own()
        else:
            self._check_gs1()

    @property
    def is_own(self) -> bool:
        """Return whether this is the own form, without any GS1 key."""
        return self.key == OWN_KEY

    @property
    def prefixed(self) -> str | None:
        """Return what begins with a GS1 company prefix, None in the own form.

        GS1 General Specifications, 1.4.3: each of the known keys contains one.
        """
        if self.is_own:
            return None
        return self.value[1:] if self.key in _INDICATED else self.value

    @property
    def serial(self) -> str | None:
        """Return the serial, None where the link names a kind of thing only."""
        return dict(self.qualifiers).get("21")

    @property
    def is_of_one(self) -> bool:
        """Return whether the link names one thing, not a kind of things."""
        return any(name in SERIALS for name, _ in self.qualifiers)

    @property
    def kind(self) -> "DigitalLink":
        """Return the link of the kind of things that this one is of: its primary key alone."""
        return replace(self, qualifiers=(), query=())

    @property
    def path(self) -> str:
        """Return what follows the host, without the query."""
        return self.label.removeprefix(f"https://{self.host}")

    @property
    def label(self) -> str:
        """Return the canonical link without its query: what a statement names."""
        return str(replace(self, query=()) if self.query else self)

    def __str__(self) -> str:
        return f"https://{self.host}/" + "/".join(self._segments()) + self._query_text()

    @classmethod
    def of_part(cls, host: str, gtin: str, serial: str) -> Self:
        """Return the link of a part of a maker with a GS1 prefix.

        Raises:
            MalformedError: The host, GTIN or serial is malformed.
        """
        return cls(host=host, key="01", value=gs1.parse_gtin(gtin), qualifiers=(("21", serial),))

    @classmethod
    def of_own_part(cls, host: str, operator: str, serial: str) -> Self:
        """Return the link of a part of a maker without a GS1 prefix.

        Raises:
            MalformedError: The host, operator or serial is malformed.
        """
        return cls(host=host, key=OWN_KEY, value=operator, qualifiers=(("21", serial),))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Return the link that ``text`` writes, in any form that the syntax allows.

        Raises:
            MalformedLinkError: It is no link of a known key.
            MalformedGs1Error: A key or qualifier is malformed or has a wrong check digit.
        """
        if len(text) > LINK_MAX or not text.isascii() or not text.isprintable():
            _refuse(f"expected at most {LINK_MAX} printable ASCII characters")
        address, _, query = text.partition("?")
        scheme, _, rest = address.partition("://")
        host, _, path = rest.partition("/")
        if scheme.lower() != "https":
            _refuse("it does not begin with https://")
        segments = [_unescape(segment) for segment in path.removesuffix("/").split("/")]
        prefix, key, values = _split(segments)
        return cls(
            host=host.lower(),
            key=key,
            value=_normal(key, values[0]),
            qualifiers=_pairs(key, values[1:]),
            prefix=tuple(prefix),
            query=_parse_query(query),
        )

    @classmethod
    def parse_label(cls, text: str) -> Self:
        """Return the link that a label is; labels have one text only.

        Raises:
            MalformedLinkError: It is no link, not in its canonical form without a query, or other
                readers could find another key in it.
            MalformedGs1Error: A key or qualifier is malformed or has a wrong check digit.
        """
        link = cls.parse(text)
        if link.label != text:
            message = f"The label's canonical form is {link.label}."
            raise LinkNotCanonicalError(message, canonical=link.label)
        if any(_is_key(name, value) for name, value in pairwise(link.prefix)):
            _refuse("the path in front of the key names another key")
        if link.is_own and link.prefix:
            _refuse("a label of the own form has no path in front of it")
        return link

    def is_of_operator(self, operator: IdentityId) -> bool:
        """Return whether the operator of a log may give this label: in the own form it names him.

        A GS1 key is its company's, whoever logs.
        """
        return not self.is_own or self.value == operator_token(operator)

    def _segments(self) -> list[str]:
        below = [self.serial or ""] if self.is_own else _flat(self.qualifiers)
        return [_escape(segment) for segment in (*self.prefix, self.key, self.value, *below)]

    def _query_text(self) -> str:
        pairs = [f"{_escape(name)}={_escape(value)}" for name, value in self.query]
        return "?" + "&".join(pairs) if pairs else ""

    def _check_own(self) -> None:
        if not _OPERATOR.fullmatch(self.value):
            _refuse("the operator is not lower-case letters and digits")
        if [name for name, _ in self.qualifiers] != ["21"]:
            _refuse("the own form has one serial")
        _check_dots(gs1.parse_characters("serial", self.qualifiers[0][1]))

    def _check_gs1(self) -> None:
        known = _QUALIFIERS.get(self.key, {})
        if self.key not in _KEYS or _normal(self.key, self.value) != self.value:
            _refuse(f"{self.key[:20]!r} is no known key, or its value is not in full length")
        names = [name for name, _ in self.qualifiers]
        if names != [name for name in known if name in names]:
            _refuse("the qualifiers are unknown, repeated, or in another order")
        if _ALONE in names and len(names) > 1:
            _refuse(f"the qualifier {_ALONE} stands beside another one")
        for name, value in self.qualifiers:
            _check_dots(known[name](value))


def label_like(text: str) -> DigitalLink:
    """Return the link of a label's kind, under the same host and path: only its serial may differ.

    It refuses what ``parse_label`` refuses, and parses once what the labels of a job share.

    Raises:
        MalformedLinkError: As ``parse_label`` raises it.
        MalformedGs1Error: As ``parse_label`` raises it.
    """
    before, _, serial = text.rpartition("/")
    if len(text) <= LINK_MAX and _PLAIN_SERIAL.fullmatch(serial):
        sibling = _sibling(before)
        if sibling is not None:
            return sibling
    return DigitalLink.parse_label(text)


@lru_cache(maxsize=1024)
def _sibling(before: str) -> DigitalLink | None:
    """Return the label with this text and a short serial, where any plain serial may follow it."""
    with suppress(MalformedError):
        link = DigitalLink.parse_label(f"{before}/1")
        if link.qualifiers[-1:] == (("21", "1"),):
            return link
    return None


@lru_cache(maxsize=256)
def operator_token(operator: IdentityId) -> str:
    """Return the short text for an operator in links of the own form: 80 bits in base32."""
    return b32encode(operator[:10]).decode("ascii").lower()


def serial_in_lane(lane: LaneNumber, number: int) -> str:
    """Return a serial that contains its lane, so that sites cannot meet."""
    return f"{lane}-{number:05d}"


def _split(segments: Sequence[str]) -> tuple[Sequence[str], str, Sequence[str]]:
    """Return what stands in front of the key, the key, and what follows."""
    own = len(segments) - 3
    # No application identifier is as long as an operator: the two forms cannot be mixed up.
    if own >= 0 and segments[own] == OWN_KEY and _OPERATOR.fullmatch(segments[own + 1]):
        return segments[:own], OWN_KEY, segments[own + 1 :]
    # From the right, since the path in front of the key may look like one.
    for at in range(len(segments) - 2, -1, -2):
        if segments[at] in _KEYS:
            return segments[:at], segments[at], segments[at + 1 :]
    return _refuse("its path names no known key")


def _normal(key: str, value: str) -> str:
    return _KEYS[key](value) if key in _KEYS else value


def _is_key(key: str, value: str) -> bool:
    """Return whether a hasty reader, who checks no digit, could take the two for a key."""
    return key in _KEYS and value[:4].isdigit()


def _pairs(key: str, rest: Sequence[str]) -> tuple[tuple[str, str], ...]:
    if key == OWN_KEY:
        return tuple(("21", serial) for serial in rest)
    return tuple(zip(rest[::2], rest[1::2], strict=True))


def _flat(pairs: Sequence[tuple[str, str]]) -> list[str]:
    return [text for pair in pairs for text in pair]


def _parse_query(query: str) -> tuple[tuple[str, str], ...]:
    pairs = [pair.partition("=") for pair in query.split("&") if pair]
    return tuple((_unescape(name), _unescape(value)) for name, _, value in pairs)


def _check_dots(text: str) -> None:
    if text in {".", ".."}:
        _refuse("a serial of dots alone is lost in a path")


def _escape(text: str) -> str:
    if _PLAIN.fullmatch(text):
        return text
    data = text.encode("ascii")
    return "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in data)


def _unescape(text: str) -> str:
    return _ESCAPE.sub(_unescape_one, text)


def _unescape_one(found: re.Match[str]) -> str:
    if found[1] is None or int(found[1], 16) not in range(0x20, 0x7F):
        _refuse("an escape is incomplete or no printable ASCII character")
    return chr(int(found[1], 16))


def _refuse(reason: str) -> NoReturn:
    message = f"This is no Digital Link: {reason}."
    raise MalformedLinkError(message)
