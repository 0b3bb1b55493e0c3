"""Invitations: a hub lets one shop join its chain, pays for it, and hands it units."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from guildmark.domain.chain.contracts import ContractName, Payee
from guildmark.domain.chain.facts import LaneFact, RecipeFact
from guildmark.domain.chain.refusals import LaneStaleError, LicenseUnknownError, RecipeUnknownError
from guildmark.domain.encoding import codec
from guildmark.domain.encoding.canonical import canonical
from guildmark.domain.encoding.hashing import sha256
from guildmark.domain.encoding.strictjson import parse_object
from guildmark.domain.errors import ConflictError, ForbiddenError, NotFoundError, RevokedError
from guildmark.domain.identifiers import (
    Address,
    Digest,
    IdentityId,
    LaneNumber,
    LogNumber,
    RecipeId,
    Uint256,
    UnitNumber,
    to_hex,
)
from guildmark.domain.recipes.recipe import Recipe, RecipeDocument
from guildmark.ports.chain import Call, IdempotencyMismatchError, Ledger
from guildmark.ports.clock import Clock, Entropy
from guildmark.ports.store import DocumentKind, Documents, NodeStore, View, Work
from guildmark.services.identity.accounts import Account
from guildmark.services.index.projection import known
from guildmark.services.recipes.recipes import RecipeDocumentUnknownError
from guildmark.services.rights.licenses import Licenses

TOKEN_SIZE = 16

# The list of all invitations stands where no invitation's digest can.
_LIST = bytes(32)
_NOT_CUT = UnitNumber(0)
_DOMAIN = b"guildmark/invitation/v1"


class InvitationUnknownError(NotFoundError):
    """This hub made no such invitation, or took it back."""

    code = "invitation.unknown"
    hint = "Ask the hub's operator for a new one: `guildmark invite new`."


class InvitationExpiredError(RevokedError):
    """Nobody used the invitation in time."""

    code = "invitation.expired"
    hint = "Ask the hub's operator for a new one: `guildmark invite new`."


class InvitationUsedError(ForbiddenError):
    """Another shop used the invitation."""

    code = "invitation.used"
    hint = "Join from the home that began with it, or ask the hub's operator for a new one."


class NotJoinedError(ConflictError):
    """Nobody joined with the invitation yet."""

    code = "invitation.notJoined"
    hint = "Join first: `guildmark join URL`."


class SiteForeignError(ForbiddenError):
    """The account that joined does not speak for the site that shall get units."""

    code = "invitation.siteForeign"
    hint = "Name a site that was registered with the account that joined."


class UnitsMissingError(ConflictError):
    """An invitation hands out no units, or its lane has too few left."""

    code = "invitation.unitsMissing"
    hint = "Ask the hub's operator for units: `guildmark license split LANE N --to SITE`."


class LaneBusyError(ConflictError):
    """Units were cut off the lane at the same moment."""

    code = "invitation.laneBusy"
    hint = "Join again: what was done stays, and the rest follows."


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What a shop gets to build.

    Args:
        lane: The hub's lane from which units are cut off.
        units: How many.
        recipe: The recipe to build by.
        host: The host of the labels.
    """

    lane: LaneNumber
    units: int
    recipe: RecipeId
    host: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """An invitation, and how far it is used.

    Args:
        id: The digest of its token; the token itself is kept nowhere.
        until: When it ends unless somebody used it, in seconds since 1970.
        coin: What the shop's account gets for its registrations.
        share: What the shop gets to build, None where only identities are registered.
        account: The account that joined with it.
        site: The site that gets the units.
        end: The lane's end that the cut names, 0 before it was tried.
        lane: The site's own lane.
        is_withdrawn: Whether the hub took it back.
    """

    id: Digest
    made: int
    until: int
    coin: Uint256
    share: Share | None = None
    account: Address | None = None
    site: IdentityId | None = None
    end: UnitNumber = _NOT_CUT
    lane: LaneNumber | None = None
    is_withdrawn: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listed:
    ids: tuple[Digest, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Inviting:
    """Use cases of a hub's operator around shops that join.

    Args:
        account: Pays for those who join, and speaks for who holds the lanes handed out.
        log: The hub's log.
    """

    ledger: Ledger
    account: Account
    licenses: Licenses
    store: NodeStore
    entropy: Entropy
    clock: Clock
    log: LogNumber

    def invite(
        self, *, seconds: int, coin: int, share: Share | None = None
    ) -> tuple[str, Invitation]:
        """Make an invitation and return its token, which is kept nowhere, and what is kept.

        Args:
            seconds: For how long it waits for somebody to use it.
            coin: What who joins gets, in the chain's smallest unit.
            share: What he gets to build.

        Raises:
            LicenseUnknownError: There is no such lane.
            UnitsMissingError: The lane has too few units left.
            RecipeUnknownError: No final block holds the recipe.
            RecipeDocumentUnknownError: This home does not hold the recipe in full.
        """
        token, now = self.entropy.token(TOKEN_SIZE).hex(), self.clock.now()
        made = Invitation(
            id=digest_of(token), made=now, until=now + seconds, coin=Uint256(coin), share=share
        )
        with self.store.writing() as work:
            if share is not None:
                _check_share(share, work)
            listed = _listed(work.documents)
            work.documents.put(DocumentKind.INVITATION, _LIST, _dump((*listed, made.id)))
            _keep(made, work)
        return token, made

    def each(self) -> Sequence[Invitation]:
        """Return all invitations, the oldest first."""
        with self.store.reading() as view:
            return [_kept(one, view.documents) for one in _listed(view.documents)]

    def withdraw(self, invitation: Digest) -> Invitation:
        """Take an invitation back; what was done with it stays, the hub carries no more for it.

        Raises:
            InvitationUnknownError: There is none of this id.
        """
        with self.store.writing() as work:
            return _keep(replace(_kept(invitation, work.documents), is_withdrawn=True), work)

    def look(self, token: str) -> Invitation:
        """Return an invitation that can be used, or goes on being used.

        Raises:
            InvitationUnknownError: There is none of this token, or it was taken back.
            InvitationExpiredError: Nobody used it in time.
        """
        with self.store.reading() as view:
            return self._usable(token, view)

    def recipe(self, invitation: Invitation) -> tuple[Recipe, RecipeDocument] | None:
        """Return the recipe that an invitation hands over; to who joined only.

        The first says what its id on chain is made of, the second all clauses with their salts.
        """
        if invitation.share is None or invitation.account is None:
            return None
        with self.store.reading() as view:
            recipe = invitation.share.recipe
            return known(view.facts, RecipeFact, recipe).recipe, _recipe(recipe, view)

    def admit(self, token: str, account: Address) -> Invitation:
        """Let an account join, and send it the coin for its registrations; once.

        Raises:
            InvitationUnknownError: There is none of this token, or it was taken back.
            InvitationExpiredError: Nobody used it in time.
            InvitationUsedError: Another account joined with it.
            FundsMissingError: The hub's account has too little coin.
            NotFinalInTimeError: The coin is under way; ask again.
        """
        with self.store.writing() as work:
            found = self._usable(token, work)
            if found.account not in {None, account}:
                message = "Another account joined with this invitation."
                raise InvitationUsedError(message)
            found = _keep(replace(found, account=account), work)
        if found.coin:
            self.account.call(
                *(Payee(address=account), ""), once=f"invitation:{found.id.hex()}", value=found.coin
            )
        return found

    def hand_out(self, token: str, site: IdentityId) -> Invitation:
        """Cut the promised units off the hub's lane for a site of who joined; once.

        Raises:
            InvitationUnknownError: There is none of this token, or it was taken back.
            InvitationExpiredError: Nobody used it in time.
            InvitationUsedError: Another site got the units.
            SiteForeignError: The account that joined does not speak for the site.
            UnitsMissingError: It promises none, or the lane has too few left.
            LaneBusyError: Other units were cut off at the same moment; ask again.
            NotFinalInTimeError: The cut is under way; ask again.
        """
        found = self._intended(token, site)
        if found.lane is not None or found.share is None:
            return found
        with self.store.reading() as view:
            seen = replace(known(view.facts, LaneFact, found.share.lane), end=found.end)
        try:
            lane = self.licenses.split(seen, found.share.units, log=self.log, to=site)
        except (LaneStaleError, IdempotencyMismatchError) as error:
            self._change(found, end=_NOT_CUT)
            message = f"Lane {found.share.lane} was cut at the same moment."
            raise LaneBusyError(message, lane=found.share.lane) from error
        return self._change(found, end=found.end, lane=lane)

    def _intended(self, token: str, site: IdentityId) -> Invitation:
        """Keep what the cut will name before it is sent, so that it is sent once."""
        call = Call(contract=ContractName.IDENTITIES, function="controllerOf", args=(site,))
        with self.store.reading() as view:
            account = self._usable(token, view).account
        if account is None or self.ledger.read(call) != account:
            message = f"The account that joined does not speak for {to_hex(site)}."
            raise SiteForeignError(message, site=to_hex(site))
        with self.store.writing() as work:
            found = self._usable(token, work)
            if found.share is None:
                message = "This invitation hands out no units."
                raise UnitsMissingError(message)
            if found.site not in {None, site}:
                message = "Another site got the units of this invitation."
                raise InvitationUsedError(message)
            if found.end:
                return found
            lane = _check_units(found.share, work)
            return _keep(replace(found, site=site, end=lane.end), work)

    def _change(
        self, found: Invitation, *, end: UnitNumber, lane: LaneNumber | None = None
    ) -> Invitation:
        with self.store.writing() as work:
            return _keep(replace(_kept(found.id, work.documents), end=end, lane=lane), work)

    def _usable(self, token: str, view: View) -> Invitation:
        found = _kept(digest_of(token), view.documents)
        if found.is_withdrawn:
            raise _unknown()
        if found.account is None and self.clock.now() > found.until:
            message = "Nobody used this invitation in time."
            raise InvitationExpiredError(message, until=found.until)
        return found


def digest_of(token: str) -> Digest:
    """Return what is kept of a token: who reads the database cannot join with it."""
    return sha256(_DOMAIN + token.encode())


def _check_share(share: Share, work: Work) -> None:
    _check_units(share, work)
    if work.facts.get(RecipeFact, share.recipe) is None:
        message = f"No final block holds the recipe {to_hex(share.recipe)}."
        raise RecipeUnknownError(message, recipe=to_hex(share.recipe))
    _recipe(share.recipe, work)


def _check_units(share: Share, view: View) -> LaneFact:
    lane = view.facts.get(LaneFact, share.lane)
    if lane is None:
        message = f"No license has a lane {share.lane}."
        raise LicenseUnknownError(message, lane=share.lane)
    if lane.end - lane.next < share.units:
        message = f"Lane {share.lane} has {lane.end - lane.next} units left."
        raise UnitsMissingError(message, lane=share.lane)
    return lane


def _recipe(recipe: RecipeId, view: View) -> RecipeDocument:
    body = view.documents.get(DocumentKind.RECIPE_DOCUMENT, recipe)
    if body is None:
        message = f"The recipe {to_hex(recipe)} is not in this home."
        raise RecipeDocumentUnknownError(message, recipe=to_hex(recipe))
    return RecipeDocument.parse(body)


def _listed(documents: Documents) -> Sequence[Digest]:
    body = documents.get(DocumentKind.INVITATION, _LIST)
    return () if body is None else codec.load(_Listed, parse_object(body)).ids


def _dump(ids: tuple[Digest, ...]) -> bytes:
    return canonical(codec.dump(_Listed(ids=ids)))


def _kept(invitation: Digest, documents: Documents) -> Invitation:
    body = documents.get(DocumentKind.INVITATION, invitation)
    if body is None:
        raise _unknown()
    return codec.load(Invitation, parse_object(body))


def _keep(invitation: Invitation, work: Work) -> Invitation:
    body = canonical(codec.dump(invitation))
    work.documents.put(DocumentKind.INVITATION, invitation.id, body)
    return invitation


def _unknown() -> InvitationUnknownError:
    message = "There is no such invitation."
    return InvitationUnknownError(message)
