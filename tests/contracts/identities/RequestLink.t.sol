// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract RequestLinkTest is Deployed {
    function test_RequestLink_LinksNothingYet() public {
        _emits(technician, address(identities));
        emit IIdentityRegistry.LinkRequested(machineId, siteId);
        identities.requestLink(machineId, siteId);

        vm.assertEq(identities.parentOf(machineId), 0, "parent");
        vm.assertEq(identities.linkCount(machineId, siteId), 0, "count");
    }

    function test_RequestLink_AdmitsTwoPairsOfKinds() public {
        for (uint8 child = 1; child <= 4; ++child) {
            for (uint8 parent = 1; parent <= 4; ++parent) {
                bool isAdmitted = (child == 3 && parent == 2) || (child == 2 && parent == 1);

                vm.assertEq(_tries(child, parent), isAdmitted, "pair of kinds");
            }
        }
    }

    function test_RequestLink_AsksAnotherParentWhileOneIsOpen() public {
        _link();
        bytes32 other = _register(IIdentityRegistry.Kind.Site, stranger);

        vm.prank(technician);
        identities.requestLink(machineId, other);

        vm.assertEq(identities.parentOf(machineId), siteId, "parent");
    }

    function test_RequestLink_RevertWhen_KindsDoNotMatch() public {
        _refuse(
            technician,
            abi.encodeWithSelector(
                IIdentityRegistry.LinkKindsMismatch.selector,
                IIdentityRegistry.Kind.Machine,
                IIdentityRegistry.Kind.Organization
            )
        );
        identities.requestLink(machineId, makerId);
    }

    function test_RequestLink_RevertWhen_CallerIsNotTheChild() public {
        _refuse(
            siteManager,
            abi.encodeWithSelector(
                IIdentityRegistry.CallerNotController.selector, machineId, siteManager
            )
        );
        identities.requestLink(machineId, siteId);
    }

    function test_RequestLink_RevertWhen_ChildIsUnknown() public {
        _refuse(technician, _unknown("nobody"));
        identities.requestLink("nobody", siteId);
    }

    function test_RequestLink_RevertWhen_ParentIsUnknown() public {
        _refuse(technician, _unknown("nobody"));
        identities.requestLink(machineId, "nobody");
    }

    function test_RequestLink_RevertWhen_RequestedAlready() public {
        vm.prank(technician);
        identities.requestLink(machineId, siteId);

        _refuse(
            technician,
            abi.encodeWithSelector(
                IIdentityRegistry.LinkRequestedAlready.selector, machineId, siteId
            )
        );
        identities.requestLink(machineId, siteId);
    }

    function test_RequestLink_RevertWhen_TheLinkIsOpen() public {
        _link();

        _refuse(
            technician,
            abi.encodeWithSelector(IIdentityRegistry.LinkOpenAlready.selector, machineId, siteId)
        );
        identities.requestLink(machineId, siteId);
    }

    function _tries(uint8 child, uint8 parent) private returns (bool isDone) {
        bytes32 salt = bytes32(uint256(child) * 8 + parent);
        vm.prank(buyer);
        bytes32 low = identities.register(IIdentityRegistry.Kind(child), salt, 0);
        vm.prank(stranger);
        bytes32 high = identities.register(IIdentityRegistry.Kind(parent), salt, 0);
        bytes memory call = abi.encodeCall(IIdentityRegistry.requestLink, (low, high));
        vm.prank(buyer);
        (isDone,) = address(identities).call(call);
    }

    function _unknown(bytes32 id) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.IdentityUnknown.selector, id);
    }
}
