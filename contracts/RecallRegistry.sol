// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "./interfaces/IBuildLog.sol";
import {IDesignRegistry} from "./interfaces/IDesignRegistry.sol";
import {IEquivalenceRegistry} from "./interfaces/IEquivalenceRegistry.sol";
import {IIdentityRegistry} from "./interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "./interfaces/ILicenseRegistry.sol";
import {IRecallRegistry} from "./interfaces/IRecallRegistry.sol";
import {IRecipeRegistry} from "./interfaces/IRecipeRegistry.sol";
import {LogProof} from "./libraries/LogProof.sol";

/// @title Recalls: what its owner or an authority asks back, by what the parts have in common
contract RecallRegistry is IRecallRegistry {
    bytes32 private constant RECALL_DOMAIN = keccak256("guildmark/recall/v1");
    bytes32 private constant KEY_DOMAIN = keccak256("guildmark/key/v1");
    bytes32 private constant RECIPE_DOMAIN = keccak256("guildmark/recipe/v1");
    bytes32 private constant SITE_RECIPE_DOMAIN = keccak256("guildmark/site-recipe/v1");
    /// @dev The list of the owners; an authority's has its id.
    bytes32 private constant OWNERS = 0;

    IIdentityRegistry private immutable _identities;
    IDesignRegistry private immutable _designs;
    ILicenseRegistry private immutable _licenses;
    IRecipeRegistry private immutable _recipes;
    IBuildLog private immutable _log;
    IEquivalenceRegistry private immutable _equivalence;

    mapping(bytes32 key => mapping(bytes32 by => uint40 count)) private _counts;
    mapping(bytes32 key => mapping(bytes32 by => mapping(uint40 number => Recall self))) private
        _recalls;
    mapping(bytes32 key => mapping(bytes32 by => mapping(uint40 number => bytes32 issuer))) private
        _issuers;
    mapping(bytes32 key => mapping(bytes32 by => mapping(uint40 number => bytes32 reason))) private
        _reasons;

    constructor(
        address identities,
        address designs,
        address licenses,
        address recipes,
        address log,
        address equivalence
    ) {
        _identities = IIdentityRegistry(identities);
        _designs = IDesignRegistry(designs);
        _licenses = ILicenseRegistry(licenses);
        _recipes = IRecipeRegistry(recipes);
        _log = IBuildLog(log);
        _equivalence = IEquivalenceRegistry(equivalence);
    }

    /// @inheritdoc IRecallRegistry
    function recallPart(IBuildLog.Record calldata record, uint40 position, Terms calldata terms)
        external
        returns (bytes32 key)
    {
        if (_log.recordDigest(record.log, record.seq) != LogProof.recordDigest(record)) {
            revert RecordUnknown(record.log, record.seq);
        }
        if (position >= record.count) revert PositionOutOfRange(position, record.count);
        bytes32 holder = _licenses.holderOf(_laneAt(record, position));
        _requireOwner(holder);
        if (terms.from != 0 || terms.to != 0) revert WindowInvalid(terms.from, terms.to);

        bytes32 number = bytes32(uint256(record.log));
        bytes32 index = bytes32(uint256(record.firstIndex) + position);
        return _issue(Thing(Cause.Serial, number, index), OWNERS, holder, terms);
    }

    /// @inheritdoc IRecallRegistry
    function recallLot(bytes32 maker, bytes32 lot, Terms calldata terms)
        external
        returns (bytes32 key)
    {
        _requireOwner(maker);

        return _issue(Thing(Cause.Lot, maker, lot), OWNERS, maker, terms);
    }

    /// @inheritdoc IRecallRegistry
    function recallMachine(bytes32 machine, uint40 number, Terms calldata terms)
        external
        returns (bytes32 key)
    {
        _requireOwnTime(machine, number, terms);

        return _issue(Thing(Cause.Machine, machine, 0), OWNERS, _caller(), terms);
    }

    /// @inheritdoc IRecallRegistry
    function recallKey(
        bytes32 machine,
        IIdentityRegistry.Algorithm algorithm,
        bytes calldata publicKey,
        uint40 number,
        Terms calldata terms
    ) external returns (bytes32 key) {
        bytes32 id = keccak256(abi.encode(KEY_DOMAIN, machine, algorithm, publicKey));
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (_identities.keyOf(id).from == 0) revert KeyUnknown(id);
        _requireOwnTime(machine, number, terms);

        return _issue(Thing(Cause.Key, id, 0), OWNERS, _caller(), terms);
    }

    /// @inheritdoc IRecallRegistry
    function recallRecipe(IRecipeRegistry.Recipe calldata recipe, Terms calldata terms)
        external
        returns (bytes32 key)
    {
        bytes32 id = keccak256(abi.encode(RECIPE_DOMAIN, recipe));
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (_recipes.publishedAt(id) == 0) revert RecipeUnknown(id);
        _requireDesignOwner(recipe.design);

        return _issue(Thing(Cause.Recipe, id, 0), OWNERS, _caller(), terms);
    }

    /// @inheritdoc IRecallRegistry
    function recallSiteRecipe(IRecipeRegistry.SiteRecipe calldata recipe, Terms calldata terms)
        external
        returns (bytes32 key)
    {
        bytes32 id = keccak256(abi.encode(SITE_RECIPE_DOMAIN, recipe));
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (_recipes.siteRecipePublishedAt(id) == 0) revert SiteRecipeUnknown(id);
        _requireOwner(recipe.site);

        return _issue(Thing(Cause.SiteRecipe, id, 0), OWNERS, recipe.site, terms);
    }

    /// @inheritdoc IRecallRegistry
    function recallCertificate(bytes32 plan, bytes32 site, Terms calldata terms)
        external
        returns (bytes32 key)
    {
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (_equivalence.certificateOf(plan, site).from == 0) {
            revert CertificateUnknown(plan, site);
        }
        bytes32 evaluator = _equivalence.evaluatorOf(plan);
        _requireOwner(evaluator);

        return _issue(Thing(Cause.Certificate, plan, site), OWNERS, evaluator, terms);
    }

    /// @inheritdoc IRecallRegistry
    function recallDesign(bytes32 design, Terms calldata terms) external returns (bytes32 key) {
        _requireDesignOwner(design);

        return _issue(Thing(Cause.Design, design, 0), OWNERS, _caller(), terms);
    }

    /// @inheritdoc IRecallRegistry
    function recallAs(bytes32 authority, Thing calldata thing, Terms calldata terms)
        external
        returns (bytes32 key)
    {
        if (_identities.kindOf(authority) != IIdentityRegistry.Kind.Authority) {
            revert IssuerNotAuthority(authority);
        }
        if (_identities.controllerOf(authority) != msg.sender) {
            revert CallerNotAuthority(authority, msg.sender);
        }

        return _issue(thing, authority, authority, terms);
    }

    /// @inheritdoc IRecallRegistry
    function ask(Thing calldata thing, Terms calldata terms) external returns (bytes32 key) {
        _requireSound(thing, terms);
        key = _keyOf(thing);

        emit RecallAsked(key, msg.sender, thing, terms);
    }

    /// @inheritdoc IRecallRegistry
    function close(bytes32 key, bytes32 by, uint40 number, bytes32 reason) external {
        Recall storage self = _recalls[key][by][number];
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (self.at == 0) revert RecallUnknown(key, by, number);
        _requireIssuer(_issuers[key][by][number]);
        if (self.closedAt != 0) revert RecallClosedAlready(key, by, number);
        if (reason == 0) revert ReasonMissing();

        self.closedAt = uint40(block.timestamp);

        emit RecallClosed(key, by, number, reason);
    }

    /// @inheritdoc IRecallRegistry
    function recallCount(bytes32 key, bytes32 by) external view returns (uint40) {
        return _counts[key][by];
    }

    /// @inheritdoc IRecallRegistry
    function recallOf(bytes32 key, bytes32 by, uint40 number)
        external
        view
        returns (Recall memory)
    {
        return _recalls[key][by][number];
    }

    /// @inheritdoc IRecallRegistry
    function issuerOf(bytes32 key, bytes32 by, uint40 number) external view returns (bytes32) {
        return _issuers[key][by][number];
    }

    /// @inheritdoc IRecallRegistry
    function reasonOf(bytes32 key, bytes32 by, uint40 number) external view returns (bytes32) {
        return _reasons[key][by][number];
    }

    function _issue(Thing memory thing, bytes32 by, bytes32 issuer, Terms calldata terms)
        private
        returns (bytes32 key)
    {
        _requireSound(thing, terms);
        key = _keyOf(thing);
        uint40 count = _counts[key][by];
        if (terms.follows != count) revert RecallStale(key, terms.follows, count);

        uint40 number = count + 1;
        _counts[key][by] = number;
        _recalls[key][by][number] = Recall({
            at: uint40(block.timestamp),
            from: terms.from,
            to: terms.to,
            closedAt: 0,
            severity: terms.severity
        });
        _issuers[key][by][number] = issuer;
        _reasons[key][by][number] = terms.reason;

        emit RecallIssued(key, by, issuer, number, thing, terms);
    }

    /// @dev Bad news needs less than good news: neither a recovery nor a notice holds it up.
    function _requireOwner(bytes32 owner) private view {
        if (_identities.controllerOf(owner) != msg.sender) {
            revert CallerNotThingOwner(owner, msg.sender);
        }
    }

    function _requireDesignOwner(bytes32 design) private view {
        if (_designs.designOwner(design) != msg.sender) {
            revert CallerNotDesignOwner(design, msg.sender);
        }
    }

    /// @dev Who bought a machine recalls nothing that was made on it before, who sold it nothing
    /// that was made since.
    function _requireOwnTime(bytes32 machine, uint40 number, Terms calldata terms) private view {
        IIdentityRegistry.Controller memory own = _identities.controllerAt(machine, number);
        if (own.account != msg.sender) revert CallerNotThingOwner(machine, msg.sender);
        uint40 end = _identities.controllerAt(machine, number + 1).from;
        if (terms.from < own.from || (end != 0 && (terms.to == 0 || terms.to > end))) {
            revert WindowBeyondController(terms.from, terms.to, own.from, end);
        }
    }

    function _requireIssuer(bytes32 issuer) private view {
        if (uint256(issuer) >> 160 == 0) {
            if (issuer != _caller()) revert CallerNotIssuer(issuer, msg.sender);
            return;
        }
        (address controller, bool isInRecovery, bool isUnderNotice) = _identities.speakerOf(issuer);
        if (controller != msg.sender) revert CallerNotIssuer(issuer, msg.sender);
        if (isInRecovery) revert IssuerInRecovery(issuer);
        if (isUnderNotice) revert IssuerUnderNotice(issuer);
    }

    function _caller() private view returns (bytes32) {
        return bytes32(uint256(uint160(msg.sender)));
    }

    function _requireSound(Thing memory thing, Terms calldata terms) private pure {
        Cause cause = thing.cause;
        bool hasDetail = cause == Cause.Serial || cause == Cause.Lot || cause == Cause.Certificate;
        if (cause == Cause.None || thing.id == 0 || (!hasDetail && thing.detail != 0)) {
            revert ThingInvalid(cause, thing.id, thing.detail);
        }
        if (terms.severity == Severity.None) revert SeverityMissing();
        if (terms.reason == 0) revert ReasonMissing();
        if (terms.to != 0 && terms.to <= terms.from) revert WindowInvalid(terms.from, terms.to);
    }

    /// @dev Grants lie over the batch from its first entry on, refused ones included.
    function _laneAt(IBuildLog.Record calldata record, uint40 position)
        private
        pure
        returns (uint40)
    {
        IBuildLog.Grant[] calldata grants = record.grants;
        uint256 end = 0;
        for (uint256 i = 0; i < grants.length; ++i) {
            unchecked {
                // the sum of all n is at most the count
                end += grants[i].n;
            }
            if (position < end) {
                if (grants[i].firstUnit == 0) break;
                return grants[i].lane;
            }
        }
        revert UnitNotGranted(record.log, record.seq, position);
    }

    function _keyOf(Thing memory thing) private pure returns (bytes32) {
        return keccak256(abi.encode(RECALL_DOMAIN, thing));
    }
}
