"""Who is there: a chain, an authority, two operators with nodes, a designer, three makers."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from demo import cast
from demo.actors import (
    ACCOUNT,
    CERTIFIER,
    WRITER,
    Casting,
    Disclosed,
    Maker,
    Operator,
    Party,
    accredit,
    authority,
    certifier,
    claim,
    deploy,
    designer,
    maker,
    operator,
    profiles,
)
from demo.stage import Stage, free_port, write
from demo.telling import Teller
from guildmark.adapters.peers.client import NodeClient
from guildmark.domain import trust
from guildmark.domain.identifiers import IdentityId
from guildmark.domain.trust import VERSION, Listed, Trust
from guildmark.ports.store import DocumentKind
from guildmark.settings import NodeSettings, save, with_node

_BATCH_SECONDS = 0.2


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """Everybody on the chain, the operators' nodes running.

    Args:
        nodes: A client of each operator's node.
        claims: The documents that open who names whom.
        certifier: Who accredits the makers, and is accredited by the authority.
        accreditations: The documents that open who accredits whom.
        calibrations: The same of instruments.
    """

    stage: Stage
    casting: Casting
    authority: Party
    designer: Party
    operators: Sequence[Operator]
    makers: Sequence[Maker]
    nodes: Sequence[NodeClient]
    claims: Mapping[IdentityId, Disclosed]
    certifier: IdentityId
    accreditations: Sequence[Disclosed]
    calibrations: Sequence[Disclosed]

    def claims_of(self, party: Party) -> Sequence[Disclosed]:
        """Return the document that opens who names a party."""
        return [self.claims[party.id]]

    def shown_by_all(self) -> Sequence[Disclosed]:
        """Return what authority, designer and operators show to every node."""
        named = [self.designer, *(each.party for each in self.operators)]
        claims = [claim for party in named for claim in self.claims_of(party)]
        shown = [profiles(party, [party.id]) for party in (self.authority, *named)]
        shown.append(profiles(self.authority, [self.certifier]))
        return [*claims, *self.accreditations, *(one for each in shown for one in each)]

    @property
    def sites(self) -> Sequence[tuple[Maker, Operator]]:
        """Return each maker with the operator that logs his builds."""
        operators = [self.operators[number] for number in cast.OPERATOR_OF_SITE]
        return list(zip(self.makers, operators, strict=True))

    def node_of(self, operator: Operator) -> NodeClient:
        """Return an operator's node."""
        return self.nodes[list(self.operators).index(operator)]

    def other_node(self, operator: Operator) -> NodeClient:
        """Return the node of the other operator."""
        return self.nodes[1 - list(self.operators).index(operator)]


def set_scene(
    stage: Stage,
    teller: Teller,
    *,
    lists_shared: bool = True,
    batch_seconds: float = _BATCH_SECONDS,
) -> Scene:
    """Start the chain, register everybody, start the nodes.

    Args:
        stage: Where the processes play.
        teller: Who tells of it.
        lists_shared: Whether each operator's own pages accept the other one and the authority.
        batch_seconds: How long the nodes gather what they put on record together.
    """
    with teller.step("A local chain runs, the contracts are deployed"):
        casting = Casting(stage=stage, chain=deploy(stage, stage.keeper()))
    with teller.step("An authority, two operators with logs, a designer, three makers register"):
        issuer = authority(casting)
        operators = [operator(casting, number) for number in range(len(cast.OPERATORS))]
        if lists_shared:
            _list_whom_to_trust(operators, issuer)
        _start_nodes(stage, operators, batch_seconds)
        owner, makers = _register(casting)
    with teller.step("The authority names makers, designer and operators"):
        named = [owner, *(each.party for each in makers), *(each.party for each in operators)]
        claims = _claims(issuer, named)
    with teller.step("A certifier, accredited by the authority, accredits the makers"):
        certifying = certifier(issuer)
        accreditations = _accreditations(issuer, certifying, makers)
        calibrations = _calibrations(issuer, makers)
    with teller.step("Two nodes of two operators run"):
        nodes = [stage.node(_folder(number)) for number in range(len(operators))]
    return Scene(
        stage=stage,
        casting=casting,
        authority=issuer,
        designer=owner,
        operators=operators,
        makers=makers,
        nodes=nodes,
        claims=claims,
        certifier=certifying,
        accreditations=accreditations,
        calibrations=calibrations,
    )


def _register(casting: Casting) -> tuple[Party, Sequence[Maker]]:
    # All at once: each has his own account, and the chain takes them together.
    with ThreadPoolExecutor() as pool:
        owner = pool.submit(designer, casting)
        makers = [
            pool.submit(maker, casting, example, algorithm)
            for example, algorithm in zip(cast.sites(), cast.MACHINE_KEYS, strict=True)
        ]
        return owner.result(), [each.result() for each in makers]


def _claims(issuer: Party, subjects: Sequence[Party]) -> Mapping[IdentityId, Disclosed]:
    return {
        subject.id: (DocumentKind.CLAIM, *claim(issuer, subject, number))
        for number, subject in enumerate(subjects, start=1)
    }


def _accreditations(
    issuer: Party, certifying: IdentityId, makers: Sequence[Maker]
) -> Sequence[Disclosed]:
    home = issuer.home
    above = accredit(home, ACCOUNT, (issuer.id, certifying), delegations=1)
    below = [accredit(home, CERTIFIER, (certifying, one.party.id)) for one in makers]
    return [above, *below]


def _calibrations(issuer: Party, makers: Sequence[Maker]) -> Sequence[Disclosed]:
    """Return the authority's own word on each maker's instrument."""
    return [
        accredit(issuer.home, ACCOUNT, (issuer.id, one.instrument), standard=cast.CALIBRATION)
        for one in makers
    ]


def _start_nodes(stage: Stage, operators: Sequence[Operator], batch_seconds: float) -> None:
    urls = [f"http://127.0.0.1:{free_port()}" for _ in operators]
    for number, each in enumerate(operators):
        own = NodeSettings(
            operator=each.party.id,
            log=each.log,
            writer=WRITER,
            port=int(urls[number].rpartition(":")[2]),
            public_url=urls[number],
            batch_seconds=batch_seconds,
            peers=(urls[1 - number],),
        )
        save(with_node(each.party.home.settings, own))
        stage.start_node(_folder(number))


def _list_whom_to_trust(operators: Sequence[Operator], issuer: Party) -> None:
    """Write the list by which the operators' own pages judge."""
    listed = Trust(
        version=VERSION,
        chain=issuer.home.ledger.pin(),
        operators=tuple(Listed(id=each.party.id, name=each.party.name) for each in operators),
        issuers=(Listed(id=issuer.id, name=issuer.name),),
        authorities=(Listed(id=issuer.id, name=issuer.name),),
    )
    for each in operators:
        write(each.party.home.settings.home / "trust.json", trust.serialise(listed))


def _folder(number: int) -> str:
    return f"operator-{number + 1}"
