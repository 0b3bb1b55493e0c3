// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IEquivalenceRegistry} from "../../../contracts/interfaces/IEquivalenceRegistry.sol";
import {Planned} from "./Planned.sol";

contract BlindDataTest is Planned {
    function setUp() public override {
        super.setUp();
        _registered();
    }

    function test_Join_NumbersThePlansOfRecipeAndSite() public {
        _emits(siteManager, address(equivalence));
        emit IEquivalenceRegistry.PlanJoined(id, siteId, 1, "scope");
        equivalence.join(plan, siteId, "scope");
        bytes32 first = id;
        plan.document = "second";
        id = keccak256(abi.encode(keccak256("guildmark/equivalence-plan/v1"), plan));
        _registered();
        uint40 number = _join(siteId, siteManager);
        uint40 ofOther = _join(otherSite, buyer);

        vm.assertEq(number, 2, "second of the site");
        vm.assertEq(ofOther, 1, "first of the other");
        vm.assertEq(equivalence.planCount(plan.recipe, siteId), 2, "count");
        vm.assertEq(equivalence.planAt(plan.recipe, siteId, 1), first, "plan 1");
        vm.assertEq(equivalence.planAt(plan.recipe, siteId, 2), id, "plan 2");
        vm.assertEq(equivalence.entryOf(id, siteId).number, 2, "number");
        vm.assertEq(equivalence.entryOf(id, siteId).joinedAt, _now(), "joinedAt");
        vm.assertEq(equivalence.scopeOf(id, siteId), "scope", "scope");
    }

    function test_Join_RevertWhen_CallerIsNotTheSite() public {
        _refusesJoin(
            operator,
            siteId,
            "scope",
            abi.encodeWithSelector(IEquivalenceRegistry.CallerNotSite.selector, siteId, operator)
        );
    }

    function test_Join_RevertWhen_PlanIsUnknown() public {
        plan.document = "another";
        id = keccak256(abi.encode(keccak256("guildmark/equivalence-plan/v1"), plan));

        _refusesJoin(siteManager, siteId, "scope", _unknown(id));
    }

    function test_Join_RevertWhen_SiteIsNotPlanned() public {
        bytes4 error = IEquivalenceRegistry.SiteNotPlanned.selector;
        _refusesJoin(maker, makerId, "scope", abi.encodeWithSelector(error, id, makerId));
    }

    function test_Join_RevertWhen_ScopeIsMissing() public {
        bytes4 error = IEquivalenceRegistry.ScopeMissing.selector;
        _refusesJoin(siteManager, siteId, 0, abi.encodeWithSelector(error));
    }

    function test_Join_RevertWhen_JoinedAlready() public {
        _join(siteId, siteManager);

        bytes4 error = IEquivalenceRegistry.JoinedAlready.selector;
        _refusesJoin(siteManager, siteId, "scope", abi.encodeWithSelector(error, id, siteId));
    }

    function test_Join_EndsWithTheDeadline() public {
        vm.warp(plan.commitBy);
        _refusesJoin(siteManager, siteId, "scope", _late());

        vm.warp(plan.commitBy - 1);
        _join(siteId, siteManager);
    }

    function test_Commit_KeepsTheBlindRootOnce() public {
        _join(siteId, siteManager);
        bytes32 blind = _blind(id, siteId, "root", "salt");

        _emits(siteManager, address(equivalence));
        emit IEquivalenceRegistry.DataCommitted(id, siteId, blind);
        equivalence.commit(id, siteId, blind);

        vm.assertEq(equivalence.blindOf(id, siteId), blind, "blind");
        vm.assertEq(equivalence.entryOf(id, siteId).committedAt, _now(), "committedAt");
        vm.assertEq(equivalence.scheduleOf(id).committed, 1, "committed");
        bytes4 error = IEquivalenceRegistry.CommittedAlready.selector;
        _refusesCommit(siteManager, "second", abi.encodeWithSelector(error, id, siteId));
    }

    function test_Commit_RevertWhen_CallerIsNotTheSite() public {
        _join(siteId, siteManager);

        bytes4 error = IEquivalenceRegistry.CallerNotSite.selector;
        _refusesCommit(operator, "blind", abi.encodeWithSelector(error, siteId, operator));
    }

    function test_Commit_RevertWhen_NotJoined() public {
        bytes4 error = IEquivalenceRegistry.NotJoined.selector;
        _refusesCommit(siteManager, "blind", abi.encodeWithSelector(error, id, siteId));
    }

    function test_Commit_RevertWhen_BlindIsMissing() public {
        _join(siteId, siteManager);

        bytes4 error = IEquivalenceRegistry.BlindMissing.selector;
        _refusesCommit(siteManager, 0, abi.encodeWithSelector(error));
    }

    function test_Commit_RevertWhen_PlanIsUnknown() public {
        id = "none";

        _refusesCommit(siteManager, "blind", _unknown(id));
    }

    function test_Commit_EndsWithTheDeadline() public {
        _join(siteId, siteManager);
        vm.warp(plan.commitBy);
        _refusesCommit(siteManager, "blind", _late());

        vm.warp(plan.commitBy - 1);
        _commit(siteId, siteManager);
    }

    function test_Reveal_KeepsTheRootWhoeverCalls() public {
        _bothCommit();

        _emits(stranger, address(equivalence));
        emit IEquivalenceRegistry.DataRevealed(id, siteId, "root");
        equivalence.reveal(id, siteId, "root", "salt");

        vm.assertEq(equivalence.rootOf(id, siteId), "root", "root");
        vm.assertEq(equivalence.entryOf(id, siteId).revealedAt, _now(), "revealedAt");
        _refusesReveal("root", IEquivalenceRegistry.RevealedAlready.selector);
    }

    function test_Reveal_WaitsForAllOrForTheDeadline() public {
        _join(siteId, siteManager);
        _commit(siteId, siteManager);
        vm.warp(plan.commitBy - 1);
        bytes4 error = IEquivalenceRegistry.RevealTooEarly.selector;
        _refuse(siteManager, abi.encodeWithSelector(error, id, plan.commitBy));
        equivalence.reveal(id, siteId, "root", "salt");

        vm.warp(plan.commitBy);
        equivalence.reveal(id, siteId, "root", "salt");
    }

    function test_Reveal_EndsWithTheDeadline() public {
        _bothCommit();
        vm.warp(plan.revealBy);
        bytes4 error = IEquivalenceRegistry.RevealTooLate.selector;
        _refuse(siteManager, abi.encodeWithSelector(error, id, plan.revealBy));
        equivalence.reveal(id, siteId, "root", "salt");

        vm.warp(plan.revealBy - 1);
        equivalence.reveal(id, siteId, "root", "salt");
    }

    function test_Reveal_RevertWhen_ItOpensSomethingElse() public {
        _bothCommit();

        _refusesReveal("changed", IEquivalenceRegistry.OpeningInvalid.selector);
        _refuse(
            siteManager,
            abi.encodeWithSelector(IEquivalenceRegistry.OpeningInvalid.selector, id, siteId)
        );
        equivalence.reveal(id, siteId, "root", "other salt");
    }

    function test_Reveal_RevertWhen_TheRootIsZero() public {
        _join(siteId, siteManager);
        vm.prank(siteManager);
        equivalence.commit(id, siteId, _blind(id, siteId, 0, "salt"));
        vm.warp(plan.commitBy);

        _refusesReveal(0, IEquivalenceRegistry.OpeningInvalid.selector);
    }

    function test_Reveal_RevertWhen_TheOpeningIsOfAnotherSite() public {
        bytes32 copied = _blind(id, siteId, "root", "salt");
        _join(otherSite, buyer);
        vm.prank(buyer);
        equivalence.commit(id, otherSite, copied);
        vm.warp(plan.commitBy);

        _refuse(
            buyer,
            abi.encodeWithSelector(IEquivalenceRegistry.OpeningInvalid.selector, id, otherSite)
        );
        equivalence.reveal(id, otherSite, "root", "salt");
    }

    function test_Reveal_RevertWhen_NotCommitted() public {
        _join(siteId, siteManager);

        _refusesReveal("root", IEquivalenceRegistry.NotCommitted.selector);
    }

    function test_Reveal_RevertWhen_PlanIsUnknown() public {
        _refuse(siteManager, _unknown("none"));
        equivalence.reveal("none", siteId, "root", "salt");
    }

    function _bothCommit() private {
        _join(siteId, siteManager);
        _join(otherSite, buyer);
        _commit(siteId, siteManager);
        _commit(otherSite, buyer);
    }

    function _late() private view returns (bytes memory) {
        bytes4 error = IEquivalenceRegistry.CommitTooLate.selector;
        return abi.encodeWithSelector(error, id, plan.commitBy);
    }

    function _unknown(bytes32 which) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IEquivalenceRegistry.PlanUnknown.selector, which);
    }

    function _refusesJoin(address caller, bytes32 site, bytes32 scope, bytes memory error) private {
        _refuse(caller, error);
        equivalence.join(plan, site, scope);
    }

    function _refusesCommit(address caller, bytes32 blind, bytes memory error) private {
        _refuse(caller, error);
        equivalence.commit(id, siteId, blind);
    }

    function _refusesReveal(bytes32 root, bytes4 error) private {
        _refuse(siteManager, abi.encodeWithSelector(error, id, siteId));
        equivalence.reveal(id, siteId, root, "salt");
    }
}
