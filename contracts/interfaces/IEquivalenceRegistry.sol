// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Equivalence: plans before data, blind data, certificates and what speaks against them
/// @notice The contract keeps the order of things and judges nothing: what a certificate is worth,
/// the reader's list of evaluators says.
interface IEquivalenceRegistry {
    /// @notice What an evaluation found.
    enum Outcome {
        None,
        Equivalent,
        NotEquivalent,
        Inconclusive,
        Invalid
    }

    /// @notice Why a certificate holds no more.
    enum Cause {
        None,
        MachineMoved,
        FirmwareChanged,
        RecipeChanged,
        KeyUnderNotice
    }

    /// @notice A plan; its id is keccak256(abi.encode(keccak256("guildmark/equivalence-plan/v1"),
    /// Plan)).
    /// @param recipe The recipe whose equivalence is asked.
    /// @param sponsor Who asks.
    /// @param evaluator The authority that computes and certifies.
    /// @param document Salted digest of the plan in full: features, margins, errors, counts, method.
    /// @param commitBy Until when, exclusive, the sites join and commit.
    /// @param revealBy Until when, exclusive, they reveal.
    /// @param sites Who may join, 1 to 64; the reference is one of them.
    struct Plan {
        bytes32 recipe;
        bytes32 sponsor;
        bytes32 evaluator;
        bytes32 document;
        uint40 commitBy;
        uint40 revealBy;
        bytes32[] sites;
    }

    /// @notice When a plan was registered, its deadlines, and how many of its sites committed; one
    /// slot.
    struct Schedule {
        uint40 at;
        uint40 commitBy;
        uint40 revealBy;
        uint16 sites;
        uint16 committed;
    }

    /// @notice A site in a plan; one slot. `number` counts the plans of a recipe that it joined.
    struct Entry {
        uint40 number;
        uint40 joinedAt;
        uint40 committedAt;
        uint40 revealedAt;
    }

    /// @notice What an evaluator certified of a site; one slot. `to` = 0 is open.
    struct Certificate {
        Outcome verdict;
        uint40 from;
        uint40 to;
        uint40 suspendedAt;
        uint40 lapsedAt;
        Cause cause;
    }

    /// @notice A plan is on record, before any data.
    event PlanRegistered(bytes32 indexed id, bytes32 indexed recipe, Plan plan);
    /// @notice A site takes part; what it builds from now on are its data.
    event PlanJoined(bytes32 indexed plan, bytes32 indexed site, uint40 number, bytes32 scope);
    /// @notice A site committed to its data.
    event DataCommitted(bytes32 indexed plan, bytes32 indexed site, bytes32 blind);
    /// @notice A site's root of salted data is known.
    event DataRevealed(bytes32 indexed plan, bytes32 indexed site, bytes32 root);
    /// @notice The evaluator says what it found.
    event SiteCertified(
        bytes32 indexed plan, bytes32 indexed site, Outcome verdict, bytes32 result, uint40 to
    );
    /// @notice Another authority computed another result.
    event CertificateChallenged(
        bytes32 indexed plan, bytes32 indexed site, bytes32 indexed challenger, bytes32 result
    );
    /// @notice The certificate is suspended for ever; the digest says why.
    event CertificateSuspended(bytes32 indexed plan, bytes32 indexed site, bytes32 reason);
    /// @notice The certificate lapsed.
    event CertificateLapsed(bytes32 indexed plan, bytes32 indexed site, Cause cause);

    error CallerNotSponsor(bytes32 sponsor, address caller);
    error CallerNotSite(bytes32 site, address caller);
    error CallerNotEvaluator(bytes32 evaluator, address caller);
    error CallerNotChallenger(bytes32 challenger, address caller);
    error EvaluatorNotAuthority(bytes32 evaluator);
    error EvaluatorInRecovery(bytes32 evaluator);
    error RecipeUnknown(bytes32 id);
    error PlanDocumentMissing();
    error PlanSitesInvalid(uint256 sites);
    error PlanDeadlinesInvalid(uint40 commitBy, uint40 revealBy);
    error PlanRegisteredAlready(bytes32 id);
    error PlanUnknown(bytes32 id);
    error SiteNotPlanned(bytes32 plan, bytes32 site);
    error ScopeMissing();
    error JoinedAlready(bytes32 plan, bytes32 site);
    error NotJoined(bytes32 plan, bytes32 site);
    error CommitTooLate(bytes32 plan, uint40 commitBy);
    error CommittedAlready(bytes32 plan, bytes32 site);
    error BlindMissing();
    error NotCommitted(bytes32 plan, bytes32 site);
    error RevealTooEarly(bytes32 plan, uint40 commitBy);
    error RevealTooLate(bytes32 plan, uint40 revealBy);
    error RevealedAlready(bytes32 plan, bytes32 site);
    error OpeningInvalid(bytes32 plan, bytes32 site);
    error NotRevealed(bytes32 plan, bytes32 site);
    error OutcomeMissing();
    error ResultInvalid(bytes32 result);
    error CertificateOver(uint40 to);
    error CertifiedAlready(bytes32 plan, bytes32 site);
    error CertificateUnknown(bytes32 plan, bytes32 site);
    error ChallengedAlready(bytes32 plan, bytes32 site, bytes32 challenger);
    error SuspendedAlready(bytes32 plan, bytes32 site);
    error LapsedAlready(bytes32 plan, bytes32 site);
    error CauseMissing();

    /// @notice Register a plan, as the sponsor's controller.
    function register(Plan calldata plan) external returns (bytes32 id);

    /// @notice Take part in a plan, as the site's controller, before its data are due.
    /// @param scope Digest of machine model and material class, what the certificate is about.
    function join(Plan calldata plan, bytes32 site, bytes32 scope) external returns (uint40 number);

    /// @notice Commit to the data, as the site's controller, once.
    /// @param blind keccak256(abi.encode(keccak256("guildmark/equivalence-data/v1"), plan, site,
    /// root, salt)).
    function commit(bytes32 plan, bytes32 site, bytes32 blind) external;

    /// @notice Open a commitment, by anybody who can, when all sites of the plan committed or their
    /// time is over.
    function reveal(bytes32 plan, bytes32 site, bytes32 root, bytes32 salt) external;

    /// @notice Say what was found of a site that revealed, as the evaluator's controller, once.
    /// @param result Digest of the engine's result, which anybody with the data computes again.
    /// @param to Until when, exclusive, it holds; 0 = open.
    function certify(bytes32 plan, bytes32 site, Outcome verdict, bytes32 result, uint40 to)
        external;

    /// @notice Say that another result follows from the data, as an authority's controller, once.
    function challenge(bytes32 plan, bytes32 site, bytes32 challenger, bytes32 result) external;

    /// @notice Suspend a certificate for ever, as the controller of evaluator or site.
    function suspend(bytes32 plan, bytes32 site, bytes32 reason) external;

    /// @notice Say that a certificate lapsed, as the controller of evaluator or site.
    function lapse(bytes32 plan, bytes32 site, Cause cause) external;

    /// @notice When a plan was registered and its deadlines, all zero where it is unknown.
    function scheduleOf(bytes32 plan) external view returns (Schedule memory);

    /// @notice The recipe of a plan, 0 where it is unknown.
    function recipeOf(bytes32 plan) external view returns (bytes32);

    /// @notice The evaluator of a plan, 0 where it is unknown.
    function evaluatorOf(bytes32 plan) external view returns (bytes32);

    /// @notice A site in a plan, all zero where it did not join.
    function entryOf(bytes32 plan, bytes32 site) external view returns (Entry memory);

    /// @notice The scope with which a site joined, 0 where it did not.
    function scopeOf(bytes32 plan, bytes32 site) external view returns (bytes32);

    /// @notice What a site committed to, 0 = nothing.
    function blindOf(bytes32 plan, bytes32 site) external view returns (bytes32);

    /// @notice The root that a site revealed, 0 = none.
    function rootOf(bytes32 plan, bytes32 site) external view returns (bytes32);

    /// @notice What was certified of a site, all zero where nothing was.
    function certificateOf(bytes32 plan, bytes32 site) external view returns (Certificate memory);

    /// @notice The digest of the result, 0 = none.
    function resultOf(bytes32 plan, bytes32 site) external view returns (bytes32);

    /// @notice The result that an authority sets against the certificate, 0 = none.
    function counterOf(bytes32 plan, bytes32 site, bytes32 challenger)
        external
        view
        returns (bytes32);

    /// @notice How many plans of a recipe a site joined.
    function planCount(bytes32 recipe, bytes32 site) external view returns (uint40);

    /// @notice Plan `number` (from 1) of a recipe that a site joined, 0 = none.
    function planAt(bytes32 recipe, bytes32 site, uint40 number) external view returns (bytes32);
}
