"""What the registries say, over HTTP: final facts, and a 404 for what no final block holds."""

import httpx
import pytest

from guildmark.domain.chain.refusals import RecoveryTooEarlyError
from guildmark.domain.identifiers import to_hex
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.log.merkle import MerkleTree
from guildmark.domain.signatures import Algorithm, PublicKey
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.identity.guardians import recovery, standing
from guildmark.services.identity.notices import Suspicion
from stages import Played, funded, indexed, until

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

UNKNOWN = "0x" + "12" * 32


def test_the_chain_is_pinned(web: httpx.Client, played: Played) -> None:
    pin = played.scene.designer.home.ledger.pin()

    answer = web.get("/v1/chain").json()

    assert answer["chainId"] == pin.chain_id
    assert answer["genesis"] == to_hex(pin.genesis)
    assert answer["chainClass"] == "local"
    assert {name: one["address"] for name, one in answer["contracts"].items()} == {
        name.value: to_hex(one.address) for name, one in pin.contracts.items()
    }
    assert answer["block"] > 0


def test_the_beacon_is_the_newest_record(web: httpx.Client) -> None:
    beacon = web.get("/v1/beacon").json()

    record = web.get(f"/v1/logs/{beacon['log']}/records/{beacon['seq']}").json()

    assert record["digest"] == beacon["recordDigest"]
    assert record["time"] == beacon["time"]


def test_an_identity_is_shown(web: httpx.Client, played: Played) -> None:
    maker = played.workshops[0].maker
    party, machine = maker.party, maker.machine

    shown = [web.get(f"/v1/identities/{to_hex(one)}").json() for one in (party.id, machine)]

    assert [one["kind"] for one in shown] == ["organization", "machine"]
    assert [one["id"] for one in shown] == [to_hex(party.id), to_hex(machine)]
    assert shown[0]["controller"] == to_hex(party.home.keys.address("account"))  # type: ignore[arg-type]  # a plain name


def test_an_identity_is_shown_with_who_states_what_of_it(web: httpx.Client, played: Played) -> None:
    maker = played.workshops[0].maker.party

    (claim,) = web.get(f"/v1/identities/{to_hex(maker.id)}").json()["claims"]

    assert (claim["subject"], claim["until"]) == (to_hex(maker.id), 0)
    assert (claim["public"], claim["listed"], claim["contradictedBy"]) == (False, True, [])
    assert claim["malformed"] is False
    query = {"scheme": claim["scheme"], "value": claim["value"]}
    held = web.get("/v1/identities", params=query).json()["claims"]
    assert [one["id"] for one in held] == [claim["id"]]
    nobody = web.get("/v1/identities", params={"scheme": "CAGE", "value": "1ABC2"}).json()
    assert nobody == {"claims": [], "identities": []}


def test_who_has_a_name_is_found_by_how_it_looks(web: httpx.Client, played: Played) -> None:
    designer = played.scene.designer
    name = designer.name

    for text in (name, name.upper(), name.replace("o", "\u043e").replace("e", "\u0435")):
        found = web.get("/v1/identities", params={"name": text}).json()
        assert [(one["id"], one["name"]) for one in found["identities"]] == [
            (to_hex(designer.id), name)
        ]
        sent = web.get("/search", params={"q": text})
        assert sent.headers["location"] == f"/orgs/{to_hex(designer.id)}"
    assert web.get("/v1/identities", params={"name": "nobody"}).json()["identities"] == []


def test_a_forged_name_is_taken_and_told(web: httpx.Client, played: Played) -> None:
    maker, forger = played.workshops[0].maker.party, played.scene.designer.home
    forged = maker.name.replace("o", "\u043e")
    copy = forger.identities(KeyName("account")).register(
        IdentityKind.ORGANIZATION, {"name": forged}
    )
    block = forger.indexing.follow().number
    until(lambda: indexed(played.node) >= block)

    body = forger.disclosing.show(DocumentKind.PROFILE, copy)
    played.node.disclose(DocumentKind.PROFILE, copy, body)

    shown = web.get(f"/v1/identities/{to_hex(copy)}").json()
    assert [one["id"] for one in shown["looksLike"]] == [to_hex(maker.id)]
    assert shown["mixedScripts"] == ["CYRILLIC", "LATIN"]
    card, honest = (web.get(f"/orgs/{to_hex(one)}").text for one in (copy, maker.id))
    assert "This name looks like that of" in card
    assert "mixes Cyrillic and Latin letters" in card
    assert "Later on record under a name that looks the same" in honest
    assert "This name looks like that of" not in honest
    names = web.get("/search", params={"q": maker.name})
    assert names.headers["location"].startswith("/names?q=")
    listed = web.get(names.headers["location"]).text
    assert listed.index(to_hex(maker.id)) < listed.index(to_hex(copy))


def test_a_proposed_controller_is_shown(web: httpx.Client, played: Played) -> None:
    party, other = played.workshops[0].maker.party, played.scene.designer.home
    account = other.account(KeyName("account")).address
    own = party.home.identities(KeyName("account"))
    machine = own.register(IdentityKind.MACHINE, {"name": "Printer"})
    own.propose_controller(machine, account)
    block = party.home.indexing.follow().number
    until(lambda: indexed(played.node) >= block)

    shown = web.get(f"/v1/identities/{to_hex(machine)}").json()

    assert shown["proposedController"] == to_hex(account)
    assert (
        f"Proposed to speak</dt><dd>{to_hex(account)}" in web.get(f"/orgs/{to_hex(machine)}").text
    )


def test_guardians_are_named_and_their_recovery_is_cancelled(played: Played) -> None:
    maker, guardian = played.workshops[0].maker.party, played.scene.designer.home
    account = guardian.account(KeyName("account")).address
    own = maker.home.guardians(KeyName("account"))

    own.name(maker.id, [account], threshold=1, delay=86_400)
    guardian.guardians(KeyName("account")).support(maker.id, account)
    maker.home.indexing.follow()
    with maker.home.store.reading() as view:
        named, running = standing(maker.id, view.facts), recovery(maker.id, view.facts)
    with pytest.raises(RecoveryTooEarlyError):
        guardian.guardians(KeyName("account")).accept(maker.id)
    own.cancel(maker.id)
    maker.home.indexing.follow()

    assert named is not None
    assert (named.guardians, named.threshold, named.delay) == ((account,), 1, 86_400)
    assert running is not None
    assert running.candidate == account
    with maker.home.store.reading() as view:
        assert recovery(maker.id, view.facts) is None


def test_warnings_are_told_with_who_gave_them(web: httpx.Client, played: Played) -> None:
    home, authority = played.scene.designer.home, played.scene.authority
    name, own = KeyName("account"), funded(home, "lender")
    account = home.account(own).address
    machine = home.identities(own).register(IdentityKind.MACHINE, {"name": "Lent machine"})
    public = PublicKey(algorithm=Algorithm.ED25519, data=b"\x07" * 32)
    key, now = home.identities(own).add_key(machine, public), home.ledger.head(final=True).time
    home.guardians(own).name(machine, [account], threshold=1, delay=86_400)
    home.guardians(own).support(machine, authority.home.account(name).address)
    since = Suspicion(since=home.ledger.head(final=True).time)
    home.notices(own).back_of_key(machine, key, since)
    home.notices(own).of_controller(machine, since)
    warning = authority.home.notices(name)
    warning.warn_of_key(authority.id, machine, key, Suspicion(since=now))

    path, done = f"/v1/identities/{to_hex(machine)}", home.ledger.head(final=True).number
    until(lambda: indexed(played.node) >= done)
    told = web.get(path).json()
    card = web.get(f"/orgs/{to_hex(machine)}", headers={"Accept": "text/html"}).text

    by_guardians, by_owner, by_authority = told["notices"]
    assert (by_guardians["key"], by_guardians["guardians"]) == (to_hex(key), True)
    assert (by_owner["controller"], by_owner["key"], by_owner["listed"]) == (1, None, True)
    assert (by_authority["authority"], by_authority["listed"]) == (to_hex(authority.id), False)
    assert told["recovery"]["candidate"] == to_hex(authority.home.account(name).address)
    assert told["controllers"] == 1
    for words in (
        "The present controller (number 1) may be in other hands",
        "its guardians",
        "its own controller",
        "authority not listed",
        "Guardians are giving it another controller",
    ):
        assert words in card, words


def test_a_design_is_shown_with_its_revisions(web: httpx.Client, played: Played) -> None:
    revision = played.package.revision

    shown = web.get(f"/v1/designs/{to_hex(revision.design)}").json()

    assert [one["number"] for one in shown["revisions"]] == [1]
    assert shown["revisions"][0]["root"] == to_hex(revision.root)
    assert web.get(f"/v1/content/{shown['revisions'][0]['cid']}").status_code == 200


def test_a_license_is_shown_with_its_lanes(web: httpx.Client, played: Played) -> None:
    license_id = played.workshops[0].assignment.external.license

    shown = web.get(f"/v1/licenses/{to_hex(license_id)}").json()

    lanes = {lane["lane"]: lane for lane in shown["lanes"]}
    own = lanes[played.workshops[0].lane]
    full = lanes[played.workshops[-1].lane]
    assert (shown["units"], shown["parent"]) == (60, None)
    assert (shown["currency"], shown["royalty"], shown["fee"]) == ("0x" + "00" * 20, "0", "0")
    assert own["reclaimAt"] == 0
    assert (own["holder"], own["log"]) == (to_hex(played.workshops[0].maker.site), 1)
    assert full["next"] == full["end"] == full["first"] + 20
    assert shown["drawn"] == sum(lane["next"] - lane["first"] for lane in lanes.values())


@pytest.mark.parametrize(
    ("path", "code"),
    [
        (f"/v1/identities/{UNKNOWN}", "identity.unknown"),
        (f"/v1/designs/{UNKNOWN}", "design.unknown"),
        (f"/v1/licenses/{UNKNOWN}", "license.unknown"),
        ("/v1/logs/1/records/99", "log.recordUnknown"),
        ("/v1/logs/1/records/99/leaves", "log.recordUnknown"),
        ("/v1/logs/1099511627775/records/1099511627775", "log.recordUnknown"),
    ],
)
def test_what_no_final_block_holds_is_not_found(web: httpx.Client, path: str, code: str) -> None:
    answer = web.get(path)

    assert (answer.status_code, answer.json()["code"]) == (404, code)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/identities/0x12",
        f"/v1/designs/{UNKNOWN[2:]}",
        f"/v1/licenses/{UNKNOWN.replace('12', 'AB')}",
        "/v1/logs/01/records/0",
        "/v1/logs/-1/records/0",
        "/v1/logs/1/records/1099511627776",
        "/v1/logs/1/records/1_0",
        "/v1/logs/1/records/%D9%A1",
    ],
)
def test_a_malformed_name_is_refused(web: httpx.Client, path: str) -> None:
    answer = web.get(path)

    assert (answer.status_code, answer.json()["code"]) == (400, "http.parameterInvalid")


def test_the_leaves_of_a_batch_make_its_root(web: httpx.Client) -> None:
    record = web.get("/v1/logs/1/records/0").json()

    answer = web.get("/v1/logs/1/records/0/leaves")

    leaves = [answer.content[at : at + 32] for at in range(0, len(answer.content), 32)]
    assert len(leaves) == record["count"]
    assert to_hex(MerkleTree(leaves).root()) == record["root"]
    tag = answer.headers["etag"]
    again = web.get("/v1/logs/1/records/0/leaves", headers={"If-None-Match": tag})
    assert again.status_code == 304


def test_another_operator_s_leaves_are_its_own_matter(web: httpx.Client) -> None:
    assert web.get("/v1/logs/2/records/0").status_code == 200
    assert web.get("/v1/logs/2/records/0/leaves").status_code == 404


def test_accreditations_are_shown_and_judged_by_the_nodes_list(
    web: httpx.Client, played: Played
) -> None:
    maker, site = played.workshops[0].maker.party.id, played.workshops[0].maker.site
    address = f"/v1/identities/{to_hex(maker)}"

    (given,) = web.get(f"{address}/accreditations").json()["accreditations"]
    query = {"standard": given["standard"], "site": to_hex(site)}
    held = web.get(f"{address}/accredited", params=query).json()
    before = web.get(f"{address}/accredited", params={**query, "at": given["since"] - 1}).json()
    other = web.get(f"{address}/accredited", params={"standard": "ISO 13485"}).json()

    certifier, authority = to_hex(played.scene.certifier), to_hex(played.scene.authority.id)
    assert (given["issuer"], given["listed"], given["until"]) == (certifier, False, 0)
    assert (held["accredited"], held["standing"]) == (True, "held")
    assert [link["issuer"] for link in held["chain"]] == [certifier, authority]
    assert [link["listed"] for link in held["chain"]] == [False, True]
    assert (before["accredited"], before["standing"]) == (False, "lapsed")
    assert (other["accredited"], other["standing"]) == (False, "outOfScope")


def test_the_card_shows_who_accredits_whom(web: httpx.Client, played: Played) -> None:
    page = web.get(f"/orgs/{to_hex(played.workshops[0].maker.party.id)}").text

    assert "What it is accredited for" in page
    assert "holds now" in page
    assert page.index("Cabo Certification</a>, under") < page.index(
        "Example Register of Makers</a>, from"
    )
