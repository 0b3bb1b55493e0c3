// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Vm} from "../support/Vm.sol";
import {Projection} from "./Projection.sol";

/// @title Every write of every call, compared with what its events say and with what may change
abstract contract Watched is Projection {
    /// @dev What each slot held when it was looked at last.
    mapping(address account => mapping(bytes32 slot => bytes32 word)) private _known;
    mapping(bytes32 id => bool isTaken) private _ids;

    modifier watched() {
        vm.record();
        vm.recordLogs();
        _;
        _settle();
    }

    function _deploy() internal override {
        super._deploy();
        vm.record();
        vm.recordLogs();
    }

    /// @dev An event's block time is read when it is: before time goes on.
    function _nextBlock() internal override {
        _settle();
        super._nextBlock();
        vm.record();
        vm.recordLogs();
    }

    /// @dev Reads the events since the last time, then looks at each slot that was written.
    function _settle() internal {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        _newCall();
        for (uint256 i = 0; i < logs.length; ++i) {
            _observe(logs[i]);
            _apply(logs[i]);
        }
        address[8] memory accounts = [
            address(identities),
            address(designs),
            address(licenses),
            address(recipes),
            address(log),
            address(parts),
            address(equivalence),
            address(recalls)
        ];
        for (uint256 i = 0; i < accounts.length; ++i) {
            (, bytes32[] memory writes) = vm.accesses(accounts[i]);
            for (uint256 k = 0; k < writes.length; ++k) {
                _look(accounts[i], writes[k]);
            }
        }
    }

    /// @dev For those who keep more of an event than its words.
    function _observe(Vm.Log memory entry) internal virtual {}

    /// @dev For those who count the calls that passed and those that were refused.
    function _counted(bool isDone) internal virtual {}

    /// @dev Marks an id as taken; none is ever given twice (I3, I9).
    function _take(bytes32 id) internal {
        vm.assertFalse(_ids[id], "an id is given twice");
        _ids[id] = true;
    }

    /// @dev A call that must fail and leave nothing behind.
    function _mustFail(address caller, address target, bytes memory call) internal {
        _try(caller, target, call, false);
    }

    /// @dev Forge records the events of a reverted call too: those are let go.
    function _try(address caller, address target, bytes memory call, bool isAllowed)
        internal
        returns (bool isDone)
    {
        return _tryFor(0, caller, target, call, isAllowed);
    }

    function _tryFor(
        uint256 value,
        address caller,
        address target,
        bytes memory call,
        bool isAllowed
    ) internal returns (bool isDone) {
        _settle();
        vm.prank(caller);
        (isDone,) = target.call{value: value}(call);
        if (!isDone) vm.getRecordedLogs();
        vm.assertEq(isDone, isAllowed, "the model says whether a call may pass");
        _counted(isDone);
    }

    function _look(address account, bytes32 slot) private {
        bytes32 word = vm.load(account, slot);
        uint256 old = uint256(_known[account][slot]);
        vm.assertEq(word, predicted[account][slot], "the events say another word (I8)");
        uint256[] storage masks = once[account][slot];
        for (uint256 i = 0; i < masks.length; ++i) {
            uint256 field = old & masks[i];
            bool isSame = field == 0 || field == uint256(word) & masks[i];
            vm.assertTrue(isSame, "written twice (I6)");
        }
        masks = falling[account][slot];
        for (uint256 i = 0; i < masks.length; ++i) {
            uint256 field = old & masks[i];
            bool hasFallen = field == 0 || uint256(word) & masks[i] <= field;
            vm.assertTrue(hasFallen, "rises again (I7)");
        }
        _known[account][slot] = word;
    }
}
