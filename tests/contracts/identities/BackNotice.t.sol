// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Keyed} from "./Keyed.sol";

/// @notice Three guardians, of whom two give a notice; on a key and on a controller alike.
contract BackNoticeTest is Keyed {
    uint40 private constant DELAY = 1 days;

    address[] private guardians;
    bytes32 private target;
    uint40 private since;

    function setUp() public override {
        super.setUp();
        for (uint160 i = 1; i <= 3; ++i) {
            guardians.push(address(i));
        }
        _name();
        since = _now();
        target = identities.controllerTarget(machineId, 1);
        _nextBlock();
    }

    function test_BackKeyNotice_GivenWithTheLastBackerNeeded() public {
        vm.prank(guardians[0]);
        vm.expectEmit(address(identities));
        emit IIdentityRegistry.NoticeBacked(key, guardians[0], since, 1);
        identities.backKeyNotice(machineId, key, since, "evidence");
        vm.assertEq(identities.keyOf(key).noticeAt, 0, "one is not enough");
        _assertBacking(key, guardians[0], since, 1);
        _nextBlock();

        vm.prank(guardians[2]);
        vm.expectEmit(address(identities));
        emit IIdentityRegistry.NoticeBacked(key, guardians[2], since, 2);
        vm.expectEmit(address(identities));
        emit IIdentityRegistry.KeyNoticeGiven(key, machineId, _now(), since, "evidence", true);
        identities.backKeyNotice(machineId, key, since, "evidence");

        vm.assertEq(identities.keyOf(key).noticeAt, _now(), "noticeAt");
        vm.assertEq(identities.keyOf(key).suspectedFrom, since, "suspectedFrom");
    }

    function test_BackControllerNotice_GivenWithTheLastBackerNeeded() public {
        _backController(0, 1, since);
        _nextBlock();

        vm.prank(guardians[1]);
        vm.expectEmit(address(identities));
        emit IIdentityRegistry.NoticeBacked(target, guardians[1], since, 2);
        vm.expectEmit(address(identities));
        emit IIdentityRegistry.ControllerNoticeGiven(machineId, 1, _now(), since, "evidence", true);
        identities.backControllerNotice(machineId, 1, since, "evidence");

        vm.assertEq(identities.noticeOn(target, 0).at, _now(), "at");
        vm.assertEq(identities.noticeOn(target, 0).suspectedFrom, since, "suspectedFrom");
        vm.assertTrue(identities.identity(machineId).isUnderNotice, "under notice");
    }

    /// @dev A thief who hands the identity on stays doubted, and so does whom he handed it to.
    function test_BackControllerNotice_OnAFormerControllerAndOnTheNextOne() public {
        vm.prank(technician);
        identities.proposeController(machineId, stranger);
        vm.prank(stranger);
        identities.acceptController(machineId);

        _backController(0, 1, since);
        _backController(1, 1, since);
        vm.assertFalse(identities.identity(machineId).isUnderNotice, "the present one is not");
        _backController(0, 2, since + 1);
        _backController(1, 2, since + 1);

        vm.assertTrue(identities.identity(machineId).isUnderNotice, "now he is");
        vm.assertEq(identities.noticeOn(target, 0).suspectedFrom, since, "the former one's");
    }

    function test_BackKeyNotice_JoinsTheControllersNotice() public {
        uint40 first = _now();
        vm.prank(technician);
        identities.giveNotice(machineId, key, first, 0);
        _nextBlock();

        _backKey(0, first - 1);
        _backKey(1, first - 1);

        vm.assertEq(identities.keyOf(key).noticeAt, first, "noticeAt stays");
        vm.assertEq(identities.keyOf(key).suspectedFrom, first - 1, "earlier");
        _refuse(guardians[2], _notEarlier(first - 1, first - 1));
        identities.backKeyNotice(machineId, key, first - 1, 0);
    }

    function test_BackKeyNotice_AGuardianBacksOneTimeOnly() public {
        _backKey(0, since);
        _backKey(0, since + 1);
        _assertBacking(key, guardians[0], since + 1, 1);

        _backKey(1, since);
        vm.assertEq(identities.keyOf(key).noticeAt, 0, "one each");
        _backKey(1, since + 1);

        vm.assertEq(identities.keyOf(key).suspectedFrom, since + 1, "suspectedFrom");
    }

    function test_BackKeyNotice_CanBeTakenBack() public {
        _backKey(0, since);
        _backKey(0, 0);
        _assertBacking(key, guardians[0], 0, 0);

        _backKey(1, since);
        vm.assertEq(identities.keyOf(key).noticeAt, 0, "one again");
        _refuse(
            guardians[0],
            abi.encodeWithSelector(IIdentityRegistry.SuspicionBackedAlready.selector, 0)
        );
        identities.backKeyNotice(machineId, key, 0, 0);
    }

    function test_BackKeyNotice_RevertWhen_BackedAlready() public {
        _backKey(0, since);

        _refuse(
            guardians[0],
            abi.encodeWithSelector(IIdentityRegistry.SuspicionBackedAlready.selector, since)
        );
        identities.backKeyNotice(machineId, key, since, 0);
    }

    function test_BackNotice_RevertWhen_BeforeTheGuardiansStood() public {
        bytes memory error = abi.encodeWithSelector(
            IIdentityRegistry.SuspicionBeforeGuardians.selector, since - 1, since
        );
        _refuse(guardians[0], error);
        identities.backKeyNotice(machineId, key, since - 1, 0);
        _refuse(guardians[0], error);
        identities.backControllerNotice(machineId, 1, since - 1, 0);
    }

    function test_BackNotice_RevertWhen_TheSuspicionIsAfterTheNotice() public {
        bytes memory error = abi.encodeWithSelector(
            IIdentityRegistry.SuspicionAfterNotice.selector, _now() + 1, _now()
        );
        _refuse(guardians[0], error);
        identities.backKeyNotice(machineId, key, _now() + 1, 0);
        _refuse(guardians[0], error);
        identities.backControllerNotice(machineId, 1, _now() + 1, 0);
    }

    function test_BackNotice_RevertWhen_CallerIsNoGuardian() public {
        bytes memory error = abi.encodeWithSelector(
            IIdentityRegistry.CallerNotGuardian.selector, machineId, technician
        );
        _refuse(technician, error);
        identities.backKeyNotice(machineId, key, since, 0);
        _refuse(technician, error);
        identities.backControllerNotice(machineId, 1, since, 0);
    }

    function test_BackKeyNotice_RevertWhen_ItIsOfAnotherMachine() public {
        _refuse(guardians[0], _keyUnknown(key));
        identities.backKeyNotice(makerId, key, since, 0);
    }

    function test_BackControllerNotice_RevertWhen_ThereIsNoSuchController() public {
        for (uint32 number = 0; number <= 2; number += 2) {
            _refuse(
                guardians[0],
                abi.encodeWithSelector(
                    IIdentityRegistry.ControllerUnknown.selector, machineId, number
                )
            );
            identities.backControllerNotice(machineId, number, since, 0);
        }
    }

    /// @dev What former guardians backed counts for nothing once others stand: it is of their set.
    function test_BackKeyNotice_IsVoidOnceOtherGuardiansStand() public {
        _backKey(0, since);
        _name();
        vm.warp(_now() + DELAY);
        vm.prank(technician);
        identities.applyGuardians(machineId);
        uint40 renewed = _now();

        _assertBacking(key, guardians[0], 0, 0);
        _refuse(
            guardians[1],
            abi.encodeWithSelector(
                IIdentityRegistry.SuspicionBeforeGuardians.selector, renewed - 1, renewed
            )
        );
        identities.backKeyNotice(machineId, key, renewed - 1, 0);
        _backKey(1, renewed);
        vm.assertEq(identities.keyOf(key).noticeAt, 0, "one of the new set");
    }

    /// @dev A thief of the controller's key names guardians of his own and lets them speak.
    function test_BackNotice_AThiefsGuardiansCannotDoubtTheTimeBeforeThem() public {
        bytes32 other = _register(IIdentityRegistry.Kind.Machine, stranger);
        _nextBlock();
        address[] memory own = new address[](1);
        own[0] = stranger;
        vm.startPrank(stranger);
        identities.setGuardians(other, own, 1, DELAY);
        vm.expectRevert(
            abi.encodeWithSelector(
                IIdentityRegistry.SuspicionBeforeGuardians.selector, _now() - 1, _now()
            )
        );
        identities.backControllerNotice(other, 1, _now() - 1, 0);
        vm.stopPrank();
    }

    function testFuzz_BackKeyNotice_GivenWhereTwoNameOneTime(uint8[16] calldata seeds) public {
        uint40[3] memory named;
        uint40 lowest = type(uint40).max;
        for (uint256 i = 0; i < seeds.length; ++i) {
            uint256 who = seeds[i] % 3;
            uint40 from = (seeds[i] >> 4) % 4 == 0 ? 0 : since + (seeds[i] >> 4) % 4;
            bool isAllowed = from != named[who] && (from == 0 || from < lowest);
            vm.prank(guardians[who]);
            (bool isDone,) = address(identities)
                .call(abi.encodeCall(identities.backKeyNotice, (machineId, key, from, 0)));
            vm.assertEq(isDone, isAllowed, "allowed");
            if (!isDone) continue;
            named[who] = from;
            bool isAgreed =
                from != 0 && (named[(who + 1) % 3] == from || named[(who + 2) % 3] == from);
            if (isAgreed) lowest = from;
            bool isGiven = lowest != type(uint40).max;
            vm.assertEq(identities.keyOf(key).suspectedFrom, isGiven ? lowest : 0, "suspected");
        }
    }

    function _name() private {
        vm.prank(technician);
        identities.setGuardians(machineId, guardians, 2, DELAY);
    }

    function _backKey(uint256 guardian, uint40 suspectedFrom) private {
        vm.prank(guardians[guardian]);
        identities.backKeyNotice(machineId, key, suspectedFrom, "evidence");
    }

    function _backController(uint256 guardian, uint32 number, uint40 suspectedFrom) private {
        vm.prank(guardians[guardian]);
        identities.backControllerNotice(machineId, number, suspectedFrom, "evidence");
    }

    function _assertBacking(bytes32 what, address guardian, uint40 from, uint8 count) private view {
        (uint40 suspectedFrom, uint8 backers) = identities.backingOf(machineId, what, guardian);
        vm.assertEq(suspectedFrom, from, "backs");
        vm.assertEq(backers, count, "backers");
    }

    function _notEarlier(uint40 from, uint40 current) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.SuspicionNotEarlier.selector, from, current);
    }
}
