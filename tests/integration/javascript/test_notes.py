"""Witnesses' notes in the page beside Python's: each counts for both alike, or is refused alike."""

import base64
import json
import random
import subprocess
from collections.abc import Iterator
from dataclasses import replace

import pytest

from environments import ROOT, node
from fakes.notes import cosignature, key, signature
from guildmark.domain.identifiers import ChainId, Digest, to_hex
from guildmark.domain.log.note import Note, NoteKey, NoteKind, NoteMalformedError, NoteSignature
from guildmark.domain.log.witness import WRONG_NOTES, BlockNote, BlockNoteError, agreeing

VERIFIER = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier"
BLOCK = BlockNote(chain_id=ChainId(31337), number=7, hash=Digest(b"\x07" * 32), time=1_700_000_000)
KEYS = (key("w1"), key("w2"), key("w\u00e9 2".replace(" ", "-")), key("w3"))
_SCRIPT = """
import { createInterface } from "node:readline";
const [folder, given] = process.argv.slice(1);
const { fromHex } = await import(new URL("bytes.js", folder));
const { witnessed } = await import(new URL("checks/witnessed.js", folder));
const { parseNoteKey } = await import(new URL("documents/note.js", folder));
const { header, trust } = JSON.parse(given);
const [number, time] = [BigInt(header.number), BigInt(header.time)];
const block = { number, time, hash: fromHex(header.hash) };
for await (const line of createInterface({ input: process.stdin })) {
  const { note, key } = JSON.parse(line);
  let said = null;
  if (key === undefined) {
    for await (const one of witnessed({ note: fromHex(note) }, trust, block)) said = one;
    console.log(JSON.stringify(said === null ? ["ok", ""] : [said.code, said.reason]));
  } else {
    await parseNoteKey(key).then(() => console.log('["taken", ""]'),
      () => console.log('["refused", ""]'));
  }
}
"""


def note(*signatures: NoteSignature, text: str = BLOCK.text()) -> bytes:
    return Note(text=text, signatures=signatures).encode()


def signed(*names: str, text: str = BLOCK.text()) -> bytes:
    return note(*(signature(name, text) for name in names), text=text)


def notes() -> Iterator[bytes]:
    """Yield notes: sound ones, ones about something else, and each changed in one place."""
    both, dice = signed("w1", "w2"), random.Random(1)
    yield from (both, signed("w1"), signed("other"), signed("w1", "w1"), signed("w1", "w2", "x"))
    yield from (signed("w1", "w2", text=other.text()) for other in _others())
    yield from (signed("x", text="anything\n"), signed("w1", text="a\n\nb\n"), signed("w\u00e9-2"))
    yield note(cosignature("w1", text=BLOCK.text()), signature("w2", BLOCK.text()))
    yield note(signature("w1", BLOCK.text()), replace(signature("w2", BLOCK.text()), name="w1"))
    yield note(*[replace(signature("x", BLOCK.text()), name=f"x{at}") for at in range(64)])
    yield note(*[replace(signature("x", BLOCK.text()), name=f"x{at}") for at in range(65)])
    yield from (b"", b"\n", b"\n\n", b"\n\n\n", both[:-1], both + b"\n", both + b"x\n", both[1:])
    for name in ("\ufeffw", "w\x85", "w\u2003", "w\x1c", "w\u180e", "w\u200b", "w+"):
        yield both.replace("\u2014 w2 ".encode(), f"\u2014 {name} ".encode())
    for at in range(len(both)):
        yield both[:at] + both[at + 1 :]
        yield both[:at] + bytes([both[at] ^ 1 << dice.randrange(8)]) + both[at + 1 :]
        yield both[:at] + bytes([dice.choice(b"\x00\x09\n =+A\xff")]) + both[at:]


def _others() -> Iterator[BlockNote]:
    yield replace(BLOCK, chain_id=ChainId(1))
    yield replace(BLOCK, number=8)
    yield replace(BLOCK, hash=Digest(b"\x08" * 32))
    yield replace(BLOCK, time=1)


def keys() -> Iterator[str]:
    """Yield witnesses' keys as words, and each changed in one place."""
    good, dice = key("w1").encode(), random.Random(2)
    yield from (good, key("w1", NoteKind.COSIGNATURE).encode(), "", "+", "a+b+c", good + " ")
    yield NoteKey(name="x" * 256, public=key("w1").public).encode()
    yield from ("x" + NoteKey(name="x" * 256, public=key("w1").public).encode(), "\ufeff" + good)
    small = "+" + base64.b64encode(b"\x01" + bytes(32)).decode()
    yield from (f"a+00000000{small}", good.replace("w1+", "w\u20031+"), good.upper())
    for at in range(len(good)):
        yield good[:at] + good[at + 1 :]
        yield good[:at] + dice.choice("AZaz09+/= \u2014\U0001f600") + good[at + 1 :]


def in_python(data: bytes) -> list[str]:
    try:
        found = agreeing(data, BLOCK, KEYS)
    except WRONG_NOTES as error:
        return ["verify.noteInvalid", error.message]
    except BlockNoteError as error:
        return ["verify.noteMismatch", error.message]
    named = f"block {BLOCK.number} ({to_hex(BLOCK.hash)})"
    few = f"{found} of your witnesses signed {named}, you ask for 2."
    return ["ok", ""] if found >= 2 else ["verify.witnessesTooFew", few]


def key_in_python(text: str) -> str:
    try:
        NoteKey.parse(text)
    except NoteMalformedError:
        return "refused"
    return "taken"


@pytest.fixture(scope="module")
def said() -> list[list[str]]:
    """Return what the page says of each note, then of each key."""
    header = {"number": BLOCK.number, "time": BLOCK.time, "hash": to_hex(BLOCK.hash)}
    witnesses = [{"key": one.encode()} for one in KEYS]
    trust = {"chain": {"chainId": BLOCK.chain_id}, "witnesses": witnesses, "quorum": 2}
    lines = [json.dumps({"note": to_hex(one)}) for one in notes()]
    lines += [json.dumps({"key": one}) for one in keys()]
    given = json.dumps({"header": header, "trust": trust})
    command = [str(node()), "--input-type=module", "-e", _SCRIPT, f"{VERIFIER.as_uri()}/", given]
    asked = "\n".join(lines)
    done = subprocess.run(command, input=asked, check=True, capture_output=True, text=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_both_verifiers_count_the_same_witnesses(said: list[list[str]]) -> None:
    given = list(notes())
    pairs = list(zip(given, said[: len(given)], strict=True))

    assert {word for _, (word, _) in pairs} >= {"ok", "verify.noteInvalid", "verify.noteMismatch"}
    assert [(data, word) for data, word in pairs if word != in_python(data)] == []


def test_both_verifiers_take_the_same_keys(said: list[list[str]]) -> None:
    given = list(keys())
    pairs = list(zip(given, said[-len(given) :], strict=True))

    assert {word for _, (word, _) in pairs} == {"taken", "refused"}
    assert [(text, word) for text, (word, _) in pairs if word != key_in_python(text)] == []
