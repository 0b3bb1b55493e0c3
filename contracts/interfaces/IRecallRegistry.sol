// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "./IBuildLog.sol";
import {IIdentityRegistry} from "./IIdentityRegistry.sol";
import {IRecipeRegistry} from "./IRecipeRegistry.sol";

/// @title Recalls: what its owner or an authority asks back, by what the parts have in common
/// @notice Recalls of a thing are numbered from 1 in one list for its owners and one for each
/// authority: a count of 0 says that there is none. Who may write in a list, the contract computes.
/// Whose word counts is for each reader; nothing but an owner's recall is anybody's without a list.
interface IRecallRegistry {
    /// @notice What recalled parts have in common.
    enum Cause {
        None,
        Serial,
        Lot,
        Machine,
        Recipe,
        SiteRecipe,
        Certificate,
        Design,
        Key
    }

    /// @notice What to do with a part until the recall is closed.
    enum Severity {
        None,
        Inspect,
        Withdraw,
        Danger
    }

    /// @notice What is recalled; its key is keccak256(abi.encode(keccak256("guildmark/recall/v1"),
    /// Thing)).
    /// @param id The log's number of a serial, the maker of a lot, the plan of a certificate, else
    /// the thing's own id.
    /// @param detail The index of a serial, the lot's digest, the site of a certificate, else 0.
    struct Thing {
        Cause cause;
        bytes32 id;
        bytes32 detail;
    }

    /// @notice What a recall says.
    /// @param follows How many recalls of the thing the issuer has seen in this list.
    /// @param from Since when parts are reached, in block seconds; 0 = all before `to`.
    /// @param to Until when, exclusive; 0 = open.
    /// @param reason Salted digest of the text.
    struct Terms {
        uint40 follows;
        uint40 from;
        uint40 to;
        Severity severity;
        bytes32 reason;
    }

    /// @notice A recall; one slot. `closedAt` = 0 is open.
    struct Recall {
        uint40 at;
        uint40 from;
        uint40 to;
        uint40 closedAt;
        Severity severity;
    }

    /// @notice A thing is recalled.
    /// @param by Whose list it is in: 0 for the owners', else the authority's.
    /// @param issuer The identity that recalls, or its account where the owner is an account.
    event RecallIssued(
        bytes32 indexed key,
        bytes32 indexed by,
        bytes32 indexed issuer,
        uint40 number,
        Thing thing,
        Terms terms
    );
    /// @notice A recall is closed by who issued it; it stays on record.
    event RecallClosed(
        bytes32 indexed key, bytes32 indexed by, uint40 indexed number, bytes32 reason
    );
    /// @notice Somebody says that a thing should be recalled; it is in no list and proves nothing.
    event RecallAsked(bytes32 indexed key, address indexed account, Thing thing, Terms terms);

    error CallerNotThingOwner(bytes32 owner, address caller);
    error CallerNotDesignOwner(bytes32 design, address caller);
    error CallerNotAuthority(bytes32 authority, address caller);
    error CallerNotIssuer(bytes32 issuer, address caller);
    error IssuerNotAuthority(bytes32 authority);
    error IssuerInRecovery(bytes32 issuer);
    error IssuerUnderNotice(bytes32 issuer);
    error RecordUnknown(uint40 log, uint40 seq);
    error PositionOutOfRange(uint40 position, uint40 count);
    error UnitNotGranted(uint40 log, uint40 seq, uint40 position);
    error KeyUnknown(bytes32 key);
    error RecipeUnknown(bytes32 recipe);
    error SiteRecipeUnknown(bytes32 siteRecipe);
    error CertificateUnknown(bytes32 plan, bytes32 site);
    error ThingInvalid(Cause cause, bytes32 id, bytes32 detail);
    error SeverityMissing();
    error ReasonMissing();
    error WindowInvalid(uint40 from, uint40 to);
    error WindowBeyondController(uint40 from, uint40 to, uint40 begin, uint40 end);
    error RecallStale(bytes32 key, uint40 expected, uint40 actual);
    error RecallUnknown(bytes32 key, bytes32 by, uint40 number);
    error RecallClosedAlready(bytes32 key, bytes32 by, uint40 number);

    /// @notice Recall one logged part, as the controller of the holder of the lane that its unit
    /// came from.
    function recallPart(IBuildLog.Record calldata record, uint40 position, Terms calldata terms)
        external
        returns (bytes32 key);

    /// @notice Recall a lot, as the controller of its maker.
    /// @param lot Salted digest of the lot, as the entries of parts commit to it.
    function recallLot(bytes32 maker, bytes32 lot, Terms calldata terms)
        external
        returns (bytes32 key);

    /// @notice Recall what a machine made, as its controller `number`, within that controller's
    /// time.
    function recallMachine(bytes32 machine, uint40 number, Terms calldata terms)
        external
        returns (bytes32 key);

    /// @notice Recall what a machine's key signed, as the machine's controller `number`, within
    /// that controller's time.
    function recallKey(
        bytes32 machine,
        IIdentityRegistry.Algorithm algorithm,
        bytes calldata publicKey,
        uint40 number,
        Terms calldata terms
    ) external returns (bytes32 key);

    /// @notice Recall what was made by a recipe, as the design's owner.
    function recallRecipe(IRecipeRegistry.Recipe calldata recipe, Terms calldata terms)
        external
        returns (bytes32 key);

    /// @notice Recall what was made by a site's recipe, as the site's controller.
    function recallSiteRecipe(IRecipeRegistry.SiteRecipe calldata recipe, Terms calldata terms)
        external
        returns (bytes32 key);

    /// @notice Recall what rests on a certificate, as the controller of the evaluator that gave it.
    function recallCertificate(bytes32 plan, bytes32 site, Terms calldata terms)
        external
        returns (bytes32 key);

    /// @notice Recall what was made of a design, as its owner.
    function recallDesign(bytes32 design, Terms calldata terms) external returns (bytes32 key);

    /// @notice Recall a thing in the list of an authority, as its controller; it counts for readers
    /// who list the authority.
    function recallAs(bytes32 authority, Thing calldata thing, Terms calldata terms)
        external
        returns (bytes32 key);

    /// @notice Say that a thing should be recalled, as anybody.
    function ask(Thing calldata thing, Terms calldata terms) external returns (bytes32 key);

    /// @notice Close a recall, as who issued it: his account where the owner is an account or the
    /// controller of a machine, else the identity's controller, who is neither in recovery nor
    /// under notice.
    function close(bytes32 key, bytes32 by, uint40 number, bytes32 reason) external;

    /// @notice How many recalls a list has.
    function recallCount(bytes32 key, bytes32 by) external view returns (uint40);

    /// @notice A recall, all zero where there is none.
    function recallOf(bytes32 key, bytes32 by, uint40 number) external view returns (Recall memory);

    /// @notice Who issued a recall: an identity or, with twelve zero bytes in front, an account.
    function issuerOf(bytes32 key, bytes32 by, uint40 number) external view returns (bytes32);

    /// @notice The digest of why, 0 where there is no such recall.
    function reasonOf(bytes32 key, bytes32 by, uint40 number) external view returns (bytes32);
}
