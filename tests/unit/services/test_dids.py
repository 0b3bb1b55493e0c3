"""DID documents: whose keys stand in them, and which names."""

from dataclasses import replace
from typing import Any

import pytest

from fakes.chain import CHAIN_ID
from fakes.world import ISSUER, MACHINE, MAKER, SITE, World, make_world
from guildmark.domain.chain.facts import KeyFact, MachineKeyFact
from guildmark.domain.chain.refusals import IdentityUnknownError
from guildmark.domain.identifiers import ZERO32, Bytes32, IdentityId, KeyId, to_hex
from guildmark.domain.identity.did import account_did, identity_did
from guildmark.domain.identity.identity import ClaimDocument, key_id
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.services.identity import identities
from guildmark.services.identity.dids import DOUBTED, Dids
from guildmark.services.identity.notices import Suspicion

HOST = "parts.example"
EARLIER = 1_700_000_001


@pytest.fixture
def world() -> World:
    return make_world()


def dids(world: World, *, lists: bool = True) -> Dids:
    listed = (Listed(id=world.issuer),) if lists else ()
    trust = Trust(
        version=VERSION, chain=world.tools.chain.pin(), issuers=listed, authorities=listed
    )
    return Dids(host=HOST, chain_id=CHAIN_ID, trust=trust, operator=world.operator)


def document(world: World, identity: IdentityId, *, lists: bool = True) -> Any:
    world.tools.indexing(world.log).follow()
    with world.tools.store.reading() as view:
        return dids(world, lists=lists).of_identity(identity, view)


def own_key(world: World) -> KeyId:
    public = world.tools.keys.public_key(KeyName(MACHINE))
    return key_id(world.machine, PublicKey(algorithm=Algorithm.SECP256K1, data=public.value))


def state(world: World, scheme: str, value: str, subject: IdentityId, *, by: str = ISSUER) -> None:
    issuer = world.issuer if by == ISSUER else world.maker
    said = ClaimDocument(scheme=scheme, value=value, salt=Bytes32(ZERO32))
    world.tools.identities(by).claim_public(issuer, subject, said)


def test_an_organization_speaks_through_its_account(world: World) -> None:
    found = document(world, world.maker)

    did = identity_did(HOST, world.maker)
    account = account_did(CHAIN_ID, world.tools.account(MAKER).address)
    assert (found["id"], found["controller"]) == (did, account)
    (method,) = found["verificationMethod"]
    assert method["blockchainAccountId"] == account.removeprefix("did:pkh:")
    assert found["authentication"] == [method["id"]] == [f"{did}#controller"]
    assert (found["assertionMethod"], found["alsoKnownAs"]) == ([], [])
    assert "service" not in found


def test_every_key_of_a_machine_asserts(world: World) -> None:
    for name, algorithm in (("other", KeyAlgorithm.P256), ("third", KeyAlgorithm.ED25519)):
        made = world.tools.keys.create(KeyName(name), algorithm)
        key = PublicKey(algorithm=Algorithm[algorithm.name], data=made.value)
        world.tools.identities(SITE).add_key(world.machine, key)

    found = document(world, world.machine)

    keys = [one for one in found["verificationMethod"] if "publicKeyJwk" in one]
    assert sorted(one["publicKeyJwk"]["crv"] for one in keys) == ["Ed25519", "P-256", "secp256k1"]
    assert found["assertionMethod"] == [one["id"] for one in keys]
    assert f"{found['id']}#{to_hex(own_key(world))}" in found["assertionMethod"]
    assert document(world, world.instrument)["assertionMethod"] == []


def test_an_ended_key_asserts_nothing(world: World) -> None:
    world.tools.identities(SITE).end_key(world.machine, own_key(world))

    assert document(world, world.machine)["assertionMethod"] == []


def test_a_key_under_notice_asserts_nothing(world: World) -> None:
    world.tools.identities(SITE).give_notice(world.machine, own_key(world), suspected_from=EARLIER)

    assert document(world, world.machine)["assertionMethod"] == []


@pytest.mark.parametrize("lists", [True, False])
def test_a_listed_authoritys_notice_counts(lists: bool, world: World) -> None:
    said = Suspicion(since=EARLIER)
    world.tools.notices(ISSUER).warn_of_key(world.issuer, world.machine, own_key(world), said)

    found = document(world, world.machine, lists=lists)

    assert len(found["assertionMethod"]) == (0 if lists else 1)


def test_a_doubted_controller_speaks_for_nobody(world: World) -> None:
    world.tools.notices(SITE).of_controller(world.machine, Suspicion(since=world.tools.chain.now))

    found = document(world, world.machine)

    assert found["authentication"] == []
    # The key was added before the doubt.
    assert len(found["assertionMethod"]) == 1
    # The doubted account stands nowhere; where to read why does.
    assert "controller" not in found
    account = world.tools.account(SITE).address
    assert account.hex() not in str(found).lower()
    (service,) = found["service"]
    assert (service["id"], service["type"]) == (f"{found['id']}#notice", DOUBTED)
    assert service["serviceEndpoint"] == f"https://{HOST}/v1/identities/{to_hex(world.machine)}"


@pytest.mark.parametrize(("back", "count"), [(0, 0), (1, 1)])
def test_keys_of_a_doubted_time_assert_nothing(back: int, count: int, world: World) -> None:
    with world.tools.store.reading() as view:
        added = view.facts.each(KeyFact)[0].since
    world.tools.notices(SITE).of_controller(world.machine, Suspicion(since=added + back))

    assert len(document(world, world.machine)["assertionMethod"]) == count


def test_the_next_controllers_keys_are_not_doubted(world: World) -> None:
    tools, said = world.tools, Suspicion(since=EARLIER)
    tools.identities(SITE).propose_controller(world.machine, tools.account(MAKER).address)
    tools.identities(MAKER).accept_controller(world.machine)
    made = tools.keys.create(KeyName("other"), KeyAlgorithm.P256)
    key = PublicKey(algorithm=Algorithm.P256, data=made.value)
    added = tools.identities(MAKER).add_key(world.machine, key)
    tools.notices(ISSUER).warn_of_controller(world.issuer, world.machine, 1, said)

    found = document(world, world.machine)

    assert found["assertionMethod"] == [f"{found['id']}#{to_hex(added)}"]
    assert len(found["authentication"]) == 1


def test_nobody_speaks_while_guardians_recover(world: World) -> None:
    tools = world.tools
    account = tools.account(ISSUER).address
    tools.guardians(MAKER).name(
        world.maker, [tools.account(SITE).address], threshold=1, delay=86_400
    )
    tools.guardians(SITE).support(world.maker, account)

    assert document(world, world.maker)["authentication"] == []


def test_a_key_that_is_no_point_is_left_out(world: World) -> None:
    bad = KeyFact(
        id=KeyId(Bytes32(b"\x01" * 32)),
        machine=world.machine,
        algorithm=Algorithm.P256,
        public_key=b"\x02" + b"\xff" * 32,
        since=1,
    )
    with world.tools.store.writing() as work:
        work.facts.put(bad, MachineKeyFact(machine=bad.machine, id=bad.id))

    assert len(document(world, world.machine)["assertionMethod"]) == 1


def test_identifiers_of_listed_issuers_are_names(world: World) -> None:
    state(world, "GLN", "4006381333931", world.maker)
    state(world, "GLN", "4006381333931", world.site)
    state(world, "CAGE", "1ABC2", world.designer)
    state(world, "CAGE", "1ABC3", world.designer, by=MAKER)

    assert document(world, world.designer, lists=False)["alsoKnownAs"] == []
    assert document(world, world.designer)["alsoKnownAs"] == [
        f"https://{HOST}/v1/identities?scheme=CAGE&value=1ABC2"
    ]


def test_numbers_of_parties_and_places_are_links(world: World) -> None:
    state(world, "GLN", "4006381333931", world.maker)
    state(world, "GLN", "4012345000009", world.site)

    maker, site = (document(world, one)["alsoKnownAs"] for one in (world.maker, world.site))

    assert maker == ["https://id.gs1.org/417/4006381333931"]
    assert site == ["https://id.gs1.org/414/4012345000009"]


def test_what_listed_issuers_contradict_is_no_name(world: World) -> None:
    state(world, "CAGE", "1ABC2", world.designer)
    state(world, "CAGE", "1ABC2", world.maker)

    assert document(world, world.designer)["alsoKnownAs"] == []


def test_what_no_register_would_give_is_no_name(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identities, "check_identifier", lambda *_: None)
    state(world, "CAGE", "no code", world.designer)

    assert document(world, world.designer)["alsoKnownAs"] == []


def test_a_revoked_claim_is_no_name(world: World) -> None:
    said = ClaimDocument(scheme="CAGE", value="1ABC2", salt=Bytes32(ZERO32))
    issuer = world.tools.identities(ISSUER)
    issuer.revoke_claim(world.issuer, issuer.claim_public(world.issuer, world.designer, said))

    assert document(world, world.designer)["alsoKnownAs"] == []


def test_a_host_and_its_operator_name_each_other(world: World) -> None:
    with world.tools.store.reading() as view:
        host = dids(world).of_host(world.operator, view)

    own = document(world, world.operator)
    assert (host["id"], own["alsoKnownAs"]) == (f"did:web:{HOST}", [f"did:web:{HOST}"])
    assert host["alsoKnownAs"] == [own["id"]]
    assert host["authentication"] == [f"did:web:{HOST}#controller"]


def test_nobody_else_is_the_host(world: World) -> None:
    with world.tools.store.reading() as view:
        found = replace(dids(world), operator=None).of_identity(world.operator, view)

    assert found["alsoKnownAs"] == []


def test_an_unknown_identity_has_no_document(world: World) -> None:
    with pytest.raises(IdentityUnknownError):
        document(world, IdentityId(b"\x07" * 32))
