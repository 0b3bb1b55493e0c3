"""Signed notes: one spelling, signatures of known keys count, each once; others are passed over."""

import base64
from dataclasses import replace

import pytest

from fakes.notes import TEXT, cosignature, key, signature
from guildmark.domain.log.note import (
    NOTE_MAX,
    SIGNATURES_MAX,
    Note,
    NoteKey,
    NoteKind,
    NoteMalformedError,
    NoteSignature,
    NoteSignatureError,
    read_signatures,
)


def note(*signatures: NoteSignature) -> Note:
    return Note(text=TEXT, signatures=signatures)


def test_a_note_is_read_as_it_was_written() -> None:
    made = note(signature("a"), cosignature("w"))

    assert Note.parse(made.encode()) == made
    assert made.encode().startswith(TEXT.encode() + b"\n\xe2\x80\x94 a ")


def test_the_example_of_the_specification_verifies() -> None:
    # c2sp.org/tlog-cosignature, "Format": the note, whose keys the specification does not print.
    data = (
        "example.com/behind-the-sofa\n20852163\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n\n"
        "\u2014 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u"
        "5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
        "\u2014 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dl"
        "rDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
    ).encode()

    read = Note.parse(data)

    assert read.encode() == data
    assert [len(one.value) for one in read.signatures] == [64, 72]
    assert read.signatures[1].time == 1679315147


@pytest.mark.parametrize("kind", list(NoteKind))
def test_a_key_is_read_from_its_one_word(kind: NoteKind) -> None:
    own = key("example.org/w", kind)

    assert NoteKey.parse(own.encode()) == own
    assert own.encode().startswith(f"example.org/w+{own.id.hex()}+")
    assert key("a").of_kind(NoteKind.COSIGNATURE) == key("a", NoteKind.COSIGNATURE)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "name",
        "na me+00000000+AQ==",
        "name+00000000+AQ==",
        f"name+00000000+{base64.b64encode(bytes((9,)) + bytes(32)).decode()}",
        f"name+00000000+{base64.b64encode(bytes((1,)) + bytes(32)).decode()}",
        f"a+00000000+{key('a').encode().rpartition('+')[2]}",
        key("a").encode().upper(),
        key("a").encode() + "=",
    ],
)
def test_what_is_no_key_is_refused(text: str) -> None:
    with pytest.raises(NoteMalformedError) as caught:
        NoteKey.parse(text)

    assert caught.value.code == "note.malformed"


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\u2003b", "x" * 257])
def test_names_with_spaces_or_plus_name_no_key(name: str) -> None:
    with pytest.raises(NoteMalformedError):
        replace(key("a"), name=name)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff",
        b"text\n",
        b"text\n\n",
        b"text\n\nno signature\n",
        b"\n\n\xe2\x80\x94 a AAAAAAA=",
        b"text\n\n\xe2\x80\x94 a AAAAAA==\n",
        b"text\n\n\xe2\x80\x94 a AAAAAAB=\n",
        b"text\n\n\xe2\x80\x94 a AAAAAA\n",
        b"te\txt\n\n\xe2\x80\x94 a AAAAAAA=\n",
        b"x" * NOTE_MAX + b"\n\n\xe2\x80\x94 a AAAAAAA=\n",
        b"text\n\n" + b"\xe2\x80\x94 a AAAAAAA=\n" * (SIGNATURES_MAX + 1),
    ],
)
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(NoteMalformedError):
        Note.parse(data)


def test_as_many_signatures_as_may_be_are_read() -> None:
    assert len(read_signatures("\u2014 a AAAAAAA=\n" * SIGNATURES_MAX)) == SIGNATURES_MAX


def test_lines_of_signatures_end_with_their_line() -> None:
    with pytest.raises(NoteMalformedError):
        read_signatures("\u2014 a AAAAAAA=\n\u2014 b")


def test_a_text_that_ends_in_the_middle_of_a_line_is_no_notes() -> None:
    with pytest.raises(NoteMalformedError):
        Note(text="text", signatures=())


def test_keys_that_signed_are_told_once_and_strangers_passed_over() -> None:
    twice = note(signature("a"), signature("a"), signature("b"), cosignature("w"))
    keys = [key("a"), key("a"), key("w", NoteKind.COSIGNATURE), key("absent")]

    assert twice.signers(keys) == (key("a"), key("w", NoteKind.COSIGNATURE))


def test_a_line_of_another_id_is_another_keys() -> None:
    assert note(signature("a")).signers([key("a", NoteKind.COSIGNATURE)]) == ()


@pytest.mark.parametrize(
    "wrong",
    [
        signature("a", "another text\n"),
        replace(signature("a"), value=signature("a").value[:-1]),
        replace(signature("b"), name="a", key=key("a").id),
    ],
)
def test_a_wrong_signature_of_a_known_key_spoils_the_note(wrong: NoteSignature) -> None:
    with pytest.raises(NoteSignatureError) as caught:
        note(signature("b"), wrong).signers([key("a"), key("b")])

    assert caught.value.code == "note.signatureWrong"


@pytest.mark.parametrize("time", [0, 1_700_000_000, 2**63 - 1])
def test_a_cosignature_holds_at_its_own_time(time: int) -> None:
    own = key("w", NoteKind.COSIGNATURE)
    made = cosignature("w", time)

    assert (made.time, note(made).signers([own])) == (time, (own,))


@pytest.mark.parametrize("made", [cosignature("w", 2**63), cosignature("w", 5)])
def test_a_cosignature_of_another_time_does_not_hold(made: NoteSignature) -> None:
    moved = made if made.time > 5 else replace(made, value=bytes(7) + b"\x06" + made.value[8:])

    with pytest.raises(NoteSignatureError):
        note(moved).signers([key("w", NoteKind.COSIGNATURE)])


def test_a_key_that_signs_again_replaces_its_line() -> None:
    first, second = cosignature("w", 1), cosignature("w", 2)

    assert note(signature("a"), first).signed(second) == note(signature("a"), second)
