// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";

import {IDesignRegistry} from "../../../contracts/interfaces/IDesignRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

/// @notice What ERC-2981 asks (I10).
contract SetResaleTest is Deployed {
    bytes32 internal design;

    function setUp() public override {
        super.setUp();
        design = _design();
    }

    function test_Resale_IsAnnouncedAsAnInterface() public view {
        vm.assertEq(bytes32(type(IERC2981).interfaceId), bytes32(bytes4(0x2a55205a)), "id");
        vm.assertTrue(IERC165(address(designs)).supportsInterface(0x2a55205a), "ERC-2981");
    }

    function test_Resale_IsNothingWhereNobodySetIt() public view {
        _assertInfo(1 ether, address(0), 0);
        (address receiver, uint256 amount) = designs.royaltyInfo(1, 1 ether);
        vm.assertEq(receiver, address(0), "receiver of an unknown token");
        vm.assertEq(amount, 0, "amount of an unknown token");
    }

    function test_SetResale_UpToATenth() public {
        _emits(designer, address(designs));
        emit IDesignRegistry.ResaleSet(design, authority, 1_000);
        designs.setResale(design, authority, 1_000);

        _assertInfo(1 ether, authority, 0.1 ether);
        _refuse(
            designer, abi.encodeWithSelector(IDesignRegistry.ResaleTooHigh.selector, 1_001, 1_000)
        );
        designs.setResale(design, authority, 1_001);
    }

    function test_SetResale_EndsIt() public {
        vm.prank(designer);
        designs.setResale(design, authority, 1);
        vm.prank(designer);
        designs.setResale(design, address(0), 0);

        _assertInfo(1 ether, address(0), 0);
    }

    function test_SetResale_ToBeSetAnewByTheNewOwner() public {
        vm.prank(designer);
        designs.setResale(design, designer, 500);
        _transfer(address(designs), designer, buyer, uint256(design));

        _assertInfo(200, designer, 10);
        _refuse(
            designer,
            abi.encodeWithSelector(IDesignRegistry.CallerNotOwner.selector, design, designer)
        );
        designs.setResale(design, designer, 600);
        vm.prank(buyer);
        designs.setResale(design, buyer, 100);
        _assertInfo(200, buyer, 2);
    }

    function test_SetResale_RevertWhen_ItGoesToNobody() public {
        _refuse(designer, abi.encodeWithSelector(IDesignRegistry.ResaleReceiverMissing.selector));
        designs.setResale(design, address(0), 1);
    }

    function test_SetResale_RevertWhen_DesignIsUnknown() public {
        _refuse(
            designer, abi.encodeWithSelector(IDesignRegistry.DesignUnknown.selector, bytes32("x"))
        );
        designs.setResale("x", designer, 1);
    }

    /// @dev Rounded down, exact, and of any price that fits a word.
    function testFuzz_RoyaltyInfo_IsItsPartOfThePrice(uint256 price, uint16 basisPoints) public {
        basisPoints = uint16(_bound(basisPoints, 1, 1_000));
        vm.prank(designer);
        designs.setResale(design, authority, basisPoints);

        (, uint256 amount) = designs.royaltyInfo(uint256(design), price);

        vm.assertLe(amount, price, "no more than the price");
        if (price <= type(uint256).max / basisPoints) {
            vm.assertEq(amount, price * basisPoints / 10_000, "amount");
        } else {
            vm.assertGe(amount, price / 10_000 * basisPoints, "at least");
            vm.assertLe(amount, price / 10_000 * basisPoints + basisPoints, "at most");
        }
    }

    function _assertInfo(uint256 price, address expected, uint256 amount) private view {
        (address receiver, uint256 found) = designs.royaltyInfo(uint256(design), price);
        vm.assertEq(receiver, expected, "receiver");
        vm.assertEq(found, amount, "amount");
    }
}
