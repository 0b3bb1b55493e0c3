"""What actors do in their own names: identities, logs, designs, recipes, licenses, parts."""

import json
from dataclasses import replace
from io import BytesIO

import pytest

from fakes.keys import MemoryKeyStore, signing_key
from fakes.store import MemoryNodeStore
from fakes.world import (
    DESIGNER,
    ISSUER,
    MACHINE,
    MAKER,
    OPERATOR,
    RECIPE,
    SITE,
    WRITER,
    Tools,
    World,
    make_world,
)
from guildmark.domain.builds.dsse import Envelope
from guildmark.domain.builds.predicate import KeyHolder
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.eip712 import licenses_domain, parts_domain, supersede_hash, void_hash
from guildmark.domain.chain.facts import (
    DesignFact,
    IdentityFact,
    KeyFact,
    LaneFact,
    RecipeFact,
    RevisionFact,
)
from guildmark.domain.chain.refusals import CallerRefusedError, DesignUnknownError, RecipeStepError
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import MalformedError
from guildmark.domain.identifiers import (
    Address,
    Bytes32,
    DesignId,
    Digest,
    IdentityId,
    Index,
    PartId,
    RecipeId,
    to_hex,
)
from guildmark.domain.identity.identity import ClaimDocument, IdentityKind, profile_digest
from guildmark.domain.identity.lei import WrongLeiCheckDigitsError
from guildmark.domain.recipes.differing import ChangeUnderstatedError
from guildmark.domain.recipes.recipe import Change, Recipe, Status
from guildmark.domain.rights.fileset import FileNameError, MalformedManifestError, Manifest
from guildmark.domain.rights.lawful import CountryUnknownError
from guildmark.domain.signatures import recover_address
from guildmark.ports.chain import Call, TransactionState
from guildmark.ports.keys import KeyAlgorithm, KeyName, KeyPurposeError
from guildmark.ports.store import DocumentKind
from guildmark.services.builds.builds import signing_key as key_to_register
from guildmark.services.index.projection import known
from guildmark.services.recipes.recipes import RecipeDocumentUnknownError
from guildmark.services.rights.designs import (
    DesignFilesUnknownError,
    EmptyFileError,
    SourceFile,
)


@pytest.fixture
def tools() -> Tools:
    return Tools()


def names_sent(tools: Tools) -> list[str]:
    """Return what effects are called, without the account in front."""
    return [sent.partition(":")[2] for sent in tools.outbox.sent]


def test_profile_is_kept_here_and_committed_to_there(tools: Tools) -> None:
    identity = tools.identities(MAKER).register(IdentityKind.ORGANIZATION, {"name": "M"})
    tools.indexing().follow()

    with tools.store.reading() as view:
        body = view.documents.get(DocumentKind.PROFILE, identity)
        fact = known(view.facts, IdentityFact, identity)
    assert body is not None
    salt = Bytes32(bytes.fromhex(str(parse_object(body)["salt"])[2:]))
    assert fact.profile == profile_digest({"name": "M"}, salt)


def test_profile_in_no_country_is_not_sent(tools: Tools) -> None:
    with pytest.raises(CountryUnknownError, match=r"'pt' is no country of ISO 3166-1\."):
        tools.identities(MAKER).register(IdentityKind.SITE, {"name": "S", "country": "pt"})

    assert names_sent(tools) == []
    tools.identities(MAKER).register(IdentityKind.SITE, {"name": "S", "country": "PT"})
    assert len(names_sent(tools)) == 1


def profile_shown(tools: Tools, identity: IdentityId) -> bytes | None:
    tools.indexing().follow()
    with tools.store.reading() as view:
        return view.documents.get(DocumentKind.PROFILE, identity)


def test_changed_profile_is_the_one_on_chain(tools: Tools) -> None:
    own = tools.identities(MAKER)
    identity = own.register(IdentityKind.ORGANIZATION, {"name": "M"})

    with pytest.raises(CountryUnknownError):
        own.change_profile(identity, {"name": "M & Filhos", "country": "pt"})
    own.change_profile(identity, {"name": "M & Filhos", "country": "PT"})

    body = profile_shown(tools, identity)
    assert body is not None
    assert parse_object(body)["name"] == "M & Filhos"
    # The check compares it with the digest on chain.
    tools.disclosing.receive(DocumentKind.PROFILE, identity, body)


def test_profile_that_a_stranger_writes_changes_nothing(tools: Tools) -> None:
    identity = tools.identities(MAKER).register(IdentityKind.ORGANIZATION, {"name": "M"})
    before = profile_shown(tools, identity)

    with pytest.raises(CallerRefusedError):
        tools.identities(SITE).change_profile(identity, {"name": "S"})

    assert profile_shown(tools, identity) == before


def test_profile_that_stands_late_is_found_by_the_index(tools: Tools) -> None:
    own = tools.identities(MAKER)
    identity = own.register(IdentityKind.ORGANIZATION, {"name": "M"})
    tools.indexing().follow()
    before = profile_shown(tools, identity)
    own.change_profile(identity, {"name": "N"})
    assert before is not None
    with tools.store.writing() as work:
        work.documents.put(DocumentKind.PROFILE, identity, before)

    body = profile_shown(tools, identity)

    assert body is not None
    assert parse_object(body)["name"] == "N"


def test_profile_that_another_home_wrote_is_not_known(tools: Tools) -> None:
    own = tools.identities(MAKER)
    identity = own.register(IdentityKind.ORGANIZATION, {"name": "M"})
    before = profile_shown(tools, identity)

    replace(own, store=MemoryNodeStore()).change_profile(identity, {"name": "N"})

    assert profile_shown(tools, identity) == before


def test_two_registrations_are_two_identities(tools: Tools) -> None:
    own = tools.identities(MAKER)

    made = {own.register(IdentityKind.SITE, {"name": "S"}) for _ in range(2)}

    assert len(made) == 2


def test_only_the_controller_links(tools: Tools) -> None:
    maker = tools.identities(MAKER).register(IdentityKind.ORGANIZATION, {"name": "M"})
    site = tools.identities(SITE).register(IdentityKind.SITE, {"name": "S"})

    with pytest.raises(CallerRefusedError):
        tools.identities(MAKER).request_link(site, maker)
    with pytest.raises(CallerRefusedError):
        tools.identities(SITE).accept_link(site, maker)


def test_identifier_with_wrong_check_digits_is_not_sent(tools: Tools) -> None:
    issuer = tools.identities(ISSUER).register(IdentityKind.AUTHORITY, {"name": "I"})
    sent = names_sent(tools)
    document = ClaimDocument(scheme="LEI", value="9999EXAMPLE000000100", salt=Bytes32(bytes(32)))

    with pytest.raises(WrongLeiCheckDigitsError):
        tools.identities(ISSUER).claim(issuer, issuer, document)

    assert names_sent(tools) == sent


def test_claim_has_the_id_of_its_document(tools: Tools) -> None:
    issuer = tools.identities(ISSUER).register(IdentityKind.AUTHORITY, {"name": "I"})
    document = ClaimDocument(scheme="BPN", value="BPNL00000003AYRE", salt=Bytes32(bytes(32)))

    made = tools.identities(ISSUER).claim(issuer, issuer, document)

    assert made == document.claim_id(issuer=issuer, subject=issuer)


def test_revoked_claim_is_sent_once(tools: Tools) -> None:
    issuer = tools.identities(ISSUER).register(IdentityKind.AUTHORITY, {"name": "I"})
    document = ClaimDocument(scheme="BPN", value="BPNL00000003AYRE", salt=Bytes32(bytes(32)))
    made = tools.identities(ISSUER).claim(issuer, issuer, document)

    for _ in range(2):
        tools.identities(ISSUER).revoke_claim(issuer, made)

    events = [event for event in tools.chain.log if event.name == "ClaimRevoked"]
    assert [event.args["claim"] for event in events] == [made]


def test_notice_doubts_a_key_from_a_time(tools: Tools) -> None:
    world = make_world(tools)
    with tools.store.reading() as view:
        (key,) = view.facts.each(KeyFact)

    tools.identities(SITE).give_notice(world.machine, key.id, suspected_from=7)
    tools.indexing().follow()

    with tools.store.reading() as view:
        doubted = known(view.facts, KeyFact, key.id)
    assert (doubted.notice_at, doubted.suspected_from) == (tools.chain.now, 7)


def test_call_under_one_name_is_sent_once(tools: Tools) -> None:
    account = tools.account(MAKER)

    calls = [account.call(ContractName.LOG, "tick", once="first") for _ in range(2)]

    assert calls[0].event("RecordAppended") == calls[1].event("RecordAppended")
    assert names_sent(tools) == ["log.tick:first"]


def test_two_accounts_of_a_home_call_the_same_under_one_name(tools: Tools) -> None:
    calls = [
        tools.account(who).call(ContractName.LOG, "tick", once="first") for who in (MAKER, SITE)
    ]

    assert calls[0].event("RecordAppended") != calls[1].event("RecordAppended")
    assert names_sent(tools) == ["log.tick:first", "log.tick:first"]


def test_call_that_an_earlier_release_sent_is_not_sent_again(tools: Tools) -> None:
    account = tools.account(MAKER)
    call = Call(contract=ContractName.LOG, function="tick")
    tools.outbox.submit(call, key=account.key, idempotency="log.tick:first")

    account.call(ContractName.LOG, "tick", once="first")
    tools.account(SITE).call(ContractName.LOG, "tick", once="first")

    own = f"{to_hex(tools.account(SITE).address)}:log.tick:first"
    assert list(tools.outbox.sent) == ["log.tick:first", own]


def test_call_waits_for_finality(tools: Tools) -> None:
    status = tools.account(MAKER).call(ContractName.LOG, "tick", once="first")

    assert status.state is TransactionState.FINAL
    assert status.event("RecordAppended").args["log"] == 0


def test_log_is_opened_by_the_operators_controller(tools: Tools) -> None:
    operator = tools.identities(OPERATOR).register(IdentityKind.ORGANIZATION, {"name": "O"})

    with pytest.raises(CallerRefusedError):
        tools.logs(MAKER).open(operator, tools.keys.address(KeyName(WRITER)))
    numbers = [
        tools.logs(OPERATOR).open(operator, tools.keys.address(KeyName(WRITER)), continues=before)
        for before in (0, 1)
    ]

    assert numbers == [1, 2]


def test_same_writer_can_be_set_again_later(tools: Tools) -> None:
    operator = tools.identities(OPERATOR).register(IdentityKind.ORGANIZATION, {"name": "O"})
    logs = tools.logs(OPERATOR)
    first, second = (tools.keys.address(KeyName(name)) for name in (WRITER, OPERATOR))
    log = logs.open(operator, first)

    for writer in (second, first):
        logs.set_writer(log, writer)

    assert tools.chain.heads[log].writer == first


def source(name: str, content: bytes) -> SourceFile:
    return SourceFile(name=name, media_type="model/stl", content=BytesIO(content))


def test_registered_design_commits_to_its_files(tools: Tools) -> None:
    designs = tools.designs(DESIGNER)

    design = designs.register([source("a.stl", b"one"), source("b.stl", b"two")])

    sealed = designs.files(design)
    manifest = Manifest.parse(sealed.manifest)
    assert [file.name for file in manifest.files] == ["a.stl", "b.stl"]
    assert [file.digest for file in manifest.files] == [sha256(b"one"), sha256(b"two")]
    assert len(set(sealed.keys)) == 2


def test_design_on_chain_is_the_committed_one(tools: Tools) -> None:
    design = tools.designs(DESIGNER).register([source("a.stl", b"one")])
    tools.indexing().follow()

    names = [event.name for event in tools.chain.log if event.contract is ContractName.DESIGNS]
    with tools.store.reading() as view:
        fact = known(view.facts, DesignFact, design)
    assert names == ["DesignCommitted", "DesignRegistered", "RevisionPublished", "Transfer"]
    assert fact.owner == tools.keys.address(KeyName(DESIGNER))


def test_stored_files_are_not_the_plain_ones(tools: Tools) -> None:
    tools.designs(DESIGNER).register([source("a.stl", b"a secret shape")])

    stored = b"".join(tools.vault.content.files.values())

    assert b"secret" not in stored
    assert b"a.stl" not in stored


def test_empty_file_registers_and_stores_nothing(tools: Tools) -> None:
    designs, files = tools.designs(DESIGNER), [source("a.stl", b"one"), source("b.stl", b"")]

    with pytest.raises(EmptyFileError, match=r"^The file b.stl is empty\.$") as refused:
        designs.register(files)
    design = designs.register([source("b.stl", b"x")])
    stored = len(tools.vault.content.files)
    with pytest.raises(EmptyFileError):
        designs.revise(design, files)

    assert refused.value.code == "design.fileEmpty"
    assert len(tools.vault.content.files) == stored
    assert names_sent(tools) == [f"designs.{act}:{design.hex()}" for act in ("commit", "register")]


@pytest.mark.parametrize("name", ["../a.stl", "a/b.stl", "", ".hidden", "a\0b", "ä.stl", "x" * 101])
def test_name_that_leads_elsewhere_registers_nothing(tools: Tools, name: str) -> None:
    with pytest.raises(FileNameError) as caught:
        tools.designs(DESIGNER).register([source(name, b"one")])

    assert caught.value.code == "design.fileNameInvalid"
    assert names_sent(tools) == []


@pytest.mark.parametrize("names", [[], ["a.stl", "a.stl"]])
def test_set_without_files_or_with_a_name_twice_is_refused(tools: Tools, names: list[str]) -> None:
    with pytest.raises(MalformedManifestError) as caught:
        tools.designs(DESIGNER).register([source(name, b"one") for name in names])

    assert caught.value.code == "design.manifestMalformed"
    assert names_sent(tools) == []


def test_next_revision_has_files_of_its_own(tools: Tools) -> None:
    designs = tools.designs(DESIGNER)
    design = designs.register([source("a.stl", b"one")])
    other = designs.register([source("c.stl", b"three")])

    number = designs.revise(
        design, [source("b.stl", b"two")], derived_from=[(design, 1), (other, 1)]
    )

    tools.indexing().follow()
    with tools.store.reading() as view:
        first, second = (known(view.facts, RevisionFact, design, n).revision for n in (1, 2))
        origin = known(view.facts, RevisionFact, other, 1).revision
    assert number == 2
    assert second.derived_from == (first.digest(), origin.digest())
    assert (
        tools.chain.read(
            Call(contract=ContractName.DESIGNS, function="revisionDigest", args=(design, 2))
        )
        == second.digest()
    )
    for shown, named in [(None, "b.stl"), (2, "b.stl"), (1, "a.stl")]:
        manifest = Manifest.parse(designs.files(design, shown).manifest)
        assert [file.name for file in manifest.files] == [named]


def test_revision_of_a_stranger_changes_nothing(tools: Tools) -> None:
    design = tools.designs(DESIGNER).register([source("a.stl", b"one")])

    with pytest.raises(CallerRefusedError):
        tools.designs(MAKER).revise(design, [source("b.stl", b"two")])

    tools.indexing().follow()
    manifest = Manifest.parse(tools.designs(DESIGNER).files(design).manifest)
    assert [file.name for file in manifest.files] == ["a.stl"]


def test_revision_builds_on_published_ones_alone(tools: Tools) -> None:
    design = tools.designs(DESIGNER).register([source("a.stl", b"one")])
    sent = names_sent(tools)

    with pytest.raises(DesignUnknownError) as caught:
        tools.designs(DESIGNER).revise(
            design, [source("b.stl", b"two")], derived_from=[(design, 2)]
        )

    assert caught.value.code == "design.unknown"
    assert names_sent(tools) == sent


def test_files_of_a_revision_that_another_home_published_are_unknown(tools: Tools) -> None:
    designs = tools.designs(DESIGNER)
    design = designs.register([source("a.stl", b"one")])
    replace(designs, store=MemoryNodeStore()).revise(design, [source("b.stl", b"two")])
    tools.indexing().follow()

    with pytest.raises(DesignFilesUnknownError):
        designs.files(design)
    assert Manifest.parse(designs.files(design, 1).manifest).files[0].name == "a.stl"


def test_files_of_another_home_are_unknown(tools: Tools) -> None:
    with pytest.raises(DesignFilesUnknownError) as caught:
        tools.designs(DESIGNER).files(DesignId(sha256(b"elsewhere")))

    assert caught.value.code == "design.filesUnknown"


DRAFT = canonical(
    {
        "name": "Bracket",
        "clauses": [
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
        ],
    }
)


def test_drafted_recipe_has_fresh_salts(tools: Tools) -> None:
    recipes = tools.recipes(DESIGNER)

    first, second = recipes.draft(DRAFT), recipes.draft(DRAFT)

    salts = {clause.salt for document in (first, second) for clause in document.clauses}
    assert len(salts) == 4
    assert first.root() != second.root()


def test_clauses_that_do_not_change_keep_their_salts(tools: Tools) -> None:
    recipes = tools.recipes(DESIGNER)
    old = recipes.draft(DRAFT)
    recipe = Recipe(root=old.root(), design=DesignId(sha256(b"design")), revision=1)
    published = recipes.publish(recipe, old, status=Status.TRIAL)
    changed = json.loads(DRAFT)
    changed["clauses"][0]["value"] = "PLA"
    changed["clauses"].append({**changed["clauses"][0], "path": "/safety/mask"})

    new = recipes.draft(json.dumps(changed).encode(), supersedes=published)
    unknown = recipes.draft(DRAFT, supersedes=RecipeId(sha256(b"unknown")))

    kept = {clause.salt for clause in old.clauses}
    assert [clause.salt in kept for clause in new.clauses] == [False, True, False]
    assert new.clauses[1].leaf_data() == old.clauses[1].leaf_data()
    assert not kept & {clause.salt for clause in unknown.clauses}


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b'{"name": "x", "clauses": [1]}', "document.memberInvalid"),
        (b'{"name": "x", "clauses": [], "more": 1}', "clause.malformedTree"),
        (b'{"clauses": []}', "document.memberMissing"),
    ],
)
def test_draft_that_is_no_recipe_is_refused(tools: Tools, data: bytes, code: str) -> None:
    with pytest.raises(MalformedError) as caught:
        tools.recipes(DESIGNER).draft(data)

    assert caught.value.code == code


def test_a_change_is_compared_with_the_recipe_that_this_home_knows(tools: Tools) -> None:
    recipe = Recipe(root=RECIPE.root(), design=DesignId(sha256(b"design")), revision=1)
    recipes = tools.recipes(DESIGNER)
    published = recipes.publish(recipe, RECIPE, status=Status.TRIAL)
    less = replace(RECIPE, clauses=RECIPE.clauses[:1])

    assert recipes.check_change(published, RECIPE, Change.EDITORIAL)
    assert not recipes.check_change(RecipeId(sha256(b"elsewhere")), less, Change.EDITORIAL)
    with pytest.raises(ChangeUnderstatedError):
        recipes.check_change(published, less, Change.MINOR)


def test_published_recipe_is_kept_in_full(tools: Tools) -> None:
    recipe = Recipe(root=RECIPE.root(), design=DesignId(sha256(b"design")), revision=1)

    published = tools.recipes(DESIGNER).publish(recipe, RECIPE, status=Status.TRIAL)
    tools.indexing().follow()

    assert tools.recipes(DESIGNER).document(published) == RECIPE
    with tools.store.reading() as view:
        assert known(view.facts, RecipeFact, published).status == Status.TRIAL


def test_status_of_a_recipe_moves_to_and_fro(tools: Tools) -> None:
    recipe = Recipe(root=RECIPE.root(), design=DesignId(sha256(b"design")), revision=1)
    recipes = tools.recipes(DESIGNER)
    published = recipes.publish(recipe, RECIPE, status=Status.TRIAL)
    steps = (Status.QUALIFIED, Status.SUSPENDED, Status.QUALIFIED, Status.RETIRED)

    for status in steps:
        recipes.set_status(published, status)
    with pytest.raises(RecipeStepError):
        recipes.set_status(published, Status.QUALIFIED)

    tools.indexing().follow()
    with tools.store.reading() as view:
        fact = known(view.facts, RecipeFact, published)
    assert (fact.status, fact.steps) == (Status.RETIRED, 5)


def test_recipe_of_another_home_is_unknown(tools: Tools) -> None:
    with pytest.raises(RecipeDocumentUnknownError) as caught:
        tools.recipes(DESIGNER).document(RecipeId(sha256(b"elsewhere")))

    assert caught.value.code == "recipe.documentUnknown"


def test_site_recipe_differs_in_what_the_site_chose(tools: Tools) -> None:
    document = tools.recipes(SITE).derive(RECIPE, {"/process/layer_height": "0.31"}, name="S")

    changed = [
        ours.path
        for theirs, ours in zip(RECIPE.clauses, document.clauses, strict=True)
        if theirs != ours
    ]
    assert changed == ["/process/layer_height"]


def test_license_id_is_what_the_owner_signs() -> None:
    world = make_world()
    pin = world.tools.chain.pin()
    domain = licenses_domain(
        chain_id=pin.chain_id, contract=pin.contracts[ContractName.LICENSES].address
    )

    signed = world.tools.licenses(DESIGNER).sign(world.terms, licensor=KeyName(DESIGNER))

    assert signed.id == world.terms.license_id(domain)
    owner = recover_address(Digest(signed.id), signed.signature)
    assert owner == world.tools.keys.address(KeyName(DESIGNER))


def test_lane_is_cut_by_its_holder_only() -> None:
    world = make_world()
    with world.tools.store.reading() as view:
        lane = known(view.facts, LaneFact, world.lane)

    with pytest.raises(CallerRefusedError):
        world.tools.licenses(MAKER).split(lane, 1, log=world.log, to=world.site)


def test_envelope_is_signed_by_the_machines_key() -> None:
    world = make_world()
    statement = world.statement()

    envelope = Envelope.parse(world.sign(statement))

    key = signing_key(world.tools.keys, MACHINE)
    with world.tools.store.reading() as view:
        (registered,) = view.facts.each(KeyFact)
    assert envelope.verify({registered.id: key.verify}) == (registered.id,)
    said = replace(statement, key_holder=KeyHolder.FILE)
    assert BuildStatement.parse(envelope.payload) == said


def test_statement_names_design_job_and_settings() -> None:
    statement = make_world().statement()

    assert [resource.name for resource in statement.resolved] == ["design", "job", "settings"]
    assert statement.simulated


def test_key_that_opens_cannot_be_a_machines() -> None:
    keys = MemoryKeyStore()
    keys.create(KeyName("packages"), KeyAlgorithm.X25519)

    with pytest.raises(KeyPurposeError):
        key_to_register(keys, KeyName("packages"))


@pytest.fixture
def logged() -> World:
    world = make_world()
    world.disclose()
    world.tools.ingest(world.log).receive([world.envelope(1)])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    return world


def test_part_becomes_a_token_of_the_buyer(logged: World) -> None:
    core = logged.tools.exporter.evidence(logged.log, Index(0)).core
    buyer = Address(b"\5" * 20)

    status = logged.tools.parts(SITE).materialise(core, to=buyer)

    made = status.event("PartMaterialised").args
    assert made["to"] == buyer
    assert made["part"] == logged.log << 64
    assert made["entry"][1] == core.entry.subject


def test_part_is_replaced_by_a_later_entry(logged: World) -> None:
    core = logged.tools.exporter.evidence(logged.log, Index(0)).core
    parts = logged.tools.parts(SITE)
    signature = parts.agree(core, Index(7), key=KeyName(WRITER))

    status = parts.supersede(core, Index(7), writer_signature=signature)

    said = status.event("PartSuperseded").args
    assert (said["part"], said["byIndex"]) == (logged.log << 64, 7)


@pytest.mark.parametrize("by", [None, Index(7)])
def test_who_agrees_signs_for_this_part_alone(by: Index | None, logged: World) -> None:
    core = logged.tools.exporter.evidence(logged.log, Index(0)).core

    signature = logged.tools.parts(SITE).agree(core, by, key=KeyName(WRITER))

    pin = logged.tools.chain.pin()
    part = PartId(
        chain_id=pin.chain_id,
        build_log=pin.contracts[ContractName.LOG].address,
        log=logged.log,
        index=Index(0),
    )
    registry = pin.contracts[ContractName.PARTS].address
    said = void_hash(part) if by is None else supersede_hash(part, by)
    digest = parts_domain(chain_id=pin.chain_id, contract=registry).digest(said)
    assert recover_address(digest, signature) == logged.tools.keys.address(KeyName(WRITER))


def test_part_is_declared_void(logged: World) -> None:
    core = logged.tools.exporter.evidence(logged.log, Index(0)).core

    status = logged.tools.parts(SITE).void(core)

    assert status.event("PartVoided").args["part"] == logged.log << 64
