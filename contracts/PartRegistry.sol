// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IBuildLog} from "./interfaces/IBuildLog.sol";
import {IIdentityRegistry} from "./interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "./interfaces/ILicenseRegistry.sol";
import {IPartRegistry} from "./interfaces/IPartRegistry.sol";
import {LogProof} from "./libraries/LogProof.sol";

/// @title Parts that move: a logged build becomes a token; fates of entries
contract PartRegistry is IPartRegistry, ERC721, EIP712 {
    bytes32 private constant VOID_TYPE = keccak256("Void(uint256 part)");
    bytes32 private constant SUPERSEDE_TYPE = keccak256("Supersede(uint256 part,uint64 byIndex)");
    uint64 private constant VOID = type(uint64).max;
    uint8 private constant BUILD = 1;

    IIdentityRegistry private immutable _identities;
    ILicenseRegistry private immutable _licenses;
    IBuildLog private immutable _log;

    mapping(uint40 log => mapping(uint64 index => uint64 fate)) private _fates;

    constructor(address identities, address licenses, address log)
        ERC721("Guildmark Part", "GMP")
        EIP712("Guildmark Parts", "1")
    {
        _identities = IIdentityRegistry(identities);
        _licenses = ILicenseRegistry(licenses);
        _log = IBuildLog(log);
    }

    /// @inheritdoc IPartRegistry
    function materialise(
        IBuildLog.Record calldata record,
        uint40 position,
        Entry calldata entry,
        bytes32 salt,
        bytes32[] calldata path,
        address to
    ) external returns (uint256 part) {
        bytes32 holder;
        bool isInRecovery;
        bool isUnderNotice;
        (part, holder, isInRecovery, isUnderNotice) = _requireHolder(record, position);
        if (entry.kind != BUILD) revert KindNotBuild(entry.kind);
        if (isInRecovery) revert HolderInRecovery(holder);
        if (isUnderNotice) revert HolderUnderNotice(holder);
        if (!LogProof.includes(
                record.root, LogProof.entryLeaf(entry, salt), position, record.count, path
            )) revert ProofInvalid(record.log, record.seq, position);

        emit PartMaterialised(part, holder, to, entry);
        _mint(to, part);
    }

    /// @inheritdoc IPartRegistry
    function voidPart(
        IBuildLog.Record calldata record,
        uint40 position,
        bytes calldata possessorSignature
    ) external {
        (uint256 part, bytes32 holder,,) = _requireHolder(record, position);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(VOID_TYPE, part)));
        _requirePossessor(part, digest, possessorSignature);

        _fates[record.log][_indexOf(part)] = VOID;

        emit PartVoided(part, holder);
    }

    /// @inheritdoc IPartRegistry
    function supersede(
        IBuildLog.Record calldata record,
        uint40 position,
        uint64 byIndex,
        bytes calldata writerSignature,
        bytes calldata possessorSignature
    ) external {
        (uint256 part,,,) = _requireHolder(record, position);
        address writer = _requireLater(record.log, _indexOf(part), byIndex);
        bytes32 digest = _hashTypedDataV4(keccak256(abi.encode(SUPERSEDE_TYPE, part, byIndex)));
        if (!_consents(writer, digest, writerSignature)) {
            revert WriterSignatureInvalid(record.log, writer);
        }
        _requirePossessor(part, digest, possessorSignature);

        _fates[record.log][_indexOf(part)] = byIndex;

        emit PartSuperseded(part, byIndex);
    }

    /// @inheritdoc IPartRegistry
    function fateOf(uint40 log, uint64 index) external view returns (uint64) {
        return _fates[log][index];
    }

    /// @dev Checks what materialise, voidPart and supersede share, and names the part and its
    /// holder.
    function _requireHolder(IBuildLog.Record calldata record, uint40 position)
        private
        view
        returns (uint256 part, bytes32 holder, bool isInRecovery, bool isUnderNotice)
    {
        uint40 number = record.log;
        if (_log.recordDigest(number, record.seq) != LogProof.recordDigest(record)) {
            revert RecordUnknown(number, record.seq);
        }
        if (position >= record.count) revert PositionOutOfRange(position, record.count);
        holder = _licenses.holderOf(_laneAt(record, position));
        address controller;
        (controller, isInRecovery, isUnderNotice) = _identities.speakerOf(holder);
        if (controller != msg.sender) {
            revert CallerNotHolder(holder, msg.sender);
        }
        uint64 index;
        unchecked {
            // the log's size, which these stay below, has 48 bits
            index = record.firstIndex + position;
        }
        part = (uint256(number) << 64) | index;
        uint64 fate = _fates[number][index];
        if (fate != 0) revert FateSet(part, fate);
    }

    function _requireLater(uint40 log, uint64 index, uint64 byIndex)
        private
        view
        returns (address writer)
    {
        if (byIndex <= index) revert SupersededByEarlier(index, byIndex);
        IBuildLog.Head memory head = _log.head(log);
        if (byIndex >= head.size) revert SupersedingEntryMissing(byIndex, head.size);
        return head.writer;
    }

    function _requirePossessor(uint256 part, bytes32 digest, bytes calldata signature)
        private
        view
    {
        address possessor = _ownerOf(part);
        if (possessor != address(0) && !_consents(possessor, digest, signature)) {
            revert PossessorSignatureInvalid(part, possessor);
        }
    }

    /// @dev Who calls need not sign as well.
    function _consents(address account, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool)
    {
        return account == msg.sender
            || SignatureChecker.isValidSignatureNowCalldata(account, digest, signature);
    }

    /// @dev Grants lie over the batch from its first entry on, refused ones included.
    function _laneAt(IBuildLog.Record calldata record, uint40 position)
        private
        pure
        returns (uint40)
    {
        IBuildLog.Grant[] calldata grants = record.grants;
        uint256 end = 0;
        for (uint256 i = 0; i < grants.length; ++i) {
            IBuildLog.Grant calldata given = grants[i];
            unchecked {
                // the sum of all n is at most the count
                end += given.n;
            }
            if (position < end) {
                if (given.firstUnit == 0) break;
                return given.lane;
            }
        }
        revert UnitNotGranted(record.log, record.seq, position);
    }

    function _indexOf(uint256 part) private pure returns (uint64) {
        // the token id holds the index in its low 64 bits
        // forge-lint: disable-next-line(unsafe-typecast)
        return uint64(part);
    }
}
