// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract EndLinkTest is Deployed {
    function setUp() public override {
        super.setUp();
        _link();
        _nextBlock();
    }

    function test_EndLink_ByTheChild() public {
        _emits(technician, address(identities));
        emit IIdentityRegistry.LinkEnded(machineId, siteId, 1);
        identities.endLink(machineId, siteId);

        _assertEnded();
    }

    function test_EndLink_ByTheParent() public {
        _emits(siteManager, address(identities));
        emit IIdentityRegistry.LinkEnded(machineId, siteId, 1);
        identities.endLink(machineId, siteId);

        _assertEnded();
    }

    function test_EndLink_WithdrawsARequest() public {
        bytes32 other = _register(IIdentityRegistry.Kind.Site, stranger);
        vm.prank(technician);
        identities.requestLink(machineId, other);

        _emits(technician, address(identities));
        emit IIdentityRegistry.LinkEnded(machineId, other, 0);
        identities.endLink(machineId, other);

        vm.assertEq(identities.parentOf(machineId), siteId, "the open link stays");
        _refuse(
            stranger,
            abi.encodeWithSelector(IIdentityRegistry.LinkNotRequested.selector, machineId, other)
        );
        identities.acceptLink(machineId, other);
    }

    function test_EndLink_RevertWhen_CallerIsNeitherSide() public {
        _refuse(
            maker,
            abi.encodeWithSelector(IIdentityRegistry.CallerNotController.selector, machineId, maker)
        );
        identities.endLink(machineId, siteId);
    }

    function test_EndLink_RevertWhen_ChildIsUnknown() public {
        _refuse(
            stranger,
            abi.encodeWithSelector(IIdentityRegistry.IdentityUnknown.selector, bytes32("nobody"))
        );
        identities.endLink("nobody", "none");
    }

    function test_EndLink_RevertWhen_NotOpen() public {
        _refuse(technician, _notOpen(machineId, makerId));
        identities.endLink(machineId, makerId);
    }

    function test_EndLink_RevertWhen_AnUnlinkedChildNamesNoParent() public {
        _refuse(maker, _notOpen(makerId, 0));
        identities.endLink(makerId, 0);
    }

    function test_EndLink_RevertWhen_EndedAlready() public {
        vm.prank(technician);
        identities.endLink(machineId, siteId);

        _refuse(siteManager, _notOpen(machineId, siteId));
        identities.endLink(machineId, siteId);
    }

    function _assertEnded() private view {
        vm.assertEq(identities.parentOf(machineId), 0, "parent");
        vm.assertEq(identities.link(machineId, siteId, 1).from, _now() - 12, "from stays");
        vm.assertEq(identities.link(machineId, siteId, 1).to, _now(), "to");
        vm.assertEq(identities.linkCount(machineId, siteId), 1, "count");
    }

    function _notOpen(bytes32 child, bytes32 parent) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.LinkNotOpen.selector, child, parent);
    }
}
