"""Notices: who says that a key or a controller's account may be in other hands, and since when."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import BackingFact, ControllerFact, GuardiansFact, NoticeFact
from guildmark.domain.identifiers import ZERO32, Address, Bytes32, Digest, IdentityId, KeyId
from guildmark.domain.identity.identity import controller_target
from guildmark.domain.trust import Trust
from guildmark.ports.clock import Entropy
from guildmark.ports.facts import Facts
from guildmark.services.identity.accounts import Account

_NAME_SIZE = 16

NO_EVIDENCE = Digest(ZERO32)


@dataclass(frozen=True, slots=True, kw_only=True)
class Suspicion:
    """From when on something is doubted, and the digest of what shows why.

    Args:
        since: Block seconds; a notice that was given only moves earlier.
        evidence: SHA-256 of a document that the giver keeps.
    """

    since: int
    evidence: Digest = NO_EVIDENCE


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """Use cases around notices; the account is a controller, a guardian or an authority's.

    The same call may be wanted again after another one, so that each has a name of its own; one
    that says nothing new is refused by the contract.
    """

    account: Account
    entropy: Entropy

    def of_controller(self, identity: IdentityId, suspicion: Suspicion) -> None:
        """Say, as the identity's controller, that its own account may be in other hands.

        Raises:
            CallerRefusedError: The account does not speak for the identity.
            SuspicionError: A time from which the notice may not doubt.
        """
        self._call("giveControllerNotice", identity, suspicion=suspicion)

    def back_of_key(self, machine: IdentityId, key: KeyId, suspicion: Suspicion) -> None:
        """Back, as a guardian, a notice on a machine's key; a time of 0 backs none.

        Raises:
            CallerRefusedError: The account is no guardian of the machine.
            KeyUnknownError: The machine has no such key.
            SuspicionError: A time from which the notice may not doubt.
            SuspicionBackedError: The account backs it already.
        """
        self._call("backKeyNotice", machine, key, suspicion=suspicion)

    def back_of_controller(self, identity: IdentityId, number: int, suspicion: Suspicion) -> None:
        """Back, as a guardian, a notice on a controller; a time of 0 backs none.

        Raises:
            CallerRefusedError: The account is no guardian of the identity.
            ControllerUnknownError: It never had that controller.
            SuspicionError: A time from which the notice may not doubt.
            SuspicionBackedError: The account backs it already.
        """
        self._call("backControllerNotice", identity, number, suspicion=suspicion)

    def warn_of_key(
        self, authority: IdentityId, machine: IdentityId, key: KeyId, suspicion: Suspicion
    ) -> None:
        """Say of a key, as an authority, that it may be in other hands.

        Raises:
            CallerRefusedError: The account does not speak for the authority.
            IdentityKindError: It is no authority.
            KeyUnknownError: The machine has no such key.
            SuspicionError: A time from which the notice may not doubt.
        """
        self._call("giveAuthorityKeyNotice", authority, machine, key, suspicion=suspicion)

    def warn_of_controller(
        self, authority: IdentityId, identity: IdentityId, number: int, suspicion: Suspicion
    ) -> None:
        """Say of a controller, as an authority, that his account may be in other hands.

        Raises:
            CallerRefusedError: The account does not speak for the authority.
            IdentityKindError: It is no authority.
            ControllerUnknownError: The identity never had that controller.
            SuspicionError: A time from which the notice may not doubt.
        """
        said = (authority, identity, number)
        self._call("giveAuthorityControllerNotice", *said, suspicion=suspicion)

    def _call(self, function: str, *args: object, suspicion: Suspicion) -> None:
        said = (*args, suspicion.since, suspicion.evidence)
        once = self.entropy.token(_NAME_SIZE).hex()
        self.account.call(ContractName.IDENTITIES, function, *said, once=once)


def is_under_notice(identity: IdentityId, facts: Facts) -> bool:
    """Return whether the present controller is doubted by himself or his guardians."""
    number = len(controllers(identity, facts))
    target = controller_target(identity, number)
    return facts.get(NoticeFact, identity, target, ZERO32) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Backed:
    """A notice that guardians back and that is not given yet.

    Args:
        number: Which controller it is about, 0 where it is about a key.
        needed: How many guardians it takes.
    """

    target: Bytes32
    number: int
    since: int
    guardians: tuple[Address, ...]
    needed: int


def notices_on(identity: IdentityId, facts: Facts) -> Sequence[NoticeFact]:
    """Return the notices on an identity's keys and controllers, the oldest first."""
    return sorted(facts.each(NoticeFact, identity), key=lambda one: (one.notice_at, one.key))


def counting(identity: IdentityId, facts: Facts, trust: Trust | None) -> Sequence[NoticeFact]:
    """Return the notices on an identity that count for a reader: his authorities' and its own."""
    return [
        one
        for one in notices_on(identity, facts)
        if not one.is_by_authority
        or (trust is not None and trust.lists_authority(one.by, one.notice_at))
    ]


def is_speaker_doubted(identity: IdentityId, facts: Facts, trust: Trust | None) -> bool:
    """Return whether a notice that counts is on an identity's present controller."""
    newest = len(controllers(identity, facts))
    return any(one.number == newest for one in counting(identity, facts, trust))


def is_act_doubted(identity: IdentityId, time: int, facts: Facts, trust: Trust | None) -> bool:
    """Return whether it may not have been its controller who acted for an identity at a time."""
    held = controllers(identity, facts)
    for one in counting(identity, facts, trust):
        # In the second of a change of controllers either may have acted.
        own = held[one.number - 1 : one.number + 1] if one.number else ()
        begins = own and max(own[0].since, one.suspected_from) <= time
        if begins and (len(own) == 1 or time <= own[1].since):
            return True
    return False


def controllers(identity: IdentityId, facts: Facts) -> Sequence[ControllerFact]:
    """Return an identity's controllers, the first one first."""
    return facts.each(ControllerFact, identity)


def backed_on(
    identity: IdentityId, guardians: GuardiansFact, keys: Sequence[KeyId], facts: Facts
) -> Sequence[Backed]:
    """Return the notices on keys and controllers that some of the guardians back now."""
    targets = [(0, Bytes32(key)) for key in keys]
    targets += [
        (one.number, controller_target(identity, one.number))
        for one in controllers(identity, facts)
    ]
    return [
        Backed(
            target=target,
            number=number,
            since=since,
            guardians=tuple(backers),
            needed=guardians.threshold,
        )
        for number, target in targets
        for since, backers in _backers(identity, target, guardians, facts).items()
    ]


def _backers(
    identity: IdentityId, target: Bytes32, guardians: GuardiansFact, facts: Facts
) -> Mapping[int, Sequence[Address]]:
    given = facts.get(NoticeFact, identity, target, ZERO32)
    found: dict[int, list[Address]] = {}
    for backing in facts.each(BackingFact, target):
        since = backing.suspected_from
        # What the guardians before them backed is void, and what was given needs no more.
        is_open = guardians.since <= since and (given is None or since < given.suspected_from)
        if is_open and backing.guardian in guardians.guardians:
            found.setdefault(since, []).append(backing.guardian)
    return found
