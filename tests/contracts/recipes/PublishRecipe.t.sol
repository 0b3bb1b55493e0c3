// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IDesignRegistry} from "../../../contracts/interfaces/IDesignRegistry.sol";
import {IRecipeRegistry} from "../../../contracts/interfaces/IRecipeRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract PublishRecipeTest is Deployed {
    IRecipeRegistry.Recipe internal recipe;

    function setUp() public override {
        super.setUp();
        recipe.root = "root";
        recipe.design = _design();
        recipe.revision = 1;
        recipe.plan = "plan";
    }

    function test_Publish_BeginsWithItsFirstStatus() public {
        bytes32 expected = _id(recipe);

        _emits(designer, address(recipes));
        emit IRecipeRegistry.RecipePublished(
            expected, recipe.design, recipe, IRecipeRegistry.Status.Trial
        );
        bytes32 id = recipes.publish(recipe, IRecipeRegistry.Status.Trial);

        IRecipeRegistry.Step memory step = recipes.step(id, 1);
        vm.assertEq(id, expected, "id");
        vm.assertEq(recipes.publishedAt(id), _now(), "publishedAt");
        vm.assertEq(recipes.stepCount(id), 1, "stepCount");
        vm.assertTrue(step.status == IRecipeRegistry.Status.Trial, "status");
        vm.assertEq(step.at, _now(), "at");
        vm.assertEq(recipes.successorOf(id), 0, "successor");
    }

    function test_Publish_AdmitsThreeFirstStatuses() public {
        for (uint8 status = 0; status <= 5; ++status) {
            recipe.plan = bytes32(uint256(status));
            bytes memory call =
                abi.encodeCall(IRecipeRegistry.publish, (recipe, IRecipeRegistry.Status(status)));

            vm.prank(designer);
            (bool isDone,) = address(recipes).call(call);

            vm.assertEq(isDone, status >= 1 && status <= 3, "first status");
        }
    }

    function test_Publish_Supersedes() public {
        bytes32 first = _publish();
        recipe.supersedes = first;
        recipe.change = IRecipeRegistry.Change.Requalify;

        bytes32 second = _publish();

        vm.assertEq(recipes.successorOf(first), second, "successor");
    }

    function test_Publish_OfALaterRevision() public {
        vm.prank(designer);
        designs.publish(recipe.design, 1, "root2", "c", "m", "bafy", new bytes32[](0));
        recipe.revision = 2;

        vm.assertEq(_publish(), _id(recipe), "id");
    }

    function test_Publish_RevertWhen_CallerIsNotTheDesignsOwner() public {
        _refuse(
            maker,
            abi.encodeWithSelector(
                IRecipeRegistry.CallerNotDesignOwner.selector, recipe.design, maker
            )
        );
        recipes.publish(recipe, IRecipeRegistry.Status.Trial);
    }

    function test_Publish_RevertWhen_DesignIsUnknown() public {
        recipe.design = "none";

        _refuses(abi.encodeWithSelector(IDesignRegistry.DesignUnknown.selector, bytes32("none")));
    }

    function test_Publish_RevertWhen_RevisionIsUnknown() public {
        recipe.revision = 0;
        _refuses(_noRevision());

        recipe.revision = 2;
        _refuses(_noRevision());
    }

    function test_Publish_RevertWhen_RootIsZero() public {
        recipe.root = 0;

        _refuses(abi.encodeWithSelector(IRecipeRegistry.RecipeRootMissing.selector));
    }

    function test_Publish_RevertWhen_FirstStatusIsNone() public {
        _refuse(designer, _invalid(IRecipeRegistry.Status.None));
        recipes.publish(recipe, IRecipeRegistry.Status.None);
    }

    function test_Publish_RevertWhen_FirstStatusIsAnEnd() public {
        _refuse(designer, _invalid(IRecipeRegistry.Status.Suspended));
        recipes.publish(recipe, IRecipeRegistry.Status.Suspended);
        _refuse(designer, _invalid(IRecipeRegistry.Status.Retired));
        recipes.publish(recipe, IRecipeRegistry.Status.Retired);
    }

    function test_Publish_RevertWhen_PublishedAlready() public {
        bytes32 id = _publish();

        _refuses(abi.encodeWithSelector(IRecipeRegistry.RecipePublishedAlready.selector, id));
    }

    function test_Publish_RevertWhen_AChangeSupersedesNothing() public {
        recipe.change = IRecipeRegistry.Change.Minor;

        _refuses(
            abi.encodeWithSelector(
                IRecipeRegistry.ChangeMismatch.selector, IRecipeRegistry.Change.Minor, bytes32(0)
            )
        );
    }

    function test_Publish_RevertWhen_ItSupersedesWithoutAChange() public {
        recipe.supersedes = _publish();

        _refuses(
            abi.encodeWithSelector(
                IRecipeRegistry.ChangeMismatch.selector,
                IRecipeRegistry.Change.None,
                recipe.supersedes
            )
        );
    }

    function test_Publish_RevertWhen_TheSupersededIsUnknown() public {
        recipe.supersedes = "none";
        recipe.change = IRecipeRegistry.Change.Minor;

        _refuses(abi.encodeWithSelector(IRecipeRegistry.RecipeUnknown.selector, bytes32("none")));
    }

    function test_Publish_RevertWhen_TheSupersededIsOfAnotherDesign() public {
        recipe.supersedes = _publish();
        recipe.change = IRecipeRegistry.Change.Minor;
        recipe.design = _design(designer, "other");

        _refuses(
            abi.encodeWithSelector(
                IRecipeRegistry.RecipeOfOtherDesign.selector, recipe.supersedes, recipe.design
            )
        );
    }

    function test_Publish_RevertWhen_SupersededAlready() public {
        recipe.supersedes = _publish();
        recipe.change = IRecipeRegistry.Change.Editorial;
        bytes32 successor = _publish();
        recipe.plan = "other";

        _refuses(
            abi.encodeWithSelector(
                IRecipeRegistry.RecipeSupersededAlready.selector, recipe.supersedes, successor
            )
        );
    }

    function _publish() private returns (bytes32) {
        vm.prank(designer);
        return recipes.publish(recipe, IRecipeRegistry.Status.Trial);
    }

    function _refuses(bytes memory error) private {
        _refuse(designer, error);
        recipes.publish(recipe, IRecipeRegistry.Status.Trial);
    }

    function _invalid(IRecipeRegistry.Status status) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IRecipeRegistry.StatusInvalid.selector, IRecipeRegistry.Status.None, status
        );
    }

    function _noRevision() private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IRecipeRegistry.DesignRevisionUnknown.selector, recipe.design, recipe.revision
        );
    }

    function _id(IRecipeRegistry.Recipe memory any) private pure returns (bytes32) {
        return keccak256(abi.encode(keccak256("guildmark/recipe/v1"), any));
    }
}
