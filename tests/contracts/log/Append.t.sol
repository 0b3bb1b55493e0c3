// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract AppendTest is Deployed {
    uint40 internal constant MAX = 2 ** 20;

    uint40 internal number;
    uint40 internal lane;

    function setUp() public override {
        super.setUp();
        number = _openLog();
        lane = _lane(number, 20);
        _nextBlock();
        vm.setBlockhash(block.number - 1, "parent");
    }

    function test_Append_KeepsTheDigestOfTheRecord() public {
        IBuildLog.Record memory record = _record();

        _emits(writer, address(log));
        emit IBuildLog.RecordAppended(number, 0, record);
        log.append(number, 0, 10, "root", _draws(lane, 4));

        vm.assertEq(log.recordDigest(number, 0), keccak256(abi.encode(record)), "digest");
        vm.assertEq(log.head(number).writer, writer, "writer");
        vm.assertEq(log.head(number).size, 10, "size");
        vm.assertEq(log.head(number).seq, 1, "seq");
        vm.assertEq(licenses.lane(lane).next, 45, "lane");
    }

    function test_Append_GoesOnAtTheNextIndex() public {
        _append(number, 10, "root", _noDraws());

        IBuildLog.Record memory second = _append(number, 7, "root", _noDraws());

        vm.assertEq(second.seq, 1, "seq");
        vm.assertEq(second.firstIndex, 10, "firstIndex");
        vm.assertEq(log.head(number).size, 17, "size");
    }

    function test_Append_WithoutDraws() public {
        IBuildLog.Record memory record = _append(number, 1, "root", _noDraws());

        vm.assertEq(record.grants.length, 0, "grants");
    }

    function test_Append_KeepsTheRefusedDrawsPlace() public {
        IBuildLog.Draw[] memory draws = new IBuildLog.Draw[](3);
        draws[0] = IBuildLog.Draw({lane: lane, n: 5});
        draws[1] = IBuildLog.Draw({lane: lane, n: 16});
        draws[2] = IBuildLog.Draw({lane: lane, n: 15});

        IBuildLog.Record memory record = _append(number, 36, "root", draws);

        vm.assertEq(record.grants[0].firstUnit, 41, "first");
        vm.assertEq(record.grants[1].firstUnit, 0, "refused");
        vm.assertEq(record.grants[1].n, 16, "n");
        vm.assertEq(record.grants[2].firstUnit, 46, "third");
    }

    function test_Append_OfAStoppedLicenseGrantsNothing() public {
        bytes32 license = licenses.idOf(1);
        vm.prank(designer);
        licenses.stop(license, _now());

        IBuildLog.Record memory record = _append(number, 5, "root", _draws(lane, 5));

        vm.assertEq(record.grants[0].firstUnit, 0, "firstUnit");
        vm.assertEq(record.grants[0].lane, lane, "lane");
        vm.assertEq(record.grants[0].n, 5, "n");
    }

    function test_Append_CountsOneTo2To20() public {
        _refuse(writer, abi.encodeWithSelector(IBuildLog.CountInvalid.selector, 0));
        log.append(number, 0, 0, "root", _noDraws());
        _refuse(writer, abi.encodeWithSelector(IBuildLog.CountInvalid.selector, MAX + 1));
        log.append(number, 0, MAX + 1, "root", _noDraws());

        _append(number, 1, "root", _noDraws());
        _append(number, MAX, "root", _noDraws());

        vm.assertEq(log.head(number).size, 1 + MAX, "size");
    }

    function test_Append_FillsALogToItsLastIndex() public {
        _resize(type(uint48).max - 5);

        IBuildLog.Record memory record = _append(number, 5, "root", _noDraws());

        vm.assertEq(record.firstIndex, type(uint48).max - 5, "firstIndex");
        vm.assertEq(log.head(number).size, type(uint48).max, "size");
    }

    function test_Append_RevertWhen_TheLogIsFull() public {
        uint48 size = type(uint48).max - 5;
        _resize(size);

        _refuse(writer, abi.encodeWithSelector(IBuildLog.LogFull.selector, number, size, 6));
        log.append(number, 0, 6, "root", _noDraws());
    }

    function test_Append_DrawsAtMost32Times() public {
        IBuildLog.Draw[] memory draws = new IBuildLog.Draw[](32);
        for (uint256 i = 0; i < 32; ++i) {
            draws[i] = IBuildLog.Draw({lane: lane, n: 1});
        }

        IBuildLog.Record memory record = _append(number, 32, "root", draws);

        vm.assertEq(record.grants.length, 32, "grants");
        vm.assertEq(record.grants[19].firstUnit, 60, "the twentieth");
        vm.assertEq(record.grants[20].firstUnit, 0, "the twenty-first");
    }

    function test_Append_RevertWhen_ThereAre33Draws() public {
        _refuse(writer, abi.encodeWithSelector(IBuildLog.DrawsTooMany.selector, 33));
        log.append(number, 0, 40, "root", new IBuildLog.Draw[](33));
    }

    function test_Append_DrawsAsMuchAsTheCount() public {
        IBuildLog.Record memory record = _append(number, 5, "root", _draws(lane, 5));

        vm.assertEq(record.grants[0].firstUnit, 41, "firstUnit");
    }

    function test_Append_RevertWhen_TheDrawsExceedTheCount() public {
        _refuse(writer, abi.encodeWithSelector(IBuildLog.DrawsExceedCount.selector, 6, 5));
        log.append(number, 0, 5, "root", _draws(lane, 6));
    }

    function test_Append_RevertWhen_TheSumOfDrawsIsLargerThan40Bits() public {
        IBuildLog.Draw[] memory draws = new IBuildLog.Draw[](2);
        draws[0] = IBuildLog.Draw({lane: lane, n: type(uint40).max});
        draws[1] = IBuildLog.Draw({lane: lane, n: 1});

        _refuse(writer, abi.encodeWithSelector(IBuildLog.DrawsExceedCount.selector, 2 ** 40, 5));
        log.append(number, 0, 5, "root", draws);
    }

    function test_Append_RevertWhen_ADrawIsEmpty() public {
        _refuse(writer, abi.encodeWithSelector(ILicenseRegistry.DrawEmpty.selector));
        log.append(number, 0, 5, "root", _draws(lane, 0));
    }

    function test_Append_RevertWhen_TheLaneIsOfAnotherLog() public {
        uint40 other = _openLog();

        _refuse(
            writer, abi.encodeWithSelector(ILicenseRegistry.LaneOfOtherLog.selector, lane, other)
        );
        log.append(other, 0, 5, "root", _draws(lane, 5));
    }

    function test_Append_RevertWhen_TheLaneIsUnknown() public {
        _refuse(writer, abi.encodeWithSelector(ILicenseRegistry.LaneUnknown.selector, 99));
        log.append(number, 0, 5, "root", _draws(99, 5));
    }

    function test_Append_RevertWhen_SentTwice() public {
        _append(number, 5, "root", _draws(lane, 5));

        _refuse(writer, abi.encodeWithSelector(IBuildLog.SeqStale.selector, number, 0, 1));
        log.append(number, 0, 5, "root", _draws(lane, 5));
    }

    function test_Append_RevertWhen_TheSeqIsAhead() public {
        _refuse(writer, abi.encodeWithSelector(IBuildLog.SeqStale.selector, number, 1, 0));
        log.append(number, 1, 5, "root", _draws(lane, 5));
    }

    function test_Append_RevertWhen_CallerIsTheOperator() public {
        _refuse(
            operator, abi.encodeWithSelector(IBuildLog.CallerNotWriter.selector, number, operator)
        );
        log.append(number, 0, 5, "root", _noDraws());
    }

    function test_Append_RevertWhen_LogIsUnknown() public {
        _refuse(writer, abi.encodeWithSelector(IBuildLog.LogUnknown.selector, 0));
        log.append(0, 0, 5, "root", _noDraws());
        _refuse(writer, abi.encodeWithSelector(IBuildLog.LogUnknown.selector, 2));
        log.append(2, 0, 5, "root", _noDraws());
    }

    /// @dev As if it held `size` entries: no test can log as many.
    function _resize(uint48 size) private {
        bytes32 slot = keccak256(abi.encode(number, 0));
        vm.store(address(log), slot, bytes32((uint256(size) << 160) | uint160(writer)));
    }

    function _record() private view returns (IBuildLog.Record memory record) {
        record.log = number;
        record.count = 10;
        record.time = _now();
        record.parent = "parent";
        record.root = "root";
        record.grants = new IBuildLog.Grant[](1);
        record.grants[0] = IBuildLog.Grant({lane: lane, n: 4, firstUnit: 41});
    }
}
