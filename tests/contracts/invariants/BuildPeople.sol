// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {IPartRegistry} from "../../../contracts/interfaces/IPartRegistry.sol";
import {Coin} from "../support/Coins.sol";
import {Eip712} from "../support/Eip712.sol";
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
    /// @dev A unit is a bit of a word.
    uint256 private constant MAX_NUMBER = 250;
    uint40 private constant NOTICE = 60;

    /// @dev How often things happened in this run, under the names that `statistics` gives them.
    mapping(bytes32 what => uint256 times) private _times;

    uint40 public licenseCount;
    uint40 public laneCount;
    uint40 public logCount;
    Coin private _coin;
    /// @dev The units of a root license that records granted, one bit each.
    mapping(uint40 root => uint256 units) private _unitsGranted;
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
        _coin = new Coin();
        vm.deal(buyer, 1 ether);
        _coin.mint(buyer, 1 ether);
        vm.prank(buyer);
        _coin.approve(address(licenses), type(uint256).max);
        _designs.push(_design(designer, "first"));
        _designs.push(_design(designer, "second"));
        for (uint256 i = 0; i < 2; ++i) {
            _openLog();
            _grantUnits(_designs[i], 40, 0, 0, i);
        }
        for (uint40 lane = 1; lane <= 2; ++lane) {
            vm.prank(maker);
            licenses.split(lane, 41, 30, lane, _sites[lane - 1]);
        }
        _deepen();
        _settle();
    }

    /// @dev A license at each depth, with units that a log draws.
    function _deepen() private {
        uint40 from = 1;
        for (uint40 depth = 1; depth <= 4; ++depth) {
            ILicenseRegistry.Terms memory terms = _termsUnder(from, siteId);
            terms.notice = NOTICE;
            terms.units -= 1;
            (, from) = _sublicense(from, terms);
            uint40 end = licenses.lane(from).end;
            vm.prank(siteManager);
            licenses.split(from, end, 1, 1, siteId);
        }
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
        uint40 lane = _grantUnits(_designs[(seed >> 32) % 2], units, begin, end, seed >> 64);
        vm.prank(maker);
        licenses.split(
            lane,
            units + 1,
            units - units / 3,
            uint40(1 + (seed >> 48) % logCount),
            _sites[(seed >> 56) % 3]
        );
    }

    /// @dev The model: the lane's holder gives, to depth 4, nothing under what is ending.
    function sublicense(uint256 seed) external watched {
        // lanes made lately are deeper than others
        uint40 number = uint40(laneCount - seed % (seed % 3 == 0 ? laneCount : 4));
        ILicenseRegistry.Lane memory lane = licenses.lane(number);
        address holder = identities.controllerOf(licenses.holderOf(number));
        address caller = _mostly(holder, seed >> 8);
        ILicenseRegistry.Terms memory terms = _termsUnder(number, _sites[(seed >> 16) % 3]);
        uint40 undrawn = terms.units;
        terms.units = uint40((seed >> 24) % (undrawn + 2));
        terms.notBefore = seed % 5 == 0 ? _now() + 10 : 0;
        terms.notAfter = seed % 7 == 0 ? _now() + 50 : 0;
        uint40 notice = licenses.license(lane.license).notice;
        terms.notice = notice + 1 - uint40((seed >> 32) % (notice < 7 ? notice + 2 : 8));
        terms.nonce = ++_nonce;
        (terms.currency, terms.royalty) = _price(seed >> 40);
        bool isAllowed = caller == holder && terms.units > 0 && terms.units <= undrawn
            && lane.reclaimAt == 0 && terms.notice <= licenses.license(lane.license).notice
            && licenses.license(lane.license).depth < 4 && !_isEnding(lane.license);
        bytes memory licensees =
            _signOf(identities.controllerOf(terms.holder), _ofLicenses(Eip712.acceptance(terms)));
        bytes memory call =
            abi.encodeCall(licenses.sublicense, (number, lane.end, terms, "", licensees));
        if (!_try(caller, address(licenses), call, isAllowed)) return;
        _mustFail(caller, address(licenses), call);
        _giveToALog(terms.units, seed >> 64);
    }

    /// @dev Units of the newest lane, so that licenses below others are drawn from.
    function _giveToALog(uint40 units, uint256 seed) private {
        uint40 number = uint40(1 + seed % logCount);
        bytes32 site = _sites[(seed >> 8) % 3];
        uint40 end = licenses.lane(laneCount).end;
        address holder = identities.controllerOf(licenses.holderOf(laneCount));
        vm.prank(holder);
        licenses.split(laneCount, end, units - units / 2, number, site);
    }

    /// @dev The owner's signature works once, and not in the name of who sold the design.
    function extend(uint256 seed) external watched {
        uint40 number = uint40(1 + seed % licenseCount);
        ILicenseRegistry.License memory self = licenses.license(number);
        bytes32 id = licenses.idOf(number);
        bytes32 design = licenses.designOf(number);
        uint40 more = uint40((seed >> 8) % 20);
        if (self.units + more > MAX_NUMBER) return;
        uint40 epoch = designs.design(design).epoch;
        bytes32 content = Eip712.extension(id, epoch, self.units, more, _now());
        bytes memory signature =
            _signOf(_mostly(designs.designOwner(design), seed >> 16), _ofLicenses(content));
        bool isSigned = keccak256(signature)
            == keccak256(_signOf(designs.designOwner(design), _ofLicenses(content)));
        bool isAllowed = isSigned && self.parent == 0 && more > 0 && !_isEnding(number);
        bytes memory call =
            abi.encodeCall(licenses.extend, (id, self.units, more, _now(), signature));
        if (!_try(stranger, address(licenses), call, isAllowed)) return;
        _mustFail(stranger, address(licenses), call);
    }

    function reclaim(uint256 seed) external watched {
        uint40 number = uint40(1 + seed % laneCount);
        // every other time one that is announced, if there is one
        for (uint40 i = 0; seed % 2 == 0 && i < laneCount; ++i) {
            uint40 at = licenses.lane(number).reclaimAt;
            if (at != 0 && at <= _now()) break;
            number = number % laneCount + 1;
        }
        ILicenseRegistry.Lane memory lane = licenses.lane(number);
        bytes32 giver = licenses.giverOf(number);
        address account = giver == 0 ? stranger : identities.controllerOf(giver);
        address caller = _mostly(account, seed >> 8);
        bool isAllowed =
            giver != 0 && caller == account && lane.next < lane.end && _now() >= lane.reclaimAt;
        _try(caller, address(licenses), abi.encodeCall(licenses.reclaim, (number)), isAllowed);
    }

    /// @dev To the licensor of the lane's license or of one above it; named wrongly it fails.
    function pay(uint256 seed) external watched {
        uint40 number = uint40(1 + seed % laneCount);
        ILicenseRegistry.Lane memory lane = licenses.lane(number);
        uint40 license = lane.license;
        for (uint256 i = (seed >> 8) % 5; i > 0 && licenses.license(license).parent != 0; --i) {
            license = licenses.license(license).parent;
        }
        if (seed % 16 == 0) license = uint40(1 + (seed >> 16) % licenseCount);
        uint40 paid = licenses.paidUnits(number, license);
        uint40 units = uint40((seed >> 24) % (lane.next - lane.first + 2));
        ILicenseRegistry.Price memory price = licenses.priceOf(license);
        uint256 value = price.currency == address(0) ? units * uint256(price.royalty) : 0;
        bool isAllowed = _isAbove(license, lane.license) && price.royalty > 0 && units > 0
            && units <= lane.next - lane.first - paid;
        bytes memory call = abi.encodeCall(licenses.pay, (number, license, paid, units));
        if (!_tryFor(value, buyer, address(licenses), call, isAllowed)) return;
        _tryFor(value, buyer, address(licenses), call, false);
    }

    function withdraw(uint256 seed) external watched {
        address currency = seed % 2 == 0 ? address(0) : address(_coin);
        address caller = _account(seed >> 8);
        if (seed % 4 < 2) caller = designer;
        bool isAllowed = licenses.creditOf(currency, caller) > 0;
        bytes memory call = abi.encodeCall(licenses.withdraw, (currency, buyer));
        _try(caller, address(licenses), call, isAllowed);
    }

    /// @dev What the buyer saw two blocks ago is sold only if it is still so.
    function sell(uint256 seed) external watched {
        bytes32 design = _designs[seed % 2];
        bytes32 state = designs.stateHash(design);
        if (seed % 3 == 0) {
            bytes memory grown = abi.encodeCall(designs.transferIf, (design, buyer, state));
            _grantUnits(design, 1, 0, 0, 0);
            _mustFail(designs.designOwner(design), address(designs), grown);
            return;
        }
        address caller = _mostly(designs.designOwner(design), seed >> 8);
        address to = seed % 2 == 0 ? designer : buyer;
        bool isAllowed = caller == designs.designOwner(design);
        bytes memory call = abi.encodeCall(designs.transferIf, (design, to, state));
        if (!_try(caller, address(designs), call, isAllowed)) return;
        _mustFail(to, address(designs), call);
    }

    function setResale(uint256 seed) external watched {
        bytes32 design = _designs[seed % 2];
        address caller = _mostly(designs.designOwner(design), seed >> 8);
        uint16 basisPoints = uint16((seed >> 16) % 1_010);
        bool isAllowed = caller == designs.designOwner(design) && basisPoints <= 1_000;
        bytes memory call = abi.encodeCall(designs.setResale, (design, buyer, basisPoints));
        _try(caller, address(designs), call, isAllowed);
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
        bytes memory call = abi.encodeCall(licenses.grant, (terms, signature, ""));
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
        bool isAllowed = caller == holder && end == lane.end && n > 0 && n <= lane.end - lane.next
            && lane.reclaimAt == 0;
        bytes memory call = abi.encodeCall(licenses.split, (number, end, n, to, site));
        _try(caller, address(licenses), call, isAllowed);
    }

    function stop(uint256 seed) external watched {
        uint40 number = uint40(1 + seed % licenseCount);
        address licensor = _licensorOf(number);
        address caller = _mostly(licensor, seed >> 8);
        ILicenseRegistry.License memory self = licenses.license(number);
        uint40 at = _aroundABlock(self.notice / 12 + (seed >> 16) % 5, seed >> 24);
        bool isAllowed = caller == licensor && at >= _now() + self.notice
            && (self.stopAt == 0 || at < self.stopAt);
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
            uint40 root = _rootOf(lane.license);
            uint256 mine = _bits(lane.first, lane.end - lane.first);
            vm.assertEq(covered[root] & mine, 0, "disjoint (I1)");
            covered[root] |= mine;
            drawn[root] |= _bits(lane.first, lane.next - lane.first);
        }
        for (uint40 number = 1; number <= licenseCount; ++number) {
            vm.assertLe(licenses.license(number).depth, 4, "depth");
            if (licenses.license(number).parent != 0) continue;
            uint256 all = _bits(1, licenses.license(number).units);
            vm.assertEq(covered[number], all, "whole (I1)");
            vm.assertEq(drawn[number], _unitsGranted[number], "drawn is granted (I2)");
        }
        vm.assertEq(licenses.lane(laneCount + 1).license, 0, "no further lane");
    }

    /// @dev No lane is paid for more than it drew; what is held is what waits for somebody (I12).
    function checkCoins() external view {
        for (uint40 k = 1; k <= laneCount; ++k) {
            ILicenseRegistry.Lane memory lane = licenses.lane(k);
            for (uint40 above = lane.license; above != 0; above = licenses.license(above).parent) {
                vm.assertLe(licenses.paidUnits(k, above), lane.next - lane.first, "paid");
            }
        }
        uint256 native = 0;
        uint256 coins = 0;
        for (uint256 i = 0; i < 6; ++i) {
            native += licenses.creditOf(address(0), _account(i));
            coins += licenses.creditOf(address(_coin), _account(i));
        }
        native += licenses.creditOf(address(0), maker);
        coins += licenses.creditOf(address(_coin), maker);
        vm.assertEq(address(licenses).balance, native, "native coin (I12)");
        vm.assertEq(_coin.balanceOf(address(licenses)), coins, "coin (I12)");
    }

    /// @dev What this run has reached, a JSON object in a line.
    function statistics() external view returns (string memory line) {
        bytes32[21] memory names = [
            bytes32("passed"),
            "refused",
            "licenses at depth 0",
            "licenses at depth 1",
            "licenses at depth 2",
            "licenses at depth 3",
            "licenses at depth 4",
            "draws granted at depth 0",
            "draws granted at depth 1",
            "draws granted at depth 2",
            "draws granted at depth 3",
            "draws granted at depth 4",
            "draws refused for units",
            "draws refused by a license",
            "lanes reclaimed",
            "licenses extended",
            "licenses stopped",
            "payments",
            "withdrawals",
            "parts made tokens",
            "fates set"
        ];
        line = "{";
        for (uint256 i = 0; i < names.length; ++i) {
            string memory comma = i == 0 ? "" : ", ";
            string memory times = vm.toString(_times[names[i]]);
            line = string.concat(line, comma, '"', _text(names[i]), '": ', times);
        }
        return string.concat(line, "}");
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
        _countEvent(topic);
        if (topic == IBuildLog.LogOpened.selector) ++logCount;
        bool isCut = topic == ILicenseRegistry.LaneSplit.selector
            || topic == ILicenseRegistry.LaneReclaimed.selector
            || topic == ILicenseRegistry.LicenseExtended.selector;
        if (isCut) ++laneCount;
        bool isLicense = topic == ILicenseRegistry.LicenseGranted.selector
            || topic == ILicenseRegistry.LicenseSublicensed.selector;
        if (isLicense) {
            ++licenseCount;
            ++laneCount;
            _take(entry.topics[1]);
            _countDepth("licenses at depth ", 18, licenseCount);
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

    function _countEvent(bytes32 topic) private {
        if (topic == ILicenseRegistry.LaneReclaimed.selector) ++_times["lanes reclaimed"];
        if (topic == ILicenseRegistry.LicenseExtended.selector) ++_times["licenses extended"];
        if (topic == ILicenseRegistry.LicenseStopped.selector) ++_times["licenses stopped"];
        if (topic == ILicenseRegistry.RoyaltyPaid.selector) ++_times["payments"];
        if (topic == ILicenseRegistry.FeePaid.selector) ++_times["payments"];
        if (topic == ILicenseRegistry.CreditWithdrawn.selector) ++_times["withdrawals"];
        if (topic == IPartRegistry.PartMaterialised.selector) ++_times["parts made tokens"];
        if (topic == IPartRegistry.PartVoided.selector) ++_times["fates set"];
        if (topic == IPartRegistry.PartSuperseded.selector) ++_times["fates set"];
    }

    /// @dev `name` ends with a place for a digit.
    function _countDepth(bytes32 name, uint256 length, uint40 number) private {
        uint256 digit = uint256(uint8(bytes1("0"))) + licenses.license(number).depth;
        ++_times[name | bytes32(digit << (8 * (31 - length)))];
    }

    /// @dev I2: a unit is granted once. No license is wider than those above it; what is refused
    /// is refused for want of units or of a right.
    function _observeGrant(IBuildLog.Grant memory given) private {
        ILicenseRegistry.Lane memory lane = licenses.lane(given.lane);
        bool isOpen = _isInForce(lane.license);
        if (given.firstUnit == 0) {
            vm.assertTrue(!isOpen || given.n > lane.end - lane.next, "refused without reason");
            ++_times[
                isOpen ? bytes32("draws refused for units") : bytes32("draws refused by a license")
            ];
            return;
        }
        _countDepth("draws granted at depth ", 23, lane.license);
        vm.assertTrue(isOpen, "drawn under what is not in force");
        uint40 root = _rootOf(lane.license);
        uint256 units = _bits(given.firstUnit, given.n);
        vm.assertEq(_unitsGranted[root] & units, 0, "granted twice (I2)");
        vm.assertTrue(
            given.firstUnit >= lane.first && given.firstUnit + given.n <= lane.end, "of the lane"
        );
        _unitsGranted[root] |= units;
    }

    function _grantUnits(bytes32 design, uint40 units, uint40 begin, uint40 end, uint256 seed)
        private
        returns (uint40 lane)
    {
        ILicenseRegistry.Terms memory terms = _terms(design);
        terms.units = units;
        terms.notBefore = begin;
        terms.notAfter = end;
        terms.notice = NOTICE;
        terms.nonce = ++_nonce;
        (terms.currency, terms.royalty) = _price(seed);
        terms.fee = (seed >> 16) % 3;
        bytes memory signature = _signOf(designs.designOwner(design), licenses.licenseId(terms));
        bytes memory licensees = _accept(MAKER_KEY, terms);
        bytes memory call = abi.encodeCall(licenses.grant, (terms, signature, licensees));
        uint256 value = terms.currency == address(0) ? terms.fee : 0;
        _tryFor(value, buyer, address(licenses), call, true);
        _usedGrants.push(call);
        _settle();
        return laneCount;
    }

    function _counted(bool isDone) internal override {
        ++_times[isDone ? bytes32("passed") : bytes32("refused")];
    }

    function _text(bytes32 word) private pure returns (string memory) {
        uint256 length = 0;
        while (length < 32 && word[length] != 0) ++length;
        bytes memory text = new bytes(length);
        for (uint256 i = 0; i < length; ++i) {
            text[i] = word[i];
        }
        return string(text);
    }

    function _price(uint256 seed) private view returns (address currency, uint256 royalty) {
        currency = seed % 2 == 0 ? address(0) : address(_coin);
        royalty = (seed >> 8) % 4;
    }

    function _licensorOf(uint40 number) private view returns (address) {
        bytes32 licensor = licenses.giverOf(licenses.firstLaneOf(number));
        if (licensor != 0) return identities.controllerOf(licensor);
        return designs.designOwner(licenses.designOf(number));
    }

    function _rootOf(uint40 number) private view returns (uint40) {
        while (licenses.license(number).parent != 0) number = licenses.license(number).parent;
        return number;
    }

    function _isAbove(uint40 license, uint40 number) private view returns (bool) {
        for (; number != 0; number = licenses.license(number).parent) {
            if (number == license) return true;
        }
        return false;
    }

    function _isInForce(uint40 number) private view returns (bool) {
        for (; number != 0; number = licenses.license(number).parent) {
            ILicenseRegistry.License memory self = licenses.license(number);
            uint256 end = self.notAfter == 0 ? type(uint256).max : self.notAfter;
            uint256 stopAt = self.stopAt == 0 ? type(uint256).max : self.stopAt;
            if (_now() < self.notBefore || _now() >= end || _now() >= stopAt) return false;
        }
        return true;
    }

    function _isEnding(uint40 number) private view returns (bool) {
        for (; number != 0; number = licenses.license(number).parent) {
            ILicenseRegistry.License memory self = licenses.license(number);
            if (self.stopAt > 0 || (self.notAfter > 0 && self.notAfter <= _now())) return true;
        }
        return false;
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
