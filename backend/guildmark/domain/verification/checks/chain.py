"""(0) The chain is the pinned one, and block b is trusted."""

from collections.abc import Iterator
from dataclasses import replace

from guildmark.domain.chain.contracts import ChainPin, ContractName
from guildmark.domain.chain.ethproof.header import Header
from guildmark.domain.identifiers import to_hex
from guildmark.domain.log.witness import WRONG_NOTES, BlockNote, BlockNoteError, agreeing
from guildmark.domain.trust import Trust
from guildmark.domain.verification.case import Case, Sighting
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.report import Cause, Finding, Lack, State
from guildmark.domain.verification.slots import (
    PROVEN_CONTRACTS,
    UNPROVEN_ONCE,
    required_slots,
)
from guildmark.domain.verification.state import AccountFault

_HEADER = "chain/header.rlp"
_NOTE = "chain/block.note"
_PIN = "chain/pin.json"

TRUST_MISSING = Cause(
    code="verify.trustMissing",
    state=State.UNKNOWN,
    meaning="You gave no trust file: the bundle is judged by its own chain.",
    lack=Lack.TRUST,
)
CHAIN_MISMATCH = Cause(
    code="verify.chainMismatch",
    state=State.FAIL,
    meaning="The bundle is about another chain or deployment than the trust file pins.",
)
HEADER_MALFORMED = Cause(
    code="verify.headerMalformed",
    state=State.FAIL,
    meaning="The header of block b is no block header.",
)
BLOCK_MISMATCH = Cause(
    code="verify.blockMismatch",
    state=State.FAIL,
    meaning="Block b has another hash than the block of its number that you trust.",
)
BLOCK_UNKNOWN = Cause(
    code="verify.blockUnknown",
    state=State.UNKNOWN,
    meaning="Neither the trust file nor a node of yours knows block b.",
)
NODE_UNREACHABLE = Cause(
    code="verify.nodeUnreachable",
    state=State.UNKNOWN,
    meaning="Your node, which may know block b, could not be reached.",
    lack=Lack.SOURCE,
)
NODE_ON_OTHER_CHAIN = Cause(
    code="verify.nodeOnOtherChain",
    state=State.UNKNOWN,
    meaning="Your node is on another chain than the trust file pins: it cannot know block b.",
)
NOTE_INVALID = Cause(
    code="verify.noteInvalid",
    state=State.FAIL,
    meaning="The note about block b is none, or a signature in a witness's name does not hold.",
)
NOTE_MISMATCH = Cause(
    code="verify.noteMismatch",
    state=State.FAIL,
    meaning="Witnesses whom you pin signed a note about another block or chain.",
)
WITNESSES_TOO_FEW = Cause(
    code="verify.witnessesTooFew",
    state=State.UNKNOWN,
    meaning="Fewer of the witnesses whom you pin signed block b than you ask for.",
)
CONTRACT_MISSING = Cause(
    code="verify.contractMissing",
    state=State.UNKNOWN,
    meaning="The bundle proves nothing about one of the contracts.",
)
CONTRACT_INVALID = Cause(
    code="verify.contractInvalid",
    state=State.FAIL,
    meaning="The proof of a contract's account does not hold under block b.",
)
CODE_MISMATCH = Cause(
    code="verify.codeMismatch",
    state=State.FAIL,
    meaning="A contract has other code than the one that is pinned.",
)

_FAULTS = {
    AccountFault.MISSING: (CONTRACT_MISSING, "There is no proof of"),
    AccountFault.INVALID: (CONTRACT_INVALID, "The account proof is wrong for"),
    AccountFault.CODE: (CODE_MISMATCH, "There is other code than the pinned one at"),
}


def _pinned_chain(case: Case) -> Iterator[Finding]:
    if case.trust is None:
        yield TRUST_MISSING.found("You have not said whom you trust.", _PIN)
        return
    shown, pinned = case.evidence.chain.pin, case.trust.chain
    if _identity(shown) != _identity(pinned):
        reason = f"It is about chain {shown.chain_id}, you trust chain {pinned.chain_id}"
        if shown.chain_id == pinned.chain_id:
            reason = f"It is about another chain or deployment that also has id {shown.chain_id}"
        if shown.chain_class is not pinned.chain_class and _same_but_class(shown, pinned):
            reason = (
                f"It calls chain {shown.chain_id} {shown.chain_class.value}, your trust file calls "
                f"the same chain {pinned.chain_class.value}; if yours is wrong, make it again with "
                f"`guildmark trust init --class {shown.chain_class.value}`"
            )
        yield CHAIN_MISMATCH.found(f"{reason}.", _PIN)


def _identity(pin: ChainPin) -> object:
    contracts = [pin.contracts.get(name) for name in PROVEN_CONTRACTS]
    return pin.chain_id, pin.genesis, pin.chain_class, contracts


def _same_but_class(shown: ChainPin, pinned: ChainPin) -> bool:
    return _identity(replace(shown, chain_class=pinned.chain_class)) == _identity(pinned)


def _trusted_block(case: Case) -> Iterator[Finding]:
    if case.header is None:
        yield HEADER_MALFORMED.found("The header of block b cannot be read.", _HEADER)
    elif case.trust is not None:
        yield from _believed(case, case.trust, case.header)


def _believed(case: Case, trust: Trust, header: Header) -> Iterator[Finding]:
    believed, sighting = trust.block(header.number), case.question.sighting
    if believed is not None:
        if (believed.hash, believed.time) != (header.hash, header.time):
            yield BLOCK_MISMATCH.found(f"It rests on {_named(header)}, you trust another.", _HEADER)
        return
    lacking = list(_witnessed(case, trust, header)) if trust.witnesses else None
    if sighting is not None and lacking != []:
        yield from (one for one in lacking or () if one.cause.state is State.FAIL)
        yield from _seen(sighting, trust, header)
    elif sighting is not None and sighting.hash not in {None, header.hash}:
        yield _other(header)
    elif lacking is not None:
        yield from lacking
    else:
        yield BLOCK_UNKNOWN.found(f"Your trust file does not know {_named(header)}.", _HEADER)


def _seen(sighting: Sighting, trust: Trust, header: Header) -> Iterator[Finding]:
    """Yield what the reader's own node has against the block."""
    if not sighting.is_reached:
        reason = f"Your node could not be asked for {_named(header)}."
        yield NODE_UNREACHABLE.found(reason, _HEADER)
    elif sighting.chain not in {None, (trust.chain.chain_id, trust.chain.genesis)}:
        reason = "Your node is on another chain than your trust file pins: name one of that chain."
        yield NODE_ON_OTHER_CHAIN.found(reason, _HEADER)
    elif sighting.hash is None:
        yield BLOCK_UNKNOWN.found(f"Your node does not have {_named(header)}.", _HEADER)
    elif sighting.hash != header.hash:
        yield _other(header)


def _witnessed(case: Case, trust: Trust, header: Header) -> Iterator[Finding]:
    """Yield why the reader's witnesses do not vouch for the block, nothing where they do."""
    keys, note = trust.witness_keys(header.time), case.evidence.chain.note
    block = BlockNote(
        chain_id=trust.chain.chain_id, number=header.number, hash=header.hash, time=header.time
    )
    try:
        found = agreeing(note, block, keys) if note else 0
    except WRONG_NOTES as error:
        yield NOTE_INVALID.found(error.message, _NOTE)
    except BlockNoteError as error:
        yield NOTE_MISMATCH.found(error.message, _NOTE)
    else:
        if found < trust.quorum:
            reason = f"{found} of your witnesses signed {_named(header)}, you ask for"
            yield WITNESSES_TOO_FEW.found(f"{reason} {trust.quorum}.", _NOTE)


def _other(header: Header) -> Finding:
    reason = f"It rests on {_named(header)}, your node has another."
    return BLOCK_MISMATCH.found(reason, _HEADER)


def _named(header: Header) -> str:
    return f"block {header.number} ({to_hex(header.hash)})"


def _contracts(case: Case) -> Iterator[Finding]:
    needed = required_slots(case.evidence.core, case.disclosed).keys() - UNPROVEN_ONCE
    for name in PROVEN_CONTRACTS:
        fault = case.state.faults.get(name)
        is_needed = name in needed or fault is not AccountFault.MISSING
        if fault is not None and is_needed:
            yield _faulty(name, fault)


def _faulty(name: ContractName, fault: AccountFault) -> Finding:
    cause, what = _FAULTS[fault]
    return cause.found(f"{what} the contract {name}.", f"chain/{name}.json")


CHAIN = Check(
    number=0,
    name="chain and block",
    asks="The chain is the pinned one, and the block is one that you trust.",
    looked_at="chain/header.rlp",
    causes=(
        TRUST_MISSING,
        CHAIN_MISMATCH,
        HEADER_MALFORMED,
        BLOCK_MISMATCH,
        BLOCK_UNKNOWN,
        NODE_UNREACHABLE,
        NODE_ON_OTHER_CHAIN,
        NOTE_INVALID,
        NOTE_MISMATCH,
        WITNESSES_TOO_FEW,
        CONTRACT_MISSING,
        CONTRACT_INVALID,
        CODE_MISMATCH,
    ),
    rules=(_pinned_chain, _trusted_block, _contracts),
)
