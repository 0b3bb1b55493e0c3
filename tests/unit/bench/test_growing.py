"""How fast a time grows with a size, and that the bench's own log is one."""

from pathlib import Path

import pytest

from bench import growing


@pytest.mark.parametrize("exponent", [0.0, 0.5, 1.0])
def test_the_slope_is_the_exponent_of_a_power(exponent: float) -> None:
    sizes = [10, 100, 1_000]

    found = growing.slope(sizes, [3 * size**exponent for size in sizes])

    assert found == pytest.approx(exponent, abs=1e-9)


def test_a_small_log_is_filled_read_and_proven(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in [("SIZES", (20, 40)), ("BATCH", 10), ("LOOKUPS", 5), ("PROOFS", 5)]:
        monkeypatch.setattr(growing, f"_{name}", value)
    monkeypatch.setattr(growing, "_REQUESTS", 1)
    monkeypatch.setattr(growing, "_REQUEST", 5)
    monkeypatch.setattr(growing, "_FOLDER", tmp_path / "growing")

    rows = growing.measure(1)

    assert [row.metric.id for row in rows] == [
        f"P10.{name}" for name in ("ingest", "lookup", "proof", "scan")
    ]
    assert all(row.same_answer and len(row.rounds) == 1 for row in rows)
