"""Evidence holds only what a contract could hold, and no more of it than a reader reads."""

from dataclasses import replace
from typing import Any

import pytest

from fakes.cases.notices import on_controller
from fakes.simulator import GAUGE, MACHINE, SITE, Simulator, claim
from guildmark.domain.chain import storage
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.verification.evidence import ChainEvidence, EvidenceRangeError, LinkDisclosure
from guildmark.domain.verification.slots import required_slots

CORE, SHOWN = Simulator().make_core(), Simulator().make_disclosures()


@pytest.mark.parametrize("position", [0, 2**20 - 1])
def test_positions_of_a_batch_are_held(position: int) -> None:
    assert replace(CORE, position=position).index == 100 + position


@pytest.mark.parametrize("change", [{"position": -1}, {"position": 2**20}, {"path": (b"",) * 21}])
def test_positions_and_paths_beyond_a_batch_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(EvidenceRangeError):
        replace(CORE, **change)


@pytest.mark.parametrize("count", [0, 64])
def test_links_have_as_many_intervals_as_are_read(count: int) -> None:
    assert LinkDisclosure(child=MACHINE, parent=SITE, count=count).count == count


@pytest.mark.parametrize("count", [-1, 65])
def test_links_with_more_intervals_are_refused(count: int) -> None:
    with pytest.raises(EvidenceRangeError, match="0 to 64"):
        LinkDisclosure(child=MACHINE, parent=SITE, count=count)


@pytest.mark.parametrize("number", [0, 2**40])
def test_license_numbers_fit_their_field(number: int) -> None:
    with pytest.raises(EvidenceRangeError, match="license's number"):
        replace(SHOWN.licenses[0], number=number)


def test_numbers_that_no_contract_holds_are_refused() -> None:
    assert SHOWN.recipe is not None
    assert SHOWN.revision is not None
    assert SHOWN.beacon is not None
    with pytest.raises(GuildmarkError):
        replace(SHOWN.recipe, recipe=replace(SHOWN.recipe.recipe, revision=2**40))
    with pytest.raises(GuildmarkError):
        replace(SHOWN, revision=replace(SHOWN.revision, at=-1))
    with pytest.raises(GuildmarkError):
        replace(SHOWN, beacon=replace(SHOWN.beacon, time=2**40))
    with pytest.raises(GuildmarkError):
        replace(SHOWN.licenses[0], terms=replace(SHOWN.licenses[0].terms, units=2**40))
    with pytest.raises(GuildmarkError):
        replace(CORE, entry=replace(CORE.entry, previous=2**64))
    with pytest.raises(GuildmarkError):
        claim(SITE, "x" * 33, "value")


def test_what_no_reader_reads_is_refused() -> None:
    with pytest.raises(EvidenceRangeError, match="licenses must be 0 to 5, found 6"):
        replace(SHOWN, licenses=SHOWN.licenses * 6)
    with pytest.raises(EvidenceRangeError, match="claims must be 0 to 64, found 66"):
        replace(SHOWN, claims=SHOWN.claims * 33)
    with pytest.raises(EvidenceRangeError, match="profiles must be 0 to 64, found 65"):
        replace(SHOWN, profiles=SHOWN.profiles[:1] * 65)


def test_proofs_are_as_many_as_are_checked_in_a_second() -> None:
    chain = Simulator().evidence().chain
    proof = chain.accounts[ContractName.LOG]
    slot = proof.slots[0]

    def holding(slots: int, nodes: int) -> ChainEvidence:
        many = (replace(slot, nodes=slot.nodes[:1] * nodes),) * slots
        return replace(chain, accounts={ContractName.LOG: replace(proof, slots=many)})

    assert len(holding(2048, 9).accounts) == 1
    with pytest.raises(EvidenceRangeError, match="proven slots must be 0 to 2048, found 2049"):
        holding(2049, 0)
    with pytest.raises(EvidenceRangeError, match="nodes must be 0 to 20000, found 20001"):
        holding(1, 20_001)


def test_every_contract_is_asked_for_whatever_can_be_read() -> None:
    unreadable = replace(CORE, envelope=b"")
    hidden = replace(
        SHOWN,
        key=None,
        site_link=None,
        maker_link=None,
        operator=None,
        owner=None,
        revision=None,
        recipe=None,
        site_recipe=None,
        licenses=(),
        lanes=(),
        claims=(),
        profiles=(),
    )

    slots = required_slots(replace(unreadable, position=6), hidden)

    unasked = (ContractName.DIRECTORY, ContractName.EQUIVALENCE)
    assert list(slots) == [name for name in ContractName if name not in unasked]
    assert [len(each) for each in slots.values()] == [0, 0, 0, 0, 2, 1, 3]


def test_an_instrument_that_is_no_identity_needs_no_slot() -> None:
    named = Simulator()
    unnamed = Simulator(
        statement={
            "measurements": tuple(
                replace(one, instrument="a calliper") for one in named.make_statement().measurements
            )
        }
    )

    with_gauge = required_slots(named.make_core(), SHOWN)[ContractName.IDENTITIES]
    without = required_slots(unnamed.make_core(), SHOWN)[ContractName.IDENTITIES]

    # What it is, and whether anybody gave notice of who controls it.
    gauge = {storage.IDENTITIES.at(GAUGE).slot, on_controller(GAUGE).slot}
    assert set(with_gauge) - set(without) == gauge
    assert set(without) <= set(with_gauge)
