// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../contracts/interfaces/IBuildLog.sol";
import {IDesignRegistry} from "../../contracts/interfaces/IDesignRegistry.sol";
import {IIdentityRegistry} from "../../contracts/interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "../../contracts/interfaces/ILicenseRegistry.sol";
import {IPartRegistry} from "../../contracts/interfaces/IPartRegistry.sol";
import {IRecipeRegistry} from "../../contracts/interfaces/IRecipeRegistry.sol";
import {LogProofHarness} from "./LogProof.t.sol";
import {Deployed} from "./support/Deployed.sol";
import {Eip712} from "./support/Eip712.sol";
import {Rfc9162} from "./support/Rfc9162.sol";

/// @title The contracts compute what tests/vectors says, as the Python side does from the same
/// files
/// @notice A contract is put at the vector's address; what must exist before is written to its
/// slots.
contract VectorsTest is Deployed {
    LogProofHarness internal proof;
    string internal file;
    string internal item;

    function setUp() public override {
        super.setUp();
        proof = new LogProofHarness();
    }

    function test_Identity() public {
        _read("identity");
        for (uint256 i = 0; _case(i); ++i) {
            address account = _place("registry", address(identities));
            vm.prank(_account("controller"));
            bytes32 id =
                IIdentityRegistry(account).register(IIdentityRegistry.Kind.Site, _word("salt"), 0);

            vm.assertEq(id, _word("id"), "identity");
        }
    }

    function test_Key() public {
        _read("key");
        for (uint256 i = 0; _case(i); ++i) {
            bytes32 machine = _word("machine");
            _identity(machine, IIdentityRegistry.Kind.Machine);
            vm.prank(technician);
            bytes32 key = identities.addKey(
                machine,
                IIdentityRegistry.Algorithm(_number("algorithm")),
                vm.parseJsonBytes(file, _key("publicKey"))
            );

            vm.assertEq(key, _word("id"), "key");
        }
    }

    function test_Claim() public {
        _read("claim");
        for (uint256 i = 0; _case(i); ++i) {
            _identity(_word("issuer"), IIdentityRegistry.Kind.Authority);
            _identity(_word("subject"), IIdentityRegistry.Kind.Organization);
            vm.prank(technician);
            bytes32 id = identities.claim(
                _word("issuer"), _word("subject"), _word("scheme32"), _word("digest"), 0
            );

            vm.assertEq(id, _word("id"), "claim");
        }
    }

    function test_ClaimPublic() public {
        _read("claim");
        for (uint256 i = 0; _case(i); ++i) {
            _identity(_word("issuer"), IIdentityRegistry.Kind.Authority);
            _identity(_word("subject"), IIdentityRegistry.Kind.Organization);
            vm.prank(technician);
            bytes32 id = identities.claimPublic(
                _word("issuer"),
                _word("subject"),
                _word("scheme32"),
                vm.parseJsonString(file, _key("value")),
                _word("salt"),
                0
            );

            vm.assertEq(id, _word("id"), "claim");
        }
    }

    function test_Accreditation() public {
        _read("accreditation");
        for (uint256 i = 0; _case(i); ++i) {
            _identity(_word("issuer"), IIdentityRegistry.Kind.Authority);
            _identity(_word("subject"), IIdentityRegistry.Kind.Organization);
            vm.prank(technician);
            bytes32 id =
                identities.accredit(_word("issuer"), _word("subject"), _word("scope"), 0, 0);

            vm.assertEq(id, _word("id"), "accreditation");
        }
    }

    function test_Design() public {
        _read("design");
        for (uint256 i = 0; _case(i); ++i) {
            IDesignRegistry registry = IDesignRegistry(_place("registry", address(designs)));
            registry.commit(_word("id"));
            _nextBlock();
            vm.prank(_account("owner"));
            bytes32 id = registry.register(_word("root"), _word("salt"), "c", "m", "cid");

            vm.assertEq(id, _word("id"), "design");
        }
    }

    function test_Revision() public {
        _read("revision");
        for (uint256 i = 0; _case(i); ++i) {
            IDesignRegistry.Revision memory revision = IDesignRegistry.Revision({
                design: _word("revision.design"),
                number: _number("revision.number"),
                root: _word("revision.root"),
                ciphertext: _word("revision.ciphertext"),
                manifest: _word("revision.manifest"),
                at: _number("revision.at"),
                derivedFrom: vm.parseJsonBytes32Array(file, _key("revision.derivedFrom"))
            });

            vm.assertEq(keccak256(abi.encode(revision)), _word("digest"), "revision");
        }
    }

    function test_Terms() public {
        _read("terms");
        for (uint256 i = 0; _case(i); ++i) {
            address account = _place("contract", address(licenses));
            ILicenseRegistry.Terms memory terms = _terms();

            bytes32 separator = Eip712.separator(Eip712.LICENSES, block.chainid, account);
            vm.assertEq(separator, _word("separator"), "separator");
            vm.assertEq(Eip712.terms(terms), _word("structHash"), "struct");
            bytes32 id = ILicenseRegistry(account).licenseId(terms);
            vm.assertEq(id, _word("licenseId"), "license");
            bytes32 digest = _typed(Eip712.acceptance(terms), account);
            vm.assertEq(digest, _word("acceptance"), "acceptance");
            bytes32 content = Eip712.sublicense(_number("lane"), _number("end"), terms);
            vm.assertEq(_typed(content, account), _word("sublicense"), "sublicense");
        }
    }

    function test_Recipe() public {
        _read("recipe");
        for (uint256 i = 0; _case(i); ++i) {
            IRecipeRegistry.Recipe memory recipe = IRecipeRegistry.Recipe({
                root: _word("recipe.root"),
                design: _word("recipe.design"),
                revision: _number("recipe.revision"),
                supersedes: _word("recipe.supersedes"),
                change: IRecipeRegistry.Change(_number("recipe.change")),
                plan: _word("recipe.plan")
            });
            _ownedDesign(recipe.design);
            vm.prank(designer);
            bytes32 id = recipes.publish(recipe, IRecipeRegistry.Status.Trial);

            vm.assertEq(id, _word("id"), "recipe");
        }
    }

    function test_SiteRecipe() public {
        _read("site-recipe");
        for (uint256 i = 0; _case(i); ++i) {
            IRecipeRegistry.SiteRecipe memory own = IRecipeRegistry.SiteRecipe({
                master: _word("recipe.master"),
                site: _word("recipe.site"),
                model: _word("recipe.model"),
                root: _word("recipe.root")
            });
            _identity(own.site, IIdentityRegistry.Kind.Site);
            bytes32 slot = keccak256(abi.encode(own.master, uint256(0)));
            vm.store(address(recipes), slot, bytes32(uint256(1)));
            vm.prank(technician);
            bytes32 id = recipes.publishSiteRecipe(own);

            vm.assertEq(id, _word("id"), "site recipe");
        }
    }

    function test_Record() public {
        _read("record");
        for (uint256 i = 0; _case(i); ++i) {
            bytes memory encoded = vm.parseJsonBytes(file, _key("encoded"));
            IBuildLog.Record memory record = abi.decode(encoded, (IBuildLog.Record));

            vm.assertEq(abi.encode(record), encoded, "encoded");
            vm.assertEq(record.log, _number("record.log"), "log");
            vm.assertEq(record.seq, _number("record.seq"), "seq");
            vm.assertEq(record.count, _number("record.count"), "count");
            vm.assertEq(record.time, _number("record.time"), "time");
            vm.assertEq(record.parent, _word("record.parent"), "parent");
            vm.assertEq(record.root, _word("record.root"), "root");
            vm.assertEq(proof.recordDigest(record), _word("digest"), "record");
        }
    }

    /// @dev The lane of each position decides who may speak for it.
    function test_RecordUnits() public {
        _read("record");
        for (uint256 i = 0; _case(i); ++i) {
            bytes memory encoded = vm.parseJsonBytes(file, _key("encoded"));
            IBuildLog.Record memory record = abi.decode(encoded, (IBuildLog.Record));
            bytes32 slot = keccak256(abi.encode(record.log, uint256(2)));
            slot = keccak256(abi.encode(record.seq, slot));
            vm.store(address(log), slot, keccak256(encoded));
            string memory outer = item;
            for (uint256 k = 0; _unit(outer, k); ++k) {
                _assertUnit(record, _number("position"), _number("lane"));
            }
            item = outer;
        }
    }

    function test_Entry() public {
        _read("entry");
        for (uint256 i = 0; _case(i); ++i) {
            IPartRegistry.Entry memory entry = IPartRegistry.Entry({
                kind: uint8(_number("entry.kind")),
                subject: _word("entry.subject"),
                envelope: _word("entry.envelope"),
                siteRecipe: _word("entry.siteRecipe"),
                machine: _word("entry.machine"),
                maker: _word("entry.maker"),
                dependencies: _word("entry.dependencies"),
                previous: uint64(vm.parseJsonUint(file, _key("entry.previous")))
            });

            bytes memory encoded = vm.parseJsonBytes(file, _key("encoded"));
            vm.assertEq(abi.encode(entry), encoded, "encoded");
            vm.assertEq(proof.entryLeaf(entry, _word("salt")), _word("leafHash"), "leaf");
        }
    }

    function test_Tree() public {
        _read("tree");
        for (uint256 i = 0; _case(i); ++i) {
            uint40 count = _number("count");
            bytes32 root = _word("root");
            string memory outer = item;
            for (uint256 k = 0; _path(outer, k); ++k) {
                bytes32 leaf = Rfc9162.hashLeaf(abi.encode(_word("leafData")));
                bytes32[] memory path = vm.parseJsonBytes32Array(file, _key("path"));

                bool isIncluded = proof.includes(root, leaf, _number("index"), count, path);

                vm.assertTrue(isIncluded, "path");
            }
            item = outer;
        }
    }

    function test_Part() public {
        _read("part");
        for (uint256 i = 0; _case(i); ++i) {
            address account = _place("contract", address(parts));
            uint256 index = vm.parseJsonUint(file, _key("index"));
            uint256 part = (uint256(_number("log")) << 64) | index;
            uint64 by = uint64(vm.parseJsonUint(file, _key("byIndex")));

            vm.assertEq(part, vm.parseJsonUint(file, _key("tokenId")), "token");
            bytes32 digest =
                Eip712.typed(Eip712.voidPart(part), Eip712.PARTS, block.chainid, account);
            vm.assertEq(digest, _word("void"), "void");
            digest = Eip712.typed(Eip712.supersede(part, by), Eip712.PARTS, block.chainid, account);
            vm.assertEq(digest, _word("supersede"), "supersede");
        }
    }

    function _read(string memory name) private {
        file = vm.readFile(string.concat("tests/vectors/", name, ".json"));
        vm.assertTrue(_case(0), "there is a case");
    }

    /// @dev Turns to case `i` and says whether there is one.
    function _case(uint256 i) private returns (bool) {
        item = string.concat(".cases[", vm.toString(i), "]");
        return vm.keyExistsJson(file, item);
    }

    function _unit(string memory outer, uint256 k) private returns (bool) {
        item = string.concat(outer, ".units[", vm.toString(k), "]");
        return vm.keyExistsJson(file, item);
    }

    function _path(string memory outer, uint256 k) private returns (bool) {
        item = string.concat(outer, ".paths[", vm.toString(k), "]");
        return vm.keyExistsJson(file, item);
    }

    function _key(string memory name) private view returns (string memory) {
        return string.concat(item, ".", name);
    }

    function _word(string memory name) private view returns (bytes32) {
        return vm.parseJsonBytes32(file, _key(name));
    }

    function _number(string memory name) private view returns (uint40) {
        return uint40(vm.parseJsonUint(file, _key(name)));
    }

    function _account(string memory name) private view returns (address) {
        return vm.parseJsonAddress(file, _key(name));
    }

    /// @dev The code of `account` at the vector's address, on the vector's chain.
    function _place(string memory name, address account) private returns (address place) {
        place = _account(name);
        vm.etch(place, account.code);
        vm.chainId(vm.parseJsonUint(file, _key("chainId")));
    }

    function _identity(bytes32 id, IIdentityRegistry.Kind kind) private {
        uint256 packed = uint160(technician) | (uint256(kind) << 160) | (1 << 208);
        vm.store(address(identities), keccak256(abi.encode(id, uint256(0))), bytes32(packed));
        vm.assertTrue(identities.kindOf(id) == kind, "kind");
        vm.assertEq(identities.controllerOf(id), technician, "controller");
    }

    function _ownedDesign(bytes32 id) private {
        bytes32 slot = keccak256(abi.encode(id, uint256(2)));
        vm.store(address(designs), slot, bytes32(uint256(uint160(designer))));
        slot = keccak256(abi.encode(id, uint256(6)));
        vm.store(address(designs), slot, bytes32(uint256(1) | (uint256(9) << 40)));
        vm.assertEq(designs.design(id).revisions, 9, "revisions");
    }

    /// @dev No lane of the vectors has a holder here, so that who is asked for shows the grant.
    function _assertUnit(IBuildLog.Record memory record, uint40 position, uint40 lane) private {
        bytes memory expected = abi.encodeWithSelector(
            IIdentityRegistry.IdentityUnknown.selector, bytes32(uint256(lane))
        );
        if (lane == 0) {
            expected = abi.encodeWithSelector(
                IPartRegistry.UnitNotGranted.selector, record.log, record.seq, position
            );
        } else {
            bytes32 slot = keccak256(abi.encode(lane, uint256(7)));
            vm.store(address(licenses), slot, bytes32(uint256(lane)));
        }

        vm.expectRevert(expected);
        parts.voidPart(record, position, "");
    }

    function _typed(bytes32 content, address account) private view returns (bytes32) {
        return Eip712.typed(content, Eip712.LICENSES, block.chainid, account);
    }

    function _terms() private view returns (ILicenseRegistry.Terms memory terms) {
        terms.design = _word("terms.design");
        terms.designEpoch = _number("terms.designEpoch");
        terms.units = _number("terms.units");
        terms.holder = _word("terms.holder");
        terms.notBefore = _number("terms.notBefore");
        terms.notAfter = _number("terms.notAfter");
        terms.notice = _number("terms.notice");
        terms.parent = _word("terms.parent");
        terms.currency = _account("terms.currency");
        terms.royalty = vm.parseJsonUint(file, _key("terms.royalty"));
        terms.fee = vm.parseJsonUint(file, _key("terms.fee"));
        terms.offerUntil = _number("terms.offerUntil");
        terms.nonce = vm.parseJsonUint(file, _key("terms.nonce"));
        terms.termsRoot = _word("terms.termsRoot");
    }
}
