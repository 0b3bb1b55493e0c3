"""A server that lies: `build/lies.json`, what the verifiers make of seeded lies, kind by kind.

LIES= of them (10,000), SEED= for others. Nine in ten are bundles: changed in several places at
once and sealed again, judged by both verifiers, which must agree in every word. The others are told
over HTTP to `guildmark verify`: wrong statuses, lengths and places, redirects, answers that drip or
do not end. Nothing may be *Verified* but what honest bundles prove under the same block.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr, redirect_stdout
from functools import partial
from io import StringIO
from pathlib import Path
from typing import Any
from unittest.mock import patch

import corpus
import reports
from environments import ROOT, node

sys.path.insert(0, str(ROOT / "tests"))

from fakes.corpus.good import good_cases
from fakes.lies import Lie, Truth, World, lies
from fakes.lying_node import HTTP_LIES, lying
from guildmark.adapters.evidence_http import Parts
from guildmark.cli import main as guildmark
from guildmark.domain.verification.report import Verdict
from guildmark.verify import verify_bundle

LIES, SEED = 10_000, 1

_OVER_HTTP = 10
"""Every how many-th lie is told over HTTP."""
_BATCH = 400
_VERIFIER = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier" / "verifier.js"
_SLOW = frozenset({"dripping", "silence"})
_SELDOM = 10
_SAME, _ACCEPTED, _DIFFERENT = "same", "accepted", "disagreed"
_COLUMNS = (
    *("problem", "uncheckable", "untrusted", "notFound"),
    *(_SAME, _ACCEPTED, _DIFFERENT),
)


class Tally:
    """What came of each kind of lie.

    Args:
        told: The lies that a verifier believed, or of which the two disagree, in words.
    """

    def __init__(self) -> None:
        self.counts: dict[str, Counter[str]] = {}
        self.told: list[str] = []

    def add(self, kind: str, outcome: str, why: str = "") -> None:
        """Count a lie."""
        self.counts.setdefault(kind, Counter())[outcome] += 1
        if why:
            self.told.append(f"{kind}: {outcome}: {why}")

    def rows(self, seed: int) -> list[dict[str, Any]]:
        """Return a row a kind."""
        return [
            {
                "kind": kind,
                "lies": sum(found.values()) - found[_DIFFERENT],
                **{name: found[name] for name in _COLUMNS},
                "seed": seed,
            }
            for kind, found in self.counts.items()
        ]


def main() -> int:
    """Tell the lies, print the table, and return 1 where one was believed."""
    count, seed = int(os.environ.get("LIES", str(LIES))), int(os.environ.get("SEED", str(SEED)))
    world, tally = World(list(good_cases())), Tally()
    over_http = count // _OVER_HTTP
    for first in range(0, count - over_http, _BATCH):
        size = min(_BATCH, count - over_http - first)
        judge(world, list(lies(world, seed=seed, first=first, count=size)), tally)
    ask(world, tally, seed=seed, count=over_http)
    rows = tally.rows(seed)
    reports.write_rows("lies", rows)
    print(table(rows))
    for line in tally.told[:20]:
        print(line)
    return 1 if tally.told else 0


def table(rows: Sequence[Mapping[str, Any]]) -> str:
    """Return the rows as Markdown."""
    heads = ("kind", "lies", *_COLUMNS)
    total = {"kind": "all", **{head: sum(row[head] for row in rows) for head in heads[1:]}}
    lines = [[str(row[head]) for head in heads] for row in (*rows, total)]
    return "\n".join(
        f"| {' | '.join(line)} |" for line in (heads, ["---", *["---:"] * (len(heads) - 1)], *lines)
    )


def judge(world: World, told: Sequence[Lie], tally: Tally) -> None:
    """Judge bundles by both verifiers."""
    found = _in_javascript(told)
    for lie in told:
        report = verify_bundle(lie.given.bundle, lie.given.trust, lie.given.question)
        outcome = report.verdict.value
        if report.verdict is Verdict.VERIFIED:
            outcome = _SAME if world.admits(lie, report) else _ACCEPTED
        tally.add(lie.kind, outcome, lie.given.name if outcome == _ACCEPTED else "")
        for word in corpus.disagreements(report, found[lie.given.name]):
            tally.add(lie.kind, _DIFFERENT, f"{lie.given.name}: {word}")


def _in_javascript(told: Sequence[Lie]) -> Mapping[str, Mapping[str, Any]]:
    """Return what the page's verifier says of each."""
    with tempfile.TemporaryDirectory() as folder:
        for number, lie in enumerate(told):
            place = Path(folder) / f"{number:04}"
            place.mkdir()
            (place / "bundle.zip").write_bytes(lie.given.bundle)
            (place / "trust.json").write_bytes(lie.given.trust_file() or b"null")
            (place / "question.json").write_text(json.dumps(corpus.asked(lie.given.question)))
            (place / "expected.json").write_text(json.dumps({"case": lie.given.name}))
        command = [str(node()), "scripts/verify_corpus.mjs", str(_VERIFIER), folder]
        done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return {(line := json.loads(text))["case"]: line for text in done.stdout.splitlines()}


def ask(world: World, tally: Tally, *, seed: int, count: int) -> None:
    """Let `guildmark verify` ask a node that lies, with little patience."""
    patient = partial(Parts, timeout=0.2, deadline=0.4)
    with (
        lying(world) as liar,
        tempfile.TemporaryDirectory() as folder,
        patch("guildmark.adapters.evidence_http.Parts", patient),
    ):
        for kind, number in _turns(count):
            truth = liar.lies(kind, f"{seed} {kind} {number}")
            tally.add(kind, *_asked(world, truth, liar.url, Path(folder)))


def _turns(count: int) -> Iterator[tuple[str, int]]:
    """Yield the kinds in turn, the slow ones seldom."""
    number = told = 0
    while told < count:
        for kind in HTTP_LIES:
            if told < count and (kind not in _SLOW or number % _SELDOM == 0):
                told += 1
                yield kind, number
        number += 1


def _asked(world: World, truth: Truth, url: str, folder: Path) -> tuple[str, str]:
    """Return the outcome of asking a node and, where something is believed, the words for it."""
    trust = folder / "trust.json"
    trust.write_bytes(truth.trust_file())
    log, index = truth.place
    code, printed = _run(
        *("verify", f"{log}.{index}", "--node", url, "--trust", str(trust), "--json")
    )
    if printed is None:
        # Refused before there was a verdict: what stands beside the part is no bundle.
        return ("uncheckable", "") if code else (_ACCEPTED, "nothing was printed")
    if code != printed["exit"]:
        return _DIFFERENT, f"exit {code}, report {printed['exit']}"
    if printed["verdict"] != Verdict.VERIFIED.value:
        return printed["verdict"], ""
    is_same = world.admits_printed(truth, printed)
    return (_SAME, "") if is_same else (_ACCEPTED, printed["headline"])


def _run(*words: str) -> tuple[int, Mapping[str, Any] | None]:
    """Return a command's exit code and the report that it printed, None where it printed none."""
    out = StringIO()
    code: Any = 0
    try:
        with redirect_stdout(out), redirect_stderr(StringIO()):
            guildmark(words)
    except SystemExit as ended:
        code = ended.code
    text = out.getvalue()
    return int(code or 0), json.loads(text) if text else None


if __name__ == "__main__":
    sys.exit(main())
