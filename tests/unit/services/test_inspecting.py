"""Inspections at a node: signed by an instrument, taken in, and shown in the part's bundle."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from fakes.inspectors import PROBE, Inspector, make_inspector
from fakes.keys import signing_key
from fakes.store import MemoryNodeStore
from fakes.world import ISSUER, MACHINE, OPERATOR, SITE, make_world
from guildmark.domain import bundle
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.inspection import InspectionProof, Result, inspection_in
from guildmark.domain.chain.facts import RecordFact
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import ZERO32, Bytes32, Digest, IdentityId, Index, LogNumber
from guildmark.domain.identity.identity import IdentityKind, key_id
from guildmark.domain.log.merkle import ProofError
from guildmark.domain.log.queue import BuildState
from guildmark.domain.verification.choice import Choice
from guildmark.domain.verification.evidence import INSPECTIONS_MAX
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.inspecting import (
    KEPT_MAX,
    Found,
    InspectorLinkError,
    OwnInspectionError,
    inspection_label,
    keeping,
    kept_proofs,
    proofs_of,
)
from guildmark.services.evidence.evidence import PartUnknownError
from guildmark.services.identity.identities import Identities
from guildmark.services.index.projection import known
from guildmark.services.log.admission import queued
from guildmark.services.log.ingest import Reception
from guildmark.services.recipes.disclosing import DisclosedThingUnknownError, DocumentUnknownError


@pytest.fixture
def inspector() -> Inspector:
    world = make_world()
    world.disclose()
    world.tools.ingest(world.log).receive([world.envelope(1)])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    return make_inspector(world)


def code(inspector: Inspector, envelope: bytes) -> str:
    (answer,) = inspector.send(envelope)
    assert answer.reception is Reception.REFUSED
    assert answer.error is not None
    return answer.error.code


def shown(inspector: Inspector) -> list[Result]:
    evidence = inspector.world.tools.exporter.evidence(inspector.world.log, Index(0))
    assert bundle.read(bundle.write(evidence)) == evidence
    found = [one.proof.opened()[1] for one in evidence.disclosed.inspections]
    assert {said.inspector for said in found} <= {inspector.organization}
    return [said.result for said in found]


def test_an_inspection_is_logged_without_a_unit_and_shown_beside_its_part(
    inspector: Inspector,
) -> None:
    (answer,) = inspector.log(inspector.sign())

    assert (answer.reception, answer.error) == (Reception.ACCEPTED, None)
    with inspector.world.tools.store.reading() as view:
        build = view.log.build(answer.digest)
    assert build is not None
    assert (build.state, build.unit, build.lane) == (BuildState.FINAL, None, 0)
    assert shown(inspector) == [Result.PASSED]


def test_what_an_inspection_rests_on_is_shown_with_it(inspector: Inspector) -> None:
    inspector.log(inspector.sign())

    evidence = inspector.world.tools.exporter.evidence(inspector.world.log, Index(0))

    (one,) = evidence.disclosed.inspections
    assert one.key == signing_key(inspector.world.tools.keys, PROBE)
    assert one.site_link is not None
    assert one.inspector_link is not None
    assert (one.site_link.child, one.site_link.parent) == (inspector.instrument, inspector.site)
    assert (one.inspector_link.parent, one.inspector_link.count) == (inspector.organization, 1)


def test_an_inspection_has_no_page_of_its_own(inspector: Inspector) -> None:
    (answer,) = inspector.log(inspector.sign())
    with inspector.world.tools.store.reading() as view:
        build = view.log.build(answer.digest)

    assert build is not None
    assert build.index == 1
    with pytest.raises(PartUnknownError):
        inspector.world.tools.exporter.evidence(inspector.world.log, Index(1))


def test_inspections_take_neither_counters_nor_labels(inspector: Inspector) -> None:
    world = inspector.world

    answers = inspector.send(inspector.sign(), inspector.sign(), world.envelope(2))

    assert [one.reception for one in answers] == [Reception.ACCEPTED] * 3


def test_the_same_inspection_again_is_a_duplicate(inspector: Inspector) -> None:
    envelope = inspector.sign()

    first, again = inspector.send(envelope, envelope)

    assert (first.reception, again.reception) == (Reception.ACCEPTED, Reception.DUPLICATE)


def other_log(inspector: Inspector) -> bytes:
    return inspector.sign(inspector.found(log=LogNumber(9)))


def another_build(inspector: Inspector) -> bytes:
    part = replace(inspector.part(), envelope=Digest(sha256(b"another")))
    return inspector.sign(inspector.found(part=part))


def another_subject(inspector: Inspector) -> bytes:
    part = replace(inspector.part(), subject=Digest(sha256(b"another")))
    return inspector.sign(inspector.found(part=part))


def waiting_build(inspector: Inspector) -> bytes:
    world = inspector.world
    envelope = world.envelope(2)
    world.tools.ingest(world.log).receive([envelope])
    part = replace(inspector.part(), envelope=envelope_digest(envelope))
    return inspector.sign(inspector.found(part=part))


def resigned(inspector: Inspector) -> bytes:
    envelope = Envelope.parse(inspector.sign())
    (one,) = envelope.signatures
    changed = replace(one, signature=one.signature[:-1] + bytes([one.signature[-1] ^ 1]))
    return replace(envelope, signatures=(changed,)).encode()


def stranger(inspector: Inspector) -> bytes:
    envelope = Envelope.parse(inspector.sign())
    (one,) = envelope.signatures
    unknown = replace(
        one, key=key_id(inspector.site, signing_key(inspector.world.tools.keys, PROBE))
    )
    return replace(envelope, signatures=(unknown,)).encode()


def of_the_suspect(inspector: Inspector) -> bytes:
    """Sign with the key of the machine that built the part."""
    tools = inspector.world.tools
    envelope = Envelope.parse(inspector.sign())
    name = key_id(inspector.world.machine, signing_key(tools.keys, MACHINE))
    return Envelope.sign(
        envelope.payload,
        payload_type=envelope.payload_type,
        signers={name: lambda data: tools.keys.sign_payload(tools.keys.names()[0], data)},
    ).encode()


def ended_key(inspector: Inspector) -> bytes:
    envelope = inspector.sign()
    own(inspector).end_key(inspector.instrument, probe(inspector))
    follow(inspector)
    return envelope


def noticed_key(inspector: Inspector) -> bytes:
    envelope = inspector.sign()
    own(inspector).give_notice(inspector.instrument, probe(inspector), suspected_from=1)
    follow(inspector)
    return envelope


def unlinked(inspector: Inspector) -> bytes:
    envelope = inspector.sign()
    own(inspector).end_link(inspector.site, inspector.organization)
    follow(inspector)
    return envelope


def moved(inspector: Inspector) -> bytes:
    """Let the instrument go to another site after it signed."""
    envelope = inspector.sign()
    account = own(inspector)
    other = account.register(IdentityKind.SITE, {"name": "Elsewhere"})
    account.end_link(inspector.instrument, inspector.site)
    account.request_link(inspector.instrument, other)
    account.accept_link(inspector.instrument, other)
    follow(inspector)
    return envelope


def not_an_inspection(inspector: Inspector) -> bytes:
    """Name the type of an inspection and be none."""
    payload = b'{"predicateType":"https://guildmark.org/inspection/v1"}'
    envelope = Envelope.parse(inspector.sign())
    return replace(envelope, payload=payload).encode()


def own(inspector: Inspector) -> Identities:
    return replace(inspector.world.tools.identities(ISSUER), store=MemoryNodeStore())


def probe(inspector: Inspector) -> Any:
    return key_id(inspector.instrument, signing_key(inspector.world.tools.keys, PROBE))


def follow(inspector: Inspector) -> None:
    inspector.world.tools.indexing(inspector.world.log).follow()


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (other_log, "inspection.otherLog"),
        (another_build, "inspection.buildUnknown"),
        (another_subject, "inspection.buildUnknown"),
        (waiting_build, "inspection.buildUnknown"),
        (resigned, "signature.mismatch"),
        (stranger, "inspection.keyNotGood"),
        (of_the_suspect, "inspection.keyNotGood"),
        (ended_key, "inspection.keyNotGood"),
        (noticed_key, "inspection.keyNotGood"),
        (unlinked, "inspection.notLinked"),
        (moved, "inspection.notLinked"),
        (not_an_inspection, "document.memberMissing"),
    ],
)
def test_what_the_door_refuses(
    inspector: Inspector, change: Callable[[Inspector], bytes], expected: str
) -> None:
    assert code(inspector, change(inspector)) == expected


def test_a_build_may_have_the_words_of_an_inspection_in_it(inspector: Inspector) -> None:
    world = inspector.world
    statement = replace(world.statement(2), firmware="https://guildmark.org/inspection/v1")

    (answer,) = inspector.send(world.sign(statement))

    assert answer.reception is Reception.ACCEPTED


def test_a_maker_does_not_inspect_itself(inspector: Inspector) -> None:
    world = inspector.world
    keys = world.tools.keys
    world.tools.identities(SITE).add_key(world.instrument, signing_key(keys, PROBE))
    world.tools.identities(SITE).request_link(world.instrument, world.site)
    world.tools.identities(SITE).accept_link(world.instrument, world.site)
    follow(inspector)

    with pytest.raises(OwnInspectionError):
        inspector.inspecting.sign(inspector.found(), machine=world.instrument, key=PROBE)

    # Somebody who writes the statement by himself is refused at the door.
    envelope = Envelope.parse(inspector.sign())
    said = replace(
        inspection_in(envelope), inspector=world.maker, site=world.site, machine=world.instrument
    )
    name = key_id(world.instrument, signing_key(keys, PROBE))
    forged = Envelope.sign(
        said.encode(),
        payload_type=envelope.payload_type,
        signers={name: lambda data: keys.sign_payload(PROBE, data)},
    ).encode()
    assert code(inspector, forged) == "inspection.ownPart"


def test_an_instrument_of_nobody_signs_nothing(inspector: Inspector) -> None:
    with pytest.raises(InspectorLinkError, match="belongs to nobody"):
        inspector.inspecting.sign(inspector.found(), machine=inspector.organization, key=PROBE)


def test_an_operator_logs_his_own_inspections_of_other_logs_parts() -> None:
    world = make_world()
    inspector = make_inspector(world, OPERATOR)
    # The operator's own organization inspects: it is linked above the laboratory's site.
    own_account = replace(world.tools.identities(OPERATOR), store=MemoryNodeStore())
    own_account.end_link(inspector.site, inspector.organization)
    own_account.request_link(inspector.site, world.operator)
    own_account.accept_link(inspector.site, world.operator)
    follow(inspector)
    elsewhere = world.statement(1)
    envelope, digest = Envelope.parse(world.sign(elsewhere)), envelope_digest(b"x")
    entry = queued(b"x", digest, envelope, elsewhere, Bytes32(ZERO32)).entry
    found = Found(part=entry, result=Result.PASSED, log=world.log, inspected_on=1)

    (answer,) = inspector.send(inspector.sign(found))

    assert answer.reception is Reception.ACCEPTED


def test_inspections_of_one_inspector_stand_together_the_first_inspector_first(
    inspector: Inspector,
) -> None:
    failed = inspector.found(result=Result.FAILED)
    inspector.log(inspector.sign())
    inspector.log(inspector.sign(failed))

    assert shown(inspector) == [Result.PASSED, Result.FAILED]


@pytest.mark.parametrize(("count", "seen"), [(INSPECTIONS_MAX, 4), (INSPECTIONS_MAX + 1, 1)])
def test_of_more_than_a_bundle_holds_each_inspectors_first_word_is_shown(
    inspector: Inspector, count: int, seen: int
) -> None:
    inspector.log(*[inspector.sign() for _ in range(count)])

    assert shown(inspector) == [Result.PASSED] * seen


def others_of(inspector: Inspector, count: int) -> list[Inspector]:
    """Return further inspectors, in the order in which they inspect."""
    made = [make_inspector(inspector.world) for _ in range(count)]
    for one in made:
        one.log(one.sign())
    return made


def chosen(inspector: Inspector, *inspectors: Inspector) -> list[tuple[IdentityId, Result]]:
    choice = Choice(inspectors=tuple(one.organization for one in inspectors))
    exporter = inspector.world.tools.exporter
    found = exporter.gather(inspector.world.log, Index(0), choice).disclosed.inspections
    said = [one.proof.opened()[1] for one in found]
    return [(one.inspector, one.result) for one in said]


def test_who_failed_a_part_is_not_crowded_out(inspector: Inspector) -> None:
    first = others_of(inspector, INSPECTIONS_MAX)
    inspector.log(inspector.sign(inspector.found(result=Result.FAILED)))

    found = chosen(inspector)

    assert len(found) == INSPECTIONS_MAX
    assert found[0] == (inspector.organization, Result.FAILED)
    asked = chosen(inspector, first[-1], first[2])
    assert [who for who, _ in asked[:3]] == [
        first[2].organization,
        first[-1].organization,
        inspector.organization,
    ]


def test_the_last_word_of_an_inspector_is_not_crowded_out_by_his_own(inspector: Inspector) -> None:
    failed = inspector.found(result=Result.FAILED)
    for _ in range(INSPECTIONS_MAX):
        inspector.log(inspector.sign())
    inspector.log(inspector.sign(failed))

    assert shown(inspector) == [Result.FAILED]

    inspector.log(inspector.sign())
    inspector.log(inspector.sign())
    assert shown(inspector) == [Result.FAILED, Result.PASSED]


def test_an_inspection_that_waits_is_not_shown(inspector: Inspector) -> None:
    (answer,) = inspector.send(inspector.sign())

    assert shown(inspector) == []
    with pytest.raises(DocumentUnknownError):
        inspector.world.tools.disclosing.show(DocumentKind.INSPECTION, answer.digest)


def proof(inspector: Inspector) -> InspectionProof:
    (answer,) = inspector.log(inspector.sign())
    body = inspector.world.tools.disclosing.show(DocumentKind.INSPECTION, answer.digest)
    return InspectionProof.parse(body)


def test_an_inspection_of_another_log_is_kept_where_its_record_is_known(
    inspector: Inspector,
) -> None:
    found = proof(inspector)
    tools = inspector.world.tools
    kept = MemoryNodeStore()
    with tools.store.reading() as view, kept.writing() as work:
        work.facts.put(known(view.facts, RecordFact, found.record.log, found.record.seq))
    disclosing = replace(tools.disclosing, store=kept)

    disclosing.receive(DocumentKind.INSPECTION, envelope_digest(found.envelope), found.encode())
    disclosing.receive(DocumentKind.INSPECTION, envelope_digest(found.envelope), found.encode())

    with kept.reading() as view:
        assert list(proofs_of(inspector.part().envelope, view)) == [found]


def test_what_another_log_does_not_hold_is_not_kept(inspector: Inspector) -> None:
    found = proof(inspector)
    receive = inspector.world.tools.disclosing.receive
    key = envelope_digest(found.envelope)

    with pytest.raises(DisclosedThingUnknownError):
        receive(DocumentKind.INSPECTION, sha256(b"another"), found.encode())
    younger = replace(found, record=replace(found.record, time=found.record.time + 1))
    with pytest.raises(DisclosedThingUnknownError):
        receive(DocumentKind.INSPECTION, key, younger.encode())
    with pytest.raises(ProofError):
        receive(DocumentKind.INSPECTION, key, replace(found, salt=Bytes32(ZERO32)).encode())


def test_a_node_keeps_the_newest_of_many(inspector: Inspector) -> None:
    found = proof(inspector)
    body = None
    many = [replace(found, position=number) for number in range(KEPT_MAX + 1)]
    for one in many:
        body = keeping(body, one)

    assert list(kept_proofs(body)) == many[1:]
    assert list(kept_proofs(None)) == []


def test_a_builds_receipt_is_no_inspection(inspector: Inspector) -> None:
    with pytest.raises(DocumentUnknownError):
        inspector.world.tools.disclosing.show(DocumentKind.INSPECTION, inspector.part().envelope)
    with pytest.raises(DocumentUnknownError):
        inspector.world.tools.disclosing.show(DocumentKind.INSPECTION, sha256(b"unknown"))
    assert inspection_label(inspector.part().envelope).startswith("urn:guildmark:inspection:0x")
