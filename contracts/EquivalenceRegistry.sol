// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEquivalenceRegistry} from "./interfaces/IEquivalenceRegistry.sol";
import {IIdentityRegistry} from "./interfaces/IIdentityRegistry.sol";
import {IRecipeRegistry} from "./interfaces/IRecipeRegistry.sol";

/// @title Equivalence: plans before data, blind data, certificates and what speaks against them
contract EquivalenceRegistry is IEquivalenceRegistry {
    bytes32 private constant PLAN_DOMAIN = keccak256("guildmark/equivalence-plan/v1");
    bytes32 private constant DATA_DOMAIN = keccak256("guildmark/equivalence-data/v1");
    uint256 private constant MAX_SITES = 64;

    IIdentityRegistry private immutable _identities;
    IRecipeRegistry private immutable _recipeRegistry;

    mapping(bytes32 plan => Schedule schedule) private _schedules;
    mapping(bytes32 plan => bytes32 recipe) private _recipes;
    mapping(bytes32 plan => bytes32 evaluator) private _evaluators;
    mapping(bytes32 plan => mapping(bytes32 site => Entry entry)) private _entries;
    mapping(bytes32 plan => mapping(bytes32 site => bytes32 scope)) private _scopes;
    mapping(bytes32 plan => mapping(bytes32 site => bytes32 blind)) private _blinds;
    mapping(bytes32 plan => mapping(bytes32 site => bytes32 root)) private _roots;
    mapping(bytes32 plan => mapping(bytes32 site => Certificate given)) private _certificates;
    mapping(bytes32 plan => mapping(bytes32 site => bytes32 result)) private _results;
    mapping(
        bytes32 plan => mapping(bytes32 site => mapping(bytes32 challenger => bytes32 result))
    ) private _counters;
    mapping(bytes32 recipe => mapping(bytes32 site => uint40 count)) private _counts;
    mapping(bytes32 recipe => mapping(bytes32 site => mapping(uint40 number => bytes32 plan)))
        private _plans;

    constructor(address identities, address recipes) {
        _identities = IIdentityRegistry(identities);
        _recipeRegistry = IRecipeRegistry(recipes);
    }

    /// @inheritdoc IEquivalenceRegistry
    function register(Plan calldata plan) external returns (bytes32 id) {
        if (_identities.controllerOf(plan.sponsor) != msg.sender) {
            revert CallerNotSponsor(plan.sponsor, msg.sender);
        }
        _requireSound(plan);
        id = _idOf(plan);
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (_schedules[id].at != 0) revert PlanRegisteredAlready(id);

        _schedules[id] = Schedule({
            at: uint40(block.timestamp),
            commitBy: plan.commitBy,
            revealBy: plan.revealBy,
            // forge-lint: disable-next-line(unsafe-typecast) at most MAX_SITES
            sites: uint16(plan.sites.length),
            committed: 0
        });
        _recipes[id] = plan.recipe;
        _evaluators[id] = plan.evaluator;

        emit PlanRegistered(id, plan.recipe, plan);
    }

    /// @inheritdoc IEquivalenceRegistry
    function join(Plan calldata plan, bytes32 site, bytes32 scope)
        external
        returns (uint40 number)
    {
        bytes32 id = _idOf(plan);
        Schedule memory schedule = _known(id);
        _requireSite(site);
        _requirePlanned(plan.sites, id, site);
        if (scope == 0) revert ScopeMissing();
        if (block.timestamp >= schedule.commitBy) revert CommitTooLate(id, schedule.commitBy);
        if (_entries[id][site].joinedAt != 0) revert JoinedAlready(id, site);

        number = ++_counts[plan.recipe][site];
        _plans[plan.recipe][site][number] = id;
        _entries[id][site] = Entry({
            number: number, joinedAt: uint40(block.timestamp), committedAt: 0, revealedAt: 0
        });
        _scopes[id][site] = scope;

        emit PlanJoined(id, site, number, scope);
    }

    /// @inheritdoc IEquivalenceRegistry
    function commit(bytes32 plan, bytes32 site, bytes32 blind) external {
        Schedule memory schedule = _known(plan);
        _requireSite(site);
        Entry memory entry = _entries[plan][site];
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (entry.joinedAt == 0) revert NotJoined(plan, site);
        if (block.timestamp >= schedule.commitBy) revert CommitTooLate(plan, schedule.commitBy);
        if (entry.committedAt != 0) revert CommittedAlready(plan, site);
        if (blind == 0) revert BlindMissing();

        _entries[plan][site].committedAt = uint40(block.timestamp);
        _schedules[plan].committed = schedule.committed + 1;
        _blinds[plan][site] = blind;

        emit DataCommitted(plan, site, blind);
    }

    /// @inheritdoc IEquivalenceRegistry
    function reveal(bytes32 plan, bytes32 site, bytes32 root, bytes32 salt) external {
        Schedule memory schedule = _known(plan);
        Entry memory entry = _entries[plan][site];
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (entry.committedAt == 0) revert NotCommitted(plan, site);
        if (schedule.committed < schedule.sites && block.timestamp < schedule.commitBy) {
            revert RevealTooEarly(plan, schedule.commitBy);
        }
        if (block.timestamp >= schedule.revealBy) revert RevealTooLate(plan, schedule.revealBy);
        if (entry.revealedAt != 0) revert RevealedAlready(plan, site);
        if (root == 0 || _blinds[plan][site] != _blindOf(plan, site, root, salt)) {
            revert OpeningInvalid(plan, site);
        }

        _entries[plan][site].revealedAt = uint40(block.timestamp);
        _roots[plan][site] = root;

        emit DataRevealed(plan, site, root);
    }

    /// @inheritdoc IEquivalenceRegistry
    function certify(bytes32 plan, bytes32 site, Outcome verdict, bytes32 result, uint40 to)
        external
    {
        _requireEvaluator(plan);
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (_entries[plan][site].revealedAt == 0) revert NotRevealed(plan, site);
        if (verdict == Outcome.None) revert OutcomeMissing();
        if (result == 0) revert ResultInvalid(result);
        if (to != 0 && to <= block.timestamp) revert CertificateOver(to);
        if (_certificates[plan][site].from != 0) revert CertifiedAlready(plan, site);

        _certificates[plan][site] = Certificate({
            verdict: verdict,
            from: uint40(block.timestamp),
            to: to,
            suspendedAt: 0,
            lapsedAt: 0,
            cause: Cause.None
        });
        _results[plan][site] = result;

        emit SiteCertified(plan, site, verdict, result, to);
    }

    /// @inheritdoc IEquivalenceRegistry
    function challenge(bytes32 plan, bytes32 site, bytes32 challenger, bytes32 result) external {
        _requireAuthority(challenger);
        if (_identities.controllerOf(challenger) != msg.sender) {
            revert CallerNotChallenger(challenger, msg.sender);
        }
        _requireCertificate(plan, site);
        if (result == 0 || result == _results[plan][site]) revert ResultInvalid(result);
        if (_counters[plan][site][challenger] != 0) {
            revert ChallengedAlready(plan, site, challenger);
        }

        _counters[plan][site][challenger] = result;

        emit CertificateChallenged(plan, site, challenger, result);
    }

    /// @inheritdoc IEquivalenceRegistry
    function suspend(bytes32 plan, bytes32 site, bytes32 reason) external {
        Certificate memory given = _requireCertificate(plan, site);
        _requireEvaluatorOrSite(plan, site);
        if (given.suspendedAt != 0) revert SuspendedAlready(plan, site);

        _certificates[plan][site].suspendedAt = uint40(block.timestamp);

        emit CertificateSuspended(plan, site, reason);
    }

    /// @inheritdoc IEquivalenceRegistry
    function lapse(bytes32 plan, bytes32 site, Cause cause) external {
        Certificate memory given = _requireCertificate(plan, site);
        _requireEvaluatorOrSite(plan, site);
        if (cause == Cause.None) revert CauseMissing();
        if (given.lapsedAt != 0) revert LapsedAlready(plan, site);

        _certificates[plan][site].lapsedAt = uint40(block.timestamp);
        _certificates[plan][site].cause = cause;

        emit CertificateLapsed(plan, site, cause);
    }

    /// @inheritdoc IEquivalenceRegistry
    function scheduleOf(bytes32 plan) external view returns (Schedule memory) {
        return _schedules[plan];
    }

    /// @inheritdoc IEquivalenceRegistry
    function recipeOf(bytes32 plan) external view returns (bytes32) {
        return _recipes[plan];
    }

    /// @inheritdoc IEquivalenceRegistry
    function evaluatorOf(bytes32 plan) external view returns (bytes32) {
        return _evaluators[plan];
    }

    /// @inheritdoc IEquivalenceRegistry
    function entryOf(bytes32 plan, bytes32 site) external view returns (Entry memory) {
        return _entries[plan][site];
    }

    /// @inheritdoc IEquivalenceRegistry
    function scopeOf(bytes32 plan, bytes32 site) external view returns (bytes32) {
        return _scopes[plan][site];
    }

    /// @inheritdoc IEquivalenceRegistry
    function blindOf(bytes32 plan, bytes32 site) external view returns (bytes32) {
        return _blinds[plan][site];
    }

    /// @inheritdoc IEquivalenceRegistry
    function rootOf(bytes32 plan, bytes32 site) external view returns (bytes32) {
        return _roots[plan][site];
    }

    /// @inheritdoc IEquivalenceRegistry
    function certificateOf(bytes32 plan, bytes32 site) external view returns (Certificate memory) {
        return _certificates[plan][site];
    }

    /// @inheritdoc IEquivalenceRegistry
    function resultOf(bytes32 plan, bytes32 site) external view returns (bytes32) {
        return _results[plan][site];
    }

    /// @inheritdoc IEquivalenceRegistry
    function counterOf(bytes32 plan, bytes32 site, bytes32 challenger)
        external
        view
        returns (bytes32)
    {
        return _counters[plan][site][challenger];
    }

    /// @inheritdoc IEquivalenceRegistry
    function planCount(bytes32 recipe, bytes32 site) external view returns (uint40) {
        return _counts[recipe][site];
    }

    /// @inheritdoc IEquivalenceRegistry
    function planAt(bytes32 recipe, bytes32 site, uint40 number) external view returns (bytes32) {
        return _plans[recipe][site][number];
    }

    function _requireSound(Plan calldata plan) private view {
        _requireAuthority(plan.evaluator);
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (_recipeRegistry.publishedAt(plan.recipe) == 0) revert RecipeUnknown(plan.recipe);
        if (plan.document == 0) revert PlanDocumentMissing();
        if (plan.sites.length == 0 || plan.sites.length > MAX_SITES) {
            revert PlanSitesInvalid(plan.sites.length);
        }
        if (plan.commitBy <= block.timestamp || plan.revealBy <= plan.commitBy) {
            revert PlanDeadlinesInvalid(plan.commitBy, plan.revealBy);
        }
    }

    function _requireAuthority(bytes32 id) private view {
        if (_identities.kindOf(id) != IIdentityRegistry.Kind.Authority) {
            revert EvaluatorNotAuthority(id);
        }
    }

    function _requireSite(bytes32 site) private view {
        if (_identities.controllerOf(site) != msg.sender) revert CallerNotSite(site, msg.sender);
    }

    function _requireEvaluator(bytes32 plan) private view {
        bytes32 evaluator = _evaluators[plan];
        if (evaluator == 0) revert PlanUnknown(plan);
        // slither-disable-next-line unused-return a notice is for each reader to weigh
        (address controller, bool isInRecovery,) = _identities.speakerOf(evaluator);
        if (controller != msg.sender) revert CallerNotEvaluator(evaluator, msg.sender);
        if (isInRecovery) revert EvaluatorInRecovery(evaluator);
    }

    /// @dev Bad news needs less than good news: a recovery does not hold it up.
    function _requireEvaluatorOrSite(bytes32 plan, bytes32 site) private view {
        bytes32 evaluator = _evaluators[plan];
        if (
            _identities.controllerOf(evaluator) != msg.sender
                && _identities.controllerOf(site) != msg.sender
        ) revert CallerNotEvaluator(evaluator, msg.sender);
    }

    function _requireCertificate(bytes32 plan, bytes32 site)
        private
        view
        returns (Certificate memory given)
    {
        given = _certificates[plan][site];
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (given.from == 0) revert CertificateUnknown(plan, site);
    }

    function _known(bytes32 plan) private view returns (Schedule memory schedule) {
        schedule = _schedules[plan];
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (schedule.at == 0) revert PlanUnknown(plan);
    }

    function _requirePlanned(bytes32[] calldata sites, bytes32 plan, bytes32 site) private pure {
        for (uint256 i = 0; i < sites.length; ++i) {
            if (sites[i] == site) return;
        }
        revert SiteNotPlanned(plan, site);
    }

    function _idOf(Plan calldata plan) private pure returns (bytes32) {
        return keccak256(abi.encode(PLAN_DOMAIN, plan));
    }

    function _blindOf(bytes32 plan, bytes32 site, bytes32 root, bytes32 salt)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(DATA_DOMAIN, plan, site, root, salt));
    }
}
