"""Headline and exit: the lowest failed check decides, then what could not be checked."""

import pytest

from guildmark.domain.trust import Policy
from guildmark.domain.verification.policy import Judgement, judge
from guildmark.domain.verification.report import (
    EXIT_OF_CHECK,
    NOT_CHECKED,
    Cause,
    CheckResult,
    Finding,
    Lack,
    State,
    Verdict,
)


def result(
    number: int, *states: State, lack: Lack = Lack.EVIDENCE, is_exempt: bool = False
) -> CheckResult:
    findings = tuple(
        Finding(
            cause=Cause(
                code=f"test.{state}", state=state, meaning="", lack=lack, is_exempt=is_exempt
            ),
            reason=f"It is {state}.",
            evidence="",
        )
        for state in states
    )
    return CheckResult(number=number, name="", asks="It holds.", looked_at="", findings=findings)


def verdict(*checks: CheckResult, has_trust: bool = True, parties_listed: bool = True) -> Judgement:
    others = {number: result(number) for number in range(9)}
    others |= {check.number: check for check in checks}
    return judge(
        [others[number] for number in sorted(others)],
        Policy(),
        has_trust=has_trust,
        parties_listed=parties_listed,
    )


def test_all_ok_is_verified() -> None:
    judgement = verdict()

    assert judgement == Judgement(verdict=Verdict.VERIFIED, exit=0)


@pytest.mark.parametrize(
    ("number", "code"),
    [(0, 16), (1, 16), (2, 12), (3, 19), (4, 19), (5, 18), (6, 18), (7, 15), (8, 15), (10, 13)],
)
def test_a_failed_check_has_its_exit(number: int, code: int) -> None:
    judgement = verdict(result(number, State.FAIL))

    assert judgement.verdict is Verdict.PROBLEM
    assert judgement.exit == code
    assert judgement.decisive is not None
    assert judgement.decisive.number == number


def test_later_checks_have_their_exits_already() -> None:
    assert [EXIT_OF_CHECK[number] for number in NOT_CHECKED] == [21]
    assert EXIT_OF_CHECK[13] == 22


def test_the_lowest_failed_check_decides() -> None:
    assert (
        verdict(result(6, State.FAIL), result(2, State.FAIL), result(1, State.UNKNOWN)).exit == 12
    )


def test_a_failed_check_that_is_not_required_decides_too() -> None:
    judgement = judge(
        [result(0), result(5, State.FAIL)],
        Policy(required=(0, 1, 2, 3, 4)),
        has_trust=True,
        parties_listed=True,
    )

    assert judgement.exit == 18


def test_what_is_not_required_may_be_unknown() -> None:
    judgement = judge(
        [result(0), result(5, State.UNKNOWN)],
        Policy(required=(0, 1, 2, 3, 4)),
        has_trust=True,
        parties_listed=True,
    )

    assert judgement.verdict is Verdict.VERIFIED


@pytest.mark.parametrize("state", [State.UNKNOWN, State.WITHHELD])
def test_a_required_check_without_answer_is_uncheckable(state: State) -> None:
    assert verdict(result(5, state)).verdict is Verdict.UNCHECKABLE
    assert verdict(result(5, state)).exit == 23


def test_only_finality_lacks() -> None:
    late = result(4, State.UNKNOWN, lack=Lack.FINALITY)

    assert verdict(late).exit == 17
    assert verdict(late, result(5, State.WITHHELD)).exit == 23


def test_a_source_was_unreachable() -> None:
    gone = result(0, State.UNKNOWN, lack=Lack.SOURCE)

    assert verdict(gone).exit == 3
    assert verdict(gone, result(4, State.UNKNOWN, lack=Lack.FINALITY)).exit == 3
    assert verdict(gone, result(5, State.UNKNOWN)).exit == 3


def test_a_required_check_that_was_never_claimed_is_a_problem() -> None:
    judgement = verdict(result(8, State.NOT_CLAIMED))

    assert (judgement.verdict, judgement.exit) == (Verdict.PROBLEM, 10)
    assert judgement.decisive is not None
    assert judgement.decisive.number == 8
    assert verdict(result(8, State.NOT_CLAIMED), result(5, State.UNKNOWN)).exit == 23


def test_what_nothing_asks_for_need_not_be_claimed() -> None:
    assert verdict(result(8, State.NOT_CLAIMED, is_exempt=True)).exit == 0


def test_unlisted_parties_give_the_second_verdict() -> None:
    judgement = verdict(parties_listed=False)

    assert (judgement.verdict, judgement.exit) == (Verdict.UNTRUSTED, 16)


def test_without_trust_only_a_fail_is_worse_than_the_second_verdict() -> None:
    unknown = result(0, State.UNKNOWN)

    assert verdict(unknown, has_trust=False).verdict is Verdict.UNTRUSTED
    assert verdict(unknown, result(4, State.UNKNOWN), has_trust=False).exit == 16
    assert verdict(unknown, result(8, State.NOT_CLAIMED), has_trust=False).exit == 16
    assert verdict(unknown, result(3, State.FAIL), has_trust=False).exit == 19


def test_a_result_shows_its_worst_finding() -> None:
    shown = result(1, State.FAIL, State.UNKNOWN)

    assert (shown.state, shown.code, shown.reason) == (State.FAIL, "test.fail", "It is fail.")
    assert [finding.rank for finding in shown.findings] == [0, 1]
    assert (result(1).state, result(1).code, result(1).reason) == (State.OK, None, "It holds.")


def test_what_only_rests_on_an_unlisted_issuer_is_the_second_verdict() -> None:
    unlisted = result(10, State.UNKNOWN, lack=Lack.ISSUER)

    alone = verdict(unlisted)

    assert (alone.verdict, alone.exit) == (Verdict.UNTRUSTED, 16)
    assert alone.decisive == unlisted
    assert verdict(unlisted, result(5, State.UNKNOWN)).exit == 23
    assert verdict(unlisted, result(8, State.NOT_CLAIMED)).exit == 23
    assert verdict(result(10, State.UNKNOWN, State.UNKNOWN)).exit == 23
    assert verdict(unlisted, result(8, State.NOT_CLAIMED, is_exempt=True)).exit == 16
