"""Accreditations: scopes and their digests, and chains of issuers up to a reader's list."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.chain.storage import AccreditationWord, IntervalWord
from guildmark.domain.encoding import codec
from guildmark.domain.identifiers import Bytes32, IdentityId, bytes32_from_hex
from guildmark.domain.identity.accreditation import (
    CHAIN_MAX,
    Accreditation,
    Answer,
    MalformedScopeError,
    Requirement,
    ScopeDocument,
    Standing,
    accreditation_id,
    accredited_over,
    accredited_span,
    was_accredited,
)
from guildmark.domain.verification.rights import Window

VECTORS = Path(__file__).parents[2] / "vectors" / "accreditation.json"
ALWAYS = (IntervalWord(since=0, until=0),)
ROOT, CERTIFIER, OTHER, MAKER, SITE = (IdentityId(bytes([each]) * 32) for each in range(1, 6))
WANTED = Requirement(standard="ISO 13485", process="fdm", material="PLA", site=SITE)
SCOPE = ScopeDocument(standard="ISO 13485")
LISTED = {ROOT: ALWAYS}


def link(
    issuer: IdentityId,
    subject: IdentityId,
    word: tuple[int, int, int] = (10, 0, 0),
    *,
    scope: ScopeDocument = SCOPE,
    delegations: int = 3,
) -> Accreditation:
    since, until, revoked_at = word
    return Accreditation(
        issuer=issuer,
        subject=subject,
        scope=replace(scope, delegations=delegations),
        word=AccreditationWord(since=since, until=until, revoked_at=revoked_at),
    )


def ask(
    *shown: Accreditation,
    window: tuple[int, int] = (100, 200),
    wanted: Requirement = WANTED,
    listed: Mapping[IdentityId, Sequence[IntervalWord]] = LISTED,
) -> Answer:
    return accredited_over(
        [MAKER, SITE],
        wanted,
        Window(begin=window[0], end=window[1]),
        shown=shown,
        roots=lambda identity: listed.get(identity, ()),
    )


def test_digest_and_id_are_those_of_the_shared_vectors() -> None:
    for case in json.loads(VECTORS.read_text())["cases"]:
        salt = bytes32_from_hex(case["salt"])
        scope = replace(codec.load(ScopeDocument, case["document"]), salt=salt)
        text = json.dumps(case["document"], sort_keys=True, separators=(",", ":"))
        made = accreditation_id(
            issuer=IdentityId(bytes32_from_hex(case["issuer"])),
            subject=IdentityId(bytes32_from_hex(case["subject"])),
            scope=scope.digest(),
        )

        digest = hashlib.sha256(b"guildmark/scope/v1" + salt + text.encode()).hexdigest()

        assert case["scope"] == "0x" + digest == "0x" + scope.digest().hex()
        assert case["id"] == "0x" + made.hex()


def test_every_member_of_a_scope_changes_its_digest() -> None:
    scope = ScopeDocument(standard="ISO 9001")
    changed = [
        replace(scope, standard="ISO 9002"),
        replace(scope, processes=("fdm",)),
        replace(scope, materials=("fdm",)),
        replace(scope, sites=(SITE,)),
        replace(scope, certificate="fdm"),
        replace(scope, delegations=1),
        replace(scope, salt=Bytes32(b"\1" * 32)),
    ]

    assert len({each.digest() for each in (scope, *changed)}) == 8


@pytest.mark.parametrize(
    "members",
    [
        {"standard": ""},
        {"standard": " ISO"},
        {"standard": "ISO  9001"},
        {"standard": "ISO\u202e9001"},
        {"standard": "e\u0301"},
        {"standard": "x" * 129},
        {"standard": "ISO", "certificate": "\n"},
        {"standard": "ISO", "processes": ("",)},
        {"standard": "ISO", "processes": ("b", "a")},
        {"standard": "ISO", "materials": ("a", "a")},
        {"standard": "ISO", "sites": (SITE, MAKER)},
        {"standard": "ISO", "processes": tuple(f"{each:03}" for each in range(65))},
        {"standard": "ISO", "delegations": -1},
        {"standard": "ISO", "delegations": 4},
    ],
)
def test_a_scope_that_could_be_written_in_two_ways_is_refused(members: dict[str, object]) -> None:
    with pytest.raises(MalformedScopeError):
        ScopeDocument(**members)  # type: ignore[arg-type]  # what a file may say


def test_a_scope_takes_its_bounds() -> None:
    full = tuple(f"{each:03}" for each in range(64))

    scope = ScopeDocument(standard="x" * 128, processes=full, delegations=CHAIN_MAX - 1)

    assert len(scope.processes) == 64


@pytest.mark.parametrize(
    ("scope", "is_admitted"),
    [
        (SCOPE, True),
        (replace(SCOPE, standard="ISO 9001"), False),
        (replace(SCOPE, processes=("fdm", "sls")), True),
        (replace(SCOPE, processes=("sls",)), False),
        (replace(SCOPE, materials=("PLA",)), True),
        (replace(SCOPE, materials=("PETG",)), False),
        (replace(SCOPE, sites=(SITE,)), True),
        (replace(SCOPE, sites=(MAKER,)), False),
    ],
)
def test_a_scope_admits_what_it_names(scope: ScopeDocument, is_admitted: bool) -> None:
    assert scope.admits(WANTED) is is_admitted
    assert ask(link(ROOT, MAKER, scope=scope)).is_held is is_admitted


def test_a_limited_scope_admits_where_nothing_is_asked() -> None:
    assert replace(SCOPE, processes=("sls",)).admits(Requirement(standard="ISO 13485"))


def test_a_requirement_reads_as_people_say_it() -> None:
    assert str(WANTED) == "ISO 13485, fdm, PLA"
    assert str(Requirement(standard="ISO 9001")) == "ISO 9001"


def test_the_issuer_on_the_list_may_accredit_the_maker_or_his_site() -> None:
    of_maker, of_site = ask(link(ROOT, MAKER)), ask(link(ROOT, SITE))

    assert of_maker.standing is of_site.standing is Standing.HELD
    assert of_maker.reason == f"Accredited for {WANTED} by 0x{ROOT.hex()}."


def test_a_chain_holds_where_every_link_does() -> None:
    chain = (link(CERTIFIER, MAKER, delegations=0), link(ROOT, CERTIFIER, delegations=1))

    answer = ask(*chain)

    assert answer.is_held
    assert answer.chain == chain
    assert answer.reason.endswith(f"by 0x{CERTIFIER.hex()}, under 0x{ROOT.hex()}.")


@pytest.mark.parametrize(
    ("word", "standing", "lapse"),
    [
        ((100, 201, 0), Standing.HELD, "Accredited"),
        ((101, 0, 0), Standing.PARTLY, "began at 101"),
        ((10, 200, 0), Standing.PARTLY, "ended at 200"),
        ((10, 0, 201), Standing.HELD, "Accredited"),
        ((10, 0, 200), Standing.PARTLY, "was revoked at 200"),
        ((10, 0, 101), Standing.PARTLY, "was revoked at 101"),
        ((10, 0, 100), Standing.LAPSED, "was revoked at 100"),
        ((10, 100, 0), Standing.LAPSED, "ended at 100"),
        ((200, 0, 0), Standing.PARTLY, "began at 200"),
        ((201, 0, 0), Standing.LAPSED, "began at 201"),
        ((300, 0, 50), Standing.LAPSED, "began at 300"),
    ],
)
@pytest.mark.parametrize("at", [0, 1])
def test_each_link_must_hold_over_the_window_to_the_second(
    word: tuple[int, int, int], standing: Standing, lapse: str, at: int
) -> None:
    words = [(10, 0, 0), (10, 0, 0)]
    words[at] = word

    answer = ask(link(CERTIFIER, MAKER, words[0]), link(ROOT, CERTIFIER, words[1]))

    assert answer.standing is standing
    assert lapse in answer.reason


def test_accreditations_that_follow_one_another_add_up() -> None:
    first, second = link(ROOT, MAKER, (10, 150, 0)), link(ROOT, SITE, (150, 0, 0))

    assert ask(first, second).is_held
    assert ask(first, replace(second, word=AccreditationWord(since=151))).standing is (
        Standing.PARTLY
    )


def test_a_chain_ends_when_the_list_drops_its_issuer() -> None:
    dropped = {ROOT: [IntervalWord(since=0, until=150)]}
    before = {ROOT: [IntervalWord(since=0, until=100)]}
    again = {ROOT: [IntervalWord(since=0, until=150), IntervalWord(since=150, until=0)]}

    partly, lapsed = ask(link(ROOT, MAKER), listed=dropped), ask(link(ROOT, MAKER), listed=before)

    assert partly.standing is Standing.PARTLY
    assert partly.reason.endswith("The last issuer was on the list for a part of the time.")
    assert lapsed.standing is Standing.LAPSED
    assert lapsed.reason.endswith("Its links, or the list, never held at the same time.")
    assert ask(link(ROOT, MAKER), listed=again).is_held


def test_a_listed_issuer_counts_below_another_one() -> None:
    listed = {
        CERTIFIER: [IntervalWord(since=150, until=0)],
        ROOT: [IntervalWord(since=0, until=150)],
    }

    assert ask(link(CERTIFIER, MAKER), link(ROOT, CERTIFIER), listed=listed).is_held


def test_an_issuer_who_is_not_listed_is_named() -> None:
    answer = ask(link(CERTIFIER, MAKER), link(OTHER, CERTIFIER))

    assert answer.standing is Standing.UNLISTED
    assert f"rests on 0x{OTHER.hex()}, which is not on the reader's list" in answer.reason
    assert ask(link(OTHER, MAKER, (10, 100, 0))).standing is Standing.LAPSED


def test_what_the_list_says_goes_before_what_strangers_say() -> None:
    lapsed, strangers = link(ROOT, MAKER, (10, 50, 0)), link(OTHER, MAKER)

    assert ask(lapsed, strangers).standing is Standing.LAPSED


def test_what_the_chain_does_not_hold_is_no_accreditation() -> None:
    top = link(ROOT, CERTIFIER, (0, 0, 0))

    assert ask(link(CERTIFIER, MAKER), top).standing is Standing.UNREGISTERED
    assert ask(link(ROOT, MAKER, (0, 0, 0))).standing is Standing.UNREGISTERED


def test_who_is_accredited_may_not_accredit_others_by_that_alone() -> None:
    answer = ask(link(OTHER, MAKER), link(ROOT, OTHER, delegations=0))

    assert answer.standing is Standing.BROKEN
    assert "allows 0 accreditations below it" in answer.reason


def test_delegations_count_all_that_follows() -> None:
    middle = link(OTHER, CERTIFIER, delegations=1)

    assert ask(link(CERTIFIER, MAKER), middle, link(ROOT, OTHER, delegations=2)).is_held
    assert ask(link(CERTIFIER, MAKER), middle, link(ROOT, OTHER, delegations=1)).standing is (
        Standing.BROKEN
    )


def test_a_chain_has_at_most_four_accreditations() -> None:
    people = [MAKER, *(IdentityId(bytes([each]) * 32) for each in range(20, 24))]
    chain = [link(upper, lower) for lower, upper in pairwise(people)]

    assert ask(*chain, listed={people[4]: ALWAYS}).is_held
    assert ask(*chain, link(ROOT, people[4])).standing is Standing.BROKEN


def test_an_issuer_gives_no_more_than_he_has() -> None:
    wide = Requirement(standard="ISO 13485")
    upper = replace(SCOPE, processes=("fdm", "sls"))

    def given_by_certifier(*processes: str) -> Answer:
        lower = link(CERTIFIER, MAKER, scope=replace(SCOPE, processes=processes))
        return ask(lower, link(ROOT, CERTIFIER, scope=upper), wanted=wide)

    assert given_by_certifier("fdm").is_held
    assert given_by_certifier("fdm", "sls").is_held
    assert given_by_certifier("cnc", "fdm").standing is Standing.BROKEN
    assert given_by_certifier().standing is Standing.BROKEN


def test_a_certifier_for_something_else_breaks_the_chain() -> None:
    other = ScopeDocument(standard="ISO 9001")

    answer = ask(link(CERTIFIER, MAKER), link(ROOT, CERTIFIER, scope=other))

    assert answer.standing is Standing.OUT_OF_SCOPE
    assert not other.contains(SCOPE)


def test_circles_lead_nowhere() -> None:
    circle = (link(CERTIFIER, MAKER), link(OTHER, CERTIFIER), link(CERTIFIER, OTHER))

    assert ask(*circle).standing is Standing.BROKEN
    assert ask(link(MAKER, MAKER)).standing is Standing.BROKEN
    assert ask(*circle, link(ROOT, OTHER)).is_held


def test_a_maker_on_the_list_still_needs_an_accreditation() -> None:
    answer = ask(listed={MAKER: ALWAYS})

    assert answer.standing is Standing.ABSENT
    assert answer.reason == f"No accreditation for {WANTED} is shown."


def test_of_two_chains_the_one_that_holds_alone_is_named() -> None:
    first, second = link(ROOT, MAKER, (150, 0, 0)), link(ROOT, MAKER, (10, 0, 0))

    assert ask(first, second).chain == (second,)


def test_a_doubted_accreditation_carries_nobody() -> None:
    doubted = replace(link(ROOT, MAKER), is_doubted=True)

    assert ask(doubted).standing is Standing.DOUBTED
    assert ask(
        link(CERTIFIER, MAKER), replace(link(ROOT, CERTIFIER), is_doubted=True)
    ).standing is (Standing.DOUBTED)
    assert ask(doubted, link(ROOT, SITE)).is_held


def test_was_accredited_answers_for_a_second() -> None:
    def at(second: int) -> bool:
        shown = [link(ROOT, MAKER, (10, 20, 0))]
        return was_accredited(MAKER, WANTED, second, shown=shown, roots=lambda _: ALWAYS).is_held

    assert [at(second) for second in (9, 10, 19, 20)] == [False, True, True, False]


@given(
    words=st.lists(
        st.tuples(st.integers(1, 12), st.integers(0, 12), st.integers(0, 12)),
        min_size=1,
        max_size=4,
    ),
    listed=st.tuples(st.integers(0, 12), st.integers(0, 12)),
    begin=st.integers(0, 12),
    length=st.integers(0, 6),
)
def test_a_chain_holds_exactly_where_each_second_is_covered_by_every_link(
    words: list[tuple[int, int, int]], listed: tuple[int, int], begin: int, length: int
) -> None:
    people = [MAKER, *(IdentityId(bytes([20 + each]) * 32) for each in range(len(words)))]
    chain = [link(people[number + 1], people[number], word) for number, word in enumerate(words)]
    root = {people[-1]: [IntervalWord(since=listed[0], until=listed[1])]}

    def holds(second: int) -> bool:
        by_list = listed[0] <= second and (listed[1] == 0 or second < listed[1])
        return by_list and all(
            since <= second and (until == 0 or second < until) and (end == 0 or second < end)
            for since, until, end in words
        )

    answer = ask(*chain, window=(begin, begin + length), listed=root)

    # The model knows seconds, no intervals.
    seconds = [holds(second) for second in range(begin, begin + length + 1)]
    assert answer.is_held is all(seconds)
    if not any(seconds):
        assert answer.standing is Standing.LAPSED
    assert answer.chain == tuple(chain)


@pytest.mark.parametrize(
    ("at", "span"),
    [
        (9, None),
        (10, (10, 30)),
        (29, (10, 30)),
        (30, None),
        (40, (40, 0)),
        (10**9, (40, 0)),
    ],
)
def test_span_joins_what_follows_without_a_gap(at: int, span: tuple[int, int] | None) -> None:
    shown = [
        link(ROOT, MAKER, (10, 20, 0)),
        link(ROOT, MAKER, (20, 30, 0)),
        link(ROOT, MAKER, (35, 50, 35)),
        link(ROOT, MAKER, (40, 0, 0)),
        link(OTHER, MAKER, (1, 0, 0)),
    ]

    found = accredited_span(
        [SITE, MAKER], WANTED, at, shown=shown, roots=lambda one: LISTED.get(one, ())
    )

    assert (found and (found.since, found.until)) == span
