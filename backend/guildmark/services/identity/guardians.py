"""Guardians: who may give an identity another controller, and how they do it."""

from collections.abc import Sequence
from dataclasses import dataclass

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import GuardiansFact, RecoveryFact
from guildmark.domain.identifiers import Address, IdentityId
from guildmark.ports.clock import Entropy
from guildmark.ports.facts import Facts
from guildmark.services.identity.accounts import Account

_NAME_SIZE = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardians:
    """Use cases around guardians; the account is a controller, a guardian or a candidate.

    The same call may be wanted again and again, so that each has a name of its own; one that was
    sent twice is refused by the contract, or changes nothing.
    """

    account: Account
    entropy: Entropy

    def name(
        self, identity: IdentityId, guardians: Sequence[Address], *, threshold: int, delay: int
    ) -> None:
        """Name an identity's guardians; they stand at once where there were none, else wait.

        Args:
            identity: The identity; the account speaks for it.
            guardians: At most 16 accounts; none removes those that stand.
            threshold: How many of them start a recovery, 0 for none.
            delay: Seconds that a recovery and a later change wait, 0 for none.

        Raises:
            CallerRefusedError: The account does not speak for the identity.
            GuardiansInvalidError: Too many, one twice, or threshold or delay out of bounds.
        """
        # The contract takes them in ascending order, so that none is there twice.
        self._call("setGuardians", identity, sorted(guardians), threshold, delay)

    def apply(self, identity: IdentityId) -> None:
        """Let guardians that waited long enough stand.

        Raises:
            CallerRefusedError: The account does not speak for the identity.
            RecoveryStateError: None wait.
            RecoveryTooEarlyError: They have not waited long enough.
            RecoveryRunningError: A recovery runs.
        """
        self._call("applyGuardians", identity)

    def support(self, identity: IdentityId, candidate: Address) -> None:
        """Support a candidate, as a guardian, instead of whom the account supported before.

        Args:
            identity: The identity.
            candidate: The account that shall control it; 20 zero bytes support nobody.

        Raises:
            CallerRefusedError: The account is no guardian.
            GuardiansInvalidError: He is supported already, or controls the identity.
        """
        self._call("supportCandidate", identity, candidate)

    def cancel(self, identity: IdentityId) -> None:
        """Cancel, as the controller, the recovery that runs.

        Raises:
            CallerRefusedError: The account does not speak for the identity.
            RecoveryStateError: None runs.
            RecoveryRunningError: More guardians than the threshold support it.
        """
        self._call("cancelRecovery", identity)

    def accept(self, identity: IdentityId) -> None:
        """Take an identity over, as the candidate of a recovery that waited long enough.

        Raises:
            CallerRefusedError: The account is not the candidate.
            RecoveryStateError: None runs.
            RecoveryTooEarlyError: Its delay has not passed.
        """
        self._call("acceptRecovery", identity)

    def _call(self, function: str, *args: object) -> None:
        once = self.entropy.token(_NAME_SIZE).hex()
        self.account.call(ContractName.IDENTITIES, function, *args, once=once)


def standing(identity: IdentityId, facts: Facts) -> GuardiansFact | None:
    """Return the guardians that stand, None where there are none."""
    sets = [each for each in facts.each(GuardiansFact, identity) if each.since]
    return sets[-1] if sets and sets[-1].guardians else None


def waiting(identity: IdentityId, facts: Facts) -> GuardiansFact | None:
    """Return the newest guardians that were named and do not stand, None where there are none."""
    sets = facts.each(GuardiansFact, identity)
    return sets[-1] if sets and not sets[-1].since else None


def recovery(identity: IdentityId, facts: Facts) -> RecoveryFact | None:
    """Return the recovery that runs, None where none does."""
    found = facts.get(RecoveryFact, identity)
    return found if found is not None and found.ready_at else None
