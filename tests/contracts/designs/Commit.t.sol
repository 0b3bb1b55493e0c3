// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDesignRegistry} from "../../../contracts/interfaces/IDesignRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract CommitTest is Deployed {
    function test_Commit_KeepsTheTime() public {
        _emits(stranger, address(designs));
        emit IDesignRegistry.DesignCommitted("commitment", _now());
        designs.commit("commitment");

        vm.assertEq(designs.committedAt("commitment"), _now(), "time");
    }

    function test_Commit_AgainChangesNothing() public {
        designs.commit("commitment");
        uint40 first = _now();
        _nextBlock();

        vm.recordLogs();
        vm.prank(stranger);
        designs.commit("commitment");

        vm.assertEq(designs.committedAt("commitment"), first, "time");
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
    }

    function test_CommittedAt_IsZeroWhereThereIsNone() public view {
        vm.assertEq(designs.committedAt("commitment"), 0, "time");
    }
}
