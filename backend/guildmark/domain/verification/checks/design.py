"""(5) The design's revision was registered, and everything is about that revision."""

from collections.abc import Iterator

from guildmark.domain.builds.statement import DESIGN_DEPENDENCY
from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import IntervalWord
from guildmark.domain.identifiers import to_hex
from guildmark.domain.rights.design import Revision
from guildmark.domain.rights.terms import Allowance, TermsKind, allows, revision_member
from guildmark.domain.verification.case import (
    ENVELOPE,
    LICENSE_MISSING,
    Case,
    Right,
    UndecidedError,
)
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.members import members_of
from guildmark.domain.verification.publishing import published_findings
from guildmark.domain.verification.report import Cause, Finding, State

_REVISION = "disclosed/revision.json"

REVISION_MISSING = Cause(
    code="verify.revisionMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not show the design's revision.",
)
REVISION_UNKNOWN = Cause(
    code="verify.revisionUnknown",
    state=State.FAIL,
    meaning="The chain has no revision of that number of that design.",
)
REVISION_MISMATCH = Cause(
    code="verify.revisionMismatch",
    state=State.FAIL,
    meaning="The chain has another revision of that number than the one that is shown.",
)
REVISION_LATER = Cause(
    code="verify.revisionLater",
    state=State.FAIL,
    meaning="The revision was published after the part was logged.",
)
REVISION_MEANWHILE = Cause(
    code="verify.revisionMeanwhile",
    state=State.UNKNOWN,
    meaning="The revision was published between beacon and record: perhaps after the build.",
)
DESIGN_MISMATCH = Cause(
    code="verify.designMismatch",
    state=State.FAIL,
    meaning="The statement names another design or revision than the one that is shown.",
)
RECIPE_DESIGN_MISMATCH = Cause(
    code="verify.recipeDesignMismatch",
    state=State.FAIL,
    meaning="The recipe is for another design or revision than the statement's.",
)
LICENSE_DESIGN_MISMATCH = Cause(
    code="verify.licenseDesignMismatch",
    state=State.FAIL,
    meaning="A license is for another design than the statement's.",
)
REVISION_NOT_LICENSED = Cause(
    code="verify.revisionNotLicensed",
    state=State.FAIL,
    meaning="A license names revisions, and the statement's is none of them.",
)
REVISIONS_WITHHELD = Cause(
    code="verify.revisionsWithheld",
    state=State.WITHHELD,
    meaning="A license does not show which revisions it allows.",
)
CIPHERTEXT_MISMATCH = Cause(
    code="verify.ciphertextMismatch",
    state=State.FAIL,
    meaning="The machine was given other files than the ones that the revision registers.",
)


def _registered(case: Case) -> Iterator[Finding]:
    revision = _revision(case)
    word = case.word(storage.REVISIONS.at(revision.design, revision.number))
    named = f"revision {revision.number} of design {to_hex(revision.design)}"
    if word == 0:
        yield REVISION_UNKNOWN.found(f"The chain has no {named}.", _REVISION)
    elif word != int.from_bytes(revision.digest(), "big"):
        yield REVISION_MISMATCH.found(f"The chain has another {named} than is shown.", _REVISION)
    else:
        right = Right(
            what=f"The registration of {named}",
            evidence=_REVISION,
            none=REVISION_LATER,
            part=REVISION_MEANWHILE,
        )
        yield from right.findings([IntervalWord(since=revision.at, until=0)], case.window)
        act = f"Revision {revision.number} was published"
        yield from published_findings(case, revision.at, act, _REVISION)


def _stated(case: Case) -> Iterator[Finding]:
    stated, revision = case.statement.external, _revision(case)
    if (stated.design, stated.revision) != (revision.design, revision.number):
        reason = "The statement names another design or revision than the one that is shown."
        yield DESIGN_MISMATCH.found(reason, ENVELOPE)


def _recipe(case: Case) -> Iterator[Finding]:
    stated, shown = case.statement.external, case.disclosed.recipe
    # A recipe that is not shown is a finding of (7).
    if shown is not None and (shown.recipe.design, shown.recipe.revision) != (
        stated.design,
        stated.revision,
    ):
        reason = "The recipe is for another design or revision than the statement's."
        yield RECIPE_DESIGN_MISMATCH.found(reason, "disclosed/recipe.json")


def _licensed(case: Case) -> Iterator[Finding]:
    stated = case.statement.external
    revision = revision_member(stated.design, stated.revision)
    if not case.disclosed.licenses:
        raise UndecidedError(LICENSE_MISSING.found("The license is not shown.", "disclosed"))
    for shown in case.disclosed.licenses:
        if shown.terms.design != stated.design:
            reason = f"License {shown.number} is for another design than the statement's."
            yield LICENSE_DESIGN_MISMATCH.found(reason, "disclosed/licenses.json")
        # Members that do not fit their root are a finding of (6).
        members = members_of(shown)
        allowed = Allowance.YES
        if members is not None:
            allowed = allows(members, TermsKind.REVISION, revision)
        if allowed is Allowance.NO:
            reason = f"License {shown.number} does not name revision {stated.revision}."
            yield REVISION_NOT_LICENSED.found(reason, "disclosed/licenses.json")
        if allowed is Allowance.UNKNOWN:
            reason = f"License {shown.number} does not show which revisions it allows."
            yield REVISIONS_WITHHELD.found(reason, "disclosed/licenses.json")


def _ciphertext(case: Case) -> Iterator[Finding]:
    given = case.statement.resource(DESIGN_DEPENDENCY)
    if given != _revision(case).ciphertext:
        reason = "The encrypted files that the statement names are not the revision's."
        yield CIPHERTEXT_MISMATCH.found(reason, ENVELOPE)


def _revision(case: Case) -> Revision:
    revision = case.disclosed.revision
    if revision is None:
        reason = "The design's revision is not shown."
        raise UndecidedError(REVISION_MISSING.found(reason, "disclosed"))
    return revision


DESIGN = Check(
    number=5,
    name="design revision",
    asks="The design's revision was registered, and files, recipe and license are of it.",
    looked_at="disclosed/revision.json",
    causes=(
        REVISION_MISSING,
        REVISION_UNKNOWN,
        REVISION_MISMATCH,
        REVISION_LATER,
        REVISION_MEANWHILE,
        DESIGN_MISMATCH,
        RECIPE_DESIGN_MISMATCH,
        LICENSE_DESIGN_MISMATCH,
        REVISION_NOT_LICENSED,
        REVISIONS_WITHHELD,
        CIPHERTEXT_MISMATCH,
    ),
    rules=(_registered, _stated, _recipe, _licensed, _ciphertext),
)
