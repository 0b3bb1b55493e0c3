"""The reader's trust file: which chain, which operators and issuers, which blocks, what is asked.

Nothing in a bundle is a root of trust; this is. It is JSON within the strict profile.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from guildmark.domain.chain.contracts import ChainPin
from guildmark.domain.chain.storage import IntervalWord
from guildmark.domain.encoding import codec, strictjson
from guildmark.domain.errors import GuildmarkError, SettingsError
from guildmark.domain.identifiers import Digest, IdentityId
from guildmark.domain.log.note import NoteKey, NoteKind

VERSION = 1

CHECKED = frozenset({*range(11), 12})
"""The numbered checks that this version performs."""

ESSENTIAL = frozenset(range(5))
"""The checks without which a verdict would say nothing: chain, parties, key, entry, record."""

MAX_AGE = 30 * 24 * 60 * 60


class TrustFileError(SettingsError):
    """A trust file that cannot be used."""

    code = "trust.malformed"
    hint = "Make a new one with `guildmark trust init`, or correct the member that is named."


class TrustConflictError(SettingsError):
    """Trust files that cannot be used together: they contradict one another."""

    code = "trust.conflict"
    hint = "Use one of the files alone, or let their authors agree on the member that is named."


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """An identity on the reader's list, for times in [since, until); 0 is without bound."""

    id: IdentityId
    name: str = ""
    since: int = field(default=0, metadata={"json": "from"})
    until: int = field(default=0, metadata={"json": "to"})

    def holds_at(self, time: int) -> bool:
        """Return whether the reader accepts what the identity did at ``time``."""
        return self.since <= time and (self.until == 0 or time < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedBlock:
    """A block of the pinned chain that the reader believes to be final."""

    number: int
    hash: Digest
    time: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Witness:
    """A witness by its key (name+id+key), for blocks of times in [since, until)."""

    key: str
    since: int = field(default=0, metadata={"json": "from"})
    until: int = field(default=0, metadata={"json": "to"})

    def __post_init__(self) -> None:
        self.note_key()

    def note_key(self) -> NoteKey:
        """Return the key that signs the witness's notes about blocks.

        Raises:
            NoteMalformedError: The text is no key.
        """
        return NoteKey.parse(self.key).of_kind(NoteKind.NOTE)

    def holds_at(self, time: int) -> bool:
        """Return whether the reader believes the witness about a block of that time."""
        return self.since <= time and (self.until == 0 or time < self.until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """Which checks must be ``ok``, and how old the newest facts may be, in seconds."""

    required: tuple[int, ...] = field(default=tuple(sorted(CHECKED)), metadata=codec.SHOWN)
    max_age: int = field(default=MAX_AGE, metadata=codec.SHOWN)

    def __post_init__(self) -> None:
        unknown = sorted(set(self.required) - CHECKED)
        if unknown:
            message = f"The policy asks for check {unknown[0]}, which this version cannot perform."
            raise TrustFileError(message, check=unknown[0])
        lacking = sorted(ESSENTIAL - set(self.required))
        if lacking:
            message = f"The policy does not ask for check {lacking[0]}, on which all others rest."
            raise TrustFileError(message, check=lacking[0])
        if list(self.required) != sorted(set(self.required)):
            message = "The policy lists its required checks out of order or twice."
            raise TrustFileError(message)


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom and what a reader trusts.

    Args:
        authorities: Whose notices on keys and controllers count, and whose recalls.
        inspectors: Whose inspections stand for a part whose machine's key is in doubt.
    """

    version: int
    chain: ChainPin
    operators: tuple[Listed, ...] = ()
    issuers: tuple[Listed, ...] = ()
    authorities: tuple[Listed, ...] = ()
    inspectors: tuple[Listed, ...] = ()
    blocks: tuple[TrustedBlock, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    quorum: int = 0
    policy: Policy = field(default_factory=Policy, metadata=codec.SHOWN)

    def __post_init__(self) -> None:
        if self.version != VERSION:
            message = f"The trust file has version {self.version}, this reader knows {VERSION}."
            raise TrustFileError(message, found=self.version, expected=VERSION)
        numbers = [block.number for block in self.blocks]
        if numbers != sorted(set(numbers)):
            message = "The trust file lists its blocks out of order or twice."
            raise TrustFileError(message)
        keys = {witness.note_key().public for witness in self.witnesses}
        if len(keys) != len(self.witnesses) or not min(1, len(keys)) <= self.quorum <= len(keys):
            message = f"{self.quorum} of {len(keys)} witnesses cannot be asked to agree."
            raise TrustFileError(message, quorum=self.quorum, witnesses=len(keys))

    def lists_operator(self, identity: IdentityId, time: int) -> bool:
        """Return whether an operator is on the list for a record of that time."""
        return _lists(self.operators, identity, time)

    def lists_issuer(self, identity: IdentityId, time: int) -> bool:
        """Return whether an issuer is on the list for a claim of that time."""
        return _lists(self.issuers, identity, time)

    def issuer_times(self, identity: IdentityId) -> tuple[IntervalWord, ...]:
        """Return when the reader accepts an issuer, nothing where he does not list it."""
        return tuple(
            IntervalWord(since=entry.since, until=entry.until)
            for entry in self.issuers
            if entry.id == identity
        )

    def lists_authority(self, identity: IdentityId, time: int) -> bool:
        """Return whether an authority is on the list for a notice of that time."""
        return _lists(self.authorities, identity, time)

    def lists_inspector(self, identity: IdentityId, time: int) -> bool:
        """Return whether an inspector is on the list for an inspection of that time."""
        return _lists(self.inspectors, identity, time)

    def block(self, number: int) -> TrustedBlock | None:
        """Return the believed block of a number."""
        return next((block for block in self.blocks if block.number == number), None)

    def witness_keys(self, time: int) -> tuple[NoteKey, ...]:
        """Return the keys of the witnesses who are believed about a block of that time."""
        return tuple(one.note_key() for one in self.witnesses if one.holds_at(time))

    def with_witnesses(self, witnesses: Sequence[Witness], quorum: int) -> "Trust":
        """Return the same trust with further witnesses, and how many must agree.

        Raises:
            TrustFileError: A witness is there twice, or more are asked for than there are.
        """
        return replace(self, witnesses=(*self.witnesses, *witnesses), quorum=quorum)

    def newest_block(self) -> TrustedBlock | None:
        """Return the newest believed block."""
        return max(self.blocks, key=lambda block: block.number, default=None)

    def with_block(self, block: TrustedBlock) -> "Trust":
        """Return the same trust with one more believed block.

        Raises:
            TrustFileError: Another block of that number is believed already.
        """
        known = self.block(block.number)
        if known == block:
            return self
        if known is not None:
            message = f"Block {block.number} is in the trust file with another hash or time."
            raise TrustFileError(message, number=block.number)
        blocks = sorted((*self.blocks, block), key=lambda each: each.number)
        return replace(self, blocks=tuple(blocks))

    def with_parties(
        self,
        *,
        operators: Sequence[Listed],
        issuers: Sequence[Listed],
        authorities: Sequence[Listed] = (),
        inspectors: Sequence[Listed] = (),
    ) -> "Trust":
        """Return the same trust with more parties; an entry of a known id replaces it."""
        return replace(
            self,
            operators=_merged(self.operators, operators),
            issuers=_merged(self.issuers, issuers),
            authorities=_merged(self.authorities, authorities),
            inspectors=_merged(self.inspectors, inspectors),
        )


def parse(data: bytes) -> Trust:
    """Return the trust that a file's bytes write.

    Raises:
        TrustFileError: Not JSON within the profile, or a member is missing, unknown or wrong.
    """
    try:
        return codec.load(Trust, strictjson.parse_object(data))
    except GuildmarkError as error:
        message = f"The trust file cannot be read. {error.message}"
        raise TrustFileError(message) from error


def combine(trusts: Sequence[Trust]) -> Trust:
    """Return the trust of a reader who believes several files.

    All must pin one chain, in every member. Whom one of them lists is listed, each entry with its
    own dates; what one of them asks is asked, and the smallest ``maxAge`` counts.

    Raises:
        TrustConflictError: They pin different chains, or a block differs.
    """
    first, *others = trusts
    for other in others:
        first = _combined(first, other)
    return first


def _combined(one: Trust, other: Trust) -> Trust:
    if one.chain != other.chain:
        member = next(
            name
            for name in ("chain_id", "genesis", "chain_class", "contracts")
            if getattr(one.chain, name) != getattr(other.chain, name)
        )
        message = f"The trust files pin different chains: their {member} differ."
        raise TrustConflictError(message, member=member)
    for block in other.blocks:
        if one.block(block.number) not in {None, block}:
            message = f"The trust files name block {block.number} with another hash or time."
            raise TrustConflictError(message, number=block.number)
        one = one.with_block(block)
    watched = [(each.witnesses, each.quorum) for each in (one, other) if each.witnesses]
    if len(set(watched)) > 1:
        message = "The trust files ask for different witnesses: no block would be sure."
        raise TrustConflictError(message, member="witnesses")
    return replace(
        one,
        witnesses=watched[0][0] if watched else (),
        quorum=watched[0][1] if watched else 0,
        operators=tuple(dict.fromkeys((*one.operators, *other.operators))),
        issuers=tuple(dict.fromkeys((*one.issuers, *other.issuers))),
        authorities=tuple(dict.fromkeys((*one.authorities, *other.authorities))),
        inspectors=tuple(dict.fromkeys((*one.inspectors, *other.inspectors))),
        policy=Policy(
            required=tuple(sorted({*one.policy.required, *other.policy.required})),
            max_age=min(one.policy.max_age, other.policy.max_age),
        ),
    )


def serialise(trust: Trust) -> bytes:
    """Return the text of a trust file, indented for people."""
    return json.dumps(codec.dump(trust), indent=2, ensure_ascii=False).encode() + b"\n"


def _lists(entries: Sequence[Listed], identity: IdentityId, time: int) -> bool:
    return any(entry.id == identity and entry.holds_at(time) for entry in entries)


def _merged(known: Sequence[Listed], added: Sequence[Listed]) -> tuple[Listed, ...]:
    ids = {entry.id for entry in added}
    return (*(entry for entry in known if entry.id not in ids), *added)
