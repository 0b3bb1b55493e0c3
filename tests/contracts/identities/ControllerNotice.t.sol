// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract ControllerNoticeTest is Deployed {
    function test_GiveControllerNotice_SetsBothTimes() public {
        _emits(maker, address(identities));
        emit IIdentityRegistry.ControllerNoticeGiven(makerId, 1, _now(), START, "evidence", false);
        identities.giveControllerNotice(makerId, START, "evidence");

        _assertNotice(1, _now(), START);
        vm.assertTrue(identities.identity(makerId).isUnderNotice, "under notice");
        vm.assertFalse(identities.identity(siteId).isUnderNotice, "no other identity");
        (address speaker, bool isInRecovery, bool isUnderNotice) = identities.speakerOf(makerId);
        vm.assertEq(speaker, maker, "still the controller");
        vm.assertFalse(isInRecovery, "no recovery");
        vm.assertTrue(isUnderNotice, "as the speaker");
    }

    function test_GiveControllerNotice_MovesTheSuspicionEarlierOnly() public {
        uint40 first = _now();
        _give(first);
        _nextBlock();
        _refuse(
            maker,
            abi.encodeWithSelector(IIdentityRegistry.SuspicionNotEarlier.selector, first, first)
        );
        identities.giveControllerNotice(makerId, first, 0);

        _give(first - 1);

        _assertNotice(1, first, first - 1);
    }

    function test_GiveControllerNotice_RevertWhen_TheSuspicionIsAfterTheNotice() public {
        _refuse(
            maker,
            abi.encodeWithSelector(
                IIdentityRegistry.SuspicionAfterNotice.selector, _now() + 1, _now()
            )
        );
        identities.giveControllerNotice(makerId, _now() + 1, 0);
    }

    function test_GiveControllerNotice_RevertWhen_BeforeItsOwnTime() public {
        _handOver();
        uint40 since = _now();

        _refuse(
            buyer,
            abi.encodeWithSelector(
                IIdentityRegistry.SuspicionBeforeController.selector, since - 1, since
            )
        );
        identities.giveControllerNotice(makerId, since - 1, 0);
        vm.prank(buyer);
        identities.giveControllerNotice(makerId, since, 0);

        _assertNotice(2, since, since);
        _assertNotice(1, 0, 0);
    }

    function test_GiveControllerNotice_EndsWithTheNextController() public {
        _give(_now());

        _handOver();

        vm.assertFalse(identities.identity(makerId).isUnderNotice, "the next one is not");
        vm.assertTrue(_noticeOn(1).at != 0, "the notice stays");
    }

    function test_GiveControllerNotice_RevertWhen_CallerIsNotTheController() public {
        _handOver();

        _refuse(
            maker,
            abi.encodeWithSelector(IIdentityRegistry.CallerNotController.selector, makerId, maker)
        );
        identities.giveControllerNotice(makerId, _now(), 0);
    }

    function testFuzz_GiveControllerNotice_OnlyEverMovesEarlier(uint8[12] calldata times) public {
        vm.warp(START + 300);
        uint40 lowest = type(uint40).max;
        uint40 first = 0;
        for (uint256 i = 0; i < times.length; ++i) {
            uint40 from = START + times[i];
            bool isAllowed = from < lowest && from <= _now();
            vm.prank(maker);
            (bool isDone,) = address(identities)
                .call(abi.encodeCall(identities.giveControllerNotice, (makerId, from, 0)));
            vm.assertEq(isDone, isAllowed, "allowed");
            if (isDone) {
                lowest = from;
                if (first == 0) first = _now();
            }
            _assertNotice(1, first, first == 0 ? 0 : lowest);
            _nextBlock();
        }
    }

    function test_ControllerTarget_IsADigestOfBoth() public view {
        bytes32 domain = keccak256("guildmark/controller/v1");
        bytes32 target = identities.controllerTarget(makerId, 7);

        vm.assertEq(target, keccak256(abi.encode(domain, makerId, uint256(7))), "target");
    }

    function _handOver() private {
        vm.prank(maker);
        identities.proposeController(makerId, buyer);
        _nextBlock();
        vm.prank(buyer);
        identities.acceptController(makerId);
    }

    function _give(uint40 suspectedFrom) private {
        vm.prank(maker);
        identities.giveControllerNotice(makerId, suspectedFrom, "evidence");
    }

    function _noticeOn(uint32 number) private view returns (IIdentityRegistry.Notice memory) {
        return identities.noticeOn(identities.controllerTarget(makerId, number), 0);
    }

    function _assertNotice(uint32 number, uint40 at, uint40 suspectedFrom) private view {
        vm.assertEq(_noticeOn(number).at, at, "at");
        vm.assertEq(_noticeOn(number).suspectedFrom, suspectedFrom, "suspectedFrom");
    }
}
