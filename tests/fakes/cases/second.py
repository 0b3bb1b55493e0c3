"""Cases for check (13): what a copied label lacks."""

from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from fakes.cases.draft import Draft, breaks
from fakes.notes import secret
from fakes.simulator import LABEL
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Bytes32, Digest
from guildmark.domain.labels.activation import (
    ActivationCode,
    ChipAnswer,
    Claimed,
    ClaimFile,
    FirstClaim,
    byproducts,
    chip_digest,
    chip_message,
)
from guildmark.domain.log.checkpoint import origin_of
from guildmark.domain.log.note import Note, NoteKey, sign
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.domain.verification.case import Question

CODE = ActivationCode.drawn(bytes(range(12)))
TOKEN = Bytes32(sha256(b"claimant"))
CLAIMED = 2_150


def public(key: Ed25519PrivateKey) -> PublicKey:
    data = key.public_key().public_bytes_raw()
    return PublicKey(algorithm=Algorithm.ED25519, data=data)


def commit(draft: Draft, *, code: bool = False, chip: bool = False) -> None:
    """Let the statement name a code, a chip, or both."""
    draft.simulator.statement["byproducts"] = byproducts(
        code=CODE.digest(LABEL) if code else None,
        chip=chip_digest(public(secret("chip"))) if chip else None,
    )


def claim(draft: Draft, *, code: ActivationCode = CODE, **changes: object) -> Claimed:
    """Return what the first claimant holds, signed by the node's key, with some changes."""
    core = draft.simulator.evidence().core
    first = FirstClaim(
        origin=origin_of(draft.simulator.pin, core.record.log),
        log=core.record.log,
        index=core.index,
        commitment=CODE.digest(LABEL),
        claimant=sha256(TOKEN),
        time=CLAIMED,
    )
    text = replace(first, **changes).text()  # type: ignore[arg-type]  # any member
    key = NoteKey(name=first.origin, public=secret("node").public_key().public_bytes_raw())
    note = Note(text=text, signatures=(sign(text, key, secret("node").sign),))
    return Claimed(file=ClaimFile(code=code, token=TOKEN, receipt=note), key=key)


def answer(name: str = "chip", challenge: bytes = b"asked") -> ChipAnswer:
    """Return what a chip says to the reader's challenge, or to another one."""
    asked, key = Bytes32(sha256(b"asked")), secret(name)
    signed = chip_message(Bytes32(sha256(challenge)), LABEL)
    return ChipAnswer(challenge=asked, key=public(key), signature=key.sign(signed))


def hold(draft: Draft, held: Claimed | ChipAnswer) -> None:
    draft.question = Question(second=held)


@breaks(13, "secondFactorNone", 0, decides=False)
def part_without_a_second_factor(draft: Draft) -> None:
    commit(draft)


@breaks(13, "secondFactorNotShown", 0, decides=False)
def code_that_is_not_shown(draft: Draft) -> None:
    commit(draft, code=True)


@breaks(13, "secondFactorNotShown", 0, decides=False)
def chip_that_is_not_shown(draft: Draft) -> None:
    commit(draft, chip=True)


@breaks(13, "secondFactorUnnamed", 22, decides=False)
def claim_of_a_part_without_a_code(draft: Draft) -> None:
    commit(draft, chip=True)
    hold(draft, claim(draft))


@breaks(13, "secondFactorUnnamed", 22, decides=False)
def chip_of_a_part_without_a_chip(draft: Draft) -> None:
    commit(draft, code=True)
    hold(draft, answer())


@breaks(13, "codeWrong", 22, decides=False)
def code_of_another_part(draft: Draft) -> None:
    commit(draft, code=True)
    hold(draft, claim(draft, code=ActivationCode(CODE.number + 1)))


@breaks(13, "codeWrong", 22, decides=False)
def code_of_a_statement_that_names_two(draft: Draft) -> None:
    commit(draft, code=True)
    twice = byproducts(code=CODE.digest(LABEL), chip=None)
    draft.simulator.statement["byproducts"] = (
        *twice,
        replace(twice[0], digest=Digest(sha256(b"second"))),
    )
    hold(draft, claim(draft))


@breaks(13, "claimMismatch", 22, decides=False)
def claim_of_another_claimant(draft: Draft) -> None:
    commit(draft, code=True)
    hold(draft, claim(draft, claimant=sha256(b"somebody else")))


@breaks(13, "claimMismatch", 22, decides=False)
def claim_of_another_part(draft: Draft) -> None:
    commit(draft, code=True)
    hold(draft, claim(draft, index=0))


@breaks(13, "claimMismatch", 22, decides=False)
def claim_at_another_chain(draft: Draft) -> None:
    commit(draft, code=True)
    hold(draft, claim(draft, origin="example.org/log/1"))


@breaks(13, "claimMismatch", 22, decides=False)
def note_that_is_no_claim(draft: Draft) -> None:
    commit(draft, code=True)
    held = claim(draft)
    note = replace(held.file.receipt, text="hello\n")
    hold(draft, replace(held, file=replace(held.file, receipt=note)))


@breaks(13, "claimUnsigned", 22, decides=False)
def claim_that_another_key_signed(draft: Draft) -> None:
    commit(draft, code=True)
    held = claim(draft)
    assert held.key is not None
    other = replace(held.key, public=secret("other").public_key().public_bytes_raw())
    hold(draft, replace(held, key=other))


@breaks(13, "claimUnsigned", 22, decides=False)
def claim_that_was_dated_back(draft: Draft) -> None:
    commit(draft, code=True)
    held = claim(draft)
    text = held.file.receipt.text.replace(f"\n{CLAIMED}\n", f"\n{CLAIMED - 1}\n")
    note = replace(held.file.receipt, text=text)
    hold(draft, replace(held, file=replace(held.file, receipt=note)))


@breaks(13, "claimUnlisted", 0, decides=False)
def claim_by_a_node_that_the_reader_does_not_know(draft: Draft) -> None:
    commit(draft, code=True)
    hold(draft, replace(claim(draft), key=None))


@breaks(13, "chipWrong", 22, decides=False)
def chip_with_another_key(draft: Draft) -> None:
    commit(draft, chip=True)
    hold(draft, answer("other"))


@breaks(13, "chipWrong", 22, decides=False)
def chip_that_answered_before(draft: Draft) -> None:
    commit(draft, chip=True)
    hold(draft, answer(challenge=b"earlier"))
