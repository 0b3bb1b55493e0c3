"""The page's readers beside Python's: each document is taken by both or refused by both."""

import json
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest

from environments import ROOT, node
from fakes.inspecting import Inspecting
from fakes.simulator import ISSUER, MAKER, SITE, Simulator, accreditation, measured
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.inspection import Inspection
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.builds.values import (
    MalformedValuesError,
    MeasurementsDisclosure,
    SettingsDisclosure,
)
from guildmark.domain.encoding import codec, strictjson
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import Digest, to_hex
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.labels.digital_link import DigitalLink, operator_token
from guildmark.domain.verification.evidence import AccreditationDisclosure

VERIFIER = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier"
READER = ROOT / "tests" / "integration" / "javascript" / "read.mjs"
SMALL = strictjson.Limits(size=200, depth=3, values=20)
SIMULATOR = Simulator(
    statement={
        "measurements": (
            measured("bore", "1.5", uncertainty="0.1", coverage_factor="2", measured_on=1),
        ),
        "firmware": "2.1",
    }
)
ENVELOPE = Envelope.parse(SIMULATOR.make_envelope())
INSPECTION = replace(
    Inspecting(SIMULATOR).inspection(),
    measurements=(measured("bore", "1.5"), measured("length", "2", raw_data=Digest(bytes(32)))),
).encode()
GIVEN = accreditation(
    ISSUER,
    MAKER,
    ScopeDocument(
        standard="ISO 13485",
        processes=("fdm", "sls"),
        materials=("PA12",),
        sites=(SITE,),
        certificate="DE-0815",
        delegations=1,
    ),
)
SCRAP = Simulator(statement={"scrap": "cracked"}).make_statement().encode()
SALTED = Simulator(shown=()).make_statement().encode()
SALTED_SCRAP = Simulator(shown=(), statement={"scrap": "cracked"}).make_statement().encode()

VALUES: Sequence[Any] = (
    *(None, True, 0, 1, -1, 2**40 - 1, 2**40, 2**53 - 1, [], {}, "", "x", "1", "1.50", "-0"),
    *("0x", "0x" + "00" * 32, "0x" + "AA" * 32, "00" * 32, "mm", "build", "/a/b", "/a", "é" * 201),
    *("x" * 200, "x" * 201, "x" * 400, "x" * 401, "x" * 4096, "x" * 4097, "\U0001f600" * 200),
)
"""What stands in the place of each member: both sides of each bound, and other kinds."""

JSON_TEXTS = (
    *(
        b"1",
        b" \t\r\n[ 1 , 2 ] ",
        b"[]",
        b"{}",
        b'{"a":1,"b":2}',
        b'"\\ud83d\\ude00"',
        b"null",
        b"",
    ),
    *(
        b"01",
        b"-0",
        b"-1",
        b"1.0",
        b"1e3",
        b"1E400",
        b"NaN",
        b"Infinity",
        b"+1",
        b".5",
        b"1.",
        b"--1",
    ),
    *(b"9007199254740991", b"9007199254740992", b"-9007199254740992", b"1" * 40, b"tr", b"truex"),
    *(
        b'{"a":1,"a":2}',
        b'{"a":1,"\\u0061":2}',
        b'{"__proto__":1}',
        b'{"__proto__":1,"__proto__":2}',
    ),
    *(b'"\\ud800"', b'"\\udc00\\ud800"', b'"\x01"', b'"\\x"', b'"\\u12"', b'"a', b"\xef\xbb\xbf1"),
    *(
        b'"\xff"',
        b'"\xed\xa0\x80"',
        b"[1,]",
        b"[,1]",
        b"{,}",
        b'{"a"}',
        b'{"a":}',
        b"{1:2}",
        b"[1 2]",
    ),
    *(
        b"[[[1]]]",
        b"[[[[1]]]]",
        b'[[["[[[["]]]',
        b"[" + b"1," * 17 + b"1]",
        b"[" + b"1," * 19 + b"1]",
    ),
    *(
        b"[" + b"1," * 18 + b"1]",
        b'"' + b"x" * 198 + b'"',
        b'"' + b"x" * 199 + b'"',
        b"1 1",
        b"]",
        b"\xa01",
    ),
    *(
        b'{"a":1,}',
        b"[1",
        b"\x0c1",
        b"'a'",
        b"// x\n1",
        b'"\\/\\b\\f\\n\\r\\t\\"\\\\"',
        b"[]]",
        b"{]",
    ),
)

OWN = f"https://id.example.org/id/{operator_token(MAKER)}"
GTIN = "https://id.example.org/01/04012345678901"
LABELS = (
    *(f"{OWN}/1-00001", f"{OWN}/1/2", OWN, f"{OWN}/", f"{OWN}/..", f"{OWN}/%41", f"{OWN}/a%2Fb"),
    *(f"{OWN}/a%2fb", f"{OWN}/a b", f"{OWN}/" + "x" * 20, f"{OWN}/" + "x" * 21, f"{OWN}/1?a=b"),
    *(f"{GTIN}/21/17", GTIN, f"{GTIN}/", f"{GTIN}/10/A/21/17", f"{GTIN}/21/17/10/A", f"{GTIN}/21"),
    *(f"{GTIN}/22/V/10/A/21/17", f"{GTIN}/235/x", f"{GTIN}/235/x/21/1", f"{GTIN}/21/1/21/1"),
    *(f"{GTIN}/235/" + "x" * 28, f"{GTIN}/235/" + "x" * 29, f"{GTIN}/21/.", f"{GTIN}/21/~"),
    *("https://x.example/01/4012345678901/21/1", "https://x.example/01/04012345678902/21/1"),
    *("https://x.example/p/01/04012345678901/21/1", "https://x.example/a/b/01/04012345678901/21/1"),
    *("https://x.example/01/12/01/04012345678901", "https://x.example/01/1234x/01/04012345678901"),
    *("https://x.example/01/x/01/04012345678901", "https://x.example//01/04012345678901/21/1"),
    *("https://x.example/../01/04012345678901", "HTTPS://x.example/01/04012345678901/21/1"),
    *("https://X.example/01/04012345678901/21/1", "https://x.example:8443/01/04012345678901/21/1"),
    *("https://x.example:0/01/04012345678901", "https://-x.example/01/04012345678901", "https://"),
    *(
        "https://" + "x" * 64 + ".example/01/04012345678901",
        "https:///01/04012345678901",
        "",
        "   ",
    ),
    *(
        "http://x.example/01/04012345678901",
        "urn:epc:id:sgtin:4012345.067890.17",
        "https://x.example",
    ),
    *("https://x.example/%30%31/04012345678901/21/17", "https://x.example/414/4012345000009"),
    *("https://x.example/414/4012345000009/254/a", "https://x.example/417/4012345000009/254/a"),
    *("https://x.example/00/340123450000000000", "https://x.example/00/340123450000000001"),
    *("https://x.example/8004/4012345x", "https://x.example/8004/401", "https://x.example/253/1"),
    *("https://x.example/8003/004012345678901", "https://x.example/8003/04012345678901"),
    *("https://x.example/8003/04012345678901A", "https://x.example/253/4012345678901A"),
    *("https://x.example/8010/4012345%23A/8011/7", "https://x.example/8010/4012345A/8011/07"),
    *("https://x.example/8010/4012345a/8011/7", f"{GTIN}/21/1#x", f"{GTIN}/21/é", "https://x/01/"),
    *(
        "https://x.example/id/abcde/1",
        "https://x.example/id/abcdef/1",
        "https://x.example/id/ABCDEF/1",
    ),
    *("https://x.example/p/id/abcdef/1", f"https://x.example/01/{'0' * 14}/21/" + "x" * 20),
)


def changed(value: Any) -> Iterator[Any]:
    """Yield a document with each of its members left out, doubled or replaced, one at a time."""
    if isinstance(value, dict):
        yield {**value, "other": 1}
        for name, member in value.items():
            yield {other: each for other, each in value.items() if other != name}
            yield from ({**value, name: found} for found in (*VALUES, *changed(member)))
    elif isinstance(value, list):
        yield [*value, *value[:1]]
        yield [*value, 1]
        for at, member in enumerate(value):
            yield from ([*value[:at], found, *value[at + 1 :]] for found in changed(member))


SCOPES: Sequence[Mapping[str, Any]] = (
    *({"standard": text} for text in ("ISO 9001", "a" * 128, "a" * 129, " a", "a  b", "a\u200b")),
    *(
        {"standard": text}
        for text in ("e\u0301", "\u00e9", "\U0001f600" * 128, "\u00a0", "a\n", "")
    ),
    *({"processes": list(texts)} for texts in (["a", "b"], ["b", "a"], ["a", "a"], [""], [])),
    *({"materials": list(texts)} for texts in (["\ue000", "\U0001f600"], ["\U0001f600", "\ue000"])),
    *({"materials": [f"{number:03d}" for number in range(most)]} for most in (64, 65)),
    *(
        {"sites": [f"0x{one}" for one in ones]}
        for ones in (["aa" * 32, "ab" * 32], ["ab" * 32] * 2)
    ),
    *({"certificate": text} for text in ("DE-0815", "", "a ")),
    *({"delegations": number} for number in (-1, 0, 1, 3, 4)),
    {"salt": "0x" + "00" * 32},
)
"""What a scope may say and may not, on each side of each bound."""


def accreditations() -> Iterator[bytes]:
    whole = json.loads(GIVEN.encode())
    yield from (canonical(one) for one in changed(whole))
    for said in SCOPES:
        yield canonical({**whole, "scope": {"standard": "ISO 9001", **said}})


def is_accreditation(data: bytes) -> None:
    # A bundle's file has one form: what is usual is left out.
    if AccreditationDisclosure.parse(data).encode() != data:
        raise MalformedError("another form")


def documents() -> Iterator[tuple[str, bytes]]:
    for payload in (ENVELOPE.payload, SCRAP, SALTED, SALTED_SCRAP):
        yield "statement", payload
        yield from (("statement", canonical(one)) for one in changed(json.loads(payload)))
    yield "statement", json.dumps(json.loads(ENVELOPE.payload), indent=1).encode()
    envelope = SIMULATOR.make_envelope()
    yield "inspection", INSPECTION
    yield from (("inspection", canonical(one)) for one in changed(json.loads(INSPECTION)))
    yield from (("inspection", one) for one in (ENVELOPE.payload, INSPECTION[:-1] + b",}"))
    for number in (b'"7"', b'"07"', b'"1099511627775"', b'"1099511627776"', b"1099511627776"):
        yield "inspection", INSPECTION.replace(b'"log":6', b'"log":' + number)
    shown = Simulator(shown=("/process", "/tolerance")).make_disclosures()
    for kind, values in (("settings", shown.settings), ("measurements", shown.measurements)):
        yield kind, canonical(codec.dump(values))
        yield from ((kind, canonical(one)) for one in changed(codec.dump(values)))
    yield "envelope", envelope
    yield "envelope", json.dumps(json.loads(envelope), indent=1).encode()
    yield from (("envelope", canonical(one)) for one in changed(json.loads(envelope)))
    yield from (("json", text) for text in JSON_TEXTS)
    yield from (("label", text.encode()) for text in LABELS)
    yield from (("accreditation", data) for data in accreditations())


PYTHON: Mapping[str, Callable[[bytes], object]] = {
    "accreditation": is_accreditation,
    "json": lambda data: strictjson.parse(data, SMALL),
    "label": lambda data: DigitalLink.parse_label(data.decode()),
    "envelope": Envelope.parse,
    "inspection": Inspection.parse,
    "settings": lambda data: read_shown(SettingsDisclosure, data),
    "measurements": lambda data: read_shown(MeasurementsDisclosure, data),
    "statement": BuildStatement.parse,
}


def read_shown(kind: type, data: bytes) -> None:
    """Read values as a bundle's reader does, which writes again what it read."""
    found: Any = codec.load(kind, strictjson.parse(data))
    if canonical(codec.dump(found)) != data:
        raise MalformedValuesError(str(kind))


def in_python(kind: str, data: bytes) -> str:
    try:
        PYTHON[kind](data)
    except GuildmarkError:
        return "refused"
    return "taken"


@pytest.fixture(scope="module")
def said() -> Sequence[tuple[str, bytes, str]]:
    """Return each document with what the page's reader says of it."""
    given = list(documents())
    lines = [json.dumps({"kind": kind, "data": to_hex(data)}) for kind, data in given]
    command = [str(node()), str(READER), str(VERIFIER)]
    done = subprocess.run(
        command, input="\n".join(lines), check=True, capture_output=True, text=True
    )
    found = done.stdout.split()
    return [(kind, data, word) for (kind, data), word in zip(given, found, strict=True)]


@pytest.mark.parametrize("kind", sorted(PYTHON))
def test_the_page_reads_what_python_reads_and_nothing_else(
    said: Sequence[tuple[str, bytes, str]], kind: str
) -> None:
    mine = [(data, word) for name, data, word in said if name == kind]

    assert {word for _, word in mine} == {"taken", "refused"}
    assert [data for data, word in mine if word != in_python(kind, data)] == []
