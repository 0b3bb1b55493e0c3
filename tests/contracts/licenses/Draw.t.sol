// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

/// @notice Draws come from the log's address alone, which these tests speak for.
contract DrawTest is Deployed {
    uint40 internal constant MINE = 20;

    ILicenseRegistry.Terms internal terms;
    uint40 internal license;
    uint40 internal lane;
    uint40 internal number;

    function setUp() public override {
        super.setUp();
        terms = _terms(_design());
        terms.notBefore = _now() + 100;
        terms.notAfter = _now() + 200;
        uint40 whole;
        (license, whole) = _grant(terms);
        number = _openLog();
        vm.prank(maker);
        lane = licenses.split(whole, UNITS + 1, MINE, number, siteId);
        vm.warp(terms.notBefore);
    }

    function test_Draw_GivesTheFirstUnit() public {
        _emits(address(log), address(licenses));
        emit ILicenseRegistry.UnitsDrawn(lane, 41, 5);
        uint40 first = licenses.draw(lane, 5, number);

        vm.assertEq(first, 41, "first");
        vm.assertEq(licenses.lane(lane).next, 46, "next");
        vm.assertEq(licenses.lane(lane).first, 41, "first stays");
        vm.assertEq(licenses.lane(lane).end, 61, "end stays");
    }

    function test_Draw_GoesOnWhereItStopped() public {
        _draw(5);

        vm.assertEq(_draw(3), 46, "first");
    }

    function test_Draw_TakesAllThatIsLeft() public {
        vm.assertEq(_draw(MINE), 41, "first");
        vm.assertEq(licenses.lane(lane).next, 61, "next");
    }

    function test_Draw_GrantsNothingOfTooFew() public {
        _draw(MINE - 2);

        vm.recordLogs();
        vm.assertEq(_draw(3), 0, "granted whole or not at all");
        vm.assertEq(vm.getRecordedLogs().length, 0, "events");
        vm.assertEq(licenses.lane(lane).next, 59, "next");
        vm.assertEq(_draw(2), 59, "the last two");
        vm.assertEq(_draw(1), 0, "none left");
    }

    function test_Draw_FromNotBeforeOn() public {
        vm.warp(terms.notBefore - 1);
        vm.assertEq(_draw(1), 0, "before");

        vm.warp(terms.notBefore);
        vm.assertEq(_draw(1), 41, "at");
    }

    function test_Draw_UntilNotAfter() public {
        vm.warp(terms.notAfter);
        vm.assertEq(_draw(1), 0, "at");

        vm.warp(terms.notAfter - 1);
        vm.assertEq(_draw(1), 41, "before");
    }

    function test_Draw_WithoutAnEnd() public {
        terms.notAfter = 0;
        (, uint40 whole) = _grant(terms);
        vm.prank(maker);
        lane = licenses.split(whole, UNITS + 1, 1, number, siteId);
        vm.warp(type(uint40).max);

        vm.assertEq(_draw(1), 60, "first");
    }

    function test_Draw_UntilTheStop() public {
        bytes32 id = licenses.licenseId(terms);
        uint40 at = _now() + 50;
        vm.prank(designer);
        licenses.stop(id, at);

        vm.warp(at - 1);
        vm.assertEq(_draw(1), 41, "before");
        vm.warp(at);
        vm.assertEq(_draw(1), 0, "at");
    }

    function test_Draw_AsksEachOfFourAncestors() public {
        uint40[5] memory line = _line();

        vm.assertEq(_draw(1), 21, "all open");
        for (uint256 i = 0; i < line.length; ++i) {
            uint256 snapshot = vm.snapshotState();
            bytes32 id = licenses.idOf(line[i]);
            vm.prank(line[i] == license ? designer : maker);
            licenses.stop(id, _now());

            vm.assertEq(_draw(1), 0, "an ancestor is stopped");
            vm.revertToState(snapshot);
        }
        vm.assertEq(_draw(1), 22, "all open again");
    }

    /// @dev A child that says less of time, or more, is bound by what is above it.
    function test_Draw_UnderAChildOnlyWhileEachAncestorAllows() public {
        ILicenseRegistry.Terms memory child = _termsUnder(1, makerId);
        child.notBefore = terms.notBefore - 50;
        child.notAfter = terms.notAfter + 50;
        (, uint40 whole) = _sublicense(1, child);
        vm.prank(maker);
        lane = licenses.split(whole, 41, MINE, number, siteId);

        vm.warp(terms.notBefore - 1);
        vm.assertEq(_draw(1), 0, "the child has begun, its parent has not");
        vm.warp(terms.notBefore);
        vm.assertEq(_draw(1), 21, "both have");
        vm.warp(terms.notAfter - 1);
        vm.assertEq(_draw(1), 22, "none has ended");
        vm.warp(terms.notAfter);
        vm.assertEq(_draw(1), 0, "the parent has");
    }

    function test_Draw_RevertWhen_Empty() public {
        _refuse(address(log), abi.encodeWithSelector(ILicenseRegistry.DrawEmpty.selector));
        licenses.draw(lane, 0, number);
    }

    function test_Draw_RevertWhen_LaneIsUnknown() public {
        _refuse(address(log), abi.encodeWithSelector(ILicenseRegistry.LaneUnknown.selector, 9));
        licenses.draw(9, 1, number);
    }

    function test_Draw_RevertWhen_LaneIsOfAnotherLog() public {
        _refuse(
            address(log),
            abi.encodeWithSelector(ILicenseRegistry.LaneOfOtherLog.selector, lane, number + 1)
        );
        licenses.draw(lane, 1, number + 1);
    }

    function test_Draw_RevertWhen_LaneIsOfNoLog() public {
        _refuse(
            address(log),
            abi.encodeWithSelector(ILicenseRegistry.LaneOfOtherLog.selector, 1, number)
        );
        licenses.draw(1, 1, number);
    }

    function testFuzz_Draw_RevertWhen_CallerIsNotTheLog(address caller) public {
        vm.assume(caller != address(log) && caller != address(vm));

        _refuse(caller, abi.encodeWithSelector(ILicenseRegistry.CallerNotBuildLog.selector, caller));
        licenses.draw(lane, 1, number);
    }

    function _draw(uint40 n) private returns (uint40) {
        vm.prank(address(log));
        return licenses.draw(lane, n, number);
    }

    /// @dev Four licenses below the first, the lowest first, and a lane of the log of the lowest.
    function _line() private returns (uint40[5] memory line) {
        line[4] = license;
        lane = 1;
        for (uint256 i = 4; i > 0; --i) {
            (line[i - 1], lane) = _sublicense(lane, _termsUnder(lane, makerId));
            vm.assertEq(licenses.license(line[i - 1]).parent, line[i], "parent");
            vm.assertEq(licenses.license(line[i - 1]).depth, 5 - i, "depth");
        }
        vm.prank(maker);
        lane = licenses.split(lane, 41, MINE, number, siteId);
    }
}
