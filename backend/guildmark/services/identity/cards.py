"""Cards of identities: which identifiers they hold, by whose word, and who states otherwise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guildmark.domain.chain.facts import ClaimFact, NamedByFact, NumberFact
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import Bytes32, IdentityId
from guildmark.domain.identity.identity import number_digest, scheme_bytes
from guildmark.domain.identity.registers import ONE_A_HOLDER, check_identifier
from guildmark.ports.facts import Facts
from guildmark.ports.store import Documents, View
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import shown_claim

RIVALS_MAX = 16
"""How many claims a card shows that contradict one of its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """A claim about an identity, with the standing claims that contradict it.

    Args:
        fact: The claim on chain.
        scheme: The register.
        value: The identifier, None where neither chain nor documents show it.
        rivals: Standing claims of the same identifier for others, or of another identifier where
            a register gives one a holder; none once the claim is revoked.
    """

    fact: ClaimFact
    scheme: str
    value: str | None
    rivals: tuple[ClaimFact, ...] = ()

    @property
    def is_own_word(self) -> bool:
        """Return whether the subject itself states it."""
        return self.fact.issuer == self.fact.subject

    @property
    def is_malformed(self) -> bool:
        """Return whether no register would give the value: the chain takes any, from anybody."""
        try:
            check_identifier(self.scheme, self.value or "")
        except MalformedError:
            return self.value is not None
        return False


def stated(subject: IdentityId, view: View) -> tuple[Stated, ...]:
    """Return the claims about an identity: standing ones first, then by scheme and age."""
    named = view.facts.each(NamedByFact, subject)
    made = [read_claim(known(view.facts, ClaimFact, one.claim), view.documents) for one in named]
    made.sort(key=lambda one: (bool(one.fact.until), one.scheme, one.fact.since))
    return tuple(_compared(one, made, view.facts) for one in made)


def holders(scheme: str, value: str, facts: Facts) -> Sequence[ClaimFact]:
    """Return the standing claims of an identifier that this home can read, the oldest first.

    Raises:
        MalformedSchemeError: No register can have this name.
    """
    return _holders(scheme_bytes(scheme), value, facts)


def read_claim(fact: ClaimFact, documents: Documents) -> Stated:
    """Return a claim as this home can read it, compared with no other."""
    opened = shown_claim(documents, fact)
    return Stated(
        fact=fact,
        scheme=fact.scheme.rstrip(b"\0").decode("ascii", "replace"),
        value=None if opened is None else opened.claim.value,
    )


def _holders(scheme: Bytes32, value: str, facts: Facts) -> Sequence[ClaimFact]:
    found = facts.each(NumberFact, scheme, number_digest(value))
    made = (known(facts, ClaimFact, one.claim) for one in found)
    return sorted((claim for claim in made if not claim.until), key=lambda one: one.since)


def _compared(one: Stated, about: Sequence[Stated], facts: Facts) -> Stated:
    if one.fact.until or one.value is None:
        return one
    rivals = {rival.id: rival for rival in _rivals(one, one.value, about, facts)}
    return Stated(
        fact=one.fact,
        scheme=one.scheme,
        value=one.value,
        rivals=tuple(rivals.values())[:RIVALS_MAX],
    )


def _rivals(one: Stated, value: str, about: Sequence[Stated], facts: Facts) -> Iterator[ClaimFact]:
    for other in _holders(one.fact.scheme, value, facts):
        if other.subject != one.fact.subject:
            yield other
    if one.scheme in ONE_A_HOLDER:
        for same in about:
            is_other = same.value is not None and same.value != value
            if is_other and same.scheme == one.scheme and not same.fact.until:
                yield same.fact
