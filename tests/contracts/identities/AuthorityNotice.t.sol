// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Keyed} from "./Keyed.sol";

contract AuthorityNoticeTest is Keyed {
    bytes32 private target;

    function setUp() public override {
        super.setUp();
        target = identities.controllerTarget(makerId, 1);
    }

    function test_GiveAuthorityKeyNotice_HasASlotOfItsOwn() public {
        _emits(authority, address(identities));
        emit IIdentityRegistry.AuthorityNoticeGiven(
            key, authorityId, machineId, 0, _now(), 1, "evidence"
        );
        identities.giveAuthorityKeyNotice(authorityId, machineId, key, 1, "evidence");

        vm.assertEq(identities.noticeOn(key, authorityId).at, _now(), "at");
        vm.assertEq(identities.noticeOn(key, authorityId).suspectedFrom, 1, "any time before");
        vm.assertEq(identities.keyOf(key).noticeAt, 0, "the key's own slot is as it was");
    }

    function test_GiveAuthorityControllerNotice_HasASlotOfItsOwn() public {
        _emits(authority, address(identities));
        emit IIdentityRegistry.AuthorityNoticeGiven(
            target, authorityId, makerId, 1, _now(), _now(), "evidence"
        );
        identities.giveAuthorityControllerNotice(authorityId, makerId, 1, _now(), "evidence");

        vm.assertEq(identities.noticeOn(target, authorityId).at, _now(), "at");
        vm.assertEq(identities.noticeOn(target, 0).at, 0, "not the controller's own");
        vm.assertFalse(identities.identity(makerId).isUnderNotice, "nothing is stopped by it");
    }

    function test_GiveAuthorityNotice_MovesTheSuspicionEarlierOnly() public {
        uint40 first = _now();
        _giveKey(first);
        _nextBlock();
        bytes memory error =
            abi.encodeWithSelector(IIdentityRegistry.SuspicionNotEarlier.selector, first, first);
        _refuse(authority, error);
        identities.giveAuthorityKeyNotice(authorityId, machineId, key, first, 0);

        _giveKey(first - 1);

        vm.assertEq(identities.noticeOn(key, authorityId).at, first, "at stays");
        vm.assertEq(identities.noticeOn(key, authorityId).suspectedFrom, first - 1, "earlier");
    }

    function test_GiveAuthorityNotice_RevertWhen_TheSuspicionIsAfterTheNotice() public {
        bytes memory error = abi.encodeWithSelector(
            IIdentityRegistry.SuspicionAfterNotice.selector, _now() + 1, _now()
        );
        _refuse(authority, error);
        identities.giveAuthorityKeyNotice(authorityId, machineId, key, _now() + 1, 0);
        _refuse(authority, error);
        identities.giveAuthorityControllerNotice(authorityId, makerId, 1, _now() + 1, 0);
    }

    function test_GiveAuthorityNotice_RevertWhen_TheGiverIsNoAuthority() public {
        bytes memory error = abi.encodeWithSelector(
            IIdentityRegistry.NoticeGiverNotAuthority.selector,
            makerId,
            IIdentityRegistry.Kind.Organization
        );
        _refuse(maker, error);
        identities.giveAuthorityKeyNotice(makerId, machineId, key, START, 0);
        _refuse(maker, error);
        identities.giveAuthorityControllerNotice(makerId, makerId, 1, START, 0);
    }

    function test_GiveAuthorityNotice_RevertWhen_CallerDoesNotSpeakForIt() public {
        bytes memory error = abi.encodeWithSelector(
            IIdentityRegistry.CallerNotController.selector, authorityId, stranger
        );
        _refuse(stranger, error);
        identities.giveAuthorityKeyNotice(authorityId, machineId, key, START, 0);
        _refuse(stranger, error);
        identities.giveAuthorityControllerNotice(authorityId, makerId, 1, START, 0);
    }

    function test_GiveAuthorityKeyNotice_RevertWhen_TheKeyIsUnknown() public {
        _refuse(authority, _keyUnknown(key));
        identities.giveAuthorityKeyNotice(authorityId, makerId, key, START, 0);
        _refuse(authority, _keyUnknown("no key"));
        identities.giveAuthorityKeyNotice(authorityId, 0, "no key", START, 0);
    }

    function test_GiveAuthorityControllerNotice_RevertWhen_ThereIsNoSuchController() public {
        for (uint32 number = 0; number <= 2; number += 2) {
            _refuse(
                authority,
                abi.encodeWithSelector(
                    IIdentityRegistry.ControllerUnknown.selector, makerId, number
                )
            );
            identities.giveAuthorityControllerNotice(authorityId, makerId, number, START, 0);
        }
    }

    function testFuzz_GiveAuthorityKeyNotice_OfTwoAuthoritiesAreApart(uint40 one, uint40 two)
        public
    {
        one %= _now() + 1;
        two %= _now() + 1;
        bytes32 otherId = _register(IIdentityRegistry.Kind.Authority, stranger);
        _giveKey(one);
        vm.prank(stranger);
        identities.giveAuthorityKeyNotice(otherId, machineId, key, two, 0);

        vm.assertEq(identities.noticeOn(key, authorityId).suspectedFrom, one, "one");
        vm.assertEq(identities.noticeOn(key, otherId).suspectedFrom, two, "two");
    }

    function _giveKey(uint40 suspectedFrom) private {
        vm.prank(authority);
        identities.giveAuthorityKeyNotice(authorityId, machineId, key, suspectedFrom, 0);
    }
}
