// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {IRecallRegistry} from "../../../contracts/interfaces/IRecallRegistry.sol";
import {Watched} from "./Watched.sol";

/// @title Owners, authorities and strangers who recall, ask and close while things change hands
/// @notice Each call is made whether or not it is allowed; a model says which of the two it is.
contract RecallPeople is Watched {
    /// @dev A recall as the model has it.
    struct Made {
        bytes32 key;
        bytes32 by;
        uint40 number;
        bytes32 issuer;
        uint40 at;
        bool isClosed;
    }

    Made[] private _made;
    bytes32[] private _designs;
    bytes32[] private _authorities;

    function setUp() public override {
        super.setUp();
        _designs.push(_design());
        _designs.push(_design(buyer, "another"));
        _authorities.push(authorityId);
        _authorities.push(_register(IIdentityRegistry.Kind.Authority, stranger));
        _settle();
    }

    function wait(uint256 seed) external {
        _settle();
        vm.warp(vm.getBlockTimestamp() + 1 + seed % 40);
        vm.roll(vm.getBlockNumber() + 1);
        vm.record();
        vm.recordLogs();
    }

    function sellDesign(uint256 seed) external watched {
        bytes32 design = _pick(_designs, seed);
        address owner = designs.designOwner(design);
        address to = _account(seed >> 8);
        vm.prank(owner);
        IERC721(address(designs)).transferFrom(owner, to, uint256(design));
    }

    /// @dev Machine and maker go from one controller to another.
    function sell(uint256 seed) external watched {
        bytes32 id = seed % 2 == 0 ? machineId : makerId;
        address to = _account(seed >> 8);
        address from = identities.controllerOf(id);
        vm.prank(from);
        identities.proposeController(id, to);
        vm.prank(to);
        identities.acceptController(id);
    }

    function recallDesign(uint256 seed) external watched {
        bytes32 design = _pick(_designs, seed);
        IRecallRegistry.Thing memory thing =
            IRecallRegistry.Thing(IRecallRegistry.Cause.Design, design, 0);
        address owner = designs.designOwner(design);
        address caller = _mostly(owner, seed >> 8);
        (IRecallRegistry.Terms memory terms, bool isSound) = _terms(thing, 0, seed >> 16);
        bytes memory call = abi.encodeCall(recalls.recallDesign, (design, terms));
        _issue(
            thing, 0, bytes32(uint256(uint160(caller))), caller, call, isSound && caller == owner
        );
    }

    function recallLot(uint256 seed) external watched {
        IRecallRegistry.Thing memory thing =
            IRecallRegistry.Thing(IRecallRegistry.Cause.Lot, makerId, bytes32(seed % 2));
        address owner = identities.controllerOf(makerId);
        address caller = _mostly(owner, seed >> 8);
        (IRecallRegistry.Terms memory terms, bool isSound) = _terms(thing, 0, seed >> 16);
        bytes memory call = abi.encodeCall(recalls.recallLot, (makerId, thing.detail, terms));
        _issue(thing, 0, makerId, caller, call, isSound && caller == owner);
    }

    function recallMachine(uint256 seed) external watched {
        IRecallRegistry.Thing memory thing =
            IRecallRegistry.Thing(IRecallRegistry.Cause.Machine, machineId, 0);
        uint40 number = 1 + uint40(seed % identities.identity(machineId).controllers);
        IIdentityRegistry.Controller memory own = identities.controllerAt(machineId, number);
        uint40 end = identities.controllerAt(machineId, number + 1).from;
        address caller = _mostly(own.account, seed >> 8);
        (IRecallRegistry.Terms memory terms, bool isSound) = _terms(thing, 0, seed >> 16);
        if ((seed >> 64) % 4 != 0) (terms.from, terms.to) = (own.from, end);
        if (terms.to != 0 && terms.to <= terms.from) isSound = false;
        bool isHis = caller == own.account && terms.from >= own.from
            && (end == 0 || (terms.to != 0 && terms.to <= end));
        bytes memory call = abi.encodeCall(recalls.recallMachine, (machineId, number, terms));
        _issue(thing, 0, bytes32(uint256(uint160(caller))), caller, call, isSound && isHis);
    }

    function recallAs(uint256 seed) external watched {
        bytes32 by = (seed >> 32) % 8 == 0 ? makerId : _pick(_authorities, seed);
        IRecallRegistry.Thing memory thing = IRecallRegistry.Thing(
            IRecallRegistry.Cause((seed >> 40) % 9), _pick(_designs, seed >> 1), bytes32(seed % 2)
        );
        address caller = _mostly(identities.controllerOf(by), seed >> 8);
        (IRecallRegistry.Terms memory terms, bool isSound) = _terms(thing, by, seed >> 16);
        bool isAllowed = by != makerId && caller == identities.controllerOf(by);
        bytes memory call = abi.encodeCall(recalls.recallAs, (by, thing, terms));
        _issue(thing, by, by, caller, call, isAllowed && isSound && _isThing(thing));
    }

    function ask(uint256 seed) external watched {
        IRecallRegistry.Thing memory thing = IRecallRegistry.Thing(
            IRecallRegistry.Cause((seed >> 40) % 9), _pick(_designs, seed >> 1), bytes32(seed % 2)
        );
        (IRecallRegistry.Terms memory terms,) = _terms(thing, 0, seed >> 16);
        terms.to = 0;
        bytes memory call = abi.encodeCall(recalls.ask, (thing, terms));
        _try(_account(seed), address(recalls), call, _isThing(thing));
    }

    function close(uint256 seed) external watched {
        if (_made.length == 0) return;
        Made storage made = _made[seed % _made.length];
        address issuer = uint256(made.issuer) >> 160 == 0
            ? address(uint160(uint256(made.issuer)))
            : identities.controllerOf(made.issuer);
        address caller = _mostly(issuer, seed >> 8);
        uint40 number = (seed >> 16) % 8 == 0 ? made.number + 1000 : made.number;
        bytes memory call = abi.encodeCall(recalls.close, (made.key, made.by, number, "mended"));
        bool isAllowed = caller == issuer && !made.isClosed && number == made.number;
        if (_try(caller, address(recalls), call, isAllowed)) made.isClosed = true;
    }

    /// @dev The newest are neither lost nor moved; of older ones each write is looked at.
    function checkLists() external view {
        for (uint256 i = _made.length < 8 ? 0 : _made.length - 8; i < _made.length; ++i) {
            Made memory made = _made[i];
            IRecallRegistry.Recall memory self = recalls.recallOf(made.key, made.by, made.number);
            vm.assertEq(self.at, made.at, "at");
            vm.assertEq(self.closedAt != 0, made.isClosed, "closed");
            vm.assertEq(
                recalls.issuerOf(made.key, made.by, made.number), made.issuer, "the issuer stays"
            );
            vm.assertTrue(recalls.recallCount(made.key, made.by) >= made.number, "counted");
        }
    }

    function _issue(
        IRecallRegistry.Thing memory thing,
        bytes32 by,
        bytes32 issuer,
        address caller,
        bytes memory call,
        bool isAllowed
    ) private {
        bytes32 key = keccak256(abi.encode(keccak256("guildmark/recall/v1"), thing));
        uint40 count = recalls.recallCount(key, by);
        if (!_try(caller, address(recalls), call, isAllowed)) return;
        vm.assertEq(recalls.recallCount(key, by), count + 1, "numbers have no gap");
        _made.push(Made(key, by, count + 1, issuer, _now(), false));
    }

    function _terms(IRecallRegistry.Thing memory thing, bytes32 by, uint256 seed)
        private
        view
        returns (IRecallRegistry.Terms memory terms, bool isSound)
    {
        bytes32 key = keccak256(abi.encode(keccak256("guildmark/recall/v1"), thing));
        uint40 count = recalls.recallCount(key, by);
        terms.follows = seed % 8 == 0 ? count + 1 : count;
        terms.from = _now() - uint40((seed >> 8) % 50);
        terms.to = (seed >> 16) % 2 == 0 ? 0 : _now() + uint40((seed >> 24) % 10);
        terms.severity = IRecallRegistry.Severity.Inspect;
        terms.reason = "cracks";
        isSound = terms.follows == count && (terms.to == 0 || terms.to > terms.from);
    }

    function _isThing(IRecallRegistry.Thing memory thing) private pure returns (bool) {
        IRecallRegistry.Cause cause = thing.cause;
        return cause == IRecallRegistry.Cause.Serial || cause == IRecallRegistry.Cause.Lot
            || cause == IRecallRegistry.Cause.Certificate
            || (cause != IRecallRegistry.Cause.None && thing.detail == 0);
    }

    /// @dev Seven times of eight who may, else anybody.
    function _mostly(address account, uint256 seed) private view returns (address) {
        return seed % 8 == 0 ? _account(seed >> 3) : account;
    }

    function _account(uint256 seed) private view returns (address) {
        address[5] memory accounts = [maker, designer, buyer, authority, stranger];
        return accounts[seed % 5];
    }

    function _pick(bytes32[] storage from, uint256 seed) private view returns (bytes32) {
        return from[seed % from.length];
    }
}
