"""Random lives of a key, told event by event and second by second, against checks (1) and (2).

Guardians, authorities and controllers speak, too. What is expected is told in the words of the
story; nothing here reads a slot.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise

from fakes import simulator as sim
from fakes.cases.accredited import CERTIFIER, OF_MAKER, accredit
from fakes.cases.draft import Draft, word
from fakes.cases.inspections import PROBES_KEY
from fakes.cases.key import KEY
from fakes.cases.notices import KEY_ID, doubt, list_authority, on_controller
from fakes.inspecting import INSPECTOR, LABORATORY, PROBE, Inspecting
from fakes.simulator import AUTHORITY, BEGUN, LOGGED, MACHINE, MAKER, SITE, Signer, Simulator
from guildmark.domain.builds.inspection import Result
from guildmark.domain.chain import storage
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import IdentityId, Index, LogNumber, Seq
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.trust import Listed
from guildmark.domain.verification.case import Case, Question
from guildmark.domain.verification.checks.accreditation import ACCREDITATIONS
from guildmark.domain.verification.checks.key import KEY as SIGNATURE
from guildmark.domain.verification.evidence import ControllersDisclosure
from guildmark.domain.verification.report import State
from guildmark.domain.verification.verdict import verify_evidence

SEED, LIVES = 50, 1_000
# Close to both ends of the window, so that every bound is met to the second.
MOMENTS = [
    *(BEGUN + by for by in (-2, -1, 0, 1, 2)),
    *(LOGGED + by for by in (-2, -1, 0, 1, 2)),
    (BEGUN + LOGGED) // 2,
]


@dataclass(kw_only=True)
class Life:
    """What is told of a key: added, ended, and each notice with the suspicion that it names."""

    added: int
    ended: int | None
    notices: list[tuple[int, int]]

    def is_good(self, second: int) -> bool:
        return self.added <= second and (self.ended is None or second < self.ended)

    def expected(self) -> State:
        good = [self.is_good(second) for second in range(BEGUN, LOGGED + 1)]
        told_before = any(given <= LOGGED for given, _ in self.notices)
        doubted = any(doubt <= LOGGED for _, doubt in self.notices)
        if not any(good) or (told_before and doubted):
            return State.FAIL
        return State.UNKNOWN if doubted or not all(good) else State.OK

    def word(self) -> int:
        """Return the slot after all calls: the first notice's time, the earliest suspicion."""
        return sim.key_word(
            self.added,
            until=self.ended or 0,
            notice_at=min((given for given, _ in self.notices), default=0),
            suspected_from=min((doubt for _, doubt in self.notices), default=0),
        )


def random_life(luck: random.Random) -> Life:
    added = luck.choice([*[1_000] * 9, *MOMENTS])
    later = [moment for moment in MOMENTS if moment > added]
    ended = luck.choice([*[None] * 9, *later])
    given = sorted(luck.choices([moment for moment in MOMENTS if moment >= added], k=2))
    doubt = luck.choice([moment for moment in MOMENTS if moment <= given[0]] or [given[0]])
    notices = [(given[0], doubt), (given[1], doubt - luck.choice([1, 2, 50, 100]))]
    return Life(added=added, ended=ended, notices=notices[: luck.choice([0, 0, 1, 2])])


def test_a_thousand_lives_of_a_key_are_judged_as_they_are_told() -> None:
    luck = random.Random(SEED)
    trust, met = Simulator().trust(), dict.fromkeys((State.OK, State.UNKNOWN, State.FAIL), 0)
    for _ in range(LIVES):
        life = random_life(luck)
        simulator = Simulator(words={KEY: life.word()})

        report = verify_evidence(simulator.evidence(), trust, Question())

        assert report.checks[2].state is life.expected(), life
        met[life.expected()] += 1
    assert min(met.values()) > LIVES // 20, met


@dataclass(kw_only=True)
class Warned:
    """Somebody doubts something: whom he doubts, when he said so, and since when."""

    by_authority: bool
    at: int
    since: int


@dataclass(kw_only=True)
class Rule:
    """An account that speaks for an identity in [begin, end)."""

    begin: int
    end: int
    warnings: list[Warned] = field(default_factory=list)


@dataclass(kw_only=True)
class Story:
    """Who spoke for machine, site and maker, what they did, and who warned of whom.

    Args:
        rules: Whoever spoke for each identity, one after the other.
        added: When the machine's controller added the key.
        linked: When machine and site were linked.
        of_key: Warnings of the key itself.
        is_listed: Whether the reader lists the authority.
    """

    rules: dict[IdentityId, list[Rule]]
    added: int
    linked: int
    of_key: list[Warned]
    is_listed: bool

    def counts(self, warning: Warned) -> bool:
        return self.is_listed or not warning.by_authority

    def act(self, who: IdentityId, when: int) -> State:
        """Return what is to be thought of what an identity did."""
        found = State.OK
        for rule in self.rules[who]:
            for warning in filter(self.counts, rule.warnings):
                if not rule.begin <= when <= rule.end or when < warning.since:
                    continue
                if when >= warning.at and when < rule.end:
                    return State.FAIL
                found = State.UNKNOWN
        return found

    def check_1(self) -> State:
        made = [self.act(MACHINE, 1_000), self.act(SITE, 1_000), self.act(MAKER, 1_000)]
        made += [self.act(MACHINE, self.linked), self.act(SITE, self.linked)]
        return worst(made)

    def check_2(self) -> State:
        found = [
            State.FAIL if warning.at <= LOGGED else State.UNKNOWN
            for warning in filter(self.counts, self.of_key)
            if warning.since <= LOGGED
        ]
        return worst([self.act(MACHINE, self.added), *found])


def worst(states: list[State]) -> State:
    return min(states, key=list(State).index)


def random_warnings(luck: random.Random, begin: int, moments: list[int]) -> list[Warned]:
    """Return at most one warning by the identity's own side, and one by the authority."""
    made = []
    for by_authority in (False, True):
        if luck.random() < 0.25:
            at = luck.choice([moment for moment in moments if moment > begin])
            since = luck.choice([moment for moment in [begin, *moments] if begin <= moment <= at])
            made.append(Warned(by_authority=by_authority, at=at, since=since))
    return made


def random_story(luck: random.Random) -> Story:
    moments = [1_001, 1_499, 1_500, 1_501, 1_700, *MOMENTS]
    rules = {}
    for who in (MACHINE, SITE, MAKER):
        change = luck.choice([None, None, 1_500, 1_700])
        times = [1_000, 2**40] if change is None else [1_000, change, 2**40]
        rules[who] = [
            Rule(begin=begin, end=end, warnings=random_warnings(luck, begin, moments))
            for begin, end in pairwise(times)
        ]
    return Story(
        rules=rules,
        added=luck.choice([1_001, 1_499, 1_500, 1_501, 1_700]),
        linked=luck.choice([1_001, 1_499, 1_500, 1_501, 1_700]),
        of_key=random_warnings(luck, 1_000, moments),
        is_listed=luck.random() < 0.5,
    )


def drafted(story: Story) -> Draft:
    """Write a story into slots."""
    draft = Draft()
    list_authority(draft)
    if not story.is_listed:
        draft.trust = {}
    own = next((one for one in story.of_key if not one.by_authority), None)
    given, doubted = (0, 0) if own is None else (own.at, own.since)
    word(KEY, sim.key_word(story.added, notice_at=given, suspected_from=doubted))(draft)
    word(storage.LINKS.at(MACHINE, SITE, 1), sim.interval_word(story.linked))(draft)
    for warning in story.of_key:
        if warning.by_authority:
            doubt(draft, storage.NOTICES.at(KEY_ID, AUTHORITY), warning.at, warning.since)
    for who, rules in story.rules.items():
        write_rules(draft, who, rules)
    return draft


KINDS = {
    CERTIFIER: IdentityKind.ORGANIZATION,
    MACHINE: IdentityKind.MACHINE,
    SITE: IdentityKind.SITE,
    MAKER: IdentityKind.ORGANIZATION,
}


def write_rules(draft: Draft, who: IdentityId, rules: list[Rule]) -> None:
    count = len(rules)
    word(storage.IDENTITIES.at(who), sim.identity_word(KINDS[who], controllers=count))(draft)
    for number, rule in enumerate(rules, 1):
        if number > 1:
            word(storage.CONTROLLERS.at(who, number), sim.controller_word(rule.begin))(draft)
            shown = ControllersDisclosure(identity=who, count=count)
            before = draft.simulator.disclosed.get("controllers", ())
            draft.simulator.disclosed["controllers"] = (*before, shown)
        for warning in rule.warnings:
            place = on_controller(who, number, *([AUTHORITY] if warning.by_authority else []))
            doubt(draft, place, warning.at, warning.since)


def test_a_thousand_stories_of_controllers_and_authorities_are_judged_as_they_are_told() -> None:
    luck = random.Random(SEED)
    met = {(check, state): 0 for check in (1, 2) for state in (State.OK, State.UNKNOWN, State.FAIL)}
    for _ in range(LIVES):
        story = random_story(luck)
        sealed = drafted(story).seal()

        report = verify_evidence(sealed.evidence, sealed.trust, sealed.question)

        assert report.checks[1].state is story.check_1(), story
        assert report.checks[2].state is story.check_2(), story
        met[1, story.check_1()] += 1
        met[2, story.check_2()] += 1
    assert min(met.values()) > LIVES // 25, met


@dataclass(kw_only=True)
class Visit:
    """What is told of one inspection: by whom, of what, when on record, and what became of it.

    Args:
        at: When it was on record.
        own: What is told of the inspector's key: added, ended, warned of.
        flaws: What makes it worth nothing.
    """

    at: int
    own: Life
    flaws: list[str]
    passed: bool
    is_listed: bool
    regretted: int | None

    def counts(self, second: int) -> bool:
        doubted = any(since <= second for _, since in self.own.notices)
        return self.own.is_good(second) and not doubted

    def saves(self, notice: int) -> bool:
        """Return whether a part stands by it in spite of a notice given then."""
        is_sound = self.is_listed and not self.flaws and self.passed and self.counts(self.at)
        taken_back = self.regretted is not None and self.counts(self.regretted)
        return is_sound and self.at < notice and not taken_back


def by_the_maker(draft: Draft, made: Inspecting) -> None:
    made.said["inspector"] = MAKER
    draft.trust["inspectors"] = (Listed(id=MAKER),)


FLAWS: dict[str, Callable[[Draft, Inspecting], object]] = {
    "by the maker": by_the_maker,
    "another envelope": lambda _, made: made.said.update(envelope=sha256(b"another")),
    "another part": lambda _, made: made.said.update(subject=sha256(b"another")),
    "void": lambda draft, _: word(storage.FATES.at(LogNumber(6), Index(11)), storage.VOIDED)(draft),
    "not on chain": lambda draft, _: word(storage.RECORDS.at(LogNumber(6), Seq(2)), 7)(draft),
    "signed by somebody": lambda _, made: made.shown.update(key=Signer("somebody").public),
    "an unlinked instrument": lambda draft, _: word(
        storage.LINKS.at(PROBE, LABORATORY, 1), sim.interval_word(LOGGED + 500)
    )(draft),
}


def doubted_life(luck: random.Random) -> Life:
    """Return a key's life in which mostly the part is logged between suspicion and notice."""
    given = LOGGED + luck.choice([-1, 0, *[1] * 5, 2, 90, 91, 92])
    since = luck.choice([LOGGED + 1, *[LOGGED, BEGUN, 1_500] * 3])
    notices = [(given, min(given, since))] if luck.random() < 0.95 else []
    if luck.random() < 0.3:
        notices.append((given + 30, min(given, since) - 10))
    return Life(added=luck.choice([1_000] * 19 + [BEGUN + 1]), ended=None, notices=notices)


def random_visit(luck: random.Random, moments: list[int]) -> Visit:
    at = luck.choice(moments)
    own = Life(added=luck.choice([1_000] * 9 + [at, at + 1]), ended=None, notices=[])
    if luck.random() < 0.15:
        own.ended = luck.choice([at - 1, at, at + 1, at + 50])
    if luck.random() < 0.15:
        given = luck.choice([at - 1, at, at + 1, at + 50])
        own.notices = [(given, luck.choice([given, at - 2, at]) if given >= at else given)]
    return Visit(
        at=at,
        own=own,
        flaws=luck.sample(sorted(FLAWS), k=1) if luck.random() < 0.25 else [],
        passed=luck.random() < 0.9,
        is_listed=luck.random() < 0.85,
        regretted=at + luck.choice([1, 40]) if luck.random() < 0.15 else None,
    )


def visited(draft: Draft, visit: Visit) -> None:
    """Write an inspection into records and slots."""
    made = Inspecting(simulator=draft.simulator, record={"time": visit.at})
    if not visit.passed:
        made.said["result"] = Result.FAILED
    draft.trust["inspectors"] = (Listed(id=INSPECTOR),) if visit.is_listed else ()
    for flaw in visit.flaws:
        FLAWS[flaw](draft, made)
    made.show()
    if visit.regretted is not None:
        later = {"time": visit.regretted, "seq": Seq(3), "first_index": Index(20)}
        failed = {"result": Result.FAILED, "salt": sim.salt("again")}
        Inspecting(simulator=draft.simulator, said=failed, record=later).show()
    word(storage.KEYS.at(PROBES_KEY), visit.own.word())(draft)


def test_a_thousand_lives_of_a_key_with_a_second_key_are_judged_as_they_are_told() -> None:
    """Tell what an inspection saves: a doubted part; and nothing that fails or was not good."""
    luck = random.Random(SEED)
    met = {(saved, state): 0 for saved in (True, False) for state in State}
    for _ in range(LIVES):
        life = doubted_life(luck)
        notice = min((given for given, _ in life.notices), default=LOGGED)
        around = [notice + by for by in (-60, -40, -2, -1, 0, 1, 40)]
        visit = random_visit(luck, around)
        draft = Draft()
        word(KEY, life.word())(draft)
        visited(draft, visit)
        sealed = draft.seal()

        found = SIGNATURE.run(Case(sealed.evidence, sealed.trust, sealed.question))

        alone = life.expected()
        in_doubt = any(doubt <= LOGGED for _, doubt in life.notices)
        is_good = all(life.is_good(second) for second in range(BEGUN, LOGGED + 1))
        saved = alone is State.UNKNOWN and in_doubt and is_good and visit.saves(notice)
        assert found.state is (State.OK if saved else alone), (life, visit)
        met[saved, alone] += 1
    assert met[True, State.UNKNOWN] > LIVES // 20, met
    assert met[False, State.UNKNOWN] > LIVES // 20, met
    assert met[False, State.FAIL] > LIVES // 20, met


def test_stories_of_a_certifiers_controllers_are_judged_as_they_are_told() -> None:
    """Tell who spoke for a certifier, and what is to be thought of what it accredited when."""
    luck = random.Random(SEED)
    met = dict.fromkeys((State.OK, State.UNKNOWN, State.FAIL), 0)
    for number in range(100):
        story = random_story(luck)
        # Every second one is of a certifier of whom somebody warns.
        while number % 2 and not any(rule.warnings for rule in story.rules[MAKER]):
            story = random_story(luck)
        story.rules = {CERTIFIER: story.rules[MAKER]}
        given = luck.choice([story.added, 1_701, 1_999])
        draft = Draft()
        accredit(draft)
        list_authority(draft)
        if not story.is_listed:
            draft.trust = {}
        write_rules(draft, CERTIFIER, story.rules[CERTIFIER])
        word(storage.ACCREDITATIONS.at(OF_MAKER.id()), sim.accreditation_word(given))(draft)
        sealed = draft.seal()

        found = ACCREDITATIONS.run(Case(sealed.evidence, sealed.trust, sealed.question))

        assert found.state is story.act(CERTIFIER, given), story
        met[found.state] += 1
    assert min(met.values()) > 4, met
