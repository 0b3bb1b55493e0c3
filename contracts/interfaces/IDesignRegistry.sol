// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Ownership of designs: one ERC-721 token a design, revisions append-only
/// @notice A design is registered by commit and reveal; the first time of its commitment is its
/// priority.
interface IDesignRegistry {
    /// @notice One revision of a design. The chain keeps keccak256(abi.encode(Revision)).
    /// @param design The design.
    /// @param number From 1.
    /// @param root Salted Merkle root over the file set.
    /// @param ciphertext RFC 9162 root over the SHA-256 digests of the encrypted files, in manifest
    /// order.
    /// @param manifest SHA-256 of the manifest document.
    /// @param at The block time of the publication.
    /// @param derivedFrom Digests of the revisions that it builds on, of any design.
    struct Revision {
        bytes32 design;
        uint40 number;
        bytes32 root;
        bytes32 ciphertext;
        bytes32 manifest;
        uint40 at;
        bytes32[] derivedFrom;
    }

    /// @notice A design; one slot.
    /// @param priority The block time of the first commitment.
    /// @param revisions How many revisions there are.
    /// @param epoch How many transfers there were.
    struct Design {
        uint40 priority;
        uint40 revisions;
        uint40 epoch;
    }

    /// @notice Somebody committed to a design without showing it.
    event DesignCommitted(bytes32 indexed commitment, uint40 at);
    /// @notice The design is a token of its owner, with the priority of its commitment.
    event DesignRegistered(bytes32 indexed design, address indexed owner, uint40 priority);
    /// @notice The design has another revision.
    event RevisionPublished(
        bytes32 indexed design, uint40 indexed number, Revision revision, string cid
    );

    error CommitmentMissing(bytes32 commitment);
    error CommitmentTooYoung(bytes32 commitment, uint40 at);
    error DesignRegisteredAlready(bytes32 design);
    error DesignUnknown(bytes32 design);
    error CallerNotOwner(bytes32 design, address caller);
    error RevisionStale(bytes32 design, uint40 expected, uint40 actual);
    error RevisionUnknown(bytes32 digest);
    error RevisionRootMissing();
    error CidLengthInvalid(uint256 length);
    error DerivedFromTooMany(uint256 count);

    /// @notice Fix the priority of a design that is revealed later; repeating it changes nothing.
    /// @param commitment keccak256(abi.encode(keccak256("guildmark/design/v1"), chain id, registry,
    /// owner, root, salt)).
    function commit(bytes32 commitment) external;

    /// @notice Reveal a commitment of an earlier block: register the design with its first
    /// revision; the caller owns it.
    /// @param cid Where the encrypted manifest is (1 to 128 bytes).
    /// @return design The commitment; the token id is uint256(design).
    function register(
        bytes32 root,
        bytes32 salt,
        bytes32 ciphertext,
        bytes32 manifest,
        string calldata cid
    ) external returns (bytes32 design);

    /// @notice Publish the next revision, naming how many there are.
    /// @param derivedFrom At most 16 digests of published revisions.
    function publish(
        bytes32 design,
        uint40 revisions,
        bytes32 root,
        bytes32 ciphertext,
        bytes32 manifest,
        string calldata cid,
        bytes32[] calldata derivedFrom
    ) external returns (uint40 number);

    /// @notice The design, all zero where it is unknown.
    function design(bytes32 id) external view returns (Design memory);

    /// @notice keccak256(abi.encode(Revision)) of revision `number` (from 1), 0 where there is
    /// none.
    function revisionDigest(bytes32 id, uint40 number) external view returns (bytes32);

    /// @notice The owner of a design; reverts with DesignUnknown.
    function designOwner(bytes32 id) external view returns (address);

    /// @notice The first time of a commitment, 0 where there is none.
    function committedAt(bytes32 commitment) external view returns (uint40);
}
