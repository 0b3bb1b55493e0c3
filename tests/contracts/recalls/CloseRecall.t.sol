// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRecallRegistry} from "../../../contracts/interfaces/IRecallRegistry.sol";
import {Recalling} from "./Recalling.sol";

contract CloseRecallTest is Recalling {
    function test_Close_KeepsTheRecall() public {
        bytes32 key = _recalled();
        uint40 at = _now();
        _nextBlock();

        _emits(designer, address(recalls));
        emit IRecallRegistry.RecallClosed(key, 0, 1, "mended");
        recalls.close(key, 0, 1, "mended");

        IRecallRegistry.Recall memory made = recalls.recallOf(key, 0, 1);
        vm.assertEq(made.at, at, "at");
        vm.assertEq(made.closedAt, _now(), "closedAt");
        vm.assertEq(recalls.recallCount(key, 0), 1, "it is still counted");
        vm.assertEq(recalls.reasonOf(key, 0, 1), "cracks", "its reason stays");
    }

    function test_Close_RevertWhen_ThereIsNone() public {
        bytes32 key = _recalled();
        bytes4 error = IRecallRegistry.RecallUnknown.selector;
        _refusesClose(designer, key, 0, abi.encodeWithSelector(error, key, 0, 0));
        _refusesClose(designer, key, 2, abi.encodeWithSelector(error, key, 0, 2));
    }

    function test_Close_RevertWhen_ItIsClosed() public {
        bytes32 key = _recalled();
        vm.prank(designer);
        recalls.close(key, 0, 1, "mended");

        bytes4 error = IRecallRegistry.RecallClosedAlready.selector;
        _refusesClose(designer, key, 1, abi.encodeWithSelector(error, key, 0, 1));
    }

    function test_Close_RevertWhen_ItSaysNoReason() public {
        bytes32 key = _recalled();
        _refuse(designer, abi.encodeWithSelector(IRecallRegistry.ReasonMissing.selector));
        recalls.close(key, 0, 1, 0);
    }

    /// @dev A design's recall stays his who issued it, whomever he sells the design to.
    function test_Close_RevertWhen_TheDesignsBuyerCalls() public {
        bytes32 key = _recalled();
        _transfer(address(designs), designer, buyer, uint256(design));

        _refusesClose(buyer, key, 1, _notIssuer(_account(designer), buyer));
        vm.prank(designer);
        recalls.close(key, 0, 1, "mended");
    }

    function test_Close_RevertWhen_TheMachinesBuyerCalls() public {
        vm.prank(technician);
        bytes32 key = recalls.recallMachine(machineId, 1, _ofMachine());
        _sellMachine();

        _refusesClose(buyer, key, 1, _notIssuer(_account(technician), buyer));
    }

    function test_Close_IsOfTheIssuersNextController() public {
        vm.prank(maker);
        bytes32 key = recalls.recallLot(makerId, "lot", _recallTerms());
        vm.prank(maker);
        identities.proposeController(makerId, buyer);
        vm.prank(buyer);
        identities.acceptController(makerId);

        _refusesClose(maker, key, 1, _notIssuer(makerId, maker));
        vm.prank(buyer);
        recalls.close(key, 0, 1, "mended");
        vm.assertEq(recalls.recallOf(key, 0, 1).closedAt, _now(), "closedAt");
    }

    function test_Close_RevertWhen_TheIssuerIsInRecovery() public {
        bytes32 key = _recalledByAuthority();
        _recoverAuthority();

        _refuse(
            authority,
            abi.encodeWithSelector(IRecallRegistry.IssuerInRecovery.selector, authorityId)
        );
        recalls.close(key, authorityId, 1, "mended");
    }

    function test_Close_RevertWhen_TheIssuerIsUnderNotice() public {
        bytes32 key = _recalledByAuthority();
        uint40 since = _now();
        vm.prank(authority);
        identities.giveControllerNotice(authorityId, since, "stolen");

        _refuse(
            authority,
            abi.encodeWithSelector(IRecallRegistry.IssuerUnderNotice.selector, authorityId)
        );
        recalls.close(key, authorityId, 1, "mended");
    }

    function _recalled() private returns (bytes32) {
        vm.prank(designer);
        return recalls.recallDesign(design, _recallTerms());
    }

    function _recalledByAuthority() private returns (bytes32) {
        vm.prank(authority);
        return recalls.recallAs(authorityId, _ofDesign(), _recallTerms());
    }

    function _refusesClose(address caller, bytes32 key, uint40 which, bytes memory error) private {
        _refuse(caller, error);
        recalls.close(key, 0, which, "mended");
    }

    function _notIssuer(bytes32 issuer, address caller) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRecallRegistry.CallerNotIssuer.selector, issuer, caller);
    }
}
