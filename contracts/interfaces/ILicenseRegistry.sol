// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The meter: licenses as sets of unit numbers, cut into lanes
/// @notice Units 1..N of a root license are partitioned by its lanes and those of all licenses
/// below it; a drawn number is never drawn again. What is owed is a debt and never holds up a draw;
/// what is paid waits here until it is withdrawn.
interface ILicenseRegistry {
    /// @notice What a license says; signed by its licensor (EIP-712).
    /// @param design The design.
    /// @param designEpoch The epoch of the design that the owner saw; 0 under another license, which
    /// a sale of the design leaves alone.
    /// @param units How many units, N: 1 to 2^40 - 2, since a lane names the number behind its last.
    /// @param holder The licensee's identity (organization or site).
    /// @param notBefore Block seconds from which units may be drawn.
    /// @param notAfter Block seconds from which units may no longer be drawn (the last time of
    /// logging), 0 = never.
    /// @param notice Seconds between a stop's announcement and its effect; one that reaches past
    /// 2^40 - 1 means that the license is never stopped.
    /// @param parent The license above, 0 for a root.
    /// @param currency The coin of royalty and fee, 0 = native.
    /// @param royalty Per drawn unit, at most 2^96 - 1: a debt.
    /// @param fee Paid by whom submits the terms, in the same transaction.
    /// @param offerUntil The last block second at which the terms may be submitted.
    /// @param nonce Chosen by the licensor, so that equal terms can be granted twice.
    /// @param termsRoot Salted root over what the contract does not compute with.
    struct Terms {
        bytes32 design;
        uint40 designEpoch;
        uint40 units;
        bytes32 holder;
        uint40 notBefore;
        uint40 notAfter;
        uint40 notice;
        bytes32 parent;
        address currency;
        uint256 royalty;
        uint256 fee;
        uint40 offerUntil;
        uint256 nonce;
        bytes32 termsRoot;
    }

    /// @notice What a draw asks of a license; one slot.
    /// @param units N of a root, with its extensions; how many numbers another one was cut with.
    /// @param notBefore As in the terms.
    /// @param notAfter As in the terms.
    /// @param stopAt Block seconds from which it is stopped, 0 = not stopped.
    /// @param notice As in the terms.
    /// @param parent Number of the license above, 0 for a root.
    /// @param depth 0 for a root, at most 4.
    struct License {
        uint40 units;
        uint40 notBefore;
        uint40 notAfter;
        uint40 stopAt;
        uint40 notice;
        uint40 parent;
        uint8 depth;
    }

    /// @notice Unit numbers [first, end) of a root, held under a license, drawn up to `next`; one
    /// slot.
    /// @param log The log that may draw, 0 = none.
    /// @param reclaimAt Block seconds from which the giver may take back what is undrawn, 0 = it was
    /// not announced.
    struct Lane {
        uint40 license;
        uint40 first;
        uint40 next;
        uint40 end;
        uint40 log;
        uint40 reclaimAt;
    }

    /// @notice A license's number and the block time at which it was granted; one slot.
    struct Granted {
        uint40 number;
        uint40 at;
    }

    /// @notice Which lane a lane was cut from, and when its holder gave the units on; one slot, all
    /// zero for lanes that were cut from none.
    struct Origin {
        uint40 source;
        uint40 at;
    }

    /// @notice Units that were added to a root license, under the number of their first; one slot.
    /// @param end The number behind the last one.
    /// @param epoch The epoch of the design, whose owner signed.
    /// @param at The block time.
    struct Extension {
        uint40 end;
        uint40 epoch;
        uint40 at;
    }

    /// @notice What a license's drawn units cost; one slot.
    struct Price {
        address currency;
        uint96 royalty;
    }

    /// @notice A root license is granted, with one lane over all its units.
    event LicenseGranted(
        bytes32 indexed id, uint40 indexed number, bytes32 indexed design, uint40 lane, Terms terms
    );
    /// @notice Undrawn units of lane `from` became a license under that lane's license, with one
    /// lane over them.
    event LicenseSublicensed(
        bytes32 indexed id, uint40 indexed number, uint40 indexed from, uint40 lane, Terms terms
    );
    /// @notice A root license has further units, in a lane of its holder.
    event LicenseExtended(
        bytes32 indexed id, uint40 indexed lane, uint40 first, uint40 end, uint40 epoch
    );
    /// @notice Undrawn units of a lane became a lane of their own.
    event LaneSplit(
        uint40 indexed lane,
        uint40 indexed from,
        bytes32 indexed holder,
        uint40 first,
        uint40 end,
        uint40 log
    );
    /// @notice A log drew units from the lane.
    event UnitsDrawn(uint40 indexed lane, uint40 first, uint40 n);
    /// @notice The license, and all below it, grant no units from `at` on.
    event LicenseStopped(bytes32 indexed id, uint40 at);
    /// @notice From `at` on, the giver may take back what the lane has not drawn.
    event LaneReclaimAnnounced(uint40 indexed lane, uint40 at);
    /// @notice What lane `from` had not drawn went back to its giver, as a lane like the one that it
    /// was cut from, with that one's origin.
    event LaneReclaimed(
        uint40 indexed lane, uint40 indexed from, bytes32 indexed holder, uint40 first, uint40 end
    );
    /// @notice The fee of a license is paid; it waits for `to`.
    event FeePaid(
        bytes32 indexed license, address indexed to, address indexed currency, uint256 amount
    );
    /// @notice The royalty of further drawn units of a lane is paid; it waits for `to`.
    event RoyaltyPaid(
        uint40 indexed lane,
        uint40 indexed license,
        address indexed to,
        address currency,
        uint40 units,
        uint256 amount
    );
    /// @notice An account took all that waited for it in one coin.
    event CreditWithdrawn(
        address indexed currency, address indexed account, address to, uint256 amount
    );

    error TermsUnitsMissing();
    error TermsUnitsTooMany(uint40 units, uint40 most);
    error TermsWindowEmpty(uint40 notBefore, uint40 notAfter);
    error TermsParentMismatch(bytes32 expected, bytes32 actual);
    error TermsDesignMismatch(bytes32 expected, bytes32 actual);
    error TermsNoticeTooLong(uint40 notice, uint40 most);
    error TermsRoyaltyTooLarge(uint256 royalty);
    error OfferExpired(uint40 offerUntil);
    error DesignEpochStale(bytes32 design, uint40 expected, uint40 actual);
    error HolderKindInvalid(bytes32 holder);
    error OwnerSignatureInvalid(bytes32 license, address owner);
    error LicensorSignatureInvalid(bytes32 license, address licensor);
    error LicenseeSignatureInvalid(bytes32 license, address licensee);
    error LicenseGrantedAlready(bytes32 license);
    error LicenseUnknown(bytes32 license);
    error LicenseNotRoot(bytes32 license);
    error LicenseEnding(bytes32 license);
    error SublicenseTooDeep(uint8 depth);
    error UnitsStale(bytes32 license, uint40 expected, uint40 actual);
    error LaneUnknown(uint40 lane);
    error CallerNotHolder(uint40 lane, address caller);
    error LaneEndStale(uint40 lane, uint40 expected, uint40 actual);
    error SplitTooLarge(uint40 lane, uint40 n, uint40 undrawn);
    error SplitEmpty();
    error LaneUnderReclaim(uint40 lane, uint40 reclaimAt);
    error CallerNotGiver(uint40 lane, address caller);
    error ReclaimEmpty(uint40 lane);
    error ReclaimTooEarly(uint40 lane, uint40 reclaimAt);
    error ReclaimNever(uint40 lane, uint256 reclaimAt);
    error LogUnknown(uint40 log);
    error LogHolderNotSite(bytes32 holder);
    error CallerNotLicensor(bytes32 license, address caller);
    error StopTooEarly(uint40 at, uint256 earliest);
    error StopNotEarlier(uint40 at, uint40 current);
    error CallerNotBuildLog(address caller);
    error LaneOfOtherLog(uint40 lane, uint40 log);
    error DrawEmpty();
    error LicenseNotAbove(uint40 lane, uint40 license);
    error RoyaltyNone(uint40 license);
    error PaymentStale(uint40 lane, uint40 expected, uint40 actual);
    error PaymentInvalid(uint40 lane, uint40 units, uint40 unpaid);
    error ValueMismatch(uint256 expected, uint256 actual);
    error CoinShort(address currency, uint256 amount);
    error CreditMissing(address currency, address account);
    error RecipientMissing();

    /// @notice Grant a root license under the signature of the design's owner (EIP-712 or ERC-1271
    /// over the terms). Anyone may submit it, with the fee.
    /// @param licenseeSignature Where a royalty or fee is owed: the holder's controller signs
    /// Acceptance(Terms terms), or is the caller; else it is not looked at.
    /// @return number The license's number, from 1.
    /// @return lane Its first lane: all units, no log, held by the holder.
    function grant(
        Terms calldata terms,
        bytes calldata ownerSignature,
        bytes calldata licenseeSignature
    ) external payable returns (uint40 number, uint40 lane);

    /// @notice License the last `terms.units` undrawn units of a lane on, under the lane's license.
    /// @dev The child has the same design, a notice no longer than its parent's, depth at most 4. It
    /// draws only while it and every license above it allow it. Its licensor is the identity that
    /// holds the lane: it may stop the child, reclaim its first lane (the units go back under the
    /// parent) and is paid its royalty. Royalties of the licenses above are owed besides.
    /// @param end The end of the lane that the licensor saw.
    /// @param licensorSignature The lane holder's controller signs Sublicense(uint40 lane,uint40
    /// end,Terms terms), or is the caller.
    /// @param licenseeSignature As for `grant`.
    /// @return number The child's number.
    /// @return newLane Its first lane: no log, held by the terms' holder.
    function sublicense(
        uint40 lane,
        uint40 end,
        Terms calldata terms,
        bytes calldata licensorSignature,
        bytes calldata licenseeSignature
    ) external payable returns (uint40 number, uint40 newLane);

    /// @notice Add units to a root license, in a lane of the license's holder.
    /// @param units How many units it has; a second call with it reverts.
    /// @param more How many are added.
    /// @param offerUntil The last block second at which this may be submitted.
    /// @param ownerSignature The design's owner signs Extension(bytes32 license,uint40
    /// designEpoch,uint40 units,uint40 more,uint40 offerUntil), or is the caller.
    function extend(
        bytes32 id,
        uint40 units,
        uint40 more,
        uint40 offerUntil,
        bytes calldata ownerSignature
    ) external returns (uint40 newLane);

    /// @notice Cut the last `n` undrawn units off a lane, as its holder's controller.
    /// @param end The end of the lane that the caller saw.
    /// @param log The log of the new lane (then `to` is a site), or 0.
    /// @param to The holder of the new lane.
    function split(uint40 lane, uint40 end, uint40 n, uint40 log, bytes32 to)
        external
        returns (uint40 newLane);

    /// @notice Take back what a lane has not drawn, in two calls of its giver's controller: the
    /// first announces it, the second cuts when the license's notice has passed.
    /// @dev Draws go on until the second call; the lane is not split or sublicensed any more. Lanes
    /// that were cut from it before stay.
    /// @return newLane 0 at the first call; then the lane with what was undrawn: license, holder,
    /// giver are those of the lane that it was cut from, and it has no log.
    function reclaim(uint40 lane) external returns (uint40 newLane);

    /// @notice Stop a license from `at` on, as its licensor (of a root: the design's owner);
    /// at >= now + notice; may only move earlier.
    function stop(bytes32 id, uint40 at) external;

    /// @notice Pay the royalty of `units` further units that a lane has drawn, to the licensor of a
    /// license in this block. Anyone may.
    /// @param license The lane's license, or one above it.
    /// @param paid For how many units of the lane it was paid before.
    function pay(uint40 lane, uint40 license, uint40 paid, uint40 units) external payable;

    /// @notice Take all that waits for the caller in one coin.
    /// @param currency The coin, 0 = native.
    /// @param to Where it goes.
    function withdraw(address currency, address to) external returns (uint256 amount);

    /// @notice Draw `n` units for a log; only BuildLog calls it.
    /// @return first The first unit, 0 where the draw is refused (too few left, not begun, ended,
    /// stopped).
    function draw(uint40 lane, uint40 n, uint40 log) external returns (uint40 first);

    /// @notice The EIP-712 digest of terms: the license's id.
    function licenseId(Terms calldata terms) external view returns (bytes32);

    /// @notice The number of a license, 0 where it is unknown.
    function numberOf(bytes32 id) external view returns (uint40);

    /// @notice The block time at which a license was granted, 0 where it is unknown.
    function grantedAt(bytes32 id) external view returns (uint40);

    /// @notice The extension of license `number` that begins with unit `first`, all zero where none
    /// does.
    function extensionOf(uint40 number, uint40 first) external view returns (Extension memory);

    /// @notice The id of license `number`.
    function idOf(uint40 number) external view returns (bytes32);

    /// @notice The metered part of license `number`.
    function license(uint40 number) external view returns (License memory);

    /// @notice The design of license `number`.
    function designOf(uint40 number) external view returns (bytes32);

    /// @notice A lane, all zero where it is unknown.
    function lane(uint40 number) external view returns (Lane memory);

    /// @notice The holder of a lane: for a lane with a log, its site.
    function holderOf(uint40 number) external view returns (bytes32);

    /// @notice The holder of the lane that a lane was cut from, who may reclaim it; 0 for lanes of a
    /// root that were cut from none.
    function giverOf(uint40 number) external view returns (bytes32);

    /// @notice The lane that a lane was cut from, and when; all zero where it was cut from none. Of a
    /// reclaimed lane, what that of its source was: units that came back are as they were before.
    function originOf(uint40 number) external view returns (Origin memory);

    /// @notice The first lane of license `number`, whose giver is its licensor; 0 where it is
    /// unknown.
    function firstLaneOf(uint40 number) external view returns (uint40);

    /// @notice What the units of license `number` cost, all zero where nothing.
    function priceOf(uint40 number) external view returns (Price memory);

    /// @notice What is owed to the licensor of `license`, the lane's or one above it, for the units
    /// that the lane has drawn.
    function owed(uint40 lane, uint40 license) external view returns (uint256);

    /// @notice For how many units of a lane the royalty of `license` was paid.
    function paidUnits(uint40 lane, uint40 license) external view returns (uint40);

    /// @notice What waits for an account in a coin.
    function creditOf(address currency, address account) external view returns (uint256);

    /// @notice How often the owners of a design have granted, extended or stopped a root license.
    function changesOf(bytes32 design) external view returns (uint40);
}
