// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IIdentityRegistry} from "./interfaces/IIdentityRegistry.sol";

/// @title Global ID: organizations, sites, machines and authorities, with links, keys and claims
contract IdentityRegistry is IIdentityRegistry {
    bytes32 private constant IDENTITY_DOMAIN = keccak256("guildmark/identity/v1");
    bytes32 private constant KEY_DOMAIN = keccak256("guildmark/key/v1");
    bytes32 private constant CLAIM_DOMAIN = keccak256("guildmark/claim/v1");
    string private constant CLAIM_TAG = "guildmark/claim/v1";
    uint256 private constant SCHEME_MAX = 32;
    uint256 private constant VALUE_MAX = 64;

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

    /// @inheritdoc IIdentityRegistry
    function register(Kind kind, bytes32 salt, bytes32 profile) external returns (bytes32 id) {
        if (kind == Kind.None) revert KindMissing();
        id = keccak256(abi.encode(IDENTITY_DOMAIN, block.chainid, address(this), msg.sender, salt));
        if (_identities[id].kind != Kind.None) revert IdentityRegisteredAlready(id);

        uint40 time = uint40(block.timestamp);
        _identities[id] =
            Identity({controller: msg.sender, kind: kind, since: time, controllers: 1});
        _controllers[id][1] = Controller({account: msg.sender, from: time});
        _profiles[id] = profile;

        emit IdentityRegistered(id, kind, msg.sender, salt, profile);
    }

    /// @inheritdoc IIdentityRegistry
    function setProfile(bytes32 id, bytes32 profile) external {
        _requireController(id);

        _profiles[id] = profile;

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

        Identity storage self = _identities[id];
        uint40 number = self.controllers + 1;
        self.controller = msg.sender;
        self.controllers = number;
        _controllers[id][number] = Controller({account: msg.sender, from: uint40(block.timestamp)});
        delete _pendingControllers[id];

        emit ControllerChanged(id, msg.sender, number);
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
        uint40 noticeAt = self.noticeAt;
        if (noticeAt == 0) {
            noticeAt = uint40(block.timestamp);
            if (suspectedFrom > noticeAt) revert SuspicionAfterNotice(suspectedFrom, noticeAt);
        } else if (suspectedFrom >= self.suspectedFrom) {
            revert SuspicionNotEarlier(suspectedFrom, self.suspectedFrom);
        }
        uint40 earliest = _controllers[machine][_identities[machine].controllers].from;
        if (suspectedFrom < earliest) revert SuspicionBeforeController(suspectedFrom, earliest);

        self.noticeAt = noticeAt;
        self.suspectedFrom = suspectedFrom;

        emit KeyNoticeGiven(key, machine, noticeAt, suspectedFrom, evidence);
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
        _requireController(issuer);
        if (_claimIssuers[claimId] != issuer) revert ClaimUnknown(claimId);
        if (_claims[claimId].to != 0) revert ClaimRevokedAlready(claimId);

        _claims[claimId].to = uint40(block.timestamp);

        emit ClaimRevoked(claimId);
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

    function _claim(
        bytes32 issuer,
        bytes32 subject,
        bytes32 scheme,
        bytes32 digest,
        bytes32 evidence
    ) private returns (bytes32 id) {
        _requireController(issuer);
        if (_identities[subject].kind == Kind.None) revert IdentityUnknown(subject);
        id = keccak256(abi.encode(CLAIM_DOMAIN, issuer, subject, scheme, digest));
        if (_claims[id].from != 0) revert ClaimMadeAlready(id);

        _claims[id].from = uint40(block.timestamp);
        _claimIssuers[id] = issuer;

        emit ClaimMade(id, issuer, subject, scheme, digest, evidence);
    }

    function _controllerOf(bytes32 id) private view returns (address controller) {
        controller = _identities[id].controller;
        if (controller == address(0)) revert IdentityUnknown(id);
    }

    function _requireController(bytes32 id) private view {
        if (_controllerOf(id) != msg.sender) revert CallerNotController(id, msg.sender);
    }

    function _keyOf(bytes32 machine, bytes32 key) private view returns (Key storage) {
        if (_keyMachines[key] != machine) revert KeyUnknown(key);
        return _keys[key];
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
