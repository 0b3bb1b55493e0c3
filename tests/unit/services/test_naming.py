# ruff: noqa: RUF001 - letters that look alike are what this is about
"""Names: who is found by one, whose names look alike, and that none is refused for it."""

from collections.abc import Mapping

import pytest

from fakes.world import DESIGNER, ISSUER, MAKER, SITE, World, make_world
from guildmark.domain.chain.facts import IdentityFact
from guildmark.domain.identifiers import IdentityId
from guildmark.domain.identity.identity import IdentityKind
from guildmark.ports.store import DocumentKind
from guildmark.services.identity.naming import LOOKALIKES_MAX, Lookalike

# Names of honest companies in their own letters.
HONEST = [
    *("Завод Мир", "Ελληνικά Ναυπηγεία", "東京精密株式会社", "トヨタ自動車", "삼성전자 三星"),
    *("شركة الصناعات", "בית חרושת", "भारत फोर्ज", "Société Générale", "Łódź Sp. z o.o."),
    *("Müller & Söhne", "O'Brien 3D-Druck", "ꯃꯅꯤꯄꯨꯔ", "ไทย โลหะ", "北京大学ㄅㄆ", "Завод BMW"),
]


@pytest.fixture
def world() -> World:
    return make_world()


def register(world: World, name: str, *, by: str = DESIGNER) -> IdentityId:
    profile: Mapping[str, str] = {"name": name}
    made = world.tools.identities(by).register(IdentityKind.ORGANIZATION, profile)
    world.tools.indexing(world.log).follow()
    return made


def find(world: World, text: str) -> list[IdentityId]:
    with world.tools.store.reading() as view:
        return [fact.id for fact in world.tools.naming.find(text, view)]


def like(world: World, identity: IdentityId) -> list[Lookalike]:
    with world.tools.store.reading() as view:
        fact = view.facts.get(IdentityFact, identity)
        assert fact is not None
        return list(world.tools.naming.lookalikes(fact, view))


@pytest.mark.parametrize(
    "text",
    [
        *("Oficina Mondego", "OFICINA MONDEGO", "oficina", "mondego oficina", "Mondego"),
        *("0ficina", "Оficina Моndego", "oficina  mondego "),
    ],
)
def test_a_name_is_found_by_how_it_looks(text: str, world: World) -> None:
    made = register(world, "Oficina Mondego")
    register(world, "Oficina Tejo Mondegos")

    assert made in find(world, text)
    assert find(world, "Oficina Mondego") == [made]


@pytest.mark.parametrize("text", ["", " ", "Oficina Sado", "Ofici", "nobody"])
def test_other_words_find_nobody(text: str, world: World) -> None:
    register(world, "Oficina Mondego")

    assert find(world, text) == []


def test_marks_around_words_do_not_count(world: World) -> None:
    made = register(world, "Mondego, Lda. (Coimbra) & Filhos")

    assert find(world, "Coimbra, Mondego") == find(world, "filhos") == [made]
    assert find(world, "&") == []


def test_capitals_find_small_letters(world: World) -> None:
    made = register(world, "Michael Iron")

    assert find(world, "MICHAEL IRON") == find(world, "michael iron") == [made]


def test_several_of_one_name_are_found_in_order(world: World) -> None:
    one, other = register(world, "Oficina"), register(world, "Oficina", by=MAKER)

    assert find(world, "Oficina") == [one, other]


def test_a_former_name_finds_nobody(world: World) -> None:
    made = register(world, "Oficina Mondego")
    world.tools.identities(DESIGNER).change_profile(made, {"name": "Mondego & Filhos"})
    world.tools.indexing(world.log).follow()

    assert (find(world, "Oficina"), find(world, "Mondego")) == ([], [made])


def test_names_are_found_after_the_index_is_made_anew(world: World) -> None:
    made = register(world, "Oficina Mondego")

    world.tools.indexing(world.log).rebuild()

    assert find(world, "Mondego") == [made]


def test_a_name_is_found_once_it_is_disclosed(world: World) -> None:
    made = register(world, "Oficina Mondego")
    with world.tools.store.reading() as view:
        body = view.documents.get(DocumentKind.PROFILE, made)
    assert body is not None
    world.tools.store.forget_documents(DocumentKind.PROFILE)
    world.tools.indexing(world.log).rebuild()
    before = find(world, "Mondego")

    world.tools.disclosing.receive(DocumentKind.PROFILE, made, body)

    assert (before, find(world, "Mondego")) == ([], [made])


@pytest.mark.parametrize("forged", ["Oficina Mondego", "0ficina Mondego", "Оficinа Mondego"])
def test_who_looks_like_another_is_told_so(forged: str, world: World) -> None:
    honest = register(world, "Oficina Mondego")
    copy = register(world, forged, by=MAKER)

    (of_copy,), (of_honest,) = like(world, copy), like(world, honest)

    assert (of_copy.identity, of_copy.name, of_copy.is_older) == (honest, "Oficina Mondego", True)
    assert (of_honest.identity, of_honest.name, of_honest.is_older) == (copy, forged, False)


def test_a_longer_name_looks_like_no_shorter_one(world: World) -> None:
    register(world, "Oficina")
    other = register(world, "Oficina Mondego", by=MAKER)

    assert like(world, other) == []


def test_what_one_account_speaks_for_may_share_a_name(world: World) -> None:
    register(world, "Oficina")

    assert like(world, register(world, "Oficina")) == []


@pytest.mark.parametrize("links", [True, False])
def test_a_site_may_be_called_as_its_company(links: bool, world: World) -> None:
    company = register(world, "Oficina", by=MAKER)
    site = register(world, "Oficina", by=SITE)
    if links:
        world.tools.identities(SITE).request_link(site, company)
        world.tools.identities(MAKER).accept_link(site, company)
    world.tools.indexing(world.log).follow()

    assert len(like(world, site)) == len(like(world, company)) == (0 if links else 1)


def test_a_site_that_left_is_no_company_of_its_own_side(world: World) -> None:
    company, site = register(world, "Oficina", by=MAKER), register(world, "Oficina", by=SITE)
    world.tools.identities(SITE).request_link(site, company)
    world.tools.identities(MAKER).accept_link(site, company)
    world.tools.identities(MAKER).end_link(site, company)
    world.tools.indexing(world.log).follow()

    assert len(like(world, site)) == 1


def test_a_crowd_of_lookalikes_is_cut(world: World) -> None:
    honest = register(world, "Oficina")
    for _ in range(LOOKALIKES_MAX + 1):
        world.tools.identities(ISSUER).register(IdentityKind.ORGANIZATION, {"name": "0ficina"})
    world.tools.indexing(world.log).follow()

    assert len(like(world, honest)) == LOOKALIKES_MAX


def test_a_line_of_links_may_go_round(world: World) -> None:
    one, other = register(world, "Oficina", by=MAKER), register(world, "Oficina", by=SITE)
    for child, asks, parent, accepts in ((one, MAKER, other, SITE), (other, SITE, one, MAKER)):
        world.tools.identities(asks).request_link(child, parent)
        world.tools.identities(accepts).accept_link(child, parent)
    world.tools.indexing(world.log).follow()

    assert like(world, one) == []


@pytest.mark.parametrize("name", HONEST)
def test_an_honest_name_is_taken_without_a_word(name: str, world: World) -> None:
    made = register(world, name)

    assert world.tools.naming.mixed(name) == []
    assert like(world, made) == []
    assert find(world, name) == [made]


@pytest.mark.parametrize(
    ("name", "scripts"),
    [
        ("Оficina", ["CYRILLIC", "LATIN"]),
        ("Oficina Mοndego", ["GREEK", "LATIN"]),
        ("トヨtaヨタ", ["KATAKANA", "LATIN"]),
    ],
)
def test_a_mixed_word_is_named_and_taken(name: str, scripts: list[str], world: World) -> None:
    made = register(world, name)

    assert world.tools.naming.mixed(name) == scripts
    assert find(world, name) == [made]


def test_who_showed_no_name_looks_like_nobody(world: World) -> None:
    world.tools.store.forget_documents(DocumentKind.PROFILE)
    world.tools.indexing(world.log).rebuild()

    assert like(world, world.maker) == []
