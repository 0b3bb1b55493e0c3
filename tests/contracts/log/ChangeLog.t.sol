// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {Deployed} from "../support/Deployed.sol";

/// @notice setWriter and close, which share who may call them.
contract ChangeLogTest is Deployed {
    uint40 internal number;

    function setUp() public override {
        super.setUp();
        number = _openLog();
        _append(number, 3, "root", _noDraws());
    }

    function test_SetWriter_ReplacesItAtOnce() public {
        _emits(operator, address(log));
        emit IBuildLog.WriterChanged(number, stranger);
        log.setWriter(number, stranger);

        vm.assertEq(log.head(number).writer, stranger, "writer");
        vm.assertEq(log.head(number).size, 3, "size stays");
        vm.assertEq(log.head(number).seq, 1, "seq stays");
        _refuse(writer, abi.encodeWithSelector(IBuildLog.CallerNotWriter.selector, number, writer));
        log.append(number, 1, 1, "root", _noDraws());
        _append(number, 1, "root", _noDraws());
    }

    function test_Close_EndsTheLog() public {
        _emits(operator, address(log));
        emit IBuildLog.LogClosed(number);
        log.close(number);

        vm.assertEq(log.head(number).writer, address(0), "writer");
        vm.assertEq(log.head(number).size, 3, "size stays");
        vm.assertEq(log.operatorOf(number), operatorId, "operator stays");
        _refuse(writer, _closed());
        log.append(number, 1, 1, "root", _noDraws());
    }

    function test_SetWriter_RevertWhen_Closed() public {
        vm.prank(operator);
        log.close(number);

        _refuse(operator, _closed());
        log.setWriter(number, writer);
    }

    function test_Close_RevertWhen_Closed() public {
        vm.prank(operator);
        log.close(number);

        _refuse(operator, _closed());
        log.close(number);
    }

    function test_SetWriter_RevertWhen_ThereIsNone() public {
        _refuse(operator, abi.encodeWithSelector(IBuildLog.WriterMissing.selector));
        log.setWriter(number, address(0));
    }

    function test_SetWriter_RevertWhen_CallerIsTheWriter() public {
        _refuse(writer, _notOperator(writer));
        log.setWriter(number, stranger);
    }

    function test_Close_RevertWhen_CallerIsTheWriter() public {
        _refuse(writer, _notOperator(writer));
        log.close(number);
    }

    function test_SetWriter_RevertWhen_LogIsUnknown() public {
        _refuse(operator, abi.encodeWithSelector(IBuildLog.LogUnknown.selector, 0));
        log.setWriter(0, writer);
        _refuse(operator, abi.encodeWithSelector(IBuildLog.LogUnknown.selector, number + 1));
        log.setWriter(number + 1, writer);
    }

    function test_Close_RevertWhen_LogIsUnknown() public {
        _refuse(operator, abi.encodeWithSelector(IBuildLog.LogUnknown.selector, number + 1));
        log.close(number + 1);
    }

    function _closed() private view returns (bytes memory) {
        return abi.encodeWithSelector(IBuildLog.LogClosedAlready.selector, number);
    }

    function _notOperator(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IBuildLog.CallerNotOperator.selector, number, caller);
    }
}
