"""Random lives of a key, told event by event and second by second, against check (2)."""

import random
from dataclasses import dataclass

from fakes import simulator as sim
from fakes.cases.key import KEY
from fakes.simulator import BEGUN, LOGGED, Simulator
from guildmark.domain.verification.case import Question
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
        if not any(good) or told_before:
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
