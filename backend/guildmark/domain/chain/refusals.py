"""What a contract answers when it refuses a call: one error a reason, whatever the contract.

The adapter's table says which custom error of which contract each of them stands for; the
offending values are in ``detail``, under the names that the contract gives them.
"""

from guildmark.domain.errors import (
    ConflictError,
    ContentError,
    ForbiddenError,
    MalformedError,
    NotCoveredError,
    NotFoundError,
    NotLoggedError,
    RevokedError,
    SignatureError,
)


class CallerRefusedError(ForbiddenError):
    """The account that signed the call is not the one that may make it."""

    code = "caller.notAllowed"


class ControllerNotProposedError(ForbiddenError):
    """The account was not proposed as controller."""

    code = "identity.controllerNotProposed"
    hint = "Let the present controller propose this account first."


class IdentityUnknownError(NotFoundError):
    """No identity has this id."""

    code = "identity.unknown"


class IdentityRegisteredError(ConflictError):
    """The identity is on record already."""

    code = "identity.registeredAlready"
    hint = "Use the identity that is there, or another salt."


class IdentityKindError(MalformedError):
    """An identity of another kind is needed here."""

    code = "identity.kindMismatch"
    hint = "Name an organization, site or machine as the command asks."


class GuardiansInvalidError(MalformedError):
    """Guardians, their threshold or delay, or a candidate that cannot be."""

    code = "guardian.invalid"
    hint = "Name up to 16 accounts once each, a threshold up to their number, and 1 to 90 days."


class RecoveryStateError(ConflictError):
    """No guardians wait, or no recovery runs."""

    code = "guardian.nothingWaits"
    hint = "Look with `guildmark guardian show` what stands, waits and runs."


class RecoveryTooEarlyError(ConflictError):
    """The delay of a recovery, or of a change of guardians, has not passed."""

    code = "guardian.tooEarly"
    hint = "Wait until the time that `guildmark guardian show` names."


class RecoveryRunningError(ConflictError):
    """A recovery runs, and the call cannot stop it or pass it by."""

    code = "guardian.recoveryRuns"
    hint = "Talk with the guardians: a recovery ends when they withdraw their support."


class HolderInRecoveryError(ConflictError):
    """The lane's holder is in recovery: who speaks for it is not settled."""

    code = "part.holderInRecovery"
    hint = "Wait until the recovery has ended."


class HolderUnderNoticeError(ConflictError):
    """The account that speaks for the lane's holder is under notice."""

    code = "part.holderUnderNotice"
    hint = "Give the holder another controller, or let its guardians recover it."


class LinkStateError(ConflictError):
    """The link is not in the state that the call needs."""

    code = "link.stateMismatch"
    hint = "Look at the link: it is asked by the child, then accepted by the parent."


class PublicKeyError(MalformedError):
    """The bytes are no public key of the algorithm."""

    code = "key.publicKeyInvalid"
    hint = "Give 33 bytes compressed (secp256k1, P-256) or 32 bytes (Ed25519)."


class KeyUnknownError(NotFoundError):
    """No key with this id is registered."""

    code = "key.unknown"


class KeyAddedError(ConflictError):
    """The key is registered already."""

    code = "key.addedAlready"
    hint = "Make a new key: a key belongs to one machine once."


class KeyEndedError(RevokedError):
    """The key has ended."""

    code = "key.ended"
    hint = "Use the machine's next key."


class SuspicionError(MalformedError):
    """A notice names a time from which it may not doubt the key or the controller."""

    code = "key.suspicionInvalid"
    hint = (
        "Name a time after you became controller, or after these guardians stood, and not after "
        "now; it only moves earlier."
    )


class SuspicionBackedError(ConflictError):
    """The guardian backs this very notice already, or none where he takes it back."""

    code = "notice.backedAlready"
    hint = "Nothing is left to do: the other guardians must back the same time."


class ControllerUnknownError(NotFoundError):
    """The identity never had a controller of this number."""

    code = "notice.controllerUnknown"
    hint = "Count its controllers from 1; the present one has the highest number."


class ClaimUnknownError(NotFoundError):
    """No claim has this id."""

    code = "claim.unknown"


class ClaimMadeError(ConflictError):
    """The issuer made this claim already."""

    code = "claim.madeAlready"
    hint = "Nothing is left to do: the claim is on record."


class IdentifierNotWordError(MalformedError):
    """An identifier or its scheme cannot stand in public: it is no short word of ASCII."""

    code = "claim.identifierNotWord"
    hint = "Use up to 64 visible ASCII characters without blanks, or do not make it public."


class NumberClaimedError(ConflictError):
    """The issuer claims this identifier already, and the claim stands."""

    code = "claim.numberClaimedAlready"
    hint = "Revoke the other claim first; an identifier of an issuer has one holder."


class ClaimRevokedError(RevokedError):
    """The claim is revoked already."""

    code = "claim.revoked"
    hint = "Make a new claim if it holds again."


class IssuerInRecoveryError(ConflictError):
    """The issuer is in recovery: who speaks for it is not settled."""

    code = "accreditation.issuerInRecovery"
    hint = "Wait until the recovery has ended."


class AccreditationTimeError(MalformedError):
    """An accreditation begins before the block that would record it, or ends as it begins."""

    code = "accreditation.timeInvalid"
    hint = "Let it begin now or later, and end after that."


class AccreditedError(ConflictError):
    """The issuer gave this very accreditation already."""

    code = "accreditation.givenAlready"
    hint = "Nothing is left to do; to renew one, give it again with a new scope document."


class ProfileUsedError(ConflictError):
    """The identity showed this very profile before, and then another one."""

    code = "identity.profileUsedBefore"
    hint = "Write the profile anew: another salt makes it another profile."


class AccreditationUnknownError(NotFoundError):
    """The issuer gave no accreditation with this id."""

    code = "accreditation.unknown"


class AccreditationRevokedError(RevokedError):
    """The accreditation is revoked already."""

    code = "accreditation.revoked"
    hint = "Give a new one if it holds again."


class CommitmentError(ConflictError):
    """A design cannot be revealed: its commitment is missing or of this very block."""

    code = "design.commitmentNotReady"
    hint = "Commit first and reveal in a later block."


class DesignRegisteredError(ConflictError):
    """The design is registered already."""

    code = "design.registeredAlready"
    hint = "Publish a revision of the design that is there."


class DesignUnknownError(NotFoundError):
    """No design has this id, or not that revision."""

    code = "design.unknown"


class DesignInvalidError(MalformedError):
    """A revision lacks its root, or has too many origins or too long a CID."""

    code = "design.invalid"
    hint = "Register the file set again with the design command."


class RevisionStaleError(ConflictError):
    """The design got another revision or owner in the meantime."""

    code = "design.stale"


class RecipePublishedError(ConflictError):
    """The recipe is on record already."""

    code = "recipe.publishedAlready"
    hint = "Nothing is left to do, or change the recipe to publish another."


class RecipeUnknownError(NotFoundError):
    """No recipe has this id."""

    code = "recipe.unknown"


class RecipeSupersededError(ConflictError):
    """The recipe has a successor already."""

    code = "recipe.supersededAlready"
    hint = "Supersede the successor that is named."


class RecipeInvalidError(MalformedError):
    """The recipe does not fit its design, its predecessor or its kind of change."""

    code = "recipe.invalid"


class RecipeStepError(ConflictError):
    """The recipe's status does not allow this step, or has moved."""

    code = "recipe.stepNotAllowed"


class LicenseUnknownError(NotFoundError):
    """No license or lane has this id or number."""

    code = "license.unknown"


class TermsInvalidError(MalformedError):
    """Terms that no license can have."""

    code = "license.termsInvalid"
    hint = "Correct the terms and let the owner sign them again."


class OfferExpiredError(RevokedError):
    """The offer was open until an earlier time."""

    code = "license.offerExpired"
    hint = "Ask the owner to sign the terms again with a later offer date."


class LicenseGrantedError(ConflictError):
    """The license is granted already."""

    code = "license.grantedAlready"
    hint = "Use the license that is there, or sign terms with another nonce."


class SplitError(NotCoveredError):
    """A lane has not that many undrawn units."""

    code = "license.splitTooLarge"
    hint = "Split off fewer units, or ask the licensor for more."


class LaneStaleError(ConflictError):
    """The lane's end, or the license's units, are not those that the call saw."""

    code = "license.laneStale"


class LicenseEndingError(RevokedError):
    """Nothing more is given under a license that has ended or is stopped."""

    code = "license.ending"
    hint = "Ask the licensor for a new license."


class ReclaimStateError(ConflictError):
    """The lane is being reclaimed, or cannot be reclaimed now."""

    code = "license.reclaimState"
    hint = "Look at the lane: its giver announces, and takes what is undrawn after the notice."


class PaymentRefusedError(ConflictError):
    """A payment that is not what is owed, or a coin that does not move as it should."""

    code = "payment.refused"
    hint = (
        "Look at what is owed with `guildmark license show`; allow the registry to take the coin."
    )


class CreditMissingError(NotFoundError):
    """Nothing waits for the account in this coin."""

    code = "payment.nothingWaits"


class LaneLogError(NotCoveredError):
    """The lane draws into another log."""

    code = "license.laneOfOtherLog"
    hint = "Send the build to the operator whose log the lane names."


class StopTimeError(MalformedError):
    """A stop earlier than its notice allows, or not earlier than the one before."""

    code = "license.stopTimeInvalid"
    hint = "Name a time at least the notice from now and before the present stop."


class LogUnknownError(NotFoundError):
    """No log has this number."""

    code = "log.unknown"


class LogClosedError(RevokedError):
    """The log is closed for ever."""

    code = "log.closed"
    hint = "Open a log that continues it."


class LogFullError(ConflictError):
    """The log has no index left for so many entries."""

    code = "log.full"
    hint = "Open a log that continues it."


class LogStaleError(ConflictError):
    """The log has a record at this place already."""

    code = "log.seqStale"
    hint = "Read the log's head: the batch may be on record already."


class PlanUnknownError(NotFoundError):
    """No equivalence plan has this id."""

    code = "equivalence.planUnknown"
    hint = "Name the plan's id as `guildmark equivalence show` prints it."


class CertificateUnknownError(NotFoundError):
    """Nothing is certified of this site under this plan."""

    code = "equivalence.certificateUnknown"


class EquivalenceCallError(MalformedError):
    """A plan, a commitment or a certificate that lacks something or contradicts itself."""

    code = "equivalence.callInvalid"
    hint = "Name 1 to 64 sites, deadlines that are ahead, and each digest."


class EquivalenceDoneError(ConflictError):
    """It was done before; plans, data, certificates and what ends them are written once."""

    code = "equivalence.doneAlready"
    hint = "Look at what is on record; another try is another plan, with a number of its own."


class EquivalenceEarlyError(ConflictError):
    """A step before this one is missing, or others may still commit blindly."""

    code = "equivalence.tooEarly"
    hint = "The order is: plan, join, commit, reveal, certify. See `guildmark equivalence show`."


class EquivalenceLateError(ConflictError):
    """The plan's deadline for this is over; the site failed under this plan."""

    code = "equivalence.tooLate"
    hint = "Join the next plan; it gets the next number."


class BlindOpeningError(ContentError):
    """The data are not those that the site committed to."""

    code = "equivalence.blindMismatch"
    hint = "Reveal the data that were committed to, with their salt."


class BatchInvalidError(MalformedError):
    """A batch or tick that no log takes."""

    code = "log.batchInvalid"
    hint = "Send 1 to 1,048,576 entries with at most 32 draws that they cover."


class TickedError(ConflictError):
    """This block has its tick already."""

    code = "log.tickedAlready"
    hint = "Use the beacon that is there."


class RecordUnknownError(NotLoggedError):
    """The record is not the one that the chain holds, or the entry is not in it."""

    code = "log.recordUnknown"


class UnitMissingError(NotCoveredError):
    """The position got no unit."""

    code = "license.unitMissing"
    hint = "Only a part with a granted unit can become a token, be voided or superseded."


class FateSetError(RevokedError):
    """The part is void or superseded already."""

    code = "part.fateSet"
    hint = "Look at the part: its fate is final."


class RecallUnknownError(NotFoundError):
    """No recall of this thing has this number in this list."""

    code = "recall.unknown"
    hint = "Numbers count from 1, in each list of a thing apart."


class RecallInvalidError(MalformedError):
    """A recall names no thing, no severity or no reason, or its window is empty."""

    code = "recall.invalid"


class RecallWindowError(ForbiddenError):
    """A machine's or key's recall reaches beyond the time of the controller who issues it."""

    code = "recall.notInYourTime"
    hint = "Name a window within the time in which the machine is or was yours."


class RecallStaleError(ConflictError):
    """Another recall of the thing came in between."""

    code = "recall.stale"
    hint = "Read the recalls of the thing again, then issue yours if it still says more."


class IssuerUnderNoticeError(ConflictError):
    """The account that speaks for the recall's issuer is under notice."""

    code = "recall.issuerUnderNotice"
    hint = "Give the issuer another controller, or let its guardians recover it."


class RecallClosedError(ConflictError):
    """The recall is closed already."""

    code = "recall.closedAlready"
    hint = "Nothing is left to do: it stays on record as closed."


class PartInvalidError(MalformedError):
    """The entry is no build, or the entry that shall replace it is none."""

    code = "part.invalid"


class PartUnknownError(NotFoundError):
    """No token stands for this design or part."""

    code = "part.notMaterialised"


class SignatureRefusedError(SignatureError):
    """A contract was shown a signature that is not the one it needs."""

    code = "signature.refused"
    hint = "Let the named account sign again on this chain and contract."


class CallRefusedError(ConflictError):
    """The contract refused the call without a reason of its own."""

    code = "chain.callRefused"
    hint = "Try again; if it stays, report the function and its arguments."


class OutOfGasError(ConflictError):
    """The transaction used up its gas and did nothing."""

    code = "chain.outOfGas"
    hint = "Send it again without a gas limit of its own."


class FundsMissingError(ConflictError):
    """The account cannot pay for the transaction."""

    code = "chain.fundsMissing"
    hint = "Send coin to the account; on a local chain `guildmark chain fund ADDRESS` does."
