// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../contracts/interfaces/IBuildLog.sol";
import {IDesignRegistry} from "../../contracts/interfaces/IDesignRegistry.sol";
import {IEquivalenceRegistry} from "../../contracts/interfaces/IEquivalenceRegistry.sol";
import {IIdentityRegistry} from "../../contracts/interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "../../contracts/interfaces/ILicenseRegistry.sol";
import {IRecallRegistry} from "../../contracts/interfaces/IRecallRegistry.sol";
import {IRecipeRegistry} from "../../contracts/interfaces/IRecipeRegistry.sol";
import {Deployed} from "./support/Deployed.sol";

/// @title What the published layout says is where the contracts keep it
/// @notice Verifiers read slots: these tests read them in the same way, from the same file.
contract StorageLayoutTest is Deployed {
    string internal layout;

    function setUp() public override {
        super.setUp();
        layout = vm.readFile("contracts/storage-layout.json");
    }

    function test_Identities() public view {
        string memory struct_ = "IIdentityRegistry.Identity";
        bytes32 word = _word("IdentityRegistry", "_identities", address(identities), makerId);

        vm.assertEq(_member(struct_, "controller", word), uint160(maker), "controller");
        vm.assertEq(_member(struct_, "kind", word), 1, "kind");
        vm.assertEq(_member(struct_, "since", word), START, "since");
        vm.assertEq(_member(struct_, "controllers", word), 1, "controllers");
    }

    function test_Controllers() public view {
        string memory struct_ = "IIdentityRegistry.Controller";
        bytes32 slot =
            _at(_at(_slot("IdentityRegistry", "_controllers"), makerId), bytes32(uint256(1)));
        bytes32 word = vm.load(address(identities), slot);

        vm.assertEq(_member(struct_, "account", word), uint160(maker), "account");
        vm.assertEq(_member(struct_, "from", word), START, "from");
        word = _word("IdentityRegistry", "_profiles", address(identities), makerId);
        vm.assertEq(word, "profile", "profile");
    }

    function test_Links() public {
        string memory struct_ = "IIdentityRegistry.Interval";
        _link();
        uint40 from = _now();
        _nextBlock();
        vm.prank(technician);
        identities.endLink(machineId, siteId);

        bytes32 pair = _at(_at(_slot("IdentityRegistry", "_links"), machineId), siteId);
        bytes32 word = vm.load(address(identities), _at(pair, bytes32(uint256(1))));

        vm.assertEq(_member(struct_, "from", word), from, "from");
        vm.assertEq(_member(struct_, "to", word), _now(), "to");
        pair = _at(_at(_slot("IdentityRegistry", "_linkCounts"), machineId), siteId);
        vm.assertEq(uint256(vm.load(address(identities), pair)), 1, "count");
        word = _word("IdentityRegistry", "_parents", address(identities), siteId);
        vm.assertEq(word, makerId, "parent");
    }

    function test_Keys() public {
        string memory struct_ = "IIdentityRegistry.Key";
        vm.prank(technician);
        bytes32 key = identities.addKey(
            machineId, IIdentityRegistry.Algorithm.Ed25519, abi.encodePacked(keccak256("key"))
        );
        _nextBlock();
        vm.prank(technician);
        identities.endKey(machineId, key);
        _nextBlock();
        vm.prank(technician);
        identities.giveNotice(machineId, key, START, 0);

        bytes32 word = _word("IdentityRegistry", "_keys", address(identities), key);

        vm.assertEq(_member(struct_, "algorithm", word), 3, "algorithm");
        vm.assertEq(_member(struct_, "from", word), _now() - 24, "from");
        vm.assertEq(_member(struct_, "to", word), _now() - 12, "to");
        vm.assertEq(_member(struct_, "noticeAt", word), _now(), "noticeAt");
        vm.assertEq(_member(struct_, "suspectedFrom", word), START, "suspectedFrom");
    }

    function test_Notices() public {
        string memory struct_ = "IIdentityRegistry.Notice";
        vm.prank(authority);
        identities.giveAuthorityControllerNotice(authorityId, makerId, 1, START, 0);
        vm.prank(maker);
        identities.giveControllerNotice(makerId, START + 1, 0);

        bytes32 slot = _slot("IdentityRegistry", "_notices");
        slot = _at(slot, identities.controllerTarget(makerId, 1));
        bytes32 word = vm.load(address(identities), _at(slot, authorityId));
        vm.assertEq(_member(struct_, "at", word), _now(), "at");
        vm.assertEq(_member(struct_, "suspectedFrom", word), START, "suspectedFrom");
        word = vm.load(address(identities), _at(slot, 0));
        vm.assertEq(_member(struct_, "suspectedFrom", word), START + 1, "its own");
        word = _word("IdentityRegistry", "_identities", address(identities), makerId);
        struct_ = "IIdentityRegistry.Identity";
        vm.assertEq(_member(struct_, "isUnderNotice", word), 1, "isUnderNotice");
        vm.assertEq(_member(struct_, "isInRecovery", word), 0, "isInRecovery");
    }

    function test_Claims() public {
        vm.prank(authority);
        bytes32 id = identities.claim(authorityId, makerId, "LEI", "digest", 0);

        bytes32 word = _word("IdentityRegistry", "_claims", address(identities), id);

        vm.assertEq(_member("IIdentityRegistry.Interval", "from", word), _now(), "from");
    }

    function test_Accreditations() public {
        string memory struct_ = "IIdentityRegistry.Accreditation";
        uint40 from = _now() + 5;
        vm.startPrank(authority);
        bytes32 id = identities.accredit(authorityId, makerId, "scope", from, from + 9);
        identities.revokeAccreditation(authorityId, makerId, "scope");
        vm.stopPrank();

        bytes32 word = _word("IdentityRegistry", "_accreditations", address(identities), id);

        vm.assertEq(_member(struct_, "from", word), from, "from");
        vm.assertEq(_member(struct_, "to", word), from + 9, "to");
        vm.assertEq(_member(struct_, "revokedAt", word), _now(), "revokedAt");
        vm.assertEq(_member(struct_, "recordedAt", word), from - 5, "recordedAt");
    }

    function test_Numbers() public {
        vm.prank(authority);
        bytes32 id = identities.claimPublic(authorityId, makerId, "CAGE", "1ABC2", 0, 0);

        bytes32 number = keccak256(abi.encode(authorityId, bytes32("CAGE"), "1ABC2"));
        vm.assertEq(_word("IdentityRegistry", "_numbers", address(identities), number), id, "claim");
    }

    function test_Designs() public {
        string memory struct_ = "IDesignRegistry.Design";
        bytes32 id = _design();
        _transfer(address(designs), designer, buyer, uint256(id));

        bytes32 word = _word("DesignRegistry", "_designs", address(designs), id);

        vm.assertEq(_member(struct_, "priority", word), _now() - 12, "priority");
        vm.assertEq(_member(struct_, "revisions", word), 1, "revisions");
        vm.assertEq(_member(struct_, "epoch", word), 1, "epoch");
        word = _word("DesignRegistry", "_owners", address(designs), id);
        vm.assertEq(uint256(word), uint160(buyer), "owner");
        word = _word("DesignRegistry", "_commitments", address(designs), id);
        vm.assertEq(uint256(word), _now() - 12, "commitment");
        bytes32 slot = _at(_at(_slot("DesignRegistry", "_revisions"), id), bytes32(uint256(1)));
        vm.assertEq(vm.load(address(designs), slot), designs.revisionDigest(id, 1), "revision");
    }

    function test_DesignOwners() public {
        bytes32 id = _design();
        uint40 begun = _now();
        _nextBlock();
        _transfer(address(designs), designer, buyer, uint256(id));
        _transfer(address(designs), buyer, buyer, uint256(id));
        uint40 sold = _now();
        _nextBlock();
        _transfer(address(designs), buyer, designer, uint256(id));

        _assertOwner(id, 0, designer, begun);
        _assertOwner(id, 1, buyer, sold);
        _assertOwner(id, 2, buyer, sold);
        _assertOwner(id, 3, designer, _now());
        _assertOwner(id, 4, address(0), 0);
    }

    function test_Licenses() public {
        string memory struct_ = "ILicenseRegistry.License";
        ILicenseRegistry.Terms memory terms = _terms(_design());
        terms.notBefore = 1;
        terms.notAfter = 2;
        terms.notice = 3;
        (uint40 number,) = _grant(terms);
        bytes32 id = licenses.licenseId(terms);
        vm.prank(designer);
        licenses.stop(id, _now() + 5);

        bytes32 key = bytes32(uint256(number));
        bytes32 word = _word("LicenseRegistry", "_licenses", address(licenses), key);

        vm.assertEq(_member(struct_, "units", word), UNITS, "units");
        vm.assertEq(_member(struct_, "notBefore", word), 1, "notBefore");
        vm.assertEq(_member(struct_, "notAfter", word), 2, "notAfter");
        vm.assertEq(_member(struct_, "stopAt", word), _now() + 5, "stopAt");
        vm.assertEq(_member(struct_, "notice", word), 3, "notice");
        vm.assertEq(_member(struct_, "parent", word), 0, "parent");
        vm.assertEq(_member(struct_, "depth", word), 0, "depth");
        word = _word("LicenseRegistry", "_ids", address(licenses), key);
        vm.assertEq(word, id, "id");
        word = _word("LicenseRegistry", "_numbers", address(licenses), id);
        struct_ = "ILicenseRegistry.Granted";
        vm.assertEq(_member(struct_, "number", word), number, "number");
        vm.assertEq(_member(struct_, "at", word), _now(), "granted at");
        word = _word("LicenseRegistry", "_designs", address(licenses), key);
        vm.assertEq(word, terms.design, "design");
    }

    function test_Lanes() public {
        string memory struct_ = "ILicenseRegistry.Lane";
        uint40 number = _openLog();
        bytes32 key = bytes32(uint256(_lane(number, 20)));
        _append(number, 5, "root", _draws(uint40(uint256(key)), 5));

        bytes32 word = _word("LicenseRegistry", "_lanes", address(licenses), key);

        vm.assertEq(_member(struct_, "license", word), 1, "license");
        vm.assertEq(_member(struct_, "first", word), 41, "first");
        vm.assertEq(_member(struct_, "next", word), 46, "next");
        vm.assertEq(_member(struct_, "end", word), 61, "end");
        vm.assertEq(_member(struct_, "log", word), number, "log");
        vm.assertEq(_member(struct_, "reclaimAt", word), 0, "reclaimAt");
        word = _word("LicenseRegistry", "_holders", address(licenses), key);
        vm.assertEq(word, siteId, "holder");
        struct_ = "ILicenseRegistry.Origin";
        word = _word("LicenseRegistry", "_origins", address(licenses), key);
        vm.assertEq(_member(struct_, "source", word), 1, "source");
        vm.assertEq(_member(struct_, "at", word), licenses.originOf(2).at, "cut at");
    }

    function test_Extensions() public {
        string memory struct_ = "ILicenseRegistry.Extension";
        ILicenseRegistry.Terms memory terms = _terms(_design());
        (uint40 number,) = _grant(terms);
        bytes32 id = licenses.licenseId(terms);
        _nextBlock();
        vm.prank(designer);
        licenses.extend(id, UNITS, 5, _now(), "");

        bytes32 slot = _at(_slot("LicenseRegistry", "_extensions"), bytes32(uint256(number)));
        bytes32 word = vm.load(address(licenses), _at(slot, bytes32(uint256(UNITS + 1))));

        vm.assertEq(_member(struct_, "end", word), UNITS + 6, "end");
        vm.assertEq(_member(struct_, "epoch", word), 0, "epoch");
        vm.assertEq(_member(struct_, "at", word), _now(), "at");
    }

    function test_ProfileTimes() public {
        string memory struct_ = "IIdentityRegistry.Interval";
        _nextBlock();
        vm.prank(maker);
        identities.setProfile(makerId, "second");

        bytes32 slot = _at(_slot("IdentityRegistry", "_profileTimes"), makerId);
        bytes32 word = vm.load(address(identities), _at(slot, "profile"));
        vm.assertEq(_member(struct_, "from", word), START, "from");
        vm.assertEq(_member(struct_, "to", word), _now(), "to");
        word = vm.load(address(identities), _at(slot, "second"));
        vm.assertEq(_member(struct_, "from", word), _now(), "from of the second");
        vm.assertEq(_member(struct_, "to", word), 0, "to of the second");
    }

    function test_Recipes() public {
        IRecipeRegistry.Recipe memory recipe;
        recipe.root = "root";
        recipe.design = _design();
        recipe.revision = 1;
        vm.prank(designer);
        bytes32 id = recipes.publish(recipe, IRecipeRegistry.Status.Qualified);
        recipe.supersedes = id;
        recipe.change = IRecipeRegistry.Change.Minor;
        vm.prank(designer);
        bytes32 successor = recipes.publish(recipe, IRecipeRegistry.Status.Draft);

        bytes32 word = _word("RecipeRegistry", "_recipes", address(recipes), id);
        vm.assertEq(_member("RecipeRegistry.Publication", "at", word), _now(), "at");
        vm.assertEq(_member("RecipeRegistry.Publication", "steps", word), 1, "steps");
        bytes32 slot = _at(_at(_slot("RecipeRegistry", "_steps"), id), bytes32(uint256(1)));
        word = vm.load(address(recipes), slot);
        vm.assertEq(_member("IRecipeRegistry.Step", "status", word), 3, "status");
        vm.assertEq(_member("IRecipeRegistry.Step", "at", word), _now(), "step at");
        word = _word("RecipeRegistry", "_successors", address(recipes), id);
        vm.assertEq(word, successor, "successor");

        IRecipeRegistry.SiteRecipe memory own = IRecipeRegistry.SiteRecipe(id, siteId, 0, "own");
        vm.prank(siteManager);
        bytes32 ownId = recipes.publishSiteRecipe(own);
        word = _word("RecipeRegistry", "_siteRecipes", address(recipes), ownId);
        vm.assertEq(uint256(word), _now(), "site recipe");
    }

    function test_LogAndFates() public {
        string memory struct_ = "IBuildLog.Head";
        uint40 number = _openLog();
        uint40 lane = _lane(number, 20);
        IBuildLog.Record memory record = _append(number, 5, "root", _draws(lane, 5));
        vm.prank(siteManager);
        parts.voidPart(record, 2, "");

        bytes32 key = bytes32(uint256(number));
        bytes32 word = _word("BuildLog", "_logs", address(log), key);
        vm.assertEq(_member(struct_, "writer", word), uint160(writer), "writer");
        vm.assertEq(_member(struct_, "size", word), 5, "size");
        vm.assertEq(_member(struct_, "seq", word), 1, "seq");
        word = _word("BuildLog", "_operators", address(log), key);
        vm.assertEq(word, operatorId, "operator");
        bytes32 slot = _at(_at(_slot("BuildLog", "_records"), key), 0);
        vm.assertEq(vm.load(address(log), slot), keccak256(abi.encode(record)), "record");
        slot = _at(_at(_slot("PartRegistry", "_fates"), key), bytes32(uint256(2)));
        vm.assertEq(uint256(vm.load(address(parts), slot)), VOID, "fate");
        slot = _at(_at(_slot("PartRegistry", "_fates"), key), bytes32(uint256(3)));
        vm.assertEq(vm.load(address(parts), slot), 0, "no fate is a zero");
    }

    function test_EquivalencePlans() public {
        IEquivalenceRegistry.Plan memory plan = _plan(_design());
        bytes32 id = _committed(plan);
        equivalence.reveal(id, siteId, "root", "salt");

        string memory struct_ = "IEquivalenceRegistry.Schedule";
        bytes32 word = _word("EquivalenceRegistry", "_schedules", address(equivalence), id);
        vm.assertEq(_member(struct_, "at", word), _now(), "at");
        vm.assertEq(_member(struct_, "commitBy", word), plan.commitBy, "commitBy");
        vm.assertEq(_member(struct_, "revealBy", word), plan.revealBy, "revealBy");
        vm.assertEq(_member(struct_, "sites", word), 1, "sites");
        vm.assertEq(_member(struct_, "committed", word), 1, "committed");
        struct_ = "IEquivalenceRegistry.Entry";
        word = _ofSite("_entries", id);
        vm.assertEq(_member(struct_, "number", word), 1, "number");
        vm.assertEq(_member(struct_, "joinedAt", word), _now(), "joinedAt");
        vm.assertEq(_member(struct_, "committedAt", word), _now(), "committedAt");
        vm.assertEq(_member(struct_, "revealedAt", word), _now(), "revealedAt");
        vm.assertEq(_ofSite("_scopes", id), "scope", "scope");
        vm.assertEq(_ofSite("_roots", id), "root", "root");
        vm.assertEq(uint256(_ofSite("_counts", plan.recipe)), 1, "count");
        bytes32 slot = _at(_at(_slot("EquivalenceRegistry", "_plans"), plan.recipe), siteId);
        word = vm.load(address(equivalence), _at(slot, bytes32(uint256(1))));
        vm.assertEq(word, id, "plan");
    }

    function test_EquivalenceCertificates() public {
        bytes32 id = _committed(_plan(_design()));
        equivalence.reveal(id, siteId, "root", "salt");
        uint40 from = _now();
        vm.startPrank(authority);
        equivalence.certify(
            id, siteId, IEquivalenceRegistry.Outcome.Inconclusive, "result", from + 100
        );
        equivalence.challenge(id, siteId, authorityId, "counter");
        vm.warp(from + 1);
        equivalence.suspend(id, siteId, "drift");
        vm.warp(from + 2);
        equivalence.lapse(id, siteId, IEquivalenceRegistry.Cause.KeyUnderNotice);
        vm.stopPrank();

        string memory struct_ = "IEquivalenceRegistry.Certificate";
        bytes32 word = _ofSite("_certificates", id);
        vm.assertEq(_member(struct_, "verdict", word), 3, "verdict");
        vm.assertEq(_member(struct_, "from", word), from, "from");
        vm.assertEq(_member(struct_, "to", word), from + 100, "to");
        vm.assertEq(_member(struct_, "suspendedAt", word), from + 1, "suspendedAt");
        vm.assertEq(_member(struct_, "lapsedAt", word), from + 2, "lapsedAt");
        vm.assertEq(_member(struct_, "cause", word), 4, "cause");
        vm.assertEq(_ofSite("_results", id), "result", "result");
        bytes32 slot = _at(_at(_slot("EquivalenceRegistry", "_counters"), id), siteId);
        vm.assertEq(vm.load(address(equivalence), _at(slot, authorityId)), "counter", "counter");
    }

    function test_Recalls() public {
        IRecallRegistry.Thing memory thing =
            IRecallRegistry.Thing(IRecallRegistry.Cause.Lot, makerId, "lot");
        IRecallRegistry.Severity severity = IRecallRegistry.Severity.Danger;
        IRecallRegistry.Terms memory terms =
            IRecallRegistry.Terms(0, START + 1, START + 2, severity, "cracks");
        uint40 at = _now();
        vm.startPrank(authority);
        bytes32 key = recalls.recallAs(authorityId, thing, terms);
        vm.warp(at + 3);
        recalls.close(key, authorityId, 1, "mended");
        vm.stopPrank();

        string memory struct_ = "IRecallRegistry.Recall";
        bytes32 word = _ofRecall("_recalls", key);
        vm.assertEq(_member(struct_, "at", word), at, "at");
        vm.assertEq(_member(struct_, "from", word), START + 1, "from");
        vm.assertEq(_member(struct_, "to", word), START + 2, "to");
        vm.assertEq(_member(struct_, "closedAt", word), at + 3, "closedAt");
        vm.assertEq(_member(struct_, "severity", word), 3, "severity");
        vm.assertEq(_ofRecall("_issuers", key), authorityId, "issuer");
        vm.assertEq(_ofRecall("_reasons", key), "cracks", "reason");
        bytes32 slot = _at(_slot("RecallRegistry", "_counts"), key);
        vm.assertEq(uint256(vm.load(address(recalls), _at(slot, authorityId))), 1, "count");
        vm.assertEq(uint256(vm.load(address(recalls), _at(slot, 0))), 0, "none is a zero");
    }

    /// @dev The first of the authority's list.
    function _ofRecall(string memory variable, bytes32 key) private view returns (bytes32) {
        bytes32 slot = _at(_at(_slot("RecallRegistry", variable), key), authorityId);
        return vm.load(address(recalls), _at(slot, bytes32(uint256(1))));
    }

    function _ofSite(string memory variable, bytes32 key) private view returns (bytes32) {
        bytes32 slot = _at(_at(_slot("EquivalenceRegistry", variable), key), siteId);
        return vm.load(address(equivalence), slot);
    }

    function _assertOwner(bytes32 id, uint256 epoch, address owner, uint40 since) private view {
        string memory struct_ = "IDesignRegistry.Owner";
        bytes32 epochs = _at(_slot("DesignRegistry", "_epochOwners"), id);
        bytes32 word = vm.load(address(designs), _at(epochs, bytes32(epoch)));

        vm.assertEq(_member(struct_, "account", word), uint160(owner), "owner");
        vm.assertEq(_member(struct_, "since", word), since, "since");
        vm.assertEq(uint256(word) >> 200, 0, "nothing else");
        vm.assertEq(designs.ownerAt(id, uint40(epoch)), owner, "ownerAt");
    }

    function _slot(string memory name, string memory variable) private view returns (bytes32) {
        string memory key = string.concat(".contracts.", name, ".", variable, ".slot");
        return bytes32(vm.parseJsonUint(layout, key));
    }

    function _at(bytes32 slot, bytes32 key) private pure returns (bytes32) {
        return keccak256(abi.encode(key, slot));
    }

    function _word(string memory name, string memory variable, address account, bytes32 key)
        private
        view
        returns (bytes32)
    {
        return vm.load(account, _at(_slot(name, variable), key));
    }

    function _member(string memory struct_, string memory member, bytes32 word)
        private
        view
        returns (uint256)
    {
        string memory key = string.concat(".structs['", struct_, "'].", member);
        uint256 offset = vm.parseJsonUint(layout, string.concat(key, ".offset"));
        uint256 size = vm.parseJsonUint(layout, string.concat(key, ".bytes"));
        return (uint256(word) >> (8 * offset)) & (2 ** (8 * size) - 1);
    }
}
