"""Proof codes: as long as promised, one form, and read back from pictures by another reader."""

import io
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import segno
import zxingcpp
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from fakes.notes import key
from fakes.proof_codes import WITNESSES, proof_code, signed
from fakes.simulator import Simulator
from guildmark.adapters.labels import pictures
from guildmark.domain.encoding import base45, cbor
from guildmark.domain.identifiers import Digest
from guildmark.domain.labels.proof import (
    BEGIN,
    PROOF_MAX,
    TEXT_MAX,
    ProofCode,
    ProofCodeMalformedError,
    ProofCodeTooLongError,
    ProofUnwitnessedError,
    signatures_of,
)
from guildmark.domain.log.merkle import ProofError
from guildmark.domain.log.note import Note

CODE = proof_code()
# As a log of a million entries may be cut into records.
CUTS = [(1, 1_000_000), (245, 4_096), (1_000, 1_000), (1_000_000, 1)]


def members() -> list[Any]:
    found = cbor.loads(base45.decode(CODE.text().removeprefix(BEGIN)))
    assert isinstance(found, list)
    return found


def written(value: Any) -> str:
    return BEGIN + base45.encode(cbor.dumps(value))


def test_a_code_is_read_as_it_was_written() -> None:
    assert ProofCode.parse(CODE.text()) == CODE


@pytest.mark.parametrize(("records", "count"), CUTS)
def test_a_proof_among_a_million_entries_fits(records: int, count: int) -> None:
    code = proof_code(records=records, count=count)

    # Nothing of the worst case is left out.
    code = replace(code, entry=replace(code.entry, dependencies=Digest(b"\x07" * 32)))
    assert len(code.encode()) <= PROOF_MAX
    assert code.fitted() == code
    assert ProofCode.parse(code.text()) == code


def test_as_many_signatures_as_fit_are_kept() -> None:
    small, large = (
        proof_code(records=records, count=count, witnesses=WITNESSES)
        for records, count in ((5, 8), (245, 4_096))
    )

    assert len(small.fitted().signatures) == 3
    assert large.fitted().signatures == large.signatures[:1]


def test_a_proof_that_is_too_long_is_refused() -> None:
    long = proof_code(records=2**39, count=2**19)

    with pytest.raises(ProofCodeTooLongError) as caught:
        long.fitted()
    assert caught.value.code == "label.proofTooLong"


def test_a_proof_that_nobody_signed_is_refused() -> None:
    with pytest.raises(ProofUnwitnessedError):
        replace(CODE, signatures=()).fitted()


def test_the_signatures_of_chosen_witnesses_are_taken() -> None:
    text = CODE.checkpoint(Simulator().pin).text()
    lines = [
        each.under(key(name))
        for name, each in zip(
            WITNESSES, signed(CODE, Simulator().pin, *WITNESSES).signatures, strict=True
        )
    ]
    note = Note(text=text, signatures=tuple(lines))

    taken = signatures_of(note, [key("w3"), key("w1"), key("w4")])

    assert [each.under(key("x")).value for each in taken] == [lines[2].value, lines[0].value]


CHANGES: list[tuple[str, Callable[[list[Any]], Any]]] = [
    ("version", lambda all_: all_.__setitem__(0, 2)),
    ("member less", lambda all_: all_.pop()),
    ("member more", lambda all_: all_.append(0)),
    ("no number", lambda all_: all_.__setitem__(1, b"")),
    ("log beyond", lambda all_: all_.__setitem__(1, 2**40)),
    ("parent short", lambda all_: all_.__setitem__(6, b"\1")),
    ("parent no bytes", lambda all_: all_.__setitem__(6, 1)),
    ("grants no array", lambda all_: all_.__setitem__(7, b"")),
    ("grant short", lambda all_: all_.__setitem__(7, [[1, 1]])),
    ("grants beyond", lambda all_: all_.__setitem__(7, [[1, 99, 1]])),
    ("kind", lambda all_: all_.__setitem__(9, 99)),
    ("zero written out", lambda all_: all_.__setitem__(15, bytes(32))),
    ("path cut", lambda all_: all_.__setitem__(18, all_[18][:-1])),
    ("path long", lambda all_: all_.__setitem__(18, bytes(64 * 32))),
    ("unsigned", lambda all_: all_.__setitem__(21, [])),
    ("signature short", lambda all_: all_[21][0].__setitem__(2, bytes(63))),
    ("key short", lambda all_: all_[21][0].__setitem__(0, bytes(3))),
]


@pytest.mark.parametrize(("name", "change"), CHANGES, ids=[name for name, _ in CHANGES])
def test_what_is_no_proof_is_refused(name: str, change: Callable[[list[Any]], Any]) -> None:
    found = members()
    change(found)

    with pytest.raises(ProofCodeMalformedError):
        ProofCode.parse(written(found))


@pytest.mark.parametrize(
    "text",
    [
        "",
        BEGIN,
        CODE.text().removeprefix(BEGIN),
        CODE.text().lower(),
        CODE.text() + "0",
        CODE.text()[:-1],
        written(7),
        BEGIN + "0" * TEXT_MAX,
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(ProofCodeMalformedError):
        ProofCode.parse(text)


@given(st.integers(0, len(CODE.encode()) * 8 - 1))
def test_a_flipped_bit_is_refused_or_another_proof(bit: int) -> None:
    data = bytearray(CODE.encode())
    data[bit // 8] ^= 1 << bit % 8

    try:
        found = ProofCode.parse(BEGIN + base45.encode(bytes(data)))
    except ProofCodeMalformedError:
        return
    assert found != CODE
    assert found.encode() == data


def test_a_path_that_does_not_fit_its_place_proves_nothing() -> None:
    for wrong in (
        replace(CODE, path=CODE.path[:-1]),
        replace(CODE, record_path=(*CODE.record_path, CODE.path[0])),
        replace(CODE, position=CODE.bare.count),
        replace(CODE, size=CODE.bare.seq),
    ):
        with pytest.raises(ProofError):
            wrong.checkpoint(Simulator().pin)


def seen(text: str, *, pixels: int, turned: float, hidden: float) -> Image.Image:
    whole = Image.open(io.BytesIO(pictures.png(text))).convert("L")
    side = int(whole.width * hidden)
    begin = (whole.width - side) // 2
    whole.paste(128, (begin, begin, begin + side, begin + side))
    small = whole.resize((pixels, pixels), Image.Resampling.BILINEAR)
    return small.rotate(turned, Image.Resampling.BILINEAR, expand=True, fillcolor=255)


@pytest.mark.parametrize(
    ("pixels", "turned", "hidden"),
    [
        (400, 0, 0),
        (700, 0, 0),
        (1_400, 0, 0),
        (900, 12, 0),
        (900, 90, 0),
        (900, 183, 0),
        (1_000, 0, 0.12),
    ],
)
def test_a_code_of_the_greatest_size_is_read_back(pixels: int, turned: int, hidden: float) -> None:
    text = proof_code(records=1_000, count=1_000).text()

    (found,) = zxingcpp.read_barcodes(seen(text, pixels=pixels, turned=turned, hidden=hidden))

    assert found.text == text
    assert segno.make(text, error="m").designator == "26-M"


def test_a_code_with_a_large_blot_is_read_by_nobody() -> None:
    assert not zxingcpp.read_barcodes(seen(CODE.text(), pixels=900, turned=0, hidden=0.6))
