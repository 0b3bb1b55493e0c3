"""A shop that joins: its steps are the same steps when they are done again."""

from dataclasses import replace

import pytest

from fakes.keys import signing_key
from fakes.store import MemoryNodeStore
from fakes.world import MACHINE, MAKER, Tools, World, make_world
from guildmark.domain.chain.facts import IdentityFact, KeyFact, SiteRecipeFact
from guildmark.domain.identifiers import Bytes32
from guildmark.domain.identity.identity import IdentityKind
from guildmark.domain.rights.lawful import CountryUnknownError
from guildmark.ports.chain import IdempotencyMismatchError, NotFinalInTimeError
from guildmark.ports.store import DocumentKind
from guildmark.services.shops.joining import Drawn, Handed, Joining, RecipeForeignError, Shop

SHOP = Shop(
    name="Oficina Mondego",
    country="PT",
    site="Coimbra",
    machine="Trellis M2",
    instruments=("Caliper", "Scale"),
)


@pytest.fixture
def world() -> World:
    return make_world()


def joining_of(tools: Tools, seed: bytes = b"seed") -> Joining:
    return Joining(ledger=tools.chain, account=tools.account(MAKER), store=tools.store, seed=seed)


def test_what_is_drawn_again_is_the_same_and_no_purposes_share_it() -> None:
    def drawn(seed: bytes, purpose: str) -> list[bytes]:
        source = Drawn(seed=seed, purpose=purpose)
        return [source.token(32), source.token(32)]

    one = drawn(b"seed", "a")

    assert one == drawn(b"seed", "a")
    assert len({*one, *drawn(b"seed", "b"), *drawn(b"other", "a")}) == 6
    assert Drawn(seed=b"seed", purpose="a").token(7) == one[0][:7]


def test_shop_registers_itself_and_links_what_belongs_together(world: World) -> None:
    tools = world.tools

    joined = joining_of(tools).register(SHOP)

    tools.indexing(world.log).follow()
    with tools.store.reading() as view:
        named = {
            one: view.facts.get(IdentityFact, one)
            for one in (joined.organization, joined.site, joined.machine, *joined.instruments)
        }
        profile = view.documents.get(DocumentKind.PROFILE, joined.site)
    kinds = [fact.kind for fact in named.values() if fact is not None]
    assert kinds == [
        *(IdentityKind.ORGANIZATION, IdentityKind.SITE, IdentityKind.MACHINE),
        *(IdentityKind.MACHINE, IdentityKind.MACHINE),
    ]
    assert profile is not None
    assert b'"country":"PT"' in profile
    assert tools.chain._parent_of(joined.site) == joined.organization
    assert tools.chain._parent_of(joined.machine) == joined.site


def test_done_again_it_sends_nothing(world: World) -> None:
    tools = world.tools
    first = joining_of(tools).register(SHOP)
    joining_of(tools).add_key(first.machine, signing_key(tools.keys, MACHINE))
    sent = dict(tools.outbox.sent)

    again = joining_of(tools).register(SHOP)
    joining_of(tools).add_key(again.machine, signing_key(tools.keys, MACHINE))

    assert again == first
    assert tools.outbox.sent == sent


def test_another_seed_is_another_shop(world: World) -> None:
    first = joining_of(world.tools).register(SHOP)

    other = joining_of(world.tools, b"other").register(SHOP)

    assert not {first.organization, first.site, first.machine} & {
        *(other.organization, other.site, other.machine)
    }


def test_link_that_was_asked_for_and_not_accepted_goes_on(world: World) -> None:
    tools = world.tools
    own = joining_of(tools)
    identities = own._identities("link")
    site = own._register(IdentityKind.SITE, {"name": SHOP.site, "country": "PT"})
    organization = own._register(IdentityKind.ORGANIZATION, {"name": SHOP.name, "country": "PT"})
    identities.request_link(site, organization)

    joined = own.register(SHOP)

    assert (joined.site, joined.organization) == (site, organization)
    assert tools.chain.link_counts[site, organization] == 1


def test_other_names_under_the_same_seed_are_refused(world: World) -> None:
    joining_of(world.tools).register(SHOP)

    with pytest.raises(IdempotencyMismatchError):
        joining_of(world.tools).register(replace(SHOP, name="Oficina Tejo"))


def test_country_is_checked_before_anything_is_sent(world: World) -> None:
    sent = dict(world.tools.outbox.sent)

    with pytest.raises(CountryUnknownError):
        joining_of(world.tools).register(replace(SHOP, country="XX"))

    assert world.tools.outbox.sent == sent


def test_shop_without_country_says_none(world: World) -> None:
    joined = joining_of(world.tools).register(replace(SHOP, country=None, instruments=()))

    with world.tools.store.reading() as view:
        profile = view.documents.get(DocumentKind.PROFILE, joined.organization)
    assert profile is not None
    assert b"country" not in profile


def test_key_signs_for_the_machine(world: World) -> None:
    tools = world.tools
    joined = joining_of(tools).register(SHOP)

    joining_of(tools).add_key(joined.machine, signing_key(tools.keys, MACHINE))

    tools.indexing(world.log).follow()
    with tools.store.reading() as view:
        assert [one.machine for one in view.facts.each(KeyFact)].count(joined.machine) == 1


def test_recipe_is_derived_alike_each_time_and_kept(world: World) -> None:
    tools = world.tools
    joined = joining_of(tools).register(SHOP)
    with tools.store.reading() as view:
        body = view.documents.get(DocumentKind.RECIPE_DOCUMENT, world.recipe.id())
    document = tools.recipes(MAKER).document(world.recipe.id())
    choices = {"/process/layer_height": "0.36"}
    shop = replace(joining_of(tools), store=MemoryNodeStore())

    handed = Handed(recipe=world.recipe, document=document)
    first = shop.choose(handed, joined, choices, model="M2")
    again = shop.choose(handed, joined, choices, model="M2")

    assert first == again
    with shop.store.reading() as view:
        assert view.documents.get(DocumentKind.RECIPE_DOCUMENT, world.recipe.id()) == body
        assert view.documents.get(DocumentKind.RECIPE_DOCUMENT, first) is not None
    tools.indexing(world.log).follow()
    with tools.store.reading() as view:
        own = view.facts.get(SiteRecipeFact, first)
    assert own is not None
    assert (own.recipe.site, own.recipe.master) == (joined.site, world.recipe.id())


def test_recipe_of_a_hub_is_held_against_what_it_promised_and_the_chain(world: World) -> None:
    shop, document = joining_of(world.tools), world.tools.recipes(MAKER).document(world.recipe.id())
    eased = replace(document.clauses[0], salt=Bytes32(bytes(32)))
    other = replace(document, clauses=(eased, *document.clauses[1:]))
    invented = replace(world.recipe, root=other.root())

    shop.check(world.recipe.id(), Handed(recipe=world.recipe, document=document))

    for recipe, handed in ((world.recipe, other), (invented, other), (invented, document)):
        with pytest.raises(RecipeForeignError, match=r"handed out is not 0x") as refused:
            shop.check(world.recipe.id(), Handed(recipe=recipe, document=handed))
        assert refused.value.code == "join.recipeForeign"
    with pytest.raises(RecipeForeignError, match=r"Nobody published the recipe 0x"):
        shop.check(invented.id(), Handed(recipe=invented, document=other))


def test_step_that_is_not_final_is_no_step_twice(world: World) -> None:
    tools = world.tools
    tools.chain.unfinal = 1
    joined = joining_of(tools).register(SHOP)

    tools.chain.unfinal = 0

    assert joining_of(tools).register(SHOP) == joined
    assert NotFinalInTimeError.code == "chain.notFinal"
