"""Verdicts for a node's own pages: its trust list, and its own sight of the block."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from guildmark.domain import bundle
from guildmark.domain.chain.ethproof.header import HeaderError, decode_header
from guildmark.domain.identifiers import Digest, IdentityId, Index, LogNumber
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.domain.verification.case import (
    Brought,
    Case,
    Question,
    Sighting,
    Unsearched,
    with_others,
)
from guildmark.domain.verification.evidence import Evidence
from guildmark.domain.verification.report import Report
from guildmark.domain.verification.verdict import case_of, verdict_on
from guildmark.ports.chain import BlockUnknownError, Ledger
from guildmark.ports.clock import Clock
from guildmark.services.timing import present


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """A bundle's report, and the case that it is about."""

    report: Report
    case: Case


@dataclass(frozen=True, slots=True, kw_only=True)
class Judging:
    """Use cases around the verdicts that a host gives.

    Args:
        trust: The host's list.
        host: The host's name, which every headline says.
    """

    ledger: Ledger
    clock: Clock
    trust: Trust
    host: str

    def judge(
        self,
        data: bytes,
        *,
        hint: tuple[LogNumber, Index],
        link: DigitalLink | None = None,
        beside: Sequence[Brought | Unsearched] = (),
    ) -> Judged:
        """Return the verdict about a bundle.

        Args:
            data: The bundle.
            hint: The position that was asked for, which the entry must have.
            link: The link that was scanned, whose part the statement must be about.
            beside: Other entries of the label that this host knows, and where it could not look.

        Raises:
            BundleError: The archive is not canonical, or its parts do not fit.
            LedgerUnavailableError: The chain cannot be reached.
        """
        evidence = bundle.read(data)
        question = Question(
            link=link,
            hint=hint,
            now=present(self.clock, self.ledger.head(final=False)),
            sighting=self._sighting(evidence),
            list_name=self.host,
            inspections_from=self.host,
        )
        sighting = question.sighting
        question, others = with_others(question, beside)
        brought = tuple(replace(one, sighting=sighting) for one in others)
        case = case_of(evidence, self.trust, question, brought)
        return Judged(report=verdict_on(case), case=case)

    def _sighting(self, evidence: Evidence) -> Sighting:
        try:
            number = decode_header(evidence.chain.header).number
        except HeaderError:
            return Sighting(is_reached=True)
        return Sighting(
            is_reached=True,
            hash=self._hash(number),
            is_final=number <= self.ledger.head(final=True).number,
        )

    def _hash(self, number: int) -> Digest | None:
        try:
            return self.ledger.block(number).hash
        except BlockUnknownError:
            return None


def own_trust(ledger: Ledger, operator: IdentityId) -> Trust:
    """Return the list of an operator who named nobody else: the own chain, the own log."""
    return Trust(version=VERSION, chain=ledger.pin(), operators=(Listed(id=operator),))
