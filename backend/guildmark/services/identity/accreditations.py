"""Accreditations: given, revoked, and looked up along their chains of issuers."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import AccreditationFact, AccreditedFact
from guildmark.domain.chain.refusals import AccreditationUnknownError
from guildmark.domain.chain.storage import AccreditationWord
from guildmark.domain.identifiers import AccreditationId, IdentityId, to_hex
from guildmark.domain.identity.accreditation import (
    CHAIN_MAX,
    Accreditation,
    Requirement,
    ScopeDocument,
    accreditation_id,
)
from guildmark.domain.trust import Trust
from guildmark.domain.verification.evidence import AccreditationDisclosure
from guildmark.ports.store import DocumentKind, Documents, NodeStore, View
from guildmark.services.identity.accounts import Account
from guildmark.services.identity.notices import is_act_doubted
from guildmark.services.index.projection import known

PER_SUBJECT_MAX = 8
"""How many accreditations of one identity are looked at, the oldest first."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Accreditations:
    """Use cases around accreditations; the account is the controller of the issuer."""

    account: Account
    store: NodeStore

    def give(
        self,
        issuer: IdentityId,
        subject: IdentityId,
        scope: ScopeDocument,
        *,
        since: int = 0,
        until: int = 0,
    ) -> AccreditationId:
        """Accredit a subject for a scope and return the accreditation's id.

        The scope document is kept in this home; the chain sees its digest only.

        Args:
            issuer: Who accredits.
            subject: Who is accredited.
            scope: What for.
            since: Block seconds from which it holds, 0 for now.
            until: Block seconds at which it ends, 0 where it does not.

        Raises:
            CallerRefusedError: The account does not speak for the issuer.
            IssuerInRecoveryError: Who speaks for the issuer is not settled.
            AccreditationTimeError: It would begin before its block, or end as it begins.
            AccreditedError: The issuer gave this very accreditation already.
        """
        digest = scope.digest()
        given = accreditation_id(issuer=issuer, subject=subject, scope=digest)
        # Kept before anything is sent: what opens a digest on chain must not be lost.
        with self.store.writing() as work:
            shown = AccreditationDisclosure(issuer=issuer, subject=subject, scope=scope)
            work.documents.put(DocumentKind.ACCREDITATION, given, shown.encode())
        self.account.call(
            *(ContractName.IDENTITIES, "accredit", issuer, subject, digest, since, until),
            once=given.hex(),
        )
        return given

    def revoke(self, given: AccreditationId) -> None:
        """Revoke an accreditation from now on, as its issuer's controller.

        Raises:
            AccreditationUnknownError: No final block holds it.
            CallerRefusedError: The account does not speak for the issuer.
            IssuerInRecoveryError: Who speaks for the issuer is not settled.
            AccreditationRevokedError: It is revoked already.
        """
        with self.store.reading() as view:
            fact = accreditation_fact(given, view)
        self.account.call(
            *(ContractName.IDENTITIES, "revokeAccreditation"),
            *(fact.issuer, fact.subject, fact.scope),
            once=given.hex(),
        )


def shown_accreditation(
    documents: Documents, given: AccreditationId
) -> AccreditationDisclosure | None:
    """Return an accreditation, opened, None where it was not disclosed."""
    body = documents.get(DocumentKind.ACCREDITATION, given)
    return None if body is None else AccreditationDisclosure.parse(body)


def accreditation_fact(given: AccreditationId, view: View) -> AccreditationFact:
    """Return what the chain holds of an accreditation.

    Raises:
        AccreditationUnknownError: No final block holds it.
    """
    fact = view.facts.get(AccreditationFact, given)
    if fact is None:
        message = f"No final block holds the accreditation {to_hex(given)}."
        raise AccreditationUnknownError(message, accreditation=to_hex(given))
    return fact


def accreditations_of(subject: IdentityId, view: View) -> Sequence[AccreditationFact]:
    """Return all accreditations of an identity, in the order in which they were given."""
    named = view.facts.each(AccreditedFact, subject)
    facts = [known(view.facts, AccreditationFact, one.accreditation) for one in named]
    return sorted(facts, key=lambda fact: (fact.recorded_at, fact.since))


def issuers_above(
    subjects: Collection[IdentityId], asked: Sequence[Requirement], view: View
) -> tuple[AccreditationDisclosure, ...]:
    """Return the accreditations that may meet one of several requirements, with those above them.

    Only those that this home can read, and of each identity those given first: strangers may
    accredit anybody, and what they do late must not crowd out the others.
    """
    found = _above(subjects, lambda scope: any(map(scope.admits, asked)), view)
    return tuple(shown for shown, _ in found)


def accreditations_above(
    subject: IdentityId, view: View, trust: Trust | None
) -> tuple[Accreditation, ...]:
    """Return an identity's accreditations that this home can read, with those above them.

    Args:
        subject: The identity.
        view: What this home knows.
        trust: Which authorities' notices on issuers count.
    """
    found = _above([subject], lambda _: True, view)
    return tuple(_known(shown, fact, view, trust) for shown, fact in found)


def known_word(fact: AccreditationFact) -> AccreditationWord:
    """Return what the chain says of an accreditation's times."""
    return AccreditationWord(
        since=fact.since,
        until=fact.until,
        revoked_at=fact.revoked_at,
        recorded_at=fact.recorded_at,
    )


def _known(
    shown: AccreditationDisclosure, fact: AccreditationFact, view: View, trust: Trust | None
) -> Accreditation:
    return Accreditation(
        issuer=fact.issuer,
        subject=fact.subject,
        scope=shown.scope,
        word=known_word(fact),
        is_doubted=is_act_doubted(fact.issuer, fact.recorded_at, view.facts, trust),
    )


def _above(
    subjects: Collection[IdentityId], is_wanted: Callable[[ScopeDocument], bool], view: View
) -> Iterator[tuple[AccreditationDisclosure, AccreditationFact]]:
    seen, level = set(subjects), sorted(set(subjects))
    room = PER_SUBJECT_MAX * CHAIN_MAX
    for _ in range(CHAIN_MAX):
        found = [pair for one in level for pair in _readable(one, is_wanted, view)][:room]
        room -= len(found)
        yield from found
        level = sorted({shown.issuer for shown, _ in found} - seen)
        seen.update(level)


def _readable(
    subject: IdentityId, is_wanted: Callable[[ScopeDocument], bool], view: View
) -> Sequence[tuple[AccreditationDisclosure, AccreditationFact]]:
    pairs = (
        (shown_accreditation(view.documents, fact.id), fact)
        for fact in accreditations_of(subject, view)
    )
    wanted = [(shown, fact) for shown, fact in pairs if shown and is_wanted(shown.scope)]
    return wanted[:PER_SUBJECT_MAX]
