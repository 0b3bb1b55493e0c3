// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDesignRegistry} from "../../../contracts/interfaces/IDesignRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract PublishRevisionTest is Deployed {
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        id = _design();
        _nextBlock();
    }

    function test_Publish_AppendsARevision() public {
        bytes32[] memory from = new bytes32[](1);
        from[0] = designs.revisionDigest(id, 1);
        IDesignRegistry.Revision memory revision = _revision(from);

        _emits(designer, address(designs));
        emit IDesignRegistry.RevisionPublished(id, 2, revision, "bafy2");
        uint40 number = designs.publish(id, 1, "root2", "cipher2", "manifest2", "bafy2", from);

        vm.assertEq(number, 2, "number");
        vm.assertEq(designs.design(id).revisions, 2, "revisions");
        bytes32 digest = designs.revisionDigest(id, 2);
        vm.assertEq(digest, keccak256(abi.encode(revision)), "digest");
        vm.assertEq(designs.revisionDigest(id, 1), from[0], "the first stays");
    }

    function test_Publish_DerivesFromAnotherDesign() public {
        bytes32[] memory from = new bytes32[](1);
        from[0] = designs.revisionDigest(_design(stranger, "other"), 1);

        vm.prank(designer);
        uint40 number = designs.publish(id, 1, "root2", "c", "m", "bafy", from);

        vm.assertEq(number, 2, "number");
    }

    function test_Publish_ByTheNewOwner() public {
        _transfer(address(designs), designer, buyer, uint256(id));

        vm.prank(buyer);
        uint40 number = designs.publish(id, 1, "root2", "c", "m", "bafy", _none());

        vm.assertEq(number, 2, "number");
    }

    function test_Publish_DerivesFromAtMost16() public {
        bytes32[] memory from = new bytes32[](16);
        for (uint256 i = 0; i < 16; ++i) {
            from[i] = designs.revisionDigest(id, 1);
        }

        vm.prank(designer);
        designs.publish(id, 1, "root2", "c", "m", "bafy", from);

        vm.assertEq(designs.design(id).revisions, 2, "revisions");
    }

    function test_Publish_RevertWhen_ItDerivesFrom17() public {
        _refuse(designer, abi.encodeWithSelector(IDesignRegistry.DerivedFromTooMany.selector, 17));
        designs.publish(id, 1, "root2", "c", "m", "bafy", new bytes32[](17));
    }

    function test_Publish_RevertWhen_ItDerivesFromTheUnpublished() public {
        bytes32[] memory from = new bytes32[](2);
        from[0] = designs.revisionDigest(id, 1);
        from[1] = "unpublished";

        _refuse(designer, abi.encodeWithSelector(IDesignRegistry.RevisionUnknown.selector, from[1]));
        designs.publish(id, 1, "root2", "c", "m", "bafy", from);
    }

    function test_Publish_RevertWhen_CallerIsNotTheOwner() public {
        _refuse(
            stranger, abi.encodeWithSelector(IDesignRegistry.CallerNotOwner.selector, id, stranger)
        );
        designs.publish(id, 1, "root2", "c", "m", "bafy", _none());
    }

    function test_Publish_RevertWhen_DesignIsUnknown() public {
        _refuse(
            designer,
            abi.encodeWithSelector(IDesignRegistry.DesignUnknown.selector, bytes32("none"))
        );
        designs.publish("none", 0, "root2", "c", "m", "bafy", _none());
    }

    function test_Publish_RevertWhen_SentTwice() public {
        vm.prank(designer);
        designs.publish(id, 1, "root2", "c", "m", "bafy", _none());

        _refuse(designer, abi.encodeWithSelector(IDesignRegistry.RevisionStale.selector, id, 1, 2));
        designs.publish(id, 1, "root2", "c", "m", "bafy", _none());
    }

    function test_Publish_RevertWhen_RootIsZero() public {
        _refuse(designer, abi.encodeWithSelector(IDesignRegistry.RevisionRootMissing.selector));
        designs.publish(id, 1, 0, "c", "m", "bafy", _none());
    }

    function test_Publish_RevertWhen_CidIsEmpty() public {
        _refuse(designer, abi.encodeWithSelector(IDesignRegistry.CidLengthInvalid.selector, 0));
        designs.publish(id, 1, "root2", "c", "m", "", _none());
    }

    function _none() private pure returns (bytes32[] memory) {
        return new bytes32[](0);
    }

    function _revision(bytes32[] memory from)
        private
        view
        returns (IDesignRegistry.Revision memory)
    {
        return IDesignRegistry.Revision({
            design: id,
            number: 2,
            root: "root2",
            ciphertext: "cipher2",
            manifest: "manifest2",
            at: _now(),
            derivedFrom: from
        });
    }
}
