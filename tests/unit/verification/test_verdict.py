"""The verdict as a whole: headline, parties, notes, and what is asked of the chain."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from fakes import simulator as sim
from fakes.cases import CASES
from fakes.cases.key import KEY
from fakes.simulator import (
    DESIGN,
    DESIGNER,
    HOST,
    ISSUER,
    LABEL,
    LOG,
    LOGGED,
    LOOKED,
    MAKER,
    OPERATOR,
    OWNER,
    SITE,
    Simulator,
)
from guildmark.domain.builds.predicate import CLOCK_TOLERANCE, Resource, SignerRole
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ChainClass, ContractName
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.identifiers import (
    ZERO32,
    Address,
    ChainId,
    DesignId,
    Digest,
    IdentityId,
    Index,
    to_hex,
)
from guildmark.domain.identity.identity import IdentityKind, controller_target, profile_digest
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.recipes.clauses import Disclosure
from guildmark.domain.trust import Listed, Policy
from guildmark.domain.verification.case import Case, Question, Sighting
from guildmark.domain.verification.checks.recipe import settings_digest
from guildmark.domain.verification.evidence import ControllersDisclosure, ProfileDisclosure
from guildmark.domain.verification.naming import parties
from guildmark.domain.verification.report import Party, Report, State, Verdict
from guildmark.domain.verification.state import Unproven
from guildmark.domain.verification.times import as_time
from guildmark.domain.verification.verdict import CHECKS, verify_evidence


def judge(simulator: Simulator, question: Question | None = None, **trust: Any) -> Report:
    given = replace(simulator.trust(), **trust)
    return verify_evidence(simulator.evidence(), given, question or Question())


def party(report: Report, role: str) -> Party:
    return next(party for party in report.parties if party.role == role)


def test_the_headline_says_when_and_who_signed() -> None:
    report = judge(Simulator())

    assert report.headline == "Verified as of 1970-01-01T00:36:40Z, signed by the machine."
    assert report.as_of is not None
    assert (report.as_of.block, report.as_of.time) == (77, LOOKED)


def test_a_local_chain_gives_no_more_than_its_own_words() -> None:
    report = judge(Simulator(pin=sim.make_pin(ChainClass.LOCAL)))

    assert report.verdict is Verdict.VERIFIED
    assert report.headline.startswith("Verified on this node's own chain as of ")


@pytest.mark.parametrize(
    ("role", "words"),
    [(SignerRole.GATEWAY, "a gateway"), (SignerRole.TECHNICIAN, "a technician")],
)
def test_the_headline_says_that_no_machine_signed(role: SignerRole, words: str) -> None:
    report = judge(Simulator(statement={"signer_role": role}))

    assert report.headline.endswith(f", signed by {words}.")


def test_a_list_that_is_not_the_readers_own_is_named() -> None:
    report = judge(Simulator(), Question(list_name="example.org"))

    assert report.headline.endswith(", by the list of example.org.")


def test_a_problem_is_headed_by_its_check() -> None:
    report = judge(Simulator(external={"log": 2}))

    assert report.headline == "Problem found: license and unit."


@pytest.mark.parametrize("name", ["unit_that_became_scrap", "scrap_that_was_logged_as_a_part"])
def test_scrap_is_headed_by_what_it_is(name: str) -> None:
    sealed = next(case for case in CASES if case.name == name).seal()

    report = verify_evidence(sealed.evidence, sealed.trust, sealed.question)

    assert report.headline == "Problem found: this unit is scrap, not a part."
    assert (
        "the first layer came off" in next(one for one in report.checks if one.number == 6).reason
    )


def test_a_replaced_part_is_headed_by_what_replaces_it() -> None:
    sealed = next(case for case in CASES if case.name == "part_is_replaced").seal()

    report = verify_evidence(sealed.evidence, sealed.trust, sealed.question)

    assert report.headline == "Problem found: 1.103 is replaced by 1.113."


def test_what_could_not_be_checked_is_headed_by_its_check() -> None:
    report = judge(Simulator(disclosed={"revision": None}))

    assert report.headline == "Could not check: design revision."


def test_without_a_trust_file_the_evidence_is_consistent_at_best() -> None:
    report = verify_evidence(Simulator().evidence())

    assert (report.verdict, report.exit) == (Verdict.UNTRUSTED, 16)
    assert report.headline == "Consistent, but you have not said whom you trust."


def test_the_part_is_summarised() -> None:
    simulator = Simulator(statement={"simulated": True})

    part = judge(simulator).part

    assert part is not None
    assert (part.log, part.index, part.unit, part.units) == (1, 103, 25, 60)
    assert (part.label, part.signer_role, part.is_simulated) == (LABEL, "machine", True)
    assert part.chain_id == simulator.pin.chain_id
    assert part.build_log == simulator.pin.contracts[ContractName.LOG].address


def test_a_part_without_readable_statement_has_a_place_only() -> None:
    part = judge(Simulator(envelope=b"{}", disclosed={"licenses": ()})).part

    assert part is not None
    assert (part.label, part.index, part.units) == (None, 103, None)


@pytest.mark.parametrize(
    ("change", "who"),
    [
        ({"operators": ()}, "the operator of the log"),
        ({"operators": (Listed(id=OPERATOR, until=LOGGED),)}, "the operator of the log"),
        ({"issuers": ()}, "the maker's issuer"),
        ({"issuers": (Listed(id=ISSUER, until=1_000),)}, "the maker's issuer"),
    ],
)
def test_an_unlisted_party_gives_the_second_verdict(change: dict[str, Any], who: str) -> None:
    report = judge(Simulator(), **change)

    assert (report.verdict, report.exit) == (Verdict.UNTRUSTED, 16)
    assert f", but {who} is not on your trust list." in report.headline


def test_an_issuer_that_was_dropped_later_still_counts() -> None:
    report = judge(Simulator(), issuers=(Listed(id=ISSUER, until=1_001),))

    assert report.exit == 0


PIRATE = 0xBAD
"""An account that no listed organization speaks with."""


def test_a_token_that_was_given_away_after_the_license_names_no_victim() -> None:
    simulator = Simulator()
    simulator.words[storage.DESIGN_OWNERS.at(DESIGN, 0)] = PIRATE
    simulator.words[storage.DESIGN_OWNERS.at(DESIGN, 1)] = sim.as_int(OWNER)

    report = judge(simulator)

    assert party(report, "designOwner").id == ""
    assert (report.verdict is Verdict.VERIFIED, report.exit) == (False, 16)
    assert "the design owner's issuer" in report.headline


def test_an_unlisted_organization_that_licensed_is_named_instead_of_the_victim() -> None:
    simulator = Simulator(disclosed={"owner": SITE})
    simulator.words[storage.DESIGN_OWNERS.at(DESIGN, 0)] = PIRATE
    simulator.words[storage.DESIGN_OWNERS.at(DESIGN, 1)] = sim.as_int(OWNER)
    pirate = Address(PIRATE.to_bytes(20, "big"))
    simulator.words[storage.IDENTITIES.at(SITE)] = sim.identity_word(
        IdentityKind.ORGANIZATION, controller=pirate
    )

    report = judge(simulator)

    assert party(report, "designOwner").id == to_hex(SITE)
    assert report.exit == 16


def test_a_design_that_was_sold_after_the_license_keeps_its_designer() -> None:
    simulator = Simulator()
    simulator.words[storage.DESIGN_OWNERS.at(DESIGN, 1)] = PIRATE

    report = judge(simulator)

    assert party(report, "designOwner").id == to_hex(DESIGNER)
    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)


def test_a_license_of_a_later_owner_names_that_one() -> None:
    simulator = Simulator(terms={"design_epoch": 2})
    simulator.words[storage.DESIGN_OWNERS.at(DESIGN, 0)] = PIRATE
    simulator.words[storage.DESIGN_OWNERS.at(DESIGN, 2)] = sim.as_int(OWNER)

    report = judge(simulator)

    assert party(report, "designOwner").id == to_hex(DESIGNER)
    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)


@pytest.mark.parametrize(("owner", "exit_code"), [(sim.as_int(OWNER), 0), (PIRATE, 16)])
def test_under_other_licenses_the_one_who_signed_the_root_is_named(
    owner: int, exit_code: int
) -> None:
    simulator = Simulator()
    simulator.license_under(8, 9)
    simulator.above[-1].terms["design_epoch"] = 5
    # A license below another names epoch 0, whoever owned the design then.
    simulator.words[storage.DESIGN_OWNERS.at(DESIGN, 0)] = PIRATE
    simulator.words[storage.DESIGN_OWNERS.at(DESIGN, 5)] = owner

    assert judge(simulator).exit == exit_code


def claims_of(*subjects: IdentityId) -> Simulator:
    simulator = Simulator()
    simulator.claims = tuple(sim.claim(each, "LEI", "5299000J2N45DDNE4Y28") for each in subjects)
    return simulator


def test_a_maker_without_claims_gives_the_second_verdict() -> None:
    report = judge(claims_of(DESIGNER))

    assert report.exit == 16
    assert report.headline.endswith(", but no claim about the maker was shown.")
    assert [note for note in report.notes if "`guildmark disclose claim`" in note] == [
        "No valid claim about the maker is in the bundle. Who made one shows it to the log's node, "
        "`guildmark disclose claim`; then ask for the bundle again."
    ]


def test_a_design_owner_without_claims_gives_the_second_verdict() -> None:
    report = judge(claims_of(MAKER))

    assert report.headline.endswith(", but no claim about the design owner was shown.")
    assert "No valid claim about the design owner is in the bundle." in " ".join(report.notes)


def test_where_claims_are_shown_no_note_asks_for_them() -> None:
    report = judge(Simulator(), issuers=())

    assert "`guildmark disclose claim`" not in " ".join(report.notes)


def test_a_revoked_claim_names_nobody() -> None:
    simulator = Simulator()
    revoked = storage.CLAIMS.at(simulator.claims[0].id())
    simulator.words[revoked] = sim.interval_word(1_000, 2_000)

    report = judge(simulator)

    assert report.exit == 16
    assert party(report, "maker").claims == ()


def test_a_claim_without_proof_names_nobody() -> None:
    simulator = Simulator()
    simulator.unproven.add(storage.CLAIMS.at(simulator.claims[0].id()))

    assert party(judge(simulator), "maker").claims == ()


def test_a_claim_whose_issuer_may_be_doubted_counts_for_nobody() -> None:
    simulator = Simulator()
    simulator.unproven.add(storage.NOTICES.at(controller_target(sim.ISSUER, 1), ZERO32))

    report = judge(simulator)

    assert (party(report, "maker").is_listed, report.exit) == (False, 16)
    assert any("is not proven. Ask for a newer bundle." in note for note in report.notes)


def test_a_claim_that_was_never_made_names_nobody() -> None:
    simulator = Simulator()
    simulator.words[storage.CLAIMS.at(simulator.claims[0].id())] = 0

    assert party(judge(simulator), "maker").claims == ()


@pytest.mark.parametrize(
    "change",
    [
        {"disclosed": {"owner": None}},
        {"disclosed": {"owner": MAKER}},
        {"words": {storage.DESIGN_OWNERS.at(DESIGN, 0): 7}},
    ],
)
def test_an_organization_that_did_not_license_the_design_is_not_its_owner(
    change: dict[str, Any],
) -> None:
    report = judge(Simulator(**change))

    assert party(report, "designOwner").id == ""
    assert report.exit == 16


@pytest.mark.parametrize(
    "location",
    [
        storage.IDENTITIES.at(DESIGNER),
        storage.LICENSE_NUMBERS.at(Simulator().license_id(Simulator().make_terms())),
    ],
)
def test_a_designer_of_whom_something_is_not_proven_is_not_named(
    location: storage.Location,
) -> None:
    report = judge(Simulator(unproven={location}))

    assert party(report, "designOwner").id == ""
    assert report.exit == 23


NEXT = b"\xd1" * 20


def handed_on(*since: int, owner: int = 1, **changes: Any) -> Simulator:
    """Return a part whose designer's organization had further controllers from those times on.

    Args:
        since: When each further controller began.
        owner: The number of the controller that owned the design and licensed it.
        changes: What else differs.
    """
    simulator, times = Simulator(**changes), (sim.REGISTERED, *since)
    kind = IdentityKind.ORGANIZATION
    now = sim.identity_word(kind, controller=NEXT, controllers=len(times))
    simulator.words[storage.IDENTITIES.at(DESIGNER)] = now
    for number, begun in enumerate(times, 1):
        account = OWNER if number == owner else NEXT
        word = int.from_bytes(account, "big") | begun << 160
        simulator.words[storage.CONTROLLERS.at(DESIGNER, number)] = word
    shown = ControllersDisclosure(identity=DESIGNER, count=len(times))
    simulator.disclosed["controllers"] = (shown,)
    return simulator


@pytest.mark.parametrize(
    "simulator",
    [
        handed_on(sim.GRANTED + 1),
        handed_on(sim.LOGGED - 1, terms={"offer_until": sim.LOGGED}),
        handed_on(sim.GRANTED, sim.LOGGED + 1, owner=2),
        handed_on(sim.GRANTED, owner=2),
    ],
)
def test_a_designer_who_changed_controllers_since_is_named(simulator: Simulator) -> None:
    report = judge(simulator)

    assert party(report, "designOwner").id == to_hex(DESIGNER)
    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0)


def without_history(location: storage.Location) -> Simulator:
    simulator = handed_on(sim.LOGGED + 1)
    simulator.unproven.add(location)
    return simulator


@pytest.mark.parametrize(
    "simulator",
    [
        handed_on(sim.GRANTED),
        handed_on(sim.GRANTED + 1, owner=2),
        handed_on(sim.GRANTED + 1, sim.LOGGED + 1, owner=2),
        handed_on(sim.LOGGED + 1, owner=0),
        without_history(storage.CONTROLLERS.at(DESIGNER, 1)),
        without_history(storage.CONTROLLERS.at(DESIGNER, 2)),
    ],
)
def test_a_designer_whose_controller_did_not_own_the_design_then_is_not_named(
    simulator: Simulator,
) -> None:
    report = judge(simulator)

    assert party(report, "designOwner").id == ""
    assert report.verdict is not Verdict.VERIFIED


@pytest.mark.parametrize(
    "change",
    [
        {"words": {storage.OPERATORS.at(LOG): 0}},
        {"unproven": {storage.OPERATORS.at(LOG)}},
    ],
)
def test_an_operator_that_is_not_proven_has_no_name(change: dict[str, Any]) -> None:
    assert party(judge(Simulator(**change)), "operator").id == ""


def test_the_owner_of_another_design_that_was_licensed_is_not_named() -> None:
    other = DesignId(sha256(b"another design"))
    simulator = Simulator(terms={"design": other})
    simulator.words[storage.DESIGN_OWNERS.at(other, 0)] = sim.as_int(OWNER)

    report = judge(simulator)

    assert party(report, "designOwner").id == ""
    assert report.verdict is Verdict.PROBLEM


def test_parties_without_links_have_no_names() -> None:
    report = judge(Simulator(disclosed={"maker_link": None, "revision": None}))

    assert party(report, "maker").id == ""
    assert party(report, "designOwner").id == ""


def test_a_proven_profile_gives_the_name() -> None:
    assert party(judge(Simulator()), "maker").name == "Makers of Example"


@pytest.mark.parametrize(
    "document",
    [
        b"",
        b"[]",
        b'{"name":"Famous Brand"}',
        canonical({"name": "Famous Brand", "salt": "0x" + "00" * 32}),
    ],
)
def test_a_profile_that_the_chain_does_not_hold_gives_no_name(document: bytes) -> None:
    profile = ProfileDisclosure(identity=MAKER, document=document)

    report = judge(Simulator(disclosed={"profiles": (profile,)}))

    assert party(report, "maker").name == ""


@pytest.mark.parametrize(("name", "shown"), [("Maker", "Maker"), ("Maker\u202e", "")])
def test_a_name_that_turns_other_words_around_is_not_shown(name: str, shown: str) -> None:
    members, salt = {"name": name}, sim.salt("profile")
    document = canonical({**members, "salt": to_hex(salt)})
    simulator = Simulator(
        disclosed={"profiles": (ProfileDisclosure(identity=MAKER, document=document),)}
    )
    digest = profile_digest(members, salt)
    simulator.words[storage.PROFILES.at(MAKER)] = int.from_bytes(digest, "big")

    assert party(judge(simulator), "maker").name == shown


def test_a_profile_without_a_name_gives_none() -> None:
    salt = sim.salt("nameless")
    document = canonical({"name": 5, "salt": "0x" + salt.hex()})
    profile = ProfileDisclosure(identity=MAKER, document=document)
    words = {storage.PROFILES.at(MAKER): sim.as_int(profile_digest({"name": 5}, salt))}

    report = judge(Simulator(disclosed={"profiles": (profile,)}, words=words))

    assert party(report, "maker").name == ""


GTIN_LABEL = DigitalLink.of_part(HOST, "09506000134352", "5-00025").label


def gtin_part(scheme: str, value: str, issuer: IdentityId = ISSUER) -> Simulator:
    simulator = Simulator(statement={"label": GTIN_LABEL})
    simulator.terms_members = sim.members(LABEL_NAMESPACE=f"https://{HOST}/01/")
    simulator.claims += (sim.claim(MAKER, scheme, value, issuer),)
    return simulator


def test_a_gtin_counts_with_a_claim_to_its_prefix() -> None:
    assert judge(gtin_part("GCP", "9506000")).exit == 0


@pytest.mark.parametrize(("prefix", "expected"), [("950", 16), ("9506", 0), ("9506000134352", 16)])
def test_a_company_prefix_has_four_to_twelve_digits(prefix: str, expected: int) -> None:
    assert judge(gtin_part("GCP", prefix)).exit == expected


@pytest.mark.parametrize(("subject", "expected"), [(DESIGNER, 0), (sim.OPERATOR, 16)])
def test_the_design_owner_may_hold_the_prefix_and_the_operator_may_not(
    subject: IdentityId, expected: int
) -> None:
    simulator = gtin_part("GLN", "9506000")
    simulator.claims += (sim.claim(subject, "GCP", "9506000"),)

    assert judge(simulator).exit == expected


@pytest.mark.parametrize(
    ("scheme", "value", "issuer"),
    [
        ("GCP", "9506001", ISSUER),
        ("GLN", "9506000", ISSUER),
        ("GCP", "9506000", sim.identity("nobody")),
    ],
)
def test_a_gtin_without_a_listed_claim_gives_the_second_verdict(
    scheme: str, value: str, issuer: IdentityId
) -> None:
    report = judge(gtin_part(scheme, value, issuer))

    assert report.exit == 16
    assert "the issuer of the label's GS1 prefix is not on your trust list" in report.headline


KEYS = (
    "00/340123450000000000",
    "01/04012345678901/21/17",
    "253/4012345000009CERT",
    "414/4012345000009/254/bench-3",
    "417/4012345000009",
    "8003/04012345000009",
    "8004/4012345SN17",
    "8010/4012345BR-7",
)


@pytest.mark.parametrize("path", KEYS)
@pytest.mark.parametrize(("prefix", "expected"), [("401234", 0), ("401235", 16)])
def test_each_gs1_key_asks_for_a_claim_to_its_prefix(path: str, prefix: str, expected: int) -> None:
    simulator = Simulator(statement={"label": f"https://{HOST}/{path}"})
    simulator.terms_members = sim.members(LABEL_NAMESPACE=f"https://{HOST}/")
    simulator.claims += (sim.claim(MAKER, "GCP", prefix, ISSUER),)

    assert judge(simulator).exit == expected


@pytest.mark.parametrize(
    "label",
    [
        "https://x.example/01/04999999000006/01/04012345678901/21/17",
        "https://x.example/01/04999999000006/id/abcdefgh/17",
        "https://x.example/01/4012345678901/21/17",
        "https://x.example/gtin/04012345678901/21/17",
        "https://x.example/%30%31/04012345678901/21/17",
        "https://x.example/01/04012345678901/21/17?17=271231",
        "https://x.example/01/04012345678902/21/17",
        "urn:epc:id:sgtin:4012345.067890.17",
        "   ",
    ],
)
def test_label_that_is_not_canonical_fails_whatever_is_claimed(label: str) -> None:
    simulator = Simulator(statement={"label": label})
    simulator.terms_members = sim.members(LABEL_NAMESPACE=label[:10])
    for prefix in ("4012345", "4999999"):
        simulator.claims += (sim.claim(MAKER, "GCP", prefix, ISSUER),)

    report = judge(simulator)

    assert (report.exit, report.checks[3].code) == (19, "verify.labelNotCanonical")


def test_notes_change_no_state() -> None:
    simulator = Simulator(statement={"simulated": True, "replaces": sha256(b"older")})

    report = judge(simulator)

    assert report.exit == 0
    assert report.notes == (
        "The measurements are simulated.",
        "The statement replaces an earlier envelope of the same machine and counter.",
        "The statement does not commit to the settings of its job file.",
    )


EARLIEST, LATEST = sim.BEGUN - CLOCK_TOLERANCE, sim.LOGGED + CLOCK_TOLERANCE


@pytest.mark.parametrize(
    ("begun", "ended", "words"),
    [
        (0, EARLIEST, []),
        (0, EARLIEST - 1, ["the job ended at 1970-01-01T00:28:19Z, before its beacon"]),
        (LATEST, LATEST, []),
        (LATEST, LATEST + 1, ["the job ended at 1970-01-01T00:40:01Z, after its record"]),
        (
            LATEST + 1,
            2**40 - 1,
            [
                "the job began at 1970-01-01T00:40:01Z, after its record",
                "the job ended at second 1099511627775, after its record",
            ],
        ),
    ],
)
def test_a_machine_whose_clock_the_chain_contradicts_is_told_of(
    begun: int, ended: int, words: list[str]
) -> None:
    report = judge(Simulator(run={"started_on": begun, "finished_on": ended}))

    found = [note for note in report.notes if note.startswith("The machine says")]
    assert report.exit == 0
    assert len(found) == len(words)
    assert all(text in note for text, note in zip(words, found, strict=True))


def test_late_report_is_told_of_and_changes_no_state() -> None:
    run = {"finished_on": EARLIEST - 1, "started_on": 0, "is_late_report": True}

    report = judge(Simulator(run=run))

    assert report.exit == 0
    assert "Late report: nobody saw the job begin; it may be older than its beacon." in report.notes
    assert not [note for note in report.notes if note.startswith("The machine says")]


def test_times_are_compared_with_proven_ones_only() -> None:
    simulator = Simulator(run={"finished_on": LATEST + 1}, disclosed={"beacon": None})

    assert not [note for note in judge(simulator).notes if note.startswith("The machine says")]


def test_settings_that_the_job_file_commits_to_need_no_note() -> None:
    settings = Simulator().make_statement().settings
    design = Resource(name="design", digest=sha256(b"ciphertext"))
    job = Resource(name="settings", digest=settings_digest(settings))

    report = judge(Simulator(statement={"resolved": (design, job)}))

    assert (report.exit, report.notes) == (0, ())


def test_what_is_withheld_is_listed() -> None:
    paths = [leaf.path for leaf in sim.MASTER if leaf.path != "/tolerance/bore"]
    shown = Simulator().make_disclosures().recipe
    assert shown is not None
    opened = replace(shown, clauses=sim.show(sim.MASTER, *paths))

    report = judge(Simulator(disclosed={"recipe": opened}))

    assert report.checks[8].state is State.WITHHELD
    assert "Withheld by whom it concerns: a part of (2), (7), (8), (9), (10)." in report.notes


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (253_402_300_800, "second 253402300800"),
    ],
)
def test_times_are_read_by_people(seconds: int, text: str) -> None:
    assert as_time(seconds) == text


def test_the_scanned_label_link_and_position_may_fit() -> None:
    link = DigitalLink.parse(LABEL.replace(HOST, "node.example.net"))

    report = judge(Simulator(), Question(label=LABEL, link=link, hint=(LOG, Index(103))))

    assert report.exit == 0


def test_the_own_node_may_know_the_block() -> None:
    simulator = Simulator()
    block = simulator.trust().blocks[0]
    sighting = Sighting(is_reached=True, hash=block.hash, is_final=True)

    report = judge(simulator, Question(sighting=sighting), blocks=())

    assert report.exit == 0


@pytest.mark.parametrize("is_other", [False, True])
def test_the_own_node_is_one_of_the_pinned_chain(is_other: bool) -> None:
    simulator = Simulator()
    block, pin = simulator.trust().blocks[0], simulator.pin
    chain_id = ChainId(pin.chain_id + is_other)
    chain = (chain_id, pin.genesis)
    sighting = Sighting(is_reached=True, hash=block.hash, is_final=True, chain=chain)

    report = judge(simulator, Question(sighting=sighting), blocks=())

    assert report.exit == (23 if is_other else 0)
    assert report.checks[0].code == ("verify.nodeOnOtherChain" if is_other else None)


def test_a_chain_of_another_class_alone_is_told_by_its_class() -> None:
    simulator = Simulator()
    others = [each for each in ChainClass if each is not simulator.pin.chain_class]
    pinned = replace(simulator.pin, chain_class=others[0])

    report = judge(simulator, chain=pinned)
    elsewhere = judge(simulator, chain=replace(pinned, genesis=sha256(b"another genesis")))

    shown = simulator.pin.chain_class.value
    assert (report.exit, report.checks[0].code) == (16, "verify.chainMismatch")
    assert f"--class {shown}`" in report.checks[0].reason
    assert f"the same chain {others[0].value};" in report.checks[0].reason
    assert "another chain or deployment" in elsewhere.checks[0].reason


def test_evidence_may_be_as_old_as_the_policy_says() -> None:
    question = Question(now=LOOKED + 100)

    assert judge(Simulator(), question, policy=Policy(max_age=100)).exit == 0
    assert judge(Simulator(), question, policy=Policy(max_age=99)).exit == 23
    assert verify_evidence(Simulator().evidence(), None, question).checks[6].state is State.OK


def test_what_was_logged_before_the_suspicion_stays_good() -> None:
    word = sim.key_word(1_000, notice_at=LOGGED + 9, suspected_from=LOGGED + 1)

    assert judge(Simulator(words={KEY: word})).exit == 0


def test_what_was_shown_for_later_blocks_does_no_harm() -> None:
    simulator = Simulator()
    shown = simulator.make_disclosures()
    assert shown.site_link is not None
    assert shown.recipe is not None
    simulator.disclosed["site_link"] = replace(shown.site_link, count=2)
    simulator.disclosed["recipe"] = replace(shown.recipe, steps=3)

    assert judge(simulator).exit == 0


def test_a_named_unit_may_be_the_granted_one() -> None:
    assert judge(Simulator(external={"unit": 25})).exit == 0


def test_a_license_without_terms_allows_anything() -> None:
    empty = Disclosure(leaves=(), opened={})
    terms = {"terms_root": Digest(bytes(32))}
    simulator = Simulator(terms=terms)
    (license_,) = simulator.make_disclosures().licenses
    simulator.disclosed["licenses"] = (replace(license_, members=empty),)

    assert judge(simulator).exit == 0


def test_a_license_under_another_is_followed_to_its_root() -> None:
    parent = replace(Simulator().make_terms(), holder=DESIGNER)
    simulator = Simulator()
    simulator.terms["parent"] = simulator.license_id(parent)
    (license_,) = simulator.make_disclosures().licenses
    above = replace(license_, number=2, terms=parent)
    simulator.disclosed["licenses"] = (license_, above)
    simulator.words |= {
        storage.LICENSES.at(sim.NUMBER): sim.license_word(parent=2, depth=1),
        storage.LICENSES.at(2): sim.license_word(),
        storage.LICENSE_IDS.at(2): sim.as_int(simulator.license_id(parent)),
    }

    assert judge(simulator).exit == 0


def test_a_pin_without_the_license_registry_cannot_check_licenses() -> None:
    simulator = Simulator()
    contracts = dict(simulator.pin.contracts)
    del contracts[ContractName.LICENSES]

    report = judge(simulator, chain=replace(simulator.pin, contracts=contracts))

    assert report.checks[0].state is State.FAIL
    assert report.checks[6].state is State.UNKNOWN


class Recording(dict[storage.Location, int | Unproven]):
    """Words that remember who asked for them."""

    def __init__(self, words: Mapping[storage.Location, int | Unproven]) -> None:
        super().__init__(words)
        self.asked: set[storage.Location] = set()

    def get(self, key: storage.Location, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)


def test_all_that_is_proven_is_asked_for_and_nothing_else() -> None:
    simulator = Simulator()
    # When a profile stood is asked for where a license names countries.
    simulator.terms_members = sim.members(COUNTRY="DE")
    case = Case(simulator.evidence(), simulator.trust())
    words = Recording(case.state.words)
    # What a case read once, it keeps here.
    case.__dict__["state"] = replace(case.state, words=words)

    states = [check.run(case).state for check in CHECKS]
    named = parties(case)

    assert states == [*[State.OK] * 9, *[State.NOT_CLAIMED] * 2, State.OK, State.NOT_CLAIMED]
    assert all(party.is_listed for party in named)
    assert words.asked == set(words)
