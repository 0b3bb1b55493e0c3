// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC2981} from "@openzeppelin/contracts/interfaces/IERC2981.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {Math} from "@openzeppelin/contracts/utils/math/Math.sol";

import {IDesignRegistry} from "./interfaces/IDesignRegistry.sol";
import {ILicenseRegistry} from "./interfaces/ILicenseRegistry.sol";

/// @title Ownership of designs: one ERC-721 token a design, revisions append-only
contract DesignRegistry is IDesignRegistry, ERC721 {
    bytes32 private constant DOMAIN = keccak256("guildmark/design/v1");
    uint256 private constant MAX_CID = 128;
    uint256 private constant MAX_DERIVED_FROM = 16;
    uint16 private constant MAX_RESALE = 1_000;
    uint256 private constant WHOLE = 10_000;

    ILicenseRegistry private immutable _licenses;

    mapping(bytes32 id => Design design) private _designs;
    mapping(bytes32 id => mapping(uint40 number => bytes32 digest)) private _revisions;
    mapping(bytes32 commitment => uint40 at) private _commitments;
    mapping(bytes32 digest => bool published) private _published;
    mapping(bytes32 id => Resale resale) private _resales;
    mapping(bytes32 id => mapping(uint40 epoch => Owner owner)) private _epochOwners;

    constructor(address licenses) ERC721("Guildmark Design", "GMD") {
        _licenses = ILicenseRegistry(licenses);
    }

    /// @inheritdoc IDesignRegistry
    function commit(bytes32 commitment) external {
        if (_commitments[commitment] != 0) return;

        uint40 time = uint40(block.timestamp);
        _commitments[commitment] = time;

        emit DesignCommitted(commitment, time);
    }

    /// @inheritdoc IDesignRegistry
    function register(
        bytes32 root,
        bytes32 salt,
        bytes32 ciphertext,
        bytes32 manifest,
        string calldata cid
    ) external returns (bytes32 id) {
        id = keccak256(abi.encode(DOMAIN, block.chainid, address(this), msg.sender, root, salt));
        uint40 priority = _commitments[id];
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (priority == 0) revert CommitmentMissing(id);
        // slither-disable-next-line incorrect-equality a block's time is an exact number
        if (priority == block.timestamp) revert CommitmentTooYoung(id, priority);
        if (_designs[id].priority != 0) revert DesignRegisteredAlready(id);

        _designs[id].priority = priority;
        emit DesignRegistered(id, msg.sender, priority);
        _publish(id, root, ciphertext, manifest, cid, new bytes32[](0));
        _mint(msg.sender, uint256(id));
    }

    /// @inheritdoc IDesignRegistry
    function publish(
        bytes32 id,
        uint40 revisions,
        bytes32 root,
        bytes32 ciphertext,
        bytes32 manifest,
        string calldata cid,
        bytes32[] calldata derivedFrom
    ) external returns (uint40) {
        _requireOwner(id);
        uint40 actual = _designs[id].revisions;
        if (revisions != actual) revert RevisionStale(id, revisions, actual);
        _requirePublished(derivedFrom);

        return _publish(id, root, ciphertext, manifest, cid, derivedFrom);
    }

    /// @inheritdoc IDesignRegistry
    function transferIf(bytes32 id, address to, bytes32 expected) external {
        bytes32 actual = stateHash(id);
        if (actual != expected) revert DesignStateChanged(id, expected, actual);
        transferFrom(designOwner(id), to, uint256(id));
    }

    /// @inheritdoc IDesignRegistry
    function setResale(bytes32 id, address receiver, uint16 basisPoints) external {
        _requireOwner(id);
        if (basisPoints > MAX_RESALE) revert ResaleTooHigh(basisPoints, MAX_RESALE);
        if (basisPoints != 0 && receiver == address(0)) revert ResaleReceiverMissing();

        _resales[id] = Resale({receiver: receiver, basisPoints: basisPoints});

        emit ResaleSet(id, receiver, basisPoints);
    }

    /// @inheritdoc IERC2981
    function royaltyInfo(uint256 token, uint256 price) external view returns (address, uint256) {
        Resale memory resale = _resales[bytes32(token)];
        return (resale.receiver, Math.mulDiv(price, resale.basisPoints, WHOLE));
    }

    /// @inheritdoc IDesignRegistry
    function design(bytes32 id) external view returns (Design memory) {
        return _designs[id];
    }

    /// @inheritdoc IDesignRegistry
    function revisionDigest(bytes32 id, uint40 number) external view returns (bytes32) {
        return _revisions[id][number];
    }

    /// @inheritdoc IDesignRegistry
    function ownerAt(bytes32 id, uint40 epoch) external view returns (address) {
        return _epochOwners[id][epoch].account;
    }

    /// @inheritdoc IDesignRegistry
    function committedAt(bytes32 commitment) external view returns (uint40) {
        return _commitments[commitment];
    }

    /// @inheritdoc IDesignRegistry
    function designOwner(bytes32 id) public view returns (address owner) {
        owner = _ownerOf(uint256(id));
        if (owner == address(0)) revert DesignUnknown(id);
    }

    /// @inheritdoc IDesignRegistry
    function stateHash(bytes32 id) public view returns (bytes32) {
        Design memory self = _designs[id];
        if (self.priority == 0) revert DesignUnknown(id);
        return keccak256(abi.encode(id, self.epoch, self.revisions, _licenses.changesOf(id)));
    }

    /// @inheritdoc ERC721
    function supportsInterface(bytes4 id) public view override(ERC721, IERC165) returns (bool) {
        return id == type(IERC2981).interfaceId || super.supportsInterface(id);
    }

    /// @dev Every transfer, one to oneself too, moves the epoch on, so that no older signature of
    /// an owner holds. Who owned an epoch, and since when, stays written: that owner signed its
    /// licenses, and published until the next one followed.
    function _update(address to, uint256 token, address auth)
        internal
        override
        returns (address from)
    {
        from = super._update(to, token, auth);
        bytes32 id = bytes32(token);
        uint40 epoch = from == address(0) ? 0 : ++_designs[id].epoch;
        _epochOwners[id][epoch] = Owner({account: to, since: uint40(block.timestamp)});
    }

    function _publish(
        bytes32 id,
        bytes32 root,
        bytes32 ciphertext,
        bytes32 manifest,
        string calldata cid,
        bytes32[] memory derivedFrom
    ) private returns (uint40 number) {
        if (root == 0) revert RevisionRootMissing();
        uint256 length = bytes(cid).length;
        if (length == 0 || length > MAX_CID) revert CidLengthInvalid(length);

        number = ++_designs[id].revisions;
        Revision memory revision = Revision({
            design: id,
            number: number,
            root: root,
            ciphertext: ciphertext,
            manifest: manifest,
            at: uint40(block.timestamp),
            derivedFrom: derivedFrom
        });
        bytes32 digest = keccak256(abi.encode(revision));
        _revisions[id][number] = digest;
        _published[digest] = true;

        emit RevisionPublished(id, number, revision, cid);
    }

    function _requireOwner(bytes32 id) private view {
        if (designOwner(id) != msg.sender) revert CallerNotOwner(id, msg.sender);
    }

    function _requirePublished(bytes32[] calldata digests) private view {
        if (digests.length > MAX_DERIVED_FROM) revert DerivedFromTooMany(digests.length);
        for (uint256 i = 0; i < digests.length; ++i) {
            if (!_published[digests[i]]) revert RevisionUnknown(digests[i]);
        }
    }
}
