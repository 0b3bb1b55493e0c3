"""Part of (2): who signed beside the machine, where the recipe asks for a second signature."""

from collections.abc import Iterator

from guildmark.domain.builds.countersigning import COUNTERSIGNATURE, Demand, countersignature_clause
from guildmark.domain.builds.dsse import Envelope, SignaturesMissingError
from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import IdentityWord, IntervalWord, KeyWord
from guildmark.domain.errors import SignatureError
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.identity.identity import IdentityKind, key_id
from guildmark.domain.verification.case import ENVELOPE, Case, Right, UndecidedError
from guildmark.domain.verification.checks.clauses import master_clauses
from guildmark.domain.verification.checks.members import Shown
from guildmark.domain.verification.checks.parties import link_findings
from guildmark.domain.verification.doubts import Weight, act_findings, of_key
from guildmark.domain.verification.evidence import CountersignerDisclosure
from guildmark.domain.verification.naming import display_name
from guildmark.domain.verification.report import Cause, Finding, State

_RECIPE = "disclosed/recipe.json"
_SHOWN = "disclosed/countersigner.json"

COUNTERSIGNATURE_MISSING = Cause(
    code="verify.countersignatureMissing",
    state=State.FAIL,
    meaning="The recipe asks for a second signature, and the machine alone signed.",
)
COUNTERSIGNATURE_INVALID = Cause(
    code="verify.countersignatureInvalid",
    state=State.FAIL,
    meaning="The second signature does not fit the statement.",
)
COUNTERSIGNER_NOT_ADMITTED = Cause(
    code="verify.countersignerNotAdmitted",
    state=State.FAIL,
    meaning="The second signature is not of whom the recipe asks for.",
)
COUNTERSIGNER_NOT_GOOD = Cause(
    code="verify.countersignerNotGood",
    state=State.FAIL,
    meaning="The second key or its machine's links did not hold while the part was built, or the "
    "part was logged after a notice on that key.",
)
COUNTERSIGNER_GOOD_PARTLY = Cause(
    code="verify.countersignerGoodPartly",
    state=State.UNKNOWN,
    meaning="The second key or its machine's links held only a part of the time between beacon and "
    "record.",
)
COUNTERSIGNER_IN_DOUBT = Cause(
    code="verify.countersignerInDoubt",
    state=State.UNKNOWN,
    meaning="The part was logged when the second key is already suspected.",
)
COUNTERSIGNER_MISSING = Cause(
    code="verify.countersignerMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not show whose the second signature is.",
)
COUNTERSIGNATURE_UNREAD = Cause(
    code="verify.countersignatureUnread",
    state=State.UNKNOWN,
    meaning="A clause asks for a second signature in a form that this version does not know.",
)
COUNTERSIGNATURE_WITHHELD = Cause(
    code="verify.countersignatureWithheld",
    state=State.WITHHELD,
    meaning="The recipe may ask for a second signature in a clause that is not shown.",
)

COUNTERSIGNED_CAUSES = (
    COUNTERSIGNATURE_MISSING,
    COUNTERSIGNATURE_INVALID,
    COUNTERSIGNER_NOT_ADMITTED,
    COUNTERSIGNER_NOT_GOOD,
    COUNTERSIGNER_GOOD_PARTLY,
    COUNTERSIGNER_IN_DOUBT,
    COUNTERSIGNER_MISSING,
    COUNTERSIGNATURE_UNREAD,
    COUNTERSIGNATURE_WITHHELD,
)


def countersigned(case: Case) -> Iterator[Finding]:
    """Yield what lacks of the second signature; nothing where the recipe asks for none."""
    envelope = case.envelope
    try:
        clauses = Shown.of(master_clauses(case))
    except UndecidedError:
        # (7) says that the recipe is not shown.
        return
    if not isinstance(envelope, Envelope):
        # Another rule of this check says so.
        return
    if clauses.may_hide(COUNTERSIGNATURE):
        reason = "The recipe may ask for a second signature that is not shown."
        yield COUNTERSIGNATURE_WITHHELD.found(reason, _RECIPE)
    clause = countersignature_clause(clauses.by_path.values())
    demand = None if clause is None else Demand.of(clause)
    if demand is not None:
        yield from _lacking(case, envelope, demand)
    elif clause is not None:
        reason = f"The clause {clause.path} asks for a second signature in an unknown form."
        yield COUNTERSIGNATURE_UNREAD.found(reason, _RECIPE)


def countersigned_notes(case: Case) -> Iterator[str]:
    """Yield who countersigned, where the recipe asks for it and nothing lacks."""
    shown = case.disclosed.countersigner
    try:
        clause = countersignature_clause(master_clauses(case).opened.values())
        is_asked = clause is not None and not list(countersigned(case))
    except UndecidedError:
        # The check says why.
        return
    if is_asked and shown is not None:
        yield f"{display_name(case, shown.link.parent)} signed the statement, too."


def _lacking(case: Case, envelope: Envelope, demand: Demand) -> Iterator[Finding]:
    shown, run = case.disclosed.countersigner, case.statement.run
    if len(envelope.signatures) == 1:
        reason = f"The recipe asks that {demand.words} signs, too; there is one signature."
        yield COUNTERSIGNATURE_MISSING.found(reason, ENVELOPE)
    elif shown is None:
        reason = f"It is not shown whether {demand.words} signed, as the recipe asks."
        yield COUNTERSIGNER_MISSING.found(reason, "disclosed")
    elif shown.machine == run.machine or not demand.admits(shown.link.parent, run.maker):
        who = display_name(case, shown.link.parent)
        reason = f"The recipe asks that {demand.words} signs, too; a machine of {who} did."
        yield COUNTERSIGNER_NOT_ADMITTED.found(reason, _SHOWN)
    else:
        yield from _signature(envelope, shown)
        yield from _key(case, shown)
        yield from _organization(case, shown)


def _signature(envelope: Envelope, shown: CountersignerDisclosure) -> Iterator[Finding]:
    name = key_id(shown.machine, shown.key)
    try:
        envelope.verify({name: shown.key.verify})
    except SignaturesMissingError:
        reason = f"No signature is of the shown second key {to_hex(name)}."
        yield COUNTERSIGNER_MISSING.found(reason, ENVELOPE)
    except SignatureError:
        reason = f"The signature of the second key {to_hex(name)} does not fit."
        yield COUNTERSIGNATURE_INVALID.found(reason, ENVELOPE)


def _key(case: Case, shown: CountersignerDisclosure) -> Iterator[Finding]:
    name = key_id(shown.machine, shown.key)
    key, logged = KeyWord.decode(case.word(storage.KEYS.at(name))), case.window.end
    if key.since == 0:
        reason = f"The chain knows no key {to_hex(name)} of that machine."
        yield COUNTERSIGNER_NOT_GOOD.found(reason, _SHOWN)
        return
    interval = IntervalWord(since=key.since, until=key.until)
    yield from _right("The second key").findings([interval], case.window)
    for doubt in of_key(case, name, key):
        weight, reason = doubt.weight(logged), f"The part was logged at {logged}; {doubt.words}."
        if weight is Weight.VOID:
            yield COUNTERSIGNER_NOT_GOOD.found(reason, _SHOWN)
        elif weight is Weight.DOUBT:
            yield COUNTERSIGNER_IN_DOUBT.found(reason, _SHOWN)
    yield from act_findings(case, shown.machine, key.since, "The second key was added", _SHOWN)


def _organization(case: Case, shown: CountersignerDisclosure) -> Iterator[Finding]:
    kinds: dict[IdentityId, IdentityKind] = {
        shown.machine: IdentityKind.MACHINE,
        shown.link.child: IdentityKind.SITE,
        shown.link.parent: IdentityKind.ORGANIZATION,
    }
    for identity, kind in kinds.items():
        if IdentityWord.decode(case.word(storage.IDENTITIES.at(identity))).kind != kind:
            reason = f"The second signer's {kind.name.lower()} is not registered as one."
            yield COUNTERSIGNER_NOT_GOOD.found(reason, _SHOWN)
    if (shown.site_link.child, shown.site_link.parent) != (shown.machine, shown.link.child):
        reason = "The shown links do not lead from the second machine to its organization."
        yield COUNTERSIGNER_MISSING.found(reason, _SHOWN)
        return
    yield from link_findings(case, shown.site_link, _right("The link of the second machine"))
    yield from link_findings(case, shown.link, _right("The link of the second machine's site"))


def _right(what: str) -> Right:
    return Right(
        what=what, evidence=_SHOWN, none=COUNTERSIGNER_NOT_GOOD, part=COUNTERSIGNER_GOOD_PARTLY
    )
