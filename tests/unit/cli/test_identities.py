"""Organizations, sites, machines, authorities; their links, keys and claims."""

import json
from dataclasses import replace
from types import SimpleNamespace

import pytest

from fakes.node import MemoryNode
from fakes.world import ISSUER, MACHINE, MAKER, SITE, World
from guildmark.bootstrap import Home
from guildmark.cli import nodes
from guildmark.domain.chain.facts import IdentityFact
from guildmark.domain.identifiers import Bytes32, IdentityId, bytes32_from_hex, to_hex
from guildmark.domain.identity.identity import ClaimDocument, IdentityKind
from guildmark.domain.trust import VERSION, Listed, Trust, serialise
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.settings import NodeSettings, save
from unit.cli.speaking import Speak

pytestmark = pytest.mark.usefixtures("home")

UNKNOWN = to_hex(bytes(32))
WORDS = {"org": "organization", "site": "site", "machine": "machine", "authority": "authority"}


@pytest.mark.parametrize(("command", "kind"), WORDS.items())
def test_an_identity_is_registered_and_shown(command: str, kind: str, speak: Speak) -> None:
    made = speak(
        *(command, "register", "Oficina", "--country", "PT"),
        *("--detail", "place=Coimbra", "--as", MAKER),
    )

    shown = speak(command, "show", made.out, "--json").json
    assert (shown["id"], shown["kind"]) == (made.out, kind)
    assert shown["profile"] == {"name": "Oficina", "country": "PT", "place": "Coimbra"}


@pytest.mark.parametrize("country", ["pt", "PRT", "ZZ", ""])
def test_what_is_no_country_registers_nobody(country: str, speak: Speak) -> None:
    refused = speak("site", "register", "Oficina", "--country", country, "--as", MAKER, "--json")

    assert (refused.exit, refused.json["code"]) == (2, "country.unknown")


def test_registering_answers_in_json(speak: Speak, world: World) -> None:
    made = speak("org", "register", "Oficina", "--as", MAKER, "--json").json

    assert made["profile"] == {"name": "Oficina"}
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        fact = view.facts.get(IdentityFact, bytes32_from_hex(made["id"]))
    assert fact is not None
    assert fact.kind == IdentityKind.ORGANIZATION


def test_an_identity_gets_another_profile(speak: Speak, world: World) -> None:
    maker = to_hex(world.maker)

    said = speak(
        *("org", "profile", maker, "M & Filhos", "--country", "PT"),
        *("--detail", "place=Coimbra", "--as", MAKER, "--json"),
    ).json
    refused = speak("org", "profile", maker, "Another", "--as", SITE, "--json")

    profile = {"name": "M & Filhos", "country": "PT", "place": "Coimbra"}
    assert said == {"id": maker, "kind": "organization", "profile": profile}
    assert refused.json["code"] == "caller.notAllowed"
    assert speak("org", "show", maker, "--json").json["profile"] == profile


@pytest.mark.parametrize("detail", ["place", "=Coimbra"])
def test_a_detail_has_a_name_and_a_value(detail: str, speak: Speak) -> None:
    spoken = speak("org", "register", "Oficina", "--detail", detail, "--as", MAKER, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.detailMalformed")


def test_an_unknown_identity_cannot_be_shown(speak: Speak) -> None:
    spoken = speak("org", "show", UNKNOWN, "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "identity.unknown")


def test_an_identity_of_another_kind_is_named(speak: Speak, world: World) -> None:
    spoken = speak("org", "show", to_hex(world.site), "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "identity.kindMismatch")
    assert "of kind site, not organization" in spoken.json["reason"]


@pytest.mark.parametrize("text", ["12", "0xZZ", "0x12", UNKNOWN.upper()])
def test_an_id_is_32_bytes_of_hex(text: str, speak: Speak) -> None:
    spoken = speak("org", "show", text, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "id.malformedHex")


def test_a_site_shows_its_links_and_members(speak: Speak, world: World) -> None:
    shown = speak("site", "show", to_hex(world.site), "--json").json

    assert [link["parent"] for link in shown["parents"]] == [to_hex(world.maker)]
    assert shown["parents"][0]["to"] == 0
    assert shown["members"] == [{"id": to_hex(world.machine)}]


def test_people_read_an_identity_in_lines(speak: Speak, world: World) -> None:
    lines = speak("site", "show", to_hex(world.site)).lines

    assert lines[0] == f"id                  {to_hex(world.site)}"
    assert lines[1] == "kind                site"
    assert "claims              -" in lines
    assert any(line.startswith("since               2023-11-14T22:1") for line in lines)


def test_a_foreign_profile_is_not_shown(speak: Speak, world: World) -> None:
    with world.tools.store.writing() as work:
        work.documents.put(DocumentKind.PROFILE, world.site, b"{}")

    assert speak("site", "show", to_hex(world.site), "--json").json["profile"] == {}


def test_an_unknown_profile_is_left_open(speak: Speak, world: World) -> None:
    del world.tools.store.__dict__["_state"].documents[DocumentKind.PROFILE, world.site]

    assert speak("site", "show", to_hex(world.site), "--json").json["profile"] is None


def test_links_are_asked_accepted_and_ended(speak: Speak, world: World) -> None:
    caliper, site = to_hex(world.instrument), to_hex(world.site)

    for step, state in [("request", "requested"), ("accept", "open"), ("end", "ended")]:
        said = speak("link", step, caliper, site, "--as", SITE, "--json").json
        assert said == {"child": caliper, "parent": site, "state": state}

    parents = speak("machine", "show", caliper, "--json").json["parents"]
    assert parents[0]["to"] >= parents[0]["from"] > 0


def test_only_the_childs_own_account_asks_for_a_link(speak: Speak, world: World) -> None:
    spoken = speak(
        *("link", "request", to_hex(world.instrument), to_hex(world.site)),
        *("--as", ISSUER, "--json"),
    )

    assert (spoken.exit, spoken.json["code"]) == (5, "caller.notAllowed")


def test_a_key_of_this_home_is_added_to_a_machine(speak: Speak, world: World) -> None:
    caliper = to_hex(world.instrument)

    made = speak("machine", "key", "add", caliper, MACHINE, "--as", SITE)

    keys = speak("machine", "key", "list", caliper, "--json").json["keys"]
    assert [(key["id"], key["algorithm"], key["to"]) for key in keys] == [
        (made.out, "secp256k1", 0)
    ]


def test_a_key_from_elsewhere_is_added_as_it_was_printed(
    speak: Speak, world: World, home: Home
) -> None:
    public = home.keys.public_key(KeyName(MACHINE)).value

    made = speak(
        *("machine", "key", "add", to_hex(world.instrument), f"secp256k1:{to_hex(public)}"),
        *("--as", SITE, "--json"),
    ).json

    assert made["publicKey"] == to_hex(public)


@pytest.mark.parametrize(
    ("text", "code", "exit_code"),
    [
        ("dsa:0x00", "cli.publicKeyMalformed", 2),
        ("rsa:0x00", "key.wrongPurpose", 2),
        ("x25519:0x00", "key.wrongPurpose", 2),
        ("p256:0x02", "key.malformed", 2),
        ("p256:02", "id.malformedHex", 2),
        ("nobody", "key.missing", 4),
        # A URI is looked up in the key store, which has no such device.
        ("tpm:handle=0x81010001", "key.missing", 4),
    ],
)
def test_what_is_no_signing_key_is_refused(
    text: str, code: str, exit_code: int, speak: Speak, world: World
) -> None:
    spoken = speak("machine", "key", "add", to_hex(world.machine), text, "--as", SITE, "--json")

    assert (spoken.exit, spoken.json["code"]) == (exit_code, code)


def key_of(speak: Speak, machine: IdentityId) -> str:
    return str(speak("machine", "key", "list", to_hex(machine), "--json").json["keys"][0]["id"])


def test_a_key_can_be_ended(speak: Speak, world: World) -> None:
    machine, key = to_hex(world.machine), key_of(speak, world.machine)

    assert speak("machine", "key", "end", machine, key, "--as", SITE).exit == 0

    keys = speak("machine", "key", "list", machine, "--json").json["keys"]
    assert keys[0]["to"] == world.tools.chain.now


def test_a_key_can_be_put_under_notice(speak: Speak, world: World) -> None:
    machine, key = to_hex(world.machine), key_of(speak, world.machine)

    said = speak(
        *("machine", "key", "notice", machine, key, "--from", "2023-11-14T22:00:00Z"),
        *("--as", SITE, "--json"),
    ).json

    assert said["suspectedFrom"] == 1_699_999_200
    keys = speak("machine", "key", "list", machine, "--json").json["keys"]
    assert keys[0]["suspectedFrom"] == 1_699_999_200


def test_a_machine_without_keys_has_none(speak: Speak, world: World) -> None:
    assert speak("machine", "key", "list", to_hex(world.instrument)).out == "keys  -"


def test_a_claim_is_made_shown_and_revoked(speak: Speak, world: World) -> None:
    issuer, subject = to_hex(world.issuer), to_hex(world.maker)

    made = speak("claim", "make", issuer, subject, "LEI", "529900T8BM49AURSDO55", "--as", ISSUER)
    shown = speak("claim", "show", made.out, "--json").json
    assert (shown["scheme"], shown["value"]) == ("LEI", "529900T8BM49AURSDO55")
    assert (shown["issuer"], shown["subject"], shown["to"]) == (issuer, subject, 0)

    speak("claim", "revoke", issuer, made.out, "--as", ISSUER)

    assert speak("claim", "show", made.out, "--json").json["to"] == world.tools.chain.now
    claims = speak("org", "show", subject, "--json").json["claims"]
    assert [claim["id"] for claim in claims] == [made.out]


def test_a_claim_is_shown_to_nodes_at_once(speak: Speak, world: World, node: MemoryNode) -> None:
    said = ("claim", "make", to_hex(world.issuer), to_hex(world.maker), "CAGE", "1ABC2")
    both = ("--node", "http://one.example", "--node", "http://two.example/")

    made = speak(*said, *both, "--as", ISSUER)

    kept = speak("claim", "show", made.out, "--json").json
    assert node.urls == ["http://one.example", "http://two.example"]
    assert [(kind, to_hex(key)) for kind, key, _ in node.disclosed] == [
        (DocumentKind.CLAIM, made.out)
    ] * 2
    assert json.loads(node.disclosed[0][2])["claim"]["value"] == kept["value"] == "1ABC2"


def test_a_claim_that_a_node_does_not_take_is_made_all_the_same(
    speak: Speak, world: World, node: MemoryNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(nodes, "time", SimpleNamespace(sleep=waited.append))
    node.refusing = "disclosure.thingUnknown"
    said = ("claim", "make", to_hex(world.issuer), to_hex(world.maker), "CAGE", "1ABC2")

    spoken = speak(*said, "--node", "http://one.example", "--as", ISSUER)

    claims = speak("org", "show", to_hex(world.maker), "--json").json["claims"]
    assert spoken.exit == 4
    assert f"The claim {claims[0]['id']} is made. Show it later" in spoken.err
    assert 30 < sum(waited) < 40


def test_what_was_just_put_on_chain_is_disclosed_to_a_node_that_has_yet_to_read_it(
    speak: Speak, world: World, node: MemoryNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(nodes, "time", SimpleNamespace(sleep=waited.append))
    node.refusing = "disclosure.thingUnknown"

    spoken = speak("disclose", "profile", to_hex(world.maker), "--node", "http://one.example")

    assert spoken.exit == 4
    assert 30 < sum(waited) < 40


def test_a_public_claim_needs_no_showing(speak: Speak, world: World, node: MemoryNode) -> None:
    said = ("claim", "make", to_hex(world.issuer), to_hex(world.maker), "CAGE", "1ABC2")

    spoken = speak(*said, "--public", "--node", "http://one.example", "--as", ISSUER)

    assert (spoken.exit, node.disclosed) == (0, [])


def test_no_claim_is_made_for_what_is_no_node(speak: Speak, world: World) -> None:
    sent = len(world.tools.outbox.sent)
    said = ("claim", "make", to_hex(world.issuer), to_hex(world.maker), "CAGE", "1ABC2")

    spoken = speak(*said, "--node", "one.example", "--as", ISSUER, "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.nodeAddressMalformed")
    assert len(world.tools.outbox.sent) == sent


def test_a_public_claim_is_found_by_its_identifier(speak: Speak, world: World) -> None:
    issuer, subject = to_hex(world.issuer), to_hex(world.maker)

    said = ("claim", "make", issuer, subject, "CAGE", "1ABC2", "--public", "--as", ISSUER)
    made = speak(*said).out

    found = speak("claim", "find", "CAGE", "1ABC2", "--json").json["claims"]
    assert [(one["claim"], one["subject"], one["issuer"]) for one in found] == [
        (made, subject, issuer)
    ]
    assert speak("claim", "find", "CAGE", "1ABC3", "--json").json["claims"] == []
    assert speak("claim", "show", made, "--json").json["public"] is True


def test_a_card_names_who_states_what_and_what_contradicts_it(speak: Speak, world: World) -> None:
    issuer, maker, designer = (to_hex(one) for one in (world.issuer, world.maker, world.designer))
    said = ("CAGE", "1ABC2", "--as")
    first = speak("claim", "make", issuer, maker, *said, ISSUER).out
    second = speak("claim", "make", maker, designer, *said, MAKER).out
    own = speak("claim", "make", maker, maker, "NAME", "Oficina", "--as", MAKER).out

    claims = speak("org", "show", maker, "--json").json["claims"]

    assert [(one["id"], one["value"], one["contradictedBy"]) for one in claims] == [
        (first, "1ABC2", second),
        (own, "Oficina", ""),
    ]
    assert claims[1]["by"] == "itself"


@pytest.mark.parametrize(
    ("scheme", "value", "code"),
    [
        ("DUNS", "12345678", "register.malformed"),
        ("BPN", "BPNL00000003AYRF", "register.wrongCheck"),
        ("GCP", "950", "gs1.malformed"),
        ("LEI", "529900T8BM49AURSDO56", "lei.wrongCheckDigits"),
        ("GLN", "4012345000008", "gs1.wrongCheckDigit"),
        ("", "1", "claim.malformedScheme"),
    ],
)
def test_a_wrong_identifier_is_not_claimed(
    scheme: str, value: str, code: str, speak: Speak, world: World
) -> None:
    sent = len(world.tools.outbox.sent)

    spoken = speak(
        *("claim", "make", to_hex(world.issuer), to_hex(world.maker), scheme, value),
        *("--as", ISSUER, "--json"),
    )

    assert (spoken.exit, spoken.json["code"]) == (2, code)
    assert len(world.tools.outbox.sent) == sent


def test_an_unknown_claim_cannot_be_shown(speak: Speak) -> None:
    spoken = speak("claim", "show", UNKNOWN, "--json")

    assert (spoken.exit, spoken.json["code"]) == (4, "claim.unknown")


def test_a_claim_that_was_not_opened_shows_no_value(speak: Speak, world: World) -> None:
    made = speak(
        *("claim", "make", to_hex(world.issuer), to_hex(world.maker), "BPN", "BPNL00000003AYRE"),
        *("--as", ISSUER),
    )
    documents = world.tools.store.__dict__["_state"].documents
    del documents[DocumentKind.CLAIM, bytes32_from_hex(made.out)]

    assert speak("claim", "show", made.out, "--json").json["value"] is None


def test_an_identity_gets_another_controller_in_two_steps(speak: Speak, world: World) -> None:
    maker, account = to_hex(world.maker), to_hex(world.tools.account(ISSUER).address)

    said = speak("org", "propose", maker, account, "--as", MAKER, "--json").json
    early = speak("org", "accept", maker, "--as", SITE, "--json")
    accepted = speak("org", "accept", maker, "--as", ISSUER, "--json").json

    assert (said["controller"], said["state"]) == (account, "proposed")
    assert early.exit != 0
    assert accepted == {"id": maker, "state": "accepted"}
    assert speak("org", "show", maker, "--json").json["controller"] == account
    shown = speak("notice", "show", maker, "--json").json["controllers"]
    assert [one["number"] for one in shown] == [1, 2]


@pytest.mark.parametrize("command", ["org", "machine"])
def test_an_identity_is_shown_as_a_did_document(command: str, speak: Speak, world: World) -> None:
    identity = world.maker if command == "org" else world.machine

    said = speak(command, "show", to_hex(identity), "--did", "--host", "parts.example:8480")

    document = json.loads(said.out)
    assert document["id"] == f"did:web:parts.example%3A8480:orgs:{to_hex(identity)}"
    assert len(document["assertionMethod"]) == (command == "machine")


def test_a_node_names_itself_in_documents(speak: Speak, world: World, home: Home) -> None:
    node = NodeSettings(
        operator=world.operator,
        log=world.log,
        writer=KeyName("writer"),
        public_url="https://parts.example:8480",
    )
    save(replace(home.settings, node=node))

    document = speak("org", "show", to_hex(world.operator), "--did").json

    assert document["id"].startswith("did:web:parts.example%3A8480:orgs:")
    assert document["alsoKnownAs"] == ["did:web:parts.example%3A8480"]


def test_who_lists_an_issuer_sees_further_names(speak: Speak, world: World, home: Home) -> None:
    said = ClaimDocument(scheme="CAGE", value="1ABC2", salt=Bytes32(bytes(32)))
    world.tools.identities(ISSUER).claim_public(world.issuer, world.maker, said)
    show = ("org", "show", to_hex(world.maker), "--did", "--host", "parts.example")

    before = speak(*show).json["alsoKnownAs"]
    listed = Trust(
        version=VERSION, chain=world.tools.chain.pin(), issuers=(Listed(id=world.issuer),)
    )
    (home.settings.home / "trust.json").write_bytes(serialise(listed))
    after = speak(*show).json["alsoKnownAs"]

    assert (before, after) == (
        [],
        ["https://parts.example/v1/identities?scheme=CAGE&value=1ABC2"],
    )


def test_a_did_document_needs_a_host(speak: Speak, world: World) -> None:
    spoken = speak("org", "show", to_hex(world.maker), "--did", "--json")

    assert (spoken.exit, spoken.json["code"]) == (2, "cli.didHostMissing")


def test_a_proposed_controller_is_shown(speak: Speak, world: World) -> None:
    account = to_hex(world.tools.account(SITE).address)
    maker = to_hex(world.maker)

    speak("org", "propose", maker, account, "--as", MAKER)
    waiting = speak("org", "show", maker, "--json").json
    speak("org", "accept", maker, "--as", SITE)
    after = speak("org", "show", maker, "--json").json

    assert (waiting["proposedController"], after["proposedController"]) == (account, None)
    assert after["controller"] == account


def test_identities_are_found_by_how_their_names_look(speak: Speak) -> None:
    made = speak("org", "register", "Oficina Mondego", "--as", MAKER).out
    speak("site", "register", "Mondego Sul", "--as", SITE)

    found = speak("org", "find", "M0NDEGO", "--json").json

    assert [(one["id"], one["name"]) for one in found["found"]] == [(made, "Oficina Mondego")]
    assert speak("machine", "find", "Mondego", "--json").json["found"] == []


def test_a_name_that_looks_like_anothers_is_taken_with_a_word(speak: Speak) -> None:
    first = speak("org", "register", "Oficina Mondego", "--as", MAKER).out
    speak("org", "show", first)

    copy = speak("org", "register", "Oficina M\u043endego", "--as", SITE)

    assert f"looks like that of {first}" in copy.err
    assert "mixes Cyrillic and Latin letters" in copy.err
    shown = speak("org", "show", copy.out, "--json").json
    assert [one["id"] for one in shown["looksLike"]] == [first]
    assert shown["mixedScripts"] == ["CYRILLIC", "LATIN"]


def test_ones_own_names_may_be_alike(speak: Speak) -> None:
    speak("org", "show", speak("org", "register", "Oficina", "--as", MAKER).out)

    assert speak("site", "register", "Oficina", "--as", MAKER).err == ""
