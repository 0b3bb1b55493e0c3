"""A plan with all that became of it, as one document that an auditor files and runs again."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Self, cast

from guildmark.domain.chain.facts import CertificateFact
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.fields import MemberInvalidError
from guildmark.domain.encoding.strictjson import JsonObject, parse_object
from guildmark.domain.equivalence.blinded import BlindData
from guildmark.domain.equivalence.dataset import Dataset
from guildmark.domain.equivalence.leaves import OpeningMismatchError
from guildmark.domain.equivalence.logged import Passed
from guildmark.domain.equivalence.plan import EquivalencePlan
from guildmark.domain.equivalence.registration import Lapse, Outcome
from guildmark.domain.equivalence.verdict import RESULT_LIMITS, EquivalenceResult
from guildmark.domain.identifiers import Digest, EquivalencePlanId, IdentityId, to_hex
from guildmark.domain.measurement.readings import Reading

REPORT_TYPE = "https://guildmark.org/equivalence-report/v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """How much a site measured, and with what.

    Args:
        passed: How many drawn parts were passed over as not built for the plan, by reason.
    """

    readings: int
    parts: int
    builds: int
    lots: int
    instruments: tuple[str, ...]
    passed: Mapping[Passed, int] = field(default_factory=dict)

    @classmethod
    def of(
        cls, readings: Iterable[Reading], passed: Mapping[Passed, int] = MappingProxyType({})
    ) -> Self:
        """Return what readings amount to."""
        found = list(readings)
        return cls(
            readings=len(found),
            parts=len({one.part for one in found}),
            builds=len({one.build for one in found}),
            lots=len({one.lot for one in found} - {None}),
            instruments=tuple(sorted({one.instrument for one in found})),
            passed=dict(passed),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class EarlierPlan:
    """A plan of the same recipe that a site joined before, and how it ended for the site."""

    number: int
    plan: EquivalencePlanId
    ended: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Certified:
    """A certificate as it stands on chain; what did not happen has time 0."""

    verdict: str
    result: Digest
    since: int
    until: int = 0
    suspended_at: int = 0
    reason: Digest | None = None
    lapsed_at: int = 0
    cause: str | None = None

    @classmethod
    def of(cls, fact: CertificateFact) -> Self:
        """Return what a fact says."""
        return cls(
            verdict=Outcome(fact.verdict).name,
            result=fact.result,
            since=fact.since,
            until=fact.until,
            suspended_at=fact.suspended_at,
            reason=fact.reason if fact.suspended_at else None,
            lapsed_at=fact.lapsed_at,
            cause=Lapse(fact.cause).name if fact.lapsed_at else None,
        )

    def standing(self, now: int) -> str:
        """Return in a few words whether it holds at a time."""
        if self.lapsed_at and self.lapsed_at <= now:
            return "lapsed"
        if self.suspended_at and self.suspended_at <= now:
            return "suspended"
        return "ended" if self.until and self.until <= now else "in force"


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterResult:
    """Another result that an authority set against a certificate."""

    authority: IdentityId
    result: Digest


@dataclass(frozen=True, slots=True, kw_only=True)
class SiteReport:
    """What a site did under a plan, and what became of it.

    Args:
        name: What its profile calls it, empty where that is not known here.
        number: The number of the plan among those of the recipe that the site joined, 0 where it
            did not.
        blind: What it committed to.
        root: What it revealed.
        failed: Why its data does not count, None where it does.
    """

    site: IdentityId
    name: str
    number: int = 0
    joined_at: int = 0
    committed_at: int = 0
    revealed_at: int = 0
    blind: Digest | None = None
    root: Digest | None = None
    failed: str | None = None
    sample: Sample
    earlier: tuple[EarlierPlan, ...] = ()
    certificate: Certified | None = None
    counter_results: tuple[CounterResult, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class EquivalenceReport:
    """All that an auditor needs of a plan: equal bytes until something of it changes on chain.

    Args:
        id: The plan's id on chain.
        sponsor: Who asked.
        registered_at: When.
        plan: The whole plan with its salt, so that its digest can be checked.
        plan_digest: What the chain holds of it.
        sites: What each site did.
        instruments: The instruments that are registered.
        result: What the engine made of it.
        result_digest: What certificates name.
        again: How to run it again.
    """

    id: EquivalencePlanId
    sponsor: IdentityId
    registered_at: int
    plan: EquivalencePlan
    plan_digest: Digest
    sites: tuple[SiteReport, ...]
    instruments: tuple[str, ...]
    result: EquivalenceResult
    result_digest: Digest
    again: tuple[str, ...]

    def to_document(self) -> JsonObject:
        """Return the report as its document says it."""
        members = cast("JsonObject", codec.dump(self))
        return {"type": REPORT_TYPE, **members}

    def encode(self) -> bytes:
        """Return the report's bytes, in lines that people can read, too."""
        text = json.dumps(self.to_document(), sort_keys=True, indent=2, ensure_ascii=False)
        return f"{text}\n".encode()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the report that a document holds.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
        """
        members = dict(parse_object(data, RESULT_LIMITS))
        if members.pop("type", None) != REPORT_TYPE:
            message = f"The document is no {REPORT_TYPE}."
            raise MemberInvalidError(message, member="type")
        return codec.load(cls, members)

    def dataset(self, data: Iterable[BlindData]) -> Dataset:
        """Return what the engine computes from, out of data that sites revealed.

        Raises:
            OpeningMismatchError: Data are missing, are of another plan, or are not what their site
                revealed.
        """
        shown = {one.site: one for one in data}
        counted = [one for one in self.sites if one.failed is None]
        opened = [_opened(self.id, site, shown.get(site.site)) for site in counted]
        return gathered(opened, self.instruments, self.failed)

    @property
    def failed(self) -> dict[str, str]:
        """Return why data of some sites do not count."""
        return {to_hex(one.site): one.failed for one in self.sites if one.failed is not None}


def gathered(
    data: Sequence[BlindData], instruments: Iterable[str], failed: dict[str, str]
) -> Dataset:
    """Return the data of sites as one dataset.

    Args:
        data: The data that count.
        instruments: Those that are registered.
        failed: Why the data of other sites do not count.
    """
    return Dataset(
        readings=tuple(reading for one in data for reading in one.readings),
        instruments=frozenset(instruments),
        studies=tuple(study for one in data for study in one.shown.studies),
        roots={to_hex(one.site): one.root() for one in data},
        failed=failed,
        traces={to_hex(one.site): one.shown.traces for one in data if one.shown.traces},
    )


def _opened(plan: EquivalencePlanId, site: SiteReport, data: BlindData | None) -> BlindData:
    if data is None or data.plan != plan or data.root() != site.root:
        message = f"The data of {to_hex(site.site)} are not those that it revealed."
        raise OpeningMismatchError(message, site=to_hex(site.site))
    return data
