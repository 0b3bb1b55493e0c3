"""(13) The reader holds what a copied label lacks: the first claim by its code, or its chip."""

import hmac
from collections.abc import Iterator

from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError, SignatureError
from guildmark.domain.identifiers import Digest
from guildmark.domain.labels.activation import (
    CHIP,
    CODE,
    ChipAnswer,
    Claimed,
    FirstClaim,
    chip_digest,
    chip_message,
    committed,
)
from guildmark.domain.log.checkpoint import origin_of
from guildmark.domain.verification.case import ENVELOPE, Case
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.report import Cause, Finding, Lack, State

_HELD = "what the reader holds"

FACTOR_NONE = Cause(
    code="verify.secondFactorNone",
    state=State.NOT_CLAIMED,
    meaning="The statement names no code and no chip: a copied label looks like the original.",
    is_exempt=True,
)
FACTOR_NOT_SHOWN = Cause(
    code="verify.secondFactorNotShown",
    state=State.UNKNOWN,
    meaning="The statement names a hidden code or a chip, and you have not shown either.",
    is_exempt=True,
)
FACTOR_UNNAMED = Cause(
    code="verify.secondFactorUnnamed",
    state=State.FAIL,
    meaning="You hold a code or a chip, and the statement names none: it belongs to another part.",
)
CODE_WRONG = Cause(
    code="verify.codeWrong",
    state=State.FAIL,
    meaning="The hidden code is not the one that the statement commits to.",
)
CLAIM_MISMATCH = Cause(
    code="verify.claimMismatch",
    state=State.FAIL,
    meaning="The receipt is about another part, another code or another claimant.",
)
CLAIM_UNSIGNED = Cause(
    code="verify.claimUnsigned",
    state=State.FAIL,
    meaning="The receipt was not signed by the key that you named.",
)
CLAIM_UNLISTED = Cause(
    code="verify.claimUnlisted",
    state=State.UNKNOWN,
    meaning="You have not said by whose key you believe that a claim was the first.",
    lack=Lack.TRUST,
)
CHIP_WRONG = Cause(
    code="verify.chipWrong",
    state=State.FAIL,
    meaning="The chip's key is not the one that the statement commits to, or did not sign your "
    "challenge.",
)


def _held(case: Case) -> Iterator[Finding]:
    second, statement = case.question.second, case.statement
    codes, chips = committed(statement, CODE), committed(statement, CHIP)
    if second is None:
        if codes or chips:
            named = "a hidden code" if codes else "a chip"
            yield FACTOR_NOT_SHOWN.found(f"The statement names {named}; you showed none.", ENVELOPE)
        else:
            yield FACTOR_NONE.found("The statement names no code and no chip.", ENVELOPE)
    elif isinstance(second, Claimed):
        yield from _claimed(case, second, codes, statement.label)
    else:
        yield from _answered(second, chips, statement.label)


def _claimed(
    case: Case, second: Claimed, codes: tuple[Digest, ...], label: str
) -> Iterator[Finding]:
    if not codes:
        yield FACTOR_UNNAMED.found("The statement names no hidden code.", ENVELOPE)
        return
    digest = second.file.code.digest(label)
    if len(codes) > 1 or not hmac.compare_digest(digest, codes[0]):
        yield CODE_WRONG.found("The hidden code is not this part's.", _HELD)
        return
    yield from _receipt(case, second, digest)


def _receipt(case: Case, second: Claimed, commitment: Digest) -> Iterator[Finding]:
    note, log = second.file.receipt, case.core.record.log
    try:
        said = FirstClaim.parse(note.text)
    except GuildmarkError as error:
        yield CLAIM_MISMATCH.found(error.message, _HELD)
        return
    expected = FirstClaim(
        origin=origin_of(case.pin, log),
        log=log,
        index=case.core.index,
        commitment=commitment,
        claimant=sha256(second.file.token),
        time=said.time,
    )
    if said != expected:
        reason = "The receipt is about another part, another code or another claimant."
        yield CLAIM_MISMATCH.found(reason, _HELD)
    elif second.key is None:
        reason = "Whose key signs receipts of first claims at this log you have not said."
        yield CLAIM_UNLISTED.found(reason, _HELD)
    elif not _is_signed(second):
        reason = f"{second.key.name} did not sign the receipt of the first claim."
        yield CLAIM_UNSIGNED.found(reason, _HELD)


def _is_signed(second: Claimed) -> bool:
    keys = () if second.key is None else (second.key,)
    try:
        return bool(second.file.receipt.signers(keys))
    except SignatureError:
        return False


def _answered(second: ChipAnswer, chips: tuple[Digest, ...], label: str) -> Iterator[Finding]:
    if not chips:
        yield FACTOR_UNNAMED.found("The statement names no chip.", ENVELOPE)
    elif chips != (chip_digest(second.key),):
        yield CHIP_WRONG.found("The chip is another one than the statement names.", _HELD)
    else:
        try:
            second.key.verify(chip_message(second.challenge, label), second.signature)
        except SignatureError as error:
            yield CHIP_WRONG.found(f"The chip did not sign your challenge. {error.message}", _HELD)


SECOND_FACTOR = Check(
    number=13,
    name="second factor",
    asks="You hold what a copied label lacks: the first claim by its hidden code, or its chip.",
    looked_at=ENVELOPE,
    causes=(
        FACTOR_UNNAMED,
        CODE_WRONG,
        CLAIM_MISMATCH,
        CLAIM_UNSIGNED,
        CHIP_WRONG,
        CLAIM_UNLISTED,
        FACTOR_NOT_SHOWN,
        FACTOR_NONE,
    ),
    rules=(_held,),
)
