// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The meter: licenses as sets of unit numbers, cut into lanes
/// @notice Units 1..N of a root license are partitioned by its lanes; a drawn number is never drawn
/// again.
interface ILicenseRegistry {
    /// @notice What a license says; signed by the design's owner (EIP-712).
    /// @param design The design.
    /// @param designEpoch The epoch of the design that the owner saw.
    /// @param units How many units, N: 1 to 2^40 - 2, since a lane names the number behind its last.
    /// @param holder The licensee's identity (organization or site).
    /// @param notBefore Block seconds from which units may be drawn.
    /// @param notAfter Block seconds from which units may no longer be drawn (the last time of
    /// logging), 0 = never.
    /// @param notice Seconds between a stop's announcement and its effect; one that reaches past
    /// 2^40 - 1 means that the license is never stopped.
    /// @param parent The license above, 0 for a root.
    /// @param currency The coin of royalty and fee, 0 = native.
    /// @param royalty Per unit.
    /// @param fee Up front.
    /// @param offerUntil The last block second at which the terms may be submitted.
    /// @param nonce Chosen by the owner, so that equal terms can be granted twice.
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
    /// @param units N of this license.
    /// @param notBefore As in the terms.
    /// @param notAfter As in the terms.
    /// @param stopAt Block seconds from which it is stopped, 0 = not stopped.
    /// @param notice As in the terms.
    /// @param parent Number of the license above, 0 for a root.
    /// @param depth 0 for a root.
    struct License {
        uint40 units;
        uint40 notBefore;
        uint40 notAfter;
        uint40 stopAt;
        uint40 notice;
        uint40 parent;
        uint8 depth;
    }

    /// @notice Unit numbers [first, end) of a license, drawn up to `next`; one slot.
    /// @param log The log that may draw, 0 = none.
    /// @param reclaimAt Reserved for reclaiming, 0.
    struct Lane {
        uint40 license;
        uint40 first;
        uint40 next;
        uint40 end;
        uint40 log;
        uint40 reclaimAt;
    }

    /// @notice A license is in force, with one lane over all its units.
    event LicenseGranted(
        bytes32 indexed id, uint40 indexed number, bytes32 indexed design, uint40 lane, Terms terms
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
    /// @notice The license grants no units from `at` on.
    event LicenseStopped(bytes32 indexed id, uint40 at);

    error TermsUnitsMissing();
    error TermsUnitsTooMany(uint40 units, uint40 most);
    error TermsWindowEmpty(uint40 notBefore, uint40 notAfter);
    error TermsParentUnsupported(bytes32 parent);
    error TermsPaymentUnsupported(address currency, uint256 royalty, uint256 fee);
    error OfferExpired(uint40 offerUntil);
    error DesignEpochStale(bytes32 design, uint40 expected, uint40 actual);
    error HolderKindInvalid(bytes32 holder);
    error OwnerSignatureInvalid(bytes32 license, address owner);
    error LicenseGrantedAlready(bytes32 license);
    error LicenseUnknown(bytes32 license);
    error LaneUnknown(uint40 lane);
    error CallerNotHolder(uint40 lane, address caller);
    error LaneEndStale(uint40 lane, uint40 expected, uint40 actual);
    error SplitTooLarge(uint40 lane, uint40 n, uint40 undrawn);
    error SplitEmpty();
    error LogUnknown(uint40 log);
    error LogHolderNotSite(bytes32 holder);
    error CallerNotLicensor(bytes32 license, address caller);
    error StopTooEarly(uint40 at, uint256 earliest);
    error StopNotEarlier(uint40 at, uint40 current);
    error CallerNotBuildLog(address caller);
    error LaneOfOtherLog(uint40 lane, uint40 log);
    error DrawEmpty();

    /// @notice Grant a root license under the signature of the design's owner (EIP-712 or ERC-1271
    /// over the terms). Anyone may submit it. Nothing is owed under it, so the licensee need not
    /// sign.
    /// @return number The license's number, from 1.
    /// @return lane Its first lane: all units, no log, held by the holder.
    function grant(Terms calldata terms, bytes calldata ownerSignature)
        external
        returns (uint40 number, uint40 lane);

    /// @notice Cut the last `n` undrawn units off a lane, as its holder's controller.
    /// @param end The end of the lane that the caller saw.
    /// @param log The log of the new lane (then `to` is a site), or 0.
    /// @param to The holder of the new lane.
    function split(uint40 lane, uint40 end, uint40 n, uint40 log, bytes32 to)
        external
        returns (uint40 newLane);

    /// @notice Stop a root license from `at` on, as the design's owner; at >= now + notice; may
    /// only move earlier.
    function stop(bytes32 id, uint40 at) external;

    /// @notice Draw `n` units for a log; only BuildLog calls it.
    /// @return first The first unit, 0 where the draw is refused (too few left, not begun, ended,
    /// stopped).
    function draw(uint40 lane, uint40 n, uint40 log) external returns (uint40 first);

    /// @notice The EIP-712 digest of terms: the license's id.
    function licenseId(Terms calldata terms) external view returns (bytes32);

    /// @notice The number of a license, 0 where it is unknown.
    function numberOf(bytes32 id) external view returns (uint40);

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

    /// @notice The holder of the lane that a lane was cut from, 0 for a first lane.
    function giverOf(uint40 number) external view returns (bytes32);
}
