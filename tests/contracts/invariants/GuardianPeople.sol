// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Watched} from "./Watched.sol";

/// @title Controllers, guardians and authorities who recover, cancel and warn, in any order
/// @notice Each call is made whether or not it is allowed; a model says which of the two it is.
contract GuardianPeople is Watched {
    bytes32[] private _all;
    bytes32[] private _keys;
    bytes32[] private _authorities;
    mapping(bytes32 target => bytes32 id) private _owners;
    uint256 private _salt;

    function setUp() public override {
        super.setUp();
        _authorities.push(authorityId);
        _authorities.push(_register(IIdentityRegistry.Kind.Authority, stranger));
        _all.push(makerId);
        _all.push(machineId);
        for (uint256 i = 0; i < _all.length; ++i) {
            _meet(_all[i]);
            address[] memory guardians = _guardiansOf(14);
            vm.prank(identities.controllerOf(_all[i]));
            identities.setGuardians(_all[i], guardians, 2, 1 days);
        }
        _addKey("first");
        _settle();
    }

    /// @dev Seconds where notices are given, days where guardians wait.
    function wait(uint256 seed) external {
        _settle();
        vm.warp(vm.getBlockTimestamp() + (seed % 3 == 0 ? 1 days : 12));
        vm.roll(vm.getBlockNumber() + 1);
        vm.record();
        vm.recordLogs();
    }

    function setGuardians(uint256 seed) external watched {
        bytes32 id = _pick(_all, seed);
        address caller = _mostly(identities.controllerOf(id), seed >> 8);
        address[] memory guardians = _guardiansOf((seed >> 16) % 16);
        uint8 count = uint8(guardians.length);
        uint8 threshold = uint8((seed >> 24) % (count + (seed % 8 == 0 ? 2 : 1)));
        bool isAllowed = caller == identities.controllerOf(id) && threshold <= count
            && (threshold == 0) == (count == 0);
        uint40 delay = count == 0 ? 0 : 1 days;
        bytes memory call =
            abi.encodeCall(identities.setGuardians, (id, guardians, threshold, delay));
        _try(caller, address(identities), call, isAllowed);
    }

    function applyGuardians(uint256 seed) external watched {
        bytes32 id = _pick(_all, seed);
        address caller = _mostly(identities.controllerOf(id), seed >> 8);
        uint256 readyAt = _member(id, 1, 56, 40);
        bool isAllowed = caller == identities.controllerOf(id) && readyAt != 0
            && readyAt <= vm.getBlockTimestamp() && _candidate(id) == address(0);
        bytes memory call = abi.encodeCall(identities.applyGuardians, (id));
        _try(caller, address(identities), call, isAllowed);
    }

    function supportCandidate(uint256 seed) external watched {
        bytes32 id = _pick(_all, seed);
        address guardian = _account(seed >> 8);
        address candidate = (seed >> 16) % 6 == 5 ? address(0) : _account(seed >> 16);
        bytes32 votes = _in(_guarding(id, 4), _key(_member(id, 0, 128, 32)));
        bytes32 before = predicted[address(identities)][_in(votes, _word(guardian))];
        bool isAllowed = identities.isGuardian(id, guardian) && _word(candidate) != before
            && candidate != identities.controllerOf(id);
        bytes memory call = abi.encodeCall(identities.supportCandidate, (id, candidate));
        _try(guardian, address(identities), call, isAllowed);
    }

    function cancelRecovery(uint256 seed) external watched {
        bytes32 id = _pick(_all, seed);
        address caller = _mostly(identities.controllerOf(id), seed >> 8);
        address candidate = _candidate(id);
        bool isAllowed = caller == identities.controllerOf(id) && candidate != address(0)
            && identities.tallyOf(id, candidate).backers <= _member(id, 0, 0, 8);
        bytes memory call = abi.encodeCall(identities.cancelRecovery, (id));
        _try(caller, address(identities), call, isAllowed);
    }

    /// @dev Whoever was doubted, the next controller is not.
    function acceptRecovery(uint256 seed) external watched {
        bytes32 id = _pick(_all, seed);
        address candidate = _candidate(id);
        address caller = _mostly(candidate, seed >> 8);
        bool isAllowed = candidate != address(0) && caller == candidate
            && _member(id, 2, 160, 40) <= vm.getBlockTimestamp();
        bytes memory call = abi.encodeCall(identities.acceptRecovery, (id));
        if (_try(caller, address(identities), call, isAllowed)) {
            _meet(id);
            vm.assertFalse(identities.identity(id).isUnderNotice, "the next one is not doubted");
        }
    }

    function handOver(uint256 seed) external watched {
        bytes32 id = _pick(_all, seed);
        address next = _account(seed >> 8);
        vm.prank(identities.controllerOf(id));
        identities.proposeController(id, next);
        vm.prank(next);
        identities.acceptController(id);
        _meet(id);
    }

    function addKey(uint256) external watched {
        _addKey(bytes32(++_salt));
    }

    function giveNotice(uint256 seed) external watched {
        bytes32 key = _pick(_keys, seed);
        address caller = _mostly(identities.controllerOf(machineId), seed >> 8);
        uint40 from = _moment(seed >> 16);
        bool isAllowed = caller == identities.controllerOf(machineId) && _isOwnTime(machineId, from)
            && _isNews(_ofKey(key), from);
        bytes memory call = abi.encodeCall(identities.giveNotice, (machineId, key, from, 0));
        _try(caller, address(identities), call, isAllowed);
    }

    function giveControllerNotice(uint256 seed) external watched {
        bytes32 id = _pick(_all, seed);
        address caller = _mostly(identities.controllerOf(id), seed >> 8);
        uint40 from = _moment(seed >> 16);
        uint32 number = identities.identity(id).controllers;
        bool isAllowed = caller == identities.controllerOf(id) && _isOwnTime(id, from)
            && _isNews(identities.noticeOn(identities.controllerTarget(id, number), 0), from);
        bytes memory call = abi.encodeCall(identities.giveControllerNotice, (id, from, 0));
        _try(caller, address(identities), call, isAllowed);
    }

    function backKeyNotice(uint256 seed) external watched {
        bytes32 key = _pick(_keys, seed);
        address guardian = _account(seed >> 8);
        uint40 from = _moment(seed >> 16);
        bool isAllowed = _mayBack(machineId, key, guardian, from, _ofKey(key));
        bytes memory call = abi.encodeCall(identities.backKeyNotice, (machineId, key, from, 0));
        _try(guardian, address(identities), call, isAllowed);
    }

    function backControllerNotice(uint256 seed) external watched {
        bytes32 id = _pick(_all, seed);
        address guardian = _account(seed >> 8);
        uint40 from = _moment(seed >> 16);
        uint32 newest = identities.identity(id).controllers;
        uint32 number = uint32((seed >> 32) % (newest + 2));
        bytes32 target = identities.controllerTarget(id, number);
        bool isAllowed = number != 0 && number <= newest
            && _mayBack(id, target, guardian, from, identities.noticeOn(target, 0));
        bytes memory call = abi.encodeCall(identities.backControllerNotice, (id, number, from, 0));
        _try(guardian, address(identities), call, isAllowed);
    }

    function giveAuthorityNotice(uint256 seed) external watched {
        bytes32 by = _pick(seed % 8 == 0 ? _all : _authorities, seed >> 4);
        address caller = _mostly(identities.controllerOf(by), seed >> 8);
        uint40 from = _moment(seed >> 16);
        bytes32 id = _pick(_all, seed >> 24);
        uint32 number = 1 + uint32((seed >> 32) % identities.identity(id).controllers);
        bytes32 target = identities.controllerTarget(id, number);
        bytes memory call =
            abi.encodeCall(identities.giveAuthorityControllerNotice, (by, id, number, from, 0));
        if ((seed >> 40) % 2 == 0) {
            target = _pick(_keys, seed >> 24);
            call =
                abi.encodeCall(identities.giveAuthorityKeyNotice, (by, machineId, target, from, 0));
        }
        bool isAllowed = identities.kindOf(by) == IIdentityRegistry.Kind.Authority
            && caller == identities.controllerOf(by)
            && _isNews(identities.noticeOn(target, by), from);
        _try(caller, address(identities), call, isAllowed);
    }

    /// @dev I4: what may be done now follows from whether the present controller is doubted; and
    /// no notice doubts only what comes after it.
    function checkNotices() external view {
        for (uint256 i = 0; i < _all.length; ++i) {
            IIdentityRegistry.Identity memory self = identities.identity(_all[i]);
            for (uint32 number = 1; number <= self.controllers; ++number) {
                bytes32 target = identities.controllerTarget(_all[i], number);
                IIdentityRegistry.Notice memory notice = identities.noticeOn(target, 0);
                vm.assertTrue(notice.suspectedFrom <= notice.at, "doubts what was");
                bool isDoubted = notice.at != 0;
                bool isNewest = number == self.controllers;
                if (isNewest) vm.assertEq(self.isUnderNotice, isDoubted, "under notice");
            }
        }
        for (uint256 i = 0; i < _keys.length; ++i) {
            IIdentityRegistry.Key memory key = identities.keyOf(_keys[i]);
            vm.assertTrue(key.suspectedFrom <= key.noticeAt, "doubts what was");
        }
    }

    function _ownerOf(bytes32 target) internal view override returns (bytes32) {
        bytes32 id = _owners[target];
        return id == 0 ? super._ownerOf(target) : id;
    }

    function _meet(bytes32 id) private {
        _owners[identities.controllerTarget(id, identities.identity(id).controllers)] = id;
    }

    function _addKey(bytes32 name) private {
        bytes memory publicKey = abi.encodePacked(keccak256(abi.encode(name)));
        vm.prank(identities.controllerOf(machineId));
        _keys.push(identities.addKey(machineId, IIdentityRegistry.Algorithm.Ed25519, publicKey));
    }

    function _mayBack(
        bytes32 id,
        bytes32 target,
        address guardian,
        uint40 from,
        IIdentityRegistry.Notice memory notice
    ) private view returns (bool) {
        (uint40 before,) = identities.backingOf(id, target, guardian);
        if (!identities.isGuardian(id, guardian) || from == before) return false;
        return from == 0 || _isNews(notice, from) && from >= _member(id, 0, 56, 40);
    }

    function _ofKey(bytes32 key) private view returns (IIdentityRegistry.Notice memory) {
        IIdentityRegistry.Key memory self = identities.keyOf(key);
        return IIdentityRegistry.Notice({at: self.noticeAt, suspectedFrom: self.suspectedFrom});
    }

    function _isNews(IIdentityRegistry.Notice memory notice, uint40 from)
        private
        view
        returns (bool)
    {
        return notice.at == 0 ? from <= _now() : from < notice.suspectedFrom;
    }

    function _isOwnTime(bytes32 id, uint40 from) private view returns (bool) {
        return from >= identities.controllerAt(id, identities.identity(id).controllers).from;
    }

    /// @dev Few moments, so that guardians agree: none, the start, days after it, and about now.
    function _moment(uint256 seed) private view returns (uint40) {
        if (seed % 8 == 0) return 0;
        if (seed % 8 < 4) return START + 12 + uint40(seed % 8 - 1) * 6;
        if (seed % 8 < 6) return _now() - _now() % 1 days;
        return _now() + (seed % 8 == 6 ? 0 : 1);
    }

    function _account(uint256 seed) private view returns (address) {
        address[5] memory accounts = [designer, maker, technician, authority, stranger];
        return accounts[seed % 5];
    }

    /// @dev Ascending, those whose bit is set.
    function _guardiansOf(uint256 bits) private view returns (address[] memory chosen) {
        address[4] memory sorted = [designer, maker, technician, authority];
        for (uint256 i = 0; i < 4; ++i) {
            for (uint256 k = i + 1; k < 4; ++k) {
                if (sorted[k] < sorted[i]) (sorted[i], sorted[k]) = (sorted[k], sorted[i]);
            }
        }
        uint256 count = 0;
        for (uint256 i = 0; i < 4; ++i) {
            count += (bits >> i) & 1;
        }
        chosen = new address[](count);
        for (uint256 i = 4; i > 0; --i) {
            if ((bits >> (i - 1)) & 1 == 1) chosen[--count] = sorted[i - 1];
        }
    }

    function _candidate(bytes32 id) private view returns (address) {
        return address(uint160(_member(id, 2, 0, 160)));
    }

    function _word(address account) private pure returns (bytes32) {
        return bytes32(uint256(uint160(account)));
    }

    /// @dev Seven times of eight who may, else anybody.
    function _mostly(address account, uint256 seed) private view returns (address) {
        return seed % 8 == 0 || account == address(0) ? _account(seed >> 3) : account;
    }

    function _pick(bytes32[] storage from, uint256 seed) private view returns (bytes32) {
        return from[seed % from.length];
    }
}
