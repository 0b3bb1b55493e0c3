"""What the page's verifier computes beside Python's: thousands of changed inputs, one answer each.

Clauses, quantities, measurements, quality plans, accreditations, places and approvals, each drawn
from few values that lie on, beside and beyond each bound. The draws are the same in each run.
"""

import json
import subprocess
import sys
import unicodedata
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from random import Random
from typing import Any

import pytest

from environments import ROOT, node
from fakes import simulator as sim
from fakes.cases.approved import ACCOUNT, ADDRESS, KEYS
from guildmark.domain.builds.predicate import Measurement
from guildmark.domain.chain.eip712 import recipes_domain
from guildmark.domain.chain.storage import AccreditationWord, IntervalWord
from guildmark.domain.encoding import codec
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    Address,
    Bytes32,
    ChainId,
    Digest,
    IdentityId,
    RecipeId,
    to_hex,
)
from guildmark.domain.identity.accreditation import (
    Accreditation,
    Requirement,
    ScopeDocument,
    accreditation_id,
    accredited_over,
)
from guildmark.domain.identity.identity import is_readable_name
from guildmark.domain.measurement.conformity import Outcome, decide, rounded
from guildmark.domain.measurement.quality_plan import ASKING, QualityPlan
from guildmark.domain.recipes.approval import Approval, SignedApproval, approval_digest
from guildmark.domain.recipes.clause import (
    Clause,
    ClauseClass,
    ClausePath,
    ClauseType,
    Criticality,
)
from guildmark.domain.recipes.clauses import DisclosedClauses, Disclosure, violations
from guildmark.domain.recipes.differing import change_of, differences, ruled
from guildmark.domain.recipes.quantity import UCUM_CODES, converted, kind_of
from guildmark.domain.recipes.recipe import Change, Recipe, SiteRecipe
from guildmark.domain.rights.lawful import use_in
from guildmark.domain.signatures import MalformedSignatureError
from guildmark.domain.verification.checks.members import Shown
from guildmark.domain.verification.rights import Window

VERIFIER = ROOT / "backend" / "guildmark" / "api" / "static" / "verifier"
COMPUTER = ROOT / "tests" / "integration" / "javascript" / "compute.mjs"
UNITS = sorted(UCUM_CODES)
DECIMALS = (
    *("0", "1", "-1", "2", "10", "0.1", "0.10", "1.00", "-0.5", "25.4", "2.54", "1000", "1000000"),
    *("273.15", "-273.15", "0.000000000000000001", "-40", "100", "459.67"),
    *("999999999999999999.999999999999999999", "-999999999999999999.999999999999999999"),
)
TEXTS = ("", "PLA", "PLA\nPETG", "PETG", "a" * 9, "é", "\U0001f600" * 2, "required", "ISO 14253-1")
PATHS = ("/a/b", "/a/b/c", "/a/b-c", "/a/b_c", "/a/c", "/terms/country/0000", "/terms/country/1")
OUTCOMES = {
    Outcome.CONFORMS: "conforms",
    Outcome.UNPROVEN: "unproven",
    Outcome.EXCEEDED: "exceeded",
}
SPACES = (" ", "  ", "\t", "\n", "\x1c", "\x85", "\xa0", "\u2003", "\ufeff", "\u200b")
WHO = tuple(sim.identity(name) for name in ("maker", "site", "one", "two", "three", "four"))
Given = tuple[str, Any, Any]
"""A kind, what both are given as JSON, and what Python finds."""


def draws(seed: str, count: int) -> Iterator[Random]:
    yield from (Random(f"{seed} {number}") for number in range(count))


def near(draw: Random, unit: str) -> str:
    """Return a unit: often one of the same kind, else any."""
    alike = [each for each in UNITS if kind_of(each) == kind_of(unit)]
    return draw.choice(alike if draw.random() < 0.8 else UNITS)


def clause(draw: Random, **said: Any) -> Clause:
    """Return a clause of any form that a clause may have."""
    while True:
        is_text = draw.random() < 0.4
        bounds = [None, None, draw.choice(["0", "1", "2", "9", "10"] if is_text else DECIMALS)]
        made: dict[str, Any] = {
            "path": ClausePath("/a/b"),
            "type": ClauseType.TEXT if is_text else ClauseType.QUANTITY,
            "klass": draw.choice(list(ClauseClass)),
            "criticality": draw.choice(list(Criticality)),
            "value": draw.choice([None, draw.choice(TEXTS if is_text else DECIMALS)]),
            "minimum": draw.choice(bounds),
            "maximum": draw.choice([*bounds[:2], draw.choice(DECIMALS)]),
            "unit": None if is_text else draw.choice(UNITS),
            "salt": Bytes32(draw.randbytes(32)),
        }
        try:
            return Clause(**{**made, **said})
        except GuildmarkError:
            # It contradicts itself: another one is drawn.
            continue


def beside(draw: Random, one: Clause) -> Clause:
    """Return a clause that differs from another one in a member or two, or in none."""
    other = clause(draw, path=one.path)
    names = draw.sample(["klass", "criticality", "value", "minimum", "maximum", "unit", "salt"], 2)
    try:
        return replace(one, **{name: getattr(other, name) for name in names})
    except GuildmarkError:
        return one


def tree(draw: Random, clauses: Sequence[Clause]) -> tuple[Any, DisclosedClauses]:
    """Return a disclosure of some of a tree's clauses as JSON, and as Python has it."""
    leaves = tuple(one.leaf_data() for one in clauses)
    opened = {at: one for at, one in enumerate(clauses) if draw.random() < 0.8}
    shown = Disclosure(leaves=leaves, opened=opened).to_json()
    return shown, DisclosedClauses(leaves=leaves, opened=opened)


def of_bounds() -> Iterator[Given]:
    for draw in draws("admits", 4000):
        one = clause(draw)
        unit = None if one.unit is None or draw.random() < 0.1 else near(draw, one.unit)
        given = one.value or one.minimum or one.maximum or "1"
        value = draw.choice([given, draw.choice(DECIMALS)])
        if unit is None and draw.random() < 0.7:
            value = draw.choice([*TEXTS, *(one.value or "").split("\n")])
        asked: Any = {"clause": one.to_json(), "value": value, "unit": unit}
        if unit is None or value in DECIMALS:
            yield "admits", asked, one.admits(value, unit)
    for draw in draws("narrows", 4000):
        wider = clause(draw)
        one = draw.choice([beside(draw, wider), clause(draw)])
        pair = {"clause": one.to_json(), "wider": wider.to_json()}
        yield "narrows", pair, one.narrows(wider)


def of_trees() -> Iterator[Given]:
    for draw in draws("violations", 1500):
        paths = sorted(draw.sample(PATHS, draw.randint(1, 5)))
        clauses = [clause(draw, path=ClausePath(path)) for path in paths]
        own = [draw.choice([one, beside(draw, one)]) for one in clauses]
        cut = own[: draw.randint(1, len(own))] if draw.random() < 0.2 else own
        master, known = tree(draw, clauses)
        site, ours = tree(draw, cut)
        found = [[one.leaf, one.deviation.value, one.path] for one in violations(known, ours)]
        yield "violations", {"master": master, "site": site}, found
        prefix = draw.choice(["/a/b", "/a/b/", "/a/", "/terms/country/", "/z", "/a/c"])
        below = [one.path for one in known.below(prefix)]
        hides = Shown.of(known).may_hide(prefix)
        assert hides == known.may_hide(prefix)
        yield "hides", {"shown": master, "prefix": prefix}, [hides, below]


def later(draw: Random, one: Clause) -> Clause:
    """Return a clause of the next recipe: the same, written otherwise, or another."""
    spaces = draw.choice(
        [" ", "  ", "\t", "\n", "\x1c", "\x85", "\xa0", "\u2003", "\ufeff", "\u200b"]
    )
    spaced = one.value if one.unit else f"{spaces}{one.value or ''}{spaces}".replace("\n", spaces)
    changes: Sequence[dict[str, Any]] = (
        {},
        {"salt": Bytes32(draw.randbytes(32))},
        {"value": spaced},
        {"criticality": draw.choice(list(Criticality))},
        {"unit": None if one.unit is None else near(draw, one.unit)},
    )
    try:
        return draw.choice([replace(one, **draw.choice(changes)), beside(draw, one)])
    except GuildmarkError:
        return one


def of_changes() -> Iterator[Given]:
    for draw in draws("ruled", 3000):
        paths = sorted(draw.sample(PATHS, draw.randint(1, 4)))
        old = [clause(draw, path=ClausePath(path)) for path in paths]
        new = [later(draw, one) for one in old if draw.random() < 0.9]
        if draw.random() < 0.2:
            new.append(clause(draw, path=ClausePath("/z/z")))
        (before, known), (after, ours) = tree(draw, old), tree(draw, new)
        found = ruled(known, ours)
        whole = change_of(tuple(differences(old, new)))
        assert found.least <= whole
        assert not found.is_known or found.least == whole
        given = {"before": before, "after": after}
        yield "ruled", given, [int(found.least), found.is_known]


def of_quantities() -> Iterator[Given]:
    yield "units", None, UNITS
    for unit in UNITS:
        for other in (each for each in UNITS if kind_of(each) == kind_of(unit)):
            for value in DECIMALS[::3]:
                asked = {"value": value, "unit": unit, "other": other}
                yield "converted", asked, converted(value, unit, other)
    for draw in draws("rounded", 300):
        found = Fraction(draw.randint(0, 2000), draw.choice([1, 3, 8, 200, 400, 1000]))
        given = {"n": str(found.numerator), "d": str(found.denominator)}
        yield "rounded", given, rounded(found)


def asking(draw: Random) -> tuple[Any, DisclosedClauses]:
    """Return a tree with clauses by which a recipe asks of measurements, of good and bad forms."""
    text, numeral = ClauseType.TEXT, ClauseType.QUANTITY
    good: dict[str, dict[str, Any]] = {
        "/qa/calibration": {"type": text, "value": "ISO 17025"},
        "/qa/decision_rule": {
            "type": text,
            "value": draw.choice(["guard band U", "ISO 14253-1", "simple acceptance", "other"]),
        },
        "/qa/raw_data": {"type": text, "value": draw.choice(["required", "nice", ""])},
        "/qa/sample_every": {
            "type": numeral,
            "value": draw.choice(["1", "7", "1.0", "1.5", "0", "1000000", "1000001"]),
        },
        "/qa/uncertainty_ratio": {
            "type": numeral,
            "value": None,
            "minimum": draw.choice(["4", "0", "0.0000001", "2.50", "10"]),
        },
    }
    chosen = []
    for path, said in good.items():
        if draw.random() < 0.6:
            unit = "1" if said["type"] is numeral else None
            whole = {"klass": ClauseClass.CORE, "minimum": None, "maximum": None, **said}
            made = {**whole, "unit": unit} if draw.random() < 0.85 else {}
            chosen.append(clause(draw, path=ClausePath(path), **made))
    end = clause(draw, path=ClausePath("/qa/z"))
    return tree(draw, [*chosen, end])


def of_measurements() -> Iterator[Given]:
    for draw in draws("plan", 1500):
        shown, known = asking(draw)
        plan, unit = QualityPlan.of(known.opened.values()), draw.choice([None, 1, 2, 8, 15])
        ratio = None if plan.least_ratio is None else f"{plan.least_ratio:f}"
        found = [plan.rule.value, ratio, plan.is_raw_asked, plan.calibration, plan.every]
        whole = [*found, list(plan.unread), plan.samples(unit)]
        yield "plan", {"shown": shown, "unit": unit}, whole
    for draw in draws("decide", 4000):
        scale = draw.choice(["mm", "um", "[in_i]", "Cel", "[degF]", "K", "1", "{HRC}"])
        bounds = [None, "-0.5", "0", "1", "1.0", "2", "10"]
        least, most = draw.choice(bounds), draw.choice(bounds)
        tolerance = clause(
            draw,
            type=ClauseType.QUANTITY,
            unit=scale,
            value=None,
            **in_order(draw, least, most),
        )
        uncertain = draw.random() < 0.75
        steps = ["0", "0.9", "1", "1.1", "1.95", "0.95", "1.835", "1.0825", "9.9", "-0.6", "33.8"]
        measured = Measurement(
            characteristic=ClausePath("/a/b"),
            value=draw.choice(steps),
            unit=near(draw, scale),
            instrument="x",
            uncertainty=draw.choice(["0.1", "0.05", "1", "0.001"]) if uncertain else None,
            coverage_factor=draw.choice(["2", "1.96", "1"]) if uncertain else None,
            resolution=draw.choice([None, "0.1", "0.173", "0.2"]),
        )
        shown, known = asking(draw)
        plan = QualityPlan.of(known.opened.values())
        decision = decide(measured, tolerance, plan.rule, plan.least_ratio)
        asked = {
            "measured": measured.to_json(),
            "tolerance": tolerance.to_json(),
            "plan": shown,
        }
        yield "decide", asked, [OUTCOMES[decision.outcome], decision.reason]


def in_order(draw: Random, least: str | None, most: str | None) -> dict[str, Any]:
    """Return bounds that a core clause may have."""
    if least is None and most is None:
        return {"klass": ClauseClass.CORE, "minimum": "1", "maximum": None}
    if least is not None and most is not None and Fraction(least) > Fraction(most):
        least, most = most, least
    klass = draw.choice([ClauseClass.CORE, ClauseClass.SITE])
    return {"klass": klass, "minimum": least, "maximum": most}


def scope(draw: Random) -> ScopeDocument:
    def some(members: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(sorted(draw.sample(members, draw.choice([0, 0, 1, 2]))))

    return ScopeDocument(
        standard=draw.choice(["ISO 9001", "ISO 9001", "ISO 9001", "ISO 13485"]),
        processes=some(["fdm", "sls", "é", "\ue000", "\U0001f600"][: draw.choice([2, 3])]),
        materials=some(["PLA", "PA12"]),
        sites=some(WHO[:3]),
        certificate=draw.choice(["", "DE-0815"]),
        delegations=draw.randint(0, 3),
        salt=Bytes32(draw.choice([bytes(32), draw.randbytes(32)])),
    )


def listed(
    roots: Mapping[IdentityId, Sequence[IntervalWord]], identity: IdentityId
) -> Sequence[IntervalWord]:
    return roots.get(identity, ())


def of_accreditations() -> Iterator[Given]:
    times = [0, 5, 9, 10, 11, 15, 19, 20, 21, 25]
    for draw in draws("accredited", 3000):
        subjects = list(WHO[: draw.choice([1, 2, 2])])
        shown = []
        for _ in range(draw.randint(0, 6)):
            begun = draw.choice([0, 1, 1, 5, 5, 10, 11, 21])
            word = AccreditationWord(
                since=begun,
                until=draw.choice([0, 0, *(time for time in times if time > begun)]),
                revoked_at=draw.choice([0, 0, 0, *times]),
            )
            up = draw.randint(1, 5)
            issuer, subject = WHO[up], WHO[draw.randint(0, max(0, up - draw.choice([0, 1, 1])))]
            shown.append(
                Accreditation(issuer=issuer, subject=subject, scope=scope(draw), word=word)
            )
        wanted = Requirement(
            standard="ISO 9001",
            process=draw.choice(["", "fdm", "sls"]),
            material=draw.choice(["", "PLA"]),
            site=draw.choice([None, WHO[1]]),
        )
        roots: dict[IdentityId, list[IntervalWord]] = {}
        for identity in draw.sample(WHO[1:], draw.choice([0, 1, 1, 2])):
            since = draw.choice([0, 0, 5, 11, 15])
            until = draw.choice([0, 0, 15, 20, 21])
            roots.setdefault(identity, []).append(IntervalWord(since=since, until=until))
            if draw.random() < 0.3:
                roots[identity].append(IntervalWord(since=15, until=0))
        window = Window(begin=10, end=20)
        answer = accredited_over(
            subjects, wanted, window, shown=shown, roots=partial(listed, roots)
        )
        reason = "" if answer.is_held else answer.reason
        chain = [next(at for at, one in enumerate(shown) if one is link) for link in answer.chain]
        names = [
            to_hex(
                accreditation_id(issuer=one.issuer, subject=one.subject, scope=one.scope.digest())
            )
            for one in shown
        ]
        given = {
            "subjects": [to_hex(one) for one in subjects],
            "wanted": {
                "standard": wanted.standard,
                "process": wanted.process,
                "material": wanted.material,
                "site": to_hex(wanted.site) if wanted.site else "",
            },
            "window": {"begin": 10, "end": 20},
            "shown": [
                {
                    "issuer": to_hex(one.issuer),
                    "subject": to_hex(one.subject),
                    "scope": codec.dump(one.scope),
                    "word": {
                        "since": one.word.since,
                        "until": one.word.until,
                        "revokedAt": one.word.revoked_at,
                    },
                }
                for one in shown
            ],
            "roots": {
                to_hex(one): [{"since": each.since, "until": each.until} for each in accepted]
                for one, accepted in roots.items()
            },
        }
        yield "accredited", given, [answer.standing.value, reason, chain, names]


def of_words() -> Iterator[Given]:
    known = [
        chr(code)
        for code in range(sys.maxunicode + 1)
        # What a newer Unicode assigns is nobody's to compare; halves of pairs no document holds.
        if unicodedata.category(chr(code)) not in {"Cn", "Cs"}
    ]
    plain = "abc '\"\\\t\n\r\x00\x7f\xa0\u200b\u202e\u2028é\u0301\uffff"
    for draw in draws("words", 1500):
        letters = draw.choices(plain, k=draw.randint(0, 8)) + draw.choices(known, k=3)
        draw.shuffle(letters)
        text = "".join(letters[: draw.choice([1, 3, 11])])
        yield "quoted", text, repr(text)
        yield "plain", text, is_readable_name(text)
    for text in ("", "a" * 200, "a" * 201, "\U0001f600" * 200, "a  b", " a", "a ", "a b"):
        yield "plain", text, is_readable_name(text)


def of_places() -> Iterator[Given]:
    for draw in draws("use", 1500):
        named = []
        for kind in ("country", "countryDenied"):
            for number in range(draw.choice([0, 0, 1, 2])):
                path = ClausePath(f"/terms/{kind}/{number:04d}")
                named.append(sim.text(path, ClauseClass.CORE, draw.choice(["DE", "FR", "US"])))
        named.append(sim.text("/terms/text/0000", ClauseClass.CORE, "x"))
        shown, known = tree(draw, named)
        country = draw.choice([None, "DE", "FR", "XX", "de", "JP"])
        use = {"place unknown": "placeUnknown"}.get(found := use_in(known, country).value, found)
        yield "use", {"shown": shown, "country": country}, use


def of_countries() -> Iterator[Given]:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
    denied = sim.text("/terms/countryDenied/0000", ClauseClass.CORE, "DE")
    leaves = (denied.leaf_data(),)
    shown = Disclosure(leaves=leaves, opened={0: denied}).to_json()
    known = DisclosedClauses(leaves=leaves, opened={0: denied})
    for country in (first + second for first in letters for second in letters):
        use = {"place unknown": "placeUnknown"}.get(found := use_in(known, country).value, found)
        yield "use", {"shown": shown, "country": country}, use


def of_approvals() -> Iterator[Given]:
    for draw in draws("approver", 60):
        domain = recipes_domain(chain_id=ChainId(2**40 + 1), contract=Address(b"\x11" * 20))
        said = Approval(
            recipe=RecipeId(draw.randbytes(32)),
            approved_on=draw.randint(0, 2**40 - 1),
            reason="report é",
            approver=WHO[2],
            ruled=draw.choice(list(Change)),
            standard="ISO 9001",
        )
        signature = bytearray(KEYS.sign_digest(ACCOUNT, approval_digest(said, domain)))
        change = draw.choice(["none", "none", "bit", "v", "high", "zero", "short", "empty"])
        signature = bytearray(altered(draw, change, signature))
        signed = SignedApproval(approval=said, signature=bytes(signature))
        try:
            found = to_hex(signed.signer(domain))
        except MalformedSignatureError:
            found = None
        if change == "none":
            assert found == to_hex(ADDRESS)
        given = {
            "signed": codec.dump(signed),
            "chainId": str(2**40 + 1),
            "address": "0x" + "11" * 20,
        }
        yield "approver", given, found


def altered(draw: Random, change: str, signature: bytearray) -> bytes:
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    if change == "bit":
        signature[draw.randint(0, 63)] ^= 1 << draw.randint(0, 7)
    elif change == "v":
        signature[64] = draw.choice([0, 1, 26, 29, 27, 28])
    elif change == "high":
        high = order - int.from_bytes(signature[32:64], "big")
        signature[32:64] = high.to_bytes(32, "big")
        signature[64] ^= 27 ^ 28
    elif change == "zero":
        signature[:32] = draw.choice([bytes(32), order.to_bytes(32, "big"), b"\xff" * 32])
    return {"short": bytes(signature[:64]), "empty": b""}.get(change, bytes(signature))


def of_ids() -> Iterator[Given]:
    for draw in draws("ids", 50):
        ids = [draw.randbytes(32) for _ in range(8)]
        change = draw.choice(list(Change))
        recipe = Recipe(
            root=Digest(ids[0]),
            design=sim.DESIGN,
            revision=draw.randint(0, 2**40 - 1),
            supersedes=RecipeId(draw.choice([bytes(32), ids[1]])),
            change=change,
            plan=Digest(draw.choice([bytes(32), ids[2]])),
        )
        own = SiteRecipe(
            master=RecipeId(ids[3]),
            site=IdentityId(ids[4]),
            model=Digest(ids[5]),
            root=Digest(ids[6]),
        )
        given = {"recipe": codec.dump(recipe), "siteRecipe": codec.dump(own)}
        yield "ids", given, [to_hex(recipe.id()), to_hex(own.id())]


SOURCES: Sequence[Callable[[], Iterator[Given]]] = (
    *(of_bounds, of_trees, of_changes, of_quantities, of_measurements, of_accreditations),
    *(of_words, of_places, of_countries, of_approvals, of_ids),
)


@pytest.fixture(scope="module")
def computed() -> Sequence[tuple[Given, Any]]:
    """Return each input with what the page's verifier finds, all in one process."""
    given = [one for source in SOURCES for one in source()]
    lines = "\n".join(json.dumps({"kind": kind, "given": asked}) for kind, asked, _ in given)
    command = [str(node()), str(COMPUTER), str(VERIFIER)]
    done = subprocess.run(command, input=lines, check=True, capture_output=True, text=True)
    found = [json.loads(line)["found"] for line in done.stdout.splitlines()]
    return list(zip(given, found, strict=True))


KINDS = (
    *(
        "units",
        "admits",
        "narrows",
        "violations",
        "hides",
        "ruled",
        "converted",
        "rounded",
        "plan",
        "decide",
    ),
    *("accredited", "quoted", "plain", "use", "approver", "ids"),
)


@pytest.mark.parametrize("kind", KINDS)
def test_the_page_computes_what_python_computes(
    computed: Sequence[tuple[Given, Any]], kind: str
) -> None:
    mine = [(asked, known, found) for (name, asked, known), found in computed if name == kind]

    assert len(mine) >= 50 or kind == "units"
    if kind == "converted":
        differing = [
            (asked, known)
            for asked, known, (numerator, denominator) in mine
            if Fraction(int(numerator), int(denominator)) != known
        ]
    else:
        differing = [(asked, known) for asked, known, found in mine if found != known]
    assert differing == []


def test_the_inputs_come_upon_every_answer(computed: Sequence[tuple[Given, Any]]) -> None:
    def answers(kind: str, at: int) -> set[Any]:
        return {known[at] for (name, _, known), _ in computed if name == kind}

    standings = {"held", "partly", "lapsed", "unlisted", "unregistered", "broken", "outOfScope"}
    assert answers("accredited", 0) == {*standings, "absent"}
    assert answers("decide", 0) == set(OUTCOMES.values())
    # Conforming, out of bounds, near a limit, no uncertainty, too fine, too wide a ratio.
    assert len({str(one)[:12] for one in answers("decide", 1)}) == 6
    assert {path for (name, _, known), _ in computed if name == "plan" for path in known[5]} == {
        *ASKING
    }
    kinds = {each[1] for (name, _, known), _ in computed if name == "violations" for each in known}
    assert len(kinds) == 5
    uses = {known for (name, _, known), _ in computed if name == "use"}
    assert uses == {"allowed", "denied", "placeUnknown", "withheld"}
