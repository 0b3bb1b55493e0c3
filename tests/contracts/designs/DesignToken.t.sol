// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/interfaces/IERC721Metadata.sol";

import {TokenBehaviour} from "../support/TokenBehaviour.sol";

contract DesignTokenTest is TokenBehaviour {
    function setUp() public override {
        super.setUp();
        token = IERC721(address(designs));
        id = uint256(_design());
        owner = designer;
    }

    function test_Token_HasAName() public view {
        vm.assertEq(IERC721Metadata(address(designs)).name(), "Guildmark Design", "name");
        vm.assertEq(IERC721Metadata(address(designs)).symbol(), "GMD", "symbol");
    }

    function test_Transfer_CountsTheEpoch() public {
        _transfer(address(designs), designer, buyer, id);
        _transfer(address(designs), buyer, buyer, id);
        _transfer(address(designs), buyer, designer, id);

        vm.assertEq(designs.design(bytes32(id)).epoch, 3, "epoch");
        vm.assertEq(designs.design(bytes32(id)).revisions, 1, "revisions");
    }

    function test_OwnerAt_IsTheOneOfTheEpoch() public {
        vm.assertEq(designs.ownerAt(bytes32(id), 0), designer, "registered");
        vm.assertEq(designs.ownerAt(bytes32(id), 1), address(0), "not yet");

        _transfer(address(designs), designer, buyer, id);
        _transfer(address(designs), buyer, buyer, id);
        _transfer(address(designs), buyer, designer, id);

        vm.assertEq(designs.ownerAt(bytes32(id), 0), designer, "first");
        vm.assertEq(designs.ownerAt(bytes32(id), 1), buyer, "sold");
        vm.assertEq(designs.ownerAt(bytes32(id), 2), buyer, "to oneself");
        vm.assertEq(designs.ownerAt(bytes32(id), 3), designer, "back");
        vm.assertEq(designs.ownerAt(bytes32(id), 4), address(0), "no such epoch");
    }

    function test_OwnerAt_IsNobodyWhereTheDesignIsUnknown() public view {
        vm.assertEq(designs.ownerAt("unknown", 0), address(0), "unknown");
    }
}
