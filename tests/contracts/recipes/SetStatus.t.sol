// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IRecipeRegistry} from "../../../contracts/interfaces/IRecipeRegistry.sol";
import {Deployed} from "../support/Deployed.sol";

contract SetStatusTest is Deployed {
    bytes32 internal design;
    bytes32 internal id;

    function setUp() public override {
        super.setUp();
        design = _design();
        id = _publish("root", IRecipeRegistry.Status.Draft);
        _nextBlock();
    }

    function test_SetStatus_AppendsAStep() public {
        _emits(designer, address(recipes));
        emit IRecipeRegistry.RecipeStatusChanged(id, IRecipeRegistry.Status.Qualified, 2);
        recipes.setStatus(id, 1, IRecipeRegistry.Status.Qualified);

        vm.assertEq(recipes.stepCount(id), 2, "stepCount");
        vm.assertTrue(recipes.step(id, 1).status == IRecipeRegistry.Status.Draft, "first");
        vm.assertEq(recipes.step(id, 1).at, _now() - 12, "first's time");
        vm.assertTrue(recipes.step(id, 2).status == IRecipeRegistry.Status.Qualified, "second");
        vm.assertEq(recipes.step(id, 2).at, _now(), "second's time");
    }

    function test_SetStatus_AdmitsEveryChangeButBackToDraftAndFromRetired() public {
        for (uint8 from = 1; from <= 5; ++from) {
            for (uint8 to = 0; to <= 5; ++to) {
                bool isAdmitted = from != 5 && to > 1 && to != from;

                vm.assertEq(_tries(from, to), isAdmitted, "pair of statuses");
            }
        }
    }

    function test_SetStatus_ByTheNewOwnerOfTheDesign() public {
        _transfer(address(designs), designer, buyer, uint256(design));

        _refuse(designer, _notOwner(designer));
        recipes.setStatus(id, 1, IRecipeRegistry.Status.Trial);
        vm.prank(buyer);
        recipes.setStatus(id, 1, IRecipeRegistry.Status.Trial);

        vm.assertEq(recipes.stepCount(id), 2, "stepCount");
    }

    function test_SetStatus_RevertWhen_CallerIsNotTheDesignsOwner() public {
        _refuse(maker, _notOwner(maker));
        recipes.setStatus(id, 1, IRecipeRegistry.Status.Trial);
    }

    function test_SetStatus_RevertWhen_RecipeIsUnknown() public {
        _refuse(
            designer,
            abi.encodeWithSelector(IRecipeRegistry.RecipeUnknown.selector, bytes32("none"))
        );
        recipes.setStatus("none", 1, IRecipeRegistry.Status.Trial);
    }

    function test_SetStatus_RevertWhen_SentTwice() public {
        vm.prank(designer);
        recipes.setStatus(id, 1, IRecipeRegistry.Status.Trial);

        _refuse(designer, abi.encodeWithSelector(IRecipeRegistry.StepsStale.selector, id, 1, 2));
        recipes.setStatus(id, 1, IRecipeRegistry.Status.Trial);
    }

    function test_SetStatus_RevertWhen_BackToDraft() public {
        vm.prank(designer);
        recipes.setStatus(id, 1, IRecipeRegistry.Status.Trial);

        _refuse(
            designer,
            abi.encodeWithSelector(
                IRecipeRegistry.StatusInvalid.selector,
                IRecipeRegistry.Status.Trial,
                IRecipeRegistry.Status.Draft
            )
        );
        recipes.setStatus(id, 2, IRecipeRegistry.Status.Draft);
    }

    function test_SetStatus_RevertWhen_Retired() public {
        vm.prank(designer);
        recipes.setStatus(id, 1, IRecipeRegistry.Status.Retired);

        _refuse(
            designer,
            abi.encodeWithSelector(
                IRecipeRegistry.StatusInvalid.selector,
                IRecipeRegistry.Status.Retired,
                IRecipeRegistry.Status.Qualified
            )
        );
        recipes.setStatus(id, 2, IRecipeRegistry.Status.Qualified);
    }

    function test_UnknownRecipeReadsAsZero() public view {
        vm.assertEq(recipes.publishedAt("none"), 0, "publishedAt");
        vm.assertEq(recipes.stepCount("none"), 0, "stepCount");
        vm.assertEq(recipes.step("none", 1).at, 0, "step");
        vm.assertEq(recipes.successorOf("none"), 0, "successorOf");
        vm.assertEq(recipes.siteRecipePublishedAt("none"), 0, "siteRecipePublishedAt");
    }

    function _publish(bytes32 root, IRecipeRegistry.Status status) private returns (bytes32) {
        IRecipeRegistry.Recipe memory recipe;
        recipe.root = root;
        recipe.design = design;
        recipe.revision = 1;
        vm.prank(designer);
        return recipes.publish(recipe, status);
    }

    /// @dev A new recipe is led to `from` first.
    function _tries(uint8 from, uint8 to) private returns (bool isDone) {
        bytes32 recipe = _publish(
            bytes32(uint256(from) * 8 + to + 1), IRecipeRegistry.Status(from <= 3 ? from : 1)
        );
        if (from > 3) {
            vm.prank(designer);
            recipes.setStatus(recipe, 1, IRecipeRegistry.Status(from));
        }
        bytes memory call = abi.encodeCall(
            IRecipeRegistry.setStatus,
            (recipe, recipes.stepCount(recipe), IRecipeRegistry.Status(to))
        );
        vm.prank(designer);
        (isDone,) = address(recipes).call(call);
    }

    function _notOwner(address caller) private view returns (bytes memory) {
        return abi.encodeWithSelector(IRecipeRegistry.CallerNotDesignOwner.selector, design, caller);
    }
}
