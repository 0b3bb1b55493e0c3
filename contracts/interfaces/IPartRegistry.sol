// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "./IBuildLog.sol";

/// @title Parts that move: a logged build becomes a token; fates of entries
/// @notice A part exists by its log entry; the token speaks of title only. Token id = log << 64 |
/// index.
interface IPartRegistry {
    /// @notice A log entry, as committed to by its leaf.
    /// @param kind 1 is a build; no other becomes a token.
    /// @param subject Salted digest of what it is about.
    /// @param envelope SHA-256 of the signed envelope.
    /// @param siteRecipe The id of the site's recipe.
    /// @param machine The machine's identity.
    /// @param maker The maker's identity (an organization).
    /// @param dependencies Salted root over what went into it.
    /// @param previous Index + 1 of the subject's entry before, 0 = none; navigation, no proof.
    struct Entry {
        uint8 kind;
        bytes32 subject;
        bytes32 envelope;
        bytes32 siteRecipe;
        bytes32 machine;
        bytes32 maker;
        bytes32 dependencies;
        uint64 previous;
    }

    /// @notice The entry became a token; it is published with this event.
    event PartMaterialised(
        uint256 indexed part, bytes32 indexed holder, address indexed to, Entry entry
    );
    /// @notice The holder of the lane declared the part void.
    event PartVoided(uint256 indexed part, bytes32 indexed holder);
    /// @notice Another entry of the log replaces the part.
    event PartSuperseded(uint256 indexed part, uint64 byIndex);

    error RecordUnknown(uint40 log, uint40 seq);
    error PositionOutOfRange(uint40 position, uint40 count);
    error UnitNotGranted(uint40 log, uint40 seq, uint40 position);
    error HolderInRecovery(bytes32 holder);
    error HolderUnderNotice(bytes32 holder);
    error KindNotBuild(uint8 kind);
    error FateSet(uint256 part, uint64 fate);
    error CallerNotHolder(bytes32 holder, address caller);
    error ProofInvalid(uint40 log, uint40 seq, uint40 position);
    error SupersededByEarlier(uint64 index, uint64 byIndex);
    error SupersedingEntryMissing(uint64 byIndex, uint48 size);
    error WriterSignatureInvalid(uint40 log, address writer);
    error PossessorSignatureInvalid(uint256 part, address possessor);

    /// @notice Make a logged build an ERC-721 token of `to`, as the controller of the lane's
    /// holder.
    /// @param record The record, as appended.
    /// @param position The entry's position in the batch.
    /// @param entry The entry.
    /// @param salt The entry's salt.
    /// @param path RFC 9162 inclusion path, at most 20 hashes.
    function materialise(
        IBuildLog.Record calldata record,
        uint40 position,
        Entry calldata entry,
        bytes32 salt,
        bytes32[] calldata path,
        address to
    ) external returns (uint256 part);

    /// @notice Declare a granted position void, as the controller of the lane's holder; once a
    /// token, its owner signs too (EIP-712 Void(uint256 part)).
    function voidPart(
        IBuildLog.Record calldata record,
        uint40 position,
        bytes calldata possessorSignature
    ) external;

    /// @notice Replace a granted position by a later entry of the same log, as the controller of
    /// the lane's holder, with the writer's signature and, once it is a token, its owner's (EIP-712
    /// Supersede(uint256 part,uint64 byIndex)).
    function supersede(
        IBuildLog.Record calldata record,
        uint40 position,
        uint64 byIndex,
        bytes calldata writerSignature,
        bytes calldata possessorSignature
    ) external;

    /// @notice 0 = none, 2^64 - 1 = void, else the index of the entry that replaces it.
    function fateOf(uint40 log, uint64 index) external view returns (uint64);
}
