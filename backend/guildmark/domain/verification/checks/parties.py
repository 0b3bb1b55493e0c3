"""(1) Operator, site, machine and their links existed while the part was built."""

from collections.abc import Iterator

from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import IdentityWord, IntervalWord
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.verification.case import LINK_MISSING, Case, Right, UndecidedError
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.doubts import act_findings
from guildmark.domain.verification.evidence import LinkDisclosure
from guildmark.domain.verification.report import Cause, Finding, State
from guildmark.domain.verification.rights import Cover, cover

_IDENTITIES = "chain/identities.json"

MACHINE_UNREGISTERED = Cause(
    code="verify.machineUnregistered",
    state=State.FAIL,
    meaning="Nobody registered the machine.",
)
SITE_UNREGISTERED = Cause(
    code="verify.siteUnregistered", state=State.FAIL, meaning="Nobody registered the site."
)
MAKER_UNREGISTERED = Cause(
    code="verify.makerUnregistered",
    state=State.FAIL,
    meaning="Nobody registered the organization of the site.",
)
OPERATOR_UNREGISTERED = Cause(
    code="verify.operatorUnregistered",
    state=State.FAIL,
    meaning="Nobody registered the operator of the log.",
)
KIND_MISMATCH = Cause(
    code="verify.kindMismatch",
    state=State.FAIL,
    meaning="An identity is registered as something else than its role here.",
)
REGISTERED_LATER = Cause(
    code="verify.registeredLater",
    state=State.FAIL,
    meaning="An identity was registered after the part was logged.",
)
REGISTERED_MEANWHILE = Cause(
    code="verify.registeredMeanwhile",
    state=State.UNKNOWN,
    meaning="An identity was registered between beacon and record: perhaps after the build.",
)
LINK_MISMATCH = Cause(
    code="verify.linkMismatch",
    state=State.FAIL,
    meaning="The shown link is not the one between the statement's machine and site.",
)
MACHINE_UNLINKED = Cause(
    code="verify.machineUnlinked",
    state=State.FAIL,
    meaning="The machine was not linked to the site while the part was built.",
)
MACHINE_LINKED_PARTLY = Cause(
    code="verify.machineLinkedPartly",
    state=State.UNKNOWN,
    meaning="The machine's link held only a part of the time between beacon and record.",
)
SITE_UNLINKED = Cause(
    code="verify.siteUnlinked",
    state=State.FAIL,
    meaning="The site was not linked to the organization while the part was built.",
)
SITE_LINKED_PARTLY = Cause(
    code="verify.siteLinkedPartly",
    state=State.UNKNOWN,
    meaning="The site's link held only a part of the time between beacon and record.",
)
LOG_UNKNOWN = Cause(
    code="verify.logUnknown", state=State.FAIL, meaning="Nobody opened the log on this chain."
)
OPERATOR_MISSING = Cause(
    code="verify.operatorMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not say who operates the log.",
)
OPERATOR_MISMATCH = Cause(
    code="verify.operatorMismatch",
    state=State.FAIL,
    meaning="Another operator opened the log than the bundle says.",
)


def _machine(case: Case) -> Iterator[Finding]:
    machine = case.statement.run.machine
    yield from _identity(case, machine, IdentityKind.MACHINE, MACHINE_UNREGISTERED)


def _machine_link(case: Case) -> Iterator[Finding]:
    run, link = case.statement.run, case.disclosed.site_link
    if link is not None and (link.child, link.parent) != (run.machine, run.site):
        reason = "The shown link is not from the statement's machine to its site."
        yield LINK_MISMATCH.found(reason, "disclosed/site-link.json")
        return
    right = Right(
        what="The link from machine to site",
        evidence="disclosed/site-link.json",
        none=MACHINE_UNLINKED,
        part=MACHINE_LINKED_PARTLY,
    )
    yield from link_findings(case, link, right)


def _site(case: Case) -> Iterator[Finding]:
    yield from _identity(case, case.statement.run.site, IdentityKind.SITE, SITE_UNREGISTERED)


def _site_link(case: Case) -> Iterator[Finding]:
    link = case.disclosed.maker_link
    if link is not None and link.child != case.statement.run.site:
        reason = "The shown link is not from the statement's site."
        yield LINK_MISMATCH.found(reason, "disclosed/maker-link.json")
        return
    right = Right(
        what="The link from site to organization",
        evidence="disclosed/maker-link.json",
        none=SITE_UNLINKED,
        part=SITE_LINKED_PARTLY,
    )
    yield from link_findings(case, link, right)


def _maker(case: Case) -> Iterator[Finding]:
    link = case.disclosed.maker_link
    if link is not None:
        yield from _identity(case, link.parent, IdentityKind.ORGANIZATION, MAKER_UNREGISTERED)


def _operator(case: Case) -> Iterator[Finding]:
    log, shown = case.core.record.log, case.disclosed.operator
    operator = case.word(storage.OPERATORS.at(log))
    if operator == 0:
        yield LOG_UNKNOWN.found(f"The chain knows no log {log}.", "chain/log.json")
    elif shown is None:
        yield OPERATOR_MISSING.found(f"The operator of log {log} is not shown.", "disclosed")
    elif storage.identity_of(operator) != shown:
        reason = f"Log {log} belongs to another operator than the bundle says."
        yield OPERATOR_MISMATCH.found(reason, "disclosed/operator.json")
    else:
        yield from _identity(case, shown, IdentityKind.ORGANIZATION, OPERATOR_UNREGISTERED)


def _identity(
    case: Case, identity: IdentityId, kind: IdentityKind, unregistered: Cause
) -> Iterator[Finding]:
    found = IdentityWord.decode(case.word(storage.IDENTITIES.at(identity)))
    named = f"{kind.name.lower()} {to_hex(identity)}"
    if found.kind == 0:
        yield unregistered.found(f"The {named} is not registered.", _IDENTITIES)
        return
    if found.kind != kind:
        yield KIND_MISMATCH.found(f"The {named} is registered as another kind.", _IDENTITIES)
        return
    right = Right(
        what=f"The registration of {named}",
        evidence=_IDENTITIES,
        none=REGISTERED_LATER,
        part=REGISTERED_MEANWHILE,
    )
    yield from right.findings([IntervalWord(since=found.since, until=0)], case.window)
    yield from act_findings(case, identity, found.since, f"The {named} was registered")


def link_findings(case: Case, link: LinkDisclosure | None, right: Right) -> Iterator[Finding]:
    """Yield what is wrong with a link: that it did not hold all the while, or who made it.

    Raises:
        UndecidedError: It is not shown, or not all of its intervals.
    """
    if link is None:
        raise UndecidedError(LINK_MISSING.found(f"{right.what} is not shown.", "disclosed"))
    count = case.word(storage.LINK_COUNTS.at(link.child, link.parent))
    if count == 0:
        yield right.none.found(f"{right.what} does not exist.", right.evidence)
        return
    # Intervals that began after block b are shown in vain, and do no harm.
    if count > link.count:
        reason = f"{right.what} has {count} intervals, {link.count} are shown."
        raise UndecidedError(LINK_MISSING.found(reason, right.evidence))
    ends = (link.child, link.parent)
    words = [case.word(storage.LINKS.at(*ends, number)) for number in range(1, count + 1)]
    # A slot that holds nothing is no interval without bounds.
    intervals = [IntervalWord.decode(word) for word in words if word]
    yield from right.findings(intervals, case.window)
    for interval in intervals:
        if cover([interval], case.window) is not Cover.NONE:
            for side in ends:
                made = f"{right.what} was made"
                yield from act_findings(case, side, interval.since, made, right.evidence)


PARTIES = Check(
    number=1,
    name="operator, site and machine",
    asks="Operator, site, machine and their links existed while the part was built.",
    looked_at="chain/identities.json",
    causes=(
        MACHINE_UNREGISTERED,
        SITE_UNREGISTERED,
        MAKER_UNREGISTERED,
        OPERATOR_UNREGISTERED,
        KIND_MISMATCH,
        REGISTERED_LATER,
        REGISTERED_MEANWHILE,
        LINK_MISMATCH,
        MACHINE_UNLINKED,
        MACHINE_LINKED_PARTLY,
        SITE_UNLINKED,
        SITE_LINKED_PARTLY,
        LOG_UNKNOWN,
        OPERATOR_MISSING,
        OPERATOR_MISMATCH,
    ),
    rules=(_machine, _machine_link, _site, _site_link, _maker, _operator),
)
