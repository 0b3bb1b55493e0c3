"""From a contract's custom error to the domain's error, by name, in one table."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from guildmark.adapters.chain.codec import SELECTOR, Function, custom_errors, error_arguments
from guildmark.adapters.chain.rpc import RpcRefusedError
from guildmark.domain.chain import refusals
from guildmark.domain.errors import GuildmarkError
from guildmark.domain.identifiers import to_hex

REFUSALS: Mapping[str, type[GuildmarkError]] = MappingProxyType(
    {
        "AccreditationBackDated": refusals.AccreditationTimeError,
        "AccreditationEmpty": refusals.AccreditationTimeError,
        "AccreditationRevokedAlready": refusals.AccreditationRevokedError,
        "AccreditationUnknown": refusals.AccreditationUnknownError,
        "AccreditedAlready": refusals.AccreditedError,
        "BlindMissing": refusals.EquivalenceCallError,
        "CallerNotAuthority": refusals.CallerRefusedError,
        "CallerNotBuildLog": refusals.CallerRefusedError,
        "CallerNotCandidate": refusals.CallerRefusedError,
        "CallerNotChallenger": refusals.CallerRefusedError,
        "CallerNotController": refusals.CallerRefusedError,
        "CallerNotDesignOwner": refusals.CallerRefusedError,
        "CallerNotEvaluator": refusals.CallerRefusedError,
        "CallerNotGiver": refusals.CallerRefusedError,
        "CallerNotGuardian": refusals.CallerRefusedError,
        "CallerNotHolder": refusals.CallerRefusedError,
        "CallerNotIssuer": refusals.CallerRefusedError,
        "CallerNotLicensor": refusals.CallerRefusedError,
        "CallerNotOperator": refusals.CallerRefusedError,
        "CallerNotOwner": refusals.CallerRefusedError,
        "CallerNotSite": refusals.CallerRefusedError,
        "CallerNotSponsor": refusals.CallerRefusedError,
        "CallerNotThingOwner": refusals.CallerRefusedError,
        "CallerNotWriter": refusals.CallerRefusedError,
        "CandidateInvalid": refusals.GuardiansInvalidError,
        "CauseMissing": refusals.EquivalenceCallError,
        "CertificateOver": refusals.EquivalenceCallError,
        "CertificateUnknown": refusals.CertificateUnknownError,
        "CertifiedAlready": refusals.EquivalenceDoneError,
        "ChallengedAlready": refusals.EquivalenceDoneError,
        "ChangeMismatch": refusals.RecipeInvalidError,
        "CidLengthInvalid": refusals.DesignInvalidError,
        "ClaimMadeAlready": refusals.ClaimMadeError,
        "ClaimRevokedAlready": refusals.ClaimRevokedError,
        "ClaimUnknown": refusals.ClaimUnknownError,
        "CodeMissing": refusals.CallRefusedError,
        "CoinShort": refusals.PaymentRefusedError,
        "CommitTooLate": refusals.EquivalenceLateError,
        "CommitmentMissing": refusals.CommitmentError,
        "CommitmentTooYoung": refusals.CommitmentError,
        "CommittedAlready": refusals.EquivalenceDoneError,
        "ControllerMissing": refusals.IdentityKindError,
        "ControllerNotProposed": refusals.ControllerNotProposedError,
        "ControllerUnknown": refusals.ControllerUnknownError,
        "CountInvalid": refusals.BatchInvalidError,
        "CreditMissing": refusals.CreditMissingError,
        "DerivedFromTooMany": refusals.DesignInvalidError,
        "DesignEpochStale": refusals.RevisionStaleError,
        "DesignRegisteredAlready": refusals.DesignRegisteredError,
        "DesignRevisionUnknown": refusals.DesignUnknownError,
        "DesignStateChanged": refusals.RevisionStaleError,
        "DesignUnknown": refusals.DesignUnknownError,
        "DrawEmpty": refusals.BatchInvalidError,
        "DrawsExceedCount": refusals.BatchInvalidError,
        "DrawsTooMany": refusals.BatchInvalidError,
        "ERC721IncorrectOwner": refusals.CallerRefusedError,
        "ERC721InsufficientApproval": refusals.CallerRefusedError,
        "ERC721InvalidApprover": refusals.CallerRefusedError,
        "ERC721InvalidOperator": refusals.PartInvalidError,
        "ERC721InvalidOwner": refusals.PartInvalidError,
        "ERC721InvalidReceiver": refusals.PartInvalidError,
        "ERC721InvalidSender": refusals.PartInvalidError,
        "ERC721NonexistentToken": refusals.PartUnknownError,
        "EvaluatorInRecovery": refusals.IssuerInRecoveryError,
        "EvaluatorNotAuthority": refusals.IdentityKindError,
        "FailedCall": refusals.PaymentRefusedError,
        "FateSet": refusals.FateSetError,
        "GuardianChangeMissing": refusals.RecoveryStateError,
        "GuardianChangeTooEarly": refusals.RecoveryTooEarlyError,
        "GuardianDelayInvalid": refusals.GuardiansInvalidError,
        "GuardianThresholdInvalid": refusals.GuardiansInvalidError,
        "GuardiansNotAscending": refusals.GuardiansInvalidError,
        "GuardiansTooMany": refusals.GuardiansInvalidError,
        "HolderInRecovery": refusals.HolderInRecoveryError,
        "HolderKindInvalid": refusals.IdentityKindError,
        "HolderNotSite": refusals.IdentityKindError,
        "HolderUnderNotice": refusals.HolderUnderNoticeError,
        "IdentityRegisteredAlready": refusals.IdentityRegisteredError,
        "IdentityUnknown": refusals.IdentityUnknownError,
        "InsufficientBalance": refusals.PaymentRefusedError,
        "InvalidShortString": refusals.CallRefusedError,
        "IssuerInRecovery": refusals.IssuerInRecoveryError,
        "IssuerNotAuthority": refusals.IdentityKindError,
        "IssuerUnderNotice": refusals.IssuerUnderNoticeError,
        "JoinedAlready": refusals.EquivalenceDoneError,
        "KeyAddedAlready": refusals.KeyAddedError,
        "KeyEndedAlready": refusals.KeyEndedError,
        "KeyHolderNotMachine": refusals.IdentityKindError,
        "KeyUnknown": refusals.KeyUnknownError,
        "KindMissing": refusals.IdentityKindError,
        "KindNotBuild": refusals.PartInvalidError,
        "LaneEndStale": refusals.LaneStaleError,
        "LaneOfOtherLog": refusals.LaneLogError,
        "LaneUnderReclaim": refusals.ReclaimStateError,
        "LaneUnknown": refusals.LicenseUnknownError,
        "LapsedAlready": refusals.EquivalenceDoneError,
        "LicenseEnding": refusals.LicenseEndingError,
        "LicenseGrantedAlready": refusals.LicenseGrantedError,
        "LicenseNotAbove": refusals.PaymentRefusedError,
        "LicenseNotRoot": refusals.TermsInvalidError,
        "LicenseUnknown": refusals.LicenseUnknownError,
        "LicenseeSignatureInvalid": refusals.SignatureRefusedError,
        "LicensorSignatureInvalid": refusals.SignatureRefusedError,
        "LinkKindsMismatch": refusals.IdentityKindError,
        "LinkNotOpen": refusals.LinkStateError,
        "LinkNotRequested": refusals.LinkStateError,
        "LinkOpenAlready": refusals.LinkStateError,
        "LinkRequestedAlready": refusals.LinkStateError,
        "LogClosedAlready": refusals.LogClosedError,
        "LogFull": refusals.LogFullError,
        "LogHolderNotSite": refusals.IdentityKindError,
        "LogUnknown": refusals.LogUnknownError,
        "NotCommitted": refusals.EquivalenceEarlyError,
        "NotJoined": refusals.EquivalenceEarlyError,
        "NotRevealed": refusals.EquivalenceEarlyError,
        "NoticeGiverNotAuthority": refusals.IdentityKindError,
        "NumberClaimedAlready": refusals.NumberClaimedError,
        "OfferExpired": refusals.OfferExpiredError,
        "OpeningInvalid": refusals.BlindOpeningError,
        "OperatorNotOrganization": refusals.IdentityKindError,
        "OutcomeMissing": refusals.EquivalenceCallError,
        "OwnerSignatureInvalid": refusals.SignatureRefusedError,
        "PaymentInvalid": refusals.PaymentRefusedError,
        "PaymentStale": refusals.PaymentRefusedError,
        "PlanDeadlinesInvalid": refusals.EquivalenceCallError,
        "PlanDocumentMissing": refusals.EquivalenceCallError,
        "PlanRegisteredAlready": refusals.EquivalenceDoneError,
        "PlanSitesInvalid": refusals.EquivalenceCallError,
        "PlanUnknown": refusals.PlanUnknownError,
        "PositionOutOfRange": refusals.RecordUnknownError,
        "PossessorSignatureInvalid": refusals.SignatureRefusedError,
        "ProfileUsedBefore": refusals.ProfileUsedError,
        "ProofInvalid": refusals.RecordUnknownError,
        "PublicKeyInvalid": refusals.PublicKeyError,
        "ReasonMissing": refusals.RecallInvalidError,
        "RecallClosedAlready": refusals.RecallClosedError,
        "RecallStale": refusals.RecallStaleError,
        "RecallUnknown": refusals.RecallUnknownError,
        "RecipeOfOtherDesign": refusals.RecipeInvalidError,
        "RecipePublishedAlready": refusals.RecipePublishedError,
        "RecipeRootMissing": refusals.RecipeInvalidError,
        "RecipeSupersededAlready": refusals.RecipeSupersededError,
        "RecipeUnknown": refusals.RecipeUnknownError,
        "RecipientMissing": refusals.PaymentRefusedError,
        "ReclaimEmpty": refusals.ReclaimStateError,
        "ReclaimNever": refusals.ReclaimStateError,
        "ReclaimTooEarly": refusals.ReclaimStateError,
        "RecordUnknown": refusals.RecordUnknownError,
        "RecoveryBeyondVeto": refusals.RecoveryRunningError,
        "RecoveryNotRunning": refusals.RecoveryStateError,
        "RecoveryRunning": refusals.RecoveryRunningError,
        "RecoveryTooEarly": refusals.RecoveryTooEarlyError,
        "ResaleReceiverMissing": refusals.DesignInvalidError,
        "ResaleTooHigh": refusals.DesignInvalidError,
        "ResultInvalid": refusals.EquivalenceCallError,
        "RevealTooEarly": refusals.EquivalenceEarlyError,
        "RevealTooLate": refusals.EquivalenceLateError,
        "RevealedAlready": refusals.EquivalenceDoneError,
        "RevisionRootMissing": refusals.DesignInvalidError,
        "RevisionStale": refusals.RevisionStaleError,
        "RevisionUnknown": refusals.DesignUnknownError,
        "RoyaltyNone": refusals.PaymentRefusedError,
        "SafeERC20FailedOperation": refusals.PaymentRefusedError,
        "SchemeInvalid": refusals.IdentifierNotWordError,
        "ScopeMissing": refusals.EquivalenceCallError,
        "SeqStale": refusals.LogStaleError,
        "SeverityMissing": refusals.RecallInvalidError,
        "SiteNotPlanned": refusals.EquivalenceCallError,
        "SiteRecipePublishedAlready": refusals.RecipePublishedError,
        "SiteRecipeUnknown": refusals.RecipeUnknownError,
        "SplitEmpty": refusals.TermsInvalidError,
        "SplitTooLarge": refusals.SplitError,
        "StatusInvalid": refusals.RecipeStepError,
        "StepsStale": refusals.RecipeStepError,
        "StopNotEarlier": refusals.StopTimeError,
        "StopTooEarly": refusals.StopTimeError,
        "StringTooLong": refusals.CallRefusedError,
        "SublicenseTooDeep": refusals.TermsInvalidError,
        "SupersededByEarlier": refusals.PartInvalidError,
        "SupersedingEntryMissing": refusals.PartInvalidError,
        "SuspendedAlready": refusals.EquivalenceDoneError,
        "SuspicionAfterNotice": refusals.SuspicionError,
        "SuspicionBackedAlready": refusals.SuspicionBackedError,
        "SuspicionBeforeController": refusals.SuspicionError,
        "SuspicionBeforeGuardians": refusals.SuspicionError,
        "SuspicionNotEarlier": refusals.SuspicionError,
        "TermsDesignMismatch": refusals.TermsInvalidError,
        "TermsNoticeTooLong": refusals.TermsInvalidError,
        "TermsParentMismatch": refusals.TermsInvalidError,
        "TermsRoyaltyTooLarge": refusals.TermsInvalidError,
        "TermsUnitsMissing": refusals.TermsInvalidError,
        "TermsUnitsTooMany": refusals.TermsInvalidError,
        "TermsWindowEmpty": refusals.TermsInvalidError,
        "ThingInvalid": refusals.RecallInvalidError,
        "TickedAlready": refusals.TickedError,
        "UnitNotGranted": refusals.UnitMissingError,
        "UnitsStale": refusals.LaneStaleError,
        "ValueInvalid": refusals.IdentifierNotWordError,
        "ValueMismatch": refusals.PaymentRefusedError,
        "WindowBeyondController": refusals.RecallWindowError,
        "WindowInvalid": refusals.RecallInvalidError,
        "WriterMissing": refusals.BatchInvalidError,
        "WriterSignatureInvalid": refusals.SignatureRefusedError,
    }
)

# JSON-RPC has no number for it: geth, Besu, anvil and Hardhat each say it in these words.
_FUNDS = ("insufficient funds", "enough funds", "upfront cost")
_KNOWN = ("already known", "already imported", "known transaction", "already in")
_NONCE = ("nonce too low", "nonce is too low", "expected nonce")
# So does geth answer for a transaction that it does not know, until it has read its old blocks.
_READING = ("indexing is in progress",)
_HOPELESS = ("intrinsic gas", "gas limit", "chain id", "invalid sender", "initcode", "oversized")


def refusal(data: bytes) -> GuildmarkError:
    """Return the error that a revert's data stands for."""
    error = custom_errors().get(data[:SELECTOR])
    if error is None:
        message = "The contract refused the call without a reason that its ABI knows."
        return refusals.CallRefusedError(message, data=to_hex(data[:68]))
    name = error.signature.partition("(")[0]
    kind = REFUSALS.get(name, refusals.CallRefusedError)
    detail = _detail(error, data)
    values = ", ".join(f"{key} {value}" for key, value in detail.items())
    message = f"The contract refused the call: {name}" + (f" ({values})." if values else ".")
    return kind(message, contractError=name, **detail)


def translated(error: RpcRefusedError) -> GuildmarkError:
    """Return what a node's refusal means: a contract's revert, a lack of coin, or itself."""
    if error.data or _says(error, ("revert",)):
        return refusal(error.data)
    if _says(error, _FUNDS):
        return refusals.FundsMissingError("The account cannot pay for the transaction.")
    return error


def is_sent(error: RpcRefusedError) -> bool:
    """Return whether a raw transaction is refused only because it was sent before.

    "Nonce too low" says that it, or another one with its nonce, is in a block: the receipt tells.
    """
    return _says(error, _KNOWN) or _says(error, _NONCE)


def is_nonce_used(error: RpcRefusedError) -> bool:
    """Return whether a block holds this transaction already, or another one with its nonce."""
    return _says(error, _NONCE)


def is_hopeless(error: RpcRefusedError) -> bool:
    """Return whether no node will ever take the transaction as it is."""
    return _says(error, _HOPELESS)


def receipts(answers: Sequence[Any]) -> Sequence[Any]:
    """Return the receipts that a node answered, None where it has none, or cannot say so yet.

    Raises:
        RpcRefusedError: The node refused for another reason; the first one is raised.
    """
    found = [None if _is_too_early(answer) else answer for answer in answers]
    for answer in found:
        if isinstance(answer, RpcRefusedError):
            raise answer
    return found


def _is_too_early(answer: Any) -> bool:
    return isinstance(answer, RpcRefusedError) and _says(answer, _READING)


def _says(error: RpcRefusedError, words: tuple[str, ...]) -> bool:
    text = str(error.detail["rpcMessage"]).lower()
    return any(word in text for word in words)


def _detail(error: Function, data: bytes) -> dict[str, Any]:
    arguments = error_arguments(error, data)
    return {
        key: to_hex(value) if isinstance(value, bytes) else value
        for key, value in arguments.items()
    }
