"""Letters: what a node tells those who asked to hear of recalls, signed, each under one id.

Signed as Standard Webhooks 1.0 says: HMAC-SHA-256 over id, time and body, in base64.
"""

import hashlib
import hmac
from base64 import b64encode
from dataclasses import dataclass
from enum import StrEnum
from typing import NewType

from guildmark.domain.chain.facts import RecallFact
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    ChainId,
    Digest,
    Index,
    LicenseId,
    LogNumber,
    to_hex,
)
from guildmark.domain.recall import RecallCause, RecallId, Severity, Thing, issuer_text

WatchId = NewType("WatchId", str)
LetterId = NewType("LetterId", str)

SECRET_SIZE = 32
WAITS = (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds between two tries, as Standard Webhooks proposes; after the last one a letter is dead."""

_SECRET_PREFIX = "whsec_"  # noqa: S105 - what all secrets of that standard begin with
_ID_LENGTH = 32


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A part by its place."""

    log: LogNumber
    index: Index


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallWatch:
    """Who wants to hear of recalls, and of which: all of them where none are named.

    Args:
        url: Where letters go.
        since: Recalls before that block time are told to others.
        allows_private: Whether the address may be one of a private network.
        licenses: Recalls that reach what was made under these.
    """

    id: WatchId
    url: str
    since: int
    allows_private: bool = False
    causes: tuple[RecallCause, ...] = ()
    things: tuple[Thing, ...] = ()
    parts: tuple[Position, ...] = ()
    licenses: tuple[LicenseId, ...] = ()

    @property
    def is_for_all(self) -> bool:
        """Return whether it names no recalls."""
        return not (self.causes or self.things or self.parts or self.licenses)


class Stage(StrEnum):
    """How far a recall was told: included, final, closed for good, or taken back."""

    EARLY = "early"
    FINAL = "final"
    CLOSED = "closed"
    RETRACTED = "retracted"


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What this node last told of a recall.

    Args:
        turn: How often it came, from 1: a chain may take a recall away and bring it back.
        said: What it says, so that another one in its place is noticed.
        block: The block that held it.
        hash: That block's hash.
    """

    recall: RecallId
    stage: Stage
    turn: int
    said: Digest
    block: int
    hash: Digest

    @property
    def letter(self) -> LetterId:
        """Return the id under which it was told that the recall was issued."""
        return letter_id("recall.issued", self.recall, self.turn)


class LetterState(StrEnum):
    """What became of a letter; a dead one is not sent again."""

    WAITING = "waiting"
    DELIVERED = "delivered"
    DEAD = "dead"


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """One event for one watch.

    Args:
        number: Its place in the order of writing, 0 before it is stored.
        id: By which the receiver knows that he has it already.
        recall: The recall; its letters go out in order.
        due: When it is to be sent, by this home's clock; of one that was delivered, when that was.
        code: Why the last try failed.
    """

    number: int = 0
    id: LetterId
    watch: WatchId
    recall: str
    body: bytes
    due: int
    tries: int = 0
    state: LetterState = LetterState.WAITING
    code: str = ""


def said_digest(fact: RecallFact) -> Digest:
    """Return a digest of what a recall says, but for the time of its block.

    A recall that another block holds after a reorganisation is the same one.
    """
    words = (fact.id.text(), to_hex(fact.issuer), str(fact.since), str(fact.until))
    return sha256("|".join((*words, str(fact.severity), to_hex(fact.reason))).encode())


def letter_id(kind: str, recall: RecallId, turn: int) -> LetterId:
    """Return the id of an event: the same whenever and by whichever process it is written."""
    digest = sha256(f"{kind}|{recall.text()}|{turn}".encode())
    return LetterId("msg_" + digest.hex()[:_ID_LENGTH])


def issued_body(fact: RecallFact, chain: ChainId, *, is_final: bool) -> bytes:
    """Return the letter about a recall."""
    return _body("recall.issued", fact, chain, final=is_final)


def closed_body(fact: RecallFact, chain: ChainId) -> bytes:
    """Return the letter about a recall that its issuer closed, which is final."""
    closing = to_hex(fact.closing)
    return _body("recall.closed", fact, chain, final=True, closedAt=fact.closed_at, closing=closing)


def retracted_body(told: Told, chain: ChainId) -> bytes:
    """Return the letter about a recall that the chain took away again."""
    data = {"recall": told.recall.text(), "chain": str(chain), "retracts": told.letter}
    return canonical({"type": "recall.retracted", "data": data})


def _body(kind: str, fact: RecallFact, chain: ChainId, **more: bool | int | str) -> bytes:
    data = {
        "recall": fact.id.text(),
        "chain": str(chain),
        "cause": fact.thing.cause.word,
        "thing": fact.thing.text(),
        "role": "owner" if fact.is_owners else "authority",
        "number": fact.number,
        "issuer": issuer_text(fact.issuer),
        "severity": Severity(fact.severity).word,
        "at": fact.at,
        "since": fact.since,
        "until": fact.until,
        "reason": to_hex(fact.reason),
        **more,
    }
    return canonical({"type": kind, "data": data})


def secret_text(secret: bytes) -> str:
    """Return a secret as receivers' libraries take it."""
    return _SECRET_PREFIX + b64encode(secret).decode()


def signed_headers(letter: LetterId, body: bytes, *, secret: bytes, at: int) -> dict[str, str]:
    """Return what proves to the receiver who wrote a letter, and when."""
    signed = f"{letter}.{at}.".encode() + body
    signature = b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
    return {
        "webhook-id": letter,
        "webhook-timestamp": str(at),
        "webhook-signature": f"v1,{signature}",
    }
