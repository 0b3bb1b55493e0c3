// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {IPartRegistry} from "../../../contracts/interfaces/IPartRegistry.sol";
import {Logged} from "./Logged.sol";

contract MaterialiseTest is Logged {
    function test_Materialise_MakesATokenOfTheReceiver() public {
        uint256 expected = (uint256(number) << 64) | 6;
        bytes32[] memory path = _path(1);

        vm.prank(siteManager);
        vm.expectEmit(address(parts));
        emit IPartRegistry.PartMaterialised(expected, siteId, buyer, entry);
        vm.expectEmit(address(parts));
        emit IERC721.Transfer(address(0), buyer, expected);
        uint256 part = parts.materialise(_record(), 1, entry, SALT, path, buyer);

        vm.assertEq(part, expected, "part");
        vm.assertEq(IERC721(address(parts)).ownerOf(part), buyer, "owner");
        vm.assertEq(parts.fateOf(number, 6), 0, "fate");
    }

    function test_Materialise_EachGrantedPosition() public {
        bool[7] memory granted = [true, true, true, false, false, true, false];
        for (uint40 position = 0; position < COUNT; ++position) {
            uint256 snapshot = vm.snapshotState();
            lane = _lane(number, 4);
            _log(position);

            vm.assertEq(_tries(position), granted[position], "granted");
            vm.revertToState(snapshot);
        }
    }

    function test_Materialise_ByTheLanesNewController() public {
        vm.prank(siteManager);
        identities.proposeController(siteId, stranger);
        vm.prank(stranger);
        identities.acceptController(siteId);

        vm.assertFalse(_tries(1), "the old one");
        siteManager = stranger;
        vm.assertTrue(_tries(1), "the new one");
    }

    function test_Materialise_RevertWhen_TheHolderIsInRecovery() public {
        address[] memory guardians = new address[](1);
        guardians[0] = stranger;
        vm.prank(siteManager);
        identities.setGuardians(siteId, guardians, 1, 1 days);
        vm.prank(stranger);
        identities.supportCandidate(siteId, buyer);
        bytes32[] memory path = _path(1);

        _refuse(
            siteManager, abi.encodeWithSelector(IPartRegistry.HolderInRecovery.selector, siteId)
        );
        parts.materialise(_record(), 1, entry, SALT, path, buyer);

        vm.prank(siteManager);
        identities.cancelRecovery(siteId);
        vm.assertTrue(_tries(1), "after it ended");
    }

    function test_Materialise_RevertWhen_TheHoldersControllerIsUnderNotice() public {
        vm.prank(siteManager);
        identities.giveControllerNotice(siteId, _now(), 0);
        bytes32[] memory path = _path(1);

        _refuse(
            siteManager, abi.encodeWithSelector(IPartRegistry.HolderUnderNotice.selector, siteId)
        );
        parts.materialise(_record(), 1, entry, SALT, path, buyer);

        vm.prank(siteManager);
        identities.proposeController(siteId, stranger);
        vm.prank(stranger);
        identities.acceptController(siteId);
        siteManager = stranger;
        vm.assertTrue(_tries(1), "by the next controller");
    }

    /// @dev Whom to believe is each reader's own choice; the contract has no list.
    function test_Materialise_WhateverAnAuthoritySays() public {
        vm.prank(authority);
        identities.giveAuthorityControllerNotice(authorityId, siteId, 1, _now(), 0);

        vm.assertTrue(_tries(1), "done");
    }

    function test_Materialise_AfterTheLogWasClosed() public {
        vm.prank(operator);
        log.close(number);

        vm.assertEq(_materialise(buyer), _part(1), "part");
    }

    function test_Materialise_RevertWhen_CallerIsNotTheLanesHolder() public {
        address[3] memory others = [maker, operator, writer];
        for (uint256 i = 0; i < others.length; ++i) {
            _refuses(
                others[i],
                abi.encodeWithSelector(IPartRegistry.CallerNotHolder.selector, siteId, others[i])
            );
        }
    }

    function test_Materialise_RevertWhen_Materialised() public {
        _materialise(buyer);

        _refuses(
            siteManager,
            abi.encodeWithSelector(IERC721Errors.ERC721InvalidSender.selector, address(0))
        );
    }

    function test_Materialise_RevertWhen_Void() public {
        vm.prank(siteManager);
        parts.voidPart(_record(), 1, "");

        _refuses(
            siteManager, abi.encodeWithSelector(IPartRegistry.FateSet.selector, _part(1), VOID)
        );
    }

    function test_Materialise_RevertWhen_Superseded() public {
        uint64 by = _record().firstIndex + 2;
        bytes memory signature = _sign(WRITER_KEY, _supersedeDigest(_part(1), by));
        vm.prank(siteManager);
        parts.supersede(_record(), 1, by, signature, "");

        _refuses(siteManager, abi.encodeWithSelector(IPartRegistry.FateSet.selector, _part(1), by));
    }

    function test_Materialise_RevertWhen_TheEntryIsNoBuild() public {
        entry.kind = 2;
        lane = _lane(number, 4);
        _log(1);

        _refuses(siteManager, abi.encodeWithSelector(IPartRegistry.KindNotBuild.selector, 2));
    }

    function test_Materialise_RevertWhen_ThePositionIsOutOfRange() public {
        _refuse(
            siteManager,
            abi.encodeWithSelector(IPartRegistry.PositionOutOfRange.selector, COUNT, COUNT)
        );
        parts.materialise(_record(), COUNT, entry, SALT, new bytes32[](0), buyer);
    }

    function test_Materialise_RevertWhen_TheDrawWasRefused() public {
        for (uint40 position = 3; position <= 4; ++position) {
            bytes32[] memory path = _path(position);

            _refuse(siteManager, _notGranted(position));
            parts.materialise(_record(), position, entry, SALT, path, buyer);
        }
    }

    function test_Materialise_RevertWhen_ThePositionHasNoUnit() public {
        bytes32[] memory path = _path(6);

        _refuse(siteManager, _notGranted(6));
        parts.materialise(_record(), 6, entry, SALT, path, buyer);
    }

    function test_Materialise_RevertWhen_TheEntryIsAnother() public {
        entry.subject = "other";

        _refusesProof();
    }

    function test_Materialise_RevertWhen_AnyFieldOfTheEntryIsChanged() public {
        IPartRegistry.Entry memory real = entry;
        bytes32[] memory path = _path(1);
        for (uint256 field = 0; field < 7; ++field) {
            IPartRegistry.Entry memory forged = _with(real, field);

            _refuse(siteManager, _proofInvalid());
            parts.materialise(_record(), 1, forged, SALT, path, buyer);
        }
    }

    function test_Materialise_RevertWhen_TheSaltIsAnother() public {
        bytes32[] memory path = _path(1);

        _refuse(siteManager, _proofInvalid());
        parts.materialise(_record(), 1, entry, "other", path, buyer);
    }

    function test_Materialise_RevertWhen_ThePositionIsAnother() public {
        bytes32[] memory path = _path(1);

        _refuse(
            siteManager,
            abi.encodeWithSelector(IPartRegistry.ProofInvalid.selector, number, _record().seq, 2)
        );
        parts.materialise(_record(), 2, entry, SALT, path, buyer);
    }

    function test_Materialise_RevertWhen_AnyFieldOfTheRecordIsChanged() public {
        bytes32[] memory path = _path(1);
        IBuildLog.Record memory forged = _record();

        forged.count += 1;
        _refusesRecord(forged, path);
        forged.count -= 1;
        forged.firstIndex += 1;
        _refusesRecord(forged, path);
        forged.firstIndex -= 1;
        forged.time += 1;
        _refusesRecord(forged, path);
        forged.time -= 1;
        forged.root = "other";
        _refusesRecord(forged, path);
        forged.root = _record().root;
        forged.parent = "other";
        _refusesRecord(forged, path);
        forged.parent = _record().parent;
        forged.seq = 0;
        _refusesRecord(forged, path);
        forged.seq = _record().seq;
        forged.log = 0;
        _refusesRecord(forged, path);
        forged.log = _record().log;
        forged.grants[1].firstUnit = 44;
        _refusesRecord(forged, path);
        forged.grants[1].firstUnit = 0;
        forged.grants[0].lane = 1;
        _refusesRecord(forged, path);
        forged.grants[0].lane = lane;
        forged.grants = new IBuildLog.Grant[](0);
        _refusesRecord(forged, path);
    }

    function test_Materialise_RevertWhen_TheRecordIsATick() public {
        vm.recordLogs();
        log.tick();
        IBuildLog.Record memory tick = _lastRecord();

        _refuse(
            siteManager, abi.encodeWithSelector(IPartRegistry.PositionOutOfRange.selector, 0, 0)
        );
        parts.materialise(tick, 0, entry, SALT, new bytes32[](0), buyer);
    }

    function test_Materialise_RevertWhen_ThereIsNoReceiver() public {
        bytes32[] memory path = _path(1);

        _refuse(
            siteManager,
            abi.encodeWithSelector(IERC721Errors.ERC721InvalidReceiver.selector, address(0))
        );
        parts.materialise(_record(), 1, entry, SALT, path, address(0));
    }

    function _tries(uint40 position) private returns (bool isDone) {
        bytes memory call = abi.encodeCall(
            IPartRegistry.materialise, (_record(), position, entry, SALT, _path(position), buyer)
        );
        vm.prank(siteManager);
        (isDone,) = address(parts).call(call);
    }

    function _refuses(address caller, bytes memory error) private {
        bytes32[] memory path = _path(1);
        _refuse(caller, error);
        parts.materialise(_record(), 1, entry, SALT, path, buyer);
    }

    /// @dev With the path of the entry as it was logged.
    function _refusesProof() private {
        bytes32[] memory path = _path(1);
        _refuse(siteManager, _proofInvalid());
        parts.materialise(_record(), 1, entry, SALT, path, buyer);
    }

    function _refusesRecord(IBuildLog.Record memory forged, bytes32[] memory path) private {
        _refuse(
            siteManager,
            abi.encodeWithSelector(IPartRegistry.RecordUnknown.selector, forged.log, forged.seq)
        );
        parts.materialise(forged, 1, entry, SALT, path, buyer);
    }

    function _with(IPartRegistry.Entry memory real, uint256 field)
        private
        pure
        returns (IPartRegistry.Entry memory)
    {
        bytes32[8] memory words = abi.decode(abi.encode(real), (bytes32[8]));
        words[field + 1] = bytes32(uint256(words[field + 1]) ^ 1);
        return abi.decode(abi.encode(words), (IPartRegistry.Entry));
    }

    function _proofInvalid() private view returns (bytes memory) {
        return abi.encodeWithSelector(IPartRegistry.ProofInvalid.selector, number, _record().seq, 1);
    }

    function _notGranted(uint40 position) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IPartRegistry.UnitNotGranted.selector, number, _record().seq, position
        );
    }
}
