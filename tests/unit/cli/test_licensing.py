"""Designs, recipes, licenses, packages: from the designer's files to the site's."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from fakes.meshes import text_stl, threemf
from fakes.node import MemoryNode
from fakes.releases import make_releases
from fakes.world import DESIGNER, MAKER, OPERATOR, SITE, UNITS, World
from guildmark.bootstrap import Home
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Address, to_hex
from guildmark.domain.recipes.clauses import disclose_all
from guildmark.ports.store import DocumentKind
from guildmark.services.recipes.disclosing import clauses_body
from guildmark.services.rights.offers import Offer
from unit.cli.speaking import Speak, Spoken

pytestmark = pytest.mark.usefixtures("home")

UNKNOWN = to_hex(bytes(32))
NODE = "http://releases.example"
X25519 = "x25519:0x" + "11" * 32
CLAUSES = [
    {
        "path": "/material/polymer",
        "class": "core",
        "type": "text",
        "criticality": "critical",
        "value": "PETG",
    },
    {
        "path": "/process/layer_height",
        "class": "window",
        "type": "quantity",
        "criticality": "major",
        "min": "0.30",
        "max": "0.40",
        "unit": "mm",
    },
]


@pytest.fixture
def recipe_file(tmp_path: Path) -> Path:
    path = tmp_path / "recipe.json"
    path.write_text(json.dumps({"name": "Bracket", "clauses": CLAUSES}))
    return path


@pytest.fixture
def settings_file(tmp_path: Path) -> Path:
    return write_settings(tmp_path, {"value": "0.35", "unit": "mm"})


def write_settings(folder: Path, layer_height: Any) -> Path:
    path = folder / "settings.json"
    document = {"machine": {"model": "M2"}, "settings": {"/process/layer_height": layer_height}}
    path.write_text(json.dumps(document))
    return path


@pytest.mark.parametrize(
    ("name", "media_type"),
    [
        ("part.STEP", "model/step"),
        ("part.3mf", "model/3mf"),
        ("job.gcode", "text/x-gcode"),
        ("notes.xyz", "application/octet-stream"),
    ],
)
def test_a_design_is_registered_with_its_media_types(
    name: str, media_type: str, speak: Speak, tmp_path: Path
) -> None:
    file = tmp_path / name
    file.write_bytes(b"solid")

    made = speak("design", "register", file, "--unmeasured", "--as", DESIGNER)

    shown = speak("design", "show", made.out, "--as", DESIGNER, "--json").json
    assert [(one["name"], one["mediaType"]) for one in shown["files"]] == [(name, media_type)]
    assert [revision["number"] for revision in shown["revisions"]] == [1]


def test_a_file_that_is_not_there_is_wrong_usage(speak: Speak, tmp_path: Path) -> None:
    spoken = speak("design", "register", tmp_path / "none.stl", "--as", DESIGNER)

    assert spoken.exit == 2
    assert "none.stl" in spoken.err


def test_a_name_that_no_system_holds_is_refused(speak: Speak, tmp_path: Path) -> None:
    file = tmp_path / "two words.stl"
    file.write_bytes(b"solid")

    spoken = speak("design", "register", file, "--as", DESIGNER, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "design.fileNameInvalid")


def test_files_whose_keys_are_elsewhere_are_not_shown(speak: Speak, world: World) -> None:
    documents = world.tools.store.__dict__["_state"].documents
    del documents[DocumentKind.FILES, world.revision.design]

    shown = speak("design", "show", to_hex(world.revision.design), "--as", DESIGNER, "--json").json

    assert shown["files"] is None


def test_a_design_s_meshes_are_measured(speak: Speak, world: World, tmp_path: Path) -> None:
    (tmp_path / "cube.stl").write_bytes(text_stl())
    (tmp_path / "cube.3mf").write_bytes(threemf())

    made = speak(
        "design", "register", tmp_path / "cube.stl", tmp_path / "cube.3mf", "--as", DESIGNER
    )

    shown = speak("design", "show", made.out, "--as", DESIGNER, "--json").json
    told = "box=1x1x1 triangles=12 watertight=yes volume=1"
    assert [file["geometry"] for file in shown["files"]] == [
        f"unit=unstated {told}",
        f"unit=mm {told}",
    ]


def test_a_hostile_file_is_refused_unless_it_is_not_read(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    file = tmp_path / "cube.stl"
    file.write_bytes(text_stl("nan"))

    refused = speak("design", "register", file, "--as", DESIGNER, "--json")
    made = speak("design", "register", file, "--unmeasured", "--as", DESIGNER)

    assert (refused.exit, refused.json["code"]) == (14, "shape.coordinate")
    shown = speak("design", "show", made.out, "--as", DESIGNER, "--json").json
    assert shown["files"][0]["geometry"] is None


def test_a_mesh_is_drawn(speak: Speak, tmp_path: Path) -> None:
    (tmp_path / "cube.stl").write_bytes(text_stl())
    (tmp_path / "notes.txt").write_bytes(b"none")

    drawn = speak("design", "picture", tmp_path / "cube.stl", "--out", tmp_path / "cube.png")
    other = speak(
        "design", "picture", tmp_path / "notes.txt", "--out", tmp_path / "b.png", "--json"
    )

    assert drawn.exit == 0
    assert (tmp_path / "cube.png").read_bytes().startswith(b"\x89PNG")
    assert (other.exit, other.json["code"]) == (14, "shape.pictureRefused")


def test_a_design_gets_another_revision(speak: Speak, world: World, tmp_path: Path) -> None:
    first, second, proof = (tmp_path / name for name in ("a.txt", "b.txt", "proof.json"))
    first.write_bytes(b"one")
    second.write_bytes(b"two")
    design = speak("design", "register", first, "--as", DESIGNER).out

    made = speak(
        *("design", "revise", design, second, "--derived-from", f"{design}:1", "--as", DESIGNER)
    )

    shown = speak("design", "show", design, "--as", DESIGNER, "--json").json
    assert made.out == "2"
    assert [one["number"] for one in shown["revisions"]] == [1, 2]
    assert [len(one["derivedFrom"]) for one in shown["revisions"]] == [0, 1]
    assert [one["name"] for one in shown["files"]] == ["b.txt"]
    speak("design", "show-file", design, "b.txt", "--out", proof)
    assert speak("design", "check-file", proof, "--json").json["revision"] == 2


@pytest.mark.parametrize("number", ["", ":", ":0", ":-1", ":x", f":{1 << 40}", f":{10**30}"])
def test_what_names_no_revision_is_refused(
    number: str, speak: Speak, world: World, tmp_path: Path
) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(b"one")
    design = to_hex(world.revision.design)

    spoken = speak(
        *("design", "revise", design, file, "--derived-from", design + number),
        *("--as", DESIGNER, "--json"),
    )

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.originMalformed")


def test_one_file_of_a_design_is_shown_alone(speak: Speak, world: World, tmp_path: Path) -> None:
    mesh, notes, proof = (tmp_path / name for name in ("cube.stl", "notes.txt", "proof.json"))
    mesh.write_bytes(text_stl())
    notes.write_bytes(b"secret")
    design = speak("design", "register", mesh, notes, "--as", DESIGNER).out

    speak("design", "show-file", design, "cube.stl", "--out", proof)
    found = speak("design", "check-file", proof, "--file", mesh, "--json")
    other = speak("design", "check-file", proof, "--file", notes, "--json")
    proof.write_bytes(bytes((1 << 20) + 1))
    large = speak("design", "check-file", proof, "--json")

    assert (found.json["design"], found.json["name"], found.json["compared"]) == (
        design,
        "cube.stl",
        True,
    )
    assert "triangles=12" in found.json["geometry"]
    assert (other.exit, other.json["code"]) == (14, "design.fileMismatch")
    assert (large.exit, large.json["code"]) == (14, "design.fileNotRegistered")


def test_an_unknown_design_cannot_be_shown(speak: Speak) -> None:
    spoken = speak("design", "show", UNKNOWN, "--as", DESIGNER, "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "design.unknown")


def publish(speak: Speak, world: World, file: Path, *words: object) -> Spoken:
    design = to_hex(world.revision.design)
    return speak("recipe", "publish", file, "--design", design, "--as", DESIGNER, *words)


def test_a_recipe_is_published_under_the_newest_revision(
    speak: Speak, world: World, recipe_file: Path
) -> None:
    made = publish(speak, world, recipe_file, "--status", "qualified")

    shown = speak("recipe", "show", made.out, "--json").json
    assert (shown["revision"], shown["status"]) == (1, "qualified")
    assert [clause["path"] for clause in shown["clauses"]] == [one["path"] for one in CLAUSES]


def test_a_recipe_begins_on_trial(speak: Speak, world: World, recipe_file: Path) -> None:
    assert publish(speak, world, recipe_file, "--json").json["status"] == "trial"


def test_a_recipe_takes_another_one_over(speak: Speak, world: World, recipe_file: Path) -> None:
    old = publish(speak, world, recipe_file).out
    words = ("--supersedes", old, "--change", "minor")

    made = publish(speak, world, recipe_file, *words, "--json").json

    assert (made["supersedes"], made["change"]) == (old, "minor")
    new = speak("recipe", "show", made["id"], "--json").json
    assert (new["supersedes"], new["change"], new["supersededBy"]) == (old, "minor", None)
    before = speak("recipe", "show", old, "--json").json
    assert (before["supersedes"], before["supersededBy"]) == (None, made["id"])


def test_a_change_is_not_played_down(
    speak: Speak, world: World, recipe_file: Path, tmp_path: Path
) -> None:
    old = publish(speak, world, recipe_file).out
    worse = json.loads(recipe_file.read_text())
    worse["clauses"] = worse["clauses"][1:]
    file = tmp_path / "worse.json"
    file.write_text(json.dumps(worse))

    refused = publish(speak, world, file, "--supersedes", old, "--change", "minor", "--json")
    said = publish(speak, world, file, "--supersedes", old, "--change", "requalify", "--json")

    assert (refused.exit, refused.json["code"]) == (15, "recipe.changeUnderstated")
    assert said.exit == 0


@pytest.mark.parametrize("words", [("--change", "minor"), ("--supersedes", UNKNOWN)])
def test_a_recipe_that_takes_over_says_how(
    words: tuple[str, ...], speak: Speak, world: World, recipe_file: Path
) -> None:
    spoken = publish(speak, world, recipe_file, *words, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.changeMissing")


def test_a_recipe_is_suspended_and_qualified_again(speak: Speak, world: World) -> None:
    recipe = to_hex(world.recipe.id())

    for status in ("suspended", "qualified", "retired"):
        said = speak("recipe", "status", recipe, status, "--as", DESIGNER, "--json").json
        assert said == {"id": recipe, "status": status}
        assert speak("recipe", "show", recipe, "--json").json["status"] == status

    refused = speak("recipe", "status", recipe, "trial", "--as", DESIGNER, "--json")
    assert refused.json["code"] == "recipe.stepNotAllowed"
    assert speak("recipe", "status", recipe, "draft", "--as", DESIGNER).exit == 2


@pytest.mark.parametrize("words", [("--status", "retired"), ("--revision", 0)])
def test_a_recipe_that_cannot_begin_so_is_wrong_usage(
    words: tuple[object, ...], speak: Speak, world: World, recipe_file: Path
) -> None:
    assert publish(speak, world, recipe_file, *words).exit == 2


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{"name": "a", "name": "b", "clauses": []}', "json.duplicateKey"),
        ('{"name": "a", "clauses": [NaN]}', "json.notFinite"),
        ('{"name": "a"}', "document.memberMissing"),
        ('{"name": "a", "clauses": []}', "clause.malformedTree"),
    ],
)
def test_a_recipe_outside_the_profile_is_refused(
    text: str, code: str, speak: Speak, world: World, tmp_path: Path
) -> None:
    path = tmp_path / "bad.json"
    path.write_text(text)

    spoken = publish(speak, world, path, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, code)


def test_a_refused_recipe_names_the_clause_and_what_to_write(
    speak: Speak, world: World, recipe_file: Path
) -> None:
    draft = json.loads(recipe_file.read_text())
    clause = next(one for one in draft["clauses"] if "unit" in one)
    del clause["unit"]
    recipe_file.write_text(json.dumps(draft))

    found = publish(speak, world, recipe_file, "--json").json
    lint = speak("recipe", "lint", recipe_file, "--json").json["findings"][0]

    assert (found["code"], lint["code"]) == ("quantity.unknownUnit", "lint.unitMissing")
    assert found["reason"] == f"{clause['path']}: {lint['reason']}"
    assert lint["instead"] in found["nextStep"]


def test_a_recipe_of_an_unknown_design_is_refused(speak: Speak, recipe_file: Path) -> None:
    spoken = speak(
        "recipe", "publish", recipe_file, "--design", UNKNOWN, "--as", DESIGNER, "--json"
    )

    assert (spoken.exit, spoken.json["code"]) == (4, "design.unknown")


def derive(speak: Speak, world: World, recipe: str, settings: Path) -> Spoken:
    return speak(
        *("recipe", "site", recipe, "--site", to_hex(world.site), "--settings", settings),
        *("--model", "Trellis M2", "--as", SITE, "--json"),
    )


def test_a_site_chooses_inside_the_windows(
    speak: Speak, world: World, recipe_file: Path, settings_file: Path, home: Home
) -> None:
    master = publish(speak, world, recipe_file).out

    made = derive(speak, world, master, settings_file).json

    shown = speak("recipe", "show", made["id"], "--json").json
    assert (shown["recipe"], shown["site"]) == (master, to_hex(world.site))
    assert [clause["value"] for clause in shown["clauses"]] == ["PETG", "0.35"]
    kept = home.settings.documents / f"model-{made['model'].removeprefix('0x')}.json"
    assert json.loads(kept.read_text())["model"] == "Trellis M2"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("layer_height", "refused"),
    [
        ({"value": "0.41", "unit": "mm"}, (15, "recipe.windowExceeded")),
        ({"value": "0.40", "unit": "mm", "more": 1}, (2, "document.memberUnknown")),
        ({"unit": "mm"}, (2, "document.memberMissing")),
        ("0.40", (2, "document.memberInvalid")),
    ],
)
def test_a_choice_that_cannot_be_is_refused(
    layer_height: Any,
    refused: tuple[int, str],
    speak: Speak,
    world: World,
    recipe_file: Path,
    tmp_path: Path,
) -> None:
    master = publish(speak, world, recipe_file).out

    spoken = derive(speak, world, master, write_settings(tmp_path, layer_height))

    assert (spoken.exit, spoken.json["code"]) == refused


@pytest.mark.parametrize("text", ["{}", '{"settings": []}'])
def test_a_settings_file_has_settings_by_path(
    text: str, speak: Speak, world: World, recipe_file: Path, tmp_path: Path
) -> None:
    master, path = publish(speak, world, recipe_file).out, tmp_path / "empty.json"
    path.write_text(text)

    spoken = derive(speak, world, master, path)

    assert spoken.exit == 2
    assert spoken.json["code"] in {"document.memberMissing", "document.memberInvalid"}


def test_an_unknown_recipe_cannot_be_shown(speak: Speak) -> None:
    spoken = speak("recipe", "show", UNKNOWN, "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "recipe.unknown")


def sign(speak: Speak, world: World, out: Path, *words: object) -> Spoken:
    return speak(
        *("license", "sign", "--design", to_hex(world.revision.design), "--units", 4),
        *("--holder", to_hex(world.designer), "--recipe", to_hex(world.recipe.id())),
        *("--out", out, "--as", DESIGNER, *words),
    )


def test_terms_are_signed_into_an_offer(speak: Speak, world: World, tmp_path: Path) -> None:
    out = tmp_path / "offer.json"

    signed = sign(
        *(speak, world, out, "--revision", 1, "--site", to_hex(world.site)),
        *("--machine", to_hex(world.machine), "--labels", "https://id.example.org/"),
        *("--text", "Four.", "--from", "2027-01-31", "--until", "2027-12-31T12:00:00Z"),
        *("--notice", 60, "--offer-until", 1_900_000_000),
    )

    offer = Offer.parse(out.read_bytes())
    assert to_hex(offer.id) == signed.out
    assert (offer.terms.not_before, offer.terms.not_after) == (1_801_353_600, 1_830_254_400)
    assert (offer.terms.notice, offer.terms.offer_until) == (60, 1_900_000_000)
    assert [clause.path.split("/")[2] for clause in offer.members] == [
        *("labelNamespace", "machine", "recipe", "revision", "site", "text"),
    ]
    assert stat.S_IMODE(out.stat().st_mode) == 0o600


@pytest.mark.parametrize("begins", ["https://id.example.org", "https:///a", "id.example.org/", ""])
def test_labels_of_other_hosts_are_not_licensed_along(
    speak: Speak, world: World, tmp_path: Path, begins: str
) -> None:
    signed = sign(speak, world, tmp_path / "offer.json", "--labels", begins, "--json")

    assert (signed.exit, signed.json["code"]) == (2, "license.labelNamespace")
    assert not (tmp_path / "offer.json").exists()


def test_an_offer_is_open_for_a_month_by_default(
    speak: Speak, world: World, tmp_path: Path, home: Home
) -> None:
    signed = sign(speak, world, tmp_path / "offer.json", "--json").json

    month = signed["offerUntil"] - home.clock.now()
    assert 30 * 86_400 - 60 < month <= 30 * 86_400


def test_an_offer_overwrites_nothing(speak: Speak, world: World, tmp_path: Path) -> None:
    out = tmp_path / "offer.json"
    out.write_text("mine")

    spoken = sign(speak, world, out, "--json")

    assert (spoken.exit, spoken.json["code"]) == (1, "cli.outputExists")
    assert out.read_text() == "mine"


def test_an_offer_into_no_folder_is_refused(speak: Speak, world: World, tmp_path: Path) -> None:
    spoken = sign(speak, world, tmp_path / "none" / "offer.json", "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.outputUnwritable")


@pytest.mark.parametrize("text", ["tomorrow", "2027-02-30", "2027-01-31T12:00:00", "9999999999999"])
def test_a_time_that_is_none_is_refused(
    text: str, speak: Speak, world: World, tmp_path: Path
) -> None:
    spoken = sign(speak, world, tmp_path / "offer.json", "--until", text, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.timeMalformed")


def test_a_license_that_would_be_over_is_not_signed(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    out = tmp_path / "offer.json"

    past = sign(speak, world, out, "--until", "2001-01-01", "--json")
    now = int(past.json["reason"].rpartition(" ")[2].rstrip("."))
    ends_now = sign(speak, world, out, "--until", now, "--json")
    written = out.exists()
    later = sign(speak, world, out, "--until", now + 60, "--json")

    assert (past.exit, past.json["code"]) == (2, "license.endsBeforeNow")
    assert (ends_now.json["code"], written) == ("license.endsBeforeNow", False)
    assert (later.exit, Offer.parse(out.read_bytes()).terms.not_after) == (0, now + 60)


def test_an_offer_is_granted_and_shown(speak: Speak, world: World, tmp_path: Path) -> None:
    out = tmp_path / "offer.json"
    signed = sign(speak, world, out, "--text", "Four.").out

    granted = speak("license", "grant", out, "--as", MAKER, "--json").json

    shown = speak("license", "show", signed, "--json").json
    assert (granted["id"], shown["number"]) == (signed, granted["number"])
    assert (shown["units"], shown["drawn"]) == (4, 0)
    assert [lane["lane"] for lane in shown["lanes"]] == [granted["lane"]]
    assert shown["terms"][-1] == "text: Four."


def test_terms_that_this_home_does_not_hold_are_not_shown(speak: Speak, world: World) -> None:
    shown = speak("license", "show", to_hex(world.license), "--json").json

    assert shown["terms"] == []


def test_an_unknown_license_cannot_be_shown(speak: Speak) -> None:
    spoken = speak("license", "show", UNKNOWN, "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "license.unknown")


def split(speak: Speak, world: World, lane: object, units: object) -> Spoken:
    return speak(
        *("license", "split", lane, units, "--log", world.log, "--to", to_hex(world.site)),
        *("--as", SITE, "--json"),
    )


def test_units_are_cut_off_a_lane(speak: Speak, world: World) -> None:
    made = split(speak, world, world.lane, 1).json

    lanes = speak("license", "show", to_hex(world.license), "--json").json["lanes"]
    assert [lane["end"] - lane["first"] for lane in lanes if lane["lane"] == made["lane"]] == [1]


def test_an_unknown_lane_cannot_be_split(speak: Speak, world: World) -> None:
    spoken = split(speak, world, 99, 1)

    assert (spoken.exit, spoken.json["code"]) == (4, "license.unknown")


@pytest.mark.parametrize(("lane", "units"), [(0, 1), (1, 0)])
def test_lanes_and_units_begin_at_one(lane: int, units: int, speak: Speak, world: World) -> None:
    assert split(speak, world, lane, units).exit == 2


def test_units_are_licensed_on_paid_for_and_reclaimed(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    world.disclose(DocumentKind.TERMS)
    out, accepted = tmp_path / "below.json", tmp_path / "accepted.json"
    holder, site = to_hex(world.operator), to_hex(world.site)
    signed = speak(
        *("license", "sign", "--design", to_hex(world.revision.design), "--units", 2),
        *("--holder", holder, "--recipe", to_hex(world.recipe.id()), "--out", out),
        *("--lane", world.lane, "--royalty", 7, "--fee", "5", "--as", SITE, "--json"),
    ).json
    assert (signed["royalty"], signed["fee"], signed["currency"]) == ("7", "5", "native")
    speak("license", "accept", out, "--out", accepted, "--as", OPERATOR)
    assert Offer.parse(accepted.read_bytes()).acceptance

    granted = speak("license", "grant", accepted, "--as", OPERATOR, "--json").json

    cut = speak(
        *("license", "split", granted["lane"], 1, "--log", world.log, "--to", site),
        *("--as", OPERATOR, "--json"),
    ).json["lane"]
    draw(world, cut)
    shown = speak("license", "show", granted["id"], "--json").json
    assert shown["parent"] == to_hex(world.license)
    assert [lane["owed"] for lane in shown["lanes"]] == ["0", "7"]
    paid = speak("license", "pay", cut, "--as", MAKER, "--json").json
    assert (paid["units"], paid["amount"], paid["license"]) == (1, "7", granted["id"])
    taken = speak("license", "withdraw", "--as", SITE, "--json").json
    assert (taken["amount"], taken["currency"]) == ("7", "native")
    announced = speak("license", "reclaim", granted["lane"], "--as", SITE, "--json").json
    assert announced["taken"] is None
    back = speak("license", "reclaim", granted["lane"], "--as", SITE, "--json").json
    assert (back["reclaimAt"], back["taken"] > cut) == (announced["reclaimAt"], True)


def test_what_is_owed_in_another_coin_is_allowed_first(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    world.disclose(DocumentKind.TERMS)
    out, accepted = tmp_path / "below.json", tmp_path / "accepted.json"
    coin = Address(b"\x0c" * 20)
    world.tools.chain.with_code.add(coin)
    world.tools.chain.held[coin, world.tools.account(OPERATOR).address] = 12
    speak(
        *("license", "sign", "--design", to_hex(world.revision.design), "--units", 2),
        *("--holder", to_hex(world.operator), "--recipe", to_hex(world.recipe.id())),
        *("--out", out, "--lane", world.lane, "--royalty", 7, "--fee", "5"),
        *("--currency", to_hex(coin), "--as", SITE),
    )
    as_operator = ("--as", OPERATOR, "--json")

    before = speak("license", "accept", out, "--out", accepted, *as_operator).json
    refused = speak("license", "grant", accepted, *as_operator)
    granted = speak("license", "grant", accepted, "--approve", *as_operator).json
    other = tmp_path / "again.json"
    after = speak("license", "accept", out, "--out", other, "--approve", *as_operator).json

    assert (before["allowance"], after["allowance"]) == ("0", "5")
    assert (refused.exit, refused.json["code"]) == (1, "payment.allowanceShort")
    assert "--approve" in refused.json["nextStep"]
    assert speak("license", "grant", accepted, *as_operator).json == granted
    draw(world, granted["lane"])
    pay = ("license", "pay", granted["lane"])
    short = speak(*pay, *as_operator)
    paid = speak(*pay, "--approve", *as_operator).json
    assert short.json["code"] == "payment.allowanceShort"
    assert (paid["currency"], paid["amount"], paid["allowance"]) == (to_hex(coin), "7", "7")


def draw(world: World, lane: int) -> None:
    """Let a log draw one unit of a lane."""
    chain = world.tools.chain
    chain.mine()
    chain.emit(ContractName.LICENSES, "UnitsDrawn", lane=lane, first=chain.lanes[lane].next, n=1)
    chain.lanes[lane].next += 1


def test_a_royalty_is_paid_to_a_license_above_and_in_part(speak: Speak, world: World) -> None:
    draw(world, world.lane)
    draw(world, world.lane)

    paid = speak(
        *("license", "pay", world.lane, "--license", to_hex(world.license), "--units", 1),
        *("--as", MAKER, "--json"),
    ).json

    assert (paid["units"], paid["amount"]) == (1, "0")


def test_a_design_is_sold_as_the_buyer_saw_it(speak: Speak, world: World) -> None:
    design, buyer = to_hex(world.revision.design), "0x" + "b1" * 20
    seen = speak("design", "show", design, "--as", DESIGNER, "--json").json["state"]
    resale = speak(
        *("design", "resale", design, "--to", buyer, "--basis-points", 500),
        *("--as", DESIGNER, "--json"),
    ).json
    assert resale["basisPoints"] == 500
    assert speak("design", "show", design, "--as", DESIGNER, "--json").json["state"] == seen
    world.tools.licenses(DESIGNER).stop(world.license, at=world.tools.chain.now + 100)

    late = speak(
        *("design", "transfer", design, "--to", buyer, "--state", seen),
        *("--as", DESIGNER, "--json"),
    )
    state = speak("design", "show", design, "--as", DESIGNER, "--json").json["state"]
    speak("design", "transfer", design, "--to", buyer, "--state", state, "--as", DESIGNER)

    shown = speak("design", "show", design, "--as", DESIGNER, "--json").json
    assert (late.exit, late.json["code"]) == (1, "design.stale")
    assert (shown["owner"], shown["epoch"]) == (buyer, 1)


def test_lawful_use_and_license_texts_are_terms(speak: Speak, world: World, tmp_path: Path) -> None:
    own, out = tmp_path / "LICENSE.txt", tmp_path / "offer.json"
    own.write_text("As agreed.")

    sign(
        *(speak, world, out, "--country", "DE", "--country", "PT", "--not-country", "FR"),
        *("--control-class", "ECCN 9E003", "--spdx", "CERN-OHL-S-2.0", "--license-text", own),
    )

    named = {one.path: one.value for one in Offer.parse(out.read_bytes()).members}
    digest = sha256(b"As agreed.").hex()
    assert {path: value for path, value in named.items() if "recipe" not in path} == {
        "/terms/controlClass/0000": "ECCN 9E003",
        "/terms/country/0000": "DE",
        "/terms/country/0001": "PT",
        "/terms/countryDenied/0000": "FR",
        "/terms/licenseText/0000": "SPDX:CERN-OHL-S-2.0",
        "/terms/licenseText/0001": f"sha256:{digest}",
    }


@pytest.mark.parametrize(
    ("option", "value", "code"),
    [
        ("--country", "XX", "country.unknown"),
        ("--not-country", "de", "country.unknown"),
        ("--spdx", "no such thing", "license.malformedSpdx"),
    ],
)
def test_unknown_countries_and_license_ids_are_refused(
    option: str, value: str, code: str, speak: Speak, world: World, tmp_path: Path
) -> None:
    spoken = sign(speak, world, tmp_path / "offer.json", option, value, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, code)


def test_a_license_is_shown_as_it_was(speak: Speak, world: World) -> None:
    license_id, before = to_hex(world.license), world.tools.chain.now
    speak("license", "stop", license_id, "--at", before + 100, "--as", DESIGNER)

    then = speak("license", "show", license_id, "--at", before, "--json").json
    now = speak("license", "show", license_id, "--json").json

    assert (then["stopAt"], then["asOf"]) == (0, before)
    assert now["stopAt"] == before + 100
    assert "asOf" not in now


def test_a_license_is_not_shown_from_before_it_was(speak: Speak, world: World) -> None:
    first = world.tools.chain.block(0).time

    spoken = speak("license", "show", to_hex(world.license), "--at", first, "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "license.unknown")


def test_what_somebody_disclosed_is_kept_after_comparing(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    file, license_id = tmp_path / "terms.json", to_hex(world.license)
    file.write_bytes(clauses_body(disclose_all(world.members)))

    kept = speak("receive", "terms", license_id, file)

    assert kept.out == "kept"
    assert speak("license", "show", license_id, "--json").json["terms"]
    file.write_bytes(clauses_body(disclose_all(world.members[:-1])))
    spoken = speak("receive", "terms", license_id, file, "--json")
    assert spoken.json["code"] == "clause.disclosureMismatch"


def test_units_are_added_to_a_license(speak: Speak, world: World) -> None:
    license_id = to_hex(world.license)

    made = speak("license", "extend", license_id, 4, "--as", DESIGNER, "--json").json

    shown = speak("license", "show", license_id, "--json").json
    assert made["units"] == shown["units"] == world.terms.units + 4
    assert made["lane"] in [lane["lane"] for lane in shown["lanes"]]


def test_further_units_are_signed_by_the_owner_and_submitted_by_another(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    license_id, out = to_hex(world.license), tmp_path / "more.json"

    signed = speak(
        *("license", "sign-extension", license_id, 4, "--out", out, "--as", DESIGNER, "--json")
    ).json
    others = speak("license", "extend", license_id, 5, "--signed", out, "--as", MAKER, "--json")
    made = speak("license", "extend", license_id, 4, "--signed", out, "--as", MAKER, "--json")

    assert stat.S_IMODE(out.stat().st_mode) == 0o600
    assert signed["units"] == UNITS + 4
    assert (others.exit, others.json["code"]) == (2, "license.extensionMismatch")
    assert made.json["units"] == UNITS + 4


def test_an_unknown_license_cannot_be_extended(speak: Speak) -> None:
    spoken = speak("license", "extend", UNKNOWN, 4, "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "license.unknown")


@pytest.mark.parametrize(
    "option",
    [
        *("--fee=-1", "--fee=1.5", "--fee=01", "--fee=", f"--fee={'9' * 79}"),
        *(f"--fee={2**256}", f"--royalty={2**96}", "--royalty=one"),
    ],
)
def test_an_amount_that_is_none_is_refused(
    option: str, speak: Speak, world: World, tmp_path: Path
) -> None:
    spoken = sign(speak, world, tmp_path / "offer.json", option, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.amountMalformed")


def test_the_largest_amounts_are_signed(speak: Speak, world: World, tmp_path: Path) -> None:
    most = ("--royalty", 2**96 - 1, "--fee", 2**256 - 1)

    signed = sign(speak, world, tmp_path / "offer.json", *most, "--json").json

    assert (signed["royalty"], signed["fee"]) == (str(2**96 - 1), str(2**256 - 1))


def test_a_price_in_another_coin_is_named(speak: Speak, world: World, tmp_path: Path) -> None:
    coin = "0x" + "7c" * 20

    signed = sign(
        *(speak, world, tmp_path / "offer.json", "--currency", coin, "--royalty", 1, "--json")
    ).json

    assert (signed["currency"], signed["royalty"]) == (coin, "1")


def test_a_license_is_stopped(speak: Speak, world: World) -> None:
    license_id, at = to_hex(world.license), world.tools.chain.now + 100

    speak("license", "stop", license_id, "--at", at, "--as", DESIGNER)

    assert speak("license", "show", license_id, "--json").json["stopAt"] == at


def seal(speak: Speak, world: World, out: Path, recipient: str = X25519) -> Spoken:
    return speak(
        *("package", "seal", to_hex(world.license), "--recipe", to_hex(world.recipe.id())),
        *("--site", to_hex(world.site), "--recipient", recipient, "--out", out, "--json"),
        *("--release", f"{to_hex(world.operator)}@{NODE}/"),
    )


def open_(speak: Speak, world: World, file: Path, out: Path, *words: object) -> Spoken:
    return speak(
        *("package", "open", file, "--site", to_hex(world.site), "--key", "site"),
        *("--lane", world.lane, "--as", SITE, "--out", out, *words, "--json"),
    )


@pytest.fixture
def package(speak: Speak, world: World, tmp_path: Path, node: MemoryNode) -> Path:
    node.releasing = make_releases(world).node
    with world.tools.store.writing() as work:
        body = clauses_body(disclose_all(world.members))
        work.documents.put(DocumentKind.TERMS, world.license, body)
    assert seal(speak, world, tmp_path / "package.bin").exit == 0
    return tmp_path / "package.bin"


def test_a_package_opens_at_its_site(
    package: Path, speak: Speak, world: World, tmp_path: Path
) -> None:
    opened = open_(speak, world, package, tmp_path / "files").json

    assert opened["license"] == to_hex(world.license)
    assert opened["releasedBy"] == NODE
    assert opened["files"] == ["part.stl"]
    assert (tmp_path / "files" / "part.stl").read_bytes() == b"solid"


def test_a_package_is_sealed_to_a_hybrid_key(
    package: Path, speak: Speak, world: World, tmp_path: Path
) -> None:
    sealed = seal(speak, world, tmp_path / "hybrid.bin", "x25519-mlkem768:0x" + "11" * 1216)

    assert sealed.exit == 0


def test_files_that_are_not_here_come_from_a_node(
    package: Path, speak: Speak, world: World, tmp_path: Path, node: MemoryNode
) -> None:
    content = world.tools.vault.content
    node.content.files = dict(content.files)
    content.files.clear()

    opened = open_(speak, world, package, tmp_path / "files", "--node", "http://node.example/")

    assert opened.exit == 0
    assert node.urls == ["http://node.example", NODE]


def test_files_that_are_nowhere_leave_no_folder(
    package: Path, speak: Speak, world: World, tmp_path: Path
) -> None:
    world.tools.vault.content.files.clear()

    spoken = open_(speak, world, package, tmp_path / "files")

    assert (spoken.exit, spoken.json["code"]) == (4, "content.missing")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["home", "package.bin"]


def test_a_folder_that_is_there_is_not_touched(
    package: Path, speak: Speak, world: World, tmp_path: Path
) -> None:
    (tmp_path / "files").mkdir()

    spoken = open_(speak, world, package, tmp_path / "files")

    assert (spoken.exit, spoken.json["code"]) == (1, "cli.outputExists")


def test_a_package_without_its_terms_is_not_sealed(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    spoken = seal(speak, world, tmp_path / "package.bin")

    assert (spoken.exit, spoken.json["code"]) == (4, "package.incomplete")


def test_a_package_is_sealed_to_keys_for_packages_only(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    spoken = seal(speak, world, tmp_path / "package.bin", "p256:0x02")

    assert (spoken.exit, spoken.json["code"]) == (2, "key.wrongPurpose")
