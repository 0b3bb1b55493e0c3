"""A bundle's chain state asked anew: the same evidence, proven by the reader's own node now.

What the bundle discloses stays; how often a link, a controller or a recipe changed, what was
recalled, and which authorities are asked for, is what the node's newest state and the reader's list
say.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import AccountProof, ChainPin, ContractName
from guildmark.domain.chain.ethproof.header import Header, decode_header
from guildmark.domain.chain.storage import IdentityWord, Location, RecipeWord
from guildmark.domain.errors import GuildmarkError, NetworkError
from guildmark.domain.identifiers import ChainId, Digest
from guildmark.domain.trust import Trust
from guildmark.domain.verification.evidence import (
    AUTHORITIES_MAX,
    INTERVALS_MAX,
    STEPS_MAX,
    ChainEvidence,
    ControllersDisclosure,
    Core,
    Disclosures,
    Evidence,
    LinkDisclosure,
    shown_recalls,
)
from guildmark.domain.verification.slots import acting, recall_lists, required_slots
from guildmark.domain.verification.state import AccountFault, Unproven, prove_state
from guildmark.domain.verification.verdict import Newer


class NewestUnknownError(NetworkError):
    """The reader's own node does not prove the chain's newest state."""

    code = "verify.newestUnknown"
    hint = "Name a node of the pinned chain that is up to date and gives proofs (eth_getProof)."


class Source(Protocol):
    """The reader's own node of the chain."""

    def identity(self) -> tuple[ChainId, Digest]:
        """Return the chain's id and the hash of its first block."""
        ...

    def header(self, tag: str) -> bytes | None:
        """Return the header of the ``latest`` or the ``finalized`` block, None where none is."""
        ...

    def proof(
        self, pin: ChainPin, number: int, slots: Mapping[ContractName, Sequence[bytes]]
    ) -> Mapping[ContractName, AccountProof]:
        """Return one account proof a contract at a block, with a proof of each slot."""
        ...


def renewed(evidence: Evidence, trust: Trust, source: Source) -> Newer:
    """Return the evidence as the newest final block proves it, and as the latest one does.

    Raises:
        NetworkError: The node cannot be reached, is of another chain, or proves nothing newer.
        HeaderError: Its header is none.
        EvidenceRangeError: More would have to be proven than is read.
    """
    pin = trust.chain
    if source.identity() != (pin.chain_id, pin.genesis):
        message = "Your node is on another chain than your trust file pins."
        raise NewestUnknownError(message)
    asking = _Asking(trust=trust, source=source)
    seen = decode_header(evidence.chain.header)
    latest = asking.at("latest", evidence, seen)
    if latest is None:
        message = f"Your node's latest block is older than block {seen.number} of the bundle."
        raise NewestUnknownError(message)
    return Newer(final=asking.final(evidence, seen), latest=latest)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asking:
    """Whose state is asked for, and where."""

    trust: Trust
    source: Source

    def final(self, evidence: Evidence, seen: Header) -> Evidence | None:
        """Return the evidence at the newest final block; not every node proves one so old."""
        try:
            return self.at("finalized", evidence, seen)
        except GuildmarkError:
            return None

    def at(self, tag: str, evidence: Evidence, seen: Header) -> Evidence | None:
        """Return the evidence at a block, None where it is older than the bundle's."""
        encoded = self.source.header(tag)
        if encoded is None or decode_header(encoded).number < seen.number:
            return None
        return self._proven(evidence, encoded, decode_header(encoded))

    def _proven(self, evidence: Evidence, encoded: bytes, header: Header) -> Evidence:
        disclosed, accounts = self._counted(evidence.core, evidence.disclosed, header)
        state = prove_state(header, self.trust.chain, accounts)
        is_broken = Unproven.INVALID in state.words.values() or any(
            fault is not AccountFault.CODE
            for name, fault in state.faults.items()
            if name in accounts
        )
        if is_broken:
            # Its chain moved between the answers, or the node is out of order: no bad news.
            message = f"Your node's proofs do not hold under its own block {header.number}."
            raise NewestUnknownError(message, block=header.number)
        inner = evidence.replacement
        return replace(
            evidence,
            disclosed=disclosed,
            # The note of witnesses is about the bundle's block.
            chain=ChainEvidence(pin=evidence.chain.pin, header=encoded, accounts=accounts),
            replacement=None if inner is None else self._proven(inner, encoded, header),
            rivals=tuple(self._proven(rival, encoded, header) for rival in evidence.rivals),
        )

    def _counted(
        self, core: Core, shown: Disclosures, header: Header
    ) -> tuple[Disclosures, Mapping[ContractName, AccountProof]]:
        """Return what is disclosed with the counts of a block, and the proofs that it needs."""
        listed = dict.fromkeys(one.id for one in self.trust.authorities)
        shown = replace(shown, authorities=tuple(listed)[:AUTHORITIES_MAX])
        accounts = self._proofs(core, shown, header)
        counted = _recounted(core, shown, _words(accounts))
        return counted, accounts if counted == shown else self._proofs(core, counted, header)

    def _proofs(
        self, core: Core, shown: Disclosures, header: Header
    ) -> Mapping[ContractName, AccountProof]:
        # A deployment of before has no registry of recalls: (12) says that nothing is proven.
        pinned = self.trust.chain.contracts
        slots = {
            name: wanted for name, wanted in required_slots(core, shown).items() if name in pinned
        }
        return self.source.proof(self.trust.chain, header.number, slots)


def _words(accounts: Mapping[ContractName, AccountProof]) -> Mapping[Location, int]:
    return {
        Location(name, one.slot): one.value
        for name, proof in accounts.items()
        for one in proof.slots
    }


def _recounted(core: Core, shown: Disclosures, words: Mapping[Location, int]) -> Disclosures:
    """Return what is disclosed, with counts as the words say: what came since is looked at."""
    second, recipe = shown.countersigner, shown.recipe
    return replace(
        shown,
        site_link=_link(shown.site_link, words),
        maker_link=_link(shown.maker_link, words),
        controllers=tuple(_controllers(core, shown, words)),
        recalls=shown_recalls(
            (
                (key, by, words.get(storage.RECALL_COUNTS.at(key, by), 0))
                for key, by in recall_lists(core, shown)
            ),
            {(one.key, one.by): one.beyond for one in shown.recalls},
        ),
        recipe=recipe
        and replace(recipe, steps=_steps(words.get(storage.RECIPES.at(recipe.recipe.id()), 0))),
        inspections=tuple(
            replace(
                one,
                site_link=_link(one.site_link, words),
                inspector_link=_link(one.inspector_link, words),
            )
            for one in shown.inspections
        ),
        countersigner=second
        and replace(
            second,
            site_link=_grown(second.site_link, words),
            link=_grown(second.link, words),
        ),
    )


def _link(link: LinkDisclosure | None, words: Mapping[Location, int]) -> LinkDisclosure | None:
    return None if link is None else _grown(link, words)


def _grown(link: LinkDisclosure, words: Mapping[Location, int]) -> LinkDisclosure:
    count = words.get(storage.LINK_COUNTS.at(link.child, link.parent), 0)
    return replace(link, count=min(count, INTERVALS_MAX))


def _steps(word: int) -> int:
    return min(RecipeWord.decode(word).steps, STEPS_MAX)


def _controllers(
    core: Core, shown: Disclosures, words: Mapping[Location, int]
) -> Iterator[ControllersDisclosure]:
    owner = set() if shown.owner is None else {shown.owner}
    for identity in sorted(acting(core, shown) | owner):
        word = IdentityWord.decode(words.get(storage.IDENTITIES.at(identity), 0))
        if word.controllers > 1:
            count = min(word.controllers, INTERVALS_MAX)
            yield ControllersDisclosure(identity=identity, count=count)
