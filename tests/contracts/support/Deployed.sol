// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {IDesignRegistry} from "../../../contracts/interfaces/IDesignRegistry.sol";
import {IDirectory} from "../../../contracts/interfaces/IDirectory.sol";
import {IEquivalenceRegistry} from "../../../contracts/interfaces/IEquivalenceRegistry.sol";
import {IIdentityRegistry} from "../../../contracts/interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "../../../contracts/interfaces/ILicenseRegistry.sol";
import {IPartRegistry} from "../../../contracts/interfaces/IPartRegistry.sol";
import {IRecallRegistry} from "../../../contracts/interfaces/IRecallRegistry.sol";
import {IRecipeRegistry} from "../../../contracts/interfaces/IRecipeRegistry.sol";
import {Eip712} from "./Eip712.sol";
import {Rfc9162} from "./Rfc9162.sol";
import {Vm} from "./Vm.sol";

/// @title A deployment of all contracts, with people in it
abstract contract Deployed {
    Vm internal constant vm = Vm(address(uint160(uint256(keccak256("hevm cheat code")))));

    /// @dev Everybody has an account of his own, so that a test sees who may and who may not.
    uint256 internal constant DESIGNER_KEY = 0xA1;
    uint256 internal constant MAKER_KEY = 0xA2;
    uint256 internal constant SITE_KEY = 0xA3;
    uint256 internal constant MACHINE_KEY = 0xA4;
    uint256 internal constant OPERATOR_KEY = 0xA5;
    uint256 internal constant WRITER_KEY = 0xA6;
    uint256 internal constant AUTHORITY_KEY = 0xA7;
    uint256 internal constant BUYER_KEY = 0xA8;
    uint256 internal constant STRANGER_KEY = 0xA9;

    uint40 internal constant START = 1_900_000_000;
    uint40 internal constant UNITS = 60;
    uint64 internal constant VOID = type(uint64).max;

    address internal designer = vm.addr(DESIGNER_KEY);
    address internal maker = vm.addr(MAKER_KEY);
    address internal siteManager = vm.addr(SITE_KEY);
    address internal technician = vm.addr(MACHINE_KEY);
    address internal operator = vm.addr(OPERATOR_KEY);
    address internal writer = vm.addr(WRITER_KEY);
    address internal authority = vm.addr(AUTHORITY_KEY);
    address internal buyer = vm.addr(BUYER_KEY);
    address internal stranger = vm.addr(STRANGER_KEY);

    IIdentityRegistry internal identities;
    IDesignRegistry internal designs;
    IRecipeRegistry internal recipes;
    ILicenseRegistry internal licenses;
    IBuildLog internal log;
    IPartRegistry internal parts;
    IEquivalenceRegistry internal equivalence;
    IRecallRegistry internal recalls;
    IDirectory internal directory;

    bytes32 internal makerId;
    bytes32 internal siteId;
    bytes32 internal machineId;
    bytes32 internal operatorId;
    bytes32 internal authorityId;

    function setUp() public virtual {
        vm.warp(START);
        vm.roll(1000);
        _deploy();
        makerId = _register(IIdentityRegistry.Kind.Organization, maker);
        siteId = _register(IIdentityRegistry.Kind.Site, siteManager);
        machineId = _register(IIdentityRegistry.Kind.Machine, technician);
        operatorId = _register(IIdentityRegistry.Kind.Organization, operator);
        authorityId = _register(IIdentityRegistry.Kind.Authority, authority);
        _nextBlock();
    }

    /// @dev By artifact, so that no test contract carries the contracts' code.
    function _deploy() internal virtual {
        identities = IIdentityRegistry(vm.deployCode("IdentityRegistry.sol", ""));
        address meter = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 2);
        designs = IDesignRegistry(vm.deployCode("DesignRegistry.sol", abi.encode(meter)));
        bytes memory two = abi.encode(identities, designs);
        recipes = IRecipeRegistry(vm.deployCode("RecipeRegistry.sol", two));
        address next = vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + 1);
        bytes memory three = abi.encode(identities, designs, next);
        licenses = ILicenseRegistry(vm.deployCode("LicenseRegistry.sol", three));
        log = IBuildLog(vm.deployCode("BuildLog.sol", abi.encode(identities, licenses)));
        vm.assertEq(address(licenses), meter, "the meter is where the designs look for it");
        vm.assertEq(address(log), next, "the log is where the licenses look for it");
        three = abi.encode(identities, licenses, log);
        parts = IPartRegistry(vm.deployCode("PartRegistry.sol", three));
        two = abi.encode(identities, recipes);
        equivalence = IEquivalenceRegistry(vm.deployCode("EquivalenceRegistry.sol", two));
        bytes memory all = abi.encode(identities, designs, licenses, recipes, log, equivalence);
        recalls = IRecallRegistry(vm.deployCode("RecallRegistry.sol", all));
        all = abi.encode(identities, designs, licenses, recipes, log, parts, equivalence, recalls);
        directory = IDirectory(vm.deployCode("Directory.sol", all));
    }

    function _nextBlock() internal virtual {
        vm.warp(vm.getBlockTimestamp() + 12);
        vm.roll(vm.getBlockNumber() + 1);
    }

    function _now() internal view returns (uint40) {
        return uint40(vm.getBlockTimestamp());
    }

    /// @dev The next call comes from `caller` and reverts with `error`.
    function _refuse(address caller, bytes memory error) internal {
        vm.prank(caller);
        vm.expectRevert(error);
    }

    /// @dev The next call comes from `caller` and emits the event that follows from `emitter`.
    function _emits(address caller, address emitter) internal {
        vm.prank(caller);
        vm.expectEmit(emitter);
    }

    function _register(IIdentityRegistry.Kind kind, address controller) internal returns (bytes32) {
        vm.prank(controller);
        return identities.register(kind, "salt", "profile");
    }

    /// @dev Links the machine to the site and the site to the maker.
    function _link() internal {
        vm.prank(technician);
        identities.requestLink(machineId, siteId);
        vm.prank(siteManager);
        identities.acceptLink(machineId, siteId);
        vm.prank(siteManager);
        identities.requestLink(siteId, makerId);
        vm.prank(maker);
        identities.acceptLink(siteId, makerId);
    }

    function _design() internal returns (bytes32) {
        return _design(designer, "salt");
    }

    function _design(address owner, bytes32 salt) internal returns (bytes32) {
        designs.commit(_commitment(owner, "root", salt));
        _nextBlock();
        vm.prank(owner);
        return designs.register("root", salt, "ciphertext", "manifest", "bafy");
    }

    function _commitment(address owner, bytes32 root, bytes32 salt)
        internal
        view
        returns (bytes32)
    {
        bytes32 domain = keccak256("guildmark/design/v1");
        return keccak256(abi.encode(domain, block.chainid, designs, owner, root, salt));
    }

    /// @dev Moves a token of designs or of parts.
    function _transfer(address registry, address from, address to, uint256 token) internal {
        vm.prank(from);
        IERC721(registry).transferFrom(from, to, token);
    }

    function _terms(bytes32 design) internal view returns (ILicenseRegistry.Terms memory terms) {
        terms.design = design;
        terms.designEpoch = designs.design(design).epoch;
        terms.units = UNITS;
        terms.holder = makerId;
        terms.offerUntil = _now() + 1000;
        terms.termsRoot = "terms";
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    function _voidDigest(uint256 part) internal view returns (bytes32) {
        return Eip712.typed(Eip712.voidPart(part), Eip712.PARTS, block.chainid, address(parts));
    }

    function _supersedeDigest(uint256 part, uint64 byIndex) internal view returns (bytes32) {
        bytes32 content = Eip712.supersede(part, byIndex);
        return Eip712.typed(content, Eip712.PARTS, block.chainid, address(parts));
    }

    /// @dev Another signature of the same digest that recovers to the same account, with a high s.
    function _malleate(bytes memory signature) internal pure returns (bytes memory) {
        (bytes32 r, bytes32 s) = abi.decode(signature, (bytes32, bytes32));
        uint256 order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141;
        uint8 v = uint8(signature[64]) == 27 ? 28 : 27;
        return abi.encodePacked(r, order - uint256(s), v);
    }

    function _grant(ILicenseRegistry.Terms memory terms)
        internal
        returns (uint40 number, uint40 lane)
    {
        return licenses.grant(terms, _sign(DESIGNER_KEY, licenses.licenseId(terms)), "");
    }

    /// @dev Terms under the license of a lane, for all that it has not drawn.
    function _termsUnder(uint40 lane, bytes32 holder)
        internal
        view
        returns (ILicenseRegistry.Terms memory terms)
    {
        ILicenseRegistry.Lane memory self = licenses.lane(lane);
        terms.design = licenses.designOf(self.license);
        terms.units = self.end - self.next;
        terms.holder = holder;
        terms.parent = licenses.idOf(self.license);
        terms.offerUntil = _now() + 1000;
        terms.termsRoot = "terms";
        terms.nonce = lane;
    }

    /// @dev The holder's controller calls, and so need not sign.
    function _sublicense(uint40 lane, ILicenseRegistry.Terms memory terms)
        internal
        returns (uint40 number, uint40 first)
    {
        uint40 end = licenses.lane(lane).end;
        address holder = identities.controllerOf(licenses.holderOf(lane));
        vm.prank(holder);
        return licenses.sublicense(lane, end, terms, "", "");
    }

    /// @dev What the account of `key` signs to be bound by terms under which something is owed.
    function _accept(uint256 key, ILicenseRegistry.Terms memory terms)
        internal
        view
        returns (bytes memory)
    {
        return _sign(key, _ofLicenses(Eip712.acceptance(terms)));
    }

    function _ofLicenses(bytes32 content) internal view returns (bytes32) {
        return Eip712.typed(content, Eip712.LICENSES, block.chainid, address(licenses));
    }

    /// @dev A plan of the maker for its site, over a recipe of the design that is not yet there.
    function _plan(bytes32 design) internal returns (IEquivalenceRegistry.Plan memory plan) {
        IRecipeRegistry.Recipe memory recipe;
        recipe.root = "planned";
        recipe.design = design;
        recipe.revision = 1;
        vm.prank(designer);
        plan.recipe = recipes.publish(recipe, IRecipeRegistry.Status.Trial);
        plan.sponsor = makerId;
        plan.evaluator = authorityId;
        plan.document = "document";
        plan.commitBy = _now() + 1000;
        plan.revealBy = _now() + 2000;
        plan.sites = new bytes32[](1);
        plan.sites[0] = siteId;
    }

    function _joined(IEquivalenceRegistry.Plan memory plan) internal returns (bytes32 id) {
        vm.prank(maker);
        id = equivalence.register(plan);
        vm.prank(siteManager);
        equivalence.join(plan, siteId, "scope");
    }

    /// @dev The site has committed to root "root" by salt "salt".
    function _committed(IEquivalenceRegistry.Plan memory plan) internal returns (bytes32 id) {
        id = _joined(plan);
        vm.prank(siteManager);
        equivalence.commit(id, siteId, _blind(id, siteId, "root", "salt"));
    }

    function _blind(bytes32 plan, bytes32 site, bytes32 root, bytes32 salt)
        internal
        pure
        returns (bytes32)
    {
        bytes32 domain = keccak256("guildmark/equivalence-data/v1");
        return keccak256(abi.encode(domain, plan, site, root, salt));
    }

    function _openLog() internal returns (uint40) {
        vm.prank(operator);
        return log.open(operatorId, writer, 0);
    }

    /// @dev A lane of the site with `n` units, cut off the maker's, for a log.
    function _lane(uint40 number, uint40 n) internal returns (uint40) {
        // each call has a design of its own
        bytes32 salt = bytes32(vm.getBlockTimestamp());
        (, uint40 first) = _grant(_terms(_design(designer, salt)));
        vm.prank(maker);
        return licenses.split(first, UNITS + 1, n, number, siteId);
    }

    function _noDraws() internal pure returns (IBuildLog.Draw[] memory) {
        return new IBuildLog.Draw[](0);
    }

    function _draws(uint40 lane, uint40 n) internal pure returns (IBuildLog.Draw[] memory draws) {
        draws = new IBuildLog.Draw[](1);
        draws[0] = IBuildLog.Draw({lane: lane, n: n});
    }

    function _append(uint40 number, uint40 count, bytes32 root, IBuildLog.Draw[] memory draws)
        internal
        returns (IBuildLog.Record memory)
    {
        uint40 seq = uint40(log.head(number).seq);
        vm.recordLogs();
        vm.prank(log.head(number).writer);
        log.append(number, seq, count, root, draws);
        return _lastRecord();
    }

    function _lastRecord() internal returns (IBuildLog.Record memory) {
        Vm.Log[] memory logs = vm.getRecordedLogs();
        return abi.decode(logs[logs.length - 1].data, (IBuildLog.Record));
    }

    function _entry() internal view returns (IPartRegistry.Entry memory) {
        return IPartRegistry.Entry({
            kind: 1,
            subject: keccak256("subject"),
            envelope: keccak256("envelope"),
            siteRecipe: keccak256("site recipe"),
            machine: machineId,
            maker: makerId,
            dependencies: keccak256("dependencies"),
            previous: 0
        });
    }

    /// @dev The leaf hash of an entry, written out here once more.
    function _leaf(IPartRegistry.Entry memory entry, bytes32 salt) internal pure returns (bytes32) {
        bytes memory encoded = abi.encode(keccak256("guildmark/entry/v1"), salt, entry);
        return Rfc9162.hashLeaf(abi.encode(sha256(encoded)));
    }

    /// @dev The batch in which `leaf` is at `position` and every other leaf is made up.
    function _batch(bytes32 leaf, uint256 position, uint256 count)
        internal
        pure
        returns (bytes32[] memory leaves)
    {
        leaves = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            leaves[i] = i == position ? leaf : keccak256(abi.encode("leaf", i));
        }
    }

    /// @dev The root that a path leads to in a full tree, where every level has a sibling.
    function _climb(bytes32 leaf, uint256 position, bytes32[] memory path)
        internal
        pure
        returns (bytes32 node)
    {
        node = leaf;
        for (uint256 i = 0; i < path.length; ++i) {
            node = (position >> i) & 1 == 0
                ? Rfc9162.hashNode(node, path[i])
                : Rfc9162.hashNode(path[i], node);
        }
    }

    function _bound(uint256 value, uint256 low, uint256 high) internal pure returns (uint256) {
        return low + value % (high - low + 1);
    }

    /// @dev Begins a recovery of the authority: who speaks for it is not settled.
    function _recoverAuthority() internal {
        address[] memory guardians = new address[](1);
        guardians[0] = stranger;
        vm.prank(authority);
        identities.setGuardians(authorityId, guardians, 1, 1 days);
        vm.prank(stranger);
        identities.supportCandidate(authorityId, buyer);
    }

    function _authorityInRecovery() internal view returns (bytes memory) {
        return abi.encodeWithSelector(IIdentityRegistry.IssuerInRecovery.selector, authorityId);
    }
}
