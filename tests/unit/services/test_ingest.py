"""The door: each envelope has its own answer, and what is accepted would be verified."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from fakes.keys import signing_key
from fakes.world import MACHINE, OPERATOR, PREFIX, SITE, UNITS, World, make_world
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.predicate import (
    CLOCK_TOLERANCE,
    Beacon,
    MalformedStatementError,
    Resource,
    Setting,
)
from guildmark.domain.builds.statement import PAYLOAD_TYPE, BuildStatement
from guildmark.domain.chain.facts import (
    IdentityFact,
    KeyFact,
    LaneFact,
    LicenseFact,
    RecipeFact,
    SiteRecipeFact,
)
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import (
    DesignId,
    Digest,
    IdentityId,
    KeyId,
    LaneNumber,
    LicenseId,
    LogNumber,
    RecipeId,
    Seq,
    SiteRecipeId,
    UnitNumber,
    to_hex,
)
from guildmark.domain.log.entry import EntryKind
from guildmark.domain.log.queue import BuildState
from guildmark.domain.log.record import Record
from guildmark.domain.recipes.clause import ClausePath
from guildmark.domain.recipes.clauses import disclose
from guildmark.domain.recipes.recipe import Status
from guildmark.domain.signatures import P256_ORDER
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.ports.letters import LetterReader
from guildmark.ports.store import DocumentKind, NodeStore, View, Work
from guildmark.services.index.projection import known
from guildmark.services.log.ingest import Answer, IndexEmptyError, Ingest, Reception
from guildmark.services.recipes.disclosing import clauses_body

Change = Callable[[World, BuildStatement], BuildStatement]


@pytest.fixture
def world() -> World:
    world = make_world()
    world.disclose()
    return world


def send(world: World, *envelopes: bytes) -> list[Answer]:
    return list(world.tools.ingest(world.log).receive(envelopes))


def refusal(world: World, envelope: bytes) -> GuildmarkError:
    (answer,) = send(world, envelope)
    assert answer.reception is Reception.REFUSED
    assert answer.error is not None
    return answer.error


def code(world: World, statement: BuildStatement) -> str:
    return refusal(world, world.sign(statement)).code


def test_sound_build_is_accepted(world: World) -> None:
    envelope = world.envelope()

    (answer,) = send(world, envelope)

    assert answer.reception is Reception.ACCEPTED
    assert answer.digest == sha256(envelope)
    assert answer.build is not None
    assert (answer.build.label, answer.build.lane) == (f"{PREFIX}{world.lane}-00001", world.lane)


def test_entry_commits_to_what_was_signed(world: World) -> None:
    statement = world.statement()
    envelope = world.sign(statement)

    send(world, envelope)

    (queued,) = world.tools.store.queued()
    entry = queued.entry
    assert (entry.envelope, entry.subject) == (sha256(envelope), statement.subject)
    assert (entry.machine, entry.maker) == (world.machine, world.maker)
    assert (entry.site_recipe, entry.dependencies) == (world.site_recipe, statement.dependencies)


def test_refused_item_stops_no_other(world: World) -> None:
    answers = send(world, world.envelope(1), b"{}", world.envelope(2))

    assert [answer.reception for answer in answers] == [
        Reception.ACCEPTED,
        Reception.REFUSED,
        Reception.ACCEPTED,
    ]


def test_same_envelope_again_is_a_duplicate(world: World) -> None:
    envelope = world.envelope()

    answers = [*send(world, envelope, envelope), *send(world, envelope)]

    receptions = [answer.reception for answer in answers]
    assert receptions == [Reception.ACCEPTED, Reception.DUPLICATE, Reception.DUPLICATE]
    assert answers[0].build == answers[1].build == answers[2].build
    with world.tools.store.reading() as view:
        assert view.log.waiting_count() == 1


@dataclass(frozen=True)
class Interrupted:
    """A store to which another process does something between a look and a transaction."""

    store: NodeStore
    meanwhile: list[Callable[[], object]]

    def reading(self) -> AbstractContextManager[View]:
        return self.store.reading()

    def reading_letters(self) -> AbstractContextManager[LetterReader]:
        return self.store.reading_letters()

    def writing(self) -> AbstractContextManager[Work]:
        while self.meanwhile:
            self.meanwhile.pop()()
        return self.store.writing()


def send_while(world: World, meanwhile: Callable[[], object], *envelopes: bytes) -> list[Answer]:
    store = Interrupted(world.tools.store, [meanwhile])
    ingest = Ingest(store=store, entropy=world.tools.entropy, log=world.log)
    return list(ingest.receive(envelopes))


def test_what_the_chain_said_meanwhile_counts(world: World) -> None:
    def end_key() -> None:
        with world.tools.store.writing() as work:
            (key,) = work.facts.each(KeyFact)
            cursor = work.facts.cursor()
            assert cursor is not None
            work.facts.put(replace(key, until=5))
            work.facts.move(replace(cursor, number=cursor.number + 1))

    (answer,) = send_while(world, end_key, world.envelope())

    assert answer.error is not None
    assert answer.error.code == "key.outsideWindow"


def test_what_another_process_took_meanwhile_is_a_duplicate(world: World) -> None:
    first, second = world.envelope(1), world.envelope(2)

    answers = send_while(world, lambda: send(world, first), first, second)

    receptions = [answer.reception for answer in answers]
    assert receptions == [Reception.DUPLICATE, Reception.ACCEPTED]
    with world.tools.store.reading() as view:
        assert view.log.waiting_count() == 2


def test_jobs_of_one_request_are_examined_each(world: World) -> None:
    first, second = world.statement(1), world.statement(2)
    lot = Resource(name="lot", digest=sha256(b"lot"))
    other = replace(second, resolved=(*second.resolved, lot))
    wrong = replace(world.statement(3), settings=())

    answers = send(world, *(world.sign(one) for one in (first, other, wrong, second)))

    codes = [answer.error and answer.error.code for answer in answers]
    assert codes == [None, None, "recipe.settingsNotRecorded", "machine.counterReused"]


def test_items_of_one_request_stand_in_each_others_way(world: World) -> None:
    first = world.statement(1)
    used = replace(world.statement(2), run=first.run)
    labelled = replace(world.statement(3), label=first.label)

    answers = send(world, *(world.sign(one) for one in (first, used, labelled)))

    codes = [answer.error and answer.error.code for answer in answers]
    assert codes == [None, "machine.counterReused", "label.taken"]


def test_same_statement_under_another_signature_is_a_duplicate(world: World) -> None:
    first = Envelope.parse(world.envelope())
    stranger = replace(first.signatures[0], key=replace_first(first.signatures[0].key))
    second = replace(first, signatures=(*first.signatures, stranger))

    answers = send(world, first.encode(), second.encode())

    assert [answer.reception for answer in answers] == [Reception.ACCEPTED, Reception.DUPLICATE]
    assert answers[0].digest != answers[1].digest


@pytest.mark.parametrize("algorithm", [KeyAlgorithm.P256, KeyAlgorithm.ED25519])
def test_any_kind_of_machine_key_is_taken(world: World, algorithm: KeyAlgorithm) -> None:
    signed = signed_with(world, algorithm)

    (answer,) = send(world, signed)

    assert answer.reception is Reception.ACCEPTED


def test_the_twin_of_a_signature_is_refused_at_the_door(world: World) -> None:
    envelope = Envelope.parse(signed_with(world, KeyAlgorithm.P256))
    (own,) = envelope.signatures
    s = P256_ORDER - int.from_bytes(own.signature[32:], "big")
    twin = replace(own, signature=own.signature[:32] + s.to_bytes(32, "big"))

    error = refusal(world, replace(envelope, signatures=(twin,)).encode())

    assert error.code == "signature.malformed"


def signed_with(world: World, algorithm: KeyAlgorithm) -> bytes:
    """Return a build that the machine signed with a further key."""
    keys = world.tools.keys
    keys.create(KeyName("further"), algorithm)
    world.tools.identities(SITE).add_key(world.machine, signing_key(keys, "further"))
    record = world.tools.logs(OPERATOR).tick()
    world.tools.indexing(world.log).follow()
    beacon = Beacon(log=record.log, seq=record.seq, record_digest=record.digest())
    statement = replace(world.statement(), beacon=beacon)
    return world.tools.builds.attest(statement, key=KeyName("further"))


def replace_first(key: bytes) -> KeyId:
    return KeyId(bytes((key[0] ^ 1,)) + key[1:])


def test_refused_unit_may_be_logged_again(world: World) -> None:
    envelope = world.envelope()
    send(world, envelope)
    lane = world.tools.chain.lanes[world.lane]
    lane.end = lane.next
    line = world.tools.line(world.log)
    line.step()
    line.step()

    (answer,) = send(world, envelope)

    assert answer.reception is Reception.ACCEPTED


def test_empty_index_accepts_nothing() -> None:
    world = make_world()
    empty = make_world().tools
    ingest = Ingest(store=type(empty.store)(), entropy=empty.entropy, log=world.log)

    with pytest.raises(IndexEmptyError) as caught:
        ingest.receive([world.envelope()])

    assert caught.value.code == "index.empty"


def test_unit_beyond_the_lane_is_refused(world: World) -> None:
    numbers = range(1, UNITS + 1)
    accepted = send(world, *(world.envelope(number) for number in numbers))

    error = refusal(world, world.envelope(UNITS + 1))

    assert all(answer.error is None for answer in accepted)
    assert error.code == "license.quotaExceeded"


def test_drawn_units_count_like_claimed_ones(world: World) -> None:
    send(world, world.envelope(1), world.envelope(2))
    line = world.tools.line(world.log)
    line.step()
    line.step()

    third, fourth = send(world, world.envelope(3), world.envelope(4))

    assert third.error is None
    assert fourth.error is not None
    assert fourth.error.code == "license.quotaExceeded"


def test_a_named_unit_is_the_one_that_the_lane_gives_next(world: World) -> None:
    first, second, third = (naming(world, number, number) for number in (1, 2, 3))

    assert [answer.error for answer in send(world, first, second)] == [None, None]
    assert [answer.error for answer in send(world, third)] == [None]


@pytest.mark.parametrize("unit", [1, 3])
def test_another_unit_than_the_next_is_refused(world: World, unit: int) -> None:
    send(world, world.envelope(1))

    error = refusal(world, naming(world, 2, unit))

    assert error.code == "license.unitMismatch"
    assert error.detail == {"named": unit, "next": 2}


def naming(world: World, number: int, unit: int) -> bytes:
    """Return the envelope about part ``number``, which names a unit."""
    statement = world.statement(number)
    external = replace(statement.external, unit=UnitNumber(unit))
    return world.sign(replace(statement, external=external))


def test_counter_is_used_once(world: World) -> None:
    send(world, world.envelope(1))
    again = replace(world.statement(1), label=f"{PREFIX}{world.lane}-00009")

    assert code(world, again) == "machine.counterReused"


def test_label_is_given_once(world: World) -> None:
    first = world.statement(1)
    send(world, world.sign(first))
    other = replace(world.statement(2), label=first.label)

    assert code(world, other) == "label.taken"


@pytest.mark.parametrize(
    ("data", "expected"),
    [(b"{", "json.malformed"), (b"\xff", "json.notUtf8"), (b"{}", "document.memberMissing")],
)
def test_what_is_no_envelope_is_refused(world: World, data: bytes, expected: str) -> None:
    assert refusal(world, data).code == expected


def test_payload_of_another_type_is_refused(world: World) -> None:
    envelope = replace(Envelope.parse(world.envelope()), payload_type="text/plain")

    assert refusal(world, envelope.encode()).code == "statement.payloadType"


def test_unknown_key_is_refused(world: World) -> None:
    envelope = Envelope.parse(world.envelope())
    stranger = replace(envelope.signatures[0], key=replace_first(envelope.signatures[0].key))
    unknown = replace(envelope, signatures=(stranger,))

    assert refusal(world, unknown.encode()).code == "key.unknown"


def test_key_of_another_machine_is_refused(world: World) -> None:
    statement = world.statement()
    keys = world.tools.keys
    with world.tools.store.reading() as view:
        (key,) = view.facts.each(KeyFact)
    stolen = replace(statement, run=replace(statement.run, machine=world.instrument))
    envelope = Envelope.sign(
        stolen.encode(),
        payload_type=PAYLOAD_TYPE,
        signers={key.id: lambda payload: keys.sign_payload(KeyName(MACHINE), payload)},
    )

    assert refusal(world, envelope.encode()).code == "key.unknown"


def test_changed_payload_is_refused(world: World) -> None:
    envelope = Envelope.parse(world.envelope())
    changed = replace(envelope, payload=world.statement(2).encode())

    assert refusal(world, changed.encode()).code == "signature.mismatch"


def change_key(world: World, **changes: Any) -> None:
    with world.tools.store.writing() as work:
        (key,) = work.facts.each(KeyFact)
        work.facts.put(replace(key, **changes))


@pytest.mark.parametrize("changes", [{"until": 5}, {"notice_at": 5}])
def test_key_that_is_not_good_any_more_is_refused(world: World, changes: dict[str, int]) -> None:
    change_key(world, **changes)

    assert code(world, world.statement()) == "key.outsideWindow"


def test_key_is_good_from_the_beacon_on(world: World) -> None:
    change_key(world, since=world.beacon.time)
    (at_beacon,) = send(world, world.envelope(1))
    change_key(world, since=world.beacon.time + 1)

    assert at_beacon.error is None
    assert code(world, world.statement(2)) == "key.outsideWindow"


def with_beacon(record: Record, digest: Digest) -> Change:
    def change(_world: World, statement: BuildStatement) -> BuildStatement:
        beacon = replace(statement.beacon, log=record.log, seq=record.seq, record_digest=digest)
        return replace(statement, beacon=beacon)

    return change


def test_beacon_must_be_a_final_record(world: World) -> None:
    absent = replace(world.beacon, seq=Seq(99))
    changes = [
        with_beacon(absent, absent.digest()),
        with_beacon(world.beacon, Digest(sha256(b"another"))),
    ]

    codes = [code(world, change(world, world.statement())) for change in changes]

    assert codes == ["beacon.unknown", "beacon.unknown"]


def test_machine_that_left_its_site_is_refused(world: World) -> None:
    world.tools.identities(SITE).end_link(world.machine, world.site)
    world.tools.indexing(world.log).follow()

    assert code(world, world.statement()) == "link.outsideWindow"


def test_link_younger_than_the_beacon_is_refused(world: World) -> None:
    site = world.tools.identities(SITE)
    site.end_link(world.machine, world.site)
    site.request_link(world.machine, world.site)
    site.accept_link(world.machine, world.site)
    world.tools.indexing(world.log).follow()

    assert code(world, world.statement()) == "link.outsideWindow"


def test_maker_who_is_not_the_sites_is_refused(world: World) -> None:
    statement = world.statement()
    run = replace(statement.run, maker=world.designer)

    assert code(world, replace(statement, run=run)) == "link.outsideWindow"


def test_machine_without_any_link_is_refused(world: World) -> None:
    statement = world.statement()
    run = replace(statement.run, site=IdentityId(sha256(b"nowhere")))

    assert code(world, replace(statement, run=run)) == "link.outsideWindow"


def external(**changes: Any) -> Change:
    def change(_world: World, statement: BuildStatement) -> BuildStatement:
        return replace(statement, external=replace(statement.external, **changes))

    return change


SOME = sha256(b"something else")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (external(lane=LaneNumber(99)), "license.unknown"),
        (external(log=LogNumber(99)), "license.laneOfOtherLog"),
        (external(license=LicenseId(SOME)), "license.laneMismatch"),
        (external(design=DesignId(SOME)), "license.notAllowed"),
        (external(revision=2), "license.notAllowed"),
        (external(recipe=RecipeId(SOME)), "license.notAllowed"),
        (external(site_recipe=SiteRecipeId(SOME)), "recipe.mismatch"),
    ],
)
def test_what_the_license_does_not_cover_is_refused(
    world: World, change: Change, expected: str
) -> None:
    assert code(world, change(world, world.statement())) == expected


def test_lane_that_draws_into_no_log_is_refused(world: World) -> None:
    change = external(lane=LaneNumber(1))

    assert code(world, change(world, world.statement())) == "license.laneOfOtherLog"


def test_lane_of_another_site_is_refused(world: World) -> None:
    with world.tools.store.writing() as work:
        lane = known(work.facts, LaneFact, world.lane)
        work.facts.put(replace(lane, holder=world.maker))

    assert code(world, world.statement()) == "license.laneMismatch"


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (f"{PREFIX}1-1/", "label.notCanonical"),
        ("https://parts.example/01/4006381333931/21/1", "label.notCanonical"),
        ("https://parts.example/01/04006381333932/21/1", "gs1.wrongCheckDigit"),
        ("https://parts.example/gtin/04006381333931/21/1", "label.malformedLink"),
        ("urn:epc:id:sgtin:4006381.033393.1", "label.malformedLink"),
        ("   ", "label.malformedLink"),
    ],
)
def test_label_in_another_form_is_refused(world: World, label: str, expected: str) -> None:
    assert code(world, replace(world.statement(), label=label)) == expected


def test_label_outside_the_namespace_is_refused(world: World) -> None:
    statement = replace(world.statement(), label=PREFIX.replace("parts.", "other.") + "1")

    error = refusal(world, world.sign(statement))

    assert error.code == "license.notAllowed"
    assert error.detail["kind"] == "labelNamespace"


@pytest.mark.parametrize(
    "hidden", [DocumentKind.TERMS, DocumentKind.RECIPE, DocumentKind.SITE_RECIPE]
)
def test_node_must_be_shown_what_it_judges_by(hidden: DocumentKind) -> None:
    world = make_world()
    shown = {DocumentKind.TERMS, DocumentKind.RECIPE, DocumentKind.SITE_RECIPE} - {hidden}
    world.disclose(*shown)

    error = refusal(world, world.envelope())

    assert error.code == "disclosure.missing"
    assert error.detail["kind"] == hidden.value


def test_withheld_member_of_the_terms_is_not_taken_for_allowed(world: World) -> None:
    paths = [clause.path for clause in world.members if "/site/" not in clause.path]
    body = clauses_body(disclose(world.members, paths))
    with world.tools.store.writing() as work:
        work.documents.put(DocumentKind.TERMS, world.license, body)

    assert code(world, world.statement()) == "license.notAllowed"


def test_license_of_another_design_is_refused(world: World) -> None:
    with world.tools.store.writing() as work:
        granted = known(work.facts, LicenseFact, 1)
        terms = replace(granted.terms, design=DesignId(SOME))
        work.facts.put(replace(granted, terms=terms))

    assert code(world, world.statement()) == "design.mismatch"


def test_build_from_other_files_is_refused(world: World) -> None:
    statement = world.statement()
    design = replace(statement.resolved[0], digest=Digest(SOME))
    other = replace(statement, resolved=(design, *statement.resolved[1:]))

    error = refusal(world, world.sign(other))

    assert error.code == "design.mismatch"
    assert error.detail == {"revision": 1}


@pytest.mark.parametrize("status", [Status.DRAFT, Status.SUSPENDED, Status.RETIRED])
def test_recipe_out_of_force_is_refused(world: World, status: Status) -> None:
    with world.tools.store.writing() as work:
        recipe = known(work.facts, RecipeFact, world.recipe.id())
        work.facts.put(replace(recipe, status=int(status)))

    error = refusal(world, world.envelope())

    assert error.code == "recipe.notInForce"
    assert error.detail == {"status": status.name.lower()}


def test_recipe_on_trial_is_in_force(world: World) -> None:
    with world.tools.store.writing() as work:
        recipe = known(work.facts, RecipeFact, world.recipe.id())
        work.facts.put(replace(recipe, status=int(Status.TRIAL)))

    (answer,) = send(world, world.envelope())

    assert answer.error is None


def test_recipe_of_another_site_is_refused(world: World) -> None:
    with world.tools.store.writing() as work:
        own = known(work.facts, SiteRecipeFact, world.site_recipe)
        work.facts.put(replace(own, recipe=replace(own.recipe, site=world.maker)))

    assert code(world, world.statement()) == "recipe.mismatch"


def test_site_recipe_that_departs_is_refused(world: World) -> None:
    clauses = tuple(
        replace(clause, value="ABS") if clause.path == "/material/polymer" else clause
        for clause in world.site_document.clauses
    )
    document = replace(world.site_document, clauses=clauses)
    own = world.tools.recipes(SITE).publish_site_recipe(
        world.recipe.id(), world.site, Digest(SOME), document
    )
    world.tools.indexing(world.log).follow()
    changed = replace(world, site_document=document, site_recipe=own)
    changed.disclose(DocumentKind.SITE_RECIPE)

    error = refusal(changed, changed.envelope())

    assert error.code == "recipe.departs"
    assert error.detail["path"] == "/material/polymer"


def test_site_recipe_with_another_number_of_clauses_departs(world: World) -> None:
    document = replace(world.site_document, clauses=world.site_document.clauses[:-1])
    own = world.tools.recipes(SITE).publish_site_recipe(
        world.recipe.id(), world.site, Digest(SOME), document
    )
    world.tools.indexing(world.log).follow()
    changed = replace(world, site_document=document, site_recipe=own)
    changed.disclose(DocumentKind.SITE_RECIPE)

    error = refusal(changed, changed.envelope())

    assert error.code == "recipe.departs"
    assert "leaf 4" in error.message


def setting(path: str, value: str, unit: str | None = None) -> Change:
    def change(_world: World, statement: BuildStatement) -> BuildStatement:
        one = Setting(path=ClausePath(path), value=value, unit=unit)
        return replace(statement, settings=(one,))

    return change


@pytest.mark.parametrize(
    "change",
    [
        setting("/process/layer_height", "0.37", "mm"),
        setting("/process/layer_height", "370", "um"),
        setting("/process/layer_height", "0.36", "Cel"),
        setting("/process/unheard_of", "1", "mm"),
    ],
)
def test_setting_outside_the_sites_recipe_is_refused(world: World, change: Change) -> None:
    assert code(world, change(world, world.statement())) == "recipe.settingOutside"


@pytest.mark.parametrize("path", ["/process/layer_height", "/process/nozzle"])
def test_process_clause_that_no_setting_answers_is_named(world: World, path: str) -> None:
    statement = world.statement()
    kept = tuple(one for one in statement.settings if one.path != path)

    error = refusal(world, world.sign(replace(statement, settings=kept)))

    assert (error.code, error.exit_code) == ("recipe.settingMissing", 15)
    assert error.detail == {"path": path}


def test_recipe_with_a_hidden_process_clause_is_refused() -> None:
    world = make_world()
    world.disclose(DocumentKind.TERMS, DocumentKind.RECIPE)
    clauses = world.site_document.clauses
    shown = disclose(clauses, [one.path for one in clauses if one.path != "/process/nozzle"])
    world.tools.disclosing.receive(DocumentKind.SITE_RECIPE, world.site_recipe, clauses_body(shown))

    error = refusal(world, world.envelope())

    assert (error.code, error.exit_code) == ("recipe.settingWithheld", 23)


@pytest.mark.parametrize(
    ("label", "expected"),
    [
        (PREFIX + "9", None),
        (PREFIX.replace("/id/", "/id/abc") + "9", "label.otherOperator"),
        (PREFIX.replace("/id/", "/parts/id/") + "9", "label.malformedLink"),
    ],
)
def test_label_is_of_the_logs_operator(world: World, label: str, expected: str | None) -> None:
    (answer,) = send(world, world.sign(replace(world.statement(), label=label)))

    assert (answer.error.code if answer.error else None) == expected


def measured(value: str, unit: str = "mm", instrument: str | None = None) -> Change:
    def change(_world: World, statement: BuildStatement) -> BuildStatement:
        (one,) = statement.measurements
        other = replace(one, value=value, unit=unit, instrument=instrument or one.instrument)
        return replace(statement, measurements=(other,))

    return change


def test_statement_without_settings_is_refused(world: World) -> None:
    statement = replace(world.statement(), settings=())

    assert code(world, statement) == "recipe.settingsNotRecorded"


@pytest.mark.parametrize(
    ("ahead", "expected"), [(CLOCK_TOLERANCE, None), (CLOCK_TOLERANCE + 1, "machine.clockAhead")]
)
def test_machines_clock_may_be_a_little_ahead(
    world: World, ahead: int, expected: str | None
) -> None:
    with world.tools.store.reading() as view:
        cursor = view.facts.cursor()
    assert cursor is not None
    run = replace(world.statement().run, finished_on=cursor.time + ahead)

    (answer,) = send(world, world.sign(replace(world.statement(), run=run)))

    assert (answer.error.code if answer.error else None) == expected


def test_characteristic_is_measured_once(world: World) -> None:
    statement = world.statement()

    with pytest.raises(MalformedStatementError, match="A measurement is given twice"):
        replace(statement, measurements=statement.measurements * 2)


@pytest.mark.parametrize("value", ["22.00", "22.40"])
def test_tolerance_admits_its_own_bounds(world: World, value: str) -> None:
    (answer,) = send(world, world.sign(measured(value)(world, world.statement())))

    assert answer.error is None


@pytest.mark.parametrize(("value", "unit"), [("21.99", "mm"), ("22.41", "mm"), ("22.20", "cm")])
def test_value_outside_its_tolerance_is_refused(world: World, value: str, unit: str) -> None:
    assert code(world, measured(value, unit)(world, world.statement())) == (
        "recipe.toleranceExceeded"
    )


def test_unmeasured_tolerance_is_refused(world: World) -> None:
    statement = replace(world.statement(), measurements=())

    error = refusal(world, world.sign(statement))

    assert error.code == "recipe.measurementMissing"
    assert error.detail == {"path": "/tolerance/bore"}


def test_instrument_must_be_a_registered_machine(world: World) -> None:
    names = ["caliper", to_hex(SOME), to_hex(world.site)]

    codes = [
        code(world, measured("22.20", instrument=name)(world, world.statement())) for name in names
    ]

    assert codes == ["measurement.instrumentUnknown"] * 3


def test_instrument_is_registered_before_the_beacon(world: World) -> None:
    def registered(since: int) -> None:
        with world.tools.store.writing() as work:
            (gauge,) = [one for one in work.facts.each(IdentityFact) if one.id == world.instrument]
            work.facts.put(replace(gauge, since=since))

    registered(world.beacon.time)
    (at_beacon,) = send(world, world.envelope(1))
    registered(world.beacon.time + 1)

    assert at_beacon.error is None
    assert code(world, world.statement(2)) == "measurement.instrumentTooNew"


def test_salt_is_never_the_same_twice(world: World) -> None:
    send(world, world.envelope(1), world.envelope(2))

    first, second = (queued.salt for queued in world.tools.store.queued())

    assert len(first) == len(second) == 32
    assert first != second


def refused_draw(world: World, number: int = 1) -> bytes:
    """Let an accepted envelope come to a position whose draw gets nothing."""
    envelope = world.envelope(number)
    assert send(world, envelope)[0].reception is Reception.ACCEPTED
    lane = world.tools.chain.lanes[world.lane]
    end, lane.end = lane.end, lane.next
    line = world.tools.line(world.log)
    line.step()
    line.step()
    lane.end = end
    with world.tools.store.reading() as view:
        build = view.log.build(sha256(envelope))
    assert build is not None
    assert (build.state, build.code) == (BuildState.REFUSED, "license.drawRefused")
    return envelope


def in_place_of(world: World, old: bytes, number: int = 1) -> bytes:
    return world.sign(replace(world.statement(number), replaces=sha256(old)))


def test_after_a_refused_draw_the_same_envelope_may_come_again(world: World) -> None:
    envelope = refused_draw(world)

    (again,) = send(world, envelope)

    assert again.reception is Reception.ACCEPTED


def test_after_a_refused_draw_a_new_envelope_names_the_old_one(world: World) -> None:
    old = refused_draw(world)

    assert refusal(world, world.envelope(1)).code == "statement.replacesMissing"
    (answer,) = send(world, in_place_of(world, old))
    assert answer.reception is Reception.ACCEPTED


def test_a_replacement_may_be_replaced_in_its_turn(world: World) -> None:
    old = refused_draw(world)
    second = in_place_of(world, old)
    send(world, second)
    lane = world.tools.chain.lanes[world.lane]
    lane.end = lane.next
    line = world.tools.line(world.log)
    line.step()
    line.step()
    lane.end = lane.next + 1

    answers = [send(world, in_place_of(world, one))[0] for one in (second, old)]

    assert [answer.reception for answer in answers] == [Reception.ACCEPTED, Reception.REFUSED]


def test_what_was_accepted_cannot_be_replaced(world: World) -> None:
    envelope = world.envelope(1)
    send(world, envelope)

    error = refusal(world, in_place_of(world, envelope))

    assert error.code == "statement.replacesStanding"


def test_a_replacement_has_the_counter_of_what_it_replaces(world: World) -> None:
    old = refused_draw(world)

    error = refusal(world, in_place_of(world, old, number=2))

    assert error.code == "statement.replacesOther"


def test_what_this_node_never_saw_may_be_replaced(world: World) -> None:
    (answer,) = send(world, in_place_of(world, b"sent to another log"))

    assert answer.reception is Reception.ACCEPTED


def test_two_replacements_of_one_envelope_do_not_both_count(world: World) -> None:
    old = refused_draw(world)
    answers = send(world, in_place_of(world, old), in_place_of(world, old))

    assert [answer.reception for answer in answers] == [Reception.ACCEPTED, Reception.REFUSED]
    assert answers[1].error is not None
    assert answers[1].error.code == "machine.counterReused"


def test_a_replacement_of_an_item_of_its_own_request_has_its_counter_too(world: World) -> None:
    first = world.envelope(1)

    answers = send(world, first, in_place_of(world, first, number=2))

    codes = [answer.error and answer.error.code for answer in answers]
    assert codes == [None, "statement.replacesOther"]


def as_scrap(world: World, number: int = 1, unit: int = 1) -> BuildStatement:
    statement = world.statement(number)
    named = replace(statement, external=replace(statement.external, unit=UnitNumber(unit)))
    return world.tools.builds.scrapped(named, "the first layer came off")


def test_scrap_is_entered_as_scrap_and_draws_its_unit(world: World) -> None:
    (answer,) = send(world, world.sign(as_scrap(world)))

    assert answer.reception is Reception.ACCEPTED
    (queued,) = world.tools.store.queued()
    with world.tools.store.reading() as view:
        assert view.log.claimed_units(world.lane) == 1
        assert view.log.last_counter(world.machine) == queued.counter
    assert queued.entry.kind is EntryKind.SCRAP


def test_scrap_may_have_settings_and_values_out_of_bounds_and_fills_a_lost_number(
    world: World,
) -> None:
    send(world, world.sign(setting("/process/nozzle", "9", "mm")(world, as_scrap(world))))

    assert [one.error for one in send(world, naming(world, 2, 2))] == [None]


def test_scrap_needs_the_same_rights_as_a_build(world: World) -> None:
    assert code(world, external(lane=LaneNumber(99))(world, as_scrap(world))) == "license.unknown"
    assert code(world, as_scrap(world, unit=2)) == "license.unitMismatch"


def test_scrap_takes_counter_and_label(world: World) -> None:
    statement = as_scrap(world)
    send(world, world.sign(statement))

    assert code(world, world.statement(1)) == "machine.counterReused"
    assert code(world, replace(world.statement(2), label=statement.label)) == "label.taken"


def test_scrap_and_builds_of_one_job_are_examined_each(world: World) -> None:
    bad = measured("99")(world, world.statement(2))

    first, second = send(world, world.sign(as_scrap(world)), world.sign(bad))

    assert first.error is None
    assert second.error is not None
    assert second.error.code == "recipe.toleranceExceeded"


def test_scrap_stands_in_for_a_refused_envelope(world: World) -> None:
    old = refused_draw(world)
    said = replace(world.tools.builds.scrapped(world.statement(), "lost"), replaces=sha256(old))

    assert [one.error for one in send(world, world.sign(said))] == [None]


def test_room_that_ends_within_a_request_refuses_what_comes_after(world: World) -> None:
    answers = send(world, *(world.envelope(number) for number in range(1, UNITS + 3)))

    codes = [answer.error and answer.error.code for answer in answers]
    assert codes == [None] * UNITS + ["license.quotaExceeded"] * 2
    assert answers[-1].error is not None
    assert answers[-1].error.detail["left"] == 0
