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
}
