"""Two signatures and inspections, by two organizations' keys, on a real chain and a real node."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest

from demo import cast
from demo.actors import ACCOUNT, MACHINE, SITE, Maker
from demo.design import grant_license
from demo.making import fresh_beacon, shown_by_site
from demo.workshop import Workshop, prepare
from guildmark.adapters.evidence_http import Chain
from guildmark.domain import bundle
from guildmark.domain import trust as trust_file
from guildmark.domain.builds.dsse import envelope_digest
from guildmark.domain.builds.inspection import Result
from guildmark.domain.chain.facts import RevisionFact
from guildmark.domain.identifiers import Index, LogNumber
from guildmark.domain.identity.identity import key_id
from guildmark.domain.recipes.recipe import Recipe, Status
from guildmark.domain.trust import Listed, Trust
from guildmark.domain.verification.case import Brought
from guildmark.domain.verification.report import Report, Verdict
from guildmark.services.builds.builds import signing_key
from guildmark.services.builds.inspecting import Found
from guildmark.services.index.projection import known
from guildmark.verify import verify_bundle
from stages import Played, indexed, new_machine, until

pytestmark = [pytest.mark.chain, pytest.mark.needs("anvil")]

_COUNTERSIGNED = {
    "path": "/qa/countersignature",
    "class": "core",
    "type": "text",
    "criticality": "critical",
    "value": "other organization",
}


@dataclass(frozen=True, kw_only=True)
class Shop:
    """A maker who builds under a recipe that asks for two signatures, and who inspects him."""

    played: Played
    workshop: Workshop
    laboratory: Maker
    chain: Chain

    @property
    def trust(self) -> Trust:
        """Return the list of a customer who believes the laboratory, too."""
        scene, home = self.played.scene, self.laboratory.party.home
        return Trust(
            version=trust_file.VERSION,
            chain=home.ledger.pin(),
            operators=tuple(Listed(id=one.party.id) for one in scene.operators),
            issuers=(Listed(id=scene.authority.id),),
            inspectors=(Listed(id=self.laboratory.party.id),),
        )

    def submit(self, envelope: bytes) -> Mapping[str, Any]:
        (answer,) = self.played.node.submit([envelope])
        return answer

    def settled(self, envelope: bytes) -> tuple[LogNumber, Index]:
        """Send an envelope that must be taken, and wait until it is final."""
        node, digest = self.played.node, envelope_digest(envelope)
        answer = self.submit(envelope)
        assert answer["reception"] == "accepted", answer
        until(lambda: node.build(digest)["state"] == "final")
        found = node.build(digest)
        return LogNumber(found["log"]), Index(found["index"])

    def countersigned(self, envelope: bytes, by: Maker) -> bytes:
        return by.machine_home.builds.countersign(envelope, machine=by.machine, key=MACHINE)

    def inspected(self, data: bytes, result: Result) -> None:
        """Let the laboratory's instrument say what it found, on record."""
        home = self.laboratory.machine_home
        home.indexing.follow()
        entry = bundle.read(data).core.entry
        log, now = self.workshop.operator.log, home.clock.now()
        found = Found(part=entry, result=result, log=log, inspected_on=now)
        self.settled(home.inspecting.sign(found, machine=self.laboratory.machine, key=MACHINE))

    def exported(self, place: tuple[LogNumber, Index]) -> bytes:
        data = self.played.node.bundle(*place)
        assert data is not None
        return data

    def verdict(self, data: bytes, *beside: bytes, trust: Trust | None = None) -> Report:
        """Judge a bundle with a chain's node of the reader's own."""
        brought = [Brought(name="the node's", evidence=bundle.read(one)) for one in beside]
        return verify_bundle(
            data,
            trust or self.trust,
            look=self.chain.sighting,
            source=self.chain,
            others=lambda _: brought,
        )


@pytest.fixture(scope="module")
def shop(played: Played) -> Shop:
    """Return the second maker of the stage, under a recipe of his own."""
    scene, owner = played.scene, played.scene.designer
    usual = played.workshops[1]
    operator, key = usual.operator, signing_key(usual.maker.machine_home.keys, MACHINE)
    maker = replace(usual.maker, machine=new_machine(usual.maker, key))
    document = json.loads(cast.recipe())
    clauses = sorted([*document["clauses"], _COUNTERSIGNED], key=lambda one: one["path"])
    recipes = owner.home.recipes(ACCOUNT)
    draft = recipes.draft(json.dumps({**document, "clauses": clauses}).encode())
    revision = played.package.revision
    with owner.home.store.reading() as view:
        revealed = known(view.facts, RevisionFact, revision.design, revision.number)
    recipe = Recipe(root=draft.root(), design=revision.design, revision=revision.number)
    recipes.publish(recipe, draft, status=Status.QUALIFIED)
    terms, members, lanes = grant_license(
        owner, revealed, recipe, [(maker, operator)], units_a_site=2
    )
    package = replace(played.package, terms=terms, members=members, recipe=recipe, document=draft)
    workshop = prepare(maker, operator, lanes[0], package)
    block = owner.home.ledger.head(final=False).number
    until(lambda: indexed(played.node) >= block)
    for shown in shown_by_site(scene, workshop, package):
        played.node.disclose(*shown)
    laboratory = scene.makers[0]
    return Shop(
        played=played,
        workshop=workshop,
        laboratory=laboratory,
        chain=Chain(url=owner.home.settings.chain.url),
    )


def built(shop: Shop, number: int) -> bytes:
    beacon = fresh_beacon(shop.played.scene)
    block = shop.laboratory.party.home.ledger.head(final=True).number
    until(lambda: indexed(shop.played.node) >= block)
    return shop.workshop.build(number, beacon)


def test_a_part_needs_two_signatures_and_an_inspection_saves_it_from_a_notice(shop: Shop) -> None:
    """One story: refused, signed twice, verified, inspected, doubted, saved, failed."""
    envelope = built(shop, 1)
    refused(shop, envelope)
    place = shop.settled(shop.countersigned(envelope, shop.laboratory))
    first = shop.exported(place)
    verified(shop.verdict(first), "signed the statement, too")

    shop.inspected(first, Result.PASSED)
    passed = shop.exported(place)
    give_notice(shop, since=bundle.read(first).core.record.time - 1)
    doubted(shop.verdict(first))
    verified(shop.verdict(passed), "stands by the inspection")
    doubted(shop.verdict(passed, trust=replace(shop.trust, inspectors=())))
    late = shop.submit(shop.countersigned(built(shop, 2), shop.laboratory))
    assert late["reception"] == "refused"

    shop.inspected(first, Result.FAILED)
    verified(shop.verdict(passed), "may have been left out")
    failed = shop.verdict(passed, shop.exported(place))
    assert (failed.verdict, failed.checks[8].code) == (
        Verdict.PROBLEM,
        "verify.inspectionFailed",
    )
    assert failed.checks[2].code == "verify.keyInDoubt"


def refused(shop: Shop, envelope: bytes) -> None:
    maker = shop.workshop.maker
    alone = shop.submit(envelope)
    own = shop.submit(shop.countersigned(envelope, maker_with_instrument(maker)))

    assert (alone["reception"], alone["code"]) == ("refused", "recipe.countersignatureMissing")
    assert (own["reception"], own["code"]) == ("refused", "recipe.countersignatureMissing")


def verified(report: Report, note: str) -> None:
    assert (report.verdict, report.exit) == (Verdict.VERIFIED, 0), report
    assert any(note in one for one in report.notes), report.notes
    assert report.newest is not None


def doubted(report: Report) -> None:
    assert (report.checks[2].code, report.exit) == ("verify.keyInDoubt", 23)


def give_notice(shop: Shop, *, since: int) -> None:
    """Let the maker doubt the key that built the part."""
    maker = shop.workshop.maker
    name = key_id(maker.machine, signing_key(maker.machine_home.keys, MACHINE))
    maker.party.home.identities(SITE).give_notice(maker.machine, name, suspected_from=since)


def maker_with_instrument(maker: Maker) -> Maker:
    """Return the maker with the key of its own machine: a second signature of the same side."""
    return replace(maker, machine=maker.instrument)
