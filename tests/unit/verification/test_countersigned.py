"""A second signature where the recipe asks for one: right ones, and what the report says."""

import pytest

from fakes import simulator as sim
from fakes.cases.countersigned import CHAIN, KEY, OTHER, countersign, sign
from fakes.cases.draft import Draft, word
from fakes.inspecting import INSPECTOR, PROBE
from fakes.simulator import GAUGE, LOGGED, MAKER, REGISTERED, SITE, Signer
from guildmark.domain import bundle
from guildmark.domain.builds.countersigning import Demand, Whose
from guildmark.domain.identifiers import IdentityId, to_hex
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType
from guildmark.domain.verification.report import Report, State
from guildmark.verify import verify_bundle

SAME = (GAUGE, SITE, MAKER)


def judged(draft: Draft) -> Report:
    sealed = draft.seal()
    return verify_bundle(bundle.write(sealed.evidence), sealed.trust, sealed.question)


@pytest.mark.parametrize(
    ("whose", "chain"),
    [
        (OTHER, CHAIN),
        ("any organization", CHAIN),
        ("any organization", SAME),
        (to_hex(INSPECTOR), CHAIN),
        (to_hex(MAKER), SAME),
    ],
)
def test_a_part_that_both_signed_is_verified(
    whose: str, chain: tuple[IdentityId, IdentityId, IdentityId]
) -> None:
    draft = Draft()
    countersign(draft, whose, chain)

    report = judged(draft)

    assert report.exit == 0
    [note] = [note for note in report.notes if "signed the statement, too" in note]
    assert (to_hex(INSPECTOR) in note) is (chain == CHAIN)


def test_the_check_names_who_lacks() -> None:
    draft = Draft()
    countersign(draft, to_hex(INSPECTOR))
    draft.simulator.envelope = None

    report = judged(draft)

    assert f"a machine of {to_hex(INSPECTOR)} signs, too" in report.checks[2].reason


def test_a_second_key_that_is_suspected_later_is_good() -> None:
    draft = Draft()
    countersign(draft)
    later = sim.key_word(REGISTERED, notice_at=LOGGED + 9, suspected_from=LOGGED + 1)
    word(KEY, later)(draft)

    assert judged(draft).exit == 0


def test_signatures_that_nobody_asked_for_are_passed_over() -> None:
    draft = Draft()
    sign(draft, (PROBE, Signer("probe")))

    report = judged(draft)

    assert report.exit == 0
    assert not [note for note in report.notes if "signed the statement, too" in note]


def test_a_recipe_that_is_not_shown_is_for_another_check() -> None:
    draft = Draft()
    countersign(draft)
    draft.simulator.disclosed["recipe"] = None

    report = judged(draft)

    assert report.checks[2].state is State.OK
    assert report.checks[7].state is State.UNKNOWN


def test_an_envelope_that_cannot_be_read_lacks_no_second_signature_beside() -> None:
    draft = Draft()
    countersign(draft)
    draft.simulator.envelope = b"{}"

    assert judged(draft).checks[2].code == "verify.envelopeMalformed"


def clause(value: str) -> Clause:
    return Clause(
        path=ClausePath("/qa/countersignature"),
        type=ClauseType.TEXT,
        klass=ClauseClass.CORE,
        salt=bytes(32),  # type: ignore[arg-type] # any bytes
        value=value,
    )


def test_what_a_clause_asks_for_is_said_in_words() -> None:
    texts = ("any organization", "other organization", to_hex(INSPECTOR))
    demands = [Demand.of(clause(text)) for text in texts]

    assert [None if one is None else one.words for one in demands] == [
        "a second machine",
        "another organization's machine",
        f"a machine of {to_hex(INSPECTOR)}",
    ]
    assert [one and one.whose for one in demands] == [Whose.ANY, Whose.OTHER, INSPECTOR]
