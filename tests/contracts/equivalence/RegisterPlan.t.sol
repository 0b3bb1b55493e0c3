// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEquivalenceRegistry} from "../../../contracts/interfaces/IEquivalenceRegistry.sol";
import {Planned} from "./Planned.sol";

contract RegisterPlanTest is Planned {
    function test_Register_KeepsDeadlinesRecipeAndEvaluator() public {
        _emits(maker, address(equivalence));
        emit IEquivalenceRegistry.PlanRegistered(id, plan.recipe, plan);
        bytes32 registered = equivalence.register(plan);

        IEquivalenceRegistry.Schedule memory schedule = equivalence.scheduleOf(id);
        vm.assertEq(registered, id, "id");
        vm.assertEq(schedule.at, _now(), "at");
        vm.assertEq(schedule.commitBy, plan.commitBy, "commitBy");
        vm.assertEq(schedule.revealBy, plan.revealBy, "revealBy");
        vm.assertEq(schedule.sites, 2, "sites");
        vm.assertEq(schedule.committed, 0, "committed");
        vm.assertEq(equivalence.recipeOf(id), plan.recipe, "recipe");
        vm.assertEq(equivalence.evaluatorOf(id), authorityId, "evaluator");
    }

    function test_Register_RevertWhen_CallerIsNotTheSponsor() public {
        bytes4 error = IEquivalenceRegistry.CallerNotSponsor.selector;
        _refuse(designer, abi.encodeWithSelector(error, makerId, designer));
        equivalence.register(plan);
    }

    function test_Register_RevertWhen_EvaluatorIsNoAuthority() public {
        plan.evaluator = operatorId;

        _refuses(
            abi.encodeWithSelector(IEquivalenceRegistry.EvaluatorNotAuthority.selector, operatorId)
        );
    }

    function test_Register_RevertWhen_RecipeIsUnknown() public {
        plan.recipe = "none";

        _refuses(
            abi.encodeWithSelector(IEquivalenceRegistry.RecipeUnknown.selector, bytes32("none"))
        );
    }

    function test_Register_RevertWhen_DocumentIsMissing() public {
        plan.document = 0;

        _refuses(abi.encodeWithSelector(IEquivalenceRegistry.PlanDocumentMissing.selector));
    }

    function test_Register_TakesOneTo64Sites() public {
        bytes4 error = IEquivalenceRegistry.PlanSitesInvalid.selector;
        plan.sites = new bytes32[](0);
        _refuses(abi.encodeWithSelector(error, 0));
        plan.sites = new bytes32[](65);
        _refuses(abi.encodeWithSelector(error, 65));

        plan.sites = new bytes32[](64);
        _registered();
        plan.sites = new bytes32[](1);
        _registered();
    }

    function test_Register_RevertWhen_DeadlinesAreNotAhead() public {
        plan.commitBy = _now();
        _refuses(_deadlines());
        plan.commitBy = _now() + 1;
        plan.revealBy = _now() + 1;
        _refuses(_deadlines());

        plan.revealBy = _now() + 2;
        _registered();
    }

    function test_Register_RevertWhen_RegisteredAlready() public {
        _registered();

        _refuses(abi.encodeWithSelector(IEquivalenceRegistry.PlanRegisteredAlready.selector, id));
    }

    function _deadlines() private view returns (bytes memory) {
        bytes4 error = IEquivalenceRegistry.PlanDeadlinesInvalid.selector;
        return abi.encodeWithSelector(error, plan.commitBy, plan.revealBy);
    }

    function _refuses(bytes memory error) private {
        _refuse(maker, error);
        equivalence.register(plan);
    }
}
