// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IBuildLog} from "./interfaces/IBuildLog.sol";
import {IDesignRegistry} from "./interfaces/IDesignRegistry.sol";
import {IIdentityRegistry} from "./interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "./interfaces/ILicenseRegistry.sol";

/// @title The meter: licenses as sets of unit numbers, cut into lanes
contract LicenseRegistry is ILicenseRegistry, EIP712 {
    bytes32 private constant TERMS_TYPE = keccak256(
        "Terms(bytes32 design,uint40 designEpoch,uint40 units,bytes32 holder,uint40 notBefore,"
        "uint40 notAfter,uint40 notice,bytes32 parent,address currency,uint256 royalty,"
        "uint256 fee,uint40 offerUntil,uint256 nonce,bytes32 termsRoot)"
    );
    /// @dev A lane's end is the number behind its last unit.
    uint40 private constant MAX_UNITS = type(uint40).max - 1;

    IIdentityRegistry private immutable _identities;
    IDesignRegistry private immutable _designRegistry;
    IBuildLog private immutable _log;

    mapping(uint40 number => License license) private _licenses;
    mapping(uint40 number => bytes32 id) private _ids;
    mapping(uint40 number => bytes32 design) private _designs;
    mapping(bytes32 id => uint40 number) private _numbers;
    mapping(uint40 number => Lane lane) private _lanes;
    mapping(uint40 lane => bytes32 holder) private _holders;
    mapping(uint40 lane => bytes32 giver) private _givers;
    uint40 private _licenseCount;
    uint40 private _laneCount;

    constructor(address identities, address designs, address log)
        EIP712("Guildmark Licenses", "1")
    {
        _identities = IIdentityRegistry(identities);
        _designRegistry = IDesignRegistry(designs);
        // slither-disable-next-line missing-zero-check without a log nothing is ever drawn
        _log = IBuildLog(log);
    }

    /// @inheritdoc ILicenseRegistry
    function grant(Terms calldata terms, bytes calldata ownerSignature)
        external
        returns (uint40 number, uint40 firstLane)
    {
        _requireSound(terms);
        _requireOrganizationOrSite(terms.holder);
        bytes32 id = _licenseId(terms);
        if (_numbers[id] != 0) revert LicenseGrantedAlready(id);
        address owner = _ownerAt(terms.design, terms.designEpoch);
        if (!SignatureChecker.isValidSignatureNowCalldata(owner, id, ownerSignature)) {
            revert OwnerSignatureInvalid(id, owner);
        }

        number = ++_licenseCount;
        _numbers[id] = number;
        _ids[number] = id;
        _designs[number] = terms.design;
        _licenses[number] = License({
            units: terms.units,
            notBefore: terms.notBefore,
            notAfter: terms.notAfter,
            stopAt: 0,
            notice: terms.notice,
            parent: 0,
            depth: 0
        });
        firstLane = _addLane(number, 1, terms.units + 1, 0, terms.holder);

        emit LicenseGranted(id, number, terms.design, firstLane, terms);
    }

    /// @inheritdoc ILicenseRegistry
    function split(uint40 lane_, uint40 end, uint40 n, uint40 log, bytes32 to)
        external
        returns (uint40 newLane)
    {
        Lane storage from = _lanes[lane_];
        if (from.license == 0) revert LaneUnknown(lane_);
        bytes32 holder = _holders[lane_];
        if (_identities.controllerOf(holder) != msg.sender) {
            revert CallerNotHolder(lane_, msg.sender);
        }
        if (from.end != end) revert LaneEndStale(lane_, end, from.end);
        if (n == 0) revert SplitEmpty();
        uint40 undrawn = end - from.next;
        if (n > undrawn) revert SplitTooLarge(lane_, n, undrawn);
        _requireLaneHolder(log, to);

        uint40 first = end - n;
        from.end = first;
        newLane = _addLane(from.license, first, end, log, to);
        _givers[newLane] = holder;

        emit LaneSplit(newLane, lane_, to, first, end, log);
    }

    /// @inheritdoc ILicenseRegistry
    function stop(bytes32 id, uint40 at) external {
        uint40 number = _numbers[id];
        if (number == 0) revert LicenseUnknown(id);
        if (_designRegistry.designOwner(_designs[number]) != msg.sender) {
            revert CallerNotLicensor(id, msg.sender);
        }
        License storage self = _licenses[number];
        uint256 earliest = block.timestamp + self.notice;
        if (at < earliest) revert StopTooEarly(at, earliest);
        uint40 current = self.stopAt;
        if (current != 0 && at >= current) revert StopNotEarlier(at, current);

        self.stopAt = at;

        emit LicenseStopped(id, at);
    }

    /// @inheritdoc ILicenseRegistry
    function draw(uint40 lane_, uint40 n, uint40 log) external returns (uint40 first) {
        if (msg.sender != address(_log)) revert CallerNotBuildLog(msg.sender);
        Lane memory self = _lanes[lane_];
        if (self.license == 0) revert LaneUnknown(lane_);
        if (self.log != log) revert LaneOfOtherLog(lane_, log);
        if (n == 0) revert DrawEmpty();
        if (n > self.end - self.next || !_isOpen(self.license)) return 0;

        first = self.next;
        _lanes[lane_].next = first + n;

        emit UnitsDrawn(lane_, first, n);
    }

    /// @inheritdoc ILicenseRegistry
    function licenseId(Terms calldata terms) external view returns (bytes32) {
        return _licenseId(terms);
    }

    /// @inheritdoc ILicenseRegistry
    function numberOf(bytes32 id) external view returns (uint40) {
        return _numbers[id];
    }

    /// @inheritdoc ILicenseRegistry
    function idOf(uint40 number) external view returns (bytes32) {
        return _ids[number];
    }

    /// @inheritdoc ILicenseRegistry
    function license(uint40 number) external view returns (License memory) {
        return _licenses[number];
    }

    /// @inheritdoc ILicenseRegistry
    function designOf(uint40 number) external view returns (bytes32) {
        return _designs[number];
    }

    /// @inheritdoc ILicenseRegistry
    function lane(uint40 number) external view returns (Lane memory) {
        return _lanes[number];
    }

    /// @inheritdoc ILicenseRegistry
    function holderOf(uint40 number) external view returns (bytes32) {
        return _holders[number];
    }

    /// @inheritdoc ILicenseRegistry
    function giverOf(uint40 number) external view returns (bytes32) {
        return _givers[number];
    }

    function _addLane(uint40 number, uint40 first, uint40 end, uint40 log, bytes32 holder)
        private
        returns (uint40 newLane)
    {
        newLane = ++_laneCount;
        _lanes[newLane] =
            Lane({license: number, first: first, next: first, end: end, log: log, reclaimAt: 0});
        _holders[newLane] = holder;
    }

    /// @dev Whether a license and all above it have begun, not ended and not stopped; the depth
    /// bounds the walk.
    function _isOpen(uint40 number) private view returns (bool) {
        while (number != 0) {
            License memory self = _licenses[number];
            if (block.timestamp < self.notBefore) return false;
            if (self.notAfter != 0 && block.timestamp >= self.notAfter) return false;
            if (self.stopAt != 0 && block.timestamp >= self.stopAt) return false;
            number = self.parent;
        }
        return true;
    }

    function _requireSound(Terms calldata terms) private view {
        _requireUnits(terms.units);
        if (terms.notAfter != 0 && terms.notAfter <= terms.notBefore) {
            revert TermsWindowEmpty(terms.notBefore, terms.notAfter);
        }
        if (terms.parent != 0) revert TermsParentUnsupported(terms.parent);
        if (terms.currency != address(0) || terms.royalty != 0 || terms.fee != 0) {
            revert TermsPaymentUnsupported(terms.currency, terms.royalty, terms.fee);
        }
        if (block.timestamp > terms.offerUntil) revert OfferExpired(terms.offerUntil);
    }

    function _ownerAt(bytes32 design, uint40 epoch) private view returns (address owner) {
        owner = _designRegistry.designOwner(design);
        uint40 actual = _designRegistry.design(design).epoch;
        if (epoch != actual) revert DesignEpochStale(design, epoch, actual);
    }

    function _requireLaneHolder(uint40 log, bytes32 holder) private view {
        if (log == 0) return _requireOrganizationOrSite(holder);
        if (_log.operatorOf(log) == 0) revert LogUnknown(log);
        if (_identities.kindOf(holder) != IIdentityRegistry.Kind.Site) {
            revert LogHolderNotSite(holder);
        }
    }

    function _requireOrganizationOrSite(bytes32 holder) private view {
        IIdentityRegistry.Kind kind = _identities.kindOf(holder);
        if (kind != IIdentityRegistry.Kind.Organization && kind != IIdentityRegistry.Kind.Site) {
            revert HolderKindInvalid(holder);
        }
    }

    function _licenseId(Terms calldata terms) private view returns (bytes32) {
        return _hashTypedDataV4(keccak256(abi.encode(TERMS_TYPE, terms)));
    }

    function _requireUnits(uint40 units) private pure {
        if (units == 0) revert TermsUnitsMissing();
        if (units > MAX_UNITS) revert TermsUnitsTooMany(units, MAX_UNITS);
    }
}
