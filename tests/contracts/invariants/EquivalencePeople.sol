// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEquivalenceRegistry} from "../../../contracts/interfaces/IEquivalenceRegistry.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Watched} from "./Watched.sol";

/// @title Sponsors, sites and evaluators who plan, commit, reveal, certify and doubt in any order
/// @notice Each call is made whether or not it is allowed; a model says which of the two it is.
contract EquivalencePeople is Watched {
    IEquivalenceRegistry.Plan[] private _plans;
    bytes32[] private _known;
    bytes32[] private _sites;
    bytes32[] private _authorities;
    bytes32[] private _recipes;
    uint256 private _salt;

    function setUp() public override {
        super.setUp();
        _sites.push(siteId);
        _sites.push(_register(IIdentityRegistry.Kind.Site, buyer));
        _authorities.push(authorityId);
        _authorities.push(_register(IIdentityRegistry.Kind.Authority, stranger));
        for (uint256 i = 0; i < 2; ++i) {
            _recipes.push(_plan(_design(designer, bytes32(i))).recipe);
        }
        _add(0);
        _settle();
    }

    function wait(uint256 seed) external {
        _settle();
        vm.warp(vm.getBlockTimestamp() + seed % 40);
        vm.roll(vm.getBlockNumber() + 1);
        vm.record();
        vm.recordLogs();
    }

    function register(uint256 seed) external watched {
        _add(seed);
    }

    /// @dev A plan is registered once, by its sponsor.
    function registerAgain(uint256 seed) external watched {
        IEquivalenceRegistry.Plan memory plan = _plans[seed % _plans.length];
        _mustFail(maker, address(equivalence), abi.encodeCall(equivalence.register, (plan)));
        plan.document = bytes32(++_salt);
        plan.commitBy = _now() + 9;
        plan.revealBy = _now() + 99;
        _mustFail(stranger, address(equivalence), abi.encodeCall(equivalence.register, (plan)));
    }

    function join(uint256 seed) external watched {
        uint256 which = _plan(seed);
        bytes32 site = _pick(_sites, seed >> 8);
        IEquivalenceRegistry.Plan memory plan = _plans[which];
        bytes32 id = _known[which];
        address caller = _mostly(identities.controllerOf(site), seed >> 16);
        bool isAllowed = caller == identities.controllerOf(site) && _now() < plan.commitBy
            && equivalence.entryOf(id, site).joinedAt == 0
            && (plan.sites.length == 2 || plan.sites[0] == site);
        uint40 before = equivalence.planCount(plan.recipe, site);
        bytes memory call = abi.encodeCall(equivalence.join, (plan, site, "scope"));
        if (_try(caller, address(equivalence), call, isAllowed)) {
            vm.assertEq(equivalence.entryOf(id, site).number, before + 1, "plans have no gap");
        }
    }

    function commit(uint256 seed) external watched {
        uint256 which = _plan(seed);
        bytes32 id = _known[which];
        bytes32 site = _pick(_sites, seed >> 8);
        IEquivalenceRegistry.Entry memory entry = equivalence.entryOf(id, site);
        address caller = _mostly(identities.controllerOf(site), seed >> 16);
        bool isAllowed = caller == identities.controllerOf(site) && entry.joinedAt != 0
            && entry.committedAt == 0 && _now() < _plans[which].commitBy;
        bytes32 blind = _blind(id, site, "root", "salt");
        bytes memory call = abi.encodeCall(equivalence.commit, (id, site, blind));
        _try(caller, address(equivalence), call, isAllowed);
    }

    function reveal(uint256 seed) external watched {
        uint256 which = _plan(seed);
        bytes32 id = _known[which];
        bytes32 site = _pick(_sites, seed >> 8);
        IEquivalenceRegistry.Entry memory entry = equivalence.entryOf(id, site);
        IEquivalenceRegistry.Schedule memory schedule = equivalence.scheduleOf(id);
        bytes32 root = seed % 8 == 0 ? bytes32("changed") : bytes32("root");
        bool isDue = schedule.committed == schedule.sites || _now() >= schedule.commitBy;
        bool isAllowed = entry.committedAt != 0 && entry.revealedAt == 0 && root == "root" && isDue
            && _now() < schedule.revealBy;
        bytes memory call = abi.encodeCall(equivalence.reveal, (id, site, root, "salt"));
        _try(_account(seed >> 16), address(equivalence), call, isAllowed);
    }

    function certify(uint256 seed) external watched {
        uint256 which = _plan(seed);
        bytes32 id = _known[which];
        bytes32 site = _pick(_sites, seed >> 8);
        address evaluator = identities.controllerOf(_plans[which].evaluator);
        address caller = _mostly(evaluator, seed >> 16);
        uint40 to = (seed >> 24) % 3 == 0 ? 0 : _now() + uint40((seed >> 32) % 20);
        bool isAllowed = caller == evaluator && equivalence.entryOf(id, site).revealedAt != 0
            && equivalence.certificateOf(id, site).from == 0 && (to == 0 || to > _now());
        IEquivalenceRegistry.Outcome verdict = IEquivalenceRegistry.Outcome(1 + (seed >> 40) % 4);
        bytes memory call =
            abi.encodeCall(equivalence.certify, (id, site, verdict, bytes32("result"), to));
        _try(caller, address(equivalence), call, isAllowed);
    }

    function challenge(uint256 seed) external watched {
        bytes32 id = _known[_plan(seed)];
        bytes32 site = _pick(_sites, seed >> 8);
        bytes32 by = _pick(_authorities, seed >> 16);
        address caller = _mostly(identities.controllerOf(by), seed >> 24);
        bytes32 result = (seed >> 32) % 4 == 0 ? bytes32("result") : bytes32("counter");
        bool isAllowed = caller == identities.controllerOf(by) && result == "counter"
            && equivalence.certificateOf(id, site).from != 0
            && equivalence.counterOf(id, site, by) == 0;
        bytes memory call = abi.encodeCall(equivalence.challenge, (id, site, by, result));
        _try(caller, address(equivalence), call, isAllowed);
    }

    function suspend(uint256 seed) external watched {
        (uint256 which, bytes32 site, address caller) = _doubter(seed);
        bytes32 id = _known[which];
        IEquivalenceRegistry.Certificate memory given = equivalence.certificateOf(id, site);
        bool isAllowed = _mayDoubt(which, site, caller) && given.from != 0 && given.suspendedAt == 0;
        bytes memory call = abi.encodeCall(equivalence.suspend, (id, site, "drift"));
        _try(caller, address(equivalence), call, isAllowed);
    }

    function lapse(uint256 seed) external watched {
        (uint256 which, bytes32 site, address caller) = _doubter(seed);
        bytes32 id = _known[which];
        IEquivalenceRegistry.Certificate memory given = equivalence.certificateOf(id, site);
        IEquivalenceRegistry.Cause cause = IEquivalenceRegistry.Cause((seed >> 32) % 5);
        bool isAllowed = _mayDoubt(which, site, caller) && given.from != 0 && given.lapsedAt == 0
            && cause != IEquivalenceRegistry.Cause.None;
        bytes memory call = abi.encodeCall(equivalence.lapse, (id, site, cause));
        _try(caller, address(equivalence), call, isAllowed);
    }

    /// @dev What was certified was planned, then joined, then committed, then revealed, in time.
    /// Calls go to the four newest plans alone.
    function checkOrder() external view {
        for (uint256 i = _known.length < 4 ? 0 : _known.length - 4; i < _known.length; ++i) {
            IEquivalenceRegistry.Schedule memory schedule = equivalence.scheduleOf(_known[i]);
            uint256 committed = 0;
            for (uint256 k = 0; k < _sites.length; ++k) {
                IEquivalenceRegistry.Entry memory entry = equivalence.entryOf(_known[i], _sites[k]);
                uint40 from = equivalence.certificateOf(_known[i], _sites[k]).from;
                if (from != 0) vm.assertTrue(entry.revealedAt != 0, "certified without data");
                if (entry.revealedAt != 0) {
                    vm.assertTrue(entry.committedAt != 0, "revealed without commitment");
                    vm.assertLt(entry.revealedAt, schedule.revealBy, "revealed late");
                }
                if (entry.committedAt == 0) continue;
                ++committed;
                vm.assertTrue(entry.joinedAt >= schedule.at, "joined before the plan");
                vm.assertTrue(entry.committedAt >= entry.joinedAt, "committed before joining");
                vm.assertLt(entry.committedAt, schedule.commitBy, "committed late");
            }
            vm.assertEq(schedule.committed, committed, "committed are counted");
        }
    }

    function _add(uint256 seed) private {
        IEquivalenceRegistry.Plan memory plan;
        plan.recipe = _pick(_recipes, seed);
        plan.sponsor = makerId;
        plan.evaluator = _pick(_authorities, seed >> 8);
        plan.document = bytes32(++_salt);
        plan.commitBy = _now() + 1 + uint40((seed >> 16) % 200);
        plan.revealBy = plan.commitBy + 1 + uint40((seed >> 24) % 200);
        plan.sites = new bytes32[](1 + (seed >> 32) % 2);
        plan.sites[0] = _sites[0];
        if (plan.sites.length == 2) plan.sites[1] = _sites[1];
        vm.prank(maker);
        bytes32 id = equivalence.register(plan);
        _take(id);
        _known.push(id);
        _plans.push(plan);
    }

    /// @dev Mostly one of the newest, whose time is not over.
    function _plan(uint256 seed) private view returns (uint256) {
        uint256 count = _known.length;
        return count - 1 - (seed >> 200) % (count < 4 ? count : 4);
    }

    function _doubter(uint256 seed)
        private
        view
        returns (uint256 which, bytes32 site, address caller)
    {
        which = _plan(seed);
        site = _pick(_sites, seed >> 8);
        bytes32 by = (seed >> 16) % 2 == 0 ? site : _plans[which].evaluator;
        caller = _mostly(identities.controllerOf(by), seed >> 24);
    }

    function _mayDoubt(uint256 which, bytes32 site, address caller) private view returns (bool) {
        return caller == identities.controllerOf(site)
            || caller == identities.controllerOf(_plans[which].evaluator);
    }

    /// @dev Seven times of eight who may, else anybody.
    function _mostly(address account, uint256 seed) private view returns (address) {
        return seed % 8 == 0 ? _account(seed >> 3) : account;
    }

    function _account(uint256 seed) private view returns (address) {
        address[5] memory accounts = [maker, siteManager, buyer, authority, stranger];
        return accounts[seed % 5];
    }

    function _pick(bytes32[] storage from, uint256 seed) private view returns (bytes32) {
        return from[seed % from.length];
    }
}
