"""Recalls: issued, asked for and closed, each by whom the contract lets."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

from guildmark.domain.chain.contracts import ContractName
from guildmark.domain.chain.facts import (
    ControllerFact,
    KeyFact,
    RecallFact,
    RecipeFact,
    RecordFact,
    RecordStartFact,
    SiteRecipeFact,
)
from guildmark.domain.chain.refusals import (
    CallerRefusedError,
    KeyUnknownError,
    RecallUnknownError,
    RecipeUnknownError,
    RecordUnknownError,
)
from guildmark.domain.identifiers import Address, Bytes32, Digest, IdentityId, to_hex
from guildmark.domain.recall import OWNERS, RecallCause, Severity, Thing
from guildmark.ports.facts import Facts
from guildmark.ports.store import NodeStore
from guildmark.services.builds.parts import record_struct
from guildmark.services.identity.accounts import Account
from guildmark.services.index.projection import known
from guildmark.services.recipes.recipes import recipe_struct, site_recipe_struct


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What a recall says.

    Args:
        reason: Digest of what says why.
        since: From when parts are reached, in block seconds; 0 for the first, and for a machine
            or key for the first of the controller's own time.
        until: Until when, exclusive; 0 without end, or to the end of the controller's time.
    """

    severity: Severity
    reason: Digest
    since: int = 0
    until: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Owner:
    """Who recalls, and what he reads."""

    account: Address
    facts: Facts


_Arguments: TypeAlias = tuple[str, tuple[object, ...], Said]
_Owned: TypeAlias = Callable[[Thing, Said, _Owner], _Arguments]


@dataclass(frozen=True, slots=True, kw_only=True)
class Recalling:
    """Use cases around recalls; the account speaks for the owner, or for an authority."""

    account: Account
    store: NodeStore

    def issue(self, thing: Thing, said: Said) -> int:
        """Recall a thing as its owner, and return the recall's number.

        Raises:
            CallerRefusedError: The account does not speak for an owner of the thing.
            NotFoundError: No final block holds the thing.
            RecallWindowError: A machine or key was not the controller's in the whole window.
            RecallInvalidError: The window is empty, or a part has one.
            RecallStaleError: Another recall came in between.
        """
        with self.store.reading() as view:
            owner = _Owner(account=self.account.address, facts=view.facts)
            function, args, said = _OWNED[thing.cause](thing, said, owner)
            follows = _count(thing, OWNERS, view.facts)
        self._send(function, args, said, thing=thing, by=OWNERS, follows=follows)
        return follows + 1

    def issue_as(self, authority: IdentityId, thing: Thing, said: Said) -> int:
        """Recall a thing in an authority's list, as its controller, and return the number.

        Raises:
            CallerRefusedError: The account does not speak for the authority.
            IdentityKindError: It is no authority.
            RecallInvalidError: The window is empty.
            RecallStaleError: Another recall came in between.
        """
        with self.store.reading() as view:
            follows = _count(thing, authority, view.facts)
        args = (authority, _struct(thing))
        self._send("recallAs", args, said, thing=thing, by=authority, follows=follows)
        return follows + 1

    def ask(self, thing: Thing, said: Said) -> None:
        """Say that a thing should be recalled, as anybody; it is in no list.

        Raises:
            RecallInvalidError: The window is empty.
        """
        self._send("ask", (_struct(thing),), said, thing=thing, by=OWNERS, follows=0)

    def close(self, thing: Thing, number: int, reason: Digest, *, by: IdentityId = OWNERS) -> None:
        """Close a recall, as who issued it; it stays on record.

        Raises:
            RecallUnknownError: The list has no such recall.
            CallerRefusedError: The account does not speak for who issued it.
            RecallClosedError: It is closed already.
            IssuerInRecoveryError: Who speaks for the issuer is not settled.
            IssuerUnderNoticeError: The issuer's account is under notice.
        """
        key = thing.key()
        with self.store.reading() as view:
            if view.facts.get(RecallFact, key, by, number) is None:
                message = f"No final block holds recall {number} of {thing.text()}."
                raise RecallUnknownError(message, thing=thing.text(), number=number)
        once = f"{self.account.address.hex()}:{key.hex()}:{by.hex()}:{number}:{reason.hex()}"
        self.account.call(ContractName.RECALLS, "close", key, by, number, reason, once=once)

    def _send(
        self,
        function: str,
        args: tuple[object, ...],
        said: Said,
        *,
        thing: Thing,
        by: IdentityId,
        follows: int,
    ) -> None:
        numbers = (follows, said.since, said.until, said.severity)
        terms = (*numbers, said.reason)
        # Another recall that follows the same one is another call: the contract refuses it.
        once = ":".join(
            (
                *(self.account.address.hex(), thing.key().hex(), by.hex(), said.reason.hex()),
                *(f"{value:d}" for value in numbers),
            )
        )
        self.account.call(ContractName.RECALLS, function, *args, terms, once=once)


def _count(thing: Thing, by: IdentityId, facts: Facts) -> int:
    return len(facts.each(RecallFact, thing.key(), by))


def _struct(thing: Thing) -> tuple[object, ...]:
    return (thing.cause, thing.id, thing.detail)


def _part(thing: Thing, said: Said, owner: _Owner) -> _Arguments:
    start = owner.facts.floor(RecordStartFact, thing.log, thing.index)
    if start is None:
        message = f"No final block holds index {thing.index} of log {thing.log}."
        raise RecordUnknownError(message, log=thing.log, index=thing.index)
    record = known(owner.facts, RecordFact, start.log, start.seq).record
    position = thing.index - record.first_index
    return "recallPart", (record_struct(record), position), said


def _lot(thing: Thing, said: Said, _: _Owner) -> _Arguments:
    return "recallLot", (thing.id, thing.detail), said


def _machine(thing: Thing, said: Said, owner: _Owner) -> _Arguments:
    number, said = _own_time(thing.id, said, owner)
    return "recallMachine", (thing.id, number), said


def _key(thing: Thing, said: Said, owner: _Owner) -> _Arguments:
    key = owner.facts.get(KeyFact, thing.id)
    if key is None:
        message = f"No final block holds the key {thing.text()}."
        raise KeyUnknownError(message, key=thing.text())
    number, said = _own_time(Bytes32(key.machine), said, owner)
    return "recallKey", (key.machine, key.algorithm, key.public_key, number), said


def _recipe(thing: Thing, said: Said, owner: _Owner) -> _Arguments:
    found = owner.facts.get(RecipeFact, thing.id)
    if found is None:
        raise _no_recipe(thing)
    return "recallRecipe", (recipe_struct(found.recipe),), said


def _site_recipe(thing: Thing, said: Said, owner: _Owner) -> _Arguments:
    found = owner.facts.get(SiteRecipeFact, thing.id)
    if found is None:
        raise _no_recipe(thing)
    return "recallSiteRecipe", (site_recipe_struct(found.recipe),), said


def _no_recipe(thing: Thing) -> RecipeUnknownError:
    message = f"No final block holds the recipe {thing.text()}."
    return RecipeUnknownError(message, recipe=thing.text())


def _certificate(thing: Thing, said: Said, _: _Owner) -> _Arguments:
    return "recallCertificate", (thing.id, thing.detail), said


def _design(thing: Thing, said: Said, _: _Owner) -> _Arguments:
    return "recallDesign", (thing.id,), said


_OWNED: Mapping[RecallCause, _Owned] = MappingProxyType(
    {
        RecallCause.SERIAL: _part,
        RecallCause.LOT: _lot,
        RecallCause.MACHINE: _machine,
        RecallCause.RECIPE: _recipe,
        RecallCause.SITE_RECIPE: _site_recipe,
        RecallCause.CERTIFICATE: _certificate,
        RecallCause.DESIGN: _design,
        RecallCause.KEY: _key,
    }
)


def _own_time(machine: Bytes32, said: Said, owner: _Owner) -> tuple[int, Said]:
    """Return as which controller an account recalls, and the window within that time."""
    times = [one for one in owner.facts.each(ControllerFact, machine) if _is_own(one, said, owner)]
    if not times:
        message = f"The account never controlled the machine {to_hex(machine)} at that time."
        raise CallerRefusedError(message, machine=to_hex(machine))
    own = times[-1]
    after = owner.facts.get(ControllerFact, machine, own.number + 1)
    window = Said(
        severity=said.severity,
        reason=said.reason,
        since=said.since or own.since,
        until=said.until or (after.since if after else 0),
    )
    return own.number, window


def _is_own(controller: ControllerFact, said: Said, owner: _Owner) -> bool:
    began = not said.since or controller.since <= said.since
    return controller.account == owner.account and began
