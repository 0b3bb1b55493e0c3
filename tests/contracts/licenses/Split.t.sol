// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract SplitTest is Deployed {
    uint40 internal constant END = UNITS + 1;

    uint40 internal lane;
    uint40 internal number;

    function setUp() public override {
        super.setUp();
        (, lane) = _grant(_terms(_design()));
        number = _openLog();
    }

    function test_Split_CutsTheLastUnitsOff() public {
        _emits(maker, address(licenses));
        emit ILicenseRegistry.LaneSplit(2, lane, siteId, 41, END, number);
        uint40 cut = licenses.split(lane, END, 20, number, siteId);

        ILicenseRegistry.Lane memory rest = licenses.lane(lane);
        ILicenseRegistry.Lane memory made = licenses.lane(cut);
        vm.assertEq(rest.first, 1, "rest: first");
        vm.assertEq(rest.next, 1, "rest: next");
        vm.assertEq(rest.end, 41, "rest: end");
        vm.assertEq(made.license, 1, "license");
        vm.assertEq(made.first, 41, "first");
        vm.assertEq(made.next, 41, "next");
        vm.assertEq(made.end, END, "end");
        vm.assertEq(made.log, number, "log");
        vm.assertEq(made.reclaimAt, 0, "reclaimAt");
        vm.assertEq(licenses.holderOf(cut), siteId, "holder");
        vm.assertEq(licenses.giverOf(cut), makerId, "giver");
        vm.assertEq(licenses.originOf(cut).source, lane, "source");
        vm.assertEq(licenses.originOf(cut).at, _now(), "given at");
    }

    /// @dev A later cut leaves the time of an earlier one alone.
    function test_Split_KeepsWhenEachWasGiven() public {
        uint40 early = _now();
        vm.prank(maker);
        uint40 first = licenses.split(lane, END, 10, 0, operatorId);
        _nextBlock();
        vm.prank(operator);
        uint40 second = licenses.split(first, END, 5, 0, makerId);

        vm.assertEq(licenses.originOf(first).at, early, "the first");
        vm.assertEq(licenses.originOf(second).at, _now(), "the second");
        vm.assertEq(licenses.originOf(second).source, first, "and its source");
    }

    function test_Split_ForNoLogToAnOrganization() public {
        vm.prank(maker);
        uint40 cut = licenses.split(lane, END, 1, 0, operatorId);

        vm.assertEq(licenses.lane(cut).log, 0, "log");
        vm.assertEq(licenses.holderOf(cut), operatorId, "holder");
    }

    function test_Split_ForNoLogToASite() public {
        vm.prank(maker);
        uint40 cut = licenses.split(lane, END, 1, 0, siteId);

        vm.assertEq(licenses.holderOf(cut), siteId, "holder");
    }

    function test_Split_TakesAllThatIsUndrawn() public {
        vm.prank(maker);
        uint40 cut = licenses.split(lane, END, UNITS, number, siteId);

        vm.assertEq(licenses.lane(lane).end, 1, "nothing left");
        vm.assertEq(licenses.lane(cut).first, 1, "first");
    }

    function test_Split_TakesBackWhatWasNotDrawn() public {
        vm.prank(maker);
        uint40 cut = licenses.split(lane, END, 20, number, siteId);
        _append(number, 5, "root", _draws(cut, 5));

        vm.prank(siteManager);
        uint40 back = licenses.split(cut, END, 15, 0, makerId);

        vm.assertEq(licenses.lane(cut).end, 46, "the drawn stay");
        vm.assertEq(licenses.lane(back).first, 46, "first");
        vm.assertEq(licenses.giverOf(back), siteId, "giver");
    }

    function test_Split_RevertWhen_MoreThanUndrawn() public {
        _refuse(
            maker,
            abi.encodeWithSelector(ILicenseRegistry.SplitTooLarge.selector, lane, UNITS + 1, UNITS)
        );
        licenses.split(lane, END, UNITS + 1, number, siteId);
    }

    function test_Split_RevertWhen_TheDrawnAreWanted() public {
        vm.prank(maker);
        uint40 cut = licenses.split(lane, END, 20, number, siteId);
        _append(number, 5, "root", _draws(cut, 5));

        _refuse(
            siteManager,
            abi.encodeWithSelector(ILicenseRegistry.SplitTooLarge.selector, cut, 16, 15)
        );
        licenses.split(cut, END, 16, 0, makerId);
    }

    function test_Split_RevertWhen_Empty() public {
        _refuse(maker, abi.encodeWithSelector(ILicenseRegistry.SplitEmpty.selector));
        licenses.split(lane, END, 0, number, siteId);
    }

    function test_Split_RevertWhen_SentTwice() public {
        vm.prank(maker);
        licenses.split(lane, END, 20, number, siteId);

        _refuse(
            maker, abi.encodeWithSelector(ILicenseRegistry.LaneEndStale.selector, lane, END, 41)
        );
        licenses.split(lane, END, 20, number, siteId);
    }

    function test_Split_RevertWhen_LaneIsUnknown() public {
        _refuse(maker, abi.encodeWithSelector(ILicenseRegistry.LaneUnknown.selector, 9));
        licenses.split(9, END, 1, number, siteId);
    }

    function test_Split_RevertWhen_CallerIsNotTheHolder() public {
        _refuse(
            designer,
            abi.encodeWithSelector(ILicenseRegistry.CallerNotHolder.selector, lane, designer)
        );
        licenses.split(lane, END, 1, number, siteId);
    }

    function test_Split_RevertWhen_LogIsUnknown() public {
        _refuse(maker, abi.encodeWithSelector(ILicenseRegistry.LogUnknown.selector, number + 1));
        licenses.split(lane, END, 1, number + 1, siteId);
    }

    function test_Split_RevertWhen_TheLogsLaneGoesToNoSite() public {
        _refuse(maker, abi.encodeWithSelector(ILicenseRegistry.LogHolderNotSite.selector, makerId));
        licenses.split(lane, END, 1, number, makerId);
    }

    function test_Split_RevertWhen_HolderIsAMachineAnAuthorityOrNobody() public {
        bytes32[3] memory holders = [machineId, authorityId, bytes32("nobody")];
        for (uint256 i = 0; i < holders.length; ++i) {
            _refuse(
                maker,
                abi.encodeWithSelector(ILicenseRegistry.HolderKindInvalid.selector, holders[i])
            );
            licenses.split(lane, END, 1, 0, holders[i]);
        }
    }

    function test_UnknownLaneAndLicenseReadAsZero() public view {
        vm.assertEq(licenses.lane(9).license, 0, "lane");
        vm.assertEq(licenses.holderOf(9), 0, "holder");
        vm.assertEq(licenses.giverOf(9), 0, "giver");
        vm.assertEq(licenses.license(9).units, 0, "license");
        vm.assertEq(licenses.idOf(9), 0, "id");
        vm.assertEq(licenses.designOf(9), 0, "design");
        vm.assertEq(licenses.numberOf("none"), 0, "number");
        vm.assertEq(licenses.grantedAt("none"), 0, "grantedAt");
        vm.assertEq(licenses.originOf(9).source, 0, "source");
        vm.assertEq(licenses.extensionOf(9, 1).end, 0, "extension");
    }
}
