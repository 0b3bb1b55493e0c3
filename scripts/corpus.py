"""The corpus of bundles for every verifier: `build/corpus/` and `build/corpus.json`.

Each case is a folder with the bundle, the reader's trust file where he has one, what he asks, and
what must come out: exit code, and the lowest check that is not as it should be. Failing cases end
in `_fail`. The page's verifier, in JavaScript, reads the same files: where it performs a check it
must say what the Python verifier says, each finding word for word, where it performs all also the
verdict, the exit code and the headline, and it refuses the same bundles. With --pin what the Python
verifier says of changed fields becomes what must come out, unless the two disagree.
"""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from itertools import zip_longest
from typing import Any, cast

import reports
from environments import ROOT, node

sys.path.insert(0, str(ROOT / "tests"))

from fakes.corpus import Given, cases
from guildmark.domain.encoding import codec
from guildmark.domain.identifiers import to_hex
from guildmark.domain.labels.activation import ChipAnswer, Claimed
from guildmark.domain.verification.case import NO_QUESTION, Question
from guildmark.domain.verification.report import CheckResult, Report
from guildmark.verify import verify_bundle

EXPECTED = ROOT / "tests" / "vectors" / "corpus.json"
TARGET = ROOT / "build" / "corpus"
_VERIFIER = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier" / "verifier.js"
_LEFT = "notChecked"
_FAILING_MIN, _GOOD_MIN = 300, 20
_PIN_IT = "; --pin says it"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a verifier says of one case: its exit, and which check decides, with its code."""

    exit: int
    check: int | None
    code: str | None


def main() -> int:
    """Write the corpus, run the verifiers over it, and return 1 if one is wrong."""
    is_pinning = "--pin" in sys.argv
    pinned = {} if is_pinning else json.loads(EXPECTED.read_text())
    shutil.rmtree(TARGET, ignore_errors=True)
    judgements: dict[str, Report] = {}
    rows = list(_rows(pinned, judgements))
    disagreements = _in_javascript(rows, judgements)
    reports.write_rows("corpus", rows)
    failing = sum(row["python"]["exit"] != 0 for row in rows)
    wrong = [row for row in rows if not fits(row["python"], row["expected"])]
    unknown = sum(not row["expected"] for row in rows)
    good = len(rows) - failing
    print(f"{failing} failing and {good} good bundles, {len(wrong)} judged otherwise")
    print(f"{unknown} of which nobody said what must come out{'' if is_pinning else _PIN_IT}")
    for row in wrong:
        print(f"{row['case']}: expected {row['expected']}, found {row['python']}")
    for line in disagreements:
        print(line)
    is_sound = not wrong and not disagreements
    if is_pinning:
        return _pin(rows, is_sound=is_sound)
    enough = failing >= _FAILING_MIN and good >= _GOOD_MIN
    return 0 if enough and is_sound else 1


def _pin(rows: list[dict[str, Any]], *, is_sound: bool) -> int:
    """Write down what must come out, unless a verifier is wrong or the two disagree."""
    if not is_sound:
        print("nothing is pinned: mend what is said above first")
        return 1
    EXPECTED.write_text(_pins(rows))
    return 0


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


def _in_javascript(rows: list[dict[str, Any]], judgements: Mapping[str, Report]) -> list[str]:
    """Add what the page's verifier says to the rows; return where the two disagree."""
    command = [str(node()), "scripts/verify_corpus.mjs", str(_VERIFIER), str(TARGET)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found = {(said := json.loads(line))["case"]: said for line in done.stdout.splitlines()}
    for row in rows:
        row["javascript"] = found[row["case"]]
    verdicts = Counter(said["verdict"] for said in found.values())
    print(f"in JavaScript {', '.join(f'{n} {verdict}' for verdict, n in sorted(verdicts.items()))}")
    print(table(found.values()))
    return [
        f"{name}: Python and JavaScript disagree: {what}"
        for name, said in found.items()
        for what in disagreements(judgements[name], said)
    ]


def table(found: Iterable[Mapping[str, Any]]) -> str:
    """Return how often the page's verifier says what of each check, one check a line."""
    said = Counter((check["number"], check["state"]) for one in found for check in one["checks"])
    numbers = sorted({number for number, _ in said})
    states = sorted({state for _, state in said})
    lines = (
        f"({number}) " + ", ".join(f"{said[number, state]} {state}" for state in states)
        for number in numbers
    )
    return "\n".join(lines)


def disagreements(report: Report, said: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the page's verifier says of a bundle and the Python verifier does not."""
    if report.fault is not None or said["code"] is not None:
        if said["code"] is None:
            yield f"it reads the bundle that Python refuses, {judged(report).code}"
        elif report.fault is None:
            yield f"it refuses the bundle, {said['code']}"
        else:
            yield from _judged_otherwise(report, said)
        return
    results = {result.number: result for result in report.checks}
    for check in said["checks"]:
        result = results[check["number"]]
        if check["state"] != _LEFT:
            yield from _differing(result, check)
    done = {check["number"] for check in said["checks"] if check["state"] != _LEFT}
    if done == results.keys():
        yield from _judged_otherwise(report, said)
    elif said["verdict"] not in {"problem", _LEFT}:
        yield f"it says {said['verdict']} while checks are left"


def _judged_otherwise(report: Report, said: Mapping[str, Any]) -> Iterator[str]:
    """Yield how a verifier that performed all checks judges the whole otherwise."""
    whole = {"verdict": report.verdict.value, "exit": report.exit, "headline": report.headline}
    yield from (
        f"its {name} is {said[name]!r}, not {value!r}"
        for name, value in whole.items()
        if said[name] != value
    )


def _differing(result: CheckResult, check: Mapping[str, Any]) -> Iterator[str]:
    """Yield how a check that the page's verifier performs says something else."""
    number, state, code = check["number"], check["state"], check["code"]
    if (state, code) != (result.state.value, result.code):
        yield f"({number}) is {state}, {code}"
        return
    found = [f"{one.cause.state.value}, {one.cause.code}, {one.reason}" for one in result.findings]
    said = [f"{one['state']}, {one['code']}, {one['reason']}" for one in check["findings"]]
    for ours, theirs in zip_longest(found, said, fillvalue="nothing"):
        if ours != theirs:
            yield f"({number}) says {theirs} where it is {ours}"


def _rows(pinned: Mapping[str, Any], judgements: dict[str, Report]) -> Iterator[dict[str, Any]]:
    for given in cases():
        report = verify_bundle(given.bundle, given.trust, given.question)
        python = asdict(judged(report))
        judgements[given.name] = report
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
        (folder / "question.json").write_text(reports.dump(asked(given.question)))
    (folder / "expected.json").write_text(reports.dump({"case": given.name, **expected}))


def asked(question: Question) -> dict[str, Any]:
    """Return what a reader holds in hand, as JSON."""
    plain = replace(question, second=None)
    told: dict[str, Any] = dict(cast("Mapping[str, Any]", codec.dump(plain)))
    if question.link is not None:
        told["link"] = question.link.label
    if isinstance(question.second, Claimed):
        key = question.second.key
        told["claim"] = json.loads(question.second.file.encode())
        told["claimKey"] = None if key is None else key.encode()
    if isinstance(question.second, ChipAnswer):
        told["chip"] = {
            "challenge": to_hex(question.second.challenge),
            "algorithm": question.second.key.algorithm.name.lower(),
            "key": to_hex(question.second.key.data),
            "signature": to_hex(question.second.signature),
        }
    return told


def _pins(rows: list[dict[str, Any]]) -> str:
    made = [row for row in rows if not row["expected"]]
    lines = (f"  {json.dumps(row['case'])}: {json.dumps(row['python'])}" for row in made)
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    sys.exit(main())
