// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/interfaces/IERC721Metadata.sol";

import {Deployed} from "../support/Deployed.sol";
import {TokenBehaviour} from "../support/TokenBehaviour.sol";
import {Logged} from "./Logged.sol";

contract PartTokenTest is TokenBehaviour, Logged {
    function setUp() public override(Deployed, Logged) {
        Logged.setUp();
        token = IERC721(address(parts));
        id = _materialise(buyer);
        owner = buyer;
    }

    function test_Token_HasAName() public view {
        vm.assertEq(IERC721Metadata(address(parts)).name(), "Guildmark Part", "name");
        vm.assertEq(IERC721Metadata(address(parts)).symbol(), "GMP", "symbol");
    }

    function test_Token_HasNoResale() public view {
        vm.assertFalse(token.supportsInterface(0x2a55205a), "ERC-2981");
    }

    function test_Domain_IsPublished() public view {
        (, string memory name, string memory version,, address verifier,,) =
            IERC5267(address(parts)).eip712Domain();

        vm.assertEq(name, "Guildmark Parts", "name");
        vm.assertEq(version, "1", "version");
        vm.assertEq(verifier, address(parts), "contract");
    }

    function test_Token_MovesWhenVoid() public {
        bytes memory signature = _sign(BUYER_KEY, _voidDigest(id));
        vm.prank(siteManager);
        parts.voidPart(_record(), 1, signature);

        _transfer(address(parts), buyer, stranger, id);

        vm.assertEq(token.ownerOf(id), stranger, "title only");
    }
}
