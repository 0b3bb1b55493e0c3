"""A bundle written again: the same evidence, its proofs of the chain made anew at a newer block.

Whoever gets the new file needs to believe the newer block alone. It is written only where it says
of the part no less than the old one did.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Protocol

from guildmark.domain import bundle
from guildmark.domain.chain.ethproof.header import Header, decode_header
from guildmark.domain.encoding import archive
from guildmark.domain.errors import NotFinalError, UncheckableError, UntrustedError
from guildmark.domain.trust import VERSION, Listed, Trust, TrustedBlock
from guildmark.domain.verification.case import NO_QUESTION, Question, Sighting
from guildmark.domain.verification.evidence import Evidence
from guildmark.domain.verification.report import WORST_FIRST, CheckResult, Report, State
from guildmark.domain.verification.verdict import verify_anew, verify_evidence
from guildmark.verify.renewing import Source, renewed

_CONTENT = ".car"


class OtherChainError(UntrustedError):
    """The node is on another chain than the bundle."""

    code = "bundle.otherChain"
    hint = "Name a node of the chain that the bundle is about."


class NotNewerError(NotFinalError):
    """The node proves no final block that is newer than the bundle's own."""

    code = "bundle.notNewer"
    hint = "Wait for a newer final block, or name a node that gives proofs of it (eth_getProof)."


class NotBetterError(UncheckableError):
    """What the chain says now would make the new bundle prove less than the old one."""

    code = "bundle.notBetter"
    hint = "See what changed with `guildmark verify FILE --rpc URL`; the old file is as it was."


class Node(Source, Protocol):
    """A node of the chain that is asked for blocks, too."""

    def sighting(self, number: int) -> Sighting:
        """Return what the node says of a block."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A bundle with new proofs.

    Args:
        data: The bundle.
        before: The number of the block of the old one.
        block: The final block that the new one rests on.
        report: What it says to a reader who believes that block.
    """

    data: bytes
    before: int
    block: TrustedBlock
    report: Report


def renew_bundle(
    data: bytes, node: Node, trust: Trust | None = None, question: Question = NO_QUESTION
) -> Renewal:
    """Return a bundle with its proofs made anew at a node's newest final block.

    Args:
        data: The bundle, bytes as received; it stays as it is.
        node: Any node of its chain: what it says is proven, but that its block is on the chain.
        trust: Whose list judges both, and whose authorities are asked for beside the shown ones;
            without one nobody is listed, and the chain is the bundle's.
        question: What the reader holds in hand.

    Raises:
        ContentError: It is no bundle.
        HeaderError: Its block cannot be read.
        OtherChainError: The node is on another chain.
        NotNewerError: The node proves no final block that is newer.
        NotBetterError: It would prove less at the newer block.
        NetworkError: The node could not be reached, or proves nothing.
    """
    evidence = bundle.read(data)
    seen, pin = decode_header(evidence.chain.header), evidence.chain.pin
    if node.identity() != (pin.chain_id, pin.genesis):
        message = f"The node is on another chain than the bundle, which is about {pin.chain_id}."
        raise OtherChainError(message, chain_id=pin.chain_id)
    judge = trust or Trust(version=VERSION, chain=pin)
    asked = replace(question, sighting=node.sighting(seen.number))
    newer = renewed(evidence, _asking(judge, evidence), node)
    before = verify_evidence(evidence, judge, asked)
    if newer.final is None or decode_header(newer.final.chain.header).number == seen.number:
        message = f"The node proves no final block that is newer than block {seen.number}."
        raise NotNewerError(message, block=seen.number)
    block = _block(decode_header(newer.final.chain.header))
    # What others keep beside the evidence is kept; a report about the old block would be none.
    files = archive.read(data)
    attached = {name: files[name] for name in evidence.attached if name.endswith(_CONTENT)}
    written = bundle.write(newer.final, attached=attached)
    report = verify_evidence(bundle.read(written), judge.with_block(block), question)
    _check(before, report, block)
    # What is not final yet counts against it, too.
    _check(before, verify_anew(evidence, newer, judge, asked), block)
    return Renewal(data=written, before=seen.number, block=block, report=report)


def _asking(judge: Trust, evidence: Evidence) -> Trust:
    """Return a list with the authorities that the bundle speaks of, too: none of them falls out."""
    shown = [one for each in _all(evidence) for one in each.disclosed.authorities]
    known = {one.id: one for one in judge.authorities}
    added = {one: Listed(id=one) for one in shown if one not in known}
    return replace(judge, authorities=(*judge.authorities, *added.values()))


def _all(evidence: Evidence) -> Iterator[Evidence]:
    yield evidence
    inner = () if evidence.replacement is None else (evidence.replacement,)
    for one in (*inner, *evidence.rivals):
        yield from _all(one)


def _block(header: Header) -> TrustedBlock:
    return TrustedBlock(number=header.number, hash=header.hash, time=header.time)


def _check(before: Report, after: Report, block: TrustedBlock) -> None:
    """Refuse what is contradicted, or proves less than before.

    Raises:
        NotBetterError: It does; the message names the check.
    """
    for old, new in zip(before.checks, after.checks, strict=True):
        if new.state is State.FAIL or _rank(new) < _rank(old):
            message = f"At block {block.number} ({new.number}) is {new.state}. {new.reason}"
            raise NotBetterError(message, check=new.number, block=block.number)


def _rank(result: CheckResult) -> int:
    """Return 0 for the worst state."""
    return WORST_FIRST.index(result.state)
