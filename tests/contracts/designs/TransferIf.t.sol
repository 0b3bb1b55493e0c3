// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IDesignRegistry} from "../../../contracts/interfaces/IDesignRegistry.sol";
import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

/// @notice A sale of exactly what the buyer saw, whatever the seller does in front of it.
contract TransferIfTest is Deployed {
    bytes32 internal design;
    bytes32 internal seen;
    ILicenseRegistry.Terms internal terms;

    function setUp() public override {
        super.setUp();
        design = _design();
        terms = _terms(design);
        _grant(terms);
        seen = designs.stateHash(design);
    }

    function test_StateHash_CoversEpochRevisionsAndChanges() public {
        vm.assertEq(seen, keccak256(abi.encode(design, 0, 1, 1)), "one license");

        _publish();
        terms.nonce = 1;
        _grant(terms);
        _transfer(address(designs), designer, buyer, uint256(design));

        vm.assertEq(designs.stateHash(design), keccak256(abi.encode(design, 1, 2, 2)), "all");
        vm.assertEq(licenses.changesOf(design), 2, "changesOf");
    }

    function test_TransferIf_MovesWhatTheBuyerSaw() public {
        _emits(designer, address(designs));
        emit IERC721.Transfer(designer, buyer, uint256(design));
        designs.transferIf(design, buyer, seen);

        vm.assertEq(designs.designOwner(design), buyer, "owner");
        vm.assertEq(designs.design(design).epoch, 1, "epoch");
    }

    /// @dev A market that holds the price calls it.
    function test_TransferIf_ByAnApprovedAccount() public {
        vm.prank(designer);
        IERC721(address(designs)).approve(authority, uint256(design));

        vm.prank(authority);
        designs.transferIf(design, buyer, seen);

        vm.assertEq(designs.designOwner(design), buyer, "owner");
    }

    function test_TransferIf_LeavesLicensesAlone() public {
        uint40 number = _openLog();
        vm.prank(maker);
        uint40 lane = licenses.split(1, UNITS + 1, 20, number, siteId);
        ILicenseRegistry.License memory before = licenses.license(1);

        vm.prank(designer);
        designs.transferIf(design, buyer, seen);

        ILicenseRegistry.License memory self = licenses.license(1);
        vm.assertEq(keccak256(abi.encode(self)), keccak256(abi.encode(before)), "license");
        _append(number, 3, "root", _draws(lane, 3));
        vm.assertEq(licenses.lane(lane).next, 44, "it draws on");
    }

    function test_TransferIf_RevertWhen_AnythingChangedInFront() public {
        bytes32 id = licenses.licenseId(terms);
        uint256 snapshot = vm.snapshotState();

        terms.nonce = 1;
        _grant(terms);
        _refuses("a license");
        vm.revertToState(snapshot);
        vm.prank(designer);
        licenses.extend(id, UNITS, 1, _now(), "");
        _refuses("an extension");
        vm.revertToState(snapshot);
        vm.prank(designer);
        licenses.stop(id, _now());
        _refuses("a stop");
        vm.revertToState(snapshot);
        _publish();
        _refuses("a revision");
        vm.revertToState(snapshot);
        _transfer(address(designs), designer, designer, uint256(design));
        _refuses("an epoch");
    }

    /// @dev A licensee cannot hold up a sale by what is his own.
    function test_TransferIf_WhateverLicenseesDo() public {
        vm.prank(maker);
        uint40 lane = licenses.split(1, UNITS + 1, 20, 0, operatorId);
        ILicenseRegistry.Terms memory child = _termsUnder(1, operatorId);
        _sublicense(1, child);
        bytes32 below = licenses.licenseId(child);
        vm.prank(maker);
        licenses.stop(below, _now());
        vm.prank(maker);
        licenses.reclaim(lane);

        vm.prank(designer);
        designs.transferIf(design, buyer, seen);

        vm.assertEq(designs.designOwner(design), buyer, "owner");
    }

    function test_TransferIf_RevertWhen_SentTwice() public {
        vm.prank(designer);
        designs.transferIf(design, buyer, seen);
        _transfer(address(designs), buyer, designer, uint256(design));

        _refuses("an epoch");
    }

    function test_TransferIf_RevertWhen_DesignIsUnknown() public {
        bytes memory error =
            abi.encodeWithSelector(IDesignRegistry.DesignUnknown.selector, bytes32("none"));

        _refuse(designer, error);
        designs.transferIf("none", buyer, seen);
        vm.expectRevert(error);
        designs.stateHash("none");
    }

    function testFuzz_TransferIf_RevertWhen_CallerHasNoRight(address caller) public {
        vm.assume(caller != designer && caller != address(0) && caller != address(vm));

        _refuse(
            caller,
            abi.encodeWithSelector(
                IERC721Errors.ERC721InsufficientApproval.selector, caller, uint256(design)
            )
        );
        designs.transferIf(design, caller, seen);
    }

    function _publish() private {
        bytes32[] memory none = new bytes32[](0);
        vm.prank(designer);
        designs.publish(design, 1, "second", "c", "m", "cid", none);
    }

    function _refuses(string memory what) private {
        bytes32 actual = designs.stateHash(design);
        vm.assertNotEq(actual, seen, what);
        _refuse(
            designer,
            abi.encodeWithSelector(
                IDesignRegistry.DesignStateChanged.selector, design, seen, actual
            )
        );
        designs.transferIf(design, buyer, seen);
    }
}
