"""Values of a part opened: single ones for a customer, by grant for designers and auditors."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from guildmark.domain.builds.delivery import Delivery, OpenedValues, is_among
from guildmark.domain.builds.dsse import Envelope, envelope_digest
from guildmark.domain.builds.granting import (
    GRANT_PAYLOAD_TYPE,
    GrantOutsidePolicyError,
    GrantPolicy,
    PartValues,
    Role,
    ValuesGrant,
    add_measurements,
    add_settings,
    grant_context,
)
from guildmark.domain.builds.statement import BuildStatement
from guildmark.domain.chain.facts import IdentityFact
from guildmark.domain.errors import ForbiddenError, GuildmarkError, NotFoundError
from guildmark.domain.identifiers import Address, ChainId, Digest, IdentityId, to_hex
from guildmark.domain.identity.accounts import account_key, verifier_of
from guildmark.domain.verification.evidence import Evidence
from guildmark.ports.chain import Ledger
from guildmark.ports.clock import Clock
from guildmark.ports.content import Vault
from guildmark.ports.keys import KeyName, KeyStore
from guildmark.ports.store import DocumentKind, NodeStore
from guildmark.services.release.releasing import sign_as_account
from guildmark.services.timing import present


class ValuesNotKeptError(NotFoundError):
    """This home does not keep what opens the values of a part."""

    code = "values.notKept"
    hint = "Name the file that `build attest` or the agent wrote, or use the home of the log."


class ValuesInClearError(NotFoundError):
    """A statement says its values itself: nothing is closed."""

    code = "values.inClear"
    hint = "Read the part's bundle: the values stand in its statement."


class GrantNotMakersError(ForbiddenError):
    """A grant is not signed by who speaks for the part's site or its organization."""

    code = "values.grantNotMakers"
    hint = "Sign with the account that now controls the site or the organization (--as)."


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A grant that is to be made.

    Args:
        paths: What to open, within the policy; all that the policy names where empty.
        recipient: The reader's public key for documents.
        until: The last second in which it is good.
    """

    to: IdentityId
    role: Role
    until: int
    recipient: bytes
    paths: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """Values that were opened, each proven to be what the machine signed.

    Args:
        evidence: The part's evidence, in which they are shown now, too.
        grant: By whose leave, None where none was needed.
    """

    values: PartValues
    evidence: Evidence
    grant: ValuesGrant | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Granting:
    """Use cases around values that are not shown to everybody.

    Args:
        policy: What this home grants, by role.
    """

    ledger: Ledger
    keys: KeyStore
    vault: Vault
    store: NodeStore
    clock: Clock
    policy: GrantPolicy = field(default_factory=GrantPolicy)

    def kept(self, envelope: Digest) -> Delivery:
        """Return what this home's log took in with an envelope.

        Raises:
            ValuesNotKeptError: It is not here.
        """
        with self.store.reading() as view:
            body = view.documents.get(DocumentKind.VALUES, envelope)
            build = view.log.build(envelope)
            logged = (
                None
                if build is None or build.log is None or build.index is None
                else view.log.logged(build.log, build.index)
            )
        if body is None or logged is None:
            message = f"This home keeps no values of {to_hex(envelope)}."
            raise ValuesNotKeptError(message, envelope=to_hex(envelope))
        return Delivery(envelope=logged.queued.envelope, values=OpenedValues.parse(body))

    def open(self, delivery: Delivery, paths: Sequence[str]) -> PartValues:
        """Return some values of a part, for whoever is handed them.

        Raises:
            ValuesInClearError: The statement says them itself.
            ValuesMismatchError: They are not those that the statement commits to.
            ShownPathError: What is named is no path and no beginning of one.
            ValueUnknownError: Nothing is recorded at a path.
        """
        _, values = _closed(delivery)
        return PartValues.select(delivery.digest, values, paths)

    def grant(self, delivery: Delivery, wanted: Wanted, *, key: KeyName) -> bytes:
        """Return a grant of values, signed, and sealed so that its reader alone can open it.

        Raises:
            ValuesInClearError: The statement says them itself.
            ValueUnknownError: Nothing is recorded at a path.
            GrantOutsidePolicyError: This home's policy does not grant the role one of them.
            GrantEndedError: It would have ended already.
            GrantNotMakersError: The key does not speak for the part's site or organization.
        """
        statement, values = _closed(delivery)
        selected = PartValues.select(delivery.digest, values, self._named(wanted, values))
        self.policy.check(wanted.role, selected.paths)
        made = ValuesGrant(
            chain_id=self._chain_id(),
            maker=self._spoken_for(statement, self.keys.address(key)),
            to=wanted.to,
            role=wanted.role,
            at=self.clock.now(),
            until=wanted.until,
            values=selected,
        )
        made.check_going(self._now())
        signed = sign_as_account(
            made.encode(), payload_type=GRANT_PAYLOAD_TYPE, keys=self.keys, key=key
        )
        context = grant_context(made.chain_id, made.to)
        return self.vault.seal(signed, wanted.recipient, info=context)

    def read(self, body: bytes, evidence: Evidence) -> Opened:
        """Check opened values against a part's evidence.

        Raises:
            JsonError: The bytes are outside the input profile.
            DocumentError: A member is missing, unknown or of another type.
            ValuesElsewhereError: They are those of another part.
            ValuesMismatchError: They are not those that the statement commits to.
        """
        return _shown(PartValues.parse(body), evidence)

    def read_granted(
        self, sealed: bytes, evidence: Evidence, *, to: IdentityId, key: KeyName
    ) -> Opened:
        """Open a grant as its reader, and check it and its values.

        Raises:
            SealBrokenError: It was sealed to another key, reader or chain, or was changed.
            MalformedGrantError: It is no grant.
            GrantNotMakersError: Who signed it does not speak for the part's site or organization.
            GrantEndedError: It has ended.
            ValuesElsewhereError: It is for another reader or chain, or of another part.
            ValuesMismatchError: The values are not those that the statement commits to.
        """
        chain_id = self._chain_id()
        body = self.keys.unseal(key, sealed, info=grant_context(chain_id, to))
        grant = ValuesGrant.signed(body)
        grant.check_for(chain_id, to)
        grant.check_going(self._now())
        opened = _shown(grant.values, evidence)
        statement = BuildStatement.parse(Envelope.parse(evidence.core.envelope).payload)
        self._check_signed(body, grant, statement)
        return replace(opened, grant=grant)

    def _named(self, wanted: Wanted, values: OpenedValues) -> Sequence[str]:
        """Return which values are to be granted: the named ones, else all that the policy names."""
        if wanted.paths:
            return wanted.paths
        named = [one for one in values.paths if is_among(one, self.policy.of(wanted.role))]
        if not named:
            message = f"The policy of this home grants no {wanted.role.value} a value of this part."
            raise GrantOutsidePolicyError(message, role=wanted.role.value)
        return named

    def _chain_id(self) -> ChainId:
        return ChainId(self.ledger.pin().chain_id)

    def _now(self) -> int:
        with self.store.reading() as view:
            return present(self.clock, view.facts.cursor())

    def _controller(self, identity: IdentityId) -> Address | None:
        with self.store.reading() as view:
            fact = view.facts.get(IdentityFact, identity)
        return None if fact is None else fact.controller

    def _spoken_for(self, statement: BuildStatement, account: Address) -> IdentityId:
        for identity in (statement.run.maker, statement.run.site):
            if self._controller(identity) == account:
                return identity
        message = f"{to_hex(account)} controls neither the part's site nor its organization."
        raise GrantNotMakersError(message, account=to_hex(account))

    def _check_signed(self, body: bytes, grant: ValuesGrant, statement: BuildStatement) -> None:
        controller = self._controller(grant.maker)
        if grant.maker not in {statement.run.maker, statement.run.site} or controller is None:
            message = f"{to_hex(grant.maker)} is neither the part's site nor its organization."
            raise GrantNotMakersError(message, maker=to_hex(grant.maker))
        try:
            Envelope.parse(body).verify({account_key(controller): verifier_of(controller)})
        except GuildmarkError as error:
            message = f"The grant is not signed by {to_hex(controller)}."
            raise GrantNotMakersError(message, maker=to_hex(grant.maker)) from error


def _closed(delivery: Delivery) -> tuple[BuildStatement, OpenedValues]:
    """Return a statement whose values are salted, and all of them."""
    if delivery.values is None or not delivery.values.paths:
        message = "The statement's values stand in it, in clear."
        raise ValuesInClearError(message, envelope=to_hex(delivery.digest))
    return delivery.statement(), delivery.values


def _shown(values: PartValues, evidence: Evidence) -> Opened:
    core, disclosed = evidence.core, evidence.disclosed
    statement = BuildStatement.parse(Envelope.parse(core.envelope).payload)
    values.check(envelope_digest(core.envelope), statement)
    settings = add_settings(disclosed.settings, values.settings)
    measurements = add_measurements(disclosed.measurements, values.measurements)
    told = replace(disclosed, settings=settings, measurements=measurements)
    # What the bundle showed before must be of the same leaves, too.
    both = PartValues(envelope=values.envelope, settings=settings, measurements=measurements)
    both.check(values.envelope, statement)
    return Opened(values=values, evidence=replace(evidence, disclosed=told))
