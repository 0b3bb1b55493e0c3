// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../interfaces/IBuildLog.sol";
import {IPartRegistry} from "../interfaces/IPartRegistry.sol";

// The one proof library may use assembly; its tests compare it with plain Solidity.
// solhint-disable no-inline-assembly

// solhint-disable no-inline-assembly

/// @title What proves an entry: its leaf, its way to the root (RFC 9162, SHA-256), its record
/// @notice The one place with assembly: a batch of 2^20 is proven for less than twice the gas of a
/// plain ERC-721 mint. The tests compare each function with the same in plain Solidity.
/// @dev A failing call of the SHA-256 precompile leaves no gas to go on with.
library LogProof {
    bytes32 private constant DOMAIN = keccak256("guildmark/entry/v1");

    /// @notice The leaf hash of an entry: SHA-256(0x00 || SHA-256(abi.encode(domain, salt,
    /// entry))).
    /// @dev Hashes the entry's words of the call as they are.
    function entryLeaf(IPartRegistry.Entry calldata entry, bytes32 salt)
        internal
        view
        returns (bytes32 leaf)
    {
        bytes32 domain = DOMAIN;
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, domain)
            mstore(add(free, 0x20), salt)
            calldatacopy(add(free, 0x40), entry, 0x100)
            pop(staticcall(gas(), 2, free, 0x140, add(free, 1), 0x20))
            mstore8(free, 0)
            pop(staticcall(gas(), 2, free, 0x21, free, 0x20))
            leaf := mload(free)
        }
    }

    /// @notice Whether `path` leads from leaf hash `leaf` at `index` to `root` of a tree of `size`
    /// leaves (RFC 9162, section 2.1.3.2); both are below 2^64.
    /// @dev While a node is not the last of its level, the lowest bit of `index` says on which side
    /// of its sibling it lies; from there on each set bit is a sibling to the left, each other bit
    /// a level without a sibling.
    function includes(
        bytes32 root,
        bytes32 leaf,
        uint256 index,
        uint256 size,
        bytes32[] calldata path
    ) internal view returns (bool isIncluded) {
        if (index >= size) return false;
        assembly ("memory-safe") {
            // 0x01 || left || right, the prefix ending at a word boundary, in free memory
            let left := add(mload(0x40), 0x20)
            let right := add(left, 0x20)
            let both := add(left, right)
            let start := sub(left, 1)
            mstore8(start, 1)
            // index in bits 5 to 68, index ^ last in bits 133 to 196: one shift goes up a level
            let level := or(shl(5, index), shl(133, xor(index, sub(size, 1))))
            let at := path.offset
            // a node lies on its side, its sibling on the other; what is read behind the end of a
            // path that is too short is refused below
            let node := add(left, and(level, 0x20))
            mstore(node, leaf)
            for {} shr(133, level) {} {
                mstore(sub(both, node), calldataload(at))
                at := add(at, 0x20)
                level := shr(1, level)
                node := add(left, and(level, 0x20))
                pop(staticcall(gas(), 2, start, 0x41, node, 0x20))
            }
            leaf := mload(node)
            level := and(shr(5, level), 0xffffffffffffffff)
            for {} level {} {
                mstore(left, calldataload(at))
                mstore(right, leaf)
                at := add(at, 0x20)
                level := and(level, sub(level, 1))
                pop(staticcall(gas(), 2, start, 0x41, right, 0x20))
                leaf := mload(right)
            }
            isIncluded := and(eq(at, add(path.offset, shl(5, path.length))), eq(leaf, root))
        }
    }

    /// @notice keccak256(abi.encode(record)).
    /// @dev Hashes the words of the call as they are, with the offset that abi.encode writes: a
    /// record in any other encoding has another digest. The grants follow the eight words of the
    /// record.
    function recordDigest(IBuildLog.Record calldata record) internal pure returns (bytes32 digest) {
        uint256 size = record.grants.length;
        unchecked {
            // the length of an array in calldata is below 2^64
            size = 288 + 96 * size;
        }
        assembly ("memory-safe") {
            let free := mload(0x40)
            mstore(free, 0x20)
            calldatacopy(add(free, 0x20), record, size)
            digest := keccak256(free, add(size, 0x20))
        }
    }
}
