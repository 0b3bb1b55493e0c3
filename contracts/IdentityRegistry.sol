// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "./interfaces/IIdentityRegistry.sol";

/// @title Global ID: organizations, sites, machines and authorities, with links, keys and claims
contract IdentityRegistry is IIdentityRegistry {
    /// @dev What guardians are about; votes and tallies count within a round.
    struct Guarding {
        Guardianship standing;
        GuardianChange change;
        Recovery recovery;
        mapping(uint32 epoch => mapping(address account => bool)) guardians;
        mapping(uint32 round => mapping(address guardian => address)) votes;
        mapping(uint32 round => mapping(address candidate => Tally)) tallies;
    }

    /// @dev Which suspicion each guardian backs, and how many back each.
    struct Backing {
        mapping(address guardian => uint40 from) named;
        mapping(uint40 from => uint8 count) backers;
    }

    bytes32 private constant IDENTITY_DOMAIN = keccak256("guildmark/identity/v1");
    bytes32 private constant KEY_DOMAIN = keccak256("guildmark/key/v1");
    bytes32 private constant CLAIM_DOMAIN = keccak256("guildmark/claim/v1");
    bytes32 private constant ACCREDITATION_DOMAIN = keccak256("guildmark/accreditation/v1");
    bytes32 private constant CONTROLLER_DOMAIN = keccak256("guildmark/controller/v1");
    string private constant CLAIM_TAG = "guildmark/claim/v1";
    uint256 private constant SCHEME_MAX = 32;
    uint256 private constant VALUE_MAX = 64;
    uint256 private constant GUARDIANS_MAX = 16;
    uint40 private constant DELAY_MIN = 1 days;
    uint40 private constant DELAY_MAX = 90 days;

    mapping(bytes32 id => Identity identity) private _identities;
    mapping(bytes32 id => mapping(uint40 number => Controller controller)) private _controllers;
    mapping(bytes32 id => bytes32 profile) private _profiles;
    mapping(bytes32 child => bytes32 parent) private _parents;
    mapping(
        bytes32 child => mapping(bytes32 parent => mapping(uint40 number => Interval interval))
    ) private _links;
    mapping(bytes32 child => mapping(bytes32 parent => uint40 count)) private _linkCounts;
    mapping(bytes32 child => mapping(bytes32 parent => bool requested)) private _linkRequests;
    mapping(bytes32 id => address controller) private _pendingControllers;
    mapping(bytes32 key => Key state) private _keys;
    mapping(bytes32 claim => Interval interval) private _claims;
    /// @dev A key's and a claim's id bind whose they are, but cannot be read backwards.
    mapping(bytes32 key => bytes32 machine) private _keyMachines;
    mapping(bytes32 claim => bytes32 issuer) private _claimIssuers;
    mapping(bytes32 number => bytes32 claim) private _numbers;
    mapping(bytes32 id => Guarding guarding) private _guardings;
    mapping(bytes32 accreditation => Accreditation state) private _accreditations;
    /// @dev By 0: a controller's own notice, or his guardians'; a key's such notice is in its slot.
    mapping(bytes32 target => mapping(bytes32 by => Notice notice)) private _notices;
    mapping(bytes32 target => mapping(uint32 epoch => Backing backing)) private _backings;
    /// @dev Of a profile that stood from the registration on, nothing is written before it ends.
    mapping(bytes32 id => mapping(bytes32 profile => Interval interval)) private _profileTimes;

    /// @inheritdoc IIdentityRegistry
    function register(Kind kind, bytes32 salt, bytes32 profile) external returns (bytes32 id) {
        if (kind == Kind.None) revert KindMissing();
        id = keccak256(abi.encode(IDENTITY_DOMAIN, block.chainid, address(this), msg.sender, salt));
        if (_identities[id].kind != Kind.None) revert IdentityRegisteredAlready(id);

        uint40 time = uint40(block.timestamp);
        _identities[id] = Identity({
            controller: msg.sender,
            kind: kind,
            since: time,
            controllers: 1,
            isInRecovery: false,
            isUnderNotice: false
        });
        _controllers[id][1] = Controller({account: msg.sender, from: time});
        _profiles[id] = profile;

        emit IdentityRegistered(id, kind, msg.sender, salt, profile);
    }

    /// @inheritdoc IIdentityRegistry
    function setProfile(bytes32 id, bytes32 profile) external {
        _requireController(id);
        bytes32 current = _profiles[id];

        if (profile != current) {
            _endProfile(id, current);
            _beginProfile(id, profile);
            _profiles[id] = profile;
        }

        emit ProfileChanged(id, profile);
    }

    /// @inheritdoc IIdentityRegistry
    function proposeController(bytes32 id, address controller) external {
        _requireController(id);
        if (controller == address(0)) revert ControllerMissing();

        _pendingControllers[id] = controller;

        emit ControllerProposed(id, controller);
    }

    /// @inheritdoc IIdentityRegistry
    function acceptController(bytes32 id) external {
        if (_pendingControllers[id] != msg.sender) revert ControllerNotProposed(id, msg.sender);

        _takeOver(id);
    }

    /// @inheritdoc IIdentityRegistry
    function setGuardians(bytes32 id, address[] calldata guardians, uint8 threshold, uint40 delay)
        external
    {
        _requireController(id);
        _checkGuardians(guardians, threshold, delay);

        Guardianship storage self = _guardings[id].standing;
        GuardianChange storage change = _guardings[id].change;
        uint40 readyAt = uint40(block.timestamp) + (self.count == 0 ? 0 : self.delay);
        uint32 epoch = change.epoch + 1;
        _guardings[id].change = GuardianChange({
            threshold: threshold,
            count: uint8(guardians.length),
            delay: delay,
            readyAt: readyAt,
            epoch: epoch
        });
        for (uint256 i = 0; i < guardians.length; ++i) {
            _guardings[id].guardians[epoch][guardians[i]] = true;
        }

        emit GuardiansProposed(id, epoch, guardians, threshold, delay, readyAt);
        if (self.count == 0) _applyGuardians(id);
    }

    /// @inheritdoc IIdentityRegistry
    function applyGuardians(bytes32 id) external {
        _requireController(id);
        uint40 readyAt = _guardings[id].change.readyAt;
        if (readyAt == 0) revert GuardianChangeMissing(id);
        if (block.timestamp < readyAt) revert GuardianChangeTooEarly(readyAt);
        if (_guardings[id].recovery.controller != address(0)) revert RecoveryRunning(id);

        _applyGuardians(id);
    }

    /// @inheritdoc IIdentityRegistry
    function supportCandidate(bytes32 id, address candidate) external {
        Guardianship memory self = _guardings[id].standing;
        _requireGuardian(id, self.epoch);
        address before = _guardings[id].votes[self.round][msg.sender];
        if (candidate == before || candidate == _identities[id].controller) {
            revert CandidateInvalid(candidate);
        }

        _guardings[id].votes[self.round][msg.sender] = candidate;
        uint8 backers = 0;
        if (before != address(0)) --_guardings[id].tallies[self.round][before].backers;
        if (candidate != address(0)) {
            backers = ++_guardings[id].tallies[self.round][candidate].backers;
        }

        emit CandidateSupported(id, msg.sender, candidate, backers);
        _startOrEnd(id, self, candidate);
    }

    /// @inheritdoc IIdentityRegistry
    function cancelRecovery(bytes32 id) external {
        _requireController(id);
        Guardianship memory self = _guardings[id].standing;
        address candidate = _runningCandidate(id);
        Tally storage tally = _guardings[id].tallies[self.round][candidate];
        if (tally.backers > self.threshold) revert RecoveryBeyondVeto(id, tally.backers);

        tally.isVetoed = true;

        emit RecoveryCancelled(id, candidate);
        _endRecovery(id, candidate);
    }

    /// @inheritdoc IIdentityRegistry
    function acceptRecovery(bytes32 id) external {
        address candidate = _runningCandidate(id);
        if (candidate != msg.sender) revert CallerNotCandidate(id, msg.sender);
        uint40 readyAt = _guardings[id].recovery.readyAt;
        if (block.timestamp < readyAt) revert RecoveryTooEarly(readyAt);

        ++_guardings[id].standing.round;
        _guardings[id].change.readyAt = 0;
        _endRecovery(id, candidate);
        _takeOver(id);
    }

    /// @inheritdoc IIdentityRegistry
    function requestLink(bytes32 child, bytes32 parent) external {
        _requireController(child);
        Kind childKind = _identities[child].kind;
        Kind parentKind = _identities[parent].kind;
        if (parentKind == Kind.None) revert IdentityUnknown(parent);
        if (!_mayLink(childKind, parentKind)) revert LinkKindsMismatch(childKind, parentKind);
        if (_parents[child] == parent) revert LinkOpenAlready(child, parent);
        if (_linkRequests[child][parent]) revert LinkRequestedAlready(child, parent);

        _linkRequests[child][parent] = true;

        emit LinkRequested(child, parent);
    }

    /// @inheritdoc IIdentityRegistry
    function acceptLink(bytes32 child, bytes32 parent) external returns (uint40 number) {
        _requireController(parent);
        if (!_linkRequests[child][parent]) revert LinkNotRequested(child, parent);
        if (_parents[child] != 0) revert LinkOpenAlready(child, _parents[child]);

        number = ++_linkCounts[child][parent];
        _links[child][parent][number] = Interval({from: uint40(block.timestamp), to: 0});
        _parents[child] = parent;
        delete _linkRequests[child][parent];

        emit LinkAccepted(child, parent, number);
    }

    /// @inheritdoc IIdentityRegistry
    function endLink(bytes32 child, bytes32 parent) external {
        if (_identities[parent].controller != msg.sender) _requireController(child);

        // slither-disable-next-line uninitialized-local 0 where only a request ends
        uint40 number = 0;
        if (parent != 0 && _parents[child] == parent) {
            number = _linkCounts[child][parent];
            _links[child][parent][number].to = uint40(block.timestamp);
            delete _parents[child];
        } else {
            if (!_linkRequests[child][parent]) revert LinkNotOpen(child, parent);
            delete _linkRequests[child][parent];
        }

        emit LinkEnded(child, parent, number);
    }

    /// @inheritdoc IIdentityRegistry
    function addKey(bytes32 machine, Algorithm algorithm, bytes calldata publicKey)
        external
        returns (bytes32 key)
    {
        _requireController(machine);
        Kind kind = _identities[machine].kind;
        if (kind != Kind.Machine) revert KeyHolderNotMachine(machine, kind);
        if (!_isPublicKey(algorithm, publicKey)) revert PublicKeyInvalid(algorithm, publicKey);
        key = keccak256(abi.encode(KEY_DOMAIN, machine, algorithm, publicKey));
        if (_keys[key].from != 0) revert KeyAddedAlready(key);

        _keys[key].algorithm = algorithm;
        _keys[key].from = uint40(block.timestamp);
        _keyMachines[key] = machine;

        emit KeyAdded(key, machine, algorithm, publicKey);
    }

    /// @inheritdoc IIdentityRegistry
    function endKey(bytes32 machine, bytes32 key) external {
        _requireController(machine);
        Key storage self = _keyOf(machine, key);
        if (self.to != 0) revert KeyEndedAlready(key);

        self.to = uint40(block.timestamp);

        emit KeyEnded(key, machine);
    }

    /// @inheritdoc IIdentityRegistry
    function giveNotice(bytes32 machine, bytes32 key, uint40 suspectedFrom, bytes32 evidence)
        external
    {
        _requireController(machine);
        Key storage self = _keyOf(machine, key);
        _checkSuspicion(_noticeOf(self), suspectedFrom);
        _requireOwnTime(machine, suspectedFrom);

        _doubtKey(machine, key, suspectedFrom, evidence, false);
    }

    /// @inheritdoc IIdentityRegistry
    function giveControllerNotice(bytes32 id, uint40 suspectedFrom, bytes32 evidence) external {
        _requireController(id);
        uint32 number = _identities[id].controllers;
        _checkSuspicion(_notices[controllerTarget(id, number)][0], suspectedFrom);
        _requireOwnTime(id, suspectedFrom);

        _doubtController(id, number, suspectedFrom, evidence, false);
    }

    /// @inheritdoc IIdentityRegistry
    function backKeyNotice(bytes32 machine, bytes32 key, uint40 suspectedFrom, bytes32 evidence)
        external
    {
        Notice memory notice = _noticeOf(_keyOf(machine, key));
        if (!_back(machine, key, notice, suspectedFrom)) return;

        _doubtKey(machine, key, suspectedFrom, evidence, true);
    }

    /// @inheritdoc IIdentityRegistry
    function backControllerNotice(bytes32 id, uint32 number, uint40 suspectedFrom, bytes32 evidence)
        external
    {
        bytes32 target = _requireTarget(id, number);
        if (!_back(id, target, _notices[target][0], suspectedFrom)) return;

        _doubtController(id, number, suspectedFrom, evidence, true);
    }

    /// @inheritdoc IIdentityRegistry
    function giveAuthorityKeyNotice(
        bytes32 authority,
        bytes32 machine,
        bytes32 key,
        uint40 suspectedFrom,
        bytes32 evidence
    ) external {
        if (_keyMachines[key] != machine || machine == 0) revert KeyUnknown(key);

        _warn(authority, key, machine, 0, suspectedFrom, evidence);
    }

    /// @inheritdoc IIdentityRegistry
    function giveAuthorityControllerNotice(
        bytes32 authority,
        bytes32 id,
        uint32 number,
        uint40 suspectedFrom,
        bytes32 evidence
    ) external {
        bytes32 target = _requireTarget(id, number);

        _warn(authority, target, id, number, suspectedFrom, evidence);
    }

    /// @inheritdoc IIdentityRegistry
    function claim(
        bytes32 issuer,
        bytes32 subject,
        bytes32 scheme,
        bytes32 digest,
        bytes32 evidence
    ) external returns (bytes32 id) {
        id = _claim(issuer, subject, scheme, digest, evidence);
    }

    /// @inheritdoc IIdentityRegistry
    function claimPublic(
        bytes32 issuer,
        bytes32 subject,
        bytes32 scheme,
        string calldata value,
        bytes32 salt,
        bytes32 evidence
    ) external returns (bytes32 id) {
        bytes memory name = _nameOf(scheme);
        if (bytes32(name) != scheme || !_isWord(name, SCHEME_MAX)) revert SchemeInvalid(scheme);
        if (!_isWord(bytes(value), VALUE_MAX)) revert ValueInvalid(value);
        bytes32 number = keccak256(abi.encode(issuer, scheme, value));
        bytes32 other = _numbers[number];
        if (other != 0 && _claims[other].to == 0) revert NumberClaimedAlready(other);

        bytes32 digest = sha256(abi.encodePacked(CLAIM_TAG, salt, name, uint8(0), value));
        id = _claim(issuer, subject, scheme, digest, evidence);
        _numbers[number] = id;

        emit ClaimShown(id, salt, value);
    }

    /// @inheritdoc IIdentityRegistry
    function revokeClaim(bytes32 issuer, bytes32 claimId) external {
        _requireSettledController(issuer);
        if (_claimIssuers[claimId] != issuer) revert ClaimUnknown(claimId);
        if (_claims[claimId].to != 0) revert ClaimRevokedAlready(claimId);

        _claims[claimId].to = uint40(block.timestamp);

        emit ClaimRevoked(claimId);
    }

    /// @inheritdoc IIdentityRegistry
    function accredit(bytes32 issuer, bytes32 subject, bytes32 scope, uint40 from, uint40 to)
        external
        returns (bytes32 id)
    {
        _requireSettledController(issuer);
        if (_identities[subject].kind == Kind.None) revert IdentityUnknown(subject);
        uint40 time = uint40(block.timestamp);
        if (from == 0) from = time;
        if (from < time) revert AccreditationBackDated(from, time);
        if (to != 0 && to <= from) revert AccreditationEmpty(from, to);
        id = _accreditationId(issuer, subject, scope);
        if (_accreditations[id].from != 0) revert AccreditedAlready(id);

        _accreditations[id] = Accreditation({from: from, to: to, revokedAt: 0, recordedAt: time});

        emit Accredited(id, issuer, subject, scope, from, to);
    }

    /// @inheritdoc IIdentityRegistry
    function revokeAccreditation(bytes32 issuer, bytes32 subject, bytes32 scope) external {
        _requireSettledController(issuer);
        bytes32 id = _accreditationId(issuer, subject, scope);
        if (_accreditations[id].from == 0) revert AccreditationUnknown(id);
        if (_accreditations[id].revokedAt != 0) revert AccreditationRevokedAlready(id);

        _accreditations[id].revokedAt = uint40(block.timestamp);

        emit AccreditationRevoked(id);
    }

    /// @inheritdoc IIdentityRegistry
    function identity(bytes32 id) external view returns (Identity memory) {
        return _identities[id];
    }

    /// @inheritdoc IIdentityRegistry
    function controllerOf(bytes32 id) external view returns (address) {
        return _controllerOf(id);
    }

    /// @inheritdoc IIdentityRegistry
    function speakerOf(bytes32 id)
        external
        view
        returns (address controller, bool isInRecovery, bool isUnderNotice)
    {
        Identity storage self = _identities[id];
        return (_controllerOf(id), self.isInRecovery, self.isUnderNotice);
    }

    /// @inheritdoc IIdentityRegistry
    function kindOf(bytes32 id) external view returns (Kind) {
        return _identities[id].kind;
    }

    /// @inheritdoc IIdentityRegistry
    function controllerAt(bytes32 id, uint40 number) external view returns (Controller memory) {
        return _controllers[id][number];
    }

    /// @inheritdoc IIdentityRegistry
    function profileOf(bytes32 id) external view returns (bytes32) {
        return _profiles[id];
    }

    /// @inheritdoc IIdentityRegistry
    function profileTimes(bytes32 id, bytes32 profile)
        external
        view
        returns (Interval memory self)
    {
        self = _profileTimes[id][profile];
        // slither-disable-next-line incorrect-equality 0 says that there is none
        bool isFirst = self.from == 0 && profile != 0 && profile == _profiles[id];
        if (isFirst) self.from = _identities[id].since;
    }

    /// @inheritdoc IIdentityRegistry
    function parentOf(bytes32 child) external view returns (bytes32) {
        return _parents[child];
    }

    /// @inheritdoc IIdentityRegistry
    function link(bytes32 child, bytes32 parent, uint40 number)
        external
        view
        returns (Interval memory)
    {
        return _links[child][parent][number];
    }

    /// @inheritdoc IIdentityRegistry
    function linkCount(bytes32 child, bytes32 parent) external view returns (uint40) {
        return _linkCounts[child][parent];
    }

    /// @inheritdoc IIdentityRegistry
    function keyOf(bytes32 key) external view returns (Key memory) {
        return _keys[key];
    }

    /// @inheritdoc IIdentityRegistry
    function claimOf(bytes32 claimId) external view returns (Interval memory) {
        return _claims[claimId];
    }

    /// @inheritdoc IIdentityRegistry
    function claimFor(bytes32 issuer, bytes32 scheme, string calldata value)
        external
        view
        returns (bytes32)
    {
        return _numbers[keccak256(abi.encode(issuer, scheme, value))];
    }

    /// @inheritdoc IIdentityRegistry
    function accreditationOf(bytes32 accreditation) external view returns (Accreditation memory) {
        return _accreditations[accreditation];
    }

    /// @inheritdoc IIdentityRegistry
    function guardianshipOf(bytes32 id) external view returns (Guardianship memory) {
        return _guardings[id].standing;
    }

    /// @inheritdoc IIdentityRegistry
    function guardianChangeOf(bytes32 id) external view returns (GuardianChange memory) {
        return _guardings[id].change;
    }

    /// @inheritdoc IIdentityRegistry
    function isGuardian(bytes32 id, address account) external view returns (bool) {
        return _guardings[id].guardians[_guardings[id].standing.epoch][account];
    }

    /// @inheritdoc IIdentityRegistry
    function recoveryOf(bytes32 id) external view returns (Recovery memory) {
        return _guardings[id].recovery;
    }

    /// @inheritdoc IIdentityRegistry
    function tallyOf(bytes32 id, address candidate) external view returns (Tally memory) {
        return _guardings[id].tallies[_guardings[id].standing.round][candidate];
    }

    /// @inheritdoc IIdentityRegistry
    function noticeOn(bytes32 target, bytes32 by) external view returns (Notice memory) {
        return _notices[target][by];
    }

    /// @inheritdoc IIdentityRegistry
    function backingOf(bytes32 id, bytes32 target, address guardian)
        external
        view
        returns (uint40 suspectedFrom, uint8 backers)
    {
        Backing storage backing = _backings[target][_guardings[id].standing.epoch];
        suspectedFrom = backing.named[guardian];
        backers = backing.backers[suspectedFrom];
    }

    /// @inheritdoc IIdentityRegistry
    function controllerTarget(bytes32 id, uint32 number) public pure returns (bytes32) {
        return keccak256(abi.encode(CONTROLLER_DOMAIN, id, number));
    }

    function _claim(
        bytes32 issuer,
        bytes32 subject,
        bytes32 scheme,
        bytes32 digest,
        bytes32 evidence
    ) private returns (bytes32 id) {
        _requireSettledController(issuer);
        if (_identities[subject].kind == Kind.None) revert IdentityUnknown(subject);
        id = keccak256(abi.encode(CLAIM_DOMAIN, issuer, subject, scheme, digest));
        if (_claims[id].from != 0) revert ClaimMadeAlready(id);

        _claims[id].from = uint40(block.timestamp);
        _claimIssuers[id] = issuer;

        emit ClaimMade(id, issuer, subject, scheme, digest, evidence);
    }

    /// @dev No profile at all is none that ends, so that it may be chosen again.
    function _endProfile(bytes32 id, bytes32 profile) private {
        if (profile == 0) return;
        Interval storage self = _profileTimes[id][profile];
        if (self.from == 0) self.from = _identities[id].since;
        self.to = uint40(block.timestamp);
    }

    function _beginProfile(bytes32 id, bytes32 profile) private {
        if (profile == 0) return;
        Interval storage self = _profileTimes[id][profile];
        if (self.from != 0) revert ProfileUsedBefore(id, profile);
        self.from = uint40(block.timestamp);
    }

    function _takeOver(bytes32 id) private {
        Identity storage self = _identities[id];
        uint32 number = self.controllers + 1;
        self.controller = msg.sender;
        self.controllers = number;
        self.isUnderNotice = false;
        _controllers[id][number] = Controller({account: msg.sender, from: uint40(block.timestamp)});
        delete _pendingControllers[id];

        emit ControllerChanged(id, msg.sender, number);
    }

    function _doubtKey(
        bytes32 machine,
        bytes32 key,
        uint40 suspectedFrom,
        bytes32 evidence,
        bool isByGuardians
    ) private {
        Key storage self = _keys[key];
        if (self.noticeAt == 0) self.noticeAt = uint40(block.timestamp);
        self.suspectedFrom = suspectedFrom;

        emit KeyNoticeGiven(key, machine, self.noticeAt, suspectedFrom, evidence, isByGuardians);
    }

    /// @dev Only a notice on who controls the identity now bears on what it may do now.
    function _doubtController(
        bytes32 id,
        uint32 number,
        uint40 suspectedFrom,
        bytes32 evidence,
        bool isByGuardians
    ) private {
        uint40 at = _doubt(controllerTarget(id, number), 0, suspectedFrom);
        if (number == _identities[id].controllers) _identities[id].isUnderNotice = true;

        emit ControllerNoticeGiven(id, number, at, suspectedFrom, evidence, isByGuardians);
    }

    function _warn(
        bytes32 authority,
        bytes32 target,
        bytes32 id,
        uint32 number,
        uint40 suspectedFrom,
        bytes32 evidence
    ) private {
        _requireController(authority);
        Kind kind = _identities[authority].kind;
        if (kind != Kind.Authority) revert NoticeGiverNotAuthority(authority, kind);
        _checkSuspicion(_notices[target][authority], suspectedFrom);

        uint40 at = _doubt(target, authority, suspectedFrom);

        emit AuthorityNoticeGiven(target, authority, id, number, at, suspectedFrom, evidence);
    }

    function _doubt(bytes32 target, bytes32 by, uint40 suspectedFrom) private returns (uint40 at) {
        at = _notices[target][by].at;
        if (at == 0) at = uint40(block.timestamp);
        _notices[target][by] = Notice({at: at, suspectedFrom: suspectedFrom});
    }

    /// @dev Returns whether as many guardians as it takes doubt the target from that time on.
    function _back(bytes32 id, bytes32 target, Notice memory notice, uint40 suspectedFrom)
        private
        returns (bool)
    {
        Guardianship memory self = _guardings[id].standing;
        _requireGuardian(id, self.epoch);
        Backing storage backing = _backings[target][self.epoch];
        uint40 before = backing.named[msg.sender];
        if (suspectedFrom == before) revert SuspicionBackedAlready(suspectedFrom);
        if (suspectedFrom != 0) {
            _checkSuspicion(notice, suspectedFrom);
            if (suspectedFrom < self.since) {
                revert SuspicionBeforeGuardians(suspectedFrom, self.since);
            }
        }

        backing.named[msg.sender] = suspectedFrom;
        if (before != 0) --backing.backers[before];
        uint8 count = 0;
        if (suspectedFrom != 0) count = ++backing.backers[suspectedFrom];

        emit NoticeBacked(target, msg.sender, suspectedFrom, count);
        return suspectedFrom != 0 && count >= self.threshold;
    }

    function _applyGuardians(bytes32 id) private {
        GuardianChange storage change = _guardings[id].change;
        _guardings[id].standing = Guardianship({
            threshold: change.threshold,
            count: change.count,
            delay: change.delay,
            since: uint40(block.timestamp),
            epoch: change.epoch,
            round: _guardings[id].standing.round + 1
        });
        change.readyAt = 0;

        emit GuardiansChanged(id, change.epoch);
    }

    /// @dev A candidate whom a controller vetoed needs one guardian more. Only who was supported
    /// now can start.
    function _startOrEnd(bytes32 id, Guardianship memory self, address candidate) private {
        address running = _guardings[id].recovery.controller;
        if (running != address(0)) {
            if (_hasEnough(id, self, running)) return;
            _endRecovery(id, running);
        }
        if (candidate == address(0) || !_hasEnough(id, self, candidate)) return;

        uint40 readyAt = uint40(block.timestamp) + self.delay;
        _guardings[id].recovery = Recovery({controller: candidate, readyAt: readyAt});
        _identities[id].isInRecovery = true;

        emit RecoveryStarted(id, candidate, readyAt);
    }

    function _endRecovery(bytes32 id, address candidate) private {
        delete _guardings[id].recovery;
        _identities[id].isInRecovery = false;

        emit RecoveryEnded(id, candidate);
    }

    function _hasEnough(bytes32 id, Guardianship memory self, address candidate)
        private
        view
        returns (bool)
    {
        Tally memory tally = _guardings[id].tallies[self.round][candidate];
        return tally.backers >= self.threshold + (tally.isVetoed ? 1 : 0);
    }

    function _runningCandidate(bytes32 id) private view returns (address candidate) {
        candidate = _guardings[id].recovery.controller;
        if (candidate == address(0)) revert RecoveryNotRunning(id);
    }

    function _controllerOf(bytes32 id) private view returns (address controller) {
        controller = _identities[id].controller;
        if (controller == address(0)) revert IdentityUnknown(id);
    }

    function _requireController(bytes32 id) private view {
        if (_controllerOf(id) != msg.sender) revert CallerNotController(id, msg.sender);
    }

    /// @dev Who speaks for an issuer in recovery is not settled.
    function _requireSettledController(bytes32 issuer) private view {
        _requireController(issuer);
        if (_identities[issuer].isInRecovery) revert IssuerInRecovery(issuer);
    }

    /// @dev The first notice doubts from its block at the latest; a later one, more.
    function _checkSuspicion(Notice memory notice, uint40 suspectedFrom) private view {
        uint40 time = uint40(block.timestamp);
        if (notice.at == 0) {
            if (suspectedFrom > time) revert SuspicionAfterNotice(suspectedFrom, time);
        } else if (suspectedFrom >= notice.suspectedFrom) {
            revert SuspicionNotEarlier(suspectedFrom, notice.suspectedFrom);
        }
    }

    /// @dev A new controller cannot doubt the old one's time.
    function _requireOwnTime(bytes32 id, uint40 suspectedFrom) private view {
        uint40 earliest = _controllers[id][_identities[id].controllers].from;
        if (suspectedFrom < earliest) revert SuspicionBeforeController(suspectedFrom, earliest);
    }

    function _requireTarget(bytes32 id, uint32 number) private view returns (bytes32) {
        if (number == 0 || number > _identities[id].controllers) {
            revert ControllerUnknown(id, number);
        }
        return controllerTarget(id, number);
    }

    function _noticeOf(Key storage key) private view returns (Notice memory) {
        return Notice({at: key.noticeAt, suspectedFrom: key.suspectedFrom});
    }

    function _requireGuardian(bytes32 id, uint32 epoch) private view {
        if (!_guardings[id].guardians[epoch][msg.sender]) {
            revert CallerNotGuardian(id, msg.sender);
        }
    }

    function _keyOf(bytes32 machine, bytes32 key) private view returns (Key storage) {
        if (_keyMachines[key] != machine) revert KeyUnknown(key);
        return _keys[key];
    }

    /// @dev Ascending order leaves no room for an account twice, or for 0.
    function _checkGuardians(address[] calldata guardians, uint8 threshold, uint40 delay)
        private
        pure
    {
        uint256 count = guardians.length;
        if (count > GUARDIANS_MAX) revert GuardiansTooMany(count);
        if (threshold > count || (threshold == 0) != (count == 0)) {
            revert GuardianThresholdInvalid(threshold, count);
        }
        bool isDelay = count == 0 ? delay == 0 : delay >= DELAY_MIN && delay <= DELAY_MAX;
        if (!isDelay) revert GuardianDelayInvalid(delay);
        address last = address(0);
        for (uint256 i = 0; i < count; ++i) {
            if (guardians[i] <= last) revert GuardiansNotAscending(guardians[i]);
            last = guardians[i];
        }
    }

    function _accreditationId(bytes32 issuer, bytes32 subject, bytes32 scope)
        private
        pure
        returns (bytes32)
    {
        return keccak256(abi.encode(ACCREDITATION_DOMAIN, issuer, subject, scope));
    }

    function _mayLink(Kind child, Kind parent) private pure returns (bool) {
        if (child == Kind.Machine) return parent == Kind.Site;
        return child == Kind.Site && parent == Kind.Organization;
    }

    /// @dev Compressed points begin with 2 or 3 (SEC 1, 2.3.3); whether one is on its curve is for
    /// who verifies.
    function _isPublicKey(Algorithm algorithm, bytes calldata publicKey)
        private
        pure
        returns (bool)
    {
        if (algorithm == Algorithm.Ed25519) return publicKey.length == 32;
        if (algorithm == Algorithm.None || publicKey.length != 33) return false;
        return publicKey[0] == 0x02 || publicKey[0] == 0x03;
    }

    /// @dev What stands before the first zero byte.
    function _nameOf(bytes32 scheme) private pure returns (bytes memory name) {
        uint256 size = 0;
        while (size < SCHEME_MAX && scheme[size] != 0) ++size;
        name = new bytes(size);
        for (uint256 i = 0; i < size; ++i) {
            name[i] = scheme[i];
        }
    }

    /// @dev Visible ASCII only, so that no two texts look alike by hidden or foreign characters.
    function _isWord(bytes memory text, uint256 most) private pure returns (bool) {
        if (text.length == 0 || text.length > most) return false;
        for (uint256 i = 0; i < text.length; ++i) {
            if (text[i] < 0x21 || text[i] > 0x7e) return false;
        }
        return true;
    }
}
