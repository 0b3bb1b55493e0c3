"""Both verifiers beside one another over drawn cases: the same state, code and reason for each.

A case is a part whose certificates, inspections, other entries or replacement are drawn at random
around the times and parties that matter.
"""

import json
import subprocess
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from random import Random
from typing import Any

import pytest

import corpus
from environments import ROOT, node
from fakes import rivals
from fakes import simulator as sim
from fakes.cases import Draft
from fakes.cases.equivalent import (
    CERTIFIED,
    EVALUATOR,
    GOOD,
    LISTED,
    Tried,
    ask,
    certified,
    run_firmware,
    stay,
)
from fakes.cases.inspections import NOTICE, PROBES_KEY, doubt_and_list
from fakes.cases.notices import doubt, on_controller
from fakes.corpus import Given
from fakes.corpus.case import given
from fakes.inspecting import INSPECTED, INSPECTOR, LABORATORY, PROBE, Inspecting
from fakes.rivals import EARLIER, LATER, stand_beside
from fakes.simulator import AUTHORITY, BEGUN, HOST, LOGGED, LOOKED, MACHINE, REGISTERED, Simulator
from guildmark.domain.builds.inspection import Result
from guildmark.domain.chain import storage
from guildmark.domain.identifiers import Index, Seq
from guildmark.domain.trust import Listed
from guildmark.verify import verify_bundle

CASES = 12
TIMES = (REGISTERED, CERTIFIED, BEGUN, BEGUN + 1, LOGGED, LOGGED + 1, LOOKED)
FIRMWARE = ("Marlin 2.1.2", "Marlin 02.0", "v3", "3.0", "Klipper", "", "0.9", "v000.1")
FOUND = {
    "equivalence": (9, 4),
    "inspections": (2, 2),
    "other entries": (3, 3),
    "replacements": (4, 2),
}
"""Which check each kind of case is about, and how many findings are drawn of it at least."""


def of_equivalence(dice: Random, draft: Draft) -> None:
    if dice.random() < 0.2:
        run_firmware(
            draft,
            dice.choice(FIRMWARE),
            dice.choice((*FIRMWARE, None)),
            published=dice.choice((REGISTERED, CERTIFIED, CERTIFIED + 1)),
        )
    elif dice.random() < 0.1:
        ask(draft, dice.choice(("required", "level 3")), dice.choice(("/qa/equivalence/part",)))
    else:
        certified(draft, *(_tried(dice) for _ in range(dice.randrange(1, 4))))
    if dice.random() < 0.3:
        stay(draft, *sorted(dice.sample(TIMES, dice.randrange(1, 3))))
    if dice.random() < 0.3:
        doubt(draft, on_controller(EVALUATOR), dice.choice(TIMES), dice.choice(TIMES))
    since, until = dice.choice((0, CERTIFIED)), dice.choice((0, CERTIFIED, CERTIFIED + 1))
    listed = [replace(one, since=since, until=until) for one in LISTED]
    draft.trust["authorities"] = tuple(listed[: dice.randrange(3)])
    if dice.random() < 0.2:
        _hide_one(dice, draft)


def _tried(dice: Random) -> Tried:
    seldom = (0, 0, 0, *TIMES)
    return replace(
        GOOD,
        verdict=dice.choice((0, 1, 1, 1, 2, 3, 4)),
        evaluator=dice.choice((EVALUATOR, EVALUATOR, AUTHORITY)),
        since=dice.choice((CERTIFIED, *TIMES)),
        until=dice.choice(seldom),
        suspended=dice.choice(seldom),
        lapsed=dice.choice(seldom),
        cause=dice.randrange(6),
        scope=dice.choice((None, None, b"\x05" * 32)),
        counters={AUTHORITY: dice.choice((0, 0, 7))},
    )


def _hide_one(dice: Random, draft: Draft) -> None:
    """Leave a slot of the plans without its proof, or a plan out."""
    shown = draft.simulator.disclosed.get("equivalence", ())
    if not shown:
        return
    plan = dice.choice(shown).plan.id()
    mapping = dice.choice((storage.SCOPES, storage.CERTIFICATES, storage.PLAN_ENTRIES))
    if dice.random() < 0.5:
        draft.simulator.unproven.add(mapping.at(plan, sim.SITE))
    else:
        draft.simulator.disclosed["equivalence"] = shown[1:]


def of_inspections(dice: Random, draft: Draft) -> None:
    doubt_and_list(draft)
    for number in range(dice.randrange(1, 4)):
        time = dice.choice((INSPECTED, NOTICE - 1, NOTICE, NOTICE + 1))
        said: dict[str, Any] = {"result": dice.choice((*Result, Result.PASSED))}
        if dice.random() < 0.2:
            said |= dice.choice(({"inspector": sim.MAKER}, {"machine": MACHINE}, {"log": 5}))
        place = {"seq": Seq(2 + number), "first_index": Index(10 * (number + 1)), "time": time}
        Inspecting(simulator=draft.simulator, said=said, record=place).show()
    words = {
        storage.KEYS.at(PROBES_KEY): sim.key_word(
            dice.choice(TIMES), notice_at=dice.choice((0, 0, NOTICE)), suspected_from=REGISTERED
        ),
        storage.LINKS.at(PROBE, LABORATORY, 1): sim.interval_word(
            REGISTERED, dice.choice((0, INSPECTED, NOTICE))
        ),
        on_controller(LABORATORY): sim.notice_word(NOTICE, dice.choice(TIMES)),
    }
    for location, word in words.items():
        if dice.random() < 0.2:
            draft.simulator.words[location] = word
    until = dice.choice((0, 0, INSPECTED, NOTICE))
    draft.trust["inspectors"] = (Listed(id=INSPECTOR, until=until),)
    if dice.random() < 0.1:
        draft.simulator.unproven.add(dice.choice(sorted(words, key=lambda one: one.slot)))


def of_other_entries(dice: Random, draft: Draft) -> None:
    place = dice.choice((EARLIER, LATER))
    named = f"https://{dice.choice((HOST, 'elsewhere.example'))}/{dice.choice(('id/', '01/'))}"
    site = {"SITE": f"0x{sim.SITE.hex()}"}
    kinds = {"LABEL_NAMESPACE": named} if dice.random() < 0.7 else site
    make: Callable[[], Simulator] = dice.choice(
        (
            lambda: rivals.other_entry(place, counter=dice.choice((25, 26))),
            lambda: rivals.licensed_apart(place, **kinds),
            lambda: rivals.licensed_by_a_stranger(place, **kinds),
            lambda: rivals.licensed_on(place, kinds, **site),
        )
    )
    other = make()
    if dice.random() < 0.2:
        other.words[storage.FATES.at(sim.LOG, other.make_core().index)] = storage.VOIDED
    if dice.random() < 0.2:
        other.claims = ()
    stand_beside(draft.simulator, other)
    if dice.random() < 0.2:
        draft.trust["issuers"] = ()


def of_replacements(dice: Random, draft: Draft) -> None:
    replacing = Simulator(run={"counter": 26}, record={"first_index": Index(110), "seq": Seq(5)})
    stand_beside(draft.simulator, replacing)
    # The other entry stands as what replaces this one, not beside it.
    draft.simulator.rivals = ()
    at = replacing.make_core().index
    shared = {
        storage.FATES.at(sim.LOG, draft.simulator.make_core().index): dice.choice((at, at, at, 112))
    }
    if dice.random() < 0.3:
        shared[storage.FATES.at(sim.LOG, at)] = dice.choice((storage.VOIDED, 300))
    for one in (replacing, draft.simulator):
        one.words |= shared
    if dice.random() < 0.3:
        replacing.disclosed[dice.choice(("key", "recipe", "beacon", "site_link"))] = None
    draft.simulator.replacement = replacing.evidence()


DRAWN: Mapping[str, Callable[[Random, Draft], None]] = {
    "equivalence": of_equivalence,
    "inspections": of_inspections,
    "other entries": of_other_entries,
    "replacements": of_replacements,
}


def cases() -> Iterator[Given]:
    for what, change in DRAWN.items():
        dice = Random(what)
        for number in range(CASES):
            draft = Draft()
            change(dice, draft)
            yield given(f"{what} {number}", draft.seal())


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Given, dict[str, Any]]]:
    """Return each case with what the page's verifier says of it."""
    folder, all_cases = tmp_path_factory.mktemp("drawn"), list(cases())
    for one in all_cases:
        place = folder / one.name
        place.mkdir()
        (place / "bundle.zip").write_bytes(one.bundle)
        (place / "trust.json").write_bytes(one.trust_file() or b"null")
        (place / "expected.json").write_text(json.dumps({"case": one.name}))
    verifier = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier" / "verifier.js"
    command = [str(node()), "scripts/verify_corpus.mjs", str(verifier), str(folder)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    found = {(line := json.loads(text))["case"]: line for text in done.stdout.splitlines()}
    return [(one, found[one.name]) for one in all_cases]


@pytest.mark.parametrize("what", DRAWN)
def test_both_verifiers_say_the_same_of_drawn_cases(
    said: list[tuple[Given, dict[str, Any]]], what: str
) -> None:
    number, least = FOUND[what]
    codes: Counter[str | None] = Counter()
    told: list[str] = []
    for one, line in said:
        if one.name.startswith(what):
            report = verify_bundle(one.bundle, one.trust, one.question)
            codes[next(each.code for each in report.checks if each.number == number)] += 1
            told += [f"{one.name}: {word}" for word in corpus.disagreements(report, line)]

    assert told == []
    assert len(codes) >= least, codes
