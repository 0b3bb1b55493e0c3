"""Chains that hold nothing in one slot that the part needs: a proven zero each."""

from collections.abc import Iterator, Mapping
from itertools import product

from fakes.corpus.case import Given
from fakes.simulator import (
    DESIGN,
    DESIGNER,
    FIRST_LANE,
    GAUGE,
    ISSUER,
    LANE,
    MACHINE,
    MAKER,
    NUMBER,
    OPERATOR,
    SITE,
    Simulator,
)
from guildmark.domain import bundle
from guildmark.domain.chain.storage import ALL_MAPPINGS, LINKS, Location
from guildmark.domain.identity.identity import key_id

_KEYS_MAX = 2
_PLACES = (9, 103)


def changed_words() -> Iterator[Given]:
    """Yield parts of chains that hold nothing in one slot, which is well proven."""
    honest = Simulator()
    shown = honest.evidence().chain.accounts
    slots = {Location(name, slot.slot) for name, proof in shown.items() for slot in proof.slots}
    words = honest.chain_words()
    for name, place in sorted(_names(honest).items()):
        if place in slots and words.get(place):
            simulator = Simulator(words={place: 0})
            yield Given(f"zero.{name}", bundle.write(simulator.evidence()), simulator.trust())


def _names(honest: Simulator) -> Mapping[str, Location]:
    """Return where the chain keeps what, by names for people."""
    keys = _keys(honest)
    found = {
        ".".join((mapping.name[1:], *names)): mapping.at(*(keys[name] for name in names))
        for mapping in ALL_MAPPINGS
        for count in range(1, _KEYS_MAX + 1)
        for names in product(keys, repeat=count)
    }
    found["links.machine.site.1"] = LINKS.at(MACHINE, SITE, 1)
    found["links.site.maker.1"] = LINKS.at(SITE, MAKER, 1)
    places = {place: name for name, place in reversed(found.items())}
    return {name: place for place, name in places.items()}


def _keys(honest: Simulator) -> Mapping[str, bytes | int]:
    parties = {"designer": DESIGNER, "maker": MAKER, "operator": OPERATOR, "site": SITE}
    things = {"machine": MACHINE, "gauge": GAUGE, "issuer": ISSUER, "design": DESIGN}
    claims = {f"claim-{at}": each.id() for at, each in enumerate(honest.claims)}
    papers = {
        "key": key_id(MACHINE, honest.signer.public),
        "license": honest.license_id(honest.make_terms()),
        "recipe": honest.make_recipe().id(),
        "site-recipe": honest.make_site_recipe().id(),
    }
    counted = (1, 2, LANE, FIRST_LANE, NUMBER, *_PLACES)
    numbers = {str(number): number for number in counted}
    return {**parties, **things, **claims, **papers, **numbers}
