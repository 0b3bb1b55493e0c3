"""A report of a plan: one site that measured, one that kept silent and lost its certificate."""

import comparing
from guildmark.domain.chain.facts import CertificateFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import BlindData, SiteData
from guildmark.domain.equivalence.reporting.report import (
    Certified,
    CounterResult,
    EarlierPlan,
    EquivalenceReport,
    Sample,
    SiteReport,
)
from guildmark.domain.equivalence.verdict import EquivalenceResult
from guildmark.domain.identifiers import Bytes32, EquivalencePlanId, IdentityId

PLAN = comparing.plan()
PLAN_ID = EquivalencePlanId(sha256(b"plan"))
REFERENCE, SITE = (IdentityId(bytes.fromhex(one[2:])) for one in PLAN.all_sites)
SHOWN = BlindData(
    plan=PLAN_ID,
    site=REFERENCE,
    secret=Bytes32(sha256(b"secret")),
    salt=Bytes32(sha256(b"salt")),
    shown=SiteData(readings=comparing.drawn(comparing.REFERENCE, 1)),
)
GIVEN = CertificateFact(
    plan=PLAN_ID,
    site=SITE,
    verdict=1,
    result=sha256(b"result"),
    since=10,
    until=40,
    suspended_at=20,
    reason=sha256(b"drift"),
    lapsed_at=30,
    cause=2,
)


def report() -> EquivalenceReport:
    """Return the report."""
    result = EquivalenceResult(
        plan=PLAN.digest(), engine=PLAN.engine, data={}, verdicts=(), gates=()
    )
    return EquivalenceReport(
        id=PLAN_ID,
        sponsor=REFERENCE,
        registered_at=5,
        plan=PLAN,
        plan_digest=PLAN.digest(),
        sites=(
            SiteReport(
                site=REFERENCE,
                name="Graz <1>",
                number=1,
                root=SHOWN.root(),
                sample=Sample.of(SHOWN.readings),
            ),
            SiteReport(
                site=SITE,
                name="",
                number=2,
                joined_at=6,
                failed="it did not reveal its data",
                sample=Sample.of(()),
                earlier=(EarlierPlan(number=1, plan=PLAN_ID, ended="INCONCLUSIVE"),),
                certificate=Certified.of(GIVEN),
                counter_results=(CounterResult(authority=REFERENCE, result=sha256(b"counter")),),
            ),
        ),
        instruments=(comparing.GAUGE,),
        result=result,
        result_digest=result.digest(),
        again=("guildmark equivalence again FOLDER",),
    )
