"""Values that are opened one by one: for whoever has the file, or for one reader by a grant."""

from dataclasses import replace

import pytest

from fakes.world import DESIGNER, MAKER, SITE, Tools, World, make_world
from guildmark.domain import bundle
from guildmark.domain.builds.delivery import RESULTS_ALONE, Delivery, ShownPathError
from guildmark.domain.builds.granting import (
    GRANT_PAYLOAD_TYPE,
    GrantEndedError,
    GrantOutsidePolicyError,
    GrantPolicy,
    MalformedGrantError,
    PartValues,
    Role,
    ValuesElsewhereError,
    ValuesGrant,
    ValueUnknownError,
    grant_context,
)
from guildmark.domain.builds.values import ValuesMismatchError
from guildmark.domain.identifiers import ChainId, Digest, IdentityId, Index
from guildmark.domain.verification.evidence import Evidence
from guildmark.ports.keys import KeyAlgorithm, KeyName, SealBrokenError
from guildmark.services.builds.granting import (
    Granting,
    GrantNotMakersError,
    ValuesInClearError,
    ValuesNotKeptError,
    Wanted,
)
from guildmark.services.release.releasing import sign_as_account

LAYER, NOZZLE, BORE = "/process/layer_height", "/process/nozzle", "/tolerance/bore"
READER = KeyName("reader")
UNTIL = 10**10
POLICY = GrantPolicy(designer=("/process",), auditor=(LAYER,))


class Clock:
    """A clock that stands."""

    def now(self) -> int:
        return 1


@pytest.fixture(scope="module")
def world() -> World:
    world = make_world(Tools(shown=RESULTS_ALONE))
    world.disclose()
    world.tools.keys.create(READER, KeyAlgorithm.X25519)
    return world


@pytest.fixture(scope="module")
def delivery(world: World) -> Delivery:
    """Return a part that the world's log took in."""
    data = world.envelope()
    world.tools.ingest(world.log).receive([data])
    line = world.tools.line(world.log)
    line.step()
    line.step()
    return Delivery.parse(data)


@pytest.fixture
def evidence(world: World, delivery: Delivery) -> Evidence:
    return world.tools.exporter.evidence(world.log, Index(0))


@pytest.fixture
def granting(world: World) -> Granting:
    tools = world.tools
    return Granting(
        ledger=tools.chain,
        keys=tools.keys,
        vault=tools.vault,
        store=tools.store,
        clock=Clock(),
        policy=POLICY,
    )


def wanted(world: World, *paths: str, role: Role = Role.DESIGNER, until: int = UNTIL) -> Wanted:
    return Wanted(to=world.designer, role=role, until=until, recipient=b"key", paths=paths)


def now_of(world: World) -> int:
    with world.tools.store.reading() as view:
        cursor = view.facts.cursor()
    assert cursor is not None
    return cursor.time


def signed(world: World, grant: ValuesGrant, *, by: str = MAKER) -> bytes:
    """Return a sealed grant as somebody signed it who asked nobody."""
    body = sign_as_account(
        grant.encode(), payload_type=GRANT_PAYLOAD_TYPE, keys=world.tools.keys, key=KeyName(by)
    )
    context = grant_context(ChainId(world.tools.chain.pin().chain_id), world.designer)
    return world.tools.vault.seal(body, b"key", info=context)


def opened_grant(granting: Granting, world: World, sealed: bytes) -> ValuesGrant:
    context = grant_context(ChainId(world.tools.chain.pin().chain_id), world.designer)
    return ValuesGrant.signed(world.tools.keys.unseal(READER, sealed, info=context))


def test_one_value_opens_alone(granting: Granting, delivery: Delivery, evidence: Evidence) -> None:
    file = granting.open(delivery, [NOZZLE]).encode()

    read = granting.read(file, evidence)

    assert read.values.paths == (NOZZLE,)
    assert read.grant is None
    assert b"layer_height" not in file
    settings = read.evidence.disclosed.settings
    assert settings is not None
    assert [one.path for one in settings.opened] == [NOZZLE]
    assert read.evidence.disclosed.measurements == evidence.disclosed.measurements
    again = bundle.read(bundle.write(read.evidence))
    assert again.disclosed.settings == settings


def test_what_the_bundle_shows_stays_shown(
    granting: Granting, delivery: Delivery, evidence: Evidence
) -> None:
    first = granting.read(granting.open(delivery, [NOZZLE]).encode(), evidence)

    both = granting.read(granting.open(delivery, [LAYER, BORE]).encode(), first.evidence)

    settings, measurements = (
        both.evidence.disclosed.settings,
        both.evidence.disclosed.measurements,
    )
    assert settings is not None
    assert measurements is not None
    assert [one.path for one in settings.opened] == [LAYER, NOZZLE]
    assert [one.path for one in measurements.opened] == [BORE]


def test_a_path_opens_what_is_below_it(granting: Granting, delivery: Delivery) -> None:
    assert granting.open(delivery, ["/process"]).paths == (LAYER, NOZZLE)


@pytest.mark.parametrize(
    ("path", "error"), [("/process/none", ValueUnknownError), ("process", ShownPathError)]
)
def test_a_path_that_names_no_value_opens_nothing(
    path: str, error: type[Exception], granting: Granting, delivery: Delivery
) -> None:
    with pytest.raises(error):
        granting.open(delivery, [NOZZLE, path])


def test_values_in_clear_need_no_opening(granting: Granting, world: World) -> None:
    clear = replace(world, tools=replace(world.tools, shown=None)).envelope(2)

    with pytest.raises(ValuesInClearError):
        granting.open(Delivery.parse(clear), [NOZZLE])


def test_the_home_of_the_log_keeps_what_it_took_in(
    granting: Granting, delivery: Delivery, world: World
) -> None:
    assert granting.kept(delivery.digest) == delivery
    with pytest.raises(ValuesNotKeptError):
        granting.kept(Digest(bytes(32)))


def test_values_of_another_part_are_refused(
    granting: Granting, evidence: Evidence, world: World
) -> None:
    other = granting.open(Delivery.parse(world.envelope(3)), [NOZZLE])

    with pytest.raises(ValuesElsewhereError):
        granting.read(other.encode(), evidence)


def test_values_that_the_machine_did_not_sign_are_refused(
    granting: Granting, delivery: Delivery, evidence: Evidence, world: World
) -> None:
    other = granting.open(Delivery.parse(world.envelope(3)), [NOZZLE])

    with pytest.raises(ValuesMismatchError):
        granting.read(replace(other, envelope=delivery.digest).encode(), evidence)


@pytest.mark.parametrize("by", [MAKER, SITE])
def test_a_grant_opens_for_its_reader_what_the_policy_names(
    by: str, granting: Granting, delivery: Delivery, evidence: Evidence, world: World
) -> None:
    sealed = granting.grant(delivery, wanted(world), key=KeyName(by))

    read = granting.read_granted(sealed, evidence, to=world.designer, key=READER)

    assert read.values.paths == (LAYER, NOZZLE)
    assert read.grant is not None
    assert (read.grant.role, read.grant.until) == (Role.DESIGNER, UNTIL)
    assert read.grant.maker == {MAKER: world.maker, SITE: world.site}[by]


def test_a_grant_may_be_of_less_than_the_policy(
    granting: Granting, delivery: Delivery, world: World
) -> None:
    sealed = granting.grant(delivery, wanted(world, NOZZLE), key=KeyName(MAKER))

    assert opened_grant(granting, world, sealed).values.paths == (NOZZLE,)


@pytest.mark.parametrize(
    ("paths", "is_granted"), [((LAYER,), True), ((NOZZLE,), False), (("/process",), False)]
)
def test_no_role_is_granted_more_than_its_policy(
    paths: tuple[str, ...],
    is_granted: bool,
    granting: Granting,
    delivery: Delivery,
    world: World,
) -> None:
    asked = wanted(world, *paths, role=Role.AUDITOR)

    if is_granted:
        assert granting.grant(delivery, asked, key=KeyName(MAKER))
    else:
        with pytest.raises(GrantOutsidePolicyError):
            granting.grant(delivery, asked, key=KeyName(MAKER))


def test_without_a_policy_nothing_is_granted(
    granting: Granting, delivery: Delivery, world: World
) -> None:
    with pytest.raises(GrantOutsidePolicyError):
        replace(granting, policy=GrantPolicy()).grant(delivery, wanted(world), key=KeyName(MAKER))


def test_a_policy_names_paths() -> None:
    with pytest.raises(ShownPathError):
        GrantPolicy(auditor=("process",))


def test_who_does_not_speak_for_the_maker_grants_nothing(
    granting: Granting, delivery: Delivery, world: World
) -> None:
    with pytest.raises(GrantNotMakersError):
        granting.grant(delivery, wanted(world), key=KeyName(DESIGNER))


def test_a_grant_that_somebody_else_signed_is_refused(
    granting: Granting, delivery: Delivery, evidence: Evidence, world: World
) -> None:
    made = opened_grant(
        granting, world, granting.grant(delivery, wanted(world), key=KeyName(MAKER))
    )

    for sealed in (
        signed(world, made, by=DESIGNER),
        signed(world, replace(made, maker=world.designer), by=DESIGNER),
        signed(world, replace(made, maker=IdentityId(bytes(32)))),
    ):
        with pytest.raises(GrantNotMakersError):
            granting.read_granted(sealed, evidence, to=world.designer, key=READER)
    read = granting.read_granted(signed(world, made), evidence, to=world.designer, key=READER)
    assert read.grant == made


def test_a_grant_of_an_unknown_maker_is_refused(
    granting: Granting, delivery: Delivery, evidence: Evidence, world: World
) -> None:
    made = opened_grant(
        granting, world, granting.grant(delivery, wanted(world), key=KeyName(MAKER))
    )
    stranger = Tools()

    with pytest.raises(GrantNotMakersError):
        replace(granting, store=stranger.store).read_granted(
            signed(world, made), evidence, to=world.designer, key=READER
        )


def test_a_grant_is_good_to_its_last_second(
    granting: Granting, delivery: Delivery, evidence: Evidence, world: World
) -> None:
    now = now_of(world)
    sealed = granting.grant(delivery, wanted(world, until=now), key=KeyName(MAKER))
    made = opened_grant(granting, world, sealed)

    assert granting.read_granted(sealed, evidence, to=world.designer, key=READER).grant == made
    with pytest.raises(GrantEndedError):
        granting.grant(delivery, wanted(world, until=now - 1), key=KeyName(MAKER))
    with pytest.raises(GrantEndedError):
        granting.read_granted(
            signed(world, replace(made, until=now - 1)), evidence, to=world.designer, key=READER
        )


def test_a_grant_opens_for_no_other_reader(
    granting: Granting, delivery: Delivery, evidence: Evidence, world: World
) -> None:
    sealed = granting.grant(delivery, wanted(world), key=KeyName(MAKER))
    made = opened_grant(granting, world, sealed)

    with pytest.raises(SealBrokenError):
        granting.read_granted(sealed, evidence, to=world.maker, key=READER)
    for other in (replace(made, to=world.maker), replace(made, chain_id=ChainId(5))):
        with pytest.raises(ValuesElsewhereError):
            granting.read_granted(signed(world, other), evidence, to=world.designer, key=READER)


def test_another_envelope_is_no_grant(world: World) -> None:
    keys, key = world.tools.keys, KeyName(MAKER)
    body = sign_as_account(b"{}", payload_type="application/json", keys=keys, key=key)

    with pytest.raises(MalformedGrantError):
        ValuesGrant.signed(body)


def test_values_are_known_by_their_part(
    granting: Granting, delivery: Delivery, evidence: Evidence
) -> None:
    values = granting.open(delivery, [BORE])

    assert PartValues.parse(values.encode()) == values
    assert granting.read(values.encode(), evidence).values.settings is None
