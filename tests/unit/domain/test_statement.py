"""Build statements: canonical bytes, strict parsing, and contradictions."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guildmark.domain.builds import statement as sm
from guildmark.domain.builds.dependencies import NO_DEPENDENCIES, Dependency, dependencies_root
from guildmark.domain.builds.predicate import (
    Beacon,
    ExternalParameters,
    KeyHolder,
    MalformedStatementError,
    Measurement,
    Resource,
    RunDetails,
    Setting,
    SignerRole,
)
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import (
    MemberInvalidError,
    MemberMissingError,
    MemberUnknownError,
)
from guildmark.domain.errors import GuildmarkError, MalformedError
from guildmark.domain.identifiers import (
    Bytes32,
    DesignId,
    Digest,
    IdentityId,
    LaneNumber,
    LicenseId,
    LogNumber,
    RecipeId,
    Seq,
    SiteRecipeId,
    UnitNumber,
)
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.recall import RecallCause, Thing
from guildmark.domain.recipes.clause import ClausePath, MalformedClauseError
from guildmark.domain.recipes.quantity import MalformedDecimalError, UnknownUnitError

LABEL = "https://id.example.org/id/aaaqeayeaudaocaj/3-00017"


def word(number: int) -> bytes:
    return bytes([number]) * 32


def lot(number: int) -> Thing:
    return Thing(cause=RecallCause.LOT, id=Bytes32(word(number)), detail=Bytes32(word(99)))


MINIMAL = sm.BuildStatement(
    label=LABEL,
    salt=Bytes32(word(1)),
    signer_role=SignerRole.MACHINE,
    external=ExternalParameters(
        license=LicenseId(word(2)),
        recipe=RecipeId(word(3)),
        site_recipe=SiteRecipeId(word(4)),
        design=DesignId(word(5)),
        revision=1,
        log=LogNumber(1),
        lane=LaneNumber(3),
    ),
    run=RunDetails(
        maker=IdentityId(word(6)),
        site=IdentityId(word(7)),
        machine=IdentityId(word(8)),
        counter=0,
        started_on=1_800_000_000,
        finished_on=1_800_000_000,
    ),
    beacon=Beacon(log=LogNumber(0), seq=Seq(0), record_digest=Digest(word(9))),
    resolved=(Resource(name="design", digest=Digest(word(10))),),
)
FULL = replace(
    MINIMAL,
    external=replace(MINIMAL.external, unit=UnitNumber(17), order="order-7"),
    run=replace(MINIMAL.run, finished_on=1_800_003_600, technician="t-4"),
    resolved=(*MINIMAL.resolved, Resource(name="job", digest=Digest(word(11)))),
    settings=(
        Setting(path=ClausePath("/process/layer_height"), value="0.20", unit="mm"),
        Setting(path=ClausePath("/process/infill"), value="gyroid"),
    ),
    firmware="Marlin 2.1.2",
    byproducts=(Resource(name="telemetry", digest=Digest(word(12))),),
    measurements=(
        Measurement(
            characteristic=ClausePath("/tolerance/bore"),
            value="8.02",
            unit="mm",
            instrument="caliper-2",
        ),
    ),
    simulated=True,
    dependencies=Digest(word(13)),
    replaces=Digest(word(14)),
    key_holder=KeyHolder.TPM,
)


@pytest.mark.parametrize("statement", [MINIMAL, FULL])
def test_statements_are_read_back(statement: sm.BuildStatement) -> None:
    assert sm.BuildStatement.parse(statement.encode()) == statement


def test_statement_is_in_toto_v1_about_the_salted_subject() -> None:
    document = json.loads(FULL.encode())

    digest = hashlib.sha256(b"guildmark/subject/v1" + word(1) + LABEL.encode()).hexdigest()
    assert document["_type"] == "https://in-toto.io/Statement/v1"
    assert document["predicateType"] == "https://guildmark.org/build/v1"
    assert document["subject"] == [{"name": LABEL, "digest": {"sha256": digest}}]
    assert FULL.subject.hex() == digest


def test_predicate_follows_the_terms_of_slsa() -> None:
    predicate = json.loads(FULL.encode())["predicate"]

    assert predicate["externalParameters"]["siteRecipe"] == "0x" + "04" * 32
    assert predicate["internalParameters"] == {
        "settings": [
            {"path": "/process/layer_height", "value": "0.20", "unit": "mm"},
            {"path": "/process/infill", "value": "gyroid"},
        ],
        "firmware": "Marlin 2.1.2",
    }
    assert predicate["resolvedDependencies"][1] == {
        "name": "job",
        "digest": {"sha256": "0b" * 32},
    }
    assert predicate["runDetails"]["counter"] == 0
    assert predicate["beacon"] == {"log": 0, "seq": 0, "recordDigest": "0x" + "09" * 32}


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
def test_subject_depends_on_label_and_salt(label: str) -> None:
    one = sm.subject_digest(label, Bytes32(word(1)))

    assert one != sm.subject_digest(label + "x", Bytes32(word(1)))
    assert one != sm.subject_digest(label, Bytes32(word(2)))


def test_salts_are_not_shown_where_values_are_printed() -> None:
    shown = repr((FULL, Dependency(thing=lot(15), salt=Bytes32(word(16)))))

    assert repr(word(1)) not in shown
    assert repr(word(16)) not in shown


def test_what_went_in_is_found_by_name() -> None:
    assert FULL.resource("design") == word(10)
    assert FULL.resource("job") == word(11)
    assert FULL.resource("lot") is None


def changed(change: Callable[[dict[str, Any]], object]) -> bytes:
    document = json.loads(FULL.encode())
    change(document)
    return json.dumps(document).encode()


def predicate(**members: Any) -> bytes:
    return changed(lambda document: document["predicate"].update(members))


REFUSED: list[tuple[bytes, type[Exception]]] = [
    (changed(lambda d: d.update(_type="https://in-toto.io/Statement/v0.1")), MemberInvalidError),
    (changed(lambda d: d.update(predicateType="https://slsa.dev/v1")), MemberInvalidError),
    (changed(lambda d: d.update(more=1)), MemberUnknownError),
    (changed(lambda d: d.update(subject=[])), MemberInvalidError),
    (changed(lambda d: d.update(subject=d["subject"] * 2)), MemberInvalidError),
    (changed(lambda d: d["subject"][0].update(name="x" * 401)), MemberInvalidError),
    (changed(lambda d: d["subject"][0].update(name=LABEL + "8")), sm.SubjectMismatchError),
    (
        changed(lambda d: d["subject"][0]["digest"].update(sha256="00" * 32)),
        sm.SubjectMismatchError,
    ),
    (
        changed(lambda d: d["subject"][0]["digest"].update(sha256="0x" + "00" * 32)),
        MemberInvalidError,
    ),
    (changed(lambda d: d["subject"][0]["digest"].update(sha1="00")), MemberUnknownError),
    (changed(lambda d: d["predicate"].pop("beacon")), MemberMissingError),
    (changed(lambda d: d["predicate"]["externalParameters"].update(lane=0)), MemberInvalidError),
    (changed(lambda d: d["predicate"]["externalParameters"].update(unit=0)), MemberInvalidError),
    (changed(lambda d: d["predicate"]["externalParameters"].update(log=2**40)), MemberInvalidError),
    (changed(lambda d: d["predicate"]["runDetails"].update(startedOn=-1)), MemberInvalidError),
    (changed(lambda d: d["predicate"]["runDetails"].update(finishedOn=1)), MalformedStatementError),
    (predicate(salt="0x" + "00" * 32), sm.SubjectMismatchError),
    (predicate(signerRole="robot"), MemberInvalidError),
    (predicate(keyHolder="safe"), MemberInvalidError),
    (predicate(simulated="no"), MemberInvalidError),
    (predicate(resolvedDependencies=[]), MalformedStatementError),
    (
        predicate(resolvedDependencies=[{"name": "design", "digest": {"sha256": "00" * 32}}] * 2),
        MalformedStatementError,
    ),
    (
        predicate(internalParameters={"settings": [{"path": "/a/b", "value": "x"}] * 2}),
        MalformedStatementError,
    ),
    (
        predicate(internalParameters={"settings": [{"path": "/a/b", "value": "x", "unit": "mm"}]}),
        MalformedDecimalError,
    ),
    (
        predicate(internalParameters={"settings": [{"path": "/a/b", "value": "1", "unit": "in"}]}),
        UnknownUnitError,
    ),
    (
        predicate(internalParameters={"settings": [{"path": "a", "value": "1"}]}),
        MalformedClauseError,
    ),
]


@pytest.mark.parametrize(("data", "error"), REFUSED)
def test_statements_outside_the_schema_are_refused(data: bytes, error: type[Exception]) -> None:
    with pytest.raises(error) as caught:
        sm.BuildStatement.parse(data)

    assert type(caught.value) is error


def measured(**change: Any) -> Measurement:
    return replace(FULL.measurements[0], **change)


def test_measured_values_are_decimals_with_units_of_named_characteristics() -> None:
    with pytest.raises(MalformedDecimalError):
        measured(value="8,02")
    with pytest.raises(UnknownUnitError):
        measured(unit="inch")
    with pytest.raises(MalformedClauseError):
        measured(characteristic="bore")


def test_errors_of_a_statement_are_malformed_or_a_mismatch() -> None:
    assert issubclass(MalformedStatementError, MalformedError)
    assert sm.SubjectMismatchError.exit_code == 19


def test_dependencies_are_committed_to_one_by_one() -> None:
    lots = [Dependency(thing=lot(n), salt=Bytes32(word(n + 1))) for n in range(3)]

    leaves = [
        hashlib.sha256(b"guildmark/dependency/v1" + word(n + 1) + lot(n).key()).digest()
        for n in range(3)
    ]
    assert dependencies_root(lots) == MerkleTree(leaves).root()
    assert dependencies_root([]) == NO_DEPENDENCIES == bytes(32)


def test_scrap_has_a_predicate_of_its_own_with_its_reason() -> None:
    scrap = replace(FULL, scrap="the first layer came off")

    document = json.loads(scrap.encode())

    assert document["predicateType"] == "https://guildmark.org/scrap/v1"
    assert document["predicate"]["reason"] == "the first layer came off"
    assert sm.BuildStatement.parse(scrap.encode()) == scrap
    assert (scrap.kind, FULL.kind) == (EntryKind.SCRAP, EntryKind.BUILD)


def test_scrap_without_a_reason_and_a_build_with_one_are_refused() -> None:
    scrap = json.loads(replace(MINIMAL, scrap="it fell").encode())
    build = json.loads(MINIMAL.encode())
    build["predicate"]["reason"] = scrap["predicate"].pop("reason")

    for document, code in ((scrap, "document.memberMissing"), (build, "document.memberUnknown")):
        with pytest.raises(GuildmarkError) as refused:
            sm.BuildStatement.parse(canonical(document))
        assert refused.value.code == code


@pytest.mark.parametrize(("length", "is_taken"), [(0, False), (1, True), (400, True), (401, False)])
def test_a_reason_has_its_bounds(length: int, *, is_taken: bool) -> None:
    if is_taken:
        assert replace(MINIMAL, scrap="x" * length).scrap
        return
    with pytest.raises(MalformedStatementError, match="1 to 400"):
        replace(MINIMAL, scrap="x" * length)
