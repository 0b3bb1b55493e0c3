import pytest

from bench import table
from bench.rows import Judged, Metric, Round, Row, Target

_METRIC = Metric(
    id="P1.n1",
    text="log a batch",
    unit="gas",
    against="limit",
    target=Target(of=Judged.OURS, bound=75_000),
)


def _row(ours: int, *, same_answer: bool = True) -> Row:
    return Row(metric=_METRIC, rounds=[Round(ours=ours, reference=75_000, same_answer=same_answer)])


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        (_row(73_604), "yes"),
        (_row(75_001), "NO"),
        (_row(73_604, same_answer=False), "OTHER ANSWER"),
    ],
)
def test_last_cell_says_whether_the_target_is_met(row: Row, verdict: str) -> None:
    assert table.cells(row)[-1] == verdict


def test_markdown_row_has_the_figures() -> None:
    lines = table.markdown([_row(73_500)]).splitlines()

    assert lines[-1] == (
        "| P1.n1 | log a batch | 73,500 gas | 75,000 (limit) | 0.98 | 0.00% | ours <= 75000 | yes |"
    )


@pytest.mark.parametrize(
    ("value", "shown"),
    [(999, "999"), (1_000, "1,000"), (7.3628, "7.363"), (0.001, "0.001"), (0.00004248, "0.000042")],
)
def test_figures_are_readable_at_any_size(value: float, shown: str) -> None:
    assert table.figure(value) == shown
