// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {IDesignRegistry} from "../../../contracts/interfaces/IDesignRegistry.sol";
import {IEquivalenceRegistry} from "../../../contracts/interfaces/IEquivalenceRegistry.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {IPartRegistry} from "../../../contracts/interfaces/IPartRegistry.sol";
import {IRecallRegistry} from "../../../contracts/interfaces/IRecallRegistry.sol";
import {IRecipeRegistry} from "../../../contracts/interfaces/IRecipeRegistry.sol";
import {Deployed} from "../support/Deployed.sol";
import {Vm} from "../support/Vm.sol";
import {Slots} from "./Slots.sol";

/// @title The storage of all contracts, rebuilt from their events and block times alone (I8)
/// @notice Slot numbers and offsets are those of contracts/storage-layout.json.
abstract contract Projection is Deployed, Slots {
    uint256 private _time;
    bytes32 private _issuer;
    bytes32 private _scheme;
    bytes32 private _recovered;

    /// @dev One event, of the block that is now.
    function _apply(Vm.Log memory entry) internal {
        _time = vm.getBlockTimestamp();
        if (entry.emitter == address(identities)) _applyIdentities(entry);
        else if (entry.emitter == address(designs)) _applyDesigns(entry);
        else if (entry.emitter == address(licenses)) _applyLicenses(entry);
        else if (entry.emitter == address(recipes)) _applyRecipes(entry);
        else if (entry.emitter == address(log)) _applyLog(entry);
        else if (entry.emitter == address(parts)) _applyParts(entry);
        else if (entry.emitter == address(equivalence)) _applyEquivalence(entry);
        else if (entry.emitter == address(recalls)) _applyRecalls(entry);
    }

    function _applyIdentities(Vm.Log memory entry) private {
        bytes32 topic = entry.topics[0];
        if (topic == IIdentityRegistry.IdentityRegistered.selector) _registered(entry);
        else if (topic == IIdentityRegistry.ControllerChanged.selector) _changed(entry);
        else if (topic == IIdentityRegistry.LinkRequested.selector) _linkRequested(entry);
        else if (topic == IIdentityRegistry.LinkAccepted.selector) _linkAccepted(entry);
        else if (topic == IIdentityRegistry.LinkEnded.selector) _linkEnded(entry);
        else _applyRest(entry);
    }

    function _applyRest(Vm.Log memory entry) private {
        address account = address(identities);
        bytes32 topic = entry.topics[0];
        bytes32 id = entry.topics[1];
        if (topic == IIdentityRegistry.ProfileChanged.selector) {
            _profile(id, bytes32(entry.data));
        } else if (topic == IIdentityRegistry.ControllerProposed.selector) {
            _set(account, _at(7, id), uint256(entry.topics[2]));
        } else if (topic == IIdentityRegistry.KeyAdded.selector) {
            _setOnce(account, _at(8, id), 0, 8, uint256(bytes32(entry.data)));
            _setOnce(account, _at(8, id), 8, 40, _time);
            _setOnce(account, _at(10, id), uint256(entry.topics[2]));
        } else if (topic == IIdentityRegistry.KeyEnded.selector) {
            _setOnce(account, _at(8, id), 48, 40, _time);
        } else if (topic == IIdentityRegistry.KeyNoticeGiven.selector) {
            (uint256 noticeAt, uint256 from) = abi.decode(entry.data, (uint256, uint256));
            _setOnce(account, _at(8, id), 88, 40, noticeAt);
            _set(account, _at(8, id), 128, 40, from);
            falling[account][_at(8, id)].push(_bits(128, 40));
        } else if (topic == IIdentityRegistry.ControllerNoticeGiven.selector) {
            _doubted(entry);
        } else if (topic == IIdentityRegistry.AuthorityNoticeGiven.selector) {
            (, uint256 at, uint256 from) = abi.decode(entry.data, (uint256, uint256, uint256));
            _noticed(id, entry.topics[2], at, from);
        } else if (topic == IIdentityRegistry.ClaimMade.selector) {
            _setOnce(account, _at(9, id), 0, 40, _time);
            _setOnce(account, _at(11, id), uint256(entry.topics[2]));
            _issuer = entry.topics[2];
            _scheme = bytes32(entry.data);
        } else if (topic == IIdentityRegistry.ClaimShown.selector) {
            (, string memory value) = abi.decode(entry.data, (bytes32, string));
            bytes32 number = keccak256(abi.encode(_issuer, _scheme, value));
            _set(account, _at(12, number), uint256(id));
        } else if (topic == IIdentityRegistry.ClaimRevoked.selector) {
            _setOnce(account, _at(9, id), 40, 40, _time);
        } else {
            _applyAccreditations(entry);
        }
    }

    /// @dev No part of an interval changes once it is set (I6), and a revocation stays (I7).
    function _applyAccreditations(Vm.Log memory entry) private {
        address account = address(identities);
        bytes32 topic = entry.topics[0];
        bytes32 id = entry.topics[1];
        if (topic == IIdentityRegistry.Accredited.selector) {
            (, uint256 from, uint256 to) = abi.decode(entry.data, (bytes32, uint256, uint256));
            vm.assertGe(from, _time, "from is not before its block (I13)");
            _setOnce(account, _at(14, id), 0, 40, from);
            _setOnce(account, _at(14, id), 40, 40, to);
            _setOnce(account, _at(14, id), 120, 40, _time);
        } else if (topic == IIdentityRegistry.AccreditationRevoked.selector) {
            _setOnce(account, _at(14, id), 80, 40, _time);
        } else {
            _applyGuardians(entry);
        }
    }

    /// @dev What was set again changes nothing; what stood since the registration says so at its end.
    function _profile(bytes32 id, bytes32 profile) private {
        address account = address(identities);
        bytes32 before = predicted[account][_at(2, id)];
        if (profile == before) return;
        bytes32 slot = _in(_at(17, id), before);
        if (before != 0 && predicted[account][slot] == 0) {
            uint256 since = (uint256(predicted[account][_at(0, id)]) >> 168) & _bits(0, 40);
            _setOnce(account, slot, 0, 40, since);
        }
        if (before != 0) _setOnce(account, slot, 40, 40, _time);
        if (profile != 0) _setOnce(account, _in(_at(17, id), profile), 0, 40, _time);
        _set(account, _at(2, id), uint256(profile));
    }

    function _noticed(bytes32 target, bytes32 by, uint256 at, uint256 from) private {
        bytes32 slot = _in(_at(15, target), by);
        _setOnce(address(identities), slot, 0, 40, at);
        _set(address(identities), slot, 40, 40, from);
        falling[address(identities)][slot].push(_bits(40, 40));
    }

    function _doubted(Vm.Log memory entry) private {
        bytes32 id = entry.topics[1];
        uint256 number = uint256(entry.topics[2]);
        (uint256 at, uint256 from) = abi.decode(entry.data, (uint256, uint256));
        bytes32 domain = keccak256("guildmark/controller/v1");
        _noticed(keccak256(abi.encode(domain, id, number)), 0, at, from);
        bytes32 slot = _at(0, id);
        uint256 newest = (uint256(predicted[address(identities)][slot]) >> 208) & _bits(0, 32);
        if (number == newest) _set(address(identities), slot, 248, 8, 1);
    }

    /// @dev Members of a guarding: standing, change, recovery, guardians, votes, tallies.
    function _guarding(bytes32 id, uint256 member) internal pure returns (bytes32) {
        return bytes32(uint256(_at(13, id)) + member);
    }

    function _member(bytes32 id, uint256 member, uint256 from, uint256 size)
        internal
        view
        returns (uint256)
    {
        uint256 word = uint256(predicted[address(identities)][_guarding(id, member)]);
        return (word >> from) & _bits(0, size);
    }

    function _applyGuardians(Vm.Log memory entry) private {
        address account = address(identities);
        bytes32 topic = entry.topics[0];
        bytes32 id = entry.topics[1];
        if (topic == IIdentityRegistry.GuardiansProposed.selector) {
            _named(entry);
        } else if (topic == IIdentityRegistry.GuardiansChanged.selector) {
            uint256 change = uint256(predicted[account][_guarding(id, 1)]);
            uint256 round = _member(id, 0, 128, 32) + 1;
            uint256 standing = (change & _bits(0, 56)) | (_time << 56);
            standing |= uint256(entry.topics[2]) << 96 | round << 128;
            _set(account, _guarding(id, 0), standing);
            _set(account, _guarding(id, 1), 56, 40, 0);
        } else if (topic == IIdentityRegistry.CandidateSupported.selector) {
            _supported(entry);
        } else if (topic == IIdentityRegistry.RecoveryStarted.selector) {
            uint256 readyAt = uint256(bytes32(entry.data));
            _set(account, _guarding(id, 2), uint256(entry.topics[2]) | (readyAt << 160));
            _set(account, _at(0, id), 240, 8, 1);
        } else if (topic == IIdentityRegistry.RecoveryCancelled.selector) {
            _set(account, _tally(id, entry.topics[2]), 8, 8, 1);
        } else if (topic == IIdentityRegistry.RecoveryEnded.selector) {
            _set(account, _guarding(id, 2), 0);
            _set(account, _at(0, id), 240, 8, 0);
            _recovered = id;
        } else if (topic == IIdentityRegistry.NoticeBacked.selector) {
            _backed(entry);
        } else {
            _unknown(topic);
        }
    }

    function _named(Vm.Log memory entry) private {
        address account = address(identities);
        bytes32 id = entry.topics[1];
        (address[] memory guardians, uint256 threshold, uint256 delay, uint256 readyAt) =
            abi.decode(entry.data, (address[], uint256, uint256, uint256));
        uint256 word = threshold | (guardians.length << 8) | (delay << 16) | (readyAt << 56);
        _set(account, _guarding(id, 1), word | uint256(entry.topics[2]) << 96);
        bytes32 slot = _in(_guarding(id, 3), entry.topics[2]);
        for (uint256 i = 0; i < guardians.length; ++i) {
            _setOnce(account, _in(slot, _key(uint160(guardians[i]))), 1);
        }
    }

    function _supported(Vm.Log memory entry) private {
        address account = address(identities);
        bytes32 id = entry.topics[1];
        bytes32 slot = _in(_in(_guarding(id, 4), _key(_member(id, 0, 128, 32))), entry.topics[2]);
        bytes32 before = predicted[account][slot];
        if (before != 0) _add(account, _tally(id, before), -1);
        _set(account, slot, uint256(entry.topics[3]));
        if (entry.topics[3] != 0) _add(account, _tally(id, entry.topics[3]), 1);
    }

    function _tally(bytes32 id, bytes32 candidate) private view returns (bytes32) {
        return _in(_in(_guarding(id, 5), _key(_member(id, 0, 128, 32))), candidate);
    }

    /// @dev Whose guardian it is follows from what the target is; those who play here say it.
    function _backed(Vm.Log memory entry) private {
        bytes32 epoch = _key(_member(_ownerOf(entry.topics[1]), 0, 96, 32));
        bytes32 slot = _in(_at(16, entry.topics[1]), epoch);
        address account = address(identities);
        bytes32 named = _in(slot, entry.topics[2]);
        bytes32 counts = bytes32(uint256(slot) + 1);
        bytes32 before = predicted[account][named];
        if (before != 0) _add(account, _in(counts, before), -1);
        bytes32 from = bytes32(entry.data);
        _set(account, named, uint256(from));
        if (from != 0) _add(account, _in(counts, from), 1);
    }

    /// @dev The machine of a key, the identity of a controller.
    function _ownerOf(bytes32 target) internal view virtual returns (bytes32) {
        return predicted[address(identities)][_at(10, target)];
    }

    /// @dev Another call begins: what it says is apart from what the last one said.
    function _newCall() internal {
        _recovered = 0;
    }

    function _registered(Vm.Log memory entry) private {
        address account = address(identities);
        bytes32 id = entry.topics[1];
        (, bytes32 profile) = abi.decode(entry.data, (bytes32, bytes32));
        _set(account, _at(0, id), 0, 160, uint256(entry.topics[3]));
        _setOnce(account, _at(0, id), 160, 8, uint256(entry.topics[2]));
        _setOnce(account, _at(0, id), 168, 40, _time);
        _set(account, _at(0, id), 208, 32, 1);
        _setOnce(account, _in(_at(1, id), _key(1)), uint256(entry.topics[3]) | (_time << 160));
        _set(account, _at(2, id), uint256(profile));
    }

    function _changed(Vm.Log memory entry) private {
        address account = address(identities);
        bytes32 id = entry.topics[1];
        uint256 number = uint256(bytes32(entry.data));
        uint256 controller = uint256(entry.topics[2]);
        _set(account, _at(0, id), 0, 160, controller);
        _set(account, _at(0, id), 208, 32, number);
        _set(account, _at(0, id), 248, 8, 0);
        _setOnce(account, _in(_at(1, id), _key(number)), controller | (_time << 160));
        _set(account, _at(7, id), 0);
        if (_recovered != id) return;
        _set(account, _guarding(id, 0), 128, 32, _member(id, 0, 128, 32) + 1);
        _set(account, _guarding(id, 1), 56, 40, 0);
    }

    function _linkRequested(Vm.Log memory entry) private {
        _set(address(identities), _in(_at(6, entry.topics[1]), entry.topics[2]), 1);
    }

    function _linkAccepted(Vm.Log memory entry) private {
        address account = address(identities);
        (bytes32 child, bytes32 parent) = (entry.topics[1], entry.topics[2]);
        uint256 number = uint256(bytes32(entry.data));
        _set(account, _at(3, child), uint256(parent));
        _setOnce(account, _in(_in(_at(4, child), parent), _key(number)), 0, 40, _time);
        _set(account, _in(_at(5, child), parent), number);
        _set(account, _in(_at(6, child), parent), 0);
    }

    function _linkEnded(Vm.Log memory entry) private {
        address account = address(identities);
        (bytes32 child, bytes32 parent) = (entry.topics[1], entry.topics[2]);
        uint256 number = uint256(bytes32(entry.data));
        if (number == 0) {
            _set(account, _in(_at(6, child), parent), 0);
        } else {
            _set(account, _at(3, child), 0);
            _setOnce(account, _in(_in(_at(4, child), parent), _key(number)), 40, 40, _time);
        }
    }

    function _applyDesigns(Vm.Log memory entry) private {
        address account = address(designs);
        bytes32 topic = entry.topics[0];
        bytes32 id = entry.topics[1];
        if (topic == IDesignRegistry.DesignCommitted.selector) {
            _setOnce(account, _at(8, id), uint256(bytes32(entry.data)));
        } else if (topic == IDesignRegistry.DesignRegistered.selector) {
            _setOnce(account, _at(6, id), 0, 40, uint256(bytes32(entry.data)));
        } else if (topic == IDesignRegistry.RevisionPublished.selector) {
            (IDesignRegistry.Revision memory revision,) =
                abi.decode(entry.data, (IDesignRegistry.Revision, string));
            bytes32 digest = keccak256(abi.encode(revision));
            _set(account, _at(6, id), 40, 40, revision.number);
            _setOnce(account, _in(_at(7, id), entry.topics[2]), uint256(digest));
            _setOnce(account, _at(9, digest), 1);
        } else if (topic == IDesignRegistry.ResaleSet.selector) {
            uint256 basisPoints = uint256(bytes32(entry.data));
            _set(account, _at(10, id), uint256(entry.topics[2]) | (basisPoints << 160));
        } else {
            _applyToken(entry);
            bool isTransfer = topic == IERC721.Transfer.selector && id != 0;
            bytes32 slot = _at(6, entry.topics[3]);
            uint256 epoch = (uint256(predicted[account][slot]) >> 80) & _bits(0, 40);
            if (isTransfer) _set(account, slot, 80, 40, ++epoch);
            slot = _in(_at(11, entry.topics[3]), _key(epoch));
            _setOnce(account, slot, uint256(entry.topics[2]) | (_time << 160));
        }
    }

    /// @dev Slots 2 to 5 of OpenZeppelin's ERC-721: owners, balances, approvals.
    function _applyToken(Vm.Log memory entry) private {
        if (entry.topics[0] != IERC721.Transfer.selector) _unknown(entry.topics[0]);
        address account = entry.emitter;
        (bytes32 from, bytes32 to) = (entry.topics[1], entry.topics[2]);
        if (from != 0) _add(account, _at(3, from), -1);
        _add(account, _at(3, to), 1);
        _set(account, _at(2, entry.topics[3]), uint256(to));
    }

    function _add(address account, bytes32 slot, int256 by) private {
        _set(account, slot, uint256(int256(uint256(predicted[account][slot])) + by));
    }

    function _applyLicenses(Vm.Log memory entry) private {
        address account = address(licenses);
        bytes32 topic = entry.topics[0];
        if (topic == ILicenseRegistry.LicenseGranted.selector) {
            _granted(entry);
        } else if (topic == ILicenseRegistry.LicenseSublicensed.selector) {
            _sublicensed(entry);
        } else if (topic == ILicenseRegistry.LicenseExtended.selector) {
            _extended(entry);
        } else if (topic == ILicenseRegistry.LaneSplit.selector) {
            _split(entry);
        } else if (topic == ILicenseRegistry.LaneReclaimed.selector) {
            _reclaimed(entry);
        } else if (topic == ILicenseRegistry.LaneReclaimAnnounced.selector) {
            _setOnce(account, _at(6, entry.topics[1]), 200, 40, uint256(bytes32(entry.data)));
        } else if (topic == ILicenseRegistry.UnitsDrawn.selector) {
            (uint256 first, uint256 n) = abi.decode(entry.data, (uint256, uint256));
            _set(account, _at(6, entry.topics[1]), 80, 40, first + n);
        } else if (topic == ILicenseRegistry.LicenseStopped.selector) {
            bytes32 number = _numberOf(entry.topics[1]);
            _set(account, _at(2, number), 120, 40, uint256(bytes32(entry.data)));
            falling[account][_at(2, number)].push(_bits(120, 40));
            bool isRoot = uint256(predicted[account][_at(2, number)]) >> 200 == 0;
            if (isRoot) _countChange(predicted[account][_at(4, number)]);
        } else {
            _applyPayments(entry);
        }
    }

    function _applyPayments(Vm.Log memory entry) private {
        address account = address(licenses);
        bytes32 topic = entry.topics[0];
        if (topic == ILicenseRegistry.FeePaid.selector) {
            bytes32 slot = _in(_at(13, entry.topics[3]), entry.topics[2]);
            _add(account, slot, int256(uint256(bytes32(entry.data))));
        } else if (topic == ILicenseRegistry.RoyaltyPaid.selector) {
            (bytes32 currency, int256 units, int256 amount) =
                abi.decode(entry.data, (bytes32, int256, int256));
            _add(account, _in(_at(12, entry.topics[1]), entry.topics[2]), units);
            _add(account, _in(_at(13, currency), entry.topics[3]), amount);
        } else if (topic == ILicenseRegistry.CreditWithdrawn.selector) {
            _set(account, _in(_at(13, entry.topics[1]), entry.topics[2]), 0);
        } else {
            _unknown(topic);
        }
    }

    function _granted(Vm.Log memory entry) private {
        (uint256 lane, ILicenseRegistry.Terms memory terms) =
            abi.decode(entry.data, (uint256, ILicenseRegistry.Terms));
        _newLicense(entry, lane, terms);
        _countChange(terms.design);
        _newLane(lane, uint256(entry.topics[2]), 1, terms.units + 1, 0, terms.holder);
    }

    /// @dev The lane that the units come from says which license is above, and where they end.
    function _sublicensed(Vm.Log memory entry) private {
        address account = address(licenses);
        bytes32 from = entry.topics[3];
        (uint256 lane, ILicenseRegistry.Terms memory terms) =
            abi.decode(entry.data, (uint256, ILicenseRegistry.Terms));
        _newLicense(entry, lane, terms);
        uint256 source = uint256(predicted[account][_at(6, from)]);
        uint256 parent = source & _bits(0, 40);
        uint256 depth = (uint256(predicted[account][_at(2, _key(parent))]) >> 240) + 1;
        _setOnce(account, _at(2, entry.topics[2]), 200, 40, parent);
        _setOnce(account, _at(2, entry.topics[2]), 240, 8, depth);
        uint256 end = (source >> 120) & _bits(0, 40);
        _set(account, _at(6, from), 120, 40, end - terms.units);
        _newLane(lane, uint256(entry.topics[2]), end - terms.units, end, 0, terms.holder);
        _setOnce(account, _at(8, _key(lane)), uint256(from) | (_time << 40));
    }

    function _numberOf(bytes32 id) private view returns (bytes32) {
        return _key(uint256(predicted[address(licenses)][_at(5, id)]) & _bits(0, 40));
    }

    function _newLicense(Vm.Log memory entry, uint256 lane, ILicenseRegistry.Terms memory terms)
        private
    {
        address account = address(licenses);
        bytes32 number = entry.topics[2];
        _set(account, _at(2, number), 0, 40, terms.units);
        _setOnce(account, _at(2, number), 40, 40, terms.notBefore);
        _setOnce(account, _at(2, number), 80, 40, terms.notAfter);
        _setOnce(account, _at(2, number), 160, 40, terms.notice);
        _setOnce(account, _at(3, number), uint256(entry.topics[1]));
        _setOnce(account, _at(4, number), uint256(terms.design));
        _setOnce(account, _at(5, entry.topics[1]), uint256(number) | (_time << 40));
        _set(account, _key(9), 0, 40, uint256(number));
        _setOnce(account, _at(10, number), lane);
        if (terms.royalty == 0) return;
        _setOnce(account, _at(11, number), uint160(terms.currency) | (terms.royalty << 160));
    }

    function _extended(Vm.Log memory entry) private {
        address account = address(licenses);
        (uint256 first, uint256 end, uint256 epoch) =
            abi.decode(entry.data, (uint256, uint256, uint256));
        bytes32 number = _numberOf(entry.topics[1]);
        _set(account, _at(2, number), 0, 40, end - 1);
        _countChange(predicted[account][_at(4, number)]);
        bytes32 holder = predicted[account][_at(7, predicted[account][_at(10, number)])];
        _newLane(uint256(entry.topics[2]), uint256(number), first, end, 0, holder);
        bytes32 slot = _in(_at(15, number), _key(first));
        _setOnce(account, slot, end | (epoch << 40) | (_time << 80));
    }

    function _reclaimed(Vm.Log memory entry) private {
        address account = address(licenses);
        (uint256 lane, bytes32 from) = (uint256(entry.topics[1]), entry.topics[2]);
        (uint256 first, uint256 end) = abi.decode(entry.data, (uint256, uint256));
        bytes32 source = _key(uint256(predicted[account][_at(8, from)]) & _bits(0, 40));
        uint256 license = uint256(predicted[account][_at(6, source)]) & _bits(0, 40);
        _set(account, _at(6, from), 120, 40, first);
        _newLane(lane, license, first, end, 0, entry.topics[3]);
        _set(account, _at(8, _key(lane)), uint256(predicted[account][_at(8, source)]));
    }

    function _countChange(bytes32 design) private {
        _add(address(licenses), _at(14, design), 1);
    }

    function _split(Vm.Log memory entry) private {
        address account = address(licenses);
        (uint256 lane, bytes32 from) = (uint256(entry.topics[1]), entry.topics[2]);
        (uint256 first, uint256 end, uint256 number) =
            abi.decode(entry.data, (uint256, uint256, uint256));
        uint256 license = uint256(predicted[account][_at(6, from)]) & _bits(0, 40);
        _set(account, _at(6, from), 120, 40, first);
        _newLane(lane, license, first, end, number, entry.topics[3]);
        _setOnce(account, _at(8, _key(lane)), uint256(from) | (_time << 40));
    }

    function _newLane(
        uint256 lane,
        uint256 license,
        uint256 first,
        uint256 end,
        uint256 number,
        bytes32 holder
    ) private {
        address account = address(licenses);
        bytes32 slot = _at(6, _key(lane));
        _setOnce(account, slot, 0, 40, license);
        _setOnce(account, slot, 40, 40, first);
        _set(account, slot, 80, 40, first);
        _set(account, slot, 120, 40, end);
        falling[account][slot].push(_bits(120, 40));
        _setOnce(account, slot, 160, 40, number);
        _setOnce(account, _at(7, _key(lane)), uint256(holder));
        _set(account, _key(9), 40, 40, lane);
    }

    function _applyRecipes(Vm.Log memory entry) private {
        address account = address(recipes);
        bytes32 topic = entry.topics[0];
        bytes32 id = entry.topics[1];
        if (topic == IRecipeRegistry.RecipePublished.selector) {
            (IRecipeRegistry.Recipe memory recipe, uint256 status) =
                abi.decode(entry.data, (IRecipeRegistry.Recipe, uint256));
            _setOnce(account, _at(0, id), 0, 40, _time);
            _set(account, _at(0, id), 40, 40, 1);
            _setOnce(account, _in(_at(1, id), _key(1)), status | (_time << 8));
            if (recipe.supersedes != 0) {
                _setOnce(account, _at(2, recipe.supersedes), uint256(id));
            }
            _setOnce(account, _at(4, id), uint256(recipe.design));
        } else if (topic == IRecipeRegistry.RecipeStatusChanged.selector) {
            (uint256 status, uint256 number) = abi.decode(entry.data, (uint256, uint256));
            _set(account, _at(0, id), 40, 40, number);
            _setOnce(account, _in(_at(1, id), _key(number)), status | (_time << 8));
        } else if (topic == IRecipeRegistry.SiteRecipePublished.selector) {
            _setOnce(account, _at(3, id), _time);
        } else {
            _unknown(topic);
        }
    }

    function _applyLog(Vm.Log memory entry) private {
        address account = address(log);
        bytes32 topic = entry.topics[0];
        bytes32 number = entry.topics[1];
        if (topic == IBuildLog.LogOpened.selector) {
            _set(account, _at(0, number), 0, 160, uint256(entry.topics[3]));
            _setOnce(account, _at(1, number), uint256(entry.topics[2]));
            _set(account, _key(3), 0, 40, uint256(number));
        } else if (topic == IBuildLog.WriterChanged.selector) {
            _set(account, _at(0, number), 0, 160, uint256(entry.topics[2]));
        } else if (topic == IBuildLog.LogClosed.selector) {
            _set(account, _at(0, number), 0, 160, 0);
        } else if (topic == IBuildLog.RecordAppended.selector) {
            _appended(abi.decode(entry.data, (IBuildLog.Record)));
        } else {
            _unknown(topic);
        }
    }

    function _appended(IBuildLog.Record memory record) private {
        address account = address(log);
        bytes32 number = _key(record.log);
        bytes32 slot = _in(_at(2, number), _key(record.seq));
        _setOnce(account, slot, uint256(keccak256(abi.encode(record))));
        _set(account, _at(0, number), 160, 48, record.firstIndex + record.count);
        _set(account, _at(0, number), 208, 48, uint256(record.seq) + 1);
        if (record.log == 0) _set(account, _key(3), 40, 40, record.time);
    }

    function _applyParts(Vm.Log memory entry) private {
        bytes32 topic = entry.topics[0];
        uint256 part = uint256(entry.topics[1]);
        bytes32 slot = _in(_at(8, _key(part >> 64)), _key(uint64(part)));
        if (topic == IPartRegistry.PartVoided.selector) {
            _setOnce(address(parts), slot, VOID);
        } else if (topic == IPartRegistry.PartSuperseded.selector) {
            _setOnce(address(parts), slot, uint256(bytes32(entry.data)));
        } else if (topic != IPartRegistry.PartMaterialised.selector) {
            _applyToken(entry);
        }
    }

    function _applyEquivalence(Vm.Log memory entry) private {
        address account = address(equivalence);
        bytes32 topic = entry.topics[0];
        bytes32 plan = entry.topics[1];
        if (topic == IEquivalenceRegistry.PlanRegistered.selector) {
            IEquivalenceRegistry.Plan memory made =
                abi.decode(entry.data, (IEquivalenceRegistry.Plan));
            _setOnce(account, _at(0, plan), 0, 40, _time);
            _setOnce(account, _at(0, plan), 40, 40, made.commitBy);
            _setOnce(account, _at(0, plan), 80, 40, made.revealBy);
            _setOnce(account, _at(0, plan), 120, 16, made.sites.length);
            _setOnce(account, _at(1, plan), uint256(made.recipe));
            _setOnce(account, _at(2, plan), uint256(made.evaluator));
        } else if (topic == IEquivalenceRegistry.PlanJoined.selector) {
            _joinedPlan(entry);
        } else if (topic == IEquivalenceRegistry.DataCommitted.selector) {
            uint256 committed = (uint256(predicted[account][_at(0, plan)]) >> 136) + 1;
            _set(account, _at(0, plan), 136, 16, committed);
            _setOnce(account, _ofSite(3, entry), 80, 40, _time);
            _setOnce(account, _ofSite(5, entry), uint256(bytes32(entry.data)));
        } else if (topic == IEquivalenceRegistry.DataRevealed.selector) {
            _setOnce(account, _ofSite(3, entry), 120, 40, _time);
            _setOnce(account, _ofSite(6, entry), uint256(bytes32(entry.data)));
        } else {
            _applyCertificates(entry);
        }
    }

    function _joinedPlan(Vm.Log memory entry) private {
        address account = address(equivalence);
        bytes32 plan = entry.topics[1];
        bytes32 recipe = predicted[account][_at(1, plan)];
        (uint256 number, bytes32 scope) = abi.decode(entry.data, (uint256, bytes32));
        _setOnce(account, _ofSite(3, entry), 0, 40, number);
        _setOnce(account, _ofSite(3, entry), 40, 40, _time);
        _setOnce(account, _ofSite(4, entry), uint256(scope));
        _set(account, _in(_at(10, recipe), entry.topics[2]), number);
        bytes32 plans = _in(_at(11, recipe), entry.topics[2]);
        _setOnce(account, _in(plans, _key(number)), uint256(plan));
    }

    function _applyCertificates(Vm.Log memory entry) private {
        address account = address(equivalence);
        bytes32 topic = entry.topics[0];
        if (topic == IEquivalenceRegistry.SiteCertified.selector) {
            (uint256 verdict, bytes32 result, uint256 to) =
                abi.decode(entry.data, (uint256, bytes32, uint256));
            _setOnce(account, _ofSite(7, entry), 0, 8, verdict);
            _setOnce(account, _ofSite(7, entry), 8, 40, _time);
            _setOnce(account, _ofSite(7, entry), 48, 40, to);
            _setOnce(account, _ofSite(8, entry), uint256(result));
        } else if (topic == IEquivalenceRegistry.CertificateChallenged.selector) {
            bytes32 slot = _in(_ofSite(9, entry), entry.topics[3]);
            _setOnce(account, slot, uint256(bytes32(entry.data)));
        } else if (topic == IEquivalenceRegistry.CertificateSuspended.selector) {
            _setOnce(account, _ofSite(7, entry), 88, 40, _time);
        } else if (topic == IEquivalenceRegistry.CertificateLapsed.selector) {
            _setOnce(account, _ofSite(7, entry), 128, 40, _time);
            _setOnce(account, _ofSite(7, entry), 168, 8, uint256(bytes32(entry.data)));
        } else {
            _unknown(topic);
        }
    }

    function _applyRecalls(Vm.Log memory entry) private {
        address account = address(recalls);
        bytes32 topic = entry.topics[0];
        if (topic == IRecallRegistry.RecallIssued.selector) {
            (uint256 number,, IRecallRegistry.Terms memory terms) =
                abi.decode(entry.data, (uint256, IRecallRegistry.Thing, IRecallRegistry.Terms));
            _set(account, _ofSite(0, entry), number);
            bytes32 slot = _in(_ofSite(1, entry), _key(number));
            _setOnce(account, slot, 0, 40, _time);
            _setOnce(account, slot, 40, 40, terms.from);
            _setOnce(account, slot, 80, 40, terms.to);
            _setOnce(account, slot, 160, 8, uint256(terms.severity));
            _setOnce(account, _in(_ofSite(2, entry), _key(number)), uint256(entry.topics[3]));
            _setOnce(account, _in(_ofSite(3, entry), _key(number)), uint256(terms.reason));
        } else if (topic == IRecallRegistry.RecallClosed.selector) {
            _setOnce(account, _in(_ofSite(1, entry), entry.topics[3]), 120, 40, _time);
        } else if (topic != IRecallRegistry.RecallAsked.selector) {
            _unknown(topic);
        }
    }

    /// @dev A slot by plan and site, or by thing and list, which are the first two topics.
    function _ofSite(uint256 slot, Vm.Log memory entry) private pure returns (bytes32) {
        return _in(_at(slot, entry.topics[1]), entry.topics[2]);
    }

    function _unknown(bytes32 topic) private pure {
        vm.assertEq(topic, 0, "an event that the projection does not know");
    }
}
