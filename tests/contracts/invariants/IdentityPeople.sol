// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDesignRegistry} from "../../../contracts/interfaces/IDesignRegistry.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {IRecipeRegistry} from "../../../contracts/interfaces/IRecipeRegistry.sol";
import {Watched} from "./Watched.sol";

/// @title People who register, link, claim, publish and hand over, in any order
/// @notice Each call is made whether or not it is allowed; a model says which of the two it is.
contract IdentityPeople is Watched {
    struct Made {
        bytes32 id;
        bytes32 owner;
    }

    struct Given {
        bytes32 issuer;
        bytes32 subject;
        bytes32 scope;
    }

    mapping(uint256 kind => bytes32[] ids) private _ids;
    bytes32[] private _all;
    Made[] private _keys;
    Made[] private _claims;
    Given[] private _given;
    Made[] private _requests;
    Made[] private _commitments;
    bytes32[] private _designs;
    bytes32[] private _recipes;
    uint256 private _salt;

    function setUp() public override {
        super.setUp();
        _know(makerId);
        _know(siteId);
        _know(machineId);
        _know(authorityId);
        _settle();
    }

    function wait(uint8 blocks) external {
        for (uint256 i = 0; i <= blocks % 3; ++i) {
            _nextBlock();
        }
    }

    function register(uint256 seed) external watched {
        address caller = _account(seed);
        IIdentityRegistry.Kind kind = IIdentityRegistry.Kind(1 + (seed >> 8) % 4);
        vm.prank(caller);
        bytes32 id = identities.register(kind, bytes32(++_salt), bytes32(seed));
        _know(id);

        bytes memory again =
            abi.encodeCall(identities.register, (kind, bytes32(_salt), bytes32(seed)));
        _mustFail(caller, address(identities), again);
    }

    function setProfile(uint256 seed) external watched {
        bytes32 id = _pick(_all, seed);
        address caller = _mostly(identities.controllerOf(id), seed);
        bytes32 profile = bytes32((seed >> 8) % 4);
        bool isAllowed = caller == identities.controllerOf(id)
            && (profile == 0
                || profile == identities.profileOf(id)
                || identities.profileTimes(id, profile).from == 0);
        bytes memory call = abi.encodeCall(identities.setProfile, (id, profile));
        _try(caller, address(identities), call, isAllowed);
    }

    function proposeController(uint256 seed) external watched {
        bytes32 id = _pick(_all, seed);
        address caller = _mostly(identities.controllerOf(id), seed);
        bool isAllowed = caller == identities.controllerOf(id);
        bytes memory call = abi.encodeCall(identities.proposeController, (id, _account(seed >> 16)));
        _try(caller, address(identities), call, isAllowed);
    }

    /// @dev The history keeps every controller, the newest last (I3).
    function acceptController(uint256 seed) external watched {
        bytes32 id = _pick(_all, seed);
        address proposed = address(uint160(uint256(predicted[address(identities)][_at(7, id)])));
        address caller = proposed == address(0) ? stranger : _mostly(proposed, seed);
        uint40 before = identities.identity(id).controllers;
        bytes memory call = abi.encodeCall(identities.acceptController, (id));
        bool isDone = _try(caller, address(identities), call, caller == proposed);

        uint40 number = identities.identity(id).controllers;
        vm.assertEq(number, isDone ? before + 1 : before, "controllers");
        IIdentityRegistry.Controller memory last = identities.controllerAt(id, number);
        vm.assertEq(last.account, identities.controllerOf(id), "the newest speaks");
        vm.assertEq(identities.controllerAt(id, number + 1).account, address(0), "no later one");
    }

    function requestLink(uint256 seed) external watched {
        uint256 kind = 2 + seed % 2;
        bytes32 child = _pick(_ids[kind], seed >> 8);
        bytes32 parent = _pick(_ids[seed % 16 == 0 ? kind : kind - 1], seed >> 16);
        address caller = _mostly(identities.controllerOf(child), seed >> 24);
        bool isAllowed = caller == identities.controllerOf(child) && seed % 16 != 0
            && !_isRequested(child, parent) && identities.parentOf(child) != parent;
        bytes memory call = abi.encodeCall(identities.requestLink, (child, parent));
        if (!_try(caller, address(identities), call, isAllowed)) return;
        _requests.push(Made({id: child, owner: parent}));
    }

    function acceptLink(uint256 seed) external watched {
        (bytes32 child, bytes32 parent) = _pair(seed);
        if (_requests.length > 0 && seed % 8 != 0) {
            Made memory request = _requests[(seed >> 32) % _requests.length];
            (child, parent) = (request.id, request.owner);
        }
        address caller = _mostly(identities.controllerOf(parent), seed >> 24);
        bool isAllowed = caller == identities.controllerOf(parent) && _isRequested(child, parent)
            && identities.parentOf(child) == 0;
        bytes memory call = abi.encodeCall(identities.acceptLink, (child, parent));
        if (_try(caller, address(identities), call, isAllowed)) {
            uint40 number = identities.linkCount(child, parent);
            vm.assertEq(identities.link(child, parent, number).from, _now(), "from (I13)");
        }
    }

    function endLink(uint256 seed) external watched {
        (bytes32 child, bytes32 parent) = _pair(seed);
        if (seed % 16 == 0) parent = 0;
        address side = identities.controllerOf(seed % 2 == 0 ? child : parent);
        address caller = _mostly(side, seed >> 24);
        bool isSide = caller == identities.controllerOf(child)
            || caller == identities.identity(parent).controller;
        bool isOpen = parent != 0 && identities.parentOf(child) == parent;
        bool isLinked = isOpen || _isRequested(child, parent);
        bytes memory call = abi.encodeCall(identities.endLink, (child, parent));
        _try(caller, address(identities), call, isSide && isLinked);
    }

    function addKey(uint256 seed) external watched {
        bytes32 machine = _pick(_ids[3], seed);
        bytes memory publicKey = abi.encodePacked(uint8(2 + seed % 2), ++_salt);
        vm.prank(identities.controllerOf(machine));
        bytes32 key =
            identities.addKey(machine, IIdentityRegistry.Algorithm(1 + (seed >> 8) % 2), publicKey);
        _take(key);
        _keys.push(Made({id: key, owner: machine}));
        vm.assertEq(identities.keyOf(key).from, _now(), "from (I13)");
    }

    function endKey(uint256 seed) external watched {
        if (_keys.length == 0) return;
        Made memory key = _keys[seed % _keys.length];
        bytes32 named = _named(key, seed >> 24);
        address caller = _mostly(identities.controllerOf(named), seed >> 8);
        bool isAllowed = named == key.owner && caller == identities.controllerOf(named)
            && identities.keyOf(key.id).to == 0;
        bytes memory call = abi.encodeCall(identities.endKey, (named, key.id));
        _try(caller, address(identities), call, isAllowed);
    }

    function giveNotice(uint256 seed) external watched {
        if (_keys.length == 0) return;
        Made memory key = _keys[seed % _keys.length];
        bytes32 named = _named(key, seed >> 24);
        address caller = _mostly(identities.controllerOf(named), seed >> 8);
        uint40 from = uint40(_now() + 2 - (seed >> 16) % 100);
        bool isAllowed = named == key.owner && caller == identities.controllerOf(named)
            && _mayDoubt(named, key.id, from);
        bytes memory call = abi.encodeCall(identities.giveNotice, (named, key.id, from, 0));
        _try(caller, address(identities), call, isAllowed);
    }

    function claim(uint256 seed) external watched {
        bytes32 issuer = _pick(_all, seed);
        bytes32 subject = _pick(_all, seed >> 8);
        vm.prank(identities.controllerOf(issuer));
        bytes32 id = identities.claim(issuer, subject, "LEI", bytes32(++_salt), 0);
        _take(id);
        _claims.push(Made({id: id, owner: issuer}));
        vm.assertEq(identities.claimOf(id).from, _now(), "from (I13)");
    }

    /// @dev Few numbers, so that they meet.
    function claimPublic(uint256 seed) external watched {
        bytes32 issuer = _pick(_all, seed);
        bytes32 subject = _pick(_all, seed >> 8);
        string memory value = vm.toString((seed >> 24) % 3);
        bytes32 held = identities.claimFor(issuer, "DUNS", value);
        bool isFree = held == 0 || identities.claimOf(held).to != 0;
        address caller = _mostly(identities.controllerOf(issuer), seed >> 16);
        bool isAllowed = isFree && caller == identities.controllerOf(issuer);
        bytes memory call = abi.encodeCall(
            identities.claimPublic, (issuer, subject, "DUNS", value, bytes32(++_salt), 0)
        );
        if (!_try(caller, address(identities), call, isAllowed)) return;
        bytes32 id = identities.claimFor(issuer, "DUNS", value);
        _take(id);
        _claims.push(Made({id: id, owner: issuer}));
        vm.assertEq(identities.claimOf(id).from, _now(), "from (I13)");
    }

    function revokeClaim(uint256 seed) external watched {
        if (_claims.length == 0) return;
        Made memory made = _claims[seed % _claims.length];
        bytes32 named = _named(made, seed >> 24);
        address caller = _mostly(identities.controllerOf(named), seed >> 8);
        bool isAllowed = named == made.owner && caller == identities.controllerOf(named)
            && identities.claimOf(made.id).to == 0;
        bytes memory call = abi.encodeCall(identities.revokeClaim, (named, made.id));
        _try(caller, address(identities), call, isAllowed);
    }

    /// @dev Around the present second, on both sides; one of four scopes is old.
    function accredit(uint256 seed) external watched {
        bytes32 issuer = _pick(_all, seed);
        bytes32 subject = _pick(_all, seed >> 8);
        bytes32 scope = (seed >> 16) % 4 == 0 ? bytes32(_salt) : bytes32(++_salt);
        bytes32 id = _accreditation(issuer, subject, scope);
        uint40 from = (seed >> 24) % 4 == 0 ? 0 : uint40(_now() + (seed >> 26) % 8 - 2);
        uint40 begin = from == 0 ? _now() : from;
        uint40 to = (seed >> 32) % 4 == 0 ? 0 : uint40(begin + (seed >> 34) % 8);
        address caller = _mostly(identities.controllerOf(issuer), seed >> 40);
        bool isAllowed = caller == identities.controllerOf(issuer) && begin >= _now()
            && (to == 0 || to > begin) && identities.accreditationOf(id).from == 0;
        bytes memory call = abi.encodeCall(identities.accredit, (issuer, subject, scope, from, to));
        if (!_try(caller, address(identities), call, isAllowed)) return;
        _take(id);
        _given.push(Given({issuer: issuer, subject: subject, scope: scope}));
        vm.assertGe(identities.accreditationOf(id).from, _now(), "from (I13)");
    }

    function revokeAccreditation(uint256 seed) external watched {
        if (_given.length == 0) return;
        Given memory given = _given[seed % _given.length];
        bytes32 named = seed >> 24 & 7 == 0 ? _pick(_all, seed >> 27) : given.issuer;
        address caller = _mostly(identities.controllerOf(named), seed >> 8);
        bytes32 id = _accreditation(named, given.subject, given.scope);
        IIdentityRegistry.Accreditation memory state = identities.accreditationOf(id);
        bool isAllowed =
            caller == identities.controllerOf(named) && state.from != 0 && state.revokedAt == 0;
        bytes memory call =
            abi.encodeCall(identities.revokeAccreditation, (named, given.subject, given.scope));
        _try(caller, address(identities), call, isAllowed);
    }

    /// @dev Once in four times again, which changes nothing.
    function commit(uint256 seed) external watched {
        bytes32 salt = seed % 4 == 0 ? bytes32(_salt) : bytes32(++_salt);
        address account = _account(seed >> 8);
        bytes32 commitment = _commitment(account, "root", salt);
        if (designs.committedAt(commitment) == 0) {
            _commitments.push(Made({id: salt, owner: bytes32(uint256(uint160(account)))}));
        }
        designs.commit(commitment);
    }

    function registerDesign(uint256 seed) external watched {
        if (_commitments.length == 0) return;
        Made memory made = _commitments[seed % _commitments.length];
        bytes32 salt = made.id;
        address caller = _mostly(address(uint160(uint256(made.owner))), seed >> 8);
        bytes32 id = _commitment(caller, "root", salt);
        uint40 at = designs.committedAt(id);
        bool isAllowed = at != 0 && at < _now() && designs.design(id).priority == 0;
        bytes memory call = abi.encodeCall(designs.register, ("root", salt, "c", "m", "cid"));
        if (!_try(caller, address(designs), call, isAllowed)) return;
        _take(id);
        _designs.push(id);
        vm.assertEq(designs.design(id).priority, at, "priority");
    }

    function publishRevision(uint256 seed) external watched {
        if (_designs.length == 0) return;
        bytes32 id = _pick(_designs, seed);
        address caller = _mostly(designs.designOwner(id), seed >> 8);
        uint40 named = designs.design(id).revisions - uint40((seed >> 16) % 8 == 0 ? 1 : 0);
        bool isAllowed = caller == designs.designOwner(id) && named == designs.design(id).revisions;
        bytes32[] memory from = new bytes32[](1);
        from[0] = designs.revisionDigest(id, 1);
        bytes memory call =
            abi.encodeCall(designs.publish, (id, named, bytes32(seed | 1), "c", "m", "cid", from));
        if (_try(caller, address(designs), call, isAllowed)) {
            _take(designs.revisionDigest(id, named + 1));
        }
    }

    function transferDesign(uint256 seed) external watched {
        if (_designs.length == 0) return;
        bytes32 id = _pick(_designs, seed);
        uint40 epoch = designs.design(id).epoch;
        _transfer(address(designs), designs.designOwner(id), _account(seed >> 8), uint256(id));

        vm.assertEq(designs.design(id).epoch, epoch + 1, "epoch");
    }

    function publishRecipe(uint256 seed) external watched {
        if (_designs.length == 0) return;
        IRecipeRegistry.Recipe memory recipe;
        recipe.root = bytes32(++_salt);
        recipe.design = _pick(_designs, seed);
        if (_recipes.length > 0 && seed % 2 == 0) {
            recipe.supersedes = _pick(_recipes, seed >> 16);
            recipe.change = IRecipeRegistry.Change(1 + (seed >> 24) % 3);
            bytes32 before = predicted[address(recipes)][_at(4, recipe.supersedes)];
            if ((seed >> 40) % 8 != 0) recipe.design = before;
        }
        recipe.revision = uint40(1 + (seed >> 8) % designs.design(recipe.design).revisions);
        bool isAllowed = recipe.supersedes == 0 || _mayFollow(recipe);
        bytes memory call =
            abi.encodeCall(recipes.publish, (recipe, IRecipeRegistry.Status(1 + (seed >> 32) % 3)));
        address owner = designs.designOwner(recipe.design);
        if (!_try(owner, address(recipes), call, isAllowed)) return;
        bytes32 id = keccak256(abi.encode(keccak256("guildmark/recipe/v1"), recipe));
        _take(id);
        _recipes.push(id);
    }

    function setStatus(uint256 seed) external watched {
        if (_recipes.length == 0) return;
        bytes32 id = _pick(_recipes, seed);
        bytes32 design = predicted[address(recipes)][_at(4, id)];
        address caller = _mostly(designs.designOwner(design), seed >> 8);
        uint40 steps = recipes.stepCount(id);
        IRecipeRegistry.Status last = recipes.step(id, steps).status;
        IRecipeRegistry.Status next = IRecipeRegistry.Status((seed >> 16) % 6);
        bool isAllowed = caller == designs.designOwner(design) && next != last
            && last != IRecipeRegistry.Status.Retired && next > IRecipeRegistry.Status.Draft;
        bytes memory call = abi.encodeCall(recipes.setStatus, (id, steps, next));
        if (_try(caller, address(recipes), call, isAllowed)) {
            vm.assertEq(recipes.step(id, steps + 1).at, _now(), "at (I13)");
        }
    }

    function publishSiteRecipe(uint256 seed) external watched {
        if (_recipes.length == 0) return;
        IRecipeRegistry.SiteRecipe memory own = IRecipeRegistry.SiteRecipe({
            master: _pick(_recipes, seed),
            site: _pick(_ids[2], seed >> 8),
            model: 0,
            root: bytes32(++_salt)
        });
        vm.prank(identities.controllerOf(own.site));
        _take(recipes.publishSiteRecipe(own));
    }

    /// @dev A child has at most one open parent, and it is the one whose newest interval is open.
    function checkParents() external view {
        for (uint256 kind = 2; kind <= 3; ++kind) {
            for (uint256 i = 0; i < _ids[kind].length; ++i) {
                _checkParent(_ids[kind][i], _ids[kind - 1]);
            }
        }
    }

    function _checkParent(bytes32 child, bytes32[] storage parents) private view {
        bytes32 open = identities.parentOf(child);
        for (uint256 i = 0; i < parents.length; ++i) {
            uint40 number = identities.linkCount(child, parents[i]);
            if (number == 0) continue;
            bool isOpen = identities.link(child, parents[i], number).to == 0;
            vm.assertEq(isOpen, parents[i] == open, "one open parent");
        }
    }

    function _know(bytes32 id) private {
        _take(id);
        _all.push(id);
        _ids[uint256(identities.kindOf(id))].push(id);
        vm.assertEq(identities.identity(id).since, _now() - (_all.length <= 4 ? 12 : 0), "since");
    }

    function _account(uint256 seed) private view returns (address) {
        address[6] memory accounts = [designer, maker, siteManager, technician, authority, stranger];
        return accounts[seed % 6];
    }

    /// @dev Seven times of eight who may, else anybody.
    function _mostly(address account, uint256 seed) private view returns (address) {
        return seed % 8 == 0 ? _account(seed >> 3) : account;
    }

    /// @dev Seven times of eight the one whose it is, else anybody.
    function _named(Made memory made, uint256 seed) private view returns (bytes32) {
        return seed % 8 == 0 ? _pick(_all, seed >> 3) : made.owner;
    }

    function _pick(bytes32[] storage from, uint256 seed) private view returns (bytes32) {
        return from[seed % from.length];
    }

    function _pair(uint256 seed) private view returns (bytes32 child, bytes32 parent) {
        uint256 kind = 2 + seed % 2;
        child = _pick(_ids[kind], seed >> 8);
        parent = identities.parentOf(child);
        if (parent == 0 || seed % 4 < 2) parent = _pick(_ids[kind - 1], seed >> 16);
    }

    function _isRequested(bytes32 child, bytes32 parent) private view returns (bool) {
        return predicted[address(identities)][_in(_at(6, child), parent)] != 0;
    }

    function _mayDoubt(bytes32 machine, bytes32 id, uint40 from) private view returns (bool) {
        IIdentityRegistry.Key memory key = identities.keyOf(id);
        uint40 number = identities.identity(machine).controllers;
        if (from < identities.controllerAt(machine, number).from) return false;
        return key.noticeAt == 0 ? from <= _now() : from < key.suspectedFrom;
    }

    function _accreditation(bytes32 issuer, bytes32 subject, bytes32 scope)
        private
        pure
        returns (bytes32)
    {
        bytes32 domain = keccak256("guildmark/accreditation/v1");
        return keccak256(abi.encode(domain, issuer, subject, scope));
    }

    function _mayFollow(IRecipeRegistry.Recipe memory recipe) private view returns (bool) {
        bytes32 design = predicted[address(recipes)][_at(4, recipe.supersedes)];
        return design == recipe.design && recipes.successorOf(recipe.supersedes) == 0;
    }
}
