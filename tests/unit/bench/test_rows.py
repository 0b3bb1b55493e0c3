from typing import Any

import pytest

from bench.rows import Better, Judged, Metric, Round, Row, Target


def _metric(**fields: Any) -> Metric:
    return Metric(**{"id": "X", "text": "x", "unit": "gas", "against": "limit"} | fields)


def _row(metric: Metric, *pairs: tuple[float, float]) -> Row:
    rounds = [Round(ours=ours, reference=peer, same_answer=True) for ours, peer in pairs]
    return Row(metric=metric, rounds=rounds)


def test_worst_round_counts_where_lower_is_better() -> None:
    row = _row(_metric(), (10, 10), (30, 20), (40, 40))

    assert row.worst == Round(ours=30, reference=20, same_answer=True)


def test_worst_round_counts_where_higher_is_better() -> None:
    row = _row(_metric(better=Better.HIGHER), (10, 10), (30, 20), (40, 50))

    assert row.worst == Round(ours=40, reference=50, same_answer=True)


@pytest.mark.parametrize(("ours", "is_met"), [(75_000, True), (75_001, False)])
def test_most_admits_its_own_bound(ours: float, is_met: bool) -> None:
    row = _row(_metric(target=Target(of=Judged.OURS, bound=75_000)), (ours, 1))

    assert row.is_ok is is_met


@pytest.mark.parametrize(("ours", "is_met"), [(65_000, True), (64_999, False)])
def test_least_ratio_admits_its_own_bound(ours: float, is_met: bool) -> None:
    target = Target(of=Judged.RATIO, bound=6_500)
    row = _row(_metric(target=target, better=Better.HIGHER), (ours, 10))

    assert row.is_ok is is_met


def test_another_answer_fails_a_row_without_target() -> None:
    right = Round(ours=1, reference=1, same_answer=True)
    wrong = Round(ours=1, reference=1, same_answer=False)

    assert Row(metric=_metric(), rounds=[right]).is_ok
    assert not Row(metric=_metric(), rounds=[right, wrong]).is_ok


def test_row_tells_all_that_is_judged() -> None:
    target = Target(of=Judged.RATIO, bound=2.0)
    row = _row(_metric(target=target), (90, 100), (150, 100), (100, 100))

    assert row.to_json() == {
        "id": "X",
        "metric": "x",
        "ours": 150,
        "reference": 100,
        "against": "limit",
        "ratio": 1.5,
        "unit": "gas",
        "better": "lower",
        "target": "ratio <= 2",
        "rounds": 3,
        "spread": pytest.approx(0.6),
        "same_answer": True,
        "ok": True,
    }
