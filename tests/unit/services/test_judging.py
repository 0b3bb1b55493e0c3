"""What a host says of a part: by its own list, with its own sight of the block."""

from dataclasses import dataclass, replace

import pytest

from fakes.world import World, make_world
from guildmark.domain import bundle
from guildmark.domain.identifiers import Index
from guildmark.domain.labels.digital_link import DigitalLink
from guildmark.domain.trust import Listed, Trust
from guildmark.domain.verification.case import Brought, Unsearched
from guildmark.domain.verification.evidence import Evidence
from guildmark.domain.verification.report import Lack
from guildmark.services.evidence.judging import Judging, own_trust

HOST = "parts.example"


@dataclass(frozen=True)
class StoppedClock:
    def now(self) -> int:
        return 1_700_000_100


@pytest.fixture
def world() -> World:
    world = make_world()
    world.disclose()
    world.tools.ingest(world.log).receive([world.envelope(1)])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    return world


def judging(world: World) -> Judging:
    trust = own_trust(world.tools.chain, world.operator)
    return Judging(ledger=world.tools.chain, clock=StoppedClock(), trust=trust, host=HOST)


def evidence(world: World) -> Evidence:
    return world.tools.exporter.evidence(world.log, Index(0))


def codes(world: World, shown: Evidence, number: int) -> set[str]:
    """Return the codes of a check's findings."""
    judged = judging(world).judge(bundle.write(shown), hint=(world.log, Index(0)))
    check = judged.report.checks[number]
    return {finding.cause.code for finding in check.findings}


def test_own_list_is_the_own_chain_and_log(world: World) -> None:
    trust = own_trust(world.tools.chain, world.operator)

    assert trust == Trust(
        version=1, chain=world.tools.chain.pin(), operators=(Listed(id=world.operator),)
    )


def test_what_the_host_knows_beside_the_bundle_is_judged(world: World) -> None:
    shown = evidence(world)
    silent = Unsearched(reason="A peer was away.")
    beyond = Unsearched(reason="There are more.", lack=Lack.EVIDENCE)
    other = Brought(name="7.1", evidence=shown)

    report = (
        judging(world)
        .judge(bundle.write(shown), hint=(world.log, Index(0)), beside=(silent, other, beyond))
        .report
    )

    assert "A peer was away." in report.notes
    assert any(note.startswith("Could not compare with 7.1:") for note in report.notes)
    assert "verify.labelEntriesBeyond" in {
        finding.cause.code for finding in report.checks[3].findings
    }


def test_final_block_of_the_own_chain_is_known(world: World) -> None:
    assert "verify.blockUnknown" not in codes(world, evidence(world), 0)


def test_block_that_the_own_chain_does_not_have_is_unknown(world: World) -> None:
    shown = evidence(world)
    world.tools.chain.blocks.pop()

    assert "verify.blockUnknown" in codes(world, shown, 0)


def test_header_that_is_none_is_named(world: World) -> None:
    shown = evidence(world)
    broken = replace(shown, chain=replace(shown.chain, header=b"x"))

    assert codes(world, broken, 0) == {"verify.headerMalformed"}


def test_another_scanned_part_is_a_problem(world: World) -> None:
    link = DigitalLink.parse("https://parts.example/id/abcdefgh/9-00009")

    judged = judging(world).judge(
        bundle.write(evidence(world)), hint=(world.log, Index(0)), link=link
    )

    assert "verify.labelMismatch" in {
        finding.cause.code for finding in judged.report.checks[3].findings
    }
