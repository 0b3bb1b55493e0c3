"""Accreditations by command: given, shown, revoked, and looked up by the reader's own list."""

from dataclasses import replace
from pathlib import Path

import pytest

from fakes.store import MemoryNodeStore
from fakes.world import ISSUER, OPERATOR, World
from guildmark.bootstrap import Home
from guildmark.domain import trust as trust_file
from guildmark.domain.identifiers import Digest, to_hex
from guildmark.domain.identity.accreditation import ScopeDocument
from guildmark.domain.trust import Listed, Trust
from guildmark.services.identity.accreditations import accreditations_of
from guildmark.services.identity.notices import Suspicion
from unit.cli.speaking import Speak

pytestmark = pytest.mark.usefixtures("home")

STANDARD = "ISO 13485"


@pytest.fixture
def certified(speak: Speak, world: World) -> str:
    """Let an operator accredit an issuer, and the issuer the maker; return the maker's."""
    issuer, maker = to_hex(world.issuer), to_hex(world.maker)
    upper = ("accreditation", "give", to_hex(world.operator), issuer, STANDARD)
    speak(*upper, "--delegations", "1", "--public", "--as", OPERATOR)
    limits = ("--process", "sls", "--process", "fdm", "--certificate", "DE-1", "--to", "2090-01-01")
    return speak("accreditation", "give", issuer, maker, STANDARD, *limits, "--as", ISSUER).out


@pytest.fixture
def trusted(world: World, tmp_path: Path) -> Path:
    pin = world.tools.chain.pin()
    path = tmp_path / "list.json"
    listed = (Listed(id=world.operator),)
    path.write_bytes(trust_file.serialise(Trust(version=1, chain=pin, issuers=listed)))
    return path


def test_an_accreditation_is_shown_with_its_scope(
    speak: Speak, world: World, certified: str
) -> None:
    shown = speak("accreditation", "show", certified, "--json").json

    assert shown["issuer"] == to_hex(world.issuer)
    assert (shown["by"], shown["subject"]) == ("I", to_hex(world.maker))
    assert (shown["standard"], shown["processes"]) == (STANDARD, ["fdm", "sls"])
    assert (shown["certificate"], shown["delegations"]) == ("DE-1", 0)
    assert (shown["to"], shown["revokedAt"]) == (3786912000, 0)
    assert shown["recordedAt"] == world.tools.chain.now


def test_the_accreditations_of_an_identity_are_listed(
    speak: Speak, world: World, certified: str
) -> None:
    (row,) = speak("accreditation", "list", to_hex(world.maker), "--json").json["accreditations"]
    people = speak("accreditation", "list", to_hex(world.maker)).out

    assert (row["id"], row["standard"], row["certificate"]) == (certified, STANDARD, "DE-1")
    assert "DE-1" in people


def test_what_this_home_cannot_read_is_shown_by_its_digest(speak: Speak, world: World) -> None:
    elsewhere = replace(world.tools.accreditations(ISSUER), store=MemoryNodeStore())
    given = elsewhere.give(world.issuer, world.site, ScopeDocument(standard=STANDARD))

    shown = speak("accreditation", "show", to_hex(given), "--json").json
    (row,) = speak("accreditation", "list", to_hex(world.site), "--json").json["accreditations"]

    assert "standard" not in shown
    assert len(shown["scope"]) == 66
    assert row["standard"] is None


def test_a_check_follows_the_chain_to_the_readers_list(
    speak: Speak, world: World, certified: str, trusted: Path
) -> None:
    ask = ("accreditation", "check", to_hex(world.maker), "--scope", STANDARD, "--trust", trusted)
    at = ("--at", world.tools.chain.now)

    held = speak(*ask, "--process", "fdm", *at, "--json")
    other = speak(*ask, "--process", "cnc", *at, "--json")
    before = speak(*ask, "--process", "fdm", "--at", "1", "--json")

    assert (held.exit, held.json["accredited"]) == (0, True)
    assert [link["by"] for link in held.json["chain"]] == ["I", "O"]
    assert [link["listed"] for link in held.json["chain"]] == [False, True]
    assert (other.exit, other.json["standing"]) == (13, "outOfScope")
    assert (before.exit, before.json["standing"]) == (13, "lapsed")


def test_a_check_counts_nothing_that_was_given_in_doubt(
    speak: Speak, world: World, certified: str, trusted: Path
) -> None:
    world.tools.indexing(world.log).follow()
    with world.tools.store.reading() as view:
        (given,) = accreditations_of(world.maker, view)
    said = Suspicion(since=given.since)
    world.tools.notices(ISSUER).of_controller(world.issuer, said)
    world.tools.indexing(world.log).follow()
    ask = ("accreditation", "check", to_hex(world.maker), "--scope", STANDARD, "--trust", trusted)

    doubted = speak(*ask, "--process", "fdm", "--at", world.tools.chain.now, "--json")

    assert (doubted.exit, doubted.json["standing"]) == (23, "doubted")


def test_a_check_without_a_list_knows_no_root(
    speak: Speak, world: World, certified: str, trusted: Path
) -> None:
    ask = ("accreditation", "check", to_hex(world.maker), "--scope", STANDARD)
    at = ("--at", world.tools.chain.now)

    unlisted = speak(*ask, *at, "--json")
    absent = speak("accreditation", "check", to_hex(world.site), "--scope", "X", "--json")

    assert (unlisted.exit, unlisted.json["standing"]) == (16, "unlisted")
    assert (absent.exit, absent.json["standing"]) == (23, "absent")


def test_a_check_with_a_list_of_another_chain_is_refused(
    speak: Speak, world: World, trusted: Path
) -> None:
    known = trust_file.parse(trusted.read_bytes())
    contracts = {
        name: type(pin)(address=pin.address, code_hash=Digest(b"\1" * 32))
        for name, pin in known.chain.contracts.items()
    }
    pin = type(known.chain)(
        chain_id=known.chain.chain_id,
        genesis=known.chain.genesis,
        chain_class=known.chain.chain_class,
        contracts=contracts,
    )
    trusted.write_bytes(trust_file.serialise(Trust(version=1, chain=pin)))

    said = speak(
        *("accreditation", "check", to_hex(world.maker), "--scope", "X", "--trust", trusted)
    )

    assert (said.exit, "trust.otherChain" in said.err) == (16, True)


def test_a_revoked_accreditation_holds_no_more(
    speak: Speak, world: World, certified: str, trusted: Path
) -> None:
    told = speak("accreditation", "revoke", certified, "--as", ISSUER, "--json").json
    revoked = speak("accreditation", "show", certified, "--json").json["revokedAt"]

    ask = ("accreditation", "check", to_hex(world.maker), "--scope", STANDARD, "--trust", trusted)
    said = speak(*ask, "--at", revoked, "--json")

    assert told == {"id": certified, "state": "revoked"}
    assert said.exit == 13
    assert "was revoked at" in said.json["reason"]


def test_a_scope_that_says_nothing_is_refused(speak: Speak, world: World) -> None:
    said = speak(
        *("accreditation", "give", to_hex(world.issuer), to_hex(world.maker), " "),
        *("--as", ISSUER),
    )

    assert said.exit != 0
    assert "accreditation.malformedScope" in said.err


def test_an_accreditation_is_disclosed_to_a_file_and_received(
    speak: Speak, home: Home, certified: str, tmp_path: Path
) -> None:
    file = tmp_path / "scope.json"

    speak("disclose", "accreditation", certified, "--out", file)
    said = speak("receive", "accreditation", certified, file)

    assert (said.exit, said.out) == (0, "kept")
