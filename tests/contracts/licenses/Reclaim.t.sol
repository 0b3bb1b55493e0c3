// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract ReclaimTest is Deployed {
    uint40 internal constant END = UNITS + 1;
    uint40 internal constant NOTICE = 100;
    uint40 internal constant MINE = 20;

    ILicenseRegistry.Terms internal terms;
    uint40 internal whole;
    uint40 internal lane;
    uint40 internal number;

    function setUp() public override {
        super.setUp();
        terms = _terms(_design());
        terms.notice = NOTICE;
        (, whole) = _grant(terms);
        number = _openLog();
        vm.prank(maker);
        lane = licenses.split(whole, END, MINE, number, siteId);
        _append(number, 5, "root", _draws(lane, 5));
    }

    function test_Reclaim_IsAnnounced() public {
        _emits(maker, address(licenses));
        emit ILicenseRegistry.LaneReclaimAnnounced(lane, _now() + NOTICE);
        uint40 made = licenses.reclaim(lane);

        vm.assertEq(made, 0, "no lane yet");
        vm.assertEq(licenses.lane(lane).reclaimAt, _now() + NOTICE, "reclaimAt");
        vm.assertEq(licenses.lane(lane).end, END, "end");
    }

    function test_Reclaim_CutsWhatIsUndrawnWhenTheNoticeHasPassed() public {
        _announce();
        _append(number, 2, "root", _draws(lane, 2));
        vm.warp(_now() + NOTICE);

        _emits(maker, address(licenses));
        emit ILicenseRegistry.LaneReclaimed(3, lane, makerId, 48, END);
        uint40 made = licenses.reclaim(lane);

        ILicenseRegistry.Lane memory self = licenses.lane(made);
        vm.assertEq(made, 3, "lane");
        vm.assertEq(self.license, 1, "license");
        vm.assertEq(self.first, 48, "first");
        vm.assertEq(self.next, 48, "next");
        vm.assertEq(self.end, END, "end");
        vm.assertEq(self.log, 0, "log");
        vm.assertEq(self.reclaimAt, 0, "reclaimAt");
        vm.assertEq(licenses.holderOf(made), makerId, "holder");
        vm.assertEq(licenses.giverOf(made), 0, "giver: what that of the source was");
        vm.assertEq(licenses.originOf(made).source, 0, "source: what that of the source was");
        vm.assertEq(licenses.originOf(made).at, 0, "given at: what that of the source was");
        vm.assertEq(licenses.lane(lane).end, 48, "the drawn stay");
    }

    /// @dev After the notice too, until the giver cuts.
    function test_Reclaim_DrawsGoOn() public {
        _announce();
        vm.warp(_now() + NOTICE + 1);

        _append(number, 15, "root", _draws(lane, 15));

        vm.assertEq(licenses.lane(lane).next, END, "next");
        _refuse(maker, abi.encodeWithSelector(ILicenseRegistry.ReclaimEmpty.selector, lane));
        licenses.reclaim(lane);
    }

    function test_Reclaim_RevertWhen_TheNoticeRuns() public {
        uint40 at = _now() + NOTICE;
        _announce();
        vm.warp(at - 1);

        _refuse(maker, abi.encodeWithSelector(ILicenseRegistry.ReclaimTooEarly.selector, lane, at));
        licenses.reclaim(lane);
        vm.warp(at);
        vm.prank(maker);
        vm.assertEq(licenses.reclaim(lane), 3, "at");
    }

    function test_Reclaim_WithoutNoticeInTwoCallsOfABlock() public {
        terms.notice = 0;
        terms.nonce = 1;
        (, whole) = _grant(terms);
        vm.prank(maker);
        lane = licenses.split(whole, END, 1, 0, operatorId);

        _announce();
        vm.prank(maker);
        uint40 made = licenses.reclaim(lane);

        vm.assertEq(licenses.lane(made).first, UNITS, "first");
    }

    function test_Reclaim_LetsNothingBeCutMeanwhile() public {
        _announce();
        bytes memory error = abi.encodeWithSelector(
            ILicenseRegistry.LaneUnderReclaim.selector, lane, _now() + NOTICE
        );

        _refuse(siteManager, error);
        licenses.split(lane, END, 1, 0, siteId);
        ILicenseRegistry.Terms memory child = _termsUnder(lane, siteId);
        child.units = 1;
        _refuse(siteManager, error);
        licenses.sublicense(lane, END, child, "", "");
    }

    function test_Reclaim_DoesNotReachWhatWasCutBefore() public {
        vm.prank(siteManager);
        uint40 cut = licenses.split(lane, END, 3, 0, operatorId);
        _announce();
        vm.warp(_now() + NOTICE);
        vm.prank(maker);
        uint40 made = licenses.reclaim(lane);

        vm.assertEq(licenses.lane(made).end, END - 3, "end");
        vm.assertEq(licenses.lane(cut).end, END, "the cut lane stays");
        _refuse(maker, abi.encodeWithSelector(ILicenseRegistry.CallerNotGiver.selector, cut, maker));
        licenses.reclaim(cut);
        vm.prank(siteManager);
        licenses.reclaim(cut);
        vm.assertEq(licenses.lane(cut).reclaimAt, _now() + NOTICE, "its own giver may");
    }

    /// @dev So that nobody who gave back takes again, and a giver of the giver still can.
    function test_Reclaim_GoesBackTheWayItCame() public {
        vm.prank(siteManager);
        uint40 cut = licenses.split(lane, END, 3, 0, operatorId);
        vm.prank(siteManager);
        licenses.reclaim(cut);
        vm.warp(_now() + NOTICE);
        vm.prank(siteManager);
        uint40 back = licenses.reclaim(cut);

        vm.assertEq(licenses.holderOf(back), siteId, "holder");
        vm.assertEq(licenses.giverOf(back), makerId, "giver");
        _refuse(
            operator,
            abi.encodeWithSelector(ILicenseRegistry.CallerNotGiver.selector, back, operator)
        );
        licenses.reclaim(back);
        vm.prank(maker);
        licenses.reclaim(back);
    }

    /// @dev The units of a child go back under its parent, where the licensor held them.
    function test_Reclaim_OfAChildsFirstLane() public {
        ILicenseRegistry.Terms memory child = _termsUnder(whole, operatorId);
        child.units = 10;
        child.notice = NOTICE - 1;
        (uint40 below, uint40 first) = _sublicense(whole, child);
        vm.prank(operator);
        uint40 cut = licenses.split(first, 41, 4, number, siteId);
        vm.prank(maker);
        licenses.reclaim(first);

        vm.assertEq(licenses.lane(first).reclaimAt, _now() + NOTICE - 1, "the child's notice");
        vm.warp(_now() + NOTICE);
        vm.prank(maker);
        uint40 made = licenses.reclaim(first);

        vm.assertEq(licenses.lane(made).license, 1, "the parent's");
        vm.assertEq(licenses.lane(made).first, 31, "first");
        vm.assertEq(licenses.lane(made).end, 37, "end");
        vm.assertEq(licenses.holderOf(made), makerId, "holder");
        vm.assertEq(licenses.giverOf(made), 0, "giver");
        vm.assertEq(licenses.lane(cut).license, below, "the child's other lane stays");
        vm.assertEq(licenses.lane(cut).end, 41, "with its units");
    }

    function test_Reclaim_OfAChildLeavesWhoItsLicensorIs() public {
        ILicenseRegistry.Terms memory child = _termsUnder(whole, operatorId);
        (, uint40 first) = _sublicense(whole, child);
        vm.prank(maker);
        licenses.reclaim(first);
        vm.warp(_now() + NOTICE);
        vm.prank(maker);
        licenses.reclaim(first);

        bytes32 id = licenses.licenseId(child);
        vm.prank(maker);
        licenses.stop(id, _now());

        vm.assertEq(licenses.license(2).stopAt, _now(), "stopAt");
    }

    function test_Reclaim_RevertWhen_NothingIsUndrawn() public {
        _append(number, 15, "root", _draws(lane, 15));

        _refuse(maker, abi.encodeWithSelector(ILicenseRegistry.ReclaimEmpty.selector, lane));
        licenses.reclaim(lane);
    }

    function test_Reclaim_RevertWhen_TheNoticeNeverEnds() public {
        uint40 longest = type(uint40).max - _now();
        terms.notice = longest;
        terms.nonce = 1;
        (, whole) = _grant(terms);
        vm.prank(maker);
        lane = licenses.split(whole, END, 1, 0, operatorId);
        uint256 snapshot = vm.snapshotState();
        _announce();
        vm.assertEq(licenses.lane(lane).reclaimAt, type(uint40).max, "the last second");
        vm.revertToState(snapshot);
        vm.warp(_now() + 1);

        _refuse(
            maker,
            abi.encodeWithSelector(ILicenseRegistry.ReclaimNever.selector, lane, uint256(2 ** 40))
        );
        licenses.reclaim(lane);
    }

    function test_Reclaim_RevertWhen_CallerIsNotTheGiver() public {
        address[3] memory others = [siteManager, designer, stranger];
        for (uint256 i = 0; i < others.length; ++i) {
            _refuse(
                others[i],
                abi.encodeWithSelector(ILicenseRegistry.CallerNotGiver.selector, lane, others[i])
            );
            licenses.reclaim(lane);
        }
    }

    function test_Reclaim_RevertWhen_TheLaneWasGivenByNobody() public {
        _refuse(
            maker, abi.encodeWithSelector(ILicenseRegistry.CallerNotGiver.selector, whole, maker)
        );
        licenses.reclaim(whole);
    }

    function test_Reclaim_RevertWhen_LaneIsUnknown() public {
        _refuse(maker, abi.encodeWithSelector(ILicenseRegistry.LaneUnknown.selector, 9));
        licenses.reclaim(9);
    }

    function _announce() private {
        vm.prank(maker);
        licenses.reclaim(lane);
    }
}
