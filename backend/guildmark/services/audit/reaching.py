"""Which recalls reach a unit, by the registry that the auditor's own index read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from guildmark.domain.audit.units import AuditedUnit
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain.facts import RecallFact, SitePlanFact
from guildmark.domain.identifiers import Bytes32, KeyId
from guildmark.domain.recall import RecallCause, Thing
from guildmark.domain.trust import Trust
from guildmark.ports.facts import Facts


@dataclass(frozen=True, slots=True, kw_only=True)
class Reaching:
    """Finds recalls by every key that a unit has.

    Args:
        trust: Whose authorities' recalls count beside the owners'; nobody's where it is None.
    """

    trust: Trust | None

    def of(self, one: AuditedUnit, facts: Facts) -> Iterator[RecallFact]:
        """Yield the recalls that reach a unit, closed ones too."""
        time = one.unit.record.time
        for key in _keys(one, facts):
            for recall in facts.each(RecallFact, key):
                is_in = recall.since <= time and (not recall.until or time < recall.until)
                if is_in and self._counts(recall):
                    yield recall

    def _counts(self, recall: RecallFact) -> bool:
        listed = self.trust is not None and self.trust.lists_authority(recall.by, recall.at)
        return recall.is_owners or listed


def _keys(one: AuditedUnit, facts: Facts) -> Iterator[bytes]:
    yield Thing.serial(*one.unit.place).key()
    if one.statement is not None:
        for thing in _things(one.statement, one.signers, facts):
            yield thing.key()
    yield from one.lots or ()


def _things(said: BuildStatement, signers: Sequence[KeyId], facts: Facts) -> Iterator[Thing]:
    external, site = said.external, Bytes32(said.run.site)
    named = (
        (RecallCause.MACHINE, said.run.machine),
        (RecallCause.RECIPE, external.recipe),
        (RecallCause.SITE_RECIPE, external.site_recipe),
        (RecallCause.DESIGN, external.design),
        *((RecallCause.KEY, key) for key in signers),
    )
    for cause, name in named:
        yield Thing(cause=cause, id=Bytes32(name))
    for plan in facts.each(SitePlanFact, external.recipe, said.run.site):
        yield Thing(cause=RecallCause.CERTIFICATE, id=Bytes32(plan.plan), detail=site)
