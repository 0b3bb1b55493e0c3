// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {IRecallRegistry} from "../../../contracts/interfaces/IRecallRegistry.sol";
import {Recalling} from "./Recalling.sol";

contract IssueRecallTest is Recalling {
    function test_Recall_KeepsWhatItSaysUnderTheNextNumber() public {
        IRecallRegistry.Terms memory terms = _recallTerms();
        bytes32 key = _keyOf(_ofDesign());
        vm.prank(designer);
        recalls.recallDesign(design, terms);
        _nextBlock();
        terms.follows = 1;
        (terms.from, terms.to) = (_now() - 7, _now() + 7);
        terms.severity = IRecallRegistry.Severity.Danger;
        terms.reason = "breaks";

        _emits(designer, address(recalls));
        emit IRecallRegistry.RecallIssued(key, 0, _account(designer), 2, _ofDesign(), terms);
        vm.assertEq(recalls.recallDesign(design, terms), key, "key");

        IRecallRegistry.Recall memory made = recalls.recallOf(key, 0, 2);
        vm.assertEq(made.at, _now(), "at");
        vm.assertEq(made.from, terms.from, "from");
        vm.assertEq(made.to, terms.to, "to");
        vm.assertEq(made.closedAt, 0, "open");
        vm.assertEq(uint256(made.severity), 3, "severity");
        vm.assertEq(recalls.recallCount(key, 0), 2, "count");
        vm.assertEq(recalls.reasonOf(key, 0, 1), "cracks", "the first stays");
        vm.assertEq(recalls.reasonOf(key, 0, 2), "breaks", "reason");
    }

    function test_RecallPart_IsTheLaneHolders() public {
        IBuildLog.Record memory record = _record();
        bytes32 index = bytes32(uint256(record.firstIndex) + 5);
        IRecallRegistry.Thing memory thing =
            _thing(IRecallRegistry.Cause.Serial, bytes32(uint256(number)), index);

        vm.prank(siteManager);
        bytes32 key = recalls.recallPart(record, 5, _recallTerms());

        vm.assertEq(key, _keyOf(thing), "key");
        vm.assertEq(recalls.issuerOf(key, 0, 1), siteId, "issuer");
    }

    function test_RecallPart_RevertWhen_CallerIsNotTheHolder() public {
        _refusesPart(1, maker, _notOwner(siteId, maker));
    }

    function test_RecallPart_RevertWhen_TheRecordIsAnother() public {
        IBuildLog.Record memory record = _record();
        record.count = 8;

        bytes4 error = IRecallRegistry.RecordUnknown.selector;
        _refuse(siteManager, abi.encodeWithSelector(error, number, record.seq));
        recalls.recallPart(record, 1, _recallTerms());
    }

    function test_RecallPart_RevertWhen_ThePositionIsBeyondTheBatch() public {
        bytes4 error = IRecallRegistry.PositionOutOfRange.selector;
        _refusesPart(COUNT, siteManager, abi.encodeWithSelector(error, COUNT, COUNT));
    }

    function test_RecallPart_RevertWhen_ItHasNoUnit() public {
        bytes4 error = IRecallRegistry.UnitNotGranted.selector;
        uint40 seq = _record().seq;
        _refusesPart(3, siteManager, abi.encodeWithSelector(error, number, seq, 3));
        _refusesPart(6, siteManager, abi.encodeWithSelector(error, number, seq, 6));
    }

    function test_RecallPart_RevertWhen_ItHasAWindow() public {
        IBuildLog.Record memory record = _record();
        IRecallRegistry.Terms memory terms = _recallTerms();
        bytes4 error = IRecallRegistry.WindowInvalid.selector;

        terms.from = 1;
        _refuse(siteManager, abi.encodeWithSelector(error, 1, 0));
        recalls.recallPart(record, 1, terms);
        (terms.from, terms.to) = (0, 1);
        _refuse(siteManager, abi.encodeWithSelector(error, 0, 1));
        recalls.recallPart(record, 1, terms);
    }

    function test_RecallLot_IsItsMakers() public {
        vm.prank(maker);
        bytes32 key = recalls.recallLot(makerId, "lot", _recallTerms());

        IRecallRegistry.Cause cause = IRecallRegistry.Cause.Lot;
        vm.assertEq(key, _keyOf(_thing(cause, makerId, "lot")), "key");
        vm.assertEq(recalls.issuerOf(key, 0, 1), makerId, "issuer");
        _refuse(stranger, _notOwner(makerId, stranger));
        recalls.recallLot(makerId, "lot", _recallTerms());
    }

    function test_RecallMachine_IsItsControllersInHisTime() public {
        vm.prank(technician);
        bytes32 key = recalls.recallMachine(machineId, 1, _ofMachine());

        vm.assertEq(key, _keyOf(_thing(IRecallRegistry.Cause.Machine, machineId, 0)), "key");
        vm.assertEq(recalls.issuerOf(key, 0, 1), _account(technician), "issuer");
    }

    function test_RecallMachine_RevertWhen_CallerNeverHadIt() public {
        _refuse(buyer, _notOwner(machineId, buyer));
        recalls.recallMachine(machineId, 1, _ofMachine());
        _refuse(technician, _notOwner(machineId, technician));
        recalls.recallMachine(machineId, 2, _ofMachine());
    }

    function test_RecallMachine_BeginsWithItsController() public {
        IRecallRegistry.Terms memory terms = _recallTerms();
        terms.from = START - 1;
        _refuse(technician, _beyond(START - 1, 0, START, 0));
        recalls.recallMachine(machineId, 1, terms);
    }

    function test_RecallMachine_EachControllerHasHisOwnTime() public {
        _sellMachine();
        uint40 sold = _now();
        IRecallRegistry.Terms memory terms = _ofMachine();

        _refuse(technician, _beyond(START, 0, START, sold));
        recalls.recallMachine(machineId, 1, terms);
        terms.to = sold + 1;
        _refuse(technician, _beyond(START, sold + 1, START, sold));
        recalls.recallMachine(machineId, 1, terms);
        terms.to = sold;
        vm.prank(technician);
        recalls.recallMachine(machineId, 1, terms);

        (terms.follows, terms.from, terms.to) = (1, sold - 1, 0);
        _refuse(buyer, _beyond(sold - 1, 0, sold, 0));
        recalls.recallMachine(machineId, 2, terms);
        terms.from = sold;
        vm.prank(buyer);
        bytes32 key = recalls.recallMachine(machineId, 2, terms);
        vm.assertEq(recalls.issuerOf(key, 0, 2), _account(buyer), "issuer");
    }

    function test_RecallKey_IsItsMachinesControllers() public {
        vm.prank(technician);
        bytes32 key = recalls.recallKey(machineId, ED25519, publicKey, 1, _ofMachine());

        bytes memory content = abi.encode(keccak256("guildmark/key/v1"), machineId, 3, publicKey);
        IRecallRegistry.Cause cause = IRecallRegistry.Cause.Key;
        vm.assertEq(key, _keyOf(_thing(cause, keccak256(content), 0)), "key");
        _refuse(maker, _notOwner(machineId, maker));
        recalls.recallKey(machineId, ED25519, publicKey, 1, _ofMachine());
    }

    function test_RecallKey_RevertWhen_TheKeyIsUnknown() public {
        bytes memory content = abi.encode(keccak256("guildmark/key/v1"), machineId, 3, "another");
        bytes4 error = IRecallRegistry.KeyUnknown.selector;
        _refuse(technician, abi.encodeWithSelector(error, keccak256(content)));
        recalls.recallKey(machineId, ED25519, "another", 1, _ofMachine());
    }

    function test_RecallKey_RevertWhen_TheWindowIsNotHis() public {
        _refuse(technician, _beyond(0, 0, START, 0));
        recalls.recallKey(machineId, ED25519, publicKey, 1, _recallTerms());
    }

    function test_RecallRecipe_IsTheDesignOwners() public {
        vm.prank(designer);
        bytes32 key = recalls.recallRecipe(recipe, _recallTerms());

        IRecallRegistry.Cause cause = IRecallRegistry.Cause.Recipe;
        vm.assertEq(key, _keyOf(_thing(cause, siteRecipe.master, 0)), "key");
        _transfer(address(designs), designer, buyer, uint256(design));
        bytes4 error = IRecallRegistry.CallerNotDesignOwner.selector;
        _refuse(designer, abi.encodeWithSelector(error, design, designer));
        recalls.recallRecipe(recipe, _recallTerms());
    }

    function test_RecallRecipe_RevertWhen_ItIsUnknown() public {
        recipe.root = "another";
        bytes32 id = keccak256(abi.encode(keccak256("guildmark/recipe/v1"), recipe));
        _refuse(designer, abi.encodeWithSelector(IRecallRegistry.RecipeUnknown.selector, id));
        recalls.recallRecipe(recipe, _recallTerms());
    }

    function test_RecallSiteRecipe_IsTheSites() public {
        vm.prank(siteManager);
        bytes32 key = recalls.recallSiteRecipe(siteRecipe, _recallTerms());

        bytes32 id = keccak256(abi.encode(keccak256("guildmark/site-recipe/v1"), siteRecipe));
        vm.assertEq(key, _keyOf(_thing(IRecallRegistry.Cause.SiteRecipe, id, 0)), "key");
        vm.assertEq(recalls.issuerOf(key, 0, 1), siteId, "issuer");
        _refuse(designer, _notOwner(siteId, designer));
        recalls.recallSiteRecipe(siteRecipe, _recallTerms());
    }

    function test_RecallSiteRecipe_RevertWhen_ItIsUnknown() public {
        siteRecipe.root = "another";
        bytes32 id = keccak256(abi.encode(keccak256("guildmark/site-recipe/v1"), siteRecipe));
        bytes4 error = IRecallRegistry.SiteRecipeUnknown.selector;
        _refuse(siteManager, abi.encodeWithSelector(error, id));
        recalls.recallSiteRecipe(siteRecipe, _recallTerms());
    }

    function test_RecallCertificate_IsTheEvaluators() public {
        vm.prank(authority);
        bytes32 key = recalls.recallCertificate(plan, siteId, _recallTerms());

        IRecallRegistry.Cause cause = IRecallRegistry.Cause.Certificate;
        vm.assertEq(key, _keyOf(_thing(cause, plan, siteId)), "key");
        vm.assertEq(recalls.issuerOf(key, 0, 1), authorityId, "issuer");
        _refuse(siteManager, _notOwner(authorityId, siteManager));
        recalls.recallCertificate(plan, siteId, _recallTerms());
    }

    function test_RecallCertificate_RevertWhen_ThereIsNone() public {
        bytes4 error = IRecallRegistry.CertificateUnknown.selector;
        _refuse(authority, abi.encodeWithSelector(error, plan, makerId));
        recalls.recallCertificate(plan, makerId, _recallTerms());
    }

    function test_RecallDesign_RevertWhen_CallerIsNotItsOwner() public {
        bytes4 error = IRecallRegistry.CallerNotDesignOwner.selector;
        _refuse(maker, abi.encodeWithSelector(error, design, maker));
        recalls.recallDesign(design, _recallTerms());
    }

    function test_RecallAs_HasAListOfItsOwn() public {
        bytes32 key = _keyOf(_ofDesign());

        _emits(authority, address(recalls));
        emit IRecallRegistry.RecallIssued(
            key, authorityId, authorityId, 1, _ofDesign(), _recallTerms()
        );
        recalls.recallAs(authorityId, _ofDesign(), _recallTerms());

        vm.assertEq(recalls.recallCount(key, authorityId), 1, "the authority's list");
        vm.assertEq(recalls.recallCount(key, 0), 0, "the owners' list");
    }

    function test_RecallAs_RevertWhen_TheIssuerIsNoAuthority() public {
        _refuse(maker, abi.encodeWithSelector(IRecallRegistry.IssuerNotAuthority.selector, makerId));
        recalls.recallAs(makerId, _ofDesign(), _recallTerms());
    }

    function test_RecallAs_RevertWhen_CallerIsNotTheAuthority() public {
        bytes4 error = IRecallRegistry.CallerNotAuthority.selector;
        _refuse(stranger, abi.encodeWithSelector(error, authorityId, stranger));
        recalls.recallAs(authorityId, _ofDesign(), _recallTerms());
    }

    function test_RecallAs_RevertWhen_TheThingIsNone() public {
        _refusesThing(_thing(IRecallRegistry.Cause.None, design, 0));
        _refusesThing(_thing(IRecallRegistry.Cause.Design, 0, 0));
        for (uint256 i = 3; i < 9; ++i) {
            if (i == 6) continue;
            _refusesThing(_thing(IRecallRegistry.Cause(i), design, "detail"));
        }
    }

    function test_RecallAs_TakesADetailWhereThereIsOne() public {
        uint8[3] memory causes = [1, 2, 6];
        for (uint256 i = 0; i < 3; ++i) {
            IRecallRegistry.Thing memory thing =
                _thing(IRecallRegistry.Cause(causes[i]), design, "detail");
            vm.prank(authority);
            bytes32 key = recalls.recallAs(authorityId, thing, _recallTerms());
            vm.assertEq(recalls.recallCount(key, authorityId), 1, "count");
        }
    }

    function test_Recall_RevertWhen_TheTermsSayNothing() public {
        IRecallRegistry.Terms memory terms = _recallTerms();
        terms.severity = IRecallRegistry.Severity.None;
        _refusesTerms(terms, abi.encodeWithSelector(IRecallRegistry.SeverityMissing.selector));
        terms = _recallTerms();
        terms.reason = 0;
        _refusesTerms(terms, abi.encodeWithSelector(IRecallRegistry.ReasonMissing.selector));
    }

    function test_Recall_RevertWhen_TheWindowIsEmpty() public {
        IRecallRegistry.Terms memory terms = _recallTerms();
        (terms.from, terms.to) = (9, 9);
        bytes4 error = IRecallRegistry.WindowInvalid.selector;
        _refusesTerms(terms, abi.encodeWithSelector(error, 9, 9));
        terms.to = 10;
        vm.prank(designer);
        recalls.recallDesign(design, terms);
    }

    function test_Recall_RevertWhen_ItFollowsAnotherNumber() public {
        IRecallRegistry.Terms memory terms = _recallTerms();
        bytes32 key = _keyOf(_ofDesign());
        bytes4 error = IRecallRegistry.RecallStale.selector;
        terms.follows = 1;
        _refusesTerms(terms, abi.encodeWithSelector(error, key, 1, 0));
        terms.follows = 0;
        vm.prank(designer);
        recalls.recallDesign(design, terms);
        _refusesTerms(terms, abi.encodeWithSelector(error, key, 0, 1));
    }

    /// @dev Bad news waits for nothing.
    function test_RecallAs_WorksInRecovery() public {
        _recoverAuthority();

        vm.prank(authority);
        bytes32 key = recalls.recallAs(authorityId, _ofDesign(), _recallTerms());
        vm.assertEq(recalls.recallCount(key, authorityId), 1, "count");
    }

    function test_Ask_IsInNoList() public {
        bytes32 key = _keyOf(_ofDesign());

        _emits(stranger, address(recalls));
        emit IRecallRegistry.RecallAsked(key, stranger, _ofDesign(), _recallTerms());
        vm.assertEq(recalls.ask(_ofDesign(), _recallTerms()), key, "key");

        vm.assertEq(recalls.recallCount(key, 0), 0, "the owners' list");
    }

    function test_Ask_RevertWhen_TheThingIsNone() public {
        IRecallRegistry.Thing memory thing = _thing(IRecallRegistry.Cause.None, design, 0);
        bytes4 error = IRecallRegistry.ThingInvalid.selector;
        _refuse(stranger, abi.encodeWithSelector(error, thing.cause, design, 0));
        recalls.ask(thing, _recallTerms());
    }

    /// @dev A thing has one key, and a key one thing.
    function testFuzz_Key_IsOfOneThing(
        uint256 one,
        uint256 other,
        bytes32 id,
        bytes32 detail,
        bytes32 otherDetail
    ) public {
        uint8[3] memory causes = [1, 2, 6];
        vm.assume(id != 0);
        IRecallRegistry.Thing memory first =
            _thing(IRecallRegistry.Cause(causes[one % 3]), id, detail);
        IRecallRegistry.Thing memory second =
            _thing(IRecallRegistry.Cause(causes[other % 3]), id, otherDetail);
        bool isSame = first.cause == second.cause && detail == otherDetail;

        bytes32 key = recalls.ask(first, _recallTerms());

        vm.assertEq(key == recalls.ask(second, _recallTerms()), isSame, "one key a thing");
        vm.assertEq(key, _keyOf(first), "key");
    }

    function _refusesPart(uint40 position, address caller, bytes memory error) private {
        IBuildLog.Record memory record = _record();
        _refuse(caller, error);
        recalls.recallPart(record, position, _recallTerms());
    }

    function _refusesThing(IRecallRegistry.Thing memory thing) private {
        bytes4 error = IRecallRegistry.ThingInvalid.selector;
        _refuse(authority, abi.encodeWithSelector(error, thing.cause, thing.id, thing.detail));
        recalls.recallAs(authorityId, thing, _recallTerms());
    }

    function _refusesTerms(IRecallRegistry.Terms memory terms, bytes memory error) private {
        _refuse(designer, error);
        recalls.recallDesign(design, terms);
    }

    function _notOwner(bytes32 owner, address caller) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IRecallRegistry.CallerNotThingOwner.selector, owner, caller);
    }

    function _beyond(uint40 from, uint40 to, uint40 begin, uint40 end)
        private
        pure
        returns (bytes memory)
    {
        bytes4 error = IRecallRegistry.WindowBeyondController.selector;
        return abi.encodeWithSelector(error, from, to, begin, end);
    }
}
