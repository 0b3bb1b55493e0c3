"""Builds, logs, parts, labels, bundles, disclosures, content."""

import json
import stat
from base64 import b64decode
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from fakes.content import MemoryStores
from fakes.inspectors import PROBE, make_inspector
from fakes.node import MemoryNode
from fakes.world import (
    DESIGNER,
    MACHINE,
    MAKER,
    OPERATOR,
    PREFIX,
    RECIPE,
    SITE,
    WRITER,
    World,
    claim,
    parsed,
)
from guildmark.bootstrap import Home
from guildmark.domain import bundle
from guildmark.domain.builds.delivery import Delivery
from guildmark.domain.builds.dependencies import Declaration
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.inspection import Result, inspection_in
from guildmark.domain.chain.facts import PartFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import Cid, Index, to_hex
from guildmark.domain.recipes.clauses import disclose_all
from guildmark.domain.rights.fileset import EncryptedList
from guildmark.domain.rights.metering import QuotaExceededError
from guildmark.domain.verification.choice import ANYBODY, Choice
from guildmark.ports.content import Availability, StoreAnswer
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.recipes.disclosing import clauses_body
from guildmark.settings import NodeSettings, load, save, with_node
from unit.cli.speaking import Speak, Spoken

pytestmark = pytest.mark.usefixtures("home")

UNKNOWN = to_hex(bytes(32))
NODE = ("--node", "http://node.example")


class _NewReasonError(QuotaExceededError):
    """A refusal whose code no loaded module has."""


@pytest.fixture
def report(world: World, tmp_path: Path) -> Path:
    return write_report(world, tmp_path / "report.json")


def write_report(world: World, path: Path, **other: Any) -> Path:
    bore = {"value": "22.10", "unit": "mm", "instrument": to_hex(world.instrument)}
    document = {
        "label": f"{PREFIX}1-00001",
        "startedOn": world.beacon.time,
        "finishedOn": world.beacon.time + 60,
        "measurements": {"/tolerance/bore": bore},
        "simulated": True,
        **other,
    }
    path.write_text(json.dumps(document))
    return path


JOB = "M109 S230\nG1 Z0.3 F600\nG1 X1 E1\nG1 Z0.66\nG1 X2 E2\nG1 Z1.02\nG1 X3 E3\n"


def attest(speak: Speak, world: World, report: Path, *words: object, commands: str = JOB) -> Spoken:
    job, settings = report.with_name("job.gcode"), report.with_name("settings.json")
    job.write_text(commands)
    recorded = {
        "/process/layer_height": {"value": "0.36", "unit": "mm"},
        "/process/nozzle": {"value": "0.8", "unit": "mm"},
    }
    settings.write_text(json.dumps({"settings": recorded}))
    return speak(
        *("build", "attest", report, "--machine", to_hex(world.machine), "--key", MACHINE),
        *("--lane", world.lane, "--site-recipe", to_hex(world.site_recipe)),
        *("--job", job, "--settings", settings, *words),
    )


def test_a_machine_signs_what_is_reported(
    speak: Speak, world: World, report: Path, home: Home
) -> None:
    made = attest(speak, world, report, "--firmware", "1.2")

    envelope = Path(made.out)
    assert envelope.parent == home.settings.home / "builds"
    assert stat.S_IMODE(envelope.stat().st_mode) == 0o600
    world.disclose()
    (answer,) = world.tools.ingest(world.log).receive([envelope.read_bytes()])
    assert answer.error is None


def test_lots_are_declared_by_name_or_as_their_supplier_writes_them(
    speak: Speak, world: World, report: Path, home: Home
) -> None:
    supplied = f"{to_hex(world.designer)}:{to_hex(sha256(b'lot'))}"

    made = attest(speak, world, report, "--lot", "PETG 4711", "--lot", supplied)

    envelope = Path(made.out).read_bytes()
    with home.store.reading() as view:
        body = view.documents.get(DocumentKind.DEPENDENCIES, envelope_digest(envelope))
    assert body is not None
    declared = Declaration.parse(body)
    own = speak("build", "lot", "PETG 4711", "--maker", to_hex(world.maker)).out
    assert [one.thing.text() for one in declared.dependencies] == [own, supplied]
    assert parsed(envelope).dependencies == declared.root()


@pytest.mark.parametrize(
    ("commands", "code"),
    [
        (JOB.replace("Z1.02", "Z1.03"), "recipe.jobDeparts"),
        ("G28\n", "gcode.malformed"),
    ],
)
def test_a_job_that_leaves_the_sites_recipe_is_not_signed(
    speak: Speak, world: World, report: Path, commands: str, code: str
) -> None:
    refused = attest(speak, world, report, "--json", commands=commands)

    assert refused.json["code"] == code


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"measurements": {}}, "recipe.measurementMissing"),
        ({"finishedOn": 4_000_000_000}, "machine.clockAhead"),
    ],
)
def test_what_the_log_would_refuse_is_not_signed_and_uses_up_no_counter(
    other: dict[str, Any], code: str, speak: Speak, world: World, tmp_path: Path, home: Home
) -> None:
    report = write_report(world, tmp_path / "report.json", **other)

    spoken = attest(speak, world, report, "--json")

    assert (spoken.exit != 0, spoken.json["code"]) == (True, code)
    assert not (home.settings.home / "builds").exists()


def test_what_failed_is_signed_as_scrap(
    speak: Speak, world: World, home: Home, tmp_path: Path
) -> None:
    report = write_report(world, tmp_path / "report.json", measurements={})

    made = attest(speak, world, report, "--scrap", "the first layer came off", "--json")

    envelope = Path(made.json["file"]).read_bytes()
    world.disclose()
    (answer,) = world.tools.ingest(world.log).receive([envelope])
    assert (answer.error, made.json["unit"]) == (None, 1)
    assert json.loads(Envelope.parse(envelope).payload)["predicate"]["reason"] == (
        "the first layer came off"
    )


def test_a_refused_envelope_is_scrapped_in_its_place_and_the_next_one_stays_good(
    speak: Speak, world: World, report: Path, tmp_path: Path
) -> None:
    first = Path(attest(speak, world, report).out)
    again = write_report(world, tmp_path / "again.json", label=f"{PREFIX}1-00002")
    second = Path(attest(speak, world, again).out)

    made = speak("build", "scrap", first, "--key", MACHINE, "--reason", "its label was taken")

    world.disclose()
    door = world.tools.ingest(world.log)
    answers = door.receive([Path(made.out).read_bytes(), second.read_bytes()])
    assert [one.error for one in answers] == [None, None]
    late = door.receive([first.with_name(first.name).read_bytes()])
    assert late[0].reception.value == "duplicate"


def test_another_machines_key_signs_nothing(
    speak: Speak, world: World, report: Path, home: Home
) -> None:
    home.keys.create(KeyName("lathe"), KeyAlgorithm.P256)

    spoken = attest(speak, world, report, "--key", "lathe", "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "key.unknown")
    assert not (home.settings.home / "builds").exists()


def test_a_build_that_the_node_does_not_keep_is_said_to_be_so(
    speak: Speak, world: World, report: Path, node: MemoryNode
) -> None:
    envelope = Path(attest(speak, world, report).out)
    node.refusing = "build.unknown"
    never = speak("build", "status", envelope, *NODE, "--json")

    node.refusing, node.refusals = None, [QuotaExceededError("Nothing is left.")]
    speak("build", "submit", envelope, *NODE)
    node.refusing = "build.unknown"
    refused = speak("build", "status", envelope, *NODE, "--json")

    assert (never.exit, never.json["code"]) == (4, "build.notThere")
    assert "it was not sent there, or it was refused" in never.json["reason"]
    assert (refused.exit, refused.json["code"]) == (4, "build.notThere")
    assert "refused" in refused.json["reason"]
    assert "keeps nothing of it" in refused.json["reason"]


def test_each_statement_gets_the_next_counter(speak: Speak, world: World, report: Path) -> None:
    first = attest(speak, world, report, "--json").json
    second = attest(speak, world, report, "--json").json

    assert (first["counter"], second["counter"]) == (1, 2)
    assert (first["log"], first["lane"]) == (world.log, world.lane)


def test_another_home_goes_on_from_the_counter_that_it_is_told(
    speak: Speak, world: World, report: Path
) -> None:
    told = attest(speak, world, report, "--counter", 41, "--json").json
    following = attest(speak, world, report, "--json").json
    taken = attest(speak, world, report, "--counter", 41, "--json")

    assert (told["counter"], following["counter"]) == (41, 42)
    assert taken.json["code"] == "machine.counterTaken"


def test_each_statement_names_the_next_unit(speak: Speak, world: World, report: Path) -> None:
    units = [attest(speak, world, report, "--json").json["unit"] for _ in range(4)]

    assert units == [1, 2, 3, None]


def test_a_unit_is_named_or_left_open_by_hand(speak: Speak, world: World, report: Path) -> None:
    named = attest(speak, world, report, "--unit", 3, "--json").json["unit"]
    left_open = attest(speak, world, report, "--any-unit", "--json").json["unit"]

    assert (named, left_open) == (3, None)


def test_a_unit_cannot_be_named_and_left_open(speak: Speak, world: World, report: Path) -> None:
    spoken = attest(speak, world, report, "--unit", 1, "--any-unit", "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.unitOptions")


def test_the_unit_of_a_refused_statement_is_named_again(
    speak: Speak, world: World, report: Path, node: MemoryNode
) -> None:
    envelope = Path(attest(speak, world, report).out)
    node.refusals = [QuotaExceededError("Nothing is left.")]
    speak("build", "submit", envelope, *NODE)

    assert attest(speak, world, report, "--json").json["unit"] == 1


def test_a_statement_that_was_taken_later_keeps_its_unit(
    speak: Speak, world: World, report: Path, node: MemoryNode
) -> None:
    envelope = Path(attest(speak, world, report).out)
    node.refusals = [QuotaExceededError("Nothing is left.")]
    speak("build", "submit", envelope, *NODE)

    node.refusals = []
    speak("build", "status", envelope, *NODE)

    assert attest(speak, world, report, "--json").json["unit"] == 2


def test_another_machines_counter_is_its_own(
    speak: Speak, world: World, report: Path, home: Home
) -> None:
    folder = home.settings.home / "builds"
    folder.mkdir(parents=True)
    (folder / f"{'ab' * 32}-0000000009.dsse.json").write_text("{}")
    (folder / "notes.dsse.json").write_text("{}")

    assert attest(speak, world, report, "--json").json["counter"] == 1


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ({"label": 1}, "document.memberInvalid"),
        ({"extra": 1}, "document.memberUnknown"),
        ({"simulated": "yes"}, "document.memberInvalid"),
        ({"measurements": []}, "document.memberInvalid"),
        ({"measurements": {"/tolerance/bore": "22.10"}}, "document.memberInvalid"),
        ({"measurements": {"bore": {"value": "1", "unit": "mm", "instrument": ""}}}, None),
    ],
)
def test_a_report_that_says_something_else_is_refused(
    other: dict[str, Any], code: str | None, speak: Speak, world: World, tmp_path: Path
) -> None:
    report = write_report(world, tmp_path / "report.json", **other)

    spoken = attest(speak, world, report, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, code or "clause.malformed")


def test_a_real_part_is_not_said_to_be_simulated(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    report = write_report(world, tmp_path / "report.json")
    document = json.loads(report.read_text())
    del document["simulated"]
    report.write_text(json.dumps(document))

    made = attest(speak, world, report)

    assert b'"simulated":false' in payload_of(Path(made.out))


def payload_of(envelope: Path) -> bytes:
    return b64decode(json.loads(envelope.read_text())["payload"])


def test_envelopes_are_submitted(
    speak: Speak, world: World, report: Path, node: MemoryNode
) -> None:
    envelope = Path(attest(speak, world, report).out)

    spoken = speak("build", "submit", envelope, *NODE, "--json")

    assert spoken.exit == 0
    assert [one["reception"] for one in spoken.json["builds"]] == ["accepted"]
    assert node.received == [envelope.read_bytes()]


@pytest.mark.parametrize(
    "change", [lambda _: b"{}", lambda _: b"\xff\n", lambda data: data + b"\n"]
)
def test_what_is_no_envelope_is_not_sent(
    speak: Speak,
    world: World,
    report: Path,
    node: MemoryNode,
    change: Callable[[bytes], bytes],
) -> None:
    envelope = Path(attest(speak, world, report).out)
    wrong = envelope.with_name("wrong")
    wrong.write_bytes(change(envelope.read_bytes()))

    spoken = speak("build", "submit", envelope, wrong, *NODE, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.notEnvelope")
    assert not node.received


def test_the_first_refusal_is_the_exit_code(
    speak: Speak, world: World, report: Path, node: MemoryNode
) -> None:
    envelopes = [Path(attest(speak, world, report).out) for _ in range(2)]
    node.refusals = [None, QuotaExceededError("Nothing is left.")]

    spoken = speak("build", "submit", *envelopes, *NODE)

    assert spoken.exit == 18
    assert "refused" in spoken.out
    assert "license.quotaExceeded" in spoken.out


def test_an_unknown_refusal_is_a_failure(
    speak: Speak, world: World, report: Path, node: MemoryNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusal = _NewReasonError("No.")
    monkeypatch.setattr(_NewReasonError, "code", "node.newReason")
    monkeypatch.setattr(node, "refusals", [refusal])
    monkeypatch.setattr("guildmark.cli.nodes.error_of", lambda _code: None)
    envelope = Path(attest(speak, world, report).out)

    assert speak("build", "submit", envelope, *NODE).exit == 1


@pytest.mark.parametrize("by_file", [True, False])
def test_a_build_is_followed(
    by_file: bool, speak: Speak, world: World, report: Path, node: MemoryNode
) -> None:
    envelope = Path(attest(speak, world, report).out)
    digest = to_hex(envelope_digest(envelope.read_bytes()))

    found = speak("build", "status", envelope if by_file else digest, *NODE, "--json").json

    assert (found["digest"], found["state"], found["unit"]) == (digest, "final", 7)


@pytest.mark.parametrize(
    ("said", "code", "exit_code"),
    [("license.quotaExceeded", "license.quotaExceeded", 18), ("new.code", "peer.refused", 1)],
)
def test_what_a_node_refuses_is_raised_as_it_names_it(
    said: str, code: str, exit_code: int, speak: Speak, node: MemoryNode
) -> None:
    node.refusing = said

    spoken = speak("build", "status", UNKNOWN, *NODE, "--json")

    assert (spoken.exit, spoken.json["code"]) == (exit_code, code)


def test_a_nodes_address_is_http(speak: Speak) -> None:
    spoken = speak("build", "status", UNKNOWN, "--node", "node.example", "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.nodeAddressMalformed")


def test_a_log_is_opened_and_the_home_made_its_operators(
    speak: Speak, world: World, home: Home
) -> None:
    made = speak(
        *("log", "open", to_hex(world.operator), "--writer", WRITER, "--as", OPERATOR),
        *("--public-url", "https://log.example/", "--peer", "http://peer.example/"),
    )

    node = load(home.settings.home).own_node()
    assert str(node.log) == made.out
    assert (node.writer, node.port) == (WRITER, 8480)
    assert node.public_url == "https://log.example"
    assert node.peers == ("http://peer.example",)
    shown = speak("log", "show", made.out, "--json").json
    assert shown["writer"] == to_hex(home.keys.address(KeyName(WRITER)))
    assert (shown["entries"], shown["records"]) == (0, 0)


def test_a_nodes_own_address_is_its_public_one_by_default(
    speak: Speak, world: World, home: Home
) -> None:
    speak(
        *("log", "open", to_hex(world.operator), "--writer", WRITER, "--as", OPERATOR),
        *("--port", 9000),
    )

    assert load(home.settings.home).own_node().public_url == "http://127.0.0.1:9000"


@pytest.mark.parametrize("port", [-1, 65_536])
def test_a_port_is_one(port: int, speak: Speak, world: World) -> None:
    spoken = speak(
        "log", "open", to_hex(world.operator), "--writer", WRITER, "--port", port, "--as", OPERATOR
    )

    assert spoken.exit == 2


def test_an_unknown_log_cannot_be_shown(speak: Speak) -> None:
    spoken = speak("log", "show", 99, "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "log.unknown")


def as_operator(home: Home, world: World) -> None:
    node = NodeSettings(
        operator=world.operator,
        log=world.log,
        writer=KeyName(WRITER),
        public_url="http://127.0.0.1:8480",
    )
    save(with_node(home.settings, node))


def test_another_writer_is_the_nodes_own(speak: Speak, world: World, home: Home) -> None:
    as_operator(home, world)

    said = speak("log", "writer", world.log, OPERATOR, "--as", OPERATOR, "--json").json

    assert said["writer"] == to_hex(home.keys.address(KeyName(OPERATOR)))
    assert load(home.settings.home).own_node().writer == OPERATOR


def test_the_writer_of_another_log_is_not_the_nodes_own(
    speak: Speak, world: World, home: Home
) -> None:
    as_operator(home, world)
    other = speak(
        *("log", "open", to_hex(world.operator), "--writer", MACHINE, "--as", OPERATOR),
    ).out
    as_operator(home, world)

    speak("log", "writer", other, OPERATOR, "--as", OPERATOR)

    assert load(home.settings.home).own_node().writer == WRITER


def test_a_log_is_closed(speak: Speak, world: World) -> None:
    assert speak("log", "close", world.log, "--as", OPERATOR).exit == 0

    assert speak("log", "show", world.log, "--json").json["writer"] is None


def test_a_tick_is_a_fresh_beacon(speak: Speak, world: World) -> None:
    said = speak("log", "tick", "--as", OPERATOR, "--json").json

    assert (said["log"], said["seq"]) == (0, world.beacon.seq + 1)


def logged(world: World) -> None:
    """Let the first part be on record."""
    world.disclose()
    (answer,) = world.tools.ingest(world.log).receive([world.envelope(1)])
    assert answer.error is None
    line = world.tools.line(world.log)
    line.step()
    line.step()


def bundle_of(world: World, folder: Path) -> Path:
    evidence = world.tools.exporter.evidence(world.log, Index(0))
    path = folder / "part.zip"
    path.write_bytes(bundle.write(evidence))
    return path


def test_a_part_on_record_is_shown(speak: Speak, world: World) -> None:
    logged(world)

    shown = speak("part", "show", f"{world.log}.0", "--json").json

    assert (shown["lane"], shown["unit"]) == (world.lane, 1)
    assert (shown["owner"], shown["fate"]) == (None, "none")


@pytest.mark.parametrize("index", [1, 9])
def test_a_part_that_is_not_on_record_is_unknown(index: int, speak: Speak, world: World) -> None:
    logged(world)

    spoken = speak("part", "show", f"{world.log}.{index}", "--json")

    assert (spoken.exit, spoken.json["code"]) == (11, "part.positionUnknown")


def test_a_part_of_an_empty_log_is_unknown(speak: Speak, world: World) -> None:
    assert speak("part", "show", f"{world.log}.0").exit == 11


@pytest.mark.parametrize("hint", ["1", "1.", "01.0", "a.b"])
def test_a_position_is_log_and_index(hint: str, speak: Speak) -> None:
    spoken = speak("part", "show", hint, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "id.malformedPart")


def test_a_part_becomes_a_token(speak: Speak, world: World, tmp_path: Path, home: Home) -> None:
    logged(world)
    owner = to_hex(home.keys.address(KeyName(SITE)))

    said = speak(
        *(
            "part",
            "materialise",
            bundle_of(world, tmp_path),
            "--to",
            owner.upper().replace("X", "x"),
        ),
        *("--as", SITE, "--json"),
    ).json

    assert said["part"] == f"{world.log}.0"
    assert said["token"] == str(world.log << 64)
    assert speak("part", "show", said["part"], "--json").json["owner"] == owner


def test_a_part_is_declared_void(speak: Speak, world: World, tmp_path: Path) -> None:
    logged(world)

    speak("part", "void", bundle_of(world, tmp_path), "--as", SITE)

    assert speak("part", "show", f"{world.log}.0", "--json").json["fate"] == "void"


def test_a_part_is_replaced_with_the_writers_signature(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    logged(world)
    file = bundle_of(world, tmp_path)
    signature = speak("part", "agree", file, 5, "--as", WRITER).out

    said = speak(
        *("part", "supersede", file, 5, "--writer", signature, "--owner", signature),
        *("--as", SITE, "--json"),
    ).json

    assert said == {"part": f"{world.log}.0", "fate": f"replaced by {world.log}.5"}
    assert speak("part", "show", said["part"], "--json").json["fate"] == said["fate"]


def test_a_signature_is_hex(speak: Speak, world: World, tmp_path: Path) -> None:
    logged(world)
    file = bundle_of(world, tmp_path)

    refused = speak("part", "supersede", file, 5, "--writer", "mine", "--as", SITE, "--json")

    assert (refused.exit, refused.json["code"]) == (2, "id.malformedHex")


def test_a_tokens_owner_agrees_that_it_is_void(speak: Speak, world: World, tmp_path: Path) -> None:
    logged(world)
    file = bundle_of(world, tmp_path)

    agreed = speak("part", "agree", file, "--as", MAKER, "--json").json
    speak("part", "void", file, "--owner", agreed["signature"], "--as", SITE)

    assert (agreed["part"], agreed["by"]) == (f"{world.log}.0", None)
    assert speak("part", "show", agreed["part"], "--json").json["fate"] == "void"


def test_a_replaced_part_names_what_replaces_it(speak: Speak, world: World) -> None:
    logged(world)
    with world.tools.store.writing() as work:
        work.facts.put(PartFact(log=world.log, index=Index(0), fate=5))

    assert speak("part", "show", f"{world.log}.0", "--json").json["fate"] == (
        f"replaced by {world.log}.5"
    )


def test_what_is_no_bundle_is_refused(speak: Speak, tmp_path: Path) -> None:
    path = tmp_path / "part.zip"
    path.write_bytes(b"PK")

    spoken = speak("part", "void", path, "--as", SITE, "--json")

    assert spoken.exit == 14


def test_an_operators_home_exports_its_own_parts(
    speak: Speak, world: World, tmp_path: Path, home: Home
) -> None:
    logged(world)
    as_operator(home, world)

    spoken = speak("bundle", "export", f"{world.log}.0", "--out", tmp_path / "part.zip", "--json")

    assert bundle.read((tmp_path / "part.zip").read_bytes()).core.index == 0
    assert spoken.json["size"] == (tmp_path / "part.zip").stat().st_size


def test_a_home_that_runs_no_log_exports_nothing(speak: Speak, tmp_path: Path) -> None:
    spoken = speak("bundle", "export", "1.0", "--out", tmp_path / "part.zip", "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "settings.valueMissing")


@pytest.mark.parametrize("data", [b"bundle", None])
def test_a_bundle_comes_from_a_node(
    data: bytes | None, speak: Speak, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Source:
        def __init__(self, url: str) -> None:
            assert url == NODE[1]
            self.url = url

        def bundle(
            self, log: int, index: int, *, block: int | None, choice: Choice
        ) -> bytes | None:
            assert (log, index, block, choice) == (1, 0, 7, ANYBODY)
            return data

    monkeypatch.setattr("guildmark.cli.bundle.Parts", Source)

    spoken = speak(
        *("bundle", "export", "1.0", "--out", tmp_path / "part.zip", "--block", 7, *NODE, "--json")
    )

    if data is None:
        assert (spoken.exit, spoken.json["code"]) == (11, "bundle.notThere")
    else:
        assert (tmp_path / "part.zip").read_bytes() == data


def test_a_label_without_a_gs1_prefix_is_of_our_own_form(speak: Speak, world: World) -> None:
    made = speak(
        *("label", "new", "3-00001", "--host", "id.example.org"),
        *("--operator", to_hex(world.operator)),
    )

    assert made.out.startswith("https://id.example.org/id/")
    assert made.out.endswith("/3-00001")


def test_a_label_with_a_gs1_prefix_is_a_digital_link(speak: Speak) -> None:
    made = speak("label", "new", "17", "--host", "id.example.org", "--gtin", "4012345678901")

    assert made.out == "https://id.example.org/01/04012345678901/21/17"


@pytest.mark.parametrize("words", [(), ("--gtin", "4012345678901", "--operator", UNKNOWN)])
def test_a_label_is_of_one_maker(words: tuple[object, ...], speak: Speak) -> None:
    spoken = speak("label", "new", "17", "--host", "id.example.org", *words, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.labelMakerMissing")


def test_a_wrong_check_digit_makes_no_label(speak: Speak) -> None:
    spoken = speak(
        "label", "new", "17", "--host", "id.example.org", "--gtin", "4012345678902", "--json"
    )

    assert (spoken.exit, spoken.json["code"]) == (2, "gs1.wrongCheckDigit")


@pytest.mark.parametrize(
    ("suffix", "begin"), [("svg", b"<svg"), ("PNG", b"\x89PNG"), ("zpl", b"^XA")]
)
def test_a_label_is_drawn(suffix: str, begin: bytes, speak: Speak, tmp_path: Path) -> None:
    out = tmp_path / f"label.{suffix}"

    spoken = speak(
        *("label", "draw", "https://id.example.org/01/04012345678901/21/17"),
        *("--part", "3.1042", "--base", "https://n.example/", "--out", out),
    )

    assert spoken.out == "https://n.example/01/04012345678901/21/17?p=3.1042"
    assert out.read_bytes().startswith(begin)


def test_a_label_alone_is_drawn_without_a_position(speak: Speak, tmp_path: Path) -> None:
    label = "https://id.example.org/01/04012345678901/21/17"

    assert speak("label", "draw", label, "--out", tmp_path / "label.svg").out == label


LABELS = "https://id.example.org/01/04012345678901/21/%d,3.%d\n"


def listed(folder: Path, *lines: str) -> Path:
    file = folder / "labels.txt"
    file.write_text("".join(lines))
    return file


def test_labels_are_drawn_on_sheets(speak: Speak, tmp_path: Path) -> None:
    labels = listed(tmp_path, *(LABELS % (at, at) for at in range(21)), "\n")

    spoken = speak("label", "sheet", labels, "--out", tmp_path / "a.pdf", "--skip", 1, "--json")

    assert spoken.json == {"labels": 21, "sheets": 2, "file": str(tmp_path / "a.pdf")}
    assert (tmp_path / "a.pdf").read_bytes().startswith(b"%PDF-")


@pytest.mark.parametrize(
    ("lines", "options", "code"),
    [
        (["\n"], [], "cli.labelListInvalid"),
        (["https://x.example/\n"], [], "cli.labelListInvalid"),
        ([LABELS % (1, 1), "https://id.example.org/01/04012345678901/21/1,x"], [], "Line 2: "),
        ([LABELS % (1, 1)], ["--layout", "L1"], "cli.labelLayoutUnknown"),
        ([LABELS % (1, 1)], ["--skip", "21"], "cli.labelLayoutUnknown"),
    ],
)
def test_what_is_no_list_of_labels_or_no_sheet_is_refused(
    lines: list[str], options: list[str], code: str, speak: Speak, tmp_path: Path
) -> None:
    out = tmp_path / "a.pdf"

    spoken = speak("label", "sheet", listed(tmp_path, *lines), "--out", out, *options, "--json")

    assert spoken.exit == 2
    assert code in {spoken.json["code"], spoken.json["reason"][:8]}
    assert not out.exists()


def test_a_sheet_takes_ten_thousand_labels_and_no_more(speak: Speak, tmp_path: Path) -> None:
    labels = listed(tmp_path, *(LABELS % (1, at) for at in range(10_001)))

    spoken = speak("label", "sheet", labels, "--out", tmp_path / "a.pdf", "--json")

    assert spoken.json["code"] == "cli.labelListInvalid"
    assert "10001" in spoken.json["reason"]


def test_a_label_printer_has_a_known_resolution(speak: Speak, tmp_path: Path) -> None:
    spoken = speak(
        *("label", "draw", "https://id.example.org/01/04012345678901/21/17"),
        *("--out", tmp_path / "label.zpl", "--dpi", "72", "--json"),
    )

    assert spoken.json["code"] == "cli.labelLayoutUnknown"


def test_a_picture_is_svg_or_png(speak: Speak, tmp_path: Path) -> None:
    spoken = speak(
        *("label", "draw", "https://id.example.org/01/04012345678901/21/17"),
        *("--out", tmp_path / "label.gif", "--json"),
    )

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.pictureKindUnknown")


def test_a_recipe_is_disclosed_to_nodes_and_a_file(
    speak: Speak, world: World, node: MemoryNode, tmp_path: Path
) -> None:
    recipe = world.recipe.id()

    spoken = speak(
        *("disclose", "recipe", to_hex(recipe), *NODE, "--node", "http://other.example"),
        *("--out", tmp_path / "recipe.json"),
    )

    body = clauses_body(disclose_all(RECIPE.clauses))
    assert spoken.exit == 0
    assert node.urls == ["http://node.example", "http://other.example"]
    assert node.disclosed == [(DocumentKind.RECIPE, recipe, body)] * 2
    assert (tmp_path / "recipe.json").read_bytes() == body


def test_where_encrypted_files_are_is_disclosed(
    speak: Speak, world: World, node: MemoryNode
) -> None:
    design = world.revision.design

    spoken = speak("disclose", "encrypted-files", to_hex(design), *NODE)

    ((kind, key, body),) = node.disclosed
    assert (spoken.exit, kind, key) == (0, DocumentKind.ENCRYPTED_FILES, design)
    EncryptedList.parse(body).check(world.revision.ciphertext)


def test_single_clauses_can_be_disclosed(speak: Speak, world: World, node: MemoryNode) -> None:
    speak(
        *("disclose", "site-recipe", to_hex(world.site_recipe), *NODE),
        *("--path", "/material/polymer"),
    )

    ((kind, _, body),) = node.disclosed
    assert kind is DocumentKind.SITE_RECIPE
    assert len(json.loads(body)["opened"]) == 1


def test_a_claim_is_disclosed_by_who_made_it(speak: Speak, world: World, node: MemoryNode) -> None:
    made, body = claim(world.tools, world.issuer, world.maker)
    with world.tools.store.writing() as work:
        work.documents.put(DocumentKind.CLAIM, made, body)

    speak("disclose", "claim", to_hex(made), *NODE)

    assert node.disclosed == [(DocumentKind.CLAIM, made, body)]


def test_what_this_home_does_not_hold_is_not_disclosed(speak: Speak, node: MemoryNode) -> None:
    spoken = speak("disclose", "terms", UNKNOWN, *NODE, "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "disclosure.documentUnknown")
    assert node.disclosed == []


def test_a_disclosure_is_to_somebody(speak: Speak, world: World) -> None:
    spoken = speak("disclose", "profile", to_hex(world.site), "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.disclosureTargetMissing")


def test_content_is_added_and_got(speak: Speak, tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_bytes(b"bytes")

    cid = speak("content", "add", tmp_path / "in.txt").out
    spoken = speak("content", "get", cid, "--out", tmp_path / "out.txt", "--json")

    assert spoken.json["size"] == 5
    assert (tmp_path / "out.txt").read_bytes() == b"bytes"


def test_content_comes_from_a_node(
    speak: Speak, tmp_path: Path, node: MemoryNode, world: World
) -> None:
    cid = node.content.put([b"bytes"])

    assert speak("content", "get", cid, "--out", tmp_path / "out", *NODE).exit == 0
    assert world.tools.vault.content.has(cid)


def test_other_bytes_from_a_node_are_refused(
    speak: Speak, tmp_path: Path, node: MemoryNode
) -> None:
    cid = node.content.put([b"bytes"])
    node.lying = True

    spoken = speak("content", "get", cid, "--out", tmp_path / "out", *NODE, "--json")

    assert (spoken.exit, spoken.json["code"]) == (14, "content.hashMismatch")
    assert not (tmp_path / "out").exists()


def test_content_that_is_nowhere_leaves_no_file(speak: Speak, tmp_path: Path) -> None:
    spoken = speak("content", "get", "bafkunknown", "--out", tmp_path / "out", "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "content.missing")
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_content_leaves_and_arrives_as_a_car(speak: Speak, tmp_path: Path, world: World) -> None:
    content = world.tools.vault.content
    cid = content.put([b"bytes"])

    exported = speak("content", "export", cid, "--out", tmp_path / "file.car", "--json")
    content.files.clear()
    imported = speak("content", "import", tmp_path / "file.car", cid)
    other = speak("content", "import", tmp_path / "file.car", "bafkother", "--json")

    assert exported.json == {"cid": cid, "file": str(tmp_path / "file.car"), "size": 12}
    assert imported.out == cid
    assert content.has(cid)
    assert (other.exit, other.json["code"]) == (14, "content.hashMismatch")


def test_content_stores_are_checked(speak: Speak, home: Home) -> None:
    stores = cast("MemoryStores", home.stores)
    stores.answers.append(StoreAnswer(store="own", cid=Cid("bafk"), state=Availability.OK))

    assert speak("content", "check").out == "own         ok 1 (mended 0)  unavailable 0  invalid 0"
    assert speak("content", "check", "--json").json["stores"] == [
        {"store": "own", "ok": 1, "unavailable": 0, "invalid": 0, "mended": 0}
    ]


@pytest.mark.parametrize("state", [Availability.UNAVAILABLE, Availability.INVALID])
def test_a_store_that_lacks_a_file_is_a_failure(
    speak: Speak, home: Home, state: Availability
) -> None:
    stores = cast("MemoryStores", home.stores)
    stores.answers.append(StoreAnswer(store="kubo 1", cid=Cid("bafk"), state=state))

    spoken = speak("content", "check")

    assert spoken.exit == 3
    assert spoken.out.startswith("kubo 1      ok 0")
    assert "content.storesIncomplete" in spoken.err


def test_content_is_sent_to_a_node(speak: Speak, node: MemoryNode, world: World) -> None:
    cid = world.tools.vault.content.put([b"bytes"])

    assert speak("content", "send", cid, *NODE, "--json").json["cids"] == [cid]
    assert node.content.files == {cid: b"bytes"}


def test_what_broke_off_goes_on_from_there(
    speak: Speak, node: MemoryNode, world: World, home: Home
) -> None:
    cid = world.tools.vault.content.put([b"first bytes, ", b"then others"])
    node.breaking = 20

    broken = speak("content", "send", cid, *NODE, "--json")
    (note,) = (home.settings.home / "uploads").iterdir()

    assert (broken.exit, broken.json["code"]) == (3, "peer.unavailable")
    assert stat.S_IMODE(note.stat().st_mode) == 0o600
    assert speak("content", "send", cid, *NODE).exit == 0
    assert node.appended == [20]
    assert node.content.files == {cid: b"first bytes, then others"}
    assert not note.exists()


def test_an_upload_that_the_node_forgot_begins_anew(
    speak: Speak, node: MemoryNode, world: World
) -> None:
    cid = world.tools.vault.content.put([b"bytes"])
    node.breaking = 3
    assert speak("content", "send", cid, *NODE).exit == 3
    node.uploads.parts.clear()

    assert speak("content", "send", cid, *NODE).exit == 0

    assert node.appended == [0]
    assert node.content.files == {cid: b"bytes"}


def test_a_node_that_stores_other_bytes_is_found_out(
    speak: Speak, node: MemoryNode, world: World
) -> None:
    cid = world.tools.vault.content.put([b"bytes"])
    node.lying = True

    spoken = speak("content", "send", cid, *NODE, "--json")

    assert (spoken.exit, spoken.json["code"]) == (14, "content.hashMismatch")


def test_nothing_to_send_is_wrong_usage(speak: Speak, node: MemoryNode) -> None:
    spoken = speak("content", "send", *NODE, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.contentMissing")


def test_of_a_design_only_ciphertext_is_sent(
    speak: Speak, node: MemoryNode, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("guildmark.cli.content.ACCOUNT", DESIGNER)

    sent = speak("content", "send", "--design", to_hex(world.revision.design), *NODE, "--json").json

    assert len(sent["cids"]) == 2
    assert b"solid" not in b"".join(node.content.files.values())


def test_content_that_is_here_is_not_fetched(
    speak: Speak, tmp_path: Path, node: MemoryNode, world: World
) -> None:
    cid = world.tools.vault.content.put([b"bytes"])

    assert speak("content", "get", cid, "--out", tmp_path / "out", *NODE).exit == 0
    assert node.content.files == {}


def test_an_envelope_takes_the_place_of_a_refused_one(
    speak: Speak, world: World, report: Path
) -> None:
    first = attest(speak, world, report, "--json").json
    old = Path(first["file"]).read_bytes()

    second = attest(speak, world, report, "--replaces", first["file"], "--json").json
    third = attest(speak, world, report, "--json").json

    statement = parsed(Path(second["file"]).read_bytes())
    assert (second["counter"], third["counter"]) == (first["counter"], first["counter"] + 1)
    assert (statement.replaces, second["file"]) == (sha256(old), first["file"])
    (kept,) = Path(first["file"]).parent.glob("*.replaced")
    assert kept.read_bytes() == old


def test_an_instrument_signs_what_it_found_of_anothers_part(
    speak: Speak, world: World, tmp_path: Path
) -> None:
    world.disclose()
    world.tools.ingest(world.log).receive([world.envelope(1)])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    inspector = make_inspector(world)
    evidence = tmp_path / "part.zip"
    evidence.write_bytes(bundle.write(world.tools.exporter.evidence(world.log, Index(0))))
    out, measured = tmp_path / "inspection.json", tmp_path / "measured.json"
    bore = {"value": "22.10", "unit": "mm", "instrument": to_hex(inspector.instrument)}
    measured.write_text(json.dumps({"measurements": {"/tolerance/bore": bore}}))
    words = ("build", "inspect", evidence, "--machine", to_hex(inspector.instrument))

    made = speak(*words, "--key", PROBE, "--result", "passed", "--out", out)
    other = tmp_path / "other.json"
    elsewhere = speak(
        *(*words, "--key", PROBE, "--result", "failed", "--out", other, "--log", 7),
        *("--measurements", measured, "--json"),
    )

    assert made.exit == 0
    (answer,) = inspector.send(out.read_bytes())
    assert answer.error is None
    assert json.loads(elsewhere.out)["log"] == 7
    said = inspection_in(Envelope.parse(other.read_bytes()))
    assert (said.result, said.log, len(said.measurements)) == (Result.FAILED, 7, 1)
    assert said.inspector == inspector.organization


def test_a_second_machine_signs_an_envelope(
    speak: Speak, world: World, tmp_path: Path, home: Home
) -> None:
    home.keys.create(KeyName("gauge"), KeyAlgorithm.P256)
    envelope, out = tmp_path / "one.json", tmp_path / "two.json"
    envelope.write_bytes(world.envelope())
    words = ("build", "countersign", envelope, "--machine", to_hex(world.instrument))

    beside = speak(*words, "--key", "gauge", "--out", out, "--json")
    in_place = speak(*words, "--key", "gauge")
    again = speak(*words, "--key", "gauge")

    assert beside.json["signatures"] == 2
    assert in_place.out == str(envelope)
    assert Envelope.parse(envelope.read_bytes()).payload == Envelope.parse(out.read_bytes()).payload
    assert len(Envelope.parse(envelope.read_bytes()).signatures) == 2
    assert again.exit != 0


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        (("--salted",), ["/tolerance"]),
        (("--show", "/tolerance/bore", "--show", "/process/nozzle"), None),
        (("--salted", "--show", "/tolerance/bore", "--show", "/process/nozzle"), None),
    ],
)
def test_a_home_says_what_of_its_values_everybody_may_see(
    speak: Speak, home: Home, words: tuple[str, ...], shown: list[str] | None
) -> None:
    before = speak("build", "values", "--json").json
    told = speak("build", "values", *words, "--json").json

    granted: dict[str, object] = {"designer": [], "auditor": []}
    expected = shown or ["/tolerance/bore", "/process/nozzle"]
    assert before == {"salted": False, "shown": None, **granted}
    assert told == speak("build", "values", "--json").json
    assert told == {"salted": True, "shown": expected, **granted}
    assert speak("build", "values", "--in-clear", "--json").json == before
    assert load(home.settings.home).shown is None


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("--in-clear", "--salted"), "cli.valueOptions"),
        (("--in-clear", "--show", "/tolerance"), "cli.valueOptions"),
        (("--show", "tolerance"), "values.shownPath"),
    ],
)
def test_what_cannot_be_shown_changes_nothing(
    speak: Speak, home: Home, words: tuple[str, ...], code: str
) -> None:
    assert speak("build", "values", *words, "--json").json["code"] == code
    assert load(home.settings.home).shown is None


def test_a_home_with_salted_values_signs_sends_scraps_and_countersigns_them(
    speak: Speak, world: World, report: Path, home: Home, node: MemoryNode
) -> None:
    world.disclose()
    speak("build", "values", "--salted")
    made = Path(attest(speak, world, report).out)
    delivery = Delivery.parse(made.read_bytes())

    again = speak(
        "build", "countersign", made, "--machine", to_hex(world.instrument), "--key", SITE
    )
    both = Delivery.parse(made.read_bytes())
    sent = speak("build", "submit", made, *NODE, "--json")
    scrapped = speak("build", "scrap", made, "--key", MACHINE, "--reason", "bent")

    assert (again.exit, sent.exit) == (0, 0)
    assert delivery.values is not None
    assert both.values == delivery.values
    assert len(Envelope.parse(both.envelope).signatures) == 2
    statement = Delivery.parse(Path(scrapped.out).read_bytes()).statement()
    assert (statement.replaces, statement.scrap) == (both.digest, "bent")
    assert [one.value for one in statement.settings] == ["0.36", "0.8"]
    assert world.tools.ingest(world.log).receive([delivery.encode()])[0].error is None
