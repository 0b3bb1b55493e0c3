// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";

/// @title The peer of a materialised part: OpenZeppelin's ERC-721 with an open mint
contract PlainToken is ERC721("Plain", "PLAIN") {
    function mint(address to, uint256 token) external {
        _mint(to, token);
    }
}
