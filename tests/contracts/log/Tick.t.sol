// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {Deployed} from "../support/Deployed.sol";

contract TickTest is Deployed {
    function test_Tick_WritesAnEmptyRecordOfLogZero() public {
        vm.setBlockhash(block.number - 1, "parent");
        IBuildLog.Record memory record;
        record.time = _now();
        record.parent = "parent";
        record.grants = new IBuildLog.Grant[](0);

        _emits(stranger, address(log));
        emit IBuildLog.RecordAppended(0, 0, record);
        log.tick();

        vm.assertEq(log.recordDigest(0, 0), keccak256(abi.encode(record)), "digest");
        vm.assertEq(log.head(0).writer, address(0), "writer");
        vm.assertEq(log.head(0).size, 0, "size");
        vm.assertEq(log.head(0).seq, 1, "seq");
    }

    function test_Tick_OnceABlock() public {
        log.tick();
        _nextBlock();

        vm.prank(stranger);
        log.tick();

        vm.assertEq(log.head(0).seq, 2, "seq");
    }

    function test_Tick_RevertWhen_TickedInThisBlock() public {
        log.tick();

        _refuse(stranger, abi.encodeWithSelector(IBuildLog.TickedAlready.selector, _now()));
        log.tick();
    }
}
