// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../contracts/interfaces/IBuildLog.sol";
import {IPartRegistry} from "../../contracts/interfaces/IPartRegistry.sol";
import {LogProof} from "../../contracts/libraries/LogProof.sol";
import {Rfc9162} from "./support/Rfc9162.sol";
import {Vm} from "./support/Vm.sol";

/// @title The library's functions, which take calldata, from outside
contract LogProofHarness {
    function recordDigest(IBuildLog.Record calldata record) external pure returns (bytes32) {
        return LogProof.recordDigest(record);
    }

    function entryLeaf(IPartRegistry.Entry calldata entry, bytes32 salt)
        external
        view
        returns (bytes32)
    {
        return LogProof.entryLeaf(entry, salt);
    }

    function includes(
        bytes32 root,
        bytes32 leaf,
        uint256 index,
        uint256 size,
        bytes32[] calldata path
    ) external view returns (bool) {
        return LogProof.includes(root, leaf, index, size, path);
    }

    /// @dev The library must leave memory as a caller expects it.
    function includesBesides(
        bytes32 root,
        bytes32 leaf,
        uint256 index,
        uint256 size,
        bytes32[] calldata path
    ) external view returns (bool isIncluded, bytes memory before, bytes memory behind) {
        before = abi.encode(root, leaf);
        isIncluded = LogProof.includes(root, leaf, index, size, path);
        behind = new bytes(64);
    }
}

/// @title The assembly says what plain Solidity says
contract LogProofTest {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    LogProofHarness internal proof;

    function setUp() public {
        proof = new LogProofHarness();
    }

    function test_Includes_EveryLeafOfEveryTreeUpTo33() public view {
        for (uint256 size = 1; size <= 33; ++size) {
            bytes32[] memory leaves = _leaves(size);
            bytes32 root = Rfc9162.root(leaves);
            for (uint256 index = 0; index < size; ++index) {
                bytes32[] memory path = Rfc9162.path(leaves, index);

                bool isIncluded = proof.includes(root, leaves[index], index, size, path);

                vm.assertTrue(isIncluded, "included");
            }
        }
    }

    function test_Includes_NoLeafAtAnotherPositionOrSize() public view {
        bytes32[] memory leaves = _leaves(11);
        bytes32 root = Rfc9162.root(leaves);
        for (uint256 index = 0; index < 11; ++index) {
            bytes32[] memory path = Rfc9162.path(leaves, index);
            for (uint256 other = 0; other < 20; ++other) {
                for (uint256 size = 0; size < 20; ++size) {
                    bool expected = Rfc9162.verify(path, root, leaves[index], other, size);
                    bool actual = proof.includes(root, leaves[index], other, size, path);

                    vm.assertEq(actual, expected, "position and size");
                }
            }
        }
    }

    function testFuzz_Includes_AgreesOnAnyPath(
        bytes32 root,
        bytes32 leaf,
        uint40 index,
        uint40 size,
        bytes32[] calldata path
    ) public view {
        bool expected = Rfc9162.verify(path, root, leaf, index, size);

        vm.assertEq(proof.includes(root, leaf, index, size, path), expected, "any");
    }

    /// @dev The path's own end as root makes most of these true where the length is right.
    function testFuzz_Includes_AgreesOnLargeTrees(
        uint256 seed,
        uint40 size,
        uint40 index,
        uint8 length
    ) public view {
        size = uint40(1 + seed % (size == 0 ? 1 : size));
        index %= size;
        bytes32[] memory path = _siblings(seed, length % 44);
        (bool expected, bytes32 root) = Rfc9162.climb(path, bytes32(seed), index, size);

        bool actual = proof.includes(root, bytes32(seed), index, size, path);

        vm.assertEq(actual, expected, "where the path leads");
    }

    function testFuzz_Includes_AtTheRightLength(uint256 seed, uint40 size, uint40 index)
        public
        view
    {
        size = size == 0 ? 1 : size;
        index %= size;
        bytes32[] memory path = _siblings(seed, _height(index, size));
        (bool isWhole, bytes32 root) = Rfc9162.climb(path, bytes32(seed), index, size);

        vm.assertTrue(isWhole, "the length is right");
        vm.assertTrue(proof.includes(root, bytes32(seed), index, size, path), "included");
    }

    function testFuzz_Includes_NothingAfterAFlippedBit(
        uint256 seed,
        uint8 size,
        uint8 index,
        uint8 bit,
        uint8 where
    ) public view {
        uint256 count = uint256(size) % 60 + 2;
        uint256 at = index % count;
        bytes32[] memory leaves = _leaves(count);
        leaves[at] = bytes32(seed);
        bytes32 root = Rfc9162.root(leaves);
        bytes32[] memory path = Rfc9162.path(leaves, at);

        path[where % path.length] ^= bytes32(uint256(1) << bit);

        vm.assertFalse(proof.includes(root, leaves[at], at, count, path), "flipped");
    }

    function test_Includes_NothingInAnEmptyTree() public view {
        vm.assertFalse(proof.includes(sha256(""), 0, 0, 0, new bytes32[](0)), "empty");
    }

    function test_Includes_NothingAtThePositionBehindTheLast() public view {
        bytes32[] memory leaves = _leaves(1);

        vm.assertTrue(proof.includes(leaves[0], leaves[0], 0, 1, new bytes32[](0)), "the last");
        vm.assertFalse(proof.includes(leaves[0], leaves[0], 1, 1, new bytes32[](0)), "behind");
    }

    function test_Includes_LeavesMemorySound() public view {
        bytes32[] memory leaves = _leaves(13);
        bytes32 root = Rfc9162.root(leaves);
        bytes32[] memory path = Rfc9162.path(leaves, 5);

        (bool isIncluded, bytes memory before, bytes memory behind) =
            proof.includesBesides(root, leaves[5], 5, 13, path);

        vm.assertTrue(isIncluded, "included");
        vm.assertEq(before, abi.encode(root, leaves[5]), "before");
        vm.assertEq(behind, new bytes(64), "new memory is zero");
    }

    function testFuzz_RecordDigest_IsThatOfAbiEncode(IBuildLog.Record calldata record) public view {
        vm.assertEq(proof.recordDigest(record), keccak256(abi.encode(record)), "digest");
    }

    /// @dev Grants elsewhere than behind the record, or unclean words, never give a record's
    /// digest.
    function testFuzz_RecordDigest_OfAnotherEncodingIsAnother(
        IBuildLog.Record calldata record,
        uint8 gap,
        uint8 word,
        uint248 dirt
    ) public view {
        bytes32 digest = keccak256(abi.encode(record));
        bytes memory canonical = abi.encodeCall(proof.recordDigest, (record));

        bytes memory shifted = _shift(canonical, 1 + gap % 4);
        vm.assertNotEq(_answer(shifted), digest, "grants elsewhere");

        vm.assume(dirt > 0);
        // words 5 and 6 are parent and root, 7 the offset; all others have unused high bits
        uint256 number = word % 5;
        uint256 unused = number == 2 ? 64 : 40;
        bytes memory dirty = canonical;
        uint256 at = 0x24 + 0x20 * (1 + number);
        assembly ("memory-safe") {
            let place := add(dirty, at)
            mstore(place, xor(mload(place), shl(unused, dirt)))
        }
        bool isSame = uint256(dirt) << unused == 0;
        vm.assertEq(_answer(dirty) == digest, isSame, "unclean word");
    }

    function testFuzz_EntryLeaf_IsThatOfPlainSolidity(
        IPartRegistry.Entry calldata entry,
        bytes32 salt
    ) public view {
        bytes32 data = sha256(abi.encode(keccak256("guildmark/entry/v1"), salt, entry));

        vm.assertEq(proof.entryLeaf(entry, salt), Rfc9162.hashLeaf(abi.encode(data)), "leaf");
    }

    function _answer(bytes memory call) private view returns (bytes32 answer) {
        (bool isDone, bytes memory data) = address(proof).staticcall(call);
        if (isDone) answer = abi.decode(data, (bytes32));
    }

    /// @dev The same call with `gap` words between the record's words and its grants.
    function _shift(bytes memory call, uint256 gap) private pure returns (bytes memory) {
        uint256 fixedSize = 4 + 32 + 8 * 32;
        bytes memory longer = new bytes(call.length + 32 * gap);
        for (uint256 i = 0; i < call.length; ++i) {
            longer[i < fixedSize ? i : i + 32 * gap] = call[i];
        }
        // the offset of the grants is the record's eighth word
        assembly ("memory-safe") {
            mstore(add(longer, 0x124), add(0x100, mul(0x20, gap)))
        }
        return longer;
    }

    function _leaves(uint256 size) private pure returns (bytes32[] memory leaves) {
        leaves = new bytes32[](size);
        for (uint256 i = 0; i < size; ++i) {
            leaves[i] = keccak256(abi.encode("leaf", i));
        }
    }

    function _siblings(uint256 seed, uint256 length) private pure returns (bytes32[] memory path) {
        path = new bytes32[](length);
        for (uint256 i = 0; i < length; ++i) {
            path[i] = keccak256(abi.encode(seed, i));
        }
    }

    /// @dev How many siblings the way up has: a level counts unless the node is last and alone.
    function _height(uint256 index, uint256 size) private pure returns (uint256 height) {
        uint256 last = size - 1;
        while (last > 0) {
            if (index % 2 == 1 || index < last) ++height;
            index /= 2;
            last /= 2;
        }
    }
}
