// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Global ID: organizations, sites, machines and authorities, with links, keys and claims
/// @notice Nobody can squat on an id: it commits to its first controller. Nothing here can be
/// rewritten; every interval begins at the block that records it.
interface IIdentityRegistry {
    /// @notice What an identity stands for.
    enum Kind {
        None,
        Organization,
        Site,
        Machine,
        Authority
    }

    /// @notice The signature algorithm of a machine's key.
    enum Algorithm {
        None,
        Secp256k1,
        P256,
        Ed25519
    }

    /// @notice Who an identity is; one slot.
    /// @param controller The account that speaks for it.
    /// @param kind What it stands for.
    /// @param since The block time of its registration.
    /// @param controllers How many controllers it has had; the newest is number `controllers`.
    /// @param isInRecovery Whether guardians are about to give it another controller.
    /// @param isUnderNotice Whether the controller, or t guardians, gave notice on the controller.
    struct Identity {
        address controller;
        Kind kind;
        uint40 since;
        uint32 controllers;
        bool isInRecovery;
        bool isUnderNotice;
    }

    /// @notice A controller and the block time from which it spoke; one slot.
    struct Controller {
        address account;
        uint40 from;
    }

    /// @notice Block seconds [from, to); `to` = 0 is open; one slot.
    struct Interval {
        uint40 from;
        uint40 to;
    }

    /// @notice A machine's key; one slot. The public key itself is bound by the key's id.
    /// @param algorithm Its signature algorithm.
    /// @param from The block time from which it may sign.
    /// @param to The block time at which it ended, 0 while it is open.
    /// @param noticeAt The block time of the first compromise notice, 0 where there is none.
    /// @param suspectedFrom From when on the notice doubts the key; only ever moves earlier.
    struct Key {
        Algorithm algorithm;
        uint40 from;
        uint40 to;
        uint40 noticeAt;
        uint40 suspectedFrom;
    }

    /// @notice Who may give an identity another controller; one slot.
    /// @param threshold How many guardians start a recovery.
    /// @param count How many guardians there are, 0 where there are none.
    /// @param delay Seconds from the start of a recovery to its end; a change of guardians waits as
    /// long.
    /// @param since The block time from which they stand.
    /// @param epoch The number of this set of guardians, from 1.
    /// @param round Grows when votes become void: with a set, and with a recovery that ended well.
    struct Guardianship {
        uint8 threshold;
        uint8 count;
        uint40 delay;
        uint40 since;
        uint32 epoch;
        uint32 round;
    }

    /// @notice A set of guardians that waits; one slot.
    /// @param readyAt From when on it may be applied, 0 where none waits.
    /// @param epoch The number of the newest set, waiting or not.
    struct GuardianChange {
        uint8 threshold;
        uint8 count;
        uint40 delay;
        uint40 readyAt;
        uint32 epoch;
    }

    /// @notice A recovery that runs; one slot, all zero where none does.
    /// @param controller Who will control the identity.
    /// @param readyAt From when on he may take it over.
    struct Recovery {
        address controller;
        uint40 readyAt;
    }

    /// @notice How a candidate stands; one slot.
    /// @param backers How many guardians support him now.
    /// @param isVetoed Whether a controller cancelled his recovery: he needs one guardian more.
    struct Tally {
        uint8 backers;
        bool isVetoed;
    }

    /// @notice What an issuer accredits a subject for, in block seconds [from, to); one slot.
    /// @param from From when on it holds, never before the block that recorded it.
    /// @param to When it ends by itself, 0 where it does not.
    /// @param revokedAt The block time at which its issuer revoked it, 0 where he did not.
    /// @param recordedAt The block time at which it was given, whatever it begins with.
    struct Accreditation {
        uint40 from;
        uint40 to;
        uint40 revokedAt;
        uint40 recordedAt;
    }

    /// @notice A notice that a key, or a controller's account, may be in other hands; one slot, all
    /// zero where none was given.
    /// @param at The block time of the first call, which never changes.
    /// @param suspectedFrom From when on it doubts; only ever moves earlier.
    struct Notice {
        uint40 at;
        uint40 suspectedFrom;
    }

    /// @notice An identity exists.
    event IdentityRegistered(
        bytes32 indexed id,
        Kind indexed kind,
        address indexed controller,
        bytes32 salt,
        bytes32 profile
    );
    /// @notice The identity shows another salted profile.
    event ProfileChanged(bytes32 indexed id, bytes32 profile);
    /// @notice The controller named a successor, who has yet to accept.
    event ControllerProposed(bytes32 indexed id, address indexed controller);
    /// @notice The successor accepted and controls the identity.
    event ControllerChanged(bytes32 indexed id, address indexed controller, uint40 number);
    /// @notice The child asked to belong to the parent.
    event LinkRequested(bytes32 indexed child, bytes32 indexed parent);
    /// @notice The parent accepted; the link holds from this block.
    event LinkAccepted(bytes32 indexed child, bytes32 indexed parent, uint40 number);
    /// @notice One side ended the link.
    event LinkEnded(bytes32 indexed child, bytes32 indexed parent, uint40 number);
    /// @notice A machine has another key.
    event KeyAdded(
        bytes32 indexed key, bytes32 indexed machine, Algorithm algorithm, bytes publicKey
    );
    /// @notice The key signs no more from this block.
    event KeyEnded(bytes32 indexed key, bytes32 indexed machine);
    /// @notice The key may be in other hands since `suspectedFrom`, says the machine's controller, or
    /// say its guardians.
    event KeyNoticeGiven(
        bytes32 indexed key,
        bytes32 indexed machine,
        uint40 noticeAt,
        uint40 suspectedFrom,
        bytes32 evidence,
        bool isByGuardians
    );
    /// @notice The issuer states something of the subject.
    event ClaimMade(
        bytes32 indexed claim,
        bytes32 indexed issuer,
        bytes32 indexed subject,
        bytes32 scheme,
        bytes32 digest,
        bytes32 evidence
    );
    /// @notice The claim's identifier, for everybody to read: what its digest opens to.
    event ClaimShown(bytes32 indexed claim, bytes32 salt, string value);
    /// @notice The issuer no longer states it.
    event ClaimRevoked(bytes32 indexed claim);

    /// @notice The controller named guardians, who stand from `readyAt` once they are applied.
    event GuardiansProposed(
        bytes32 indexed id,
        uint32 indexed epoch,
        address[] guardians,
        uint8 threshold,
        uint40 delay,
        uint40 readyAt
    );
    /// @notice These guardians stand, those before them no more; all votes are void.
    event GuardiansChanged(bytes32 indexed id, uint32 indexed epoch);
    /// @notice The guardian supports a candidate, instead of whom he supported before.
    event CandidateSupported(
        bytes32 indexed id, address indexed guardian, address indexed candidate, uint8 backers
    );
    /// @notice Enough guardians support the candidate: the delay runs.
    event RecoveryStarted(bytes32 indexed id, address indexed candidate, uint40 readyAt);
    /// @notice The controller cancelled the candidate's recovery: he needs one guardian more.
    event RecoveryCancelled(bytes32 indexed id, address indexed candidate);
    /// @notice The recovery runs no more: cancelled, out of support, or taken over.
    event RecoveryEnded(bytes32 indexed id, address indexed candidate);

    /// @notice The issuer accredits the subject for the scope that `scope` commits to.
    event Accredited(
        bytes32 indexed accreditation,
        bytes32 indexed issuer,
        bytes32 indexed subject,
        bytes32 scope,
        uint40 from,
        uint40 to
    );
    /// @notice The accreditation holds no more from this block.
    event AccreditationRevoked(bytes32 indexed accreditation);
    /// @notice The account of controller `number` may be in other hands since `suspectedFrom`, says
    /// the controller himself, or say the identity's guardians.
    event ControllerNoticeGiven(
        bytes32 indexed id,
        uint32 indexed number,
        uint40 noticeAt,
        uint40 suspectedFrom,
        bytes32 evidence,
        bool isByGuardians
    );
    /// @notice An authority says so of a key (`number` is 0, `id` its machine), or of controller
    /// `number` of `id`.
    event AuthorityNoticeGiven(
        bytes32 indexed target,
        bytes32 indexed authority,
        bytes32 indexed id,
        uint32 number,
        uint40 noticeAt,
        uint40 suspectedFrom,
        bytes32 evidence
    );
    /// @notice The guardian backs a notice that doubts the target from then on, instead of the one
    /// that he backed before; 0 backs none.
    event NoticeBacked(
        bytes32 indexed target, address indexed guardian, uint40 suspectedFrom, uint8 backers
    );

    error KindMissing();
    error IdentityRegisteredAlready(bytes32 id);
    error IdentityUnknown(bytes32 id);
    error CallerNotController(bytes32 id, address caller);
    error ControllerMissing();
    error ControllerNotProposed(bytes32 id, address caller);
    error GuardiansTooMany(uint256 count);
    error GuardiansNotAscending(address guardian);
    error GuardianThresholdInvalid(uint8 threshold, uint256 count);
    error GuardianDelayInvalid(uint40 delay);
    error GuardianChangeMissing(bytes32 id);
    error GuardianChangeTooEarly(uint40 readyAt);
    error CallerNotGuardian(bytes32 id, address caller);
    error CandidateInvalid(address candidate);
    error RecoveryRunning(bytes32 id);
    error RecoveryNotRunning(bytes32 id);
    error RecoveryTooEarly(uint40 readyAt);
    error RecoveryBeyondVeto(bytes32 id, uint8 backers);
    error CallerNotCandidate(bytes32 id, address caller);
    error LinkKindsMismatch(Kind child, Kind parent);
    error LinkRequestedAlready(bytes32 child, bytes32 parent);
    error LinkNotRequested(bytes32 child, bytes32 parent);
    error LinkOpenAlready(bytes32 child, bytes32 parent);
    error LinkNotOpen(bytes32 child, bytes32 parent);
    error KeyHolderNotMachine(bytes32 id, Kind kind);
    error PublicKeyInvalid(Algorithm algorithm, bytes publicKey);
    error KeyAddedAlready(bytes32 key);
    error KeyUnknown(bytes32 key);
    error KeyEndedAlready(bytes32 key);
    error SuspicionAfterNotice(uint40 suspectedFrom, uint40 noticeAt);
    error SuspicionBeforeController(uint40 suspectedFrom, uint40 controllerFrom);
    error SuspicionNotEarlier(uint40 suspectedFrom, uint40 current);
    error SuspicionBeforeGuardians(uint40 suspectedFrom, uint40 since);
    error SuspicionBackedAlready(uint40 suspectedFrom);
    error ControllerUnknown(bytes32 id, uint32 number);
    error NoticeGiverNotAuthority(bytes32 id, Kind kind);
    error ClaimMadeAlready(bytes32 claim);
    error SchemeInvalid(bytes32 scheme);
    error ValueInvalid(string value);
    error NumberClaimedAlready(bytes32 claim);
    error ClaimUnknown(bytes32 claim);
    error ClaimRevokedAlready(bytes32 claim);
    error IssuerInRecovery(bytes32 issuer);
    error ProfileUsedBefore(bytes32 id, bytes32 profile);
    error AccreditationBackDated(uint40 from, uint40 time);
    error AccreditationEmpty(uint40 from, uint40 to);
    error AccreditedAlready(bytes32 accreditation);
    error AccreditationUnknown(bytes32 accreditation);
    error AccreditationRevokedAlready(bytes32 accreditation);

    /// @notice Register the caller as first controller of a new identity.
    /// @return id keccak256(abi.encode(keccak256("guildmark/identity/v1"), chain id, registry,
    /// caller, salt)).
    function register(Kind kind, bytes32 salt, bytes32 profile) external returns (bytes32 id);

    /// @notice Replace the salted digest of an identity's off-chain profile. Setting the present one
    /// again changes nothing; one that has ended does not come back.
    function setProfile(bytes32 id, bytes32 profile) external;

    /// @notice First step of a change of controller, by the present one; proposing again replaces
    /// the proposal.
    function proposeController(bytes32 id, address controller) external;

    /// @notice Second step of a change of controller, by the proposed one.
    function acceptController(bytes32 id) external;

    /// @notice Name, as the controller, who may give the identity another controller. The first
    /// guardians stand at once; others wait for the delay of those before them, and calling again
    /// replaces what waits.
    /// @param guardians At most 16 accounts in ascending order; none removes them.
    /// @param threshold 1 to the number of guardians, 0 for none.
    /// @param delay 1 to 90 days, 0 for none.
    function setGuardians(bytes32 id, address[] calldata guardians, uint8 threshold, uint40 delay)
        external;

    /// @notice Let guardians that waited stand, as the controller; not while a recovery runs.
    function applyGuardians(bytes32 id) external;

    /// @notice Support, as a guardian, a candidate for controller instead of whom the caller
    /// supported before; 0 supports nobody. The recovery of the first candidate with `threshold`
    /// backers starts; one that loses them ends.
    function supportCandidate(bytes32 id, address candidate) external;

    /// @notice Cancel, as the controller, the recovery that runs; not one that more than `threshold`
    /// guardians support. Its candidate needs one guardian more from now on.
    function cancelRecovery(bytes32 id) external;

    /// @notice Take the identity over, as the candidate of a recovery whose delay has passed. A
    /// proposed controller and guardians that wait are forgotten.
    function acceptRecovery(bytes32 id) external;

    /// @notice Ask, as the child's controller, for a link machine -> site or site -> organization.
    function requestLink(bytes32 child, bytes32 parent) external;

    /// @notice Accept, as the parent's controller, a requested link; it begins now. A child has one
    /// open parent.
    /// @return number The number of this interval between the two, from 1.
    function acceptLink(bytes32 child, bytes32 parent) external returns (uint40 number);

    /// @notice End the open link, or withdraw a request (the event's number is then 0), as either
    /// side's controller.
    function endLink(bytes32 child, bytes32 parent) external;

    /// @notice Add a key to a machine, as its controller; it may sign from now on.
    /// @param publicKey 33 bytes compressed (secp256k1, P-256) or 32 bytes (Ed25519).
    /// @return key keccak256(abi.encode(keccak256("guildmark/key/v1"), machine, algorithm,
    /// publicKey)).
    function addKey(bytes32 machine, Algorithm algorithm, bytes calldata publicKey)
        external
        returns (bytes32 key);

    /// @notice End a key from now on; what it signed before stays.
    function endKey(bytes32 machine, bytes32 key) external;

    /// @notice Give notice that a key is compromised. `noticeAt` becomes this block (once);
    /// `suspectedFrom` may only move earlier, and not before the caller's own interval as
    /// controller.
    function giveNotice(bytes32 machine, bytes32 key, uint40 suspectedFrom, bytes32 evidence)
        external;

    /// @notice Give notice, as the identity's controller, that its own account is compromised. What
    /// it did from `suspectedFrom` on is in doubt, and from now on counts for nothing; both end with
    /// the next controller. Not before its own interval as controller.
    function giveControllerNotice(bytes32 id, uint40 suspectedFrom, bytes32 evidence) external;

    /// @notice Back, as a guardian of the machine, a notice on its key instead of the one that the
    /// caller backed before; `suspectedFrom` = 0 backs none. With `threshold` backers of one time the
    /// notice is given, as by the controller; not before these guardians stood.
    function backKeyNotice(bytes32 machine, bytes32 key, uint40 suspectedFrom, bytes32 evidence)
        external;

    /// @notice Back, as a guardian of the identity, a notice on its controller `number`, the present
    /// one or one before; else as `backKeyNotice`.
    function backControllerNotice(bytes32 id, uint32 number, uint40 suspectedFrom, bytes32 evidence)
        external;

    /// @notice Give notice on a machine's key, as an authority's controller: for those who list the
    /// authority. It may doubt any time.
    function giveAuthorityKeyNotice(
        bytes32 authority,
        bytes32 machine,
        bytes32 key,
        uint40 suspectedFrom,
        bytes32 evidence
    ) external;

    /// @notice Give notice on controller `number` of an identity, as an authority's controller: for
    /// those who list the authority. It may doubt any time.
    function giveAuthorityControllerNotice(
        bytes32 authority,
        bytes32 id,
        uint32 number,
        uint40 suspectedFrom,
        bytes32 evidence
    ) external;

    /// @notice State, as the issuer's controller, that `subject` holds the identifier committed to
    /// by `digest`.
    /// @param scheme ASCII, left-justified: "LEI", "GLN", "GCP", "DUNS", "CAGE", "BPN", ...
    /// @param digest The salted digest of the value.
    /// @return id keccak256(abi.encode(keccak256("guildmark/claim/v1"), issuer, subject, scheme,
    /// digest)).
    function claim(
        bytes32 issuer,
        bytes32 subject,
        bytes32 scheme,
        bytes32 digest,
        bytes32 evidence
    ) external returns (bytes32 id);

    /// @notice State, as the issuer's controller, that `subject` holds the identifier `value`, for
    /// everybody to read. While the claim stands, the issuer can claim that identifier for nobody
    /// else; what other issuers state stands beside it.
    /// @param scheme As in `claim`; visible ASCII.
    /// @param value The identifier: 1 to 64 characters of visible ASCII.
    /// @param salt Any word that the issuer used for no other claim of this identifier.
    /// @return id As in `claim`, with digest = SHA-256("guildmark/claim/v1", salt, scheme without
    /// zero bytes, 0x00, value).
    function claimPublic(
        bytes32 issuer,
        bytes32 subject,
        bytes32 scheme,
        string calldata value,
        bytes32 salt,
        bytes32 evidence
    ) external returns (bytes32 id);

    /// @notice Revoke a claim from now on, as its issuer's controller.
    function revokeClaim(bytes32 issuer, bytes32 claimId) external;

    /// @notice Accredit, as the issuer's controller, a subject for a scope; not while the issuer is
    /// in recovery. One that ended or was revoked is given again under another scope digest.
    /// @param scope The digest of the scope document, salted or not.
    /// @param from From when on it holds: now or later; 0 for now.
    /// @param to When it ends, after `from`; 0 where it does not end by itself.
    /// @return id keccak256(abi.encode(keccak256("guildmark/accreditation/v1"), issuer, subject,
    /// scope)).
    function accredit(bytes32 issuer, bytes32 subject, bytes32 scope, uint40 from, uint40 to)
        external
        returns (bytes32 id);

    /// @notice Revoke an accreditation from now on, as its issuer's controller; not while the
    /// issuer is in recovery.
    function revokeAccreditation(bytes32 issuer, bytes32 subject, bytes32 scope) external;

    /// @notice The identity, all zero where it is unknown.
    function identity(bytes32 id) external view returns (Identity memory);

    /// @notice The account that speaks for an identity; reverts with IdentityUnknown.
    function controllerOf(bytes32 id) external view returns (address);

    /// @notice The account that speaks for an identity, whether a recovery runs, and whether the
    /// account is under notice; reverts with IdentityUnknown.
    function speakerOf(bytes32 id)
        external
        view
        returns (address controller, bool isInRecovery, bool isUnderNotice);

    /// @notice The kind of an identity, None where it is unknown.
    function kindOf(bytes32 id) external view returns (Kind);

    /// @notice Controller `number` (from 1) of an identity.
    function controllerAt(bytes32 id, uint40 number) external view returns (Controller memory);

    /// @notice The salted digest of the profile.
    function profileOf(bytes32 id) external view returns (bytes32);

    /// @notice When an identity showed a profile, in block seconds; all zero where it never did.
    function profileTimes(bytes32 id, bytes32 profile) external view returns (Interval memory);

    /// @notice The open parent of a child, 0 where there is none.
    function parentOf(bytes32 child) external view returns (bytes32);

    /// @notice Interval `number` (from 1) of the link.
    function link(bytes32 child, bytes32 parent, uint40 number)
        external
        view
        returns (Interval memory);

    /// @notice How many intervals the link has had.
    function linkCount(bytes32 child, bytes32 parent) external view returns (uint40);

    /// @notice A key, all zero where it is unknown.
    function keyOf(bytes32 key) external view returns (Key memory);

    /// @notice A claim's interval, all zero where it is unknown.
    function claimOf(bytes32 claimId) external view returns (Interval memory);

    /// @notice The issuer's newest public claim of an identifier, standing or revoked, 0 where
    /// there is none.
    function claimFor(bytes32 issuer, bytes32 scheme, string calldata value)
        external
        view
        returns (bytes32);

    /// @notice An identity's guardians, all zero where it never had any.
    function guardianshipOf(bytes32 id) external view returns (Guardianship memory);

    /// @notice The set of guardians that waits.
    function guardianChangeOf(bytes32 id) external view returns (GuardianChange memory);

    /// @notice Whether an account is a guardian of the identity now.
    function isGuardian(bytes32 id, address account) external view returns (bool);

    /// @notice The recovery that runs, all zero where none does.
    function recoveryOf(bytes32 id) external view returns (Recovery memory);

    /// @notice How a candidate stands in the present round.
    function tallyOf(bytes32 id, address candidate) external view returns (Tally memory);

    /// @notice An accreditation, all zero where it is unknown.
    function accreditationOf(bytes32 accreditation) external view returns (Accreditation memory);

    /// @notice The notice on a target by an authority, or with `by` = 0 by a controller himself or his
    /// guardians; such a notice on a key is in `keyOf`.
    function noticeOn(bytes32 target, bytes32 by) external view returns (Notice memory);

    /// @notice From when on a guardian doubts a target, 0 where he backs no notice; and how many
    /// guardians do from that time on.
    function backingOf(bytes32 id, bytes32 target, address guardian)
        external
        view
        returns (uint40 suspectedFrom, uint8 backers);

    /// @notice What notices call controller `number` of an identity: keccak256(abi.encode(
    /// keccak256("guildmark/controller/v1"), id, number)). A key is called by its own id.
    function controllerTarget(bytes32 id, uint32 number) external pure returns (bytes32);
}
