"""(3) The entry is at that position of that record, about this part, and the first of it."""

from collections.abc import Iterator

from guildmark.domain.builds.statement import SubjectMismatchError
from guildmark.domain.chain import storage
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import to_hex
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.log import merkle
from guildmark.domain.verification.case import ENVELOPE, LINK_MISSING, Case
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.first_use import (
    ENVELOPE_LOGGED_EARLIER,
    LABEL_CLAIMED_EARLIER,
    LABEL_ENTRIES_BEYOND,
    LABEL_LICENSED_ELSEWHERE,
    LABEL_SOURCE_SILENT,
    first_use,
    searched,
)
from guildmark.domain.verification.report import Cause, Finding, State

_ENTRY = "log/entry.json"

PATH_INVALID = Cause(
    code="verify.pathInvalid",
    state=State.FAIL,
    meaning="The path does not lead from the entry to the record's root: it is not in that log.",
)
HINT_MISMATCH = Cause(
    code="verify.hintMismatch",
    state=State.FAIL,
    meaning="The scanned code names another position than the bundle.",
)
LABEL_MISMATCH = Cause(
    code="verify.labelMismatch",
    state=State.FAIL,
    meaning="The statement is about a part with another label than the scanned one.",
)
LABEL_NOT_CANONICAL = Cause(
    code="verify.labelNotCanonical",
    state=State.FAIL,
    meaning="The label is no link that labels may be: readers could take it for another part's.",
)
LABEL_OF_OTHER_OPERATOR = Cause(
    code="verify.labelOfOtherOperator",
    state=State.FAIL,
    meaning="A label of the own form names another operator than the one who runs the log.",
)
SUBJECT_MISMATCH = Cause(
    code="verify.subjectMismatch",
    state=State.FAIL,
    meaning="The statement's subject is not the salted digest of its own label.",
)
ENTRY_SUBJECT_MISMATCH = Cause(
    code="verify.entrySubjectMismatch",
    state=State.FAIL,
    meaning="Statement and log entry are about different subjects.",
)
MAKER_MISMATCH = Cause(
    code="verify.makerMismatch",
    state=State.FAIL,
    meaning="Log entry, statement and the site's link do not name one and the same maker.",
)
DEPENDENCIES_MISMATCH = Cause(
    code="verify.dependenciesMismatch",
    state=State.FAIL,
    meaning="Statement and log entry commit to different recall keys.",
)


def _path(case: Case) -> Iterator[Finding]:
    core = case.core
    try:
        merkle.verify_inclusion(
            data=core.entry.leaf_data(core.salt),
            index=core.position,
            count=core.record.count,
            path=core.path,
            root=core.record.root,
        )
    except merkle.ProofError:
        record = f"record {core.record.seq} of log {core.record.log}"
        reason = f"The entry is not at position {core.position} of {record}."
        yield PATH_INVALID.found(reason, _ENTRY)


def _position(case: Case) -> Iterator[Finding]:
    here = (case.core.record.log, case.core.index)
    if case.question.hint not in {None, here}:
        reason = f"The bundle is about part {here[0]}.{here[1]}, the scanned code names another."
        yield HINT_MISMATCH.found(reason, "log/record.json")


def _subject(case: Case) -> Iterator[Finding]:
    if isinstance(case.parsed_statement, SubjectMismatchError):
        yield SUBJECT_MISMATCH.found(case.parsed_statement.message, ENVELOPE)
    elif case.statement.subject != case.core.entry.subject:
        reason = f"The entry's subject {to_hex(case.core.entry.subject)} is not the statement's."
        yield ENTRY_SUBJECT_MISMATCH.found(reason, _ENTRY)


def _label(case: Case) -> Iterator[Finding]:
    read, scanned, label = case.question.label, case.question.link, case.statement.label
    if read not in {None, label}:
        reason = f"{read!r} was read, the statement is about {label!r}."
        yield LABEL_MISMATCH.found(reason, ENVELOPE)
    try:
        named = DigitalLink.parse_label(label)
    except MalformedError:
        reason = f"{label!r} is no link that labels may be."
        yield LABEL_NOT_CANONICAL.found(reason, ENVELOPE)
        return
    if scanned is not None and _thing(scanned) != _thing(named):
        reason = f"{scanned.label!r} was scanned, the statement is about {label!r}."
        yield LABEL_MISMATCH.found(reason, ENVELOPE)


def _label_operator(case: Case) -> Iterator[Finding]:
    log = case.core.record.log
    try:
        named = DigitalLink.parse_label(case.statement.label)
    except MalformedError:
        # Said above.
        return
    # A log that nobody opened is a finding of (1).
    operator = case.word(storage.OPERATORS.at(log)) if named.is_own else 0
    if operator and not named.is_of_operator(storage.identity_of(operator)):
        reason = f"The label names operator {named.value}, who does not run log {log}."
        yield LABEL_OF_OTHER_OPERATOR.found(reason, ENVELOPE)


def _thing(link: DigitalLink) -> object:
    return link.key, link.value, link.qualifiers


def _maker(case: Case) -> Iterator[Finding]:
    entry, link = case.core.entry, case.disclosed.maker_link
    if case.statement.run.maker != entry.maker:
        yield MAKER_MISMATCH.found("The entry names another maker than the statement.", _ENTRY)
    elif link is None:
        yield LINK_MISSING.found("The link from site to organization is not shown.", "disclosed")
    elif link.parent != entry.maker:
        reason = "The entry's maker is not the organization of the site."
        yield MAKER_MISMATCH.found(reason, _ENTRY)


def _dependencies(case: Case) -> Iterator[Finding]:
    if case.statement.dependencies != case.core.entry.dependencies:
        reason = "The entry commits to other recall keys than the statement."
        yield DEPENDENCIES_MISMATCH.found(reason, _ENTRY)


ENTRY = Check(
    number=3,
    name="place in the log",
    asks="The entry is at this position of this record, it is about this part, and it was first.",
    looked_at="log/entry.json",
    causes=(
        PATH_INVALID,
        HINT_MISMATCH,
        LABEL_MISMATCH,
        LABEL_NOT_CANONICAL,
        LABEL_OF_OTHER_OPERATOR,
        SUBJECT_MISMATCH,
        ENTRY_SUBJECT_MISMATCH,
        MAKER_MISMATCH,
        DEPENDENCIES_MISMATCH,
        LABEL_CLAIMED_EARLIER,
        LABEL_LICENSED_ELSEWHERE,
        ENVELOPE_LOGGED_EARLIER,
        LABEL_SOURCE_SILENT,
        LABEL_ENTRIES_BEYOND,
    ),
    rules=(
        _path,
        _position,
        _label,
        _label_operator,
        _subject,
        _maker,
        _dependencies,
        first_use,
        searched,
    ),
)
