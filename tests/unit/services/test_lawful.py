"""Lawful use and licenses above, before keys are released and at the node's door."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from fakes.store import MemoryNodeStore
from fakes.world import DESIGNER, ISSUER, MAKER, OPERATOR, RECIPE, World, make_world
from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import ClaimFact, IdentityFact, LaneFact, ProfileFact
from guildmark.domain.chain.refusals import LicenseUnknownError
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import JsonValue
from guildmark.domain.identifiers import (
    Bytes32,
    ClaimId,
    Digest,
    IdentityId,
    Index,
    LicenseId,
    to_hex,
)
from guildmark.domain.identity.identity import ClaimDocument, profile_digest
from guildmark.domain.recipes.clause import Clause, ClauseClass, ClausePath, ClauseType
from guildmark.domain.recipes.clauses import (
    DisclosedClauses,
    Disclosure,
    DisclosureMismatchError,
    disclose_all,
)
from guildmark.domain.rights.terms import TermsKind, revision_member, terms_members
from guildmark.ports.keys import KeyAlgorithm, KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.identity.notices import Suspicion
from guildmark.services.index.projection import known
from guildmark.services.recipes.disclosing import DocumentUnknownError, claim_body, clauses_body
from guildmark.services.release.packages import Package, PackageMismatchError, Packages
from guildmark.services.rights.ancestry import TermsAboveError, above, verified_above
from guildmark.services.rights.lawful import (
    CountryNotAllowedError,
    NotClearedError,
    Place,
    TermsUnknownError,
)
from guildmark.services.rights.offers import Draft, Offer, Offers

SEALED = KeyName("packages")
CLASS = "ECCN 9E003"


@pytest.fixture
def world() -> World:
    world = make_world()
    world.tools.keys.create(SEALED, KeyAlgorithm.X25519)
    world.disclose()
    return world


def offers(world: World, name: str) -> Offers:
    tools = world.tools
    return Offers(licenses=tools.licenses(name), store=tools.store, entropy=tools.entropy)


def lane_of(world: World, number: int) -> LaneFact:
    world.tools.indexing().follow()
    with world.tools.store.reading() as view:
        return known(view.facts, LaneFact, number)


def offer(
    world: World, name: str, members: dict[TermsKind, Sequence[str]], lane: int | None = None
) -> Offer:
    draft = Draft(
        design=world.revision.design,
        units=2,
        holder=world.maker,
        members={TermsKind.TEXT: ["more"], **members},
        offer_until=world.tools.chain.now + 100,
    )
    seen = None if lane is None else lane_of(world, lane)
    return offers(world, name).make(draft, licensor=KeyName(name), lane=seen)


def granted(world: World, given: Offer) -> World:
    """Return the world under another license, with a lane of the site's for the log."""
    made = offers(world, MAKER).grant(given)
    first = lane_of(world, made.lane)
    lane = world.tools.licenses(MAKER).split(first, 2, log=world.log, to=world.site)
    tick = world.tools.logs(MAKER).tick()
    world.tools.indexing(world.log).follow()
    return replace(
        world,
        license=given.id,
        terms=given.terms,
        members=given.members,
        lane=lane,
        beacon=tick,
    )


def under(world: World, **kinds: Sequence[str]) -> World:
    """Return the world under a root license that names these kinds."""
    return granted(world, offer(world, DESIGNER, named(kinds)))


def below(world: World, above_: dict[str, Sequence[str]], **kinds: Sequence[str]) -> World:
    """Return the world under a license below another one."""
    upper = offers(world, MAKER).grant(offer(world, DESIGNER, named(above_)))
    return granted(world, offer(world, MAKER, named(kinds), lane=upper.lane))


def named(kinds: dict[str, Sequence[str]]) -> dict[TermsKind, Sequence[str]]:
    return {TermsKind[name]: texts for name, texts in kinds.items()}


def show_profile(world: World, country: str | None = "PT") -> None:
    """Let the site publish a profile and disclose it."""
    profile: dict[str, JsonValue] = {"name": "S"}
    if country is not None:
        profile["country"] = country
    salt, chain = Bytes32(sha256(b"profile")), world.tools.chain
    digest = profile_digest(profile, salt)
    chain.mine()
    chain.emit(ContractName.IDENTITIES, "ProfileChanged", id=world.site, profile=digest)
    world.tools.indexing().follow()
    body = canonical({**profile, "salt": to_hex(salt)})
    world.tools.disclosing.receive(DocumentKind.PROFILE, world.site, body)


def clear(
    world: World, subject: IdentityId, value: str = CLASS, scheme: str = "CONTROL"
) -> ClaimId:
    document = ClaimDocument(scheme=scheme, value=value, salt=Bytes32(sha256(value.encode())))
    elsewhere = replace(world.tools.identities(ISSUER), store=MemoryNodeStore())
    made = elsewhere.claim(world.issuer, subject, document)
    world.tools.indexing().follow()
    body = claim_body(world.issuer, subject, document)
    world.tools.disclosing.receive(DocumentKind.CLAIM, made, body)
    return ClaimId(made)


def seal(world: World, *issuers: IdentityId) -> bytes:
    packages: Packages = world.tools.packages
    package = packages.gather(world.license, world.recipe.id())
    return packages.seal(package, site=world.site, recipient=b"key", issuers=issuers)


def received(world: World) -> str:
    """Return the code with which the door answers a build, empty where it takes it."""
    (answer,) = world.tools.ingest(world.log).receive([world.envelope()])
    return "" if answer.error is None else answer.error.code


def test_allowed_country_gets_keys_and_is_taken_at_the_door(world: World) -> None:
    world = under(world, COUNTRY=["ES", "PT"], COUNTRY_DENIED=["FR"])
    show_profile(world)

    assert seal(world)
    # A build that began before the site said where it is may have been made elsewhere.
    assert received(world) == "license.countryNotAllowed"
    assert received(beaconed(world)) == ""


def beaconed(world: World) -> World:
    """Return the world with a beacon that is younger than all that was said."""
    beacon = world.tools.logs(OPERATOR).tick()
    world.tools.indexing(world.log).follow()
    return replace(world, beacon=beacon)


def test_a_profile_in_the_second_of_the_beacon_is_old_enough(world: World) -> None:
    world = under(world, COUNTRY=["PT"])
    show_profile(world)
    with world.tools.store.reading() as view:
        place = Place.known(world.site, None, view)
        since = known(view.facts, ProfileFact, world.site, profile_of(world)).since
    members = disclose_all(world.members).verify(world.terms.terms_root)

    place.check(1, members, begun=since)
    with pytest.raises(CountryNotAllowedError, match=f"only since {since}"):
        place.check(1, members, begun=since - 1)


def profile_of(world: World) -> Digest:
    with world.tools.store.reading() as view:
        return known(view.facts, IdentityFact, world.site).profile


def test_a_part_is_shown_with_where_its_site_said_to_be_meanwhile(world: World) -> None:
    world = under(world, COUNTRY=["PT"])
    show_profile(world)
    world = beaconed(world)
    with world.tools.store.reading() as view:
        former = view.documents.get(DocumentKind.PROFILE, world.site)
    assert received(world) == ""
    show_profile(world, "ES")
    line = world.tools.line(world.log)
    line.step()
    line.step()

    shown = world.tools.exporter.evidence(world.log, Index(0)).disclosed.profiles

    of_site = [one.document for one in shown if one.identity == world.site]
    assert len(of_site) == 2
    assert of_site[1] == former


@pytest.mark.parametrize(
    ("kinds", "country"),
    [
        ({"COUNTRY": ["ES"]}, "PT"),
        ({"COUNTRY_DENIED": ["PT"]}, "PT"),
        ({"COUNTRY": ["PT"], "COUNTRY_DENIED": ["PT"]}, "PT"),
        ({"COUNTRY": ["PT"]}, None),
    ],
)
def test_other_countries_get_no_keys_and_are_refused_at_the_door(
    world: World, kinds: dict[str, Sequence[str]], country: str | None
) -> None:
    world = under(world, **kinds)
    show_profile(world, country)

    with pytest.raises(CountryNotAllowedError) as caught:
        seal(world)

    assert caught.value.code == received(beaconed(world)) == "license.countryNotAllowed"
    assert caught.value.detail["country"] == country


def test_country_of_a_site_that_did_not_disclose_its_profile_is_not_known(world: World) -> None:
    world = under(world, COUNTRY=["PT"])
    with world.tools.store.writing() as work:
        work.documents.put(DocumentKind.PROFILE, world.site, b"")
    store = MemoryNodeStore()

    with store.reading() as view:
        assert Place.known(world.site, None, view).country is None


def test_profile_that_the_site_has_changed_since_proves_no_country(world: World) -> None:
    world = under(world, COUNTRY=["PT"])
    show_profile(world)
    assert seal(world)
    with world.tools.store.reading() as view:
        old = view.documents.get(DocumentKind.PROFILE, world.site)
    assert old is not None
    show_profile(world, "ES")
    with world.tools.store.writing() as work:
        work.documents.put(DocumentKind.PROFILE, world.site, old)

    with pytest.raises(CountryNotAllowedError):
        seal(world)


@pytest.mark.parametrize("who", ["site", "maker"])
def test_cleared_site_gets_keys_by_issuers_who_count(world: World, who: str) -> None:
    world = under(world, CONTROL_CLASS=[CLASS])
    clear(world, getattr(world, who))

    assert seal(world, world.issuer)
    assert received(world) == ""
    with pytest.raises(NotClearedError) as caught:
        seal(world, IdentityId(sha256(b"another issuer")))
    assert caught.value.code == "license.notCleared"
    with pytest.raises(NotClearedError):
        seal(world)


def test_site_that_is_cleared_for_something_else_gets_no_keys(world: World) -> None:
    world = under(world, CONTROL_CLASS=[CLASS])
    clear(world, world.site, "ECCN 9E001")
    clear(world, world.site, CLASS, scheme="OTHER")
    clear(world, world.operator)

    with pytest.raises(NotClearedError):
        seal(world, world.issuer)

    assert received(world) == "license.notCleared"


def test_clearance_that_is_revoked_or_not_disclosed_does_not_count(world: World) -> None:
    world = under(world, CONTROL_CLASS=[CLASS])
    made = clear(world, world.site)
    with world.tools.store.writing() as work:
        body = work.documents.get(DocumentKind.CLAIM, made)
    world.tools.store.forget_documents(DocumentKind.CLAIM)
    with pytest.raises(NotClearedError):
        seal(world, world.issuer)
    assert body is not None
    world.tools.disclosing.receive(DocumentKind.CLAIM, made, body)
    assert seal(world, world.issuer)

    world.tools.identities(ISSUER).revoke_claim(world.issuer, made)
    world.tools.indexing().follow()

    with pytest.raises(NotClearedError):
        seal(world, world.issuer)


@pytest.mark.parametrize(("later", "counts"), [(0, False), (1, True)])
def test_clearance_that_a_thief_may_have_given_does_not_count(
    world: World, later: int, counts: bool
) -> None:
    world = under(world, CONTROL_CLASS=[CLASS])
    made = clear(world, world.site)
    with world.tools.store.reading() as view:
        since = known(view.facts, ClaimFact, made).since
    world.tools.chain.mine()
    world.tools.chain.mine()

    notice = Suspicion(since=since + later)
    world.tools.notices(ISSUER).of_controller(world.issuer, notice)
    world.tools.indexing().follow()

    assert received(world) == ("" if counts else "license.notCleared")
    if counts:
        assert seal(world, world.issuer)
    else:
        with pytest.raises(NotClearedError):
            seal(world, world.issuer)


def test_terms_above_bind_keys_and_the_door(world: World) -> None:
    world = below(world, {"COUNTRY": ["ES"]}, COUNTRY=["PT"])
    show_profile(world)

    with pytest.raises(CountryNotAllowedError) as caught:
        seal(world)

    assert caught.value.detail["license"] == 2
    assert received(world) == "license.countryNotAllowed"


def test_site_that_a_license_above_does_not_name_is_refused(world: World) -> None:
    world = below(world, {"SITE": [to_hex(IdentityId(sha256(b"other")))]})

    with pytest.raises(Exception, match="License 2 does not allow site") as caught:
        seal(world)

    assert getattr(caught.value, "code", "") == "package.releaseRefused"
    assert received(world) == "license.notAllowed"


def test_license_above_that_is_stopped_releases_no_key(world: World) -> None:
    world = below(world, {})
    assert seal(world)
    world.tools.licenses(DESIGNER).stop(world.terms.parent, at=world.tools.chain.now + 900)

    with pytest.raises(Exception, match="License 2 has ended or is stopped"):
        seal(world)


def test_package_carries_the_terms_above(world: World) -> None:
    world = below(world, {"TEXT": ["upper"]}, TEXT=["lower"])
    package = world.tools.packages.gather(world.license, world.recipe.id())
    (shown,) = package.above
    site = replace(world.tools.packages, store=MemoryNodeStore())
    replace(world.tools.indexing(), store=site.store).follow()

    opened = site.open(seal(world), site=world.site, key=SEALED)

    assert opened == package
    with site.store.reading() as view:
        kept = view.documents.get(DocumentKind.TERMS, world.terms.parent)
    assert kept == clauses_body(shown)


def package_of(world: World, shown: tuple[Disclosure, ...]) -> Package:
    return Package(
        terms=world.terms,
        members=world.members,
        recipe=world.recipe,
        document=RECIPE,
        revision=world.revision,
        manifest=world.tools.designs(DESIGNER).files(world.revision.design).manifest,
        above=shown,
    )


def test_package_without_the_terms_above_is_not_sealed(world: World) -> None:
    world = below(world, {})

    with pytest.raises(TermsAboveError) as caught:
        world.tools.packages.seal(package_of(world, ()), site=world.site, recipient=b"key")

    assert caught.value.code == "license.termsAbove"


def test_package_with_other_terms_above_is_not_sealed(world: World) -> None:
    world = below(world, {})
    other = (disclose_all(world.members),)

    with pytest.raises(DisclosureMismatchError):
        world.tools.packages.seal(package_of(world, other), site=world.site, recipient=b"key")


def test_offer_carries_the_terms_above(world: World) -> None:
    upper = offers(world, MAKER).grant(offer(world, DESIGNER, {}))
    given = offer(world, MAKER, {}, lane=upper.lane)
    elsewhere = replace(offers(world, OPERATOR), store=MemoryNodeStore())
    replace(world.tools.indexing(), store=elsewhere.store).follow()
    assert len(given.above) == 1
    assert Offer.parse(given.encode()) == given

    elsewhere.grant(given)

    with elsewhere.store.reading() as view:
        kept = view.documents.get(DocumentKind.TERMS, given.terms.parent)
    assert kept == clauses_body(given.above[0])


def test_offer_without_the_terms_above_is_not_sent(world: World) -> None:
    upper = offers(world, MAKER).grant(offer(world, DESIGNER, {}))
    given = replace(offer(world, MAKER, {}, lane=upper.lane), above=())
    sent = len(world.tools.outbox.sent)

    with pytest.raises(TermsAboveError):
        offers(world, MAKER).grant(given)

    assert len(world.tools.outbox.sent) == sent


def test_licensor_who_lacks_the_terms_above_cannot_offer(world: World) -> None:
    upper = offers(world, MAKER).grant(offer(world, DESIGNER, {}))
    elsewhere = replace(offers(world, MAKER), store=MemoryNodeStore())
    replace(world.tools.indexing(), store=elsewhere.store).follow()
    lane = lane_of(world, upper.lane)
    draft = Draft(
        design=world.revision.design,
        units=1,
        holder=world.maker,
        members={TermsKind.TEXT: ["more"]},
        offer_until=world.tools.chain.now + 100,
    )

    with pytest.raises(DocumentUnknownError):
        elsewhere.make(draft, licensor=KeyName(MAKER), lane=lane)


def test_license_under_an_unknown_one_has_no_known_line(world: World) -> None:
    orphan = replace(world.terms, parent=LicenseId(sha256(b"nowhere")))

    with world.tools.store.reading() as view, pytest.raises(LicenseUnknownError):
        above(orphan, view.facts)
    with world.tools.store.reading() as view:
        assert list(verified_above(world.terms, (), view.facts)) == []


def test_line_is_named_from_the_nearest_to_the_root(world: World) -> None:
    upper = offers(world, MAKER).grant(offer(world, DESIGNER, {}))
    middle = offers(world, MAKER).grant(offer(world, MAKER, {}, lane=upper.lane))
    lowest = offer(world, MAKER, {}, lane=middle.lane)

    with world.tools.store.reading() as view:
        numbers = [one.number for one in above(lowest.terms, view.facts)]

    assert numbers == [middle.number, upper.number]


def test_members_of_another_license_are_a_mismatch(world: World) -> None:
    other = terms_members(
        {TermsKind.REVISION: [revision_member(world.revision.design, 1)]},
        new_salt=lambda: Bytes32(sha256(b"salt")),
    )
    package = replace(package_of(world, ()), members=other)
    packages = world.tools.packages

    with pytest.raises(DisclosureMismatchError):
        packages.seal(package, site=world.site, recipient=b"key")
    with pytest.raises(PackageMismatchError):
        packages.check(package)


def test_terms_of_a_kind_that_nobody_knows_allow_nothing(world: World) -> None:
    here = Place(site=world.site, country="DE", cleared=frozenset())
    known_, unknown = (
        Clause(
            path=ClausePath(path),
            type=ClauseType.TEXT,
            klass=ClauseClass.CORE,
            value="ACME",
            salt=Bytes32(bytes(32)),
        )
        for path in ("/terms/text/0000", "/terms/customer/0000")
    )

    here.check(3, DisclosedClauses(leaves=(known_.leaf_data(),), opened={0: known_}))

    with pytest.raises(TermsUnknownError) as caught:
        here.check(3, DisclosedClauses(leaves=(unknown.leaf_data(),), opened={0: unknown}))
    assert caught.value.detail == {"license": 3, "path": "/terms/customer/0000"}
