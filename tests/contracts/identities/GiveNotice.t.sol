// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Keyed} from "./Keyed.sol";

contract GiveNoticeTest is Keyed {
    function test_GiveNotice_SetsBothTimes() public {
        _emits(technician, address(identities));
        emit IIdentityRegistry.KeyNoticeGiven(key, machineId, _now(), START, "evidence", false);
        identities.giveNotice(machineId, key, START, "evidence");

        vm.assertEq(identities.keyOf(key).noticeAt, _now(), "noticeAt");
        vm.assertEq(identities.keyOf(key).suspectedFrom, START, "suspectedFrom");
    }

    function test_GiveNotice_DoubtsFromNowAtTheLatest() public {
        _give(_now());

        vm.assertEq(identities.keyOf(key).suspectedFrom, _now(), "suspectedFrom");
    }

    function test_GiveNotice_MovesTheSuspicionEarlierOnly() public {
        uint40 first = _now();
        _give(first);
        _nextBlock();

        _give(first - 1);

        vm.assertEq(identities.keyOf(key).noticeAt, first, "noticeAt stays");
        vm.assertEq(identities.keyOf(key).suspectedFrom, first - 1, "suspectedFrom");
    }

    function test_GiveNotice_OnAnEndedKey() public {
        vm.prank(technician);
        identities.endKey(machineId, key);

        _give(START);

        vm.assertEq(identities.keyOf(key).noticeAt, _now(), "noticeAt");
    }

    function test_GiveNotice_RevertWhen_TheSuspicionIsAfterTheNotice() public {
        _refuse(
            technician,
            abi.encodeWithSelector(
                IIdentityRegistry.SuspicionAfterNotice.selector, _now() + 1, _now()
            )
        );
        identities.giveNotice(machineId, key, _now() + 1, "evidence");
    }

    function test_GiveNotice_RevertWhen_TheSuspicionDoesNotMoveEarlier() public {
        _give(START + 1);

        _refuse(
            technician,
            abi.encodeWithSelector(
                IIdentityRegistry.SuspicionNotEarlier.selector, START + 1, START + 1
            )
        );
        identities.giveNotice(machineId, key, START + 1, "evidence");
    }

    function test_GiveNotice_RevertWhen_BeforeTheRegistration() public {
        _refuse(
            technician,
            abi.encodeWithSelector(
                IIdentityRegistry.SuspicionBeforeController.selector, START - 1, START
            )
        );
        identities.giveNotice(machineId, key, START - 1, "evidence");
    }

    function test_GiveNotice_NewControllerDoubtsHisOwnTimeOnly() public {
        vm.prank(technician);
        identities.proposeController(machineId, buyer);
        _nextBlock();
        vm.prank(buyer);
        identities.acceptController(machineId);
        uint40 since = _now();
        _nextBlock();

        _refuse(
            buyer,
            abi.encodeWithSelector(
                IIdentityRegistry.SuspicionBeforeController.selector, since - 1, since
            )
        );
        identities.giveNotice(machineId, key, since - 1, "evidence");
        vm.prank(buyer);
        identities.giveNotice(machineId, key, since, "evidence");

        vm.assertEq(identities.keyOf(key).suspectedFrom, since, "suspectedFrom");
    }

    function test_GiveNotice_NewControllerCannotMoveAnOldSuspicionBeforeHisTime() public {
        _give(START + 1);
        vm.prank(technician);
        identities.proposeController(machineId, buyer);
        vm.prank(buyer);
        identities.acceptController(machineId);

        _refuse(
            buyer,
            abi.encodeWithSelector(
                IIdentityRegistry.SuspicionBeforeController.selector, START, _now()
            )
        );
        identities.giveNotice(machineId, key, START, "evidence");
    }

    function test_GiveNotice_RevertWhen_CallerIsNotTheController() public {
        _refuse(stranger, _notController(stranger));
        identities.giveNotice(machineId, key, _now(), "evidence");
    }

    function test_GiveNotice_RevertWhen_ItIsOfAnotherMachine() public {
        bytes32 other = _register(IIdentityRegistry.Kind.Machine, stranger);

        _refuse(stranger, _keyUnknown(key));
        identities.giveNotice(other, key, _now(), "evidence");
    }

    function _give(uint40 suspectedFrom) private {
        vm.prank(technician);
        identities.giveNotice(machineId, key, suspectedFrom, "evidence");
    }
}
