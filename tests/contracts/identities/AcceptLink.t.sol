// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract AcceptLinkTest is Deployed {
    function setUp() public override {
        super.setUp();
        vm.prank(technician);
        identities.requestLink(machineId, siteId);
        _nextBlock();
    }

    function test_AcceptLink_BeginsAnIntervalNow() public {
        _emits(siteManager, address(identities));
        emit IIdentityRegistry.LinkAccepted(machineId, siteId, 1);
        uint40 number = identities.acceptLink(machineId, siteId);

        IIdentityRegistry.Interval memory interval = identities.link(machineId, siteId, number);
        vm.assertEq(number, 1, "number");
        vm.assertEq(interval.from, _now(), "from");
        vm.assertEq(interval.to, 0, "to");
        vm.assertEq(identities.parentOf(machineId), siteId, "parent");
        vm.assertEq(identities.linkCount(machineId, siteId), 1, "count");
    }

    function test_AcceptLink_CountsTheIntervalsOfAPair() public {
        vm.prank(siteManager);
        identities.acceptLink(machineId, siteId);
        vm.prank(siteManager);
        identities.endLink(machineId, siteId);
        _nextBlock();
        vm.prank(technician);
        identities.requestLink(machineId, siteId);

        vm.prank(siteManager);
        uint40 number = identities.acceptLink(machineId, siteId);

        vm.assertEq(number, 2, "number");
        vm.assertEq(identities.link(machineId, siteId, 1).to, _now() - 12, "the first stays");
        vm.assertEq(identities.link(machineId, siteId, 2).from, _now(), "the second begins");
    }

    function test_AcceptLink_RevertWhen_CallerIsNotTheParent() public {
        _refuse(
            technician,
            abi.encodeWithSelector(
                IIdentityRegistry.CallerNotController.selector, siteId, technician
            )
        );
        identities.acceptLink(machineId, siteId);
    }

    function test_AcceptLink_RevertWhen_NotRequested() public {
        _refuse(maker, _notRequested(siteId, makerId));
        identities.acceptLink(siteId, makerId);
    }

    function test_AcceptLink_RevertWhen_AcceptedAlready() public {
        vm.prank(siteManager);
        identities.acceptLink(machineId, siteId);

        _refuse(siteManager, _notRequested(machineId, siteId));
        identities.acceptLink(machineId, siteId);
    }

    function test_AcceptLink_RevertWhen_TheChildHasAnOpenParent() public {
        bytes32 other = _register(IIdentityRegistry.Kind.Site, stranger);
        vm.prank(technician);
        identities.requestLink(machineId, other);
        vm.prank(siteManager);
        identities.acceptLink(machineId, siteId);

        _refuse(
            stranger,
            abi.encodeWithSelector(IIdentityRegistry.LinkOpenAlready.selector, machineId, siteId)
        );
        identities.acceptLink(machineId, other);
    }

    function _notRequested(bytes32 child, bytes32 parent) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.LinkNotRequested.selector, child, parent);
    }
}
