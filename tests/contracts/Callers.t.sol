// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";

import {IBuildLog} from "../../contracts/interfaces/IBuildLog.sol";
import {IDesignRegistry} from "../../contracts/interfaces/IDesignRegistry.sol";
import {IEquivalenceRegistry} from "../../contracts/interfaces/IEquivalenceRegistry.sol";
import {IIdentityRegistry} from "../../contracts/interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "../../contracts/interfaces/ILicenseRegistry.sol";
import {IPartRegistry} from "../../contracts/interfaces/IPartRegistry.sol";
import {IRecallRegistry} from "../../contracts/interfaces/IRecallRegistry.sol";
import {IRecipeRegistry} from "../../contracts/interfaces/IRecipeRegistry.sol";
import {Coin} from "./support/Coins.sol";
import {Deployed} from "./support/Deployed.sol";

/// @title Who may call what: one row a call, with everybody who may; every other caller reverts
contract CallersTest is Deployed {
    /// @dev A call that works for `callers`; anybody may where there are none.
    struct Row {
        string name;
        address target;
        bytes call;
        address[] callers;
    }

    Row[] internal rows;

    function setUp() public override {
        super.setUp();
        // First, since a delay passes in it.
        _guardianRows(address(identities));
        bytes32 design = _design();
        uint40 number = _openLog();
        ILicenseRegistry.Terms memory terms = _terms(design);
        (, uint40 whole) = _grant(terms);
        vm.prank(maker);
        uint40 lane = licenses.split(whole, UNITS + 1, 20, number, siteId);
        _identityRows();
        _designRows(design);
        _licenseRows(terms, lane, number);
        _recipeRows(design);
        _equivalenceRows(design);
        _recallRows(design);
        _saleRow(design);
        _logRows(number, lane);
        _partRows(_append(number, 1, _leaf(_entry(), "salt"), _draws(lane, 1)));
        _nextBlock();
    }

    /// @dev Who may is who does: each row works for each of its callers.
    function test_EveryRowWorksForItsCallers() public {
        for (uint256 i = 0; i < rows.length; ++i) {
            address[] memory callers = rows[i].callers;
            if (callers.length == 0) {
                callers = new address[](1);
                callers[0] = stranger;
            }
            for (uint256 k = 0; k < callers.length; ++k) {
                vm.assertTrue(_tries(rows[i], callers[k]), rows[i].name);
            }
        }
    }

    function test_EveryRowRevertsForEveryOtherActor() public {
        address[12] memory actors = [
            designer,
            maker,
            siteManager,
            technician,
            operator,
            writer,
            authority,
            buyer,
            stranger,
            address(this),
            address(log),
            address(licenses)
        ];
        for (uint256 i = 0; i < rows.length; ++i) {
            for (uint256 k = 0; k < actors.length; ++k) {
                if (_may(rows[i], actors[k])) continue;

                vm.assertFalse(_tries(rows[i], actors[k]), rows[i].name);
            }
        }
    }

    function testFuzz_NoAccountHasAPrivilege(address caller) public {
        vm.assume(caller != address(0) && caller != address(vm));
        for (uint256 i = 0; i < rows.length; ++i) {
            if (_may(rows[i], caller)) continue;

            vm.assertFalse(_tries(rows[i], caller), rows[i].name);
        }
    }

    /// @dev The rows name every function that can change something, by the ABIs that ship.
    function test_TheRowsAreComplete() public view {
        string[8] memory names = [
            "identities", "designs", "licenses", "recipes", "log", "parts", "equivalence", "recalls"
        ];
        address[8] memory targets = [
            address(identities),
            address(designs),
            address(licenses),
            address(recipes),
            address(log),
            address(parts),
            address(equivalence),
            address(recalls)
        ];
        for (uint256 i = 0; i < names.length; ++i) {
            _assertComplete(names[i], targets[i]);
        }
    }

    function test_NoContractTakesCoins() public {
        vm.deal(stranger, 1 ether);
        for (uint256 i = 0; i < rows.length; ++i) {
            address caller = rows[i].callers.length == 0 ? stranger : rows[i].callers[0];
            vm.deal(caller, 1);

            vm.prank(caller);
            (bool isDone,) = rows[i].target.call{value: 1}(rows[i].call);

            vm.assertFalse(isDone, rows[i].name);
        }
    }

    /// @dev Neither a bare transfer nor a call of an unknown function does anything.
    function testFuzz_NoContractAnswersUnknownCalls(bytes4 selector, bytes calldata data) public {
        for (uint256 i = 0; i < rows.length; ++i) {
            vm.assume(selector != bytes4(rows[i].call));
        }
        address[7] memory targets = [
            address(identities),
            address(designs),
            address(licenses),
            address(recipes),
            address(log),
            address(parts),
            address(directory)
        ];
        for (uint256 i = 0; i < targets.length; ++i) {
            vm.record();
            (bool isDone,) = targets[i].call(abi.encodePacked(selector, data));
            (, bytes32[] memory writes) = vm.accesses(targets[i]);

            vm.assertTrue(!isDone || writes.length == 0, "nothing is written");
            (isDone,) = targets[i].call("");
            vm.assertFalse(isDone, "bare call");
        }
    }

    function _identityRows() private {
        address target = address(identities);
        vm.prank(technician);
        bytes32 key = identities.addKey(
            machineId, IIdentityRegistry.Algorithm.Ed25519, abi.encodePacked(keccak256("key"))
        );
        vm.prank(authority);
        bytes32 made = identities.claim(authorityId, makerId, "LEI", "digest", 0);
        vm.prank(maker);
        identities.proposeController(makerId, buyer);
        vm.prank(technician);
        identities.requestLink(machineId, siteId);

        bytes memory call =
            abi.encodeCall(IIdentityRegistry.register, (IIdentityRegistry.Kind.Site, "new", 0));
        _row("register", target, call);
        _row("setProfile", target, abi.encodeCall(identities.setProfile, (makerId, "p")), maker);
        call = abi.encodeCall(identities.proposeController, (makerId, stranger));
        _row("proposeController", target, call, maker);
        call = abi.encodeCall(identities.acceptController, (makerId));
        _row("acceptController", target, call, buyer);
        call = abi.encodeCall(identities.requestLink, (siteId, makerId));
        _row("requestLink", target, call, siteManager);
        call = abi.encodeCall(identities.acceptLink, (machineId, siteId));
        _row("acceptLink", target, call, siteManager);
        call = abi.encodeCall(identities.endLink, (machineId, siteId));
        _row("endLink", target, call, technician, siteManager);
        bytes memory publicKey = abi.encodePacked(keccak256("another"));
        IIdentityRegistry.Algorithm algorithm = IIdentityRegistry.Algorithm.Ed25519;
        call = abi.encodeCall(identities.addKey, (machineId, algorithm, publicKey));
        _row("addKey", target, call, technician);
        call = abi.encodeCall(identities.endKey, (machineId, key));
        _row("endKey", target, call, technician);
        call = abi.encodeCall(identities.giveNotice, (machineId, key, START, 0));
        _row("giveNotice", target, call, technician);
        call = abi.encodeCall(identities.claim, (authorityId, makerId, "GLN", "digest", 0));
        _row("claim", target, call, authority);
        call = abi.encodeCall(
            identities.claimPublic, (authorityId, makerId, "GLN", "4012345000009", 0, 0)
        );
        _row("claimPublic", target, call, authority);
        call = abi.encodeCall(identities.revokeClaim, (authorityId, made));
        _row("revokeClaim", target, call, authority);
        _accreditationRows(target);
        _noticeRows(target, key);
    }

    function _accreditationRows(address target) private {
        vm.prank(authority);
        identities.accredit(authorityId, makerId, "scope", 0, 0);
        bytes memory call =
            abi.encodeCall(identities.accredit, (authorityId, makerId, "other", 0, 0));
        _row("accredit", target, call, authority);
        call = abi.encodeCall(identities.revokeAccreditation, (authorityId, makerId, "scope"));
        _row("revokeAccreditation", target, call, authority);
    }

    function _noticeRows(address target, bytes32 key) private {
        address[] memory guardians = new address[](1);
        guardians[0] = stranger;
        vm.prank(technician);
        identities.setGuardians(machineId, guardians, 1, 1 days);
        uint40 from = _now();
        bytes memory call = abi.encodeCall(identities.giveControllerNotice, (machineId, from, 0));
        _row("giveControllerNotice", target, call, technician);
        call = abi.encodeCall(identities.backKeyNotice, (machineId, key, from, 0));
        _row("backKeyNotice", target, call, stranger);
        call = abi.encodeCall(identities.backControllerNotice, (machineId, 1, from, 0));
        _row("backControllerNotice", target, call, stranger);
        call = abi.encodeCall(
            identities.giveAuthorityKeyNotice, (authorityId, machineId, key, from, 0)
        );
        _row("giveAuthorityKeyNotice", target, call, authority);
        call = abi.encodeCall(
            identities.giveAuthorityControllerNotice, (authorityId, machineId, 1, from, 0)
        );
        _row("giveAuthorityControllerNotice", target, call, authority);
    }

    function _guardianRows(address target) private {
        address[] memory guardians = new address[](1);
        guardians[0] = stranger;
        bytes memory call = abi.encodeCall(identities.setGuardians, (siteId, guardians, 1, 1 days));
        _row("setGuardians", target, call, siteManager);
        vm.startPrank(maker);
        identities.setGuardians(makerId, guardians, 1, 1 days);
        identities.setGuardians(makerId, guardians, 1, 2 days);
        vm.stopPrank();
        vm.startPrank(operator);
        identities.setGuardians(operatorId, guardians, 1, 1 days);
        vm.stopPrank();
        vm.prank(stranger);
        identities.supportCandidate(operatorId, buyer);
        vm.warp(_now() + 1 days);
        _row("applyGuardians", target, abi.encodeCall(identities.applyGuardians, (makerId)), maker);
        call = abi.encodeCall(identities.supportCandidate, (makerId, designer));
        _row("supportCandidate", target, call, stranger);
        call = abi.encodeCall(identities.cancelRecovery, (operatorId));
        _row("cancelRecovery", target, call, operator);
        call = abi.encodeCall(identities.acceptRecovery, (operatorId));
        _row("acceptRecovery", target, call, buyer);
    }

    function _designRows(bytes32 design) private {
        address target = address(designs);
        designs.commit(_commitment(buyer, "new", "salt"));
        _row("commit", target, abi.encodeCall(designs.commit, ("commitment")));
        bytes memory call = abi.encodeCall(designs.register, ("new", "salt", "c", "m", "cid"));
        _row("register", target, call, buyer);
        bytes32[] memory none = new bytes32[](0);
        call = abi.encodeCall(designs.publish, (design, 1, "root", "c", "m", "cid", none));
        _row("publish", target, call, designer);
        call = abi.encodeCall(designs.setResale, (design, buyer, 10));
        _row("setResale", target, call, designer);
        _tokenRows(target, uint256(design), designer);
    }

    /// @dev Of the state that the rows before have left.
    function _saleRow(bytes32 design) private {
        bytes32 state = designs.stateHash(design);
        bytes memory call = abi.encodeCall(designs.transferIf, (design, buyer, state));
        _row("transferIf", address(designs), call, designer);
    }

    function _licenseRows(ILicenseRegistry.Terms memory terms, uint40 lane, uint40 number) private {
        address target = address(licenses);
        bytes32 id = licenses.licenseId(terms);
        bytes memory call = abi.encodeCall(licenses.stop, (id, _now() + 1000));
        _row("stop", target, call, designer);
        terms.nonce = 1;
        bytes memory signature = _sign(DESIGNER_KEY, licenses.licenseId(terms));
        _row("grant", target, abi.encodeCall(licenses.grant, (terms, signature, "")));
        call = abi.encodeCall(licenses.split, (lane, UNITS + 1, 1, 0, makerId));
        _row("split", target, call, siteManager);
        call = abi.encodeCall(licenses.draw, (lane, 1, number));
        _row("draw", target, call, address(log));
        _row("reclaim", target, abi.encodeCall(licenses.reclaim, (lane)), maker);
        call = abi.encodeCall(licenses.extend, (id, UNITS, 1, _now() + 1000, ""));
        _row("extend", target, call, designer);
        terms = _termsUnder(lane, operatorId);
        terms.units = 1;
        call = abi.encodeCall(licenses.sublicense, (lane, UNITS + 1, terms, "", ""));
        _row("sublicense", target, call, siteManager);
        _paymentRows(terms, number);
    }

    /// @dev In a coin of its own, since no row takes native ones.
    function _paymentRows(ILicenseRegistry.Terms memory terms, uint40 number) private {
        Coin coin = new Coin();
        terms.parent = 0;
        terms.nonce = 2;
        terms.units = UNITS;
        terms.currency = address(coin);
        terms.royalty = 1;
        terms.holder = siteId;
        bytes memory signature = _sign(DESIGNER_KEY, licenses.licenseId(terms));
        bytes memory licensees = _accept(SITE_KEY, terms);
        (uint40 license, uint40 lane) = licenses.grant(terms, signature, licensees);
        vm.prank(siteManager);
        lane = licenses.split(lane, terms.units + 1, 2, number, siteId);
        vm.prank(address(log));
        licenses.draw(lane, 2, number);
        coin.mint(stranger, 2);
        vm.prank(stranger);
        coin.approve(address(licenses), 2);
        vm.prank(stranger);
        licenses.pay(lane, license, 0, 1);
        _row("pay", address(licenses), abi.encodeCall(licenses.pay, (lane, license, 1, 1)));
        bytes memory call = abi.encodeCall(licenses.withdraw, (address(coin), stranger));
        _row("withdraw", address(licenses), call, designer);
    }

    function _recipeRows(bytes32 design) private {
        address target = address(recipes);
        IRecipeRegistry.Recipe memory recipe;
        recipe.root = "root";
        recipe.design = design;
        recipe.revision = 1;
        vm.prank(designer);
        bytes32 id = recipes.publish(recipe, IRecipeRegistry.Status.Trial);
        recipe.root = "another";
        bytes memory call = abi.encodeCall(recipes.publish, (recipe, IRecipeRegistry.Status.Trial));
        _row("publish", target, call, designer);
        call = abi.encodeCall(recipes.setStatus, (id, 1, IRecipeRegistry.Status.Retired));
        _row("setStatus", target, call, designer);
        IRecipeRegistry.SiteRecipe memory own = IRecipeRegistry.SiteRecipe(id, siteId, 0, "own");
        call = abi.encodeCall(recipes.publishSiteRecipe, (own));
        _row("publishSiteRecipe", target, call, siteManager);
    }

    /// @dev A plan in each stage, so that each call has one that it works on.
    function _equivalenceRows(bytes32 design) private {
        address target = address(equivalence);
        IEquivalenceRegistry.Plan memory plan = _plan(design);
        bytes memory call = abi.encodeCall(equivalence.register, (plan));
        _row("register", target, call, maker);
        plan.document = "joins";
        vm.prank(maker);
        equivalence.register(plan);
        call = abi.encodeCall(equivalence.join, (plan, siteId, "scope"));
        _row("join", target, call, siteManager);
        plan.document = "commits";
        bytes32 id = _joined(plan);
        call = abi.encodeCall(equivalence.commit, (id, siteId, "blind"));
        _row("commit", target, call, siteManager);
        plan.document = "reveals";
        id = _committed(plan);
        call = abi.encodeCall(equivalence.reveal, (id, siteId, "root", "salt"));
        _row("reveal", target, call);
        plan.document = "certifies";
        id = _committed(plan);
        equivalence.reveal(id, siteId, "root", "salt");
        IEquivalenceRegistry.Outcome verdict = IEquivalenceRegistry.Outcome.Equivalent;
        call = abi.encodeCall(equivalence.certify, (id, siteId, verdict, "result", 0));
        _row("certify", target, call, authority);
        _certificateRows(plan);
    }

    function _certificateRows(IEquivalenceRegistry.Plan memory plan) private {
        address target = address(equivalence);
        plan.document = "stands";
        bytes32 id = _committed(plan);
        equivalence.reveal(id, siteId, "root", "salt");
        vm.prank(authority);
        equivalence.certify(id, siteId, IEquivalenceRegistry.Outcome.Equivalent, "result", 0);
        bytes memory call =
            abi.encodeCall(equivalence.challenge, (id, siteId, authorityId, "another"));
        _row("challenge", target, call, authority);
        call = abi.encodeCall(equivalence.suspend, (id, siteId, "drift"));
        _row("suspend", target, call, authority, siteManager);
        IEquivalenceRegistry.Cause cause = IEquivalenceRegistry.Cause.MachineMoved;
        call = abi.encodeCall(equivalence.lapse, (id, siteId, cause));
        _row("lapse", target, call, authority, siteManager);
        call = abi.encodeCall(recalls.recallCertificate, (id, siteId, _recallTerms()));
        _row("recallCertificate", address(recalls), call, authority);
    }

    function _recallRows(bytes32 design) private {
        address target = address(recalls);
        IRecallRegistry.Terms memory terms = _recallTerms();
        IRecipeRegistry.Recipe memory recipe;
        recipe.root = "recalled";
        recipe.design = design;
        recipe.revision = 1;
        vm.prank(designer);
        bytes32 id = recipes.publish(recipe, IRecipeRegistry.Status.Trial);
        bytes memory call = abi.encodeCall(recalls.recallRecipe, (recipe, terms));
        _row("recallRecipe", target, call, designer);
        IRecipeRegistry.SiteRecipe memory own =
            IRecipeRegistry.SiteRecipe(id, siteId, 0, "recalled");
        vm.prank(siteManager);
        recipes.publishSiteRecipe(own);
        call = abi.encodeCall(recalls.recallSiteRecipe, (own, terms));
        _row("recallSiteRecipe", target, call, siteManager);
        call = abi.encodeCall(recalls.recallDesign, (design, terms));
        _row("recallDesign", target, call, designer);
        _recallRowsOfPeople(IRecallRegistry.Thing(IRecallRegistry.Cause.Design, design, 0));
    }

    function _recallRowsOfPeople(IRecallRegistry.Thing memory thing) private {
        address target = address(recalls);
        IRecallRegistry.Terms memory terms = _recallTerms();
        bytes memory call = abi.encodeCall(recalls.recallLot, (makerId, "lot", terms));
        _row("recallLot", target, call, maker);
        call = abi.encodeCall(recalls.recallAs, (authorityId, thing, terms));
        _row("recallAs", target, call, authority);
        _row("ask", target, abi.encodeCall(recalls.ask, (thing, terms)));
        thing.cause = IRecallRegistry.Cause.Recipe;
        vm.prank(authority);
        bytes32 key = recalls.recallAs(authorityId, thing, terms);
        call = abi.encodeCall(recalls.close, (key, authorityId, 1, "mended"));
        _row("close", target, call, authority);
        terms.from = START;
        call = abi.encodeCall(recalls.recallMachine, (machineId, 1, terms));
        _row("recallMachine", target, call, technician);
        IIdentityRegistry.Algorithm kind = IIdentityRegistry.Algorithm.Ed25519;
        bytes memory public_ = abi.encodePacked(keccak256("recalled"));
        vm.prank(technician);
        identities.addKey(machineId, kind, public_);
        call = abi.encodeCall(recalls.recallKey, (machineId, kind, public_, 1, terms));
        _row("recallKey", target, call, technician);
    }

    function _recallTerms() private pure returns (IRecallRegistry.Terms memory terms) {
        terms.severity = IRecallRegistry.Severity.Withdraw;
        terms.reason = "cracks";
    }

    function _logRows(uint40 number, uint40 lane) private {
        address target = address(log);
        bytes memory call = abi.encodeCall(log.open, (operatorId, stranger, 0));
        _row("open", target, call, operator);
        call = abi.encodeCall(log.setWriter, (number, stranger));
        _row("setWriter", target, call, operator);
        _row("close", target, abi.encodeCall(log.close, (number)), operator);
        call = abi.encodeCall(log.append, (number, 1, 1, "root", _draws(lane, 1)));
        _row("append", target, call, writer);
        _row("tick", target, abi.encodeCall(log.tick, ()));
    }

    function _partRows(IBuildLog.Record memory record) private {
        address target = address(parts);
        bytes32[] memory none = new bytes32[](0);
        bytes memory call =
            abi.encodeCall(parts.materialise, (record, 0, _entry(), "salt", none, buyer));
        _row("materialise", target, call, siteManager);
        _row("voidPart", target, abi.encodeCall(parts.voidPart, (record, 0, "")), siteManager);
        call = abi.encodeCall(recalls.recallPart, (record, 0, _recallTerms()));
        _row("recallPart", address(recalls), call, siteManager);

        uint40 number = record.log;
        uint40 lane = record.grants[0].lane;
        record = _append(number, 2, _leaf(_entry(), "salt"), _draws(lane, 1));
        _rowOfAppend(number, lane);
        uint256 part = (uint256(number) << 64) | 1;
        bytes memory signature = _sign(WRITER_KEY, _supersedeDigest(part, 2));
        call = abi.encodeCall(parts.supersede, (record, 0, 2, signature, ""));
        _row("supersede", target, call, siteManager);

        record = _append(number, 1, _leaf(_entry(), "salt"), _draws(lane, 1));
        _rowOfAppend(number, lane);
        vm.prank(siteManager);
        part = parts.materialise(record, 0, _entry(), "salt", none, buyer);
        _tokenRows(target, part, buyer);
    }

    /// @dev The log has gone on since its row was written.
    function _rowOfAppend(uint40 number, uint40 lane) private {
        uint40 seq = uint40(log.head(number).seq);
        for (uint256 i = 0; i < rows.length; ++i) {
            if (bytes4(rows[i].call) != IBuildLog.append.selector) continue;
            rows[i].call = abi.encodeCall(log.append, (number, seq, 1, "root", _draws(lane, 1)));
        }
    }

    function _tokenRows(address target, uint256 token, address owner) private {
        IERC721 registry = IERC721(target);
        bytes memory call = abi.encodeCall(registry.approve, (stranger, token));
        _row("approve", target, call, owner);
        call = abi.encodeCall(registry.setApprovalForAll, (authority, true));
        _row("setApprovalForAll", target, call);
        call = abi.encodeCall(registry.transferFrom, (owner, authority, token));
        _row("transferFrom", target, call, owner);
        bytes4 selector = bytes4(keccak256("safeTransferFrom(address,address,uint256)"));
        call = abi.encodeWithSelector(selector, owner, authority, token);
        _row("safeTransferFrom", target, call, owner);
        selector = bytes4(keccak256("safeTransferFrom(address,address,uint256,bytes)"));
        call = abi.encodeWithSelector(selector, owner, authority, token, "");
        _row("safeTransferFrom", target, call, owner);
    }

    function _row(string memory name, address target, bytes memory call) private {
        rows.push(Row({name: name, target: target, call: call, callers: new address[](0)}));
    }

    function _row(string memory name, address target, bytes memory call, address caller) private {
        _row(name, target, call);
        rows[rows.length - 1].callers.push(caller);
    }

    function _row(
        string memory name,
        address target,
        bytes memory call,
        address caller,
        address other
    ) private {
        _row(name, target, call, caller);
        rows[rows.length - 1].callers.push(other);
    }

    function _may(Row memory row, address caller) private pure returns (bool) {
        for (uint256 i = 0; i < row.callers.length; ++i) {
            if (row.callers[i] == caller) return true;
        }
        return row.callers.length == 0;
    }

    function _tries(Row memory row, address caller) private returns (bool isDone) {
        uint256 snapshot = vm.snapshotState();
        vm.prank(caller);
        (isDone,) = row.target.call(row.call);
        vm.revertToState(snapshot);
    }

    function _assertComplete(string memory name, address target) private view {
        string memory path =
            string.concat("backend/guildmark/adapters/chain/artifacts/", name, ".json");
        string memory artifact = vm.readFile(path);
        uint256 writing = 0;
        for (uint256 i = 0;; ++i) {
            string memory item = string.concat(".abi[", vm.toString(i), "]");
            if (!vm.keyExistsJson(artifact, item)) break;
            string memory key = string.concat(item, ".stateMutability");
            if (!vm.keyExistsJson(artifact, string.concat(item, ".name"))) continue;
            if (!vm.keyExistsJson(artifact, key)) continue;
            if (!_writes(vm.parseJsonString(artifact, key))) continue;
            ++writing;
            string memory called = vm.parseJsonString(artifact, string.concat(item, ".name"));
            vm.assertTrue(_has(called, target), string.concat(name, ".", called));
        }
        vm.assertEq(writing, _countOf(target), name);
    }

    function _writes(string memory mutability) private pure returns (bool) {
        return _equal(mutability, "nonpayable") || _equal(mutability, "payable");
    }

    function _has(string memory name, address target) private view returns (bool) {
        for (uint256 i = 0; i < rows.length; ++i) {
            if (rows[i].target == target && _equal(rows[i].name, name)) return true;
        }
        return false;
    }

    function _countOf(address target) private view returns (uint256 count) {
        for (uint256 i = 0; i < rows.length; ++i) {
            if (rows[i].target == target) ++count;
        }
    }

    function _equal(string memory a, string memory b) private pure returns (bool) {
        return keccak256(bytes(a)) == keccak256(bytes(b));
    }
}
