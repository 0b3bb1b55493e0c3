"""Proof codes in the page beside Python: each is refused by both, or both say the same of it."""

import json
import random
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, TypeAlias

import pytest

from environments import ROOT, node
from fakes.proof_codes import WITNESSES, pinning, proof_code
from guildmark.domain import trust as trust_file
from guildmark.domain.chain.contracts import ContractName, ContractPin
from guildmark.domain.encoding import base45, cbor
from guildmark.domain.identifiers import ChainId, Index
from guildmark.domain.labels.proof import BEGIN, TEXT_MAX, ProofCode, ProofCodeMalformedError
from guildmark.domain.trust import Trust
from guildmark.domain.verification.proof_code import verify_proof_code

Said: TypeAlias = dict[str, Any] | str

VERIFIER = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier"
CODE = proof_code(records=5, count=8, witnesses=("w1", "w2"))
BYTES = CODE.encode()
FLIPS = 400
CHANGED = 400
_SCRIPT = """
import { createInterface } from "node:readline";
const [folder, given] = process.argv.slice(1);
const { Malformed } = await import(new URL("bytes.js", folder));
const { readProof } = await import(new URL("documents/proof.js", folder));
const { verifyProofCode } = await import(new URL("proof_code.js", folder));
const trusts = JSON.parse(given);
for await (const line of createInterface({ input: process.stdin })) {
  const { text, trust } = JSON.parse(line);
  let said = "refused";
  try {
    said = await verifyProofCode(readProof(text), trusts[trust]);
    said = { ...said, place: [String(said.place.log), String(said.place.index)] };
  } catch (error) {
    if (!(error instanceof Malformed)) throw error;
  }
  console.log(JSON.stringify(said));
}
"""


def _trusts() -> list[Trust | None]:
    """Return readers: none, one without witnesses, and ones whose witnesses signed or did not."""
    both = pinning("w1", "w2", "w3", quorum=2)
    chain, made = both.chain, CODE.signatures[0].time
    pins: dict[ContractName, ContractPin] = dict(chain.contracts)
    del pins[ContractName.LOG]
    late = tuple(replace(one, since=made + 1) for one in both.witnesses)
    return [
        None,
        pinning(),
        both,
        pinning("w1"),
        pinning("w3"),
        replace(both, witnesses=late),
        replace(both, chain=replace(chain, contracts=pins)),
        replace(both, chain=replace(chain, chain_id=ChainId(1))),
    ]


TRUSTS = _trusts()
BELIEVING = 2


def _texts() -> Iterator[str]:
    """Yield codes: sound ones of any size, ones that do not add up, and each changed somewhere."""
    dice = random.Random(3)
    text = CODE.text()
    for records, count in ((1, 1), (5, 8), (2, 3), (245, 4_096), (1_000_000, 1), (2**39, 2**19)):
        yield proof_code(
            records=records, count=count, witnesses=WITNESSES[: 1 + records % 3]
        ).text()
    yield from _odd()
    yield from ("", BEGIN, text.lower(), text[:-1], text + "0", text + "\n", f" {text}", text[4:])
    yield from (text.replace("GM1", "GM2"), BEGIN + "0" * TEXT_MAX, BEGIN + "\U0001f600" * 3)
    for _ in range(FLIPS):
        bit, data = dice.randrange(len(BYTES) * 8), bytearray(BYTES)
        data[bit // 8] ^= 1 << bit % 8
        yield BEGIN + base45.encode(bytes(data))
    for _ in range(FLIPS):
        at = dice.randrange(len(text))
        yield text[:at] + dice.choice(base45.ALPHABET) + text[at + dice.randrange(2) :]
    for _ in range(CHANGED):
        members = cbor.loads(BYTES)
        _change(members, dice)
        yield BEGIN + base45.encode(cbor.dumps(members))


def _odd() -> Iterator[str]:
    first, *rest = CODE.signatures
    for time in (0, 2**63 - 1, 2**63, 2**64 - 1):
        yield replace(CODE, signatures=(replace(first, time=time), *rest)).text()
    yield replace(CODE, signatures=(first, first)).text()
    yield replace(CODE, bare=replace(CODE.bare, time=2**40 - 1)).text()
    yield replace(CODE, bare=replace(CODE.bare, first_index=Index(2**64 - 1))).text()
    yield replace(CODE, bare=replace(CODE.bare, count=0, grants=())).text()
    for size in (0, CODE.bare.seq, 2**53 + 1, 2**64 - 1):
        yield replace(CODE, size=size).text()
    yield replace(CODE, position=2**64 - 1).text()


def _change(members: Any, dice: random.Random) -> None:
    """Change one member, at any depth, into another value."""
    place = dice.randrange(len(members))
    if isinstance(members[place], list) and members[place] and dice.random() < 0.8:
        _change(members[place], dice)
        return
    makers: list[Callable[[], Any]] = [
        lambda: dice.choice((0, 1, 5, 6, 33, 2**20, 2**20 + 1, 2**40 - 1, 2**40, 2**64 - 1)),
        lambda: dice.randbytes(dice.choice((0, 1, 4, 31, 32, 33, 64, 64 * 32))),
        lambda: bytes(32),
        list,
        lambda: [[1, 1, 1]] * dice.choice((1, 8, 9, 33)),
        lambda: [[[[0]]]],
    ]
    members[place] = dice.choice(makers)()


def _in_python(text: str, trust: Trust | None) -> Said:
    try:
        code = ProofCode.parse(text)
    except ProofCodeMalformedError:
        return "refused"
    report = verify_proof_code(code, trust)
    checks = [
        {"number": one.number, "state": one.state, "code": one.code, "reason": one.reason}
        for one in report.checks
    ]
    return {
        "verdict": report.verdict,
        "exit": report.exit,
        "headline": report.headline,
        "checks": checks,
        "notes": list(report.notes),
        "place": [str(number) for number in code.place],
    }


@pytest.fixture(scope="module")
def asked() -> list[tuple[str, int]]:
    """Return the codes, each with the number of the reader who judges it."""
    texts = list(_texts())
    sound = [(text, at) for text in texts[:30] for at in range(len(TRUSTS))]
    return sound + [(text, BELIEVING) for text in texts[30:]]


@pytest.fixture(scope="module")
def said(asked: list[tuple[str, int]]) -> list[Said]:
    """Return what the page says of each."""
    trusts = [None if one is None else json.loads(trust_file.serialise(one)) for one in TRUSTS]
    command = [str(node()), "--input-type=module", "-e", _SCRIPT]
    lines = "\n".join(json.dumps({"text": text, "trust": trust}) for text, trust in asked)
    done = subprocess.run(
        [*command, f"{VERIFIER.as_uri()}/", json.dumps(trusts)],
        input=lines,
        check=True,
        capture_output=True,
        text=True,
    )
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_both_say_the_same_of_every_code(asked: list[tuple[str, int]], said: list[Said]) -> None:
    other = [
        (text, trust, found)
        for (text, trust), found in zip(asked, said, strict=True)
        if found != _in_python(text, TRUSTS[trust])
    ]

    assert other == []


def test_the_page_is_green_of_none_and_refuses_some(said: list[Said]) -> None:
    exits = {"refused" if isinstance(one, str) else one["exit"] for one in said}

    assert exits == {"refused", 16, 19, 23}


def test_no_changed_code_holds(said: list[Said]) -> None:
    changed = said[-(2 * FLIPS + CHANGED) :]

    held = [one for one in changed if not isinstance(one, str) and one["exit"] == 23]
    whole = _in_python(CODE.text(), TRUSTS[BELIEVING])
    # Whatever holds is the very code: a letter was replaced by itself.
    assert all(one == whole for one in held)
    assert len(held) < FLIPS
