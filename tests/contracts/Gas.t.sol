// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../contracts/interfaces/IBuildLog.sol";
import {IEquivalenceRegistry} from "../../contracts/interfaces/IEquivalenceRegistry.sol";
import {IIdentityRegistry} from "../../contracts/interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "../../contracts/interfaces/ILicenseRegistry.sol";
import {IPartRegistry} from "../../contracts/interfaces/IPartRegistry.sol";
import {IRecallRegistry} from "../../contracts/interfaces/IRecallRegistry.sol";
import {IRecipeRegistry} from "../../contracts/interfaces/IRecipeRegistry.sol";
import {Deployed} from "./support/Deployed.sol";
import {Eip712} from "./support/Eip712.sol";
import {PlainToken} from "./support/PlainToken.sol";

/// @title What calls cost as whole transactions: 21,000, calldata and execution
/// @notice Each call is a transaction of its own here, so that nothing is warm. The figures go to
/// build/forge/snapshots/gas.json; `scripts/gas.py` compares them with gas.json beside this file.
/// forge-config: default.isolate = true
contract GasTest is Deployed {
    uint40 internal constant MANY = 1_000_000;
    bytes32 internal constant SALT = keccak256("salt");

    PlainToken internal plain;
    uint40 internal number;
    uint40 internal lane;

    function setUp() public override {
        super.setUp();
        plain = new PlainToken();
        plain.mint(buyer, 1);
        number = _openLog();
        lane = _lane(number, UNITS);
        _append(number, MANY, "before", _draws(lane, 1));
        _nextBlock();
    }

    function test_Append() public {
        _measureAppend("BuildLog.append 1 part", 1, _draws(lane, 1));
        _measureAppend("BuildLog.append 20 parts", 20, _draws(lane, 20));
        _measureAppend("BuildLog.append 10000, no lane", 10_000, _noDraws());
    }

    /// @dev Units of their own, since a batch of 10,000 under one license draws 10,000.
    function test_Append_DrawsTenThousand() public {
        ILicenseRegistry.Terms memory terms = _terms(designs_());
        terms.units = MANY;
        (, uint40 first) = _grant(terms);
        vm.prank(maker);
        uint40 large = licenses.split(first, MANY + 1, MANY, number, siteId);
        _append(number, 1, "before", _draws(large, 1));

        _measureAppend("BuildLog.append 10000 parts", 10_000, _draws(large, 10_000));
    }

    function test_Append_DrawsFromTenLanes() public {
        IBuildLog.Draw[] memory draws = new IBuildLog.Draw[](10);
        draws[0] = IBuildLog.Draw({lane: lane, n: 1});
        for (uint256 i = 1; i < 10; ++i) {
            vm.prank(siteManager);
            uint40 cut = licenses.split(lane, UNITS + 1 - uint40(i - 1) * 4, 4, number, siteId);
            draws[i] = IBuildLog.Draw({lane: cut, n: 1});
        }

        _measureAppend("BuildLog.append 10 lanes", 10, draws);
    }

    function test_Append_UnderThreeAncestors() public {
        for (uint256 i = 0; i < 3; ++i) {
            (, lane) = _sublicense(lane, _termsUnder(lane, siteId));
        }
        uint40 end = licenses.lane(lane).end;
        vm.prank(siteManager);
        lane = licenses.split(lane, end, 20, number, siteId);
        _append(number, 1, "before", _draws(lane, 1));

        _measureAppend("BuildLog.append depth 3", 10, _draws(lane, 10));
    }

    function test_Tick() public {
        log.tick();
        _nextBlock();

        log.tick();
        _measured("BuildLog.tick");
    }

    function test_Materialise_AtMostTwiceAPlainMint() public {
        plain.mint(buyer, 2);
        uint256 mint = _measured("ERC721 mint (OpenZeppelin)");

        _materialise(2 ** 20, 20, 5);
        uint256 large = _materialise(2 ** 20, 20, 6);
        vm.snapshotValue("gas", "PartRegistry.materialise 2^20", large);
        uint256 small = _materialise(2 ** 14, 14, 7);
        vm.snapshotValue("gas", "PartRegistry.materialise 2^14", small);

        vm.assertLt(large, 2 * mint, "materialise at 2^20");
    }

    function test_Fates() public {
        IBuildLog.Record memory record = _append(number, 10, "root", _draws(lane, 10));
        vm.prank(siteManager);
        parts.voidPart(record, 0, "");
        _measured("PartRegistry.voidPart");

        uint64 index = record.firstIndex + 1;
        bytes32 digest = _supersedeDigest(uint256(number) << 64 | index, index + 1);
        bytes memory signature = _sign(WRITER_KEY, digest);
        vm.prank(siteManager);
        parts.supersede(record, 1, index + 1, signature, "");
        _measured("PartRegistry.supersede");
    }

    function test_Identities() public {
        vm.prank(stranger);
        identities.register(IIdentityRegistry.Kind.Site, "other", "profile");
        _measured("IdentityRegistry.register");

        vm.prank(technician);
        identities.requestLink(machineId, siteId);
        _measured("IdentityRegistry.requestLink");
        vm.prank(siteManager);
        identities.acceptLink(machineId, siteId);
        _measured("IdentityRegistry.acceptLink");

        vm.prank(technician);
        bytes32 key = identities.addKey(
            machineId, IIdentityRegistry.Algorithm.P256, abi.encodePacked(uint8(2), keccak256("x"))
        );
        _measured("IdentityRegistry.addKey");
        vm.prank(technician);
        identities.giveNotice(machineId, key, _now(), "evidence");
        _measured("IdentityRegistry.giveNotice");
        vm.prank(authority);
        identities.giveAuthorityKeyNotice(authorityId, machineId, key, _now(), "evidence");
        _measured("IdentityRegistry.giveAuthorityKeyNotice");
        vm.prank(technician);
        identities.giveControllerNotice(machineId, _now(), "evidence");
        _measured("IdentityRegistry.giveControllerNotice");

        vm.prank(authority);
        identities.claim(authorityId, makerId, "LEI", keccak256("digest"), keccak256("evidence"));
        _measured("IdentityRegistry.claim");
        vm.prank(authority);
        identities.claimPublic(
            authorityId, makerId, "LEI", "506700GE1G29325QX363", 0, keccak256("evidence")
        );
        _measured("IdentityRegistry.claimPublic");
        vm.prank(authority);
        identities.accredit(authorityId, makerId, keccak256("scope"), 0, _now() + 1000);
        _measured("IdentityRegistry.accredit");
        _guardians();
    }

    function _guardians() private {
        address[] memory guardians = new address[](3);
        (guardians[0], guardians[1], guardians[2]) = (address(1), address(2), address(3));
        vm.prank(maker);
        identities.setGuardians(makerId, guardians, 1, 1 days);
        _measured("IdentityRegistry.setGuardians, 3");
        vm.prank(address(1));
        identities.supportCandidate(makerId, buyer);
        _measured("IdentityRegistry.supportCandidate, starting");
        vm.warp(_now() + 1 days);
        vm.prank(buyer);
        identities.acceptRecovery(makerId);
        _measured("IdentityRegistry.acceptRecovery");
    }

    function test_Designs() public {
        bytes32 root = keccak256("root");
        designs.commit(_commitment(designer, root, SALT));
        _measured("DesignRegistry.commit");
        _nextBlock();

        bytes32 ciphertext = keccak256("ciphertext");
        bytes32 manifest = keccak256("manifest");
        string memory cid = "bafybeigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi";
        vm.prank(designer);
        bytes32 design = designs.register(root, SALT, ciphertext, manifest, cid);
        _measured("DesignRegistry.register");

        bytes32[] memory from = new bytes32[](0);
        vm.prank(designer);
        designs.publish(design, 1, keccak256("second"), ciphertext, manifest, cid, from);
        _measured("DesignRegistry.publish");
    }

    function test_Licenses() public {
        ILicenseRegistry.Terms memory terms = _terms(designs_());
        terms.termsRoot = keccak256("terms");
        bytes memory signature = _sign(DESIGNER_KEY, licenses.licenseId(terms));
        (, uint40 first) = licenses.grant(terms, signature, "");
        _measured("LicenseRegistry.grant");

        vm.prank(maker);
        licenses.split(first, UNITS + 1, 20, number, siteId);
        _measured("LicenseRegistry.split");

        bytes32 id = licenses.licenseId(terms);
        vm.prank(designer);
        licenses.stop(id, _now());
        _measured("LicenseRegistry.stop");
    }

    function test_LicensesBelowOthers() public {
        ILicenseRegistry.Terms memory child = _termsUnder(lane, makerId);
        child.units = 10;
        bytes memory licensor =
            _sign(SITE_KEY, _ofLicenses(Eip712.sublicense(lane, UNITS + 1, child)));
        (, uint40 below) = licenses.sublicense(lane, UNITS + 1, child, licensor, "");
        _measured("LicenseRegistry.sublicense");

        vm.prank(siteManager);
        licenses.reclaim(below);
        _measured("LicenseRegistry.reclaim, announced");
        vm.prank(siteManager);
        licenses.reclaim(below);
        _measured("LicenseRegistry.reclaim, cut");

        bytes32 id = licenses.idOf(1);
        vm.prank(designer);
        licenses.extend(id, UNITS, 10, _now(), "");
        _measured("LicenseRegistry.extend");
    }

    function test_Payments() public {
        ILicenseRegistry.Terms memory terms = _terms(designs_());
        terms.royalty = 1;
        terms.fee = 1;
        terms.nonce = 1;
        vm.deal(buyer, 100);
        bytes memory signature = _sign(DESIGNER_KEY, licenses.licenseId(terms));
        bytes memory licensee = _accept(MAKER_KEY, terms);
        vm.prank(buyer);
        (uint40 license, uint40 first) = licenses.grant{value: 1}(terms, signature, licensee);
        _measured("LicenseRegistry.grant, fee and royalty");
        vm.prank(maker);
        uint40 mine = licenses.split(first, UNITS + 1, 20, number, siteId);
        _append(number, 10, "root", _draws(mine, 10));

        vm.prank(buyer);
        licenses.pay{value: 10}(mine, license, 0, 10);
        _measured("LicenseRegistry.pay");
        vm.prank(designer);
        licenses.withdraw(address(0), designer);
        _measured("LicenseRegistry.withdraw");
    }

    function test_Sale() public {
        bytes32 design = designs_();
        vm.prank(designer);
        designs.setResale(design, designer, 500);
        _measured("DesignRegistry.setResale");
        bytes32 state = designs.stateHash(design);
        vm.prank(designer);
        designs.transferIf(design, buyer, state);
        _measured("DesignRegistry.transferIf");
    }

    function test_Recipes() public {
        IRecipeRegistry.Recipe memory recipe;
        recipe.root = keccak256("root");
        recipe.design = designs_();
        recipe.revision = 1;
        vm.prank(designer);
        bytes32 master = recipes.publish(recipe, IRecipeRegistry.Status.Trial);
        _measured("RecipeRegistry.publish");

        vm.prank(designer);
        recipes.setStatus(master, 1, IRecipeRegistry.Status.Qualified);
        _measured("RecipeRegistry.setStatus");

        IRecipeRegistry.SiteRecipe memory own;
        own.master = master;
        own.site = siteId;
        own.model = keccak256("model");
        own.root = keccak256("own root");
        vm.prank(siteManager);
        recipes.publishSiteRecipe(own);
        _measured("RecipeRegistry.publishSiteRecipe");
    }

    function test_Equivalence() public {
        IEquivalenceRegistry.Plan memory plan = _plan(designs_());
        plan.sites = new bytes32[](3);
        (plan.sites[0], plan.sites[1], plan.sites[2]) = ("one", "two", siteId);
        vm.prank(maker);
        bytes32 id = equivalence.register(plan);
        _measured("EquivalenceRegistry.register, 3 sites");
        vm.prank(siteManager);
        equivalence.join(plan, siteId, keccak256("scope"));
        _measured("EquivalenceRegistry.join");
        bytes32 root = keccak256("root");
        bytes32 blind = _blind(id, siteId, root, SALT);
        vm.prank(siteManager);
        equivalence.commit(id, siteId, blind);
        _measured("EquivalenceRegistry.commit");
        vm.warp(plan.commitBy);
        equivalence.reveal(id, siteId, root, SALT);
        _measured("EquivalenceRegistry.reveal");

        vm.prank(authority);
        equivalence.certify(
            id, siteId, IEquivalenceRegistry.Outcome.Equivalent, keccak256("result"), 0
        );
        _measured("EquivalenceRegistry.certify");
        vm.prank(authority);
        equivalence.challenge(id, siteId, authorityId, keccak256("counter"));
        _measured("EquivalenceRegistry.challenge");
        vm.prank(authority);
        equivalence.suspend(id, siteId, keccak256("drift"));
        _measured("EquivalenceRegistry.suspend");
    }

    function test_Recalls() public {
        IRecallRegistry.Terms memory terms;
        terms.severity = IRecallRegistry.Severity.Withdraw;
        terms.reason = keccak256("reason");
        bytes32 design = designs_();
        vm.prank(designer);
        bytes32 key = recalls.recallDesign(design, terms);
        _measured("RecallRegistry.recallDesign");
        terms.from = START;
        vm.prank(technician);
        recalls.recallMachine(machineId, 1, terms);
        _measured("RecallRegistry.recallMachine");
        vm.prank(designer);
        recalls.close(key, 0, 1, keccak256("mended"));
        _measured("RecallRegistry.close");
    }

    /// @dev The design of the license that setUp granted.
    function designs_() internal view returns (bytes32) {
        return licenses.designOf(1);
    }

    function _measured(string memory name) internal returns (uint256 gas) {
        gas = vm.lastCallGas().gasTotalUsed;
        vm.snapshotValue("gas", name, gas);
    }

    function _measureAppend(string memory name, uint40 count, IBuildLog.Draw[] memory draws)
        internal
    {
        uint40 seq = uint40(log.head(number).seq);
        vm.prank(writer);
        log.append(number, seq, count, keccak256("root"), draws);
        _measured(name);
    }

    function _materialise(uint40 count, uint256 height, uint40 position)
        internal
        returns (uint256)
    {
        IPartRegistry.Entry memory entry = _entry();
        bytes32[] memory path = new bytes32[](height);
        for (uint256 i = 0; i < height; ++i) {
            path[i] = keccak256(abi.encode("sibling", i));
        }
        bytes32 root = _climb(_leaf(entry, SALT), position, path);
        IBuildLog.Record memory record = _append(number, count, root, _draws(lane, 11));
        vm.prank(siteManager);
        parts.materialise(record, position, entry, SALT, path, buyer);
        return vm.lastCallGas().gasTotalUsed;
    }
}
