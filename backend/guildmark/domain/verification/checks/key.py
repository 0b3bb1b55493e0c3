"""(2) The machine's key signed this envelope, was good all the while, and is not under notice."""

from collections.abc import Iterator

from guildmark.domain.builds.dsse import Envelope, SignaturesMissingError, envelope_digest
from guildmark.domain.builds.statement import PAYLOAD_TYPE, SubjectMismatchError
from guildmark.domain.chain import storage
from guildmark.domain.chain.storage import IntervalWord, KeyWord
from guildmark.domain.errors import GuildmarkError, SignatureError
from guildmark.domain.identifiers import KeyId, to_hex
from guildmark.domain.identity.identity import key_id
from guildmark.domain.signatures import PublicKey
from guildmark.domain.verification.case import ENVELOPE, Case, Right, UndecidedError
from guildmark.domain.verification.checks.check import Check
from guildmark.domain.verification.checks.countersigned import (
    COUNTERSIGNED_CAUSES,
    countersigned,
)
from guildmark.domain.verification.doubts import Weight, act_findings, of_key
from guildmark.domain.verification.inspections import confirmation, inspected
from guildmark.domain.verification.naming import display_name
from guildmark.domain.verification.report import Cause, Finding, State

_KEY = "disclosed/key.json"

SIGNATURE_INVALID = Cause(
    code="verify.signatureInvalid",
    state=State.FAIL,
    meaning="The machine's signature does not fit the statement: one of them was changed.",
)
SIGNATURE_MISSING = Cause(
    code="verify.signatureMissing",
    state=State.FAIL,
    meaning="No signature of the envelope names the machine's key.",
)
ENVELOPE_MALFORMED = Cause(
    code="verify.envelopeMalformed",
    state=State.FAIL,
    meaning="The signed envelope cannot be read.",
)
STATEMENT_MALFORMED = Cause(
    code="verify.statementMalformed",
    state=State.FAIL,
    meaning="What was signed is no build statement.",
)
ENVELOPE_MISMATCH = Cause(
    code="verify.envelopeMismatch",
    state=State.FAIL,
    meaning="The log entry commits to another envelope: signatures included, it was changed later.",
)
KEY_MISSING = Cause(
    code="verify.keyMissing",
    state=State.UNKNOWN,
    meaning="The bundle does not show the machine's public key.",
)
KEY_UNREGISTERED = Cause(
    code="verify.keyUnregistered",
    state=State.FAIL,
    meaning="The chain does not know the key as one of this machine.",
)
KEY_NOT_GOOD = Cause(
    code="verify.keyNotGood",
    state=State.FAIL,
    meaning="The key was not in force while the part was built.",
)
KEY_GOOD_PARTLY = Cause(
    code="verify.keyGoodPartly",
    state=State.UNKNOWN,
    meaning="The key was in force only a part of the time between beacon and record.",
)
KEY_UNDER_NOTICE = Cause(
    code="verify.keyUnderNotice",
    state=State.FAIL,
    meaning="The part was logged after the notice that the key is compromised.",
)
KEY_IN_DOUBT = Cause(
    code="verify.keyInDoubt",
    state=State.UNKNOWN,
    meaning="The part was logged before the notice, at a time when the key is already suspected, "
    "and nobody on your list had inspected it before the notice.",
)
MACHINE_MISMATCH = Cause(
    code="verify.machineMismatch",
    state=State.FAIL,
    meaning="Statement and log entry name different machines.",
)


def _readable(case: Case) -> Iterator[Finding]:
    envelope, statement = case.envelope, case.parsed_statement
    if isinstance(envelope, GuildmarkError):
        yield ENVELOPE_MALFORMED.found("The signed envelope cannot be read.", ENVELOPE)
    elif envelope.payload_type != PAYLOAD_TYPE:
        yield STATEMENT_MALFORMED.found("What was signed is of another type.", ENVELOPE)
    elif isinstance(statement, GuildmarkError) and not isinstance(statement, SubjectMismatchError):
        yield STATEMENT_MALFORMED.found("What was signed is no build statement.", ENVELOPE)


def _signature(case: Case) -> Iterator[Finding]:
    # Verify first, over the bytes as received; what they say is compared afterwards.
    if isinstance(case.envelope, Envelope):
        key, name = _key(case)
        try:
            case.envelope.verify({name: key.verify})
        except SignaturesMissingError:
            reason = f"No signature is of the machine's key {to_hex(name)}."
            yield SIGNATURE_MISSING.found(reason, ENVELOPE)
        except SignatureError:
            reason = f"The signature of the machine's key {to_hex(name)} does not fit."
            yield SIGNATURE_INVALID.found(reason, ENVELOPE)


def _committed(case: Case) -> Iterator[Finding]:
    if envelope_digest(case.core.envelope) != case.core.entry.envelope:
        reason = "The log entry commits to another envelope than the one that is shown."
        yield ENVELOPE_MISMATCH.found(reason, "log/entry.json")


def _in_force(case: Case) -> Iterator[Finding]:
    name = _key(case)[1]
    word = case.word(storage.KEYS.at(name))
    if word == 0:
        reason = f"The chain knows no key {to_hex(name)} of this machine."
        yield KEY_UNREGISTERED.found(reason, _KEY)
        return
    key = KeyWord.decode(word)
    right = Right(what="The machine's key", evidence=_KEY, none=KEY_NOT_GOOD, part=KEY_GOOD_PARTLY)
    yield from right.findings([IntervalWord(since=key.since, until=key.until)], case.window)


def _not_doubted(case: Case) -> Iterator[Finding]:
    name = _key(case)[1]
    key, logged = KeyWord.decode(case.word(storage.KEYS.at(name))), case.window.end
    for doubt in of_key(case, name, key):
        weight, reason = doubt.weight(logged), f"The part was logged at {logged}; {doubt.words}."
        if weight is Weight.VOID:
            yield KEY_UNDER_NOTICE.found(reason, _KEY)
        elif weight is Weight.DOUBT and confirmation(case, doubt.notice.at) is None:
            yield KEY_IN_DOUBT.found(f"{reason}{_inspections(case)}", _KEY)


def confirmation_notes(case: Case) -> Iterator[str]:
    """Yield a sentence for each notice in spite of which the part stands, and why it does."""
    try:
        name = _key(case)[1]
        key, logged = KeyWord.decode(case.word(storage.KEYS.at(name))), case.window.end
        doubts = [one for one in of_key(case, name, key) if one.weight(logged) is Weight.DOUBT]
    except UndecidedError:
        # The check says why.
        return
    for doubt in doubts:
        found = confirmation(case, doubt.notice.at)
        if found is not None and found.inspector is not None:
            yield (
                f"The machine's key is doubted ({doubt.words}). The part stands by the inspection "
                f"of {display_name(case, found.inspector)}, on record since {found.time}."
            )


def _inspections(case: Case) -> str:
    """Return why no shown inspection keeps the part out of doubt, empty where none is shown."""
    return "".join(
        f" The inspection {one.place[0]}.{one.place[1]} does not help: "
        f"{one.lack or 'it did not pass, was taken back or came too late.'}"
        for one in inspected(case)
    )


def _added_soundly(case: Case) -> Iterator[Finding]:
    # What an older key signed is not doubted by a notice on who added a newer one.
    added = KeyWord.decode(case.word(storage.KEYS.at(_key(case)[1]))).since
    if added:
        yield from act_findings(case, case.core.entry.machine, added, "The key was added", _KEY)


def _same_machine(case: Case) -> Iterator[Finding]:
    if case.statement.run.machine != case.core.entry.machine:
        reason = "The statement names another machine than the log entry."
        yield MACHINE_MISMATCH.found(reason, "log/entry.json")


def _key(case: Case) -> tuple[PublicKey, KeyId]:
    """Return the shown key, and the id that it has as a key of the entry's machine."""
    key = case.disclosed.key
    if key is None:
        raise UndecidedError(
            KEY_MISSING.found("The machine's public key is not shown.", "disclosed")
        )
    return key, key_id(case.core.entry.machine, key)


KEY = Check(
    number=2,
    name="machine's signature",
    asks="The machine's key signed this envelope, was in force, and is not under notice; so did a "
    "second key where the recipe asks.",
    looked_at="statements/build.dsse.json",
    causes=(
        SIGNATURE_INVALID,
        SIGNATURE_MISSING,
        ENVELOPE_MALFORMED,
        STATEMENT_MALFORMED,
        ENVELOPE_MISMATCH,
        KEY_MISSING,
        KEY_UNREGISTERED,
        KEY_NOT_GOOD,
        KEY_GOOD_PARTLY,
        KEY_UNDER_NOTICE,
        KEY_IN_DOUBT,
        MACHINE_MISMATCH,
        *COUNTERSIGNED_CAUSES,
    ),
    rules=(
        _readable,
        _signature,
        _committed,
        _in_force,
        _not_doubted,
        _added_soundly,
        _same_machine,
        countersigned,
    ),
)
