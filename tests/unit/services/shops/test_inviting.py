"""A hub's invitations: one shop each, in time, and nothing is paid or handed out twice."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from fakes.witnesses import StillClock
from fakes.world import ISSUER, MAKER, OPERATOR, SITE, World, make_world
from guildmark.domain.chain.facts import LaneFact
from guildmark.domain.chain.refusals import (
    CallerRefusedError,
    LicenseUnknownError,
    RecipeUnknownError,
)
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import Address, IdentityId, LaneNumber, RecipeId, UnitNumber
from guildmark.domain.identity.identity import IdentityKind
from guildmark.ports.keys import KeyName
from guildmark.ports.store import DocumentKind
from guildmark.services.index.projection import known
from guildmark.services.recipes.recipes import RecipeDocumentUnknownError
from guildmark.services.shops.inviting import (
    Invitation,
    InvitationExpiredError,
    InvitationUnknownError,
    InvitationUsedError,
    Inviting,
    LaneBusyError,
    Share,
    SiteForeignError,
    UnitsMissingError,
    digest_of,
)

NOW, DAY, COIN = 1_800_000_000, 86_400, 5 * 10**16


@dataclass
class Hub:
    """A hub that holds the world's lane, and a shop that may join."""

    world: World
    clock: StillClock
    inviting: Inviting

    @property
    def shop(self) -> Address:
        return self.world.tools.keys.address(KeyName(MAKER))

    def site(self, of: str = MAKER) -> IdentityId:
        return self.world.tools.identities(of).register(IdentityKind.SITE, {"name": "Shop"})

    def share(self, **changes: Any) -> Share:
        made = Share(
            lane=self.world.lane,
            units=1,
            recipe=RecipeId(self.world.recipe.id()),
            host="parts.example",
        )
        return replace(made, **changes)

    def token(self, share: Share | None = None, *, coin: int = COIN) -> str:
        return self.inviting.invite(seconds=DAY, coin=coin, share=share)[0]

    def follow(self) -> None:
        self.world.tools.indexing(self.world.log).follow()

    def lane(self, number: LaneNumber) -> LaneFact:
        self.follow()
        with self.world.tools.store.reading() as view:
            return known(view.facts, LaneFact, number)


@pytest.fixture
def hub() -> Hub:
    world, clock = make_world(), StillClock(NOW)
    tools = world.tools
    inviting = Inviting(
        ledger=tools.chain,
        account=tools.account(SITE),
        licenses=tools.licenses(SITE),
        store=tools.store,
        entropy=tools.entropy,
        clock=clock,
        log=world.log,
    )
    return Hub(world=world, clock=clock, inviting=inviting)


def test_token_is_kept_nowhere(hub: Hub) -> None:
    token, made = hub.inviting.invite(seconds=DAY, coin=COIN)

    assert made == Invitation(id=digest_of(token), made=NOW, until=NOW + DAY, coin=made.coin)
    with hub.world.tools.store.reading() as view:
        kept = view.documents.get(DocumentKind.INVITATION, made.id)
    assert kept is not None
    assert token.encode() not in kept
    assert hub.inviting.look(token) == made
    assert hub.inviting.each() == [made]


def test_invitations_are_listed_in_their_order(hub: Hub) -> None:
    assert hub.inviting.each() == []

    tokens = [hub.token() for _ in range(3)]

    assert [one.id for one in hub.inviting.each()] == [digest_of(token) for token in tokens]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"lane": LaneNumber(99)}, LicenseUnknownError),
        ({"units": 4}, UnitsMissingError),
        ({"recipe": RecipeId(bytes(32))}, RecipeUnknownError),
    ],
)
def test_what_a_hub_cannot_hand_out_it_cannot_promise(
    hub: Hub, changes: dict[str, object], error: type[GuildmarkError]
) -> None:
    with pytest.raises(error) as refused:
        hub.token(hub.share(**changes))

    assert type(refused.value) is error
    assert hub.inviting.each() == []
    assert hub.token(hub.share(units=3))


def test_recipe_that_the_hub_does_not_have_in_full_is_no_promise(hub: Hub) -> None:
    hub.world.tools.store.forget_documents(DocumentKind.RECIPE_DOCUMENT)

    with pytest.raises(RecipeDocumentUnknownError):
        hub.token(hub.share())


def test_first_account_takes_the_invitation_and_gets_coin_once(hub: Hub) -> None:
    token = hub.token()

    first = hub.inviting.admit(token, hub.shop)
    again = hub.inviting.admit(token, hub.shop)
    with pytest.raises(InvitationUsedError):
        hub.inviting.admit(token, hub.world.tools.keys.address(KeyName(ISSUER)))

    assert first == again == hub.inviting.look(token)
    assert hub.world.tools.chain.paid == [(hub.shop, COIN)]


def test_hub_that_pays_nothing_sends_nothing(hub: Hub) -> None:
    hub.inviting.admit(hub.token(coin=0), hub.shop)

    assert hub.world.tools.chain.paid == []


def test_invitation_ends_in_its_time_unless_it_was_used(hub: Hub) -> None:
    unused, used = hub.token(), hub.token()
    hub.inviting.admit(used, hub.shop)

    hub.clock.time = NOW + DAY
    hub.inviting.look(unused)
    hub.clock.time += 1
    with pytest.raises(InvitationExpiredError):
        hub.inviting.admit(unused, hub.shop)

    assert hub.inviting.look(used).account == hub.shop


def test_foreign_and_withdrawn_tokens_are_unknown(hub: Hub) -> None:
    token = hub.token()
    hub.inviting.withdraw(digest_of(token))

    for one in (token, "00" * 16):
        with pytest.raises(InvitationUnknownError):
            hub.inviting.look(one)
    with pytest.raises(InvitationUnknownError):
        hub.inviting.withdraw(digest_of("00" * 16))
    assert [one.is_withdrawn for one in hub.inviting.each()] == [True]


def test_recipe_is_shown_to_who_joined_only(hub: Hub) -> None:
    token, without = hub.token(hub.share()), hub.token()

    before = hub.inviting.recipe(hub.inviting.look(token))
    shown = hub.inviting.recipe(hub.inviting.admit(token, hub.shop))

    assert before is None
    assert shown is not None
    recipe, document = shown
    assert recipe.id() == hub.world.recipe.id()
    assert document.root() == recipe.root
    assert hub.inviting.recipe(hub.inviting.admit(without, hub.shop)) is None


def test_units_are_cut_off_once(hub: Hub) -> None:
    token, site = hub.token(hub.share(units=2)), hub.site()
    hub.inviting.admit(token, hub.shop)

    first = hub.inviting.hand_out(token, site)
    again = hub.inviting.hand_out(token, site)

    assert first == again
    assert first.lane is not None
    cut, left = hub.lane(first.lane), hub.lane(hub.world.lane)
    assert (cut.holder, cut.log, cut.end - cut.first) == (site, hub.world.log, 2)
    assert left.end - left.next == 1


def test_cut_that_was_sent_and_not_noted_is_found_again(hub: Hub) -> None:
    token, site = hub.token(hub.share()), hub.site()
    hub.inviting.admit(token, hub.shop)
    done = hub.inviting.hand_out(token, site)
    # As a process leaves it that ends between the chain's answer and the note of it.
    hub.inviting._change(done, end=done.end)
    hub.follow()

    assert hub.inviting.hand_out(token, site) == done


def test_units_go_to_sites_of_who_joined_only(hub: Hub) -> None:
    token, site = hub.token(hub.share()), hub.site()
    with pytest.raises(SiteForeignError):
        hub.inviting.hand_out(token, site)
    hub.inviting.admit(token, hub.shop)

    with pytest.raises(SiteForeignError):
        hub.inviting.hand_out(token, hub.site(ISSUER))
    hub.inviting.hand_out(token, site)
    with pytest.raises(InvitationUsedError):
        hub.inviting.hand_out(token, hub.site())


def test_invitation_without_units_hands_out_none(hub: Hub) -> None:
    token = hub.token()
    hub.inviting.admit(token, hub.shop)

    with pytest.raises(UnitsMissingError):
        hub.inviting.hand_out(token, hub.site())


def test_lane_that_was_used_up_meanwhile_hands_out_none(hub: Hub) -> None:
    promised, other = hub.token(hub.share(units=3)), hub.token(hub.share())
    for token in (promised, other):
        hub.inviting.admit(token, hub.shop)
    hub.inviting.hand_out(other, hub.site())
    hub.follow()

    with pytest.raises(UnitsMissingError):
        hub.inviting.hand_out(promised, hub.site())


@pytest.mark.parametrize("units", [1, 2])
def test_two_cuts_of_one_moment_come_one_after_the_other(hub: Hub, units: int) -> None:
    first, second = hub.token(hub.share()), hub.token(hub.share(units=units))
    for token in (first, second):
        hub.inviting.admit(token, hub.shop)
    site = hub.site()
    hub.follow()

    # The index has not read the first cut when the second one is asked for.
    hub.inviting.hand_out(first, hub.site())
    with pytest.raises(LaneBusyError):
        hub.inviting.hand_out(second, site)
    hub.follow()
    found = hub.inviting.hand_out(second, site)

    assert found.lane is not None
    assert hub.lane(found.lane).holder == site
    assert hub.lane(hub.world.lane).end == UnitNumber(hub.lane(hub.world.lane).first + 2 - units)


def test_hub_that_does_not_hold_the_lane_is_refused_by_the_chain(hub: Hub) -> None:
    tools = hub.world.tools
    other = replace(hub.inviting, licenses=tools.licenses(OPERATOR))
    token, site = hub.token(hub.share()), hub.site()
    other.admit(token, hub.shop)

    with pytest.raises(CallerRefusedError):
        other.hand_out(token, site)

    assert hub.inviting.hand_out(token, site).lane is not None
