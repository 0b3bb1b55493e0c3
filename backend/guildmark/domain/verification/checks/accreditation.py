"""(10) What the recipe asks to be accredited for was accredited while the part was built."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import AccreditationWord, IntervalWord
from guildmark.domain.identifiers import IdentityId
from guildmark.domain.identity.accreditation import (
    Accreditation,
    Answer,
    Requirement,
    Standing,
    accredited_over,
)
from guildmark.domain.recipes.clause import Clause, ClauseClass
from guildmark.domain.verification.case import CONTROLLER_IN_DOUBT, Case, UndecidedError
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.clauses import master_clauses
from guildmark.domain.verification.checks.members import Shown
from guildmark.domain.verification.doubts import act_findings
from guildmark.domain.verification.naming import display_name
from guildmark.domain.verification.report import (
    EXIT_OF_CHECK,
    EXIT_OK,
    EXIT_UNCHECKABLE,
    EXIT_UNTRUSTED,
    Cause,
    Finding,
    Lack,
    State,
)

ACCREDITATION = "/qa/accreditation/"
"""Clauses below it: ``<name>`` or ``<name>/standard``, ``<name>/process``, ``<name>/material``."""

_NUMBER = 10
_RECIPE = "disclosed/recipe.json"
_SHOWN = "disclosed/accreditations.json"
_MEMBERS = frozenset({"", "standard", "process", "material"})

ACCREDITATION_LAPSED = Cause(
    code="verify.accreditationLapsed",
    state=State.FAIL,
    meaning="An accreditation had ended, was revoked or had not begun while the part was built.",
)
ACCREDITATION_UNREGISTERED = Cause(
    code="verify.accreditationUnregistered",
    state=State.FAIL,
    meaning="The chain does not hold a shown accreditation, or holds it for another scope.",
)
ACCREDITATION_BROKEN = Cause(
    code="verify.accreditationBroken",
    state=State.FAIL,
    meaning="The chain of issuers goes in a circle, or an issuer accredits what he may not.",
)
ACCREDITATION_OUT_OF_SCOPE = Cause(
    code="verify.accreditationOutOfScope",
    state=State.FAIL,
    meaning="The shown accreditations are for something else than the recipe asks.",
)
ACCREDITATION_PARTLY = Cause(
    code="verify.accreditationPartly",
    state=State.UNKNOWN,
    meaning="The accreditation held only a part of the time between beacon and record.",
)
ACCREDITATION_MISSING = Cause(
    code="verify.accreditationMissing",
    state=State.UNKNOWN,
    meaning="The recipe asks for an accreditation, and the bundle shows none.",
)
ACCREDITATION_UNREAD = Cause(
    code="verify.accreditationUnread",
    state=State.UNKNOWN,
    meaning="A clause asks for an accreditation in a form that this version does not know.",
)
ACCREDITATION_UNLISTED = Cause(
    code="verify.accreditationUnlisted",
    state=State.UNKNOWN,
    meaning="The last issuer of the accreditation is not on your list.",
    lack=Lack.ISSUER,
)
ACCREDITATIONS_WITHHELD = Cause(
    code="verify.accreditationsWithheld",
    state=State.WITHHELD,
    meaning="The recipe may ask for accreditations that are not shown.",
)
ACCREDITATIONS_NOT_ASKED = Cause(
    code="verify.accreditationsNotAsked",
    state=State.NOT_CLAIMED,
    meaning="The recipe asks for no accreditation.",
    is_exempt=True,
)

_CAUSES: Mapping[Standing, Cause] = MappingProxyType(
    {
        Standing.LAPSED: ACCREDITATION_LAPSED,
        Standing.DOUBTED: CONTROLLER_IN_DOUBT,
        Standing.UNREGISTERED: ACCREDITATION_UNREGISTERED,
        Standing.BROKEN: ACCREDITATION_BROKEN,
        Standing.OUT_OF_SCOPE: ACCREDITATION_OUT_OF_SCOPE,
        Standing.PARTLY: ACCREDITATION_PARTLY,
        Standing.ABSENT: ACCREDITATION_MISSING,
        Standing.UNLISTED: ACCREDITATION_UNLISTED,
    }
)


_EXITS: Mapping[Lack, int] = MappingProxyType(
    {Lack.ISSUER: EXIT_UNTRUSTED, Lack.EVIDENCE: EXIT_UNCHECKABLE}
)


def exit_of(standing: Standing) -> int:
    """Return the exit code of an answer that stands alone."""
    cause = _CAUSES.get(standing)
    if cause is None:
        return EXIT_OK
    return EXIT_OF_CHECK[_NUMBER] if cause.state is State.FAIL else _EXITS[cause.lack]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What clauses ask to be accredited for.

    Args:
        requirements: What can be judged.
        unread: Paths of clauses whose form is not known.
    """

    requirements: tuple[Requirement, ...]
    unread: tuple[str, ...]


def asked(clauses: Sequence[Clause], site: IdentityId) -> Asked:
    """Return what a recipe's shown clauses ask to be accredited for, at a site."""
    groups: dict[str, dict[str, Clause]] = {}
    for clause in clauses:
        if clause.path.startswith(ACCREDITATION):
            name, _, member = clause.path.removeprefix(ACCREDITATION).partition("/")
            groups.setdefault(name, {})[member] = clause
    requirements, unread = [], []
    for members in groups.values():
        found = _requirement(members, site)
        if found is None:
            unread += [str(clause.path) for clause in members.values()]
        else:
            requirements.append(found)
    return Asked(requirements=tuple(requirements), unread=tuple(unread))


def accreditation_notes(case: Case) -> Iterator[str]:
    """Yield a sentence for each accreditation that was asked for and held."""
    try:
        answers = [found.answer for found in _answers(case) if not found.doubts]
    except UndecidedError:
        # The check says why.
        return
    for answer in answers:
        if answer.is_held:
            issuers = [display_name(case, link.issuer) for link in answer.chain]
            subject = display_name(case, answer.chain[0].subject)
            standard = answer.chain[0].scope.standard
            yield f"{subject} was accredited for {standard} by {', under '.join(issuers)}."


def _held(case: Case) -> Iterator[Finding]:
    clauses = Shown.of(master_clauses(case))
    wanted = asked(list(clauses.by_path.values()), case.statement.run.site)
    if clauses.may_hide(ACCREDITATION):
        reason = "The recipe may ask for accreditations that are not shown."
        yield ACCREDITATIONS_WITHHELD.found(reason, _RECIPE)
    elif not (wanted.requirements or wanted.unread):
        yield ACCREDITATIONS_NOT_ASKED.found("The recipe asks for no accreditation.", _RECIPE)
    for path in wanted.unread:
        reason = f"The clause {path} asks for an accreditation in an unknown form."
        yield ACCREDITATION_UNREAD.found(reason, _RECIPE)
    for found in _answers(case):
        if not found.answer.is_held:
            yield from found.unproven
            yield _CAUSES[found.answer.standing].found(found.answer.reason, _SHOWN)
        yield from found.doubts


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    """What became of a requirement.

    Args:
        unproven: What of the evidence for it is not proven.
        doubts: Notices on who gave the accreditations by which it is met, or would be.
    """

    answer: Answer
    unproven: Sequence[Finding]
    doubts: Sequence[Finding]


def _answers(case: Case) -> Iterator[_Found]:
    """Yield what became of each requirement.

    Where a chain of accreditations that nobody doubts holds, those that are doubted do no harm;
    where only a doubted one does, it is as if nothing else lacked, and the doubt is what lacks.
    """
    run = case.statement.run
    wanted = asked(list(master_clauses(case).opened.values()), run.site)
    if not wanted.requirements:
        return
    proven, unproven = proven_accreditations(case)
    doubts = {one: tuple(doubts_of(case, one)) for one in proven}
    sound = [one for one in proven if not doubts[one]]
    for requirement in wanted.requirements:
        answer = _answer(case, requirement, sound)
        known = answer if answer.is_held else _answer(case, requirement, proven)
        found = [finding for link in known.chain for finding in doubts[link]]
        yield _Found(answer=known, unproven=unproven, doubts=found)


def _answer(case: Case, wanted: Requirement, shown: Sequence[Accreditation]) -> Answer:
    run = case.statement.run
    return accredited_over(
        (run.maker, run.site),
        wanted,
        case.window,
        shown=shown,
        roots=lambda identity: issuer_times(case, identity),
    )


def doubts_of(case: Case, given: Accreditation) -> Iterator[Finding]:
    """Yield a finding for each notice that bears on who gave an accreditation."""
    try:
        yield from act_findings(
            case, given.issuer, given.word.recorded_at, "The accreditation was given", _SHOWN
        )
    except UndecidedError as undecided:
        yield undecided.finding


def proven_accreditations(case: Case) -> tuple[Sequence[Accreditation], Sequence[Finding]]:
    """Return the shown accreditations as the chain has them, and what is not proven of others."""
    proven, unproven = [], []
    for one in case.disclosed.accreditations:
        try:
            word = AccreditationWord.decode(case.word(storage.ACCREDITATIONS.at(one.id())))
        except UndecidedError as undecided:
            unproven.append(undecided.finding)
            continue
        proven.append(
            Accreditation(issuer=one.issuer, subject=one.subject, scope=one.scope, word=word)
        )
    return proven, unproven


def issuer_times(case: Case, identity: IdentityId) -> Sequence[IntervalWord]:
    """Return when the reader accepts what rests on an identity."""
    return () if case.trust is None else case.trust.issuer_times(identity)


def _requirement(members: Mapping[str, Clause], site: IdentityId) -> Requirement | None:
    texts = {
        member: clause.value
        for member, clause in members.items()
        if clause.klass is ClauseClass.CORE and clause.unit is None
    }
    standards = [text for text in (texts.get(""), texts.get("standard")) if text]
    if texts.keys() != members.keys() or not members.keys() <= _MEMBERS or len(standards) != 1:
        return None
    return Requirement(
        standard=standards[0],
        process=texts.get("process") or "",
        material=texts.get("material") or "",
        site=site,
    )


ACCREDITATIONS = Check(
    number=_NUMBER,
    name="accreditation",
    asks="What the recipe asks for was accredited while the part was built.",
    looked_at=_SHOWN,
    causes=(
        ACCREDITATION_LAPSED,
        ACCREDITATION_UNREGISTERED,
        ACCREDITATION_BROKEN,
        ACCREDITATION_OUT_OF_SCOPE,
        ACCREDITATION_PARTLY,
        ACCREDITATION_MISSING,
        ACCREDITATION_UNREAD,
        ACCREDITATION_UNLISTED,
        ACCREDITATIONS_WITHHELD,
        ACCREDITATIONS_NOT_ASKED,
    ),
    rules=(_held,),
)
