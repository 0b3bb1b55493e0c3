// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {IPartRegistry} from "../../../contracts/interfaces/IPartRegistry.sol";
import {Rfc9162} from "../support/Rfc9162.sol";
import {Vm} from "../support/Vm.sol";
import {Watched} from "./Watched.sol";

/// @title People who license, split, log, materialise, void and replace, in any order
/// @notice Each call is made whether or not it is allowed; a model says which of the two it is.
contract BuildPeople is Watched {
    /// @dev An entry of a record that may become a token: where it is and which lane gave its unit.
    struct Position {
        uint256 record;
        uint40 position;
    }

    uint256 private constant MAX_BATCH = 6;

    uint40 public licenseCount;
    uint40 public laneCount;
    uint40 public logCount;
    /// @dev The units of a license that records granted, one bit each.
    mapping(uint40 license => uint256 units) private _unitsGranted;
    mapping(uint40 log => uint64 index) private _size;
    mapping(uint40 log => uint40 seq) private _seq;
    bytes[] private _records;
    bytes[] private _usedGrants;
    /// @dev What the draws of the record to come must get.
    IBuildLog.Grant[] private _expected;
    uint256[] private _tokens;
    bytes32[] private _designs;
    bytes32[3] private _sites;
    uint256 private _nonce;

    function setUp() public override {
        super.setUp();
        vm.prank(technician);
        _sites = [siteId, identities.register(IIdentityRegistry.Kind.Site, "second", 0), 0];
        vm.prank(siteManager);
        _sites[2] = identities.register(IIdentityRegistry.Kind.Site, "third", 0);
        _designs.push(_design(designer, "first"));
        _designs.push(_design(designer, "second"));
        for (uint256 i = 0; i < 2; ++i) {
            _openLog();
            _grantUnits(_designs[i], 40, 0, 0);
        }
        for (uint40 lane = 1; lane <= 2; ++lane) {
            vm.prank(maker);
            licenses.split(lane, 41, 30, lane, _sites[lane - 1]);
        }
        _settle();
    }

    function wait(uint8 blocks) external {
        for (uint256 i = 0; i <= blocks % 3; ++i) {
            _nextBlock();
        }
    }

    /// @dev Its units go to a log at once, so that some are drawn just when it begins or ends.
    function grant(uint256 seed) external watched {
        uint40 units = uint40(1 + (seed >> 8) % 60);
        uint40 begin = seed % 2 == 0 ? _aroundABlock((seed >> 16) % 3, seed >> 40) : 0;
        uint40 end = seed % 3 == 0 ? _aroundABlock(3 + (seed >> 24) % 2, seed >> 44) : 0;
        uint40 lane = _grantUnits(_designs[(seed >> 32) % 2], units, begin, end);
        vm.prank(maker);
        licenses.split(
            lane, units + 1, units, uint40(1 + (seed >> 48) % logCount), _sites[(seed >> 56) % 3]
        );
    }

    /// @dev A signature grants one license (I5).
    function grantAgain(uint256 seed) external watched {
        bytes memory call = _usedGrants[seed % _usedGrants.length];
        _mustFail(_account(seed >> 8), address(licenses), call);
    }

    /// @dev What an owner signed before the design was sold grants nothing, even when he has it
    /// back.
    function grantStale(uint256 seed) external watched {
        bytes32 design = _designs[seed % 2];
        ILicenseRegistry.Terms memory terms = _terms(design);
        if (terms.designEpoch == 0) return;
        terms.designEpoch -= uint40(1 + (seed >> 8) % terms.designEpoch);
        terms.nonce = ++_nonce;
        bytes memory signature = _signOf(designs.designOwner(design), licenses.licenseId(terms));
        bytes memory call = abi.encodeCall(licenses.grant, (terms, signature));
        _mustFail(_account(seed >> 16), address(licenses), call);
    }

    function split(uint256 seed) external watched {
        uint40 number = uint40(1 + seed % laneCount);
        ILicenseRegistry.Lane memory lane = licenses.lane(number);
        address holder = identities.controllerOf(licenses.holderOf(number));
        address caller = _mostly(holder, seed >> 8);
        uint40 n = uint40((seed >> 16) % (lane.end - lane.next + 2));
        uint40 to = uint40((seed >> 24) % (logCount + 1));
        bytes32 site = _sites[(seed >> 32) % 3];
        uint40 end = seed % 8 == 0 ? lane.end + 1 : lane.end;
        bool isAllowed = caller == holder && end == lane.end && n > 0 && n <= lane.end - lane.next;
        bytes memory call = abi.encodeCall(licenses.split, (number, end, n, to, site));
        _try(caller, address(licenses), call, isAllowed);
    }

    function stop(uint256 seed) external watched {
        uint40 number = uint40(1 + seed % licenseCount);
        address owner = designs.designOwner(licenses.designOf(number));
        address caller = _mostly(owner, seed >> 8);
        uint40 at = _aroundABlock(5 + (seed >> 16) % 5, seed >> 24);
        uint40 current = licenses.license(number).stopAt;
        bool isAllowed = caller == owner && at >= _now() + 60 && (current == 0 || at < current);
        bytes memory call = abi.encodeCall(licenses.stop, (licenses.idOf(number), at));
        _try(caller, address(licenses), call, isAllowed);
    }

    function transferDesign(uint256 seed) external watched {
        bytes32 design = _designs[seed % 2];
        address owner = designs.designOwner(design);
        address to = owner == designer ? buyer : designer;
        _transfer(address(designs), owner, to, uint256(design));
    }

    function changeSite(uint256 seed) external watched {
        bytes32 site = _sites[seed % 3];
        address to = _account(seed >> 8);
        vm.prank(identities.controllerOf(site));
        identities.proposeController(site, to);
        vm.prank(to);
        identities.acceptController(site);
    }

    function openLog(uint256 seed) external watched {
        if (logCount >= 5 || seed % 4 != 0) return;
        _openLog();
    }

    function setWriter(uint256 seed) external watched {
        uint40 number = uint40(1 + seed % logCount);
        address caller = _mostly(operator, seed >> 8);
        bool isAllowed = caller == operator && log.head(number).writer != address(0);
        bytes memory call = abi.encodeCall(log.setWriter, (number, _account(seed >> 16)));
        _try(caller, address(log), call, isAllowed);
    }

    /// @dev Seldom, or nothing would be left to log.
    function close(uint256 seed) external watched {
        if (seed % 16 != 0) return;
        uint40 number = uint40(1 + (seed >> 8) % logCount);
        bool isAllowed = log.head(number).writer != address(0);
        _try(operator, address(log), abi.encodeCall(log.close, (number)), isAllowed);
    }

    function append(uint256 seed) external watched {
        uint40 number = uint40(1 + seed % logCount);
        IBuildLog.Head memory head = log.head(number);
        if (head.writer == address(0)) return;
        uint40 count = uint40(1 + (seed >> 8) % MAX_BATCH);
        IBuildLog.Draw[] memory draws = _wanted(number, count, seed >> 16);
        bytes32 root = Rfc9162.root(_leaves(_records.length, count));
        bytes memory call =
            abi.encodeCall(log.append, (number, uint40(head.seq), count, root, draws));
        _expect(draws);

        _try(head.writer, address(log), call, true);

        _mustFail(head.writer, address(log), call);
    }

    /// @dev The writer of one log draws from no lane of another, and nobody else draws at all.
    function appendForeign(uint256 seed) external watched {
        uint40 number = uint40(1 + seed % logCount);
        uint40 lane = uint40(1 + (seed >> 8) % laneCount);
        IBuildLog.Head memory head = log.head(number);
        if (head.writer == address(0) || licenses.lane(lane).log == number) return;
        bytes memory call =
            abi.encodeCall(log.append, (number, uint40(head.seq), 1, "root", _draws(lane, 1)));
        _mustFail(head.writer, address(log), call);
        call = abi.encodeCall(licenses.draw, (lane, 1, licenses.lane(lane).log));
        _mustFail(_account(seed >> 16), address(licenses), call);
    }

    function tick() external watched {
        bool isAllowed = uint256(predicted[address(log)][_key(3)]) >> 40 != _now();
        _try(stranger, address(log), abi.encodeCall(log.tick, ()), isAllowed);
    }

    function materialise(uint256 seed) external watched {
        if (_records.length == 0) return;
        (Position memory at, IBuildLog.Record memory record) = _position(seed);
        uint256 part = _part(record, at.position);
        address holder = _holder(record, at.position);
        address caller = _mostly(holder, seed >> 64);
        bool isAllowed = caller == holder && _isOpen(record, at.position)
            && _kind(at.record, at.position) == 1 && _owner(part) == address(0);
        if (!_try(caller, address(parts), _materialiseCall(record, at, seed), isAllowed)) return;
        _take(bytes32(part));
        _tokens.push(part);
    }

    function transferPart(uint256 seed) external watched {
        if (_tokens.length == 0) return;
        uint256 part = _tokens[seed % _tokens.length];
        _transfer(address(parts), _owner(part), _account(seed >> 8), part);
    }

    /// @dev The signature of the token's owner is tried at another part as well (I5).
    function voidPart(uint256 seed) external watched {
        if (_records.length == 0) return;
        (Position memory at, IBuildLog.Record memory record) = _position(seed);
        uint256 part = _part(record, at.position);
        address holder = _holder(record, at.position);
        address caller = _mostly(holder, seed >> 64);
        bool isSigned = (seed >> 88) % 8 != 0;
        bytes memory signature = isSigned ? _signOf(_owner(part), _voidDigest(part)) : bytes("");
        bool isAllowed = caller == holder && _isOpen(record, at.position)
            && _mayConsent(_owner(part), caller, isSigned);
        bytes memory call = abi.encodeCall(parts.voidPart, (record, at.position, signature));
        if (!_try(caller, address(parts), call, isAllowed)) return;
        _mustFail(caller, address(parts), call);
    }

    function supersede(uint256 seed) external watched {
        if (_records.length == 0) return;
        (Position memory at, IBuildLog.Record memory record) = _position(seed);
        uint256 part = _part(record, at.position);
        uint64 by = uint64(part) + uint64((seed >> 72) % 4);
        address caller = _mostly(_holder(record, at.position), seed >> 64);
        bool isAllowed = caller == _holder(record, at.position) && _isOpen(record, at.position)
            && by > uint64(part) && by < _size[record.log]
            && _consent(record.log, part, caller, seed >> 88);
        bytes memory call = _supersedeCall(record, at.position, by, seed >> 88);
        if (!_try(caller, address(parts), call, isAllowed)) return;
        _mustFail(caller, address(parts), call);
    }

    /// @dev I1: the lanes of a license are disjoint and cover its units; what was drawn of a lane
    /// is its beginning. I2: what was drawn is what the records granted.
    function checkLanes() external view {
        uint256[] memory covered = new uint256[](licenseCount + 1);
        uint256[] memory drawn = new uint256[](licenseCount + 1);
        for (uint40 k = 1; k <= laneCount; ++k) {
            ILicenseRegistry.Lane memory lane = licenses.lane(k);
            vm.assertTrue(lane.first <= lane.next && lane.next <= lane.end, "order (I1)");
            uint256 mine = _bits(lane.first, lane.end - lane.first);
            vm.assertEq(covered[lane.license] & mine, 0, "disjoint (I1)");
            covered[lane.license] |= mine;
            drawn[lane.license] |= _bits(lane.first, lane.next - lane.first);
        }
        for (uint40 number = 1; number <= licenseCount; ++number) {
            uint256 all = _bits(1, licenses.license(number).units);
            vm.assertEq(covered[number], all, "whole (I1)");
            vm.assertEq(drawn[number], _unitsGranted[number], "drawn is granted (I2)");
        }
        vm.assertEq(licenses.lane(laneCount + 1).license, 0, "no further lane");
    }

    /// @dev I11: heads stand where the records end.
    function checkHeads() external view {
        for (uint40 number = 0; number <= logCount; ++number) {
            vm.assertEq(log.head(number).size, _size[number], "size (I11)");
            vm.assertEq(log.head(number).seq, _seq[number], "seq (I11)");
            vm.assertEq(log.recordDigest(number, _seq[number]), 0, "no record ahead");
        }
    }

    function _observe(Vm.Log memory entry) internal override {
        bytes32 topic = entry.topics[0];
        if (topic == IBuildLog.LogOpened.selector) ++logCount;
        if (topic == ILicenseRegistry.LaneSplit.selector) ++laneCount;
        if (topic == ILicenseRegistry.LicenseGranted.selector) {
            ++licenseCount;
            ++laneCount;
            _take(entry.topics[1]);
        }
        if (topic != IBuildLog.RecordAppended.selector) return;
        IBuildLog.Record memory record = abi.decode(entry.data, (IBuildLog.Record));
        _take(keccak256(abi.encode(record)));
        vm.assertEq(record.firstIndex, _size[record.log], "no gap in the index (I11)");
        vm.assertEq(record.seq, _seq[record.log]++, "no gap in the seq (I11)");
        vm.assertEq(record.time, _now(), "time (I13)");
        _size[record.log] += record.count;
        uint40 offset = 0;
        vm.assertEq(record.grants.length, _expected.length, "a grant a draw");
        for (uint256 i = 0; i < record.grants.length; ++i) {
            offset += record.grants[i].n;
            vm.assertEq(record.grants[i].firstUnit, _expected[i].firstUnit, "what a draw gets");
            _observeGrant(record.grants[i]);
        }
        vm.assertLe(offset, record.count, "grants lie inside (I2)");
        delete _expected;
        if (record.count > 0) _records.push(abi.encode(record));
    }

    /// @dev I2: a unit is granted once.
    function _observeGrant(IBuildLog.Grant memory given) private {
        if (given.firstUnit == 0) return;
        ILicenseRegistry.Lane memory lane = licenses.lane(given.lane);
        uint256 units = _bits(given.firstUnit, given.n);
        vm.assertEq(_unitsGranted[lane.license] & units, 0, "granted twice (I2)");
        vm.assertTrue(
            given.firstUnit >= lane.first && given.firstUnit + given.n <= lane.end, "of the lane"
        );
        _unitsGranted[lane.license] |= units;
    }

    function _grantUnits(bytes32 design, uint40 units, uint40 begin, uint40 end)
        private
        returns (uint40 lane)
    {
        ILicenseRegistry.Terms memory terms = _terms(design);
        terms.units = units;
        terms.notBefore = begin;
        terms.notAfter = end;
        terms.notice = 60;
        terms.nonce = ++_nonce;
        bytes memory signature = _signOf(designs.designOwner(design), licenses.licenseId(terms));
        (, lane) = licenses.grant(terms, signature);
        _usedGrants.push(abi.encodeCall(licenses.grant, (terms, signature)));
    }

    /// @dev Up to three draws of the log's lanes, within the count.
    function _wanted(uint40 number, uint40 count, uint256 seed)
        private
        view
        returns (IBuildLog.Draw[] memory draws)
    {
        draws = new IBuildLog.Draw[](3);
        uint256 made = 0;
        uint40 left = count;
        for (uint256 i = 0; i < laneCount && made < 3 && left > 0; ++i) {
            uint40 lane = uint40(1 + (seed + i) % laneCount);
            if (licenses.lane(lane).log != number) continue;
            uint40 n = uint40(1 + (seed >> (8 * i)) % left);
            draws[made++] = IBuildLog.Draw({lane: lane, n: n});
            left -= n;
        }
        assembly ("memory-safe") {
            mstore(draws, made)
        }
    }

    function _materialiseCall(IBuildLog.Record memory record, Position memory at, uint256 seed)
        private
        view
        returns (bytes memory)
    {
        bytes32[] memory path = Rfc9162.path(_leaves(at.record, record.count), at.position);
        IPartRegistry.Entry memory entry = _entryAt(at.record, at.position);
        address to = _account(seed >> 80);
        return abi.encodeCall(
            parts.materialise, (record, at.position, entry, bytes32(at.record), path, to)
        );
    }

    /// @dev Seven times of eight both sign.
    function _supersedeCall(
        IBuildLog.Record memory record,
        uint40 position,
        uint64 by,
        uint256 seed
    ) private view returns (bytes memory) {
        uint256 part = _part(record, position);
        bytes32 digest = _supersedeDigest(part, by);
        bytes memory writers =
            seed % 8 != 0 ? _signOf(log.head(record.log).writer, digest) : bytes("");
        bytes memory owners = seed % 8 != 1 ? _signOf(_owner(part), digest) : bytes("");
        return abi.encodeCall(parts.supersede, (record, position, by, writers, owners));
    }

    function _consent(uint40 number, uint256 part, address caller, uint256 seed)
        private
        view
        returns (bool)
    {
        address by = log.head(number).writer;
        bool isWriters = by != address(0) && _mayConsent(by, caller, seed % 8 != 0);
        return isWriters && _mayConsent(_owner(part), caller, seed % 8 != 1);
    }

    /// @dev Nobody owns a part without a token; who calls need not sign.
    function _mayConsent(address account, address caller, bool isSigned)
        private
        pure
        returns (bool)
    {
        return account == address(0) || account == caller || isSigned;
    }

    /// @dev What each draw must get: in order, as long as there is room and the license is open.
    function _expect(IBuildLog.Draw[] memory draws) private {
        delete _expected;
        for (uint256 i = 0; i < draws.length; ++i) {
            ILicenseRegistry.Lane memory lane = licenses.lane(draws[i].lane);
            uint40 next = lane.next;
            for (uint256 k = 0; k < i; ++k) {
                if (draws[k].lane != draws[i].lane || _expected[k].firstUnit == 0) continue;
                next += draws[k].n;
            }
            bool isGranted = next + draws[i].n <= lane.end && _isInForce(lane.license);
            _expected.push(
                IBuildLog.Grant({
                    lane: draws[i].lane, n: draws[i].n, firstUnit: isGranted ? next : 0
                })
            );
        }
    }

    function _isInForce(uint40 number) private view returns (bool) {
        ILicenseRegistry.License memory self = licenses.license(number);
        bool hasEnded = self.notAfter != 0 && _now() >= self.notAfter;
        bool isStopped = self.stopAt != 0 && _now() >= self.stopAt;
        return _now() >= self.notBefore && !hasEnded && !isStopped;
    }

    /// @dev A second before, at, or after a block to come, where that one changes something.
    function _aroundABlock(uint256 blocks, uint256 seed) private view returns (uint40) {
        return uint40(_now() + 12 * blocks + 1 - (seed % 3));
    }

    function _position(uint256 seed)
        private
        view
        returns (Position memory at, IBuildLog.Record memory record)
    {
        at.record = seed % _records.length;
        record = abi.decode(_records[at.record], (IBuildLog.Record));
        at.position = uint40((seed >> 32) % record.count);
    }

    function _part(IBuildLog.Record memory record, uint40 position) private pure returns (uint256) {
        return (uint256(record.log) << 64) | (record.firstIndex + position);
    }

    /// @dev A granted position without a fate.
    function _isOpen(IBuildLog.Record memory record, uint40 position) private view returns (bool) {
        return _laneOf(record, position) != 0
            && parts.fateOf(record.log, record.firstIndex + position) == 0;
    }

    function _holder(IBuildLog.Record memory record, uint40 position)
        private
        view
        returns (address)
    {
        uint40 lane = _laneOf(record, position);
        return lane == 0 ? siteManager : identities.controllerOf(licenses.holderOf(lane));
    }

    /// @dev Found from the back, other than the contract does it.
    function _laneOf(IBuildLog.Record memory record, uint40 position)
        private
        pure
        returns (uint40 lane)
    {
        uint40 end = 0;
        for (uint256 i = 0; i < record.grants.length; ++i) {
            end += record.grants[i].n;
        }
        for (uint256 i = record.grants.length; i > 0; --i) {
            IBuildLog.Grant memory given = record.grants[i - 1];
            bool isMine = position < end && position >= end - given.n;
            if (isMine && given.firstUnit != 0) return given.lane;
            end -= given.n;
        }
    }

    function _kind(uint256 record, uint256 position) private pure returns (uint8) {
        return (record + position) % 5 == 4 ? 2 : 1;
    }

    function _entryAt(uint256 record, uint256 position)
        private
        view
        returns (IPartRegistry.Entry memory entry)
    {
        entry = _entry();
        entry.kind = _kind(record, position);
        entry.subject = keccak256(abi.encode(record, position));
    }

    function _leaves(uint256 record, uint256 count) private view returns (bytes32[] memory leaves) {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = _leaf(_entryAt(record, i), bytes32(record));
        }
    }

    function _owner(uint256 part) private view returns (address) {
        return address(uint160(uint256(predicted[address(parts)][_at(2, bytes32(part))])));
    }

    function _account(uint256 seed) private view returns (address) {
        address[6] memory accounts = [designer, siteManager, technician, writer, buyer, stranger];
        return accounts[seed % 6];
    }

    function _mostly(address account, uint256 seed) private view returns (address) {
        return seed % 8 == 0 ? _account(seed >> 3) : account;
    }

    /// @dev The signature of one of the accounts; of nobody it is empty.
    function _signOf(address account, bytes32 digest) private pure returns (bytes memory) {
        for (uint256 key = DESIGNER_KEY; key <= STRANGER_KEY; ++key) {
            if (vm.addr(key) == account) return _sign(key, digest);
        }
        return "";
    }
}
