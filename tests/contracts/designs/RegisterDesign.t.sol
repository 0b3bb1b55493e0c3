// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/token/ERC721/IERC721.sol";

import {IDesignRegistry} from "../../../contracts/interfaces/IDesignRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract RegisterDesignTest is Deployed {
    bytes32 internal commitment;

    function setUp() public override {
        super.setUp();
        commitment = _commitment(designer, "root", "salt");
        designs.commit(commitment);
        _nextBlock();
    }

    function test_Register_MakesTheCallerTheOwner() public {
        bytes32 id = _reveal("bafy");

        vm.assertEq(id, commitment, "id");
        vm.assertEq(designs.designOwner(id), designer, "owner");
        vm.assertEq(IERC721(address(designs)).ownerOf(uint256(id)), designer, "token");
    }

    function test_Register_TakesThePriorityOfTheCommitment() public {
        uint40 committed = designs.committedAt(commitment);

        IDesignRegistry.Design memory self = designs.design(_reveal("bafy"));

        vm.assertEq(self.priority, committed, "priority");
        vm.assertEq(self.revisions, 1, "revisions");
        vm.assertEq(self.epoch, 0, "epoch");
    }

    function test_Register_PublishesTheFirstRevision() public {
        IDesignRegistry.Revision memory revision = _first();

        vm.prank(designer);
        vm.expectEmit(address(designs));
        emit IDesignRegistry.DesignRegistered(commitment, designer, _now() - 12);
        vm.expectEmit(address(designs));
        emit IDesignRegistry.RevisionPublished(commitment, 1, revision, "bafy");
        vm.expectEmit(address(designs));
        emit IERC721.Transfer(address(0), designer, uint256(commitment));
        designs.register("root", "salt", "ciphertext", "manifest", "bafy");

        bytes32 digest = designs.revisionDigest(commitment, 1);
        vm.assertEq(digest, keccak256(abi.encode(revision)), "digest");
    }

    function testFuzz_Register_CommitmentBindsChainRegistryOwnerRootAndSalt(
        bytes32 root,
        bytes32 salt,
        uint32 chain
    ) public {
        vm.assume(root != 0);
        vm.chainId(uint256(chain) + 1);
        bytes32 expected = _commitment(designer, root, salt);
        designs.commit(expected);
        _nextBlock();

        vm.prank(designer);
        bytes32 id = designs.register(root, salt, "ciphertext", "manifest", "bafy");

        vm.assertEq(id, expected, "id");
    }

    function test_Register_AdmitsCidsOf1To128Bytes() public {
        vm.assertFalse(_tries(0), "empty");
        vm.assertTrue(_tries(1), "1 byte");
        vm.assertTrue(_tries(128), "128 bytes");
        vm.assertFalse(_tries(129), "129 bytes");
    }

    function test_Register_RevertWhen_CidIsTooLong() public {
        string memory cid = string(new bytes(129));

        _refuse(designer, abi.encodeWithSelector(IDesignRegistry.CidLengthInvalid.selector, 129));
        designs.register("root", "salt", "ciphertext", "manifest", cid);
    }

    function test_Register_RevertWhen_NotCommitted() public {
        bytes32 other = _commitment(designer, "other", "salt");

        _refuse(designer, abi.encodeWithSelector(IDesignRegistry.CommitmentMissing.selector, other));
        designs.register("other", "salt", "ciphertext", "manifest", "bafy");
    }

    function test_Register_RevertWhen_SomebodyElseReveals() public {
        bytes32 other = _commitment(stranger, "root", "salt");

        _refuse(stranger, abi.encodeWithSelector(IDesignRegistry.CommitmentMissing.selector, other));
        designs.register("root", "salt", "ciphertext", "manifest", "bafy");
    }

    function test_Register_RevertWhen_CommittedInTheSameBlock() public {
        bytes32 other = _commitment(designer, "other", "salt");
        designs.commit(other);

        _refuse(
            designer,
            abi.encodeWithSelector(IDesignRegistry.CommitmentTooYoung.selector, other, _now())
        );
        designs.register("other", "salt", "ciphertext", "manifest", "bafy");
    }

    function test_Register_RevertWhen_RegisteredAlready() public {
        _reveal("bafy");

        _refuse(
            designer,
            abi.encodeWithSelector(IDesignRegistry.DesignRegisteredAlready.selector, commitment)
        );
        designs.register("root", "salt", "ciphertext", "manifest", "bafy");
    }

    function test_Register_RevertWhen_RootIsZero() public {
        designs.commit(_commitment(designer, 0, "salt"));
        _nextBlock();

        _refuse(designer, abi.encodeWithSelector(IDesignRegistry.RevisionRootMissing.selector));
        designs.register(0, "salt", "ciphertext", "manifest", "bafy");
    }

    function test_UnknownDesignReadsAsZero() public {
        vm.assertEq(designs.design("none").priority, 0, "design");
        vm.assertEq(designs.revisionDigest("none", 1), 0, "revision");
        vm.expectRevert(
            abi.encodeWithSelector(IDesignRegistry.DesignUnknown.selector, bytes32("none"))
        );
        designs.designOwner("none");
    }

    function _reveal(string memory cid) private returns (bytes32) {
        vm.prank(designer);
        return designs.register("root", "salt", "ciphertext", "manifest", cid);
    }

    function _first() private view returns (IDesignRegistry.Revision memory) {
        return IDesignRegistry.Revision({
            design: commitment,
            number: 1,
            root: "root",
            ciphertext: "ciphertext",
            manifest: "manifest",
            at: _now(),
            derivedFrom: new bytes32[](0)
        });
    }

    function _tries(uint256 length) private returns (bool isDone) {
        bytes32 salt = bytes32(length);
        designs.commit(_commitment(designer, "root", salt));
        _nextBlock();
        string memory cid = string(new bytes(length));
        bytes memory call = abi.encodeCall(IDesignRegistry.register, ("root", salt, "c", "m", cid));
        vm.prank(designer);
        (isDone,) = address(designs).call(call);
    }
}
