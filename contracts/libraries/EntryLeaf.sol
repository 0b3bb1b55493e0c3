// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IPartRegistry} from "../interfaces/IPartRegistry.sol";

/// @title The salted leaf of a log entry
library EntryLeaf {
    bytes32 private constant DOMAIN = keccak256("guildmark/entry/v1");

    /// @notice The RFC 9162 leaf hash over SHA-256(domain, salt, entry).
    function hash(IPartRegistry.Entry calldata entry, bytes32 salt)
        internal
        pure
        returns (bytes32)
    {
        bytes32 data = sha256(abi.encode(DOMAIN, salt, entry));
        return sha256(abi.encodePacked(uint8(0), data));
    }
}
