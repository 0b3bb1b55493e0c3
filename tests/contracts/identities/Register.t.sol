// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract RegisterTest is Deployed {
    function test_Register_StoresTheIdentity() public {
        vm.prank(stranger);
        bytes32 id = identities.register(IIdentityRegistry.Kind.Site, "salt", "digest");

        IIdentityRegistry.Identity memory self = identities.identity(id);
        vm.assertEq(self.controller, stranger, "controller");
        vm.assertTrue(self.kind == IIdentityRegistry.Kind.Site, "kind");
        vm.assertEq(self.since, _now(), "since");
        vm.assertEq(self.controllers, 1, "controllers");
        vm.assertEq(identities.profileOf(id), "digest", "profile");
        vm.assertEq(identities.controllerOf(id), stranger, "controllerOf");
        vm.assertTrue(identities.kindOf(id) == IIdentityRegistry.Kind.Site, "kindOf");
    }

    function test_Register_BeginsTheHistoryOfControllers() public view {
        IIdentityRegistry.Controller memory first = identities.controllerAt(makerId, 1);

        vm.assertEq(first.account, maker, "account");
        vm.assertEq(first.from, START, "from");
        vm.assertEq(identities.controllerAt(makerId, 2).account, address(0), "no second");
    }

    function test_Register_Emits() public {
        bytes32 id = _id(stranger, "salt");

        _emits(stranger, address(identities));
        emit IIdentityRegistry.IdentityRegistered(
            id, IIdentityRegistry.Kind.Machine, stranger, "salt", "digest"
        );
        identities.register(IIdentityRegistry.Kind.Machine, "salt", "digest");
    }

    function testFuzz_Register_IdCommitsToChainRegistryCallerAndSalt(
        address caller,
        bytes32 salt,
        uint32 chain
    ) public {
        vm.assume(caller != address(0) && caller != address(vm));
        vm.chainId(uint256(chain) + 1);
        bytes32 expected = _id(caller, salt);

        vm.prank(caller);
        bytes32 id = identities.register(IIdentityRegistry.Kind.Authority, salt, 0);

        vm.assertEq(id, expected, "id");
    }

    function test_Register_GivesEachCallerAnIdOfHisOwn() public {
        bytes32 id = _register(IIdentityRegistry.Kind.Organization, stranger);

        vm.assertNotEq(id, makerId, "same salt, other caller");
    }

    function test_Register_RevertWhen_KindIsNone() public {
        _refuse(stranger, abi.encodeWithSelector(IIdentityRegistry.KindMissing.selector));
        identities.register(IIdentityRegistry.Kind.None, "salt", "profile");
    }

    function test_Register_RevertWhen_KindIsUnknown() public {
        bytes memory call =
            abi.encodeWithSelector(IIdentityRegistry.register.selector, 5, bytes32("salt"), 0);

        (bool isDone,) = address(identities).call(call);

        vm.assertFalse(isDone, "kind 5");
    }

    function test_Register_RevertWhen_RegisteredAlready() public {
        _refuse(
            maker,
            abi.encodeWithSelector(IIdentityRegistry.IdentityRegisteredAlready.selector, makerId)
        );
        identities.register(IIdentityRegistry.Kind.Site, "salt", "other");
    }

    function test_Register_RevertWhen_TheIdHasMovedToAnotherController() public {
        vm.prank(maker);
        identities.proposeController(makerId, stranger);
        vm.prank(stranger);
        identities.acceptController(makerId);

        _refuse(
            maker,
            abi.encodeWithSelector(IIdentityRegistry.IdentityRegisteredAlready.selector, makerId)
        );
        identities.register(IIdentityRegistry.Kind.Organization, "salt", "profile");
    }

    function test_ControllerOf_RevertWhen_Unknown() public {
        vm.expectRevert(
            abi.encodeWithSelector(IIdentityRegistry.IdentityUnknown.selector, bytes32("nobody"))
        );
        identities.controllerOf("nobody");
    }

    function test_UnknownIdentityReadsAsZero() public view {
        vm.assertTrue(identities.kindOf("nobody") == IIdentityRegistry.Kind.None, "kind");
        vm.assertEq(identities.identity("nobody").controller, address(0), "controller");
        vm.assertEq(identities.profileOf("nobody"), 0, "profile");
    }

    function _id(address caller, bytes32 salt) private view returns (bytes32) {
        bytes32 domain = keccak256("guildmark/identity/v1");
        return keccak256(abi.encode(domain, block.chainid, identities, caller, salt));
    }
}
