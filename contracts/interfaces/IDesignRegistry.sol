// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";

/// @title Ownership of designs: one ERC-721 token a design, revisions append-only
/// @notice A design is registered by commit and reveal; the first time of its commitment is its
/// priority.
interface IDesignRegistry is IERC2981 {
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

    /// @notice Who owned a design in an epoch; one slot.
    /// @param account The owner.
    /// @param since The block time of the registration, or of the transfer that began the epoch.
    struct Owner {
        address account;
        uint40 since;
    }

    /// @notice What a resale of the design's token should bring to somebody (ERC-2981); one slot.
    /// @param receiver Who gets it.
    /// @param basisPoints Of the price, in 1/10,000.
    struct Resale {
        address receiver;
        uint16 basisPoints;
    }

    /// @notice Somebody committed to a design without showing it.
    event DesignCommitted(bytes32 indexed commitment, uint40 at);
    /// @notice The design is a token of its owner, with the priority of its commitment.
    event DesignRegistered(bytes32 indexed design, address indexed owner, uint40 priority);
    /// @notice The design has another revision.
    event RevisionPublished(
        bytes32 indexed design, uint40 indexed number, Revision revision, string cid
    );
    /// @notice What a resale should bring has changed.
    event ResaleSet(bytes32 indexed design, address indexed receiver, uint16 basisPoints);

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
    error DesignStateChanged(bytes32 design, bytes32 expected, bytes32 actual);
    error ResaleTooHigh(uint16 basisPoints, uint16 most);
    error ResaleReceiverMissing();

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

    /// @notice Transfer a design if it is still what the buyer saw; the owner or an account that is
    /// approved for the token calls it.
    /// @param expected The design's `stateHash`.
    function transferIf(bytes32 design, address to, bytes32 expected) external;

    /// @notice Say what a resale of the token should bring, as the owner; a wish that markets heed
    /// or not. A transfer leaves it, and the new owner may change it.
    /// @param basisPoints At most 1,000 (10 %); 0 ends it.
    function setResale(bytes32 design, address receiver, uint16 basisPoints) external;

    /// @notice keccak256(abi.encode(design, epoch, revisions, changes)): owners so far, revisions,
    /// and how often a root license was granted, extended or stopped. Reverts with DesignUnknown.
    function stateHash(bytes32 design) external view returns (bytes32);

    /// @notice The design, all zero where it is unknown.
    function design(bytes32 id) external view returns (Design memory);

    /// @notice keccak256(abi.encode(Revision)) of revision `number` (from 1), 0 where there is
    /// none.
    function revisionDigest(bytes32 id, uint40 number) external view returns (bytes32);

    /// @notice The owner of a design; reverts with DesignUnknown.
    function designOwner(bytes32 id) external view returns (address);

    /// @notice Who owned a design in an epoch, for ever: who may have signed the licenses that name
    /// it. Zero where there was no such epoch.
    /// @param epoch 0 at the registration, one more after each transfer.
    function ownerAt(bytes32 id, uint40 epoch) external view returns (address);

    /// @notice The first time of a commitment, 0 where there is none.
    function committedAt(bytes32 commitment) external view returns (uint40);
}
