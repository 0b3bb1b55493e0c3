// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721A} from "erc721a/contracts/ERC721A.sol";

/// @title The peer of a batch of parts: ERC721A with an open mint of several tokens
contract BatchToken is ERC721A("Batch", "BATCH") {
    function mint(address to, uint256 count) external {
        _mint(to, count);
    }
}
