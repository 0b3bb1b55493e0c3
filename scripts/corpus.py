"""The corpus of bundles for every verifier: `build/corpus/` and `build/corpus.json`.

Each case is a folder with the bundle, the reader's trust file where he has one, what he asks, and
what must come out: exit code, and the lowest check that is not as it should be. Failing cases end
in `_fail`. With --pin what the Python verifier says of changed fields becomes what must come out.
"""

import json
import shutil
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, cast

import reports
from environments import ROOT

sys.path.insert(0, str(ROOT / "tests"))

from fakes.corpus import Given, cases
from guildmark.domain.encoding import codec
from guildmark.domain.verification.case import NO_QUESTION, Question
from guildmark.domain.verification.report import Report
from guildmark.verify import verify_bundle

EXPECTED = ROOT / "tests" / "vectors" / "corpus.json"
TARGET = ROOT / "build" / "corpus"
_FAILING_MIN, _GOOD_MIN = 300, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a verifier says of one case: its exit, and which check decides, with its code."""

    exit: int
    check: int | None
    code: str | None


def main() -> int:
    """Write the corpus, run the verifiers over it, and return 1 if one is wrong."""
    pinned = {} if "--pin" in sys.argv else json.loads(EXPECTED.read_text())
    shutil.rmtree(TARGET, ignore_errors=True)
    rows = list(_rows(pinned))
    reports.write_rows("corpus", rows)
    if "--pin" in sys.argv:
        EXPECTED.write_text(_pins(rows))
        return 0
    failing = sum(row["python"]["exit"] != 0 for row in rows)
    wrong = [row for row in rows if not fits(row["python"], row["expected"])]
    unknown = sum(not row["expected"] for row in rows)
    good = len(rows) - failing
    print(f"{failing} failing and {good} good bundles, {len(wrong)} judged otherwise")
    print(f"{unknown} of which nobody said what must come out; --pin says it")
    for row in wrong:
        print(f"{row['case']}: expected {row['expected']}, found {row['python']}")
    enough = failing >= _FAILING_MIN and good >= _GOOD_MIN
    return 0 if enough and not wrong else 1


def fits(found: Mapping[str, Any], expected: Mapping[str, Any]) -> bool:
    """Return whether an outcome is the expected one, as far as that is said."""
    return all(found[name] == value for name, value in expected.items())


def judged(report: Report) -> Outcome:
    """Return what of a report two verifiers must agree on."""
    if report.fault is not None:
        return Outcome(exit=report.exit, check=None, code=report.fault.code)
    short = [*report.failed, *(check for check in report.checks if check.falls_short)]
    if not short:
        return Outcome(exit=report.exit, check=None, code=None)
    return Outcome(exit=report.exit, check=short[0].number, code=short[0].code)


def _rows(pinned: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for given in cases():
        report = verify_bundle(given.bundle, given.trust, given.question)
        python = asdict(judged(report))
        expected = dict(given.expected or pinned.get(given.name, {}))
        _write(given, {**python, **expected})
        yield {"case": given.name, "expected": expected, "python": python}


def _write(given: Given, expected: Mapping[str, Any]) -> None:
    name = given.name.replace("/", "~").replace(":", "~")
    folder = TARGET / (f"{name}_fail" if expected["exit"] else name)
    folder.mkdir(parents=True)
    (folder / "bundle.zip").write_bytes(given.bundle)
    trust = given.trust_file()
    if trust is not None:
        (folder / "trust.json").write_bytes(trust)
    if given.question != NO_QUESTION:
        (folder / "question.json").write_text(reports.dump(_asked(given.question)))
    (folder / "expected.json").write_text(reports.dump({"case": given.name, **expected}))


def _asked(question: Question) -> dict[str, Any]:
    """Return what a reader holds in hand, as JSON."""
    asked: dict[str, Any] = dict(cast("Mapping[str, Any]", codec.dump(question)))
    if question.link is not None:
        asked["link"] = question.link.label
    return asked


def _pins(rows: list[dict[str, Any]]) -> str:
    made = [row for row in rows if not row["expected"]]
    lines = (f"  {json.dumps(row['case'])}: {json.dumps(row['python'])}" for row in made)
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
