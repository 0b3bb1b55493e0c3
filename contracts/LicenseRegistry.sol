// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/interfaces/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {Address} from "@openzeppelin/contracts/utils/Address.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";

import {IBuildLog} from "./interfaces/IBuildLog.sol";
import {IDesignRegistry} from "./interfaces/IDesignRegistry.sol";
import {IIdentityRegistry} from "./interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "./interfaces/ILicenseRegistry.sol";

/// @title The meter: licenses as sets of unit numbers, cut into lanes; what is owed for them
contract LicenseRegistry is ILicenseRegistry, EIP712 {
    using SafeERC20 for IERC20;

    bytes32 private constant TERMS_TYPE = keccak256(
        "Terms(bytes32 design,uint40 designEpoch,uint40 units,bytes32 holder,uint40 notBefore,"
        "uint40 notAfter,uint40 notice,bytes32 parent,address currency,uint256 royalty,"
        "uint256 fee,uint40 offerUntil,uint256 nonce,bytes32 termsRoot)"
    );
    bytes32 private constant ACCEPTANCE_TYPE = keccak256(
        "Acceptance(Terms terms)"
        "Terms(bytes32 design,uint40 designEpoch,uint40 units,bytes32 holder,uint40 notBefore,"
        "uint40 notAfter,uint40 notice,bytes32 parent,address currency,uint256 royalty,"
        "uint256 fee,uint40 offerUntil,uint256 nonce,bytes32 termsRoot)"
    );
    bytes32 private constant SUBLICENSE_TYPE = keccak256(
        "Sublicense(uint40 lane,uint40 end,Terms terms)"
        "Terms(bytes32 design,uint40 designEpoch,uint40 units,bytes32 holder,uint40 notBefore,"
        "uint40 notAfter,uint40 notice,bytes32 parent,address currency,uint256 royalty,"
        "uint256 fee,uint40 offerUntil,uint256 nonce,bytes32 termsRoot)"
    );
    bytes32 private constant EXTENSION_TYPE = keccak256(
        "Extension(bytes32 license,uint40 designEpoch,uint40 units,uint40 more,uint40 offerUntil)"
    );
    /// @dev A lane's end is the number behind its last unit.
    uint40 private constant MAX_UNITS = type(uint40).max - 1;
    uint8 private constant MAX_DEPTH = 4;

    IIdentityRegistry private immutable _identities;
    IDesignRegistry private immutable _designRegistry;
    IBuildLog private immutable _log;

    mapping(uint40 number => License license) private _licenses;
    mapping(uint40 number => bytes32 id) private _ids;
    mapping(uint40 number => bytes32 design) private _designs;
    mapping(bytes32 id => Granted granted) private _numbers;
    mapping(uint40 number => Lane lane) private _lanes;
    mapping(uint40 lane => bytes32 holder) private _holders;
    mapping(uint40 lane => Origin origin) private _origins;
    uint40 private _licenseCount;
    uint40 private _laneCount;
    mapping(uint40 number => uint40 lane) private _firstLanes;
    mapping(uint40 number => Price price) private _prices;
    mapping(uint40 lane => mapping(uint40 number => uint40 units)) private _paid;
    mapping(address currency => mapping(address account => uint256 amount)) private _credits;
    mapping(bytes32 design => uint40 changes) private _changes;
    mapping(uint40 number => mapping(uint40 first => Extension extension)) private _extensions;

    constructor(address identities, address designs, address log)
        EIP712("Guildmark Licenses", "1")
    {
        _identities = IIdentityRegistry(identities);
        _designRegistry = IDesignRegistry(designs);
        // slither-disable-next-line missing-zero-check without a log nothing is ever drawn
        _log = IBuildLog(log);
    }

    /// @inheritdoc ILicenseRegistry
    function grant(
        Terms calldata terms,
        bytes calldata ownerSignature,
        bytes calldata licenseeSignature
    ) external payable returns (uint40 number, uint40 firstLane) {
        bytes32 id = _requireSound(terms, 0, licenseeSignature);
        address owner = _ownerAt(terms.design, terms.designEpoch);
        if (!SignatureChecker.isValidSignatureNowCalldata(owner, id, ownerSignature)) {
            revert OwnerSignatureInvalid(id, owner);
        }

        (number, firstLane) = _addLicense(id, terms, 1, 0);
        ++_changes[terms.design];

        emit LicenseGranted(id, number, terms.design, firstLane, terms);
        _takeFee(id, terms, owner);
    }

    /// @inheritdoc ILicenseRegistry
    function sublicense(
        uint40 lane_,
        uint40 end,
        Terms calldata terms,
        bytes calldata licensorSignature,
        bytes calldata licenseeSignature
    ) external payable returns (uint40 number, uint40 firstLane) {
        bytes32 id = _requireSound(terms, _ids[_knownLane(lane_).license], licenseeSignature);
        _requireFits(terms, _lanes[lane_].license);
        address licensor = _requireGiven(lane_, end, terms, id, licensorSignature);

        (number, firstLane) = _addLicense(id, terms, _cut(lane_, end, terms.units), lane_);

        emit LicenseSublicensed(id, number, lane_, firstLane, terms);
        _takeFee(id, terms, licensor);
    }

    /// @inheritdoc ILicenseRegistry
    function extend(
        bytes32 id,
        uint40 units,
        uint40 more,
        uint40 offerUntil,
        bytes calldata ownerSignature
    ) external returns (uint40 newLane) {
        uint40 number = _knownLicense(id);
        License storage self = _licenses[number];
        if (self.parent != 0) revert LicenseNotRoot(id);
        if (self.units != units) revert UnitsStale(id, units, self.units);
        if (more == 0) revert TermsUnitsMissing();
        if (more > MAX_UNITS - units) revert TermsUnitsTooMany(more, MAX_UNITS - units);
        if (block.timestamp > offerUntil) revert OfferExpired(offerUntil);
        _requireNotEnding(number);
        uint40 epoch = _requireOwnerExtends(id, units, more, offerUntil, ownerSignature);

        self.units = units + more;
        ++_changes[_designs[number]];
        newLane = _extend(number, units + 1, units + more + 1, epoch);

        emit LicenseExtended(id, newLane, units + 1, units + more + 1, epoch);
    }

    /// @inheritdoc ILicenseRegistry
    function split(uint40 lane_, uint40 end, uint40 n, uint40 log, bytes32 to)
        external
        returns (uint40 newLane)
    {
        uint40 number = _knownLane(lane_).license;
        if (_identities.controllerOf(_holders[lane_]) != msg.sender) {
            revert CallerNotHolder(lane_, msg.sender);
        }
        uint40 first = _cut(lane_, end, n);
        _requireLaneHolder(log, to);

        newLane = _addLane(number, first, end, log, to);
        _origins[newLane] = Origin({source: lane_, at: uint40(block.timestamp)});

        emit LaneSplit(newLane, lane_, to, first, end, log);
    }

    /// @inheritdoc ILicenseRegistry
    function reclaim(uint40 lane_) external returns (uint40 newLane) {
        Lane memory self = _knownLane(lane_);
        uint40 source = _origins[lane_].source;
        if (source == 0 || _identities.controllerOf(_holders[source]) != msg.sender) {
            revert CallerNotGiver(lane_, msg.sender);
        }
        // slither-disable-next-line incorrect-equality numbers of units, and no times
        if (self.next == self.end) revert ReclaimEmpty(lane_);
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (self.reclaimAt == 0) return _announceReclaim(lane_, self.license);
        if (block.timestamp < self.reclaimAt) revert ReclaimTooEarly(lane_, self.reclaimAt);

        _lanes[lane_].end = self.next;
        bytes32 holder = _holders[source];
        newLane = _addLane(_lanes[source].license, self.next, self.end, 0, holder);
        _origins[newLane] = _origins[source];

        emit LaneReclaimed(newLane, lane_, holder, self.next, self.end);
    }

    /// @inheritdoc ILicenseRegistry
    function stop(bytes32 id, uint40 at) external {
        uint40 number = _knownLicense(id);
        if (_licensorAccount(number) != msg.sender) revert CallerNotLicensor(id, msg.sender);
        License storage self = _licenses[number];
        uint256 earliest = block.timestamp + self.notice;
        if (at < earliest) revert StopTooEarly(at, earliest);
        uint40 current = self.stopAt;
        if (current != 0 && at >= current) revert StopNotEarlier(at, current);

        self.stopAt = at;
        if (self.parent == 0) ++_changes[_designs[number]];

        emit LicenseStopped(id, at);
    }

    /// @inheritdoc ILicenseRegistry
    function pay(uint40 lane_, uint40 number, uint40 paid, uint40 units) external payable {
        uint40 unpaid = _unpaid(lane_, number);
        uint40 actual = _paid[lane_][number];
        if (paid != actual) revert PaymentStale(lane_, paid, actual);
        Price memory price = _prices[number];
        if (price.royalty == 0) revert RoyaltyNone(number);
        if (units == 0 || units > unpaid) revert PaymentInvalid(lane_, units, unpaid);

        _paid[lane_][number] = paid + units;
        address to = _licensorAccount(number);
        uint256 amount = uint256(units) * price.royalty;

        emit RoyaltyPaid(lane_, number, to, price.currency, units, amount);
        _take(price.currency, amount, to);
    }

    /// @inheritdoc ILicenseRegistry
    function withdraw(address currency, address to) external returns (uint256 amount) {
        if (to == address(0)) revert RecipientMissing();
        amount = _credits[currency][msg.sender];
        if (amount == 0) revert CreditMissing(currency, msg.sender);

        _credits[currency][msg.sender] = 0;

        emit CreditWithdrawn(currency, msg.sender, to, amount);
        if (currency == address(0)) Address.sendValue(payable(to), amount);
        else IERC20(currency).safeTransfer(to, amount);
    }

    /// @inheritdoc ILicenseRegistry
    function draw(uint40 lane_, uint40 n, uint40 log) external returns (uint40 first) {
        if (msg.sender != address(_log)) revert CallerNotBuildLog(msg.sender);
        Lane memory self = _lanes[lane_];
        // slither-disable-next-line incorrect-equality 0 says that there is none
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
        return _numbers[id].number;
    }

    /// @inheritdoc ILicenseRegistry
    function grantedAt(bytes32 id) external view returns (uint40) {
        return _numbers[id].at;
    }

    /// @inheritdoc ILicenseRegistry
    function extensionOf(uint40 number, uint40 first) external view returns (Extension memory) {
        return _extensions[number][first];
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
        return _holders[_origins[number].source];
    }

    /// @inheritdoc ILicenseRegistry
    function originOf(uint40 number) external view returns (Origin memory) {
        return _origins[number];
    }

    /// @inheritdoc ILicenseRegistry
    function firstLaneOf(uint40 number) external view returns (uint40) {
        return _firstLanes[number];
    }

    /// @inheritdoc ILicenseRegistry
    function priceOf(uint40 number) external view returns (Price memory) {
        return _prices[number];
    }

    /// @inheritdoc ILicenseRegistry
    function owed(uint40 lane_, uint40 number) external view returns (uint256) {
        return uint256(_unpaid(lane_, number)) * _prices[number].royalty;
    }

    /// @inheritdoc ILicenseRegistry
    function paidUnits(uint40 lane_, uint40 number) external view returns (uint40) {
        return _paid[lane_][number];
    }

    /// @inheritdoc ILicenseRegistry
    function creditOf(address currency, address account) external view returns (uint256) {
        return _credits[currency][account];
    }

    /// @inheritdoc ILicenseRegistry
    function changesOf(bytes32 design) external view returns (uint40) {
        return _changes[design];
    }

    /// @dev `source` is the lane that its units were cut from, 0 for a root.
    function _addLicense(bytes32 id, Terms calldata terms, uint40 first, uint40 source)
        private
        returns (uint40 number, uint40 firstLane)
    {
        uint40 parent = _lanes[source].license;
        number = ++_licenseCount;
        uint40 time = uint40(block.timestamp);
        _numbers[id] = Granted({number: number, at: time});
        _ids[number] = id;
        _designs[number] = terms.design;
        // slither-disable-next-line incorrect-equality 0 says that there is none
        _licenses[number] = License({
            units: terms.units,
            notBefore: terms.notBefore,
            notAfter: terms.notAfter,
            stopAt: 0,
            notice: terms.notice,
            parent: parent,
            depth: parent == 0 ? 0 : _licenses[parent].depth + 1
        });
        if (terms.royalty != 0) {
            // forge-lint: disable-next-line(unsafe-typecast) sound terms have a royalty that fits
            _prices[number] = Price({currency: terms.currency, royalty: uint96(terms.royalty)});
        }
        firstLane = _addLane(number, first, first + terms.units, 0, terms.holder);
        _firstLanes[number] = firstLane;
        if (source != 0) _origins[firstLane] = Origin({source: source, at: time});
    }

    function _extend(uint40 number, uint40 first, uint40 end, uint40 epoch)
        private
        returns (uint40 newLane)
    {
        uint40 time = uint40(block.timestamp);
        _extensions[number][first] = Extension({end: end, epoch: epoch, at: time});
        newLane = _addLane(number, first, end, 0, _holders[_firstLanes[number]]);
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

    /// @dev Takes the last `n` undrawn units off a lane; the caller makes a lane of them.
    function _cut(uint40 lane_, uint40 end, uint40 n) private returns (uint40 first) {
        Lane storage from = _lanes[lane_];
        if (from.end != end) revert LaneEndStale(lane_, end, from.end);
        if (from.reclaimAt != 0) revert LaneUnderReclaim(lane_, from.reclaimAt);
        if (n == 0) revert SplitEmpty();
        uint40 undrawn = end - from.next;
        if (n > undrawn) revert SplitTooLarge(lane_, n, undrawn);

        first = end - n;
        from.end = first;
    }

    function _announceReclaim(uint40 lane_, uint40 number) private returns (uint40) {
        uint256 at = block.timestamp + _licenses[number].notice;
        if (at > type(uint40).max) revert ReclaimNever(lane_, at);

        // forge-lint: disable-next-line(unsafe-typecast) compared one line above
        uint40 reclaimAt = uint40(at);
        _lanes[lane_].reclaimAt = reclaimAt;

        emit LaneReclaimAnnounced(lane_, reclaimAt);
        return 0;
    }

    function _takeFee(bytes32 id, Terms calldata terms, address to) private {
        if (terms.fee != 0) emit FeePaid(id, to, terms.currency, terms.fee);
        _take(terms.currency, terms.fee, to);
    }

    /// @dev From the caller into the contract, where it waits for whom it is for: nobody who
    /// refuses coins, or whom a coin refuses, holds up those who pay.
    function _take(address currency, uint256 amount, address to) private {
        uint256 value = currency == address(0) ? amount : 0;
        if (msg.value != value) revert ValueMismatch(value, msg.value);
        if (amount == 0) return;
        _credits[currency][to] += amount;
        if (currency == address(0)) return;

        uint256 held = IERC20(currency).balanceOf(address(this));
        IERC20(currency).safeTransferFrom(msg.sender, address(this), amount);
        uint256 holds = IERC20(currency).balanceOf(address(this));
        if (holds < held || holds - held != amount) revert CoinShort(currency, amount);
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

    /// @dev Nothing more is given under a license that has ended, or that it or one above is
    /// stopped from some time on.
    function _requireNotEnding(uint40 number) private view {
        while (number != 0) {
            License memory self = _licenses[number];
            bool hasEnded = self.notAfter != 0 && block.timestamp >= self.notAfter;
            if (hasEnded || self.stopAt != 0) revert LicenseEnding(_ids[number]);
            number = self.parent;
        }
    }

    /// @dev What holds of all terms, whatever they are under; returns the license's id.
    function _requireSound(Terms calldata terms, bytes32 parent, bytes calldata licenseeSignature)
        private
        view
        returns (bytes32 id)
    {
        _requireUnits(terms.units);
        if (terms.notAfter != 0 && terms.notAfter <= terms.notBefore) {
            revert TermsWindowEmpty(terms.notBefore, terms.notAfter);
        }
        if (terms.parent != parent) revert TermsParentMismatch(terms.parent, parent);
        if (terms.royalty > type(uint96).max) revert TermsRoyaltyTooLarge(terms.royalty);
        if (block.timestamp > terms.offerUntil) revert OfferExpired(terms.offerUntil);
        _requireOrganizationOrSite(terms.holder);
        id = _licenseId(terms);
        if (_numbers[id].number != 0) revert LicenseGrantedAlready(id);
        _requireAccepted(terms, id, licenseeSignature);
    }

    function _requireAccepted(Terms calldata terms, bytes32 id, bytes calldata signature)
        private
        view
    {
        if (terms.royalty == 0 && terms.fee == 0) return;
        address licensee = _identities.controllerOf(terms.holder);
        bytes32 content = keccak256(abi.encode(ACCEPTANCE_TYPE, _hash(terms)));
        if (!_consents(licensee, _hashTypedDataV4(content), signature)) {
            revert LicenseeSignatureInvalid(id, licensee);
        }
    }

    /// @dev What holds of a license under another one.
    function _requireFits(Terms calldata terms, uint40 parent) private view {
        License memory above = _licenses[parent];
        if (above.depth >= MAX_DEPTH) revert SublicenseTooDeep(above.depth + 1);
        bytes32 design = _designs[parent];
        if (terms.design != design) revert TermsDesignMismatch(terms.design, design);
        if (terms.designEpoch != 0) revert DesignEpochStale(design, terms.designEpoch, 0);
        if (terms.notice > above.notice) revert TermsNoticeTooLong(terms.notice, above.notice);
        _requireNotEnding(parent);
    }

    function _requireGiven(
        uint40 lane_,
        uint40 end,
        Terms calldata terms,
        bytes32 id,
        bytes calldata signature
    ) private view returns (address licensor) {
        licensor = _identities.controllerOf(_holders[lane_]);
        bytes32 content = keccak256(abi.encode(SUBLICENSE_TYPE, lane_, end, _hash(terms)));
        if (!_consents(licensor, _hashTypedDataV4(content), signature)) {
            revert LicensorSignatureInvalid(id, licensor);
        }
    }

    function _requireOwnerExtends(
        bytes32 id,
        uint40 units,
        uint40 more,
        uint40 offerUntil,
        bytes calldata signature
    ) private view returns (uint40 epoch) {
        bytes32 design = _designs[_numbers[id].number];
        epoch = _designRegistry.design(design).epoch;
        bytes32 content = keccak256(abi.encode(EXTENSION_TYPE, id, epoch, units, more, offerUntil));
        address owner = _designRegistry.designOwner(design);
        if (!_consents(owner, _hashTypedDataV4(content), signature)) {
            revert OwnerSignatureInvalid(id, owner);
        }
    }

    function _ownerAt(bytes32 design, uint40 epoch) private view returns (address owner) {
        owner = _designRegistry.designOwner(design);
        uint40 actual = _designRegistry.design(design).epoch;
        if (epoch != actual) revert DesignEpochStale(design, epoch, actual);
    }

    /// @dev Who may stop a license and whom its royalty is for, in this block.
    function _licensorAccount(uint40 number) private view returns (address) {
        uint40 source = _origins[_firstLanes[number]].source;
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (source == 0) return _designRegistry.designOwner(_designs[number]);
        return _identities.controllerOf(_holders[source]);
    }

    /// @dev How many drawn units of a lane were not paid for to the licensor of `number`, which is
    /// the lane's license or one above it; the depth bounds the walk.
    function _unpaid(uint40 lane_, uint40 number) private view returns (uint40) {
        Lane memory self = _knownLane(lane_);
        uint40 above = self.license;
        while (above != 0 && above != number) above = _licenses[above].parent;
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (above == 0) revert LicenseNotAbove(lane_, number);
        return self.next - self.first - _paid[lane_][number];
    }

    function _knownLane(uint40 lane_) private view returns (Lane memory self) {
        self = _lanes[lane_];
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (self.license == 0) revert LaneUnknown(lane_);
    }

    function _knownLicense(bytes32 id) private view returns (uint40 number) {
        number = _numbers[id].number;
        // slither-disable-next-line incorrect-equality 0 says that there is none
        if (number == 0) revert LicenseUnknown(id);
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

    /// @dev Who calls need not sign as well.
    function _consents(address account, bytes32 digest, bytes calldata signature)
        private
        view
        returns (bool)
    {
        return account == msg.sender
            || SignatureChecker.isValidSignatureNowCalldata(account, digest, signature);
    }

    function _licenseId(Terms calldata terms) private view returns (bytes32) {
        return _hashTypedDataV4(_hash(terms));
    }

    function _hash(Terms calldata terms) private pure returns (bytes32) {
        return keccak256(abi.encode(TERMS_TYPE, terms));
    }

    function _requireUnits(uint40 units) private pure {
        if (units == 0) revert TermsUnitsMissing();
        if (units > MAX_UNITS) revert TermsUnitsTooMany(units, MAX_UNITS);
    }
}
