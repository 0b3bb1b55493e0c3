// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Merkle trees as RFC 9162 defines them, by recursion and without assembly
/// @notice The oracle that the contracts' proof library is compared with.
library Rfc9162 {
    function hashLeaf(bytes memory data) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(0), data));
    }

    function hashNode(bytes32 left, bytes32 right) internal pure returns (bytes32) {
        return sha256(abi.encodePacked(uint8(1), left, right));
    }

    /// @notice MTH of section 2.1.1 over leaf hashes.
    function root(bytes32[] memory leaves) internal pure returns (bytes32) {
        if (leaves.length == 0) return sha256("");
        return _root(leaves, 0, leaves.length);
    }

    /// @notice PATH of section 2.1.3.1, from the leaf's sibling upwards.
    function path(bytes32[] memory leaves, uint256 index) internal pure returns (bytes32[] memory) {
        return _path(leaves, index, 0, leaves.length);
    }

    /// @notice The verification of section 2.1.3.2, word by word.
    function verify(
        bytes32[] memory proof,
        bytes32 expected,
        bytes32 leaf,
        uint256 index,
        uint256 size
    ) internal pure returns (bool) {
        (bool isWhole, bytes32 r) = climb(proof, leaf, index, size);
        return isWhole && r == expected;
    }

    /// @notice Where a path leads, and whether it ends at the root.
    function climb(bytes32[] memory proof, bytes32 leaf, uint256 index, uint256 size)
        internal
        pure
        returns (bool isWhole, bytes32 r)
    {
        if (index >= size) return (false, 0);
        uint256 fn = index;
        uint256 sn = size - 1;
        r = leaf;
        for (uint256 i = 0; i < proof.length; ++i) {
            if (sn == 0) return (false, r);
            if (fn % 2 == 1 || fn == sn) {
                r = hashNode(proof[i], r);
                while (fn % 2 == 0 && fn != 0) {
                    fn /= 2;
                    sn /= 2;
                }
            } else {
                r = hashNode(r, proof[i]);
            }
            fn /= 2;
            sn /= 2;
        }
        isWhole = sn == 0;
    }

    function _root(bytes32[] memory leaves, uint256 from, uint256 to)
        private
        pure
        returns (bytes32)
    {
        if (to - from == 1) return leaves[from];
        uint256 middle = from + _split(to - from);
        return hashNode(_root(leaves, from, middle), _root(leaves, middle, to));
    }

    function _path(bytes32[] memory leaves, uint256 index, uint256 from, uint256 to)
        private
        pure
        returns (bytes32[] memory)
    {
        if (to - from == 1) return new bytes32[](0);
        uint256 middle = from + _split(to - from);
        if (from + index < middle) {
            return _with(_path(leaves, index, from, middle), _root(leaves, middle, to));
        }
        return _with(_path(leaves, from + index - middle, middle, to), _root(leaves, from, middle));
    }

    /// @dev The largest power of two smaller than `size`.
    function _split(uint256 size) private pure returns (uint256 k) {
        k = 1;
        while (2 * k < size) k *= 2;
    }

    function _with(bytes32[] memory hashes, bytes32 last)
        private
        pure
        returns (bytes32[] memory longer)
    {
        longer = new bytes32[](hashes.length + 1);
        for (uint256 i = 0; i < hashes.length; ++i) {
            longer[i] = hashes[i];
        }
        longer[hashes.length] = last;
    }
}
