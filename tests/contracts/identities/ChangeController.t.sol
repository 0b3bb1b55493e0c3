// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract ChangeControllerTest is Deployed {
    function test_ProposeController_ChangesNothingYet() public {
        _emits(maker, address(identities));
        emit IIdentityRegistry.ControllerProposed(makerId, buyer);
        identities.proposeController(makerId, buyer);

        vm.assertEq(identities.controllerOf(makerId), maker, "controller");
    }

    function test_AcceptController_AppendsToTheHistory() public {
        vm.prank(maker);
        identities.proposeController(makerId, buyer);
        _nextBlock();

        _emits(buyer, address(identities));
        emit IIdentityRegistry.ControllerChanged(makerId, buyer, 2);
        identities.acceptController(makerId);

        vm.assertEq(identities.controllerOf(makerId), buyer, "controller");
        vm.assertEq(identities.identity(makerId).controllers, 2, "controllers");
        vm.assertEq(identities.identity(makerId).since, START, "since");
        vm.assertEq(identities.controllerAt(makerId, 1).account, maker, "first");
        vm.assertEq(identities.controllerAt(makerId, 1).from, START, "first's time");
        vm.assertEq(identities.controllerAt(makerId, 2).account, buyer, "second");
        vm.assertEq(identities.controllerAt(makerId, 2).from, _now(), "second's time");
    }

    function test_AcceptController_TakesTheRightFromTheOldOne() public {
        vm.prank(maker);
        identities.proposeController(makerId, buyer);
        vm.prank(buyer);
        identities.acceptController(makerId);

        _refuse(maker, _notController(maker));
        identities.setProfile(makerId, "mine");
    }

    function test_ProposeController_ReplacesAnEarlierProposal() public {
        vm.prank(maker);
        identities.proposeController(makerId, buyer);
        vm.prank(maker);
        identities.proposeController(makerId, operator);

        _refuse(buyer, _notProposed(buyer));
        identities.acceptController(makerId);
    }

    function test_AcceptController_RevertWhen_AcceptedAlready() public {
        vm.prank(maker);
        identities.proposeController(makerId, buyer);
        vm.prank(buyer);
        identities.acceptController(makerId);

        _refuse(buyer, _notProposed(buyer));
        identities.acceptController(makerId);
    }

    function test_AcceptController_RevertWhen_CallerWasNotProposed() public {
        vm.prank(maker);
        identities.proposeController(makerId, buyer);

        _refuse(stranger, _notProposed(stranger));
        identities.acceptController(makerId);
    }

    function test_ProposeController_RevertWhen_CallerIsNotTheController() public {
        _refuse(stranger, _notController(stranger));
        identities.proposeController(makerId, stranger);
    }

    function test_ProposeController_RevertWhen_ItIsNobody() public {
        _refuse(maker, abi.encodeWithSelector(IIdentityRegistry.ControllerMissing.selector));
        identities.proposeController(makerId, address(0));
    }

    function _notController(address caller) private view returns (bytes memory) {
        return
            abi.encodeWithSelector(IIdentityRegistry.CallerNotController.selector, makerId, caller);
    }

    function _notProposed(address caller) private view returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IIdentityRegistry.ControllerNotProposed.selector, makerId, caller
            );
    }
}
