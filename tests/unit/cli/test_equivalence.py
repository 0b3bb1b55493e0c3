"""Equivalence by command: three sites from plan to certificate, and what ends one."""

import json
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any

import pytest

from fakes.node import MemoryNode
from fakes.samples import BORE, Shop, make_shop
from fakes.telemetry import chunks, window
from fakes.world import DESIGNER, ISSUER, MAKER, OPERATOR, SITE, World
from guildmark.cli.equivalence.files import read_plan
from guildmark.domain.builds.telemetry import disclose_chunks, telemetry_resource
from guildmark.domain.chain.facts import CertificateFact
from guildmark.domain.encoding.fields import DocumentError
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.equivalence.blinded import SiteData
from guildmark.domain.equivalence.plan import CharacteristicPlan, EquivalencePlan
from guildmark.domain.identifiers import Bytes32, IdentityId, from_hex, to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.ports.store import DocumentKind
from unit.cli.speaking import Speak

pytestmark = pytest.mark.usefixtures("home")

EVALUATOR_KEY = f"x25519:0x{'11' * 32}"
FEW, ENOUGH = 3, 16


class Workshop:
    """Three sites with an account each, and what they say to the system."""

    def __init__(self, speak: Speak, world: World, folder: Path) -> None:
        self.speak, self.world, self.folder = speak, world, folder
        self.noise: float | None = None
        second = self.new_site(OPERATOR)
        third = self.new_site(DESIGNER)
        self.sites = {world.site: SITE, second: OPERATOR, third: DESIGNER}

    def new_site(self, name: str) -> IdentityId:
        return self.world.tools.identities(name).register(IdentityKind.SITE, {"name": name})

    def plan(self, units: int, *more: object, max_gauge: str | None = None) -> str:
        reference, *others = map(to_hex, self.sites)
        bore = {"path": "/tolerance/bore", "unit": "mm", "margin": "0.05", "maxGauge": max_gauge}
        document: dict[str, Any] = {
            "recipe": to_hex(self.world.recipe.id()),
            "reference": reference,
            "sites": sorted(others, reverse=True),
            "characteristics": [bore],
            "evaluator": to_hex(self.world.issuer),
            "units": units,
            "replicates": FEW,
            "commitBy": 2_000_000_000,
            "revealBy": 2_000_000_001,
        }
        path = self.folder / f"plan-{units}.json"
        path.write_text(json.dumps(document))
        sponsor = ("--sponsor", to_hex(self.world.maker), "--as", MAKER)
        return self.speak("equivalence", "plan", path, *sponsor, *more).out

    def readings(self, site: IdentityId, units: int) -> Path:
        random = Random(f"{units} {site.hex()}")
        name = f"{units}-{site.hex()[:8]}"
        rows = [
            {
                "part": f"{name}-{number}",
                "build": f"{name}-{number}",
                "site": to_hex(site),
                "characteristic": "/tolerance/bore",
                "value": f"{random.gauss(22.2, 0.02):.4f}",
                "unit": "mm",
                "instrument": to_hex(self.world.instrument),
                "rawData": to_hex(sha256(f"{name}-{number}".encode())),
            }
            for number in range(units)
        ]
        path = self.folder / f"{name}.json"
        studies = [] if self.noise is None else [self.study(self.noise)]
        path.write_text(json.dumps({"readings": rows, "studies": studies}))
        return path

    def study(self, noise: float) -> dict[str, Any]:
        """Return a crossed study of the gauge: what it adds itself is normal with ``noise``."""
        random = Random("study")
        trials = [
            {"part": f"{part}", "appraiser": name, "value": f"{size + random.gauss(0, noise):.4f}"}
            for part, size in enumerate(random.gauss(22.2, 0.1) for _ in range(10))
            for name in "AABBCC"
        ]
        gauge = to_hex(self.world.instrument)
        return {"instrument": gauge, "characteristic": "/tolerance/bore", "trials": trials}

    def commit(self, plan: str, site: IdentityId, units: int) -> Path:
        account = ("--as", self.sites[site])
        recipe = ("--site-recipe", to_hex(self.world.site_recipe))
        self.speak("equivalence", "join", plan, to_hex(site), *recipe, *account)
        out = self.folder / f"{plan[2:10]}-{site.hex()[:8]}.sealed"
        given = (plan, to_hex(site), self.readings(site, units), "--to", EVALUATOR_KEY)
        self.speak("equivalence", "commit", *given, "--out", out, *account)
        return out

    def computed(self, plan: str, units: int) -> Path:
        """Let all sites commit and reveal; return the result."""
        for site in self.sites:
            sealed = self.commit(plan, site, units)
            self.speak("equivalence", "unseal", plan, to_hex(site), sealed, "--key", "sealing")
        for site in self.sites:
            self.speak("equivalence", "reveal", plan, to_hex(site), "--as", SITE)
        out = self.folder / f"result-{units}.json"
        assert self.speak("equivalence", "run", plan, "--out", out).exit == 0
        return out

    def certify(self, plan: str, site: IdentityId, result: Path) -> str:
        words = ("certify", plan, to_hex(site), "--result", result, "--as", ISSUER, "--json")
        return str(self.speak("equivalence", *words).json["verdict"])


@pytest.fixture
def workshop(speak: Speak, world: World, tmp_path: Path) -> Workshop:
    return Workshop(speak, world, tmp_path)


def test_sites_are_inconclusive_with_too_few_builds_and_equivalent_with_more(
    workshop: Workshop, speak: Speak, tmp_path: Path
) -> None:
    first = workshop.plan(FEW)
    few = workshop.computed(first, FEW)
    _, second, third = workshop.sites
    verdicts = [workshop.certify(first, site, few) for site in (second, third)]
    again = workshop.plan(ENOUGH)
    enough = workshop.computed(again, ENOUGH)
    later = [workshop.certify(again, site, enough) for site in (second, third)]

    reason = tmp_path / "drift.json"
    reason.write_text("the moving average left its limits")
    suspended = ("suspend", again, to_hex(third), "--reason", reason, "--as", ISSUER)
    assert speak("equivalence", *suspended).exit == 0
    moved = ("lapse", again, to_hex(third), "machine-moved", "--as", DESIGNER)
    assert speak("equivalence", *moved).exit == 0
    shown = speak("equivalence", "show", again, "--json").json

    assert verdicts == ["INCONCLUSIVE"] * 2
    assert later == ["EQUIVALENT"] * 2
    rows = {row["site"]: row for row in shown["sites"]}
    good, bad = rows[to_hex(second)], rows[to_hex(third)]
    assert (good["number"], good["verdict"]) == (2, "EQUIVALENT")
    assert (good["suspended"], good["lapsed"]) == (False, False)
    assert (bad["verdict"], bad["suspended"], bad["lapsed"]) == ("EQUIVALENT", True, True)
    assert rows[to_hex(workshop.world.site)]["verdict"] is None


def test_a_refused_plan_leaves_no_document(
    workshop: Workshop, speak: Speak, tmp_path: Path
) -> None:
    out, taken = tmp_path / "document.json", tmp_path / "taken.json"
    workshop.plan(FEW)
    words = ("equivalence", "plan", tmp_path / f"plan-{FEW}.json")
    sponsor = ("--sponsor", to_hex(workshop.world.maker))

    refused = speak(*words, *sponsor, "--as", DESIGNER, "--out", out)
    made = speak(*words, *sponsor, "--as", MAKER, "--out", taken, "--json").json
    kept = taken.read_bytes()
    again = speak(*words, *sponsor, "--as", MAKER, "--out", taken)

    assert (refused.exit, out.exists()) == (5, False)
    assert made["document"] == to_hex(EquivalencePlan.parse(kept).digest())
    assert ("cli.outputExists" in again.err, taken.read_bytes() == kept) == (True, True)


def test_anybody_with_the_data_computes_the_same_bytes(workshop: Workshop, speak: Speak) -> None:
    plan = workshop.plan(FEW)
    first = workshop.computed(plan, FEW)

    second = first.with_name("again.json")
    digest = speak("equivalence", "run", plan, "--out", second).out

    assert first.read_bytes() == second.read_bytes()
    assert digest == to_hex(sha256(first.read_bytes()))


def test_an_authority_sets_another_result_against_a_certificate(
    workshop: Workshop, speak: Speak
) -> None:
    plan = workshop.plan(FEW)
    result = workshop.computed(plan, FEW)
    _, second, _ = workshop.sites
    workshop.certify(plan, second, result)

    by = ("--by", to_hex(workshop.world.issuer), "--result", result, "--as", ISSUER)
    said = speak("equivalence", "challenge", plan, to_hex(second), *by, "--json").json
    shown = speak("equivalence", "show", plan, "--json").json

    rows = {row["site"]: row for row in shown["sites"]}
    assert rows[to_hex(second)]["counterResults"] == [said["result"]]


def test_the_state_of_a_certificate_is_told(
    workshop: Workshop, speak: Speak, tmp_path: Path
) -> None:
    plan = workshop.plan(FEW)
    result = workshop.computed(plan, FEW)
    _, second, third = workshop.sites
    for site in (second, third):
        workshop.certify(plan, site, result)
    asked = {site: ("equivalence", "status", plan, to_hex(site)) for site in (second, third)}
    reason = tmp_path / "drift.json"
    reason.write_text("the moving average left its limits")

    before = speak(*asked[third], "--json").json
    speak("equivalence", "suspend", plan, to_hex(third), "--reason", reason, "--as", ISSUER)
    suspended = speak(*asked[third], "--json").json
    speak("equivalence", "lapse", plan, to_hex(third), "machine-moved", "--as", DESIGNER)
    lapsed = speak(*asked[third], "--json").json

    assert speak(*asked[second]).out == "INCONCLUSIVE, in force"
    assert (before["state"], before["suspendedAt"], before["lapsedAt"]) == ("in force", 0, 0)
    assert before["since"] <= before["at"]
    assert suspended["state"] == "suspended"
    assert 0 < suspended["suspendedAt"] <= suspended["at"]
    assert (lapsed["state"], lapsed["cause"]) == ("lapsed", "MACHINE_MOVED")
    refused = speak("equivalence", "status", plan, to_hex(workshop.world.site))
    assert (refused.exit, "equivalence.certificateUnknown" in refused.err) == (4, True)


def test_a_plan_is_shown_before_anybody_joined(workshop: Workshop, speak: Speak) -> None:
    plan = workshop.plan(FEW)

    shown = speak("equivalence", "show", plan, "--json").json

    assert [row["number"] for row in shown["sites"]] == [None] * 3
    assert shown["evaluator"] == to_hex(workshop.world.issuer)


def test_a_plans_document_is_received_where_the_chain_commits_to_it(
    workshop: Workshop, speak: Speak, tmp_path: Path
) -> None:
    plan = workshop.plan(FEW)
    key = bytes.fromhex(plan.removeprefix("0x"))
    with workshop.world.tools.store.reading() as view:
        document = view.documents.get(DocumentKind.EQUIVALENCE_PLAN, key)
    assert document is not None
    shown, wrong = tmp_path / "shown.json", tmp_path / "wrong.json"
    shown.write_bytes(document)
    wrong.write_bytes(document.replace(b'"units":3', b'"units":4'))

    kept = speak("equivalence", "receive", plan, shown, "--json")
    refused = speak("equivalence", "receive", plan, wrong)

    assert kept.json == {"id": plan, "kept": True}
    assert "equivalence.otherPlanDocument" in refused.err


def test_people_write_a_plan_in_any_order(tmp_path: Path) -> None:
    bore, width = ({"path": f"/tolerance/{name}", "unit": "mm"} for name in ("bore", "width"))
    written = {"sites": ["0x02", "0x01"], "characteristics": [width, bore]}
    for member, nonsense in (("sites", 7), ("characteristics", [7])):
        file = tmp_path / f"{member}.json"
        file.write_text(json.dumps({**written, member: nonsense}))
        with pytest.raises(DocumentError):
            read_plan(file, Bytes32(bytes(32)))
    file = tmp_path / "plan.json"
    whole = {
        "recipe": NOWHERE,
        "reference": "0x00",
        "evaluator": "0x03",
        "units": 3,
        "replicates": 3,
        "commitBy": 1,
        "revealBy": 2,
        **written,
    }
    whole["characteristics"] = [{**one, "margin": "1"} for one in (width, bore)]
    file.write_text(json.dumps(whole))

    plan = read_plan(file, Bytes32(bytes(32)))

    assert plan.sites == ("0x01", "0x02")
    assert [one.path for one in plan.characteristics] == ["/tolerance/bore", "/tolerance/width"]


NOWHERE = "0x" + "ab" * 32


def test_what_was_revealed_and_never_handed_over_is_said_by_the_evaluator(
    workshop: Workshop, speak: Speak, tmp_path: Path
) -> None:
    plan = workshop.plan(FEW)
    workshop.computed(plan, FEW)
    site = list(workshop.sites)[1]
    with workshop.world.tools.store.writing() as work:
        key = bytes.fromhex(plan.removeprefix("0x")) + site
        work.documents.drop(DocumentKind.EQUIVALENCE_DATA, key)
    run = ("equivalence", "run", plan, "--out", tmp_path / "without.json")

    refused = speak(*run)
    done = speak(*run, "--without", to_hex(site), "--json")

    assert "equivalence.revealedMissing" in refused.err
    assert done.exit == 0
    assert "it did not hand over its data" in (tmp_path / "without.json").read_text()


def test_what_is_not_on_record_is_told(workshop: Workshop, speak: Speak, tmp_path: Path) -> None:
    plan = workshop.plan(FEW)
    site = to_hex(workshop.world.site)

    unknown = speak("equivalence", "show", NOWHERE)
    recipe = speak("equivalence", "join", plan, site, "--site-recipe", NOWHERE, "--as", SITE)
    unheld = speak("equivalence", "reveal", plan, site, "--as", SITE)

    assert (unknown.exit, recipe.exit, unheld.exit) == (4, 4, 4)
    assert "equivalence.planUnknown" in unknown.err
    assert "equivalence.dataUnknown" in unheld.err


def test_a_result_that_does_not_speak_of_a_site_certifies_nothing(
    workshop: Workshop, speak: Speak
) -> None:
    plan = workshop.plan(FEW)
    result = workshop.computed(plan, FEW)

    words = ("certify", plan, NOWHERE, "--result", result, "--as", ISSUER)
    spoken = speak("equivalence", *words)

    assert spoken.exit == 4
    assert "equivalence.siteNotCompared" in spoken.err


def report_of(workshop: Workshop, plan: str, folder: Path, *more: str) -> Any:
    return workshop.speak("equivalence", "report", plan, "--out", folder, *more, "--json")


def test_a_report_has_a_page_pictures_and_equal_bytes(
    workshop: Workshop, speak: Speak, tmp_path: Path
) -> None:
    early = workshop.plan(FEW)
    few = workshop.computed(early, FEW)
    _, second, _ = workshop.sites
    workshop.certify(early, second, few)
    plan = workshop.plan(ENOUGH)
    result = workshop.computed(plan, ENOUGH)
    workshop.certify(plan, second, result)
    first, other = tmp_path / "first", tmp_path / "other"

    said = report_of(workshop, plan, first, "--data").json
    report_of(workshop, plan, other, "--data", "--pdf")
    paper = (other / "report.pdf").read_bytes()
    (other / "report.pdf").unlink()

    files = sorted(path.relative_to(first) for path in first.rglob("*") if path.is_file())
    assert files == sorted(path.relative_to(other) for path in other.rglob("*") if path.is_file())
    assert all((first / name).read_bytes() == (other / name).read_bytes() for name in files)
    assert (first / "result.json").read_bytes() == result.read_bytes()
    assert said["result"] == to_hex(sha256(result.read_bytes()))
    assert (said["pictures"], said["data"]) == (len(list((first / "pictures").iterdir())), 3)
    (row,) = [
        one
        for one in json.loads((first / "report.json").read_bytes())["sites"]
        if one["site"] == to_hex(second)
    ]
    assert row["earlier"] == [{"ended": "INCONCLUSIVE", "number": 1, "plan": early}]
    assert (row["certificate"]["verdict"], row["sample"]["builds"]) == ("EQUIVALENT", ENOUGH)
    assert paper.startswith(b"%PDF-")
    page = (first / "report.html").read_text()
    assert "INCONCLUSIVE (" in page
    assert page.count("<figure>") == said["pictures"]
    assert "src=" not in page
    assert said["result"] in page


def test_a_report_is_run_again_from_its_own_data(
    workshop: Workshop, speak: Speak, tmp_path: Path
) -> None:
    plan = workshop.plan(FEW)
    workshop.computed(plan, FEW)
    folder = tmp_path / "report"
    said = report_of(workshop, plan, folder, "--data").json

    good = speak("equivalence", "again", folder, "--json").json
    changed = {}
    for name, word in (("plan.json", "0.05"), ("result.json", "INCONCLUSIVE")):
        beside = folder / name
        kept = beside.read_text()
        beside.write_text(kept.replace(word, word[::-1], 1))
        changed[name] = speak("equivalence", "again", folder)
        beside.unlink()
    alone = speak("equivalence", "again", folder)
    path = folder / "report.json"
    path.write_text(path.read_text().replace('"outcome": "passed"', '"outcome": "failed"', 1))
    lied = speak("equivalence", "again", folder)
    next((folder / "data").iterdir()).unlink()
    missing = speak("equivalence", "again", folder)
    path.unlink()
    nothing = speak("equivalence", "again", folder)

    for name, refused in changed.items():
        assert (refused.exit, "equivalence.resultDiffers" in refused.err) == (14, True)
        assert f"{name} is not the one of report.json." in refused.err
    assert alone.exit == 0
    assert (good["reported"], good["again"]) == (said["result"], said["result"])
    assert "equivalence.resultDiffers" in lied.err
    assert "equivalence.openingMismatch" in missing.err
    assert "equivalence.reportMissing" in nothing.err
    assert (lied.exit, missing.exit, nothing.exit) == (14, 14, 4)


def test_a_report_overwrites_nothing_and_keeps_data_to_itself(
    workshop: Workshop, tmp_path: Path
) -> None:
    plan = workshop.plan(FEW)
    workshop.computed(plan, FEW)
    folder = tmp_path / "report"

    first = report_of(workshop, plan, folder)
    again = report_of(workshop, plan, folder)

    assert first.json["data"] == 0
    assert not (folder / "data").exists()
    assert again.json["code"] == "cli.outputUnwritable"


def test_a_result_is_published_brought_home_and_computed_there(
    workshop: Workshop, speak: Speak, node: MemoryNode, tmp_path: Path
) -> None:
    plan = workshop.plan(FEW)
    result = workshop.computed(plan, FEW)
    _, second, _ = workshop.sites
    workshop.certify(plan, second, result)
    node.results = workshop.world.tools.results
    url, folder = "http://parts.example.org", tmp_path / "brought"
    sent = ("publish", plan, "--node", f"{url}/", "--result", result, "--json")

    without = speak("equivalence", *sent).json
    bare = [kind for kind, _, _ in node.disclosed]
    said = speak("equivalence", *sent, "--data").json
    for kind, key, body in node.disclosed:
        workshop.world.tools.disclosing.receive(kind, key, body)
    words = ("download", plan, "--node", url, "--out", folder, "--json")
    brought = speak("equivalence", *words).json
    again = speak("equivalence", "again", folder, "--json").json

    assert bare == [DocumentKind.PUBLISHED_PLAN, DocumentKind.PUBLISHED_RESULT]
    assert (without["documents"], said["documents"], brought["data"]) == (2, 5, 3)
    assert said["pages"] == [f"{url}/equivalence/{plan}"]
    assert (folder / "result.json").read_bytes() == result.read_bytes()
    assert again["again"] == again["reported"] == said["result"] == brought["result"]


@pytest.fixture
def sampled(world: World) -> Shop:
    world.disclose()
    return make_shop(world, units=FEW, drawn_from=FEW)


def test_drawn_parts_are_told_written_and_committed_to(
    sampled: Shop, speak: Speak, tmp_path: Path
) -> None:
    place = (to_hex(sampled.id), to_hex(sampled.site))
    early = speak("equivalence", "draw", *place)
    sampled.log(*(sampled.state(number) for number in range(1, FEW + 1)))
    sampled.tick(2)
    out, sealed = tmp_path / "data.json", tmp_path / "data.sealed"

    found = speak("equivalence", "draw", *place, "--out", out, "--json").json
    brief = speak("equivalence", "draw", *place).out
    to = ("--to", EVALUATOR_KEY, "--out", sealed, "--as", SITE, "--json")
    done = speak("equivalence", "commit", *place, out, *to).json

    assert early.exit == 17
    assert "equivalence.sampleTooEarly" in early.err
    assert sorted(found["order"]) == ["1.0", "1.1", "1.2"]
    assert brief == " ".join(found["order"])
    assert (found["closedBy"], found["data"]) == ("1/0", str(out))
    assert out.stat().st_mode & 0o777 == 0o600
    assert done["readings"] == FEW


def test_the_telemetry_of_drawn_builds_is_asked_for_and_taken(
    world: World, speak: Speak, tmp_path: Path
) -> None:
    world.disclose()
    bore = CharacteristicPlan(path=BORE, unit="mm", margin="0.1")
    wanted = {"characteristics": (window(), bore), "chunks": 1}
    shop = make_shop(world, units=FEW, drawn_from=FEW, **wanted)
    told = {number: chunks(f"job {number}", [f"21{number}.5"]) for number in range(1, FEW + 1)}
    shop.log(
        *(
            replace(shop.state(number), byproducts=(telemetry_resource(own),))
            for number, own in told.items()
        )
    )
    shop.tick(2)
    place = (to_hex(shop.id), to_hex(shop.site))
    by_root = {to_hex(telemetry_resource(own).digest): own for own in told.values()}
    out, files = tmp_path / "data.json", []

    asked = speak("equivalence", "telemetry", *place, "--json").json
    for number, one in enumerate(asked["builds"]):
        nonce, file = Bytes32(from_hex(one["nonce"])), tmp_path / f"{number}.json"
        answer = disclose_chunks(by_root[one["root"]], nonce=nonce, most=one["count"])
        file.write_bytes(answer.encode())
        files += ["--telemetry", file]
    without = speak("equivalence", "draw", *place, "--out", out)
    done = speak("equivalence", "draw", *place, "--out", out, *files)

    assert [one["count"] for one in asked["builds"]] == [1] * FEW
    assert without.exit == 15
    assert "No answer opens the telemetry" in without.err
    assert done.exit == 0
    assert len(SiteData.parse(out.read_bytes()).traces) == FEW


def test_a_home_refuses_to_commit_to_other_values_than_were_logged(
    sampled: Shop, speak: Speak, tmp_path: Path
) -> None:
    sampled.log(*(sampled.state(number) for number in range(1, FEW + 1)))
    sampled.tick(2)
    place = (to_hex(sampled.id), to_hex(sampled.site))
    out = tmp_path / "data.json"
    speak("equivalence", "draw", *place, "--out", out)
    out.write_text(out.read_text().replace("22.03", "22.30"))

    to = ("--to", EVALUATOR_KEY, "--out", tmp_path / "data.sealed", "--as", SITE)
    refused = speak("equivalence", "commit", *place, out, *to)

    assert refused.exit == 15
    assert "equivalence.sampleWrong" in refused.err
    assert "22.30; it was logged as 22.03" in refused.err


@pytest.mark.parametrize(
    ("noise", "verdict", "reason"),
    [
        (0.002, "INCONCLUSIVE", None),
        (0.09, "INVALID", "of the study variation; at most 30.0% may be."),
        (None, "INVALID", "has no study of /tolerance/bore."),
    ],
)
def test_studies_say_whether_a_gauge_is_good_enough(
    workshop: Workshop, noise: float | None, verdict: str, reason: str | None
) -> None:
    workshop.noise = noise
    result = workshop.computed(workshop.plan(FEW, max_gauge="0.3"), FEW)

    found = json.loads(result.read_bytes())

    assert {one["verdict"] for one in found["verdicts"]} == {verdict}
    (gauge,) = [one for one in found["gates"] if one["gate"] == "gauge"]
    assert gauge["outcome"] == ("passed" if reason is None else "invalid")
    assert reason is None or gauge["reason"].endswith(reason)


def test_a_plan_is_written_for_those_who_take_part(
    workshop: Workshop, speak: Speak, tmp_path: Path
) -> None:
    document = tmp_path / "document.json"

    plan = workshop.plan(FEW, "--out", document)

    assert speak("equivalence", "receive", plan, document).exit == 0
    assert document.stat().st_mode & 0o777 == 0o600


def test_a_certificate_becomes_a_signed_credential(
    workshop: Workshop, speak: Speak, tmp_path: Path
) -> None:
    plan = workshop.plan(FEW)
    result = workshop.computed(plan, FEW)
    _, second, _ = workshop.sites
    workshop.certify(plan, second, result)
    out = tmp_path / "certificate.jwt"

    words = (plan, to_hex(second), "--host", "log.example.org", "--out", out, "--as", ISSUER)
    said = speak("equivalence", "credential", *words, "--json").json

    assert said == {"credential": str(out), "size": out.stat().st_size}
    assert out.read_bytes().count(b".") == 2


def test_a_credential_is_checked_by_the_own_home_or_by_a_node(
    workshop: Workshop, speak: Speak, node: MemoryNode, tmp_path: Path
) -> None:
    plan = workshop.plan(ENOUGH)
    result = workshop.computed(plan, ENOUGH)
    _, second, third = workshop.sites
    node.results = workshop.world.tools.results
    files = {}
    for site in (second, third):
        workshop.certify(plan, site, result)
        files[site] = tmp_path / f"{to_hex(site)}.jwt"
        words = (plan, to_hex(site), "--host", "log.example.org", "--out", files[site])
        assert speak("equivalence", "credential", *words, "--as", ISSUER).exit == 0
    reason = tmp_path / "drift.json"
    reason.write_text("drift")
    speak("equivalence", "suspend", plan, to_hex(third), "--reason", reason, "--as", ISSUER)

    own = speak("equivalence", "check", files[second])
    asked = speak("equivalence", "check", files[second], "--node", "http://node", "--json").json
    refused = speak("equivalence", "check", files[third])

    assert own.out == "EQUIVALENT, in force"
    assert (asked["state"], asked["site"]) == ("in force", to_hex(second))
    assert asked["evaluator"] == to_hex(workshop.world.issuer)
    assert refused.exit == 13
    assert "equivalence.certificateNotInForce" in refused.err


@pytest.mark.parametrize(
    ("words", "count"),
    [
        (("--margin", "1", "--deviation", "1", "--deviation", "1.5"), "29"),
        (("--margin", "1", "--deviation", "1", "--alpha", "0.01", "--power", "0.9"), "33"),
    ],
)
def test_a_plan_is_told_how_many_replicates_it_needs(
    speak: Speak, words: tuple[str, ...], count: str
) -> None:
    assert speak("equivalence", "need", *words).out == count


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--margin", "0", "--deviation", "1"), "equivalence.numberOutOfRange"),
        (("--margin", "1", "--deviation", "0"), "equivalence.numberOutOfRange"),
        (("--margin", "1", *(("--deviation", "1") * 3)), "equivalence.numberOutOfRange"),
        (("--margin", "1", "--deviation", "1", "--alpha", "0.5"), "equivalence.numberOutOfRange"),
        (("--margin", "1", "--deviation", "1", "--power", "1"), "equivalence.numberOutOfRange"),
        (("--margin", "1", "--deviation", "x"), "quantity.malformedDecimal"),
        (("--margin", "0.001", "--deviation", "100"), "equivalence.powerUnreachable"),
    ],
)
def test_what_no_plan_has_needs_no_replicates(
    speak: Speak, words: tuple[str, ...], code: str
) -> None:
    refused = speak("equivalence", "need", *words)

    assert (refused.exit, code in refused.err) == (2, True)


def later_readings(workshop: Workshop, site: IdentityId, shift: float) -> Path:
    """Return what was measured after the certificate, each build off by so many millimetres."""
    body = json.loads(workshop.readings(site, 12).read_text())
    rows = [
        {**row, "value": f"{float(row['value']) + shift:.4f}", "part": f"later {row['part']}"}
        for row in body["readings"]
    ]
    path = workshop.folder / f"later-{shift}.json"
    path.write_text(json.dumps({"readings": rows}))
    return path


def test_a_site_that_drifts_is_suspended_and_one_that_stays_is_not(
    workshop: Workshop, speak: Speak, tmp_path: Path
) -> None:
    plan = workshop.plan(ENOUGH)
    result = workshop.computed(plan, ENOUGH)
    _, second, _ = workshop.sites
    workshop.certify(plan, second, result)
    words = ("equivalence", "watch", plan, to_hex(second))
    drifting, reason = later_readings(workshop, second, 0.08), tmp_path / "drift.txt"

    stays = speak(*words, later_readings(workshop, second, 0.0), "--suspend", reason)
    drifts = speak(*words, drifting)
    ended = speak(*words, drifting, "--suspend", reason, "--as", ISSUER, "--json").json

    assert (stays.exit, stays.out) == (0, "no drift")
    assert (drifts.exit, "equivalence.drifted" in drifts.err) == (15, True)
    assert ended["suspended"] is True
    assert ended["replicates"] == {"/tolerance/bore": 12}
    assert ended["drift"] == reason.read_text()
    assert "shows a drift at build" in ended["drift"]
    state = speak("equivalence", "status", plan, to_hex(second))
    assert state.out == "EQUIVALENT, suspended"


def test_what_was_logged_since_a_certificate_is_written_for_its_evaluator(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    world.disclose()
    shop = make_shop(world)
    since = world.tools.chain.head(final=True).time
    given = CertificateFact(
        plan=shop.id, site=shop.site, verdict=1, result=sha256(b"result"), since=since
    )
    with world.tools.store.writing() as work:
        work.facts.put(given)
    shop.log(shop.state(1), shop.state(2))
    shop.tick()
    out = tmp_path / "later.json"

    words = (to_hex(shop.id), to_hex(world.site), "--out", out)
    said = speak("equivalence", "later", *words, "--json").json

    found = SiteData.parse(out.read_bytes()).readings
    assert said == {"readings": 2, "parts": 2}
    assert [str(one.value) for one in found] == ["22.02", "22.01"]


def test_a_result_of_another_plan_certifies_and_challenges_nothing(
    workshop: Workshop, speak: Speak
) -> None:
    plan, other = workshop.plan(FEW), workshop.plan(ENOUGH)
    result = workshop.computed(plan, FEW)
    _, second, _ = workshop.sites
    given = (other, to_hex(second), "--result", result, "--as", ISSUER)

    certified = speak("equivalence", "certify", *given)
    challenged = speak("equivalence", "challenge", *given, "--by", to_hex(workshop.world.issuer))

    for refused in (certified, challenged):
        assert (refused.exit, "equivalence.resultOfOtherPlan" in refused.err) == (2, True)
