import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from bench import page, run
from bench.rows import Judged, Metric, Round, Row, Target


def _family(name: str, *, bound: float = 2.0) -> Row:
    metric = Metric(
        id=name, text=name, unit="gas", against="limit", target=Target(of=Judged.OURS, bound=bound)
    )
    return Row(metric=metric, rounds=[Round(ours=1.0, reference=bound, same_answer=True)])


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Measure made-up families, and write below a folder of the test's."""

    def one(rounds: int) -> Sequence[Row]:
        return [_family("P1")] * rounds

    def missed(rounds: int) -> Sequence[Row]:
        return [_family("P2", bound=0.5)]

    monkeypatch.setattr(run, "_FAMILIES", {"P1": one, "P2": missed})
    monkeypatch.setattr("reports.ROOT", tmp_path)
    monkeypatch.setattr("reports.commit", lambda: "c0ffee")
    monkeypatch.setattr("sys.argv", ["bench"])
    monkeypatch.delenv("ONLY", raising=False)
    monkeypatch.delenv("ROUNDS", raising=False)
    return tmp_path / "build"


def test_missed_target_fails_the_run(build: Path) -> None:
    assert run.main() == 1

    rows = json.loads((build / "bench.json").read_text())
    assert [(row["id"], row["commit"], row["ok"]) for row in rows] == [
        *[("P1", "c0ffee", True)] * 5,
        ("P2", "c0ffee", False),
    ]


def test_only_names_the_families_that_run(build: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ONLY", "P1")
    monkeypatch.setenv("ROUNDS", "2")

    assert run.main() == 0
    assert len(json.loads((build / "bench.json").read_text())) == 2


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("ONLY", "P12", "ONLY: no rows 'P12'; there are P1, P2."),
        ("ROUNDS", "0", "ROUNDS: '0' is no number of rounds."),
        ("ROUNDS", "many", "ROUNDS: 'many' is no number of rounds."),
    ],
)
def test_unknown_wish_ends_the_run(
    build: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, message: str
) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(SystemExit) as caught:
        run.main()

    assert caught.value.code == message
    assert not build.exists()


@pytest.mark.parametrize(("word", "code"), [("--help", 0), ("--pages-of-old", 2), ("P1", 2)])
def test_words_that_ask_for_no_measuring_measure_nothing(
    build: Path, monkeypatch: pytest.MonkeyPatch, word: str, code: int
) -> None:
    monkeypatch.setattr("sys.argv", ["bench", word])

    with pytest.raises(SystemExit) as caught:
        run.main()

    assert caught.value.code == code
    assert not build.exists()


def test_page_changes_between_its_marks_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "performance.md"
    monkeypatch.setattr(page, "_PAGE", file)
    file.write_text(f"before\n{page._BEGIN}old\n{page._END}after\n")

    page.write([_family("P1")])

    text = file.read_text()
    assert text.startswith(f"before\n{page._BEGIN}\nLast run, of P1: ")
    assert text.endswith(
        f"| P1 | P1 | 1 gas | 2 (limit) | 0.5 | 0.00% | ours <= 2 | yes |\n\n{page._END}after\n"
    )
    assert "old" not in text


def test_page_keeps_the_families_that_a_run_did_not_measure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "performance.md"
    monkeypatch.setattr(page, "_PAGE", file)
    file.write_text(f"{page._BEGIN}{page._END}")

    for family in ("P1.n1", "P1.n2", "P12", "P2", "P1"):
        page.write([_family(family)])

    rows = [line.split(" | ")[0] for line in file.read_text().splitlines() if line[:3] == "| P"]
    assert rows == ["| P1", "| P2", "| P12"]


def test_page_without_marks_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "performance.md"
    monkeypatch.setattr(page, "_PAGE", file)
    file.write_text("no marks\n")

    with pytest.raises(page.MarksMissingError):
        page.write([_family("P1")])

    assert file.read_text() == "no marks\n"
