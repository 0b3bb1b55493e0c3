// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Words by account and slot, and what may never happen to parts of them
abstract contract Slots {
    /// @dev What the events so far say each slot holds.
    mapping(address account => mapping(bytes32 slot => bytes32 word)) internal predicted;

    /// @dev Masks of fields that are written once, and of numbers that, once set, only fall.
    mapping(address account => mapping(bytes32 slot => uint256[] masks)) internal once;
    mapping(address account => mapping(bytes32 slot => uint256[] masks)) internal falling;

    function _at(uint256 slot, bytes32 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(key, slot));
    }

    function _in(bytes32 slot, bytes32 key) internal pure returns (bytes32) {
        return keccak256(abi.encode(key, slot));
    }

    function _key(uint256 number) internal pure returns (bytes32) {
        return bytes32(number);
    }

    function _bits(uint256 from, uint256 size) internal pure returns (uint256) {
        return (2 ** size - 1) << from;
    }

    function _set(address account, bytes32 slot, uint256 word) internal {
        predicted[account][slot] = bytes32(word);
    }

    function _set(address account, bytes32 slot, uint256 from, uint256 size, uint256 value)
        internal
    {
        uint256 word = uint256(predicted[account][slot]);
        predicted[account][slot] = bytes32((word & ~_bits(from, size)) | (value << from));
    }

    function _setOnce(address account, bytes32 slot, uint256 word) internal {
        _set(account, slot, word);
        once[account][slot].push(type(uint256).max);
    }

    function _setOnce(address account, bytes32 slot, uint256 from, uint256 size, uint256 value)
        internal
    {
        _set(account, slot, from, size, value);
        once[account][slot].push(_bits(from, size));
    }
}
