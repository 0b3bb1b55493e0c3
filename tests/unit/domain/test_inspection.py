"""Inspections: read as they were written, and about one part only."""

from dataclasses import replace
from typing import Any

import pytest

from fakes.inspecting import Inspecting
from fakes.simulator import Simulator, measured
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.inspection import (
    Inspection,
    InspectionMalformedError,
    InspectionProof,
    InspectionTypeError,
    Result,
    inspection_in,
)
from guildmark.domain.builds.statement import SubjectMismatchError
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.fields import MemberInvalidError, MemberMissingError
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.identifiers import UINT40_MAX, LogNumber
from guildmark.domain.log.entry import EntryKind

MADE = Inspecting(simulator=Simulator())
SAID = replace(MADE.inspection(), measurements=(measured("bore", "10.01"),))
PROOF = MADE.disclosure().proof


def test_an_inspection_is_read_as_it_was_written() -> None:
    assert Inspection.parse(SAID.encode()) == SAID
    assert parse_object(SAID.encode())["predicateType"] == "https://guildmark.org/inspection/v1"


def test_an_inspections_entry_is_of_its_own_kind_and_draws_no_recipe() -> None:
    _, said, entry = PROOF.opened()

    assert said == MADE.inspection()
    assert (entry.kind, entry.kind.is_of_a_part) == (EntryKind.INSPECTION, False)
    assert (entry.subject, entry.envelope) == (said.subject, envelope_digest(PROOF.envelope))
    assert (entry.machine, entry.maker) == (said.machine, said.inspector)
    assert not any(entry.site_recipe)
    assert not any(entry.dependencies)
    assert EntryKind.BUILD.is_of_a_part


def test_a_proof_is_read_as_it_was_written() -> None:
    assert InspectionProof.parse(PROOF.encode()) == PROOF


def test_an_inspection_of_another_part_than_its_subject_is_refused() -> None:
    document: Any = dict(parse_object(SAID.encode()))
    document["subject"] = [{"name": "part", "digest": {"sha256": "12" * 32}}]

    with pytest.raises(SubjectMismatchError):
        Inspection.parse(canonical(document))


def test_an_inspection_without_a_result_is_refused() -> None:
    document: Any = dict(parse_object(SAID.encode()))
    document["predicate"] = {k: v for k, v in document["predicate"].items() if k != "result"}

    with pytest.raises(MemberMissingError):
        Inspection.parse(canonical(document))


def test_a_result_that_nobody_knows_is_refused() -> None:
    document: Any = dict(parse_object(SAID.encode()))
    document["predicate"] = {**document["predicate"], "result": "splendid"}

    with pytest.raises(MemberInvalidError, match="passed, failed"):
        Inspection.parse(canonical(document))


@pytest.mark.parametrize(
    "change",
    [
        {"log": LogNumber(0)},
        {"log": LogNumber(UINT40_MAX + 1)},
        {"inspected_on": -1},
        {"inspected_on": UINT40_MAX + 1},
        {"measurements": (measured("bore", "1"), measured("bore", "2"))},
    ],
)
def test_an_inspection_with_impossible_values_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(InspectionMalformedError):
        replace(SAID, **change)


def test_bounds_of_an_inspection_are_admitted() -> None:
    least = replace(SAID, log=LogNumber(1), inspected_on=0, result=Result.FAILED)
    most = replace(SAID, log=LogNumber(UINT40_MAX), inspected_on=UINT40_MAX)

    assert Inspection.parse(least.encode()) == least
    assert Inspection.parse(most.encode()) == most


def test_an_envelope_of_another_type_holds_no_inspection() -> None:
    envelope = replace(Envelope.parse(PROOF.envelope), payload_type="text/plain")

    with pytest.raises(InspectionTypeError, match="text/plain"):
        inspection_in(envelope)
