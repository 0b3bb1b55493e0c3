// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {Deployed} from "../support/Deployed.sol";

contract OpenLogTest is Deployed {
    function test_Open_NumbersLogsFromOne() public {
        _emits(operator, address(log));
        emit IBuildLog.LogOpened(1, operatorId, writer, 0);
        uint40 number = log.open(operatorId, writer, 0);

        vm.assertEq(number, 1, "number");
        vm.assertEq(log.operatorOf(1), operatorId, "operator");
        vm.assertEq(log.head(1).writer, writer, "writer");
        vm.assertEq(log.head(1).size, 0, "size");
        vm.assertEq(log.head(1).seq, 0, "seq");
    }

    function test_Open_GoesOnFromAnotherLog() public {
        _openLog();

        _emits(maker, address(log));
        emit IBuildLog.LogOpened(2, makerId, maker, 1);
        log.open(makerId, maker, 1);
    }

    function test_Open_RevertWhen_TheLogBeforeIsUnknown() public {
        _openLog();

        _refuse(operator, abi.encodeWithSelector(IBuildLog.LogUnknown.selector, 2));
        log.open(operatorId, writer, 2);
    }

    function test_Open_RevertWhen_OperatorIsNoOrganization() public {
        _refuse(
            siteManager, abi.encodeWithSelector(IBuildLog.OperatorNotOrganization.selector, siteId)
        );
        log.open(siteId, writer, 0);
    }

    function test_Open_RevertWhen_OperatorIsUnknown() public {
        _refuse(
            operator,
            abi.encodeWithSelector(IBuildLog.OperatorNotOrganization.selector, bytes32("nobody"))
        );
        log.open("nobody", writer, 0);
    }

    function test_Open_RevertWhen_CallerIsNotTheController() public {
        _refuse(
            writer,
            abi.encodeWithSelector(IBuildLog.CallerNotController.selector, operatorId, writer)
        );
        log.open(operatorId, writer, 0);
    }

    function test_Open_RevertWhen_ThereIsNoWriter() public {
        _refuse(operator, abi.encodeWithSelector(IBuildLog.WriterMissing.selector));
        log.open(operatorId, address(0), 0);
    }

    function test_UnknownLogReadsAsZero() public view {
        vm.assertEq(log.head(1).writer, address(0), "head");
        vm.assertEq(log.operatorOf(1), 0, "operator");
        vm.assertEq(log.recordDigest(1, 0), 0, "record");
    }
}
