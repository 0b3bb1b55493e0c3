// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The log: one write-once record a batch
/// @notice A record binds root, count, time and units of a batch; nobody, the operator included,
/// can rewrite it.
interface IBuildLog {
    /// @notice What a batch asks of a lane.
    struct Draw {
        uint40 lane;
        uint40 n;
    }

    /// @notice What it got: units firstUnit..firstUnit+n-1, or none where firstUnit = 0.
    struct Grant {
        uint40 lane;
        uint40 n;
        uint40 firstUnit;
    }

    /// @notice A batch on record; the chain keeps keccak256(abi.encode(Record)).
    /// @param log The log, from 1; log 0 holds ticks only.
    /// @param seq The number of the record in its log, from 0.
    /// @param firstIndex The index of its first entry in the log, from 0.
    /// @param count How many entries; 0 only for ticks.
    /// @param time Block seconds.
    /// @param parent Hash of the block before, so that every record is a beacon.
    /// @param root RFC 9162 root (SHA-256) of the entries' leaf data.
    /// @param grants What the draws got, in order; they lie over the batch from its first entry on.
    struct Record {
        uint40 log;
        uint40 seq;
        uint64 firstIndex;
        uint40 count;
        uint40 time;
        bytes32 parent;
        bytes32 root;
        Grant[] grants;
    }

    /// @notice A log's head; one slot.
    struct Head {
        address writer;
        uint48 size;
        uint48 seq;
    }

    /// @notice An operator opened a log; `continues` names an older log of his, 0 = none.
    event LogOpened(
        uint40 indexed log, bytes32 indexed operator, address indexed writer, uint40 continues
    );
    /// @notice Another account writes the log from now on.
    event WriterChanged(uint40 indexed log, address indexed writer);
    /// @notice The log takes no more records.
    event LogClosed(uint40 indexed log);
    /// @notice A batch is on record; the event carries the whole record, storage its digest.
    event RecordAppended(uint40 indexed log, uint40 indexed seq, Record record);

    error CallerNotOperator(uint40 log, address caller);
    error CallerNotController(bytes32 operator, address caller);
    error OperatorNotOrganization(bytes32 operator);
    error WriterMissing();
    error LogUnknown(uint40 log);
    error LogClosedAlready(uint40 log);
    error CallerNotWriter(uint40 log, address caller);
    error SeqStale(uint40 log, uint40 expected, uint40 actual);
    error CountInvalid(uint40 count);
    error LogFull(uint40 log, uint48 size, uint40 count);
    error DrawsTooMany(uint256 draws);
    error DrawsExceedCount(uint256 drawn, uint40 count);
    error TickedAlready(uint40 time);

    /// @notice Open a log, as the controller of the operator's identity (an organization).
    /// @param continues A log that it goes on from, 0 = none; it gives no right.
    function open(bytes32 operator, address writer, uint40 continues) external returns (uint40 log);

    /// @notice Replace the writer at once, as the operator's controller.
    function setWriter(uint40 log, address writer) external;

    /// @notice Close a log for ever, as the operator's controller.
    function close(uint40 log) external;

    /// @notice Append a batch, as the writer, naming the seq that it extends.
    /// @param count 1 to 2^20; a log holds at most 2^48 - 1 entries.
    /// @param draws At most 32; their sum of n at most `count`.
    function append(uint40 log, uint40 seq, uint40 count, bytes32 root, Draw[] calldata draws)
        external;

    /// @notice Write an empty record of log 0 (a beacon for quiet networks), by anybody, once a
    /// block.
    function tick() external;

    /// @notice The head of a log, all zero where it is unknown; a closed log has writer 0.
    function head(uint40 log) external view returns (Head memory);

    /// @notice The operator's identity, 0 where the log is unknown.
    function operatorOf(uint40 log) external view returns (bytes32);

    /// @notice keccak256(abi.encode(Record)) of a record, 0 where there is none.
    function recordDigest(uint40 log, uint40 seq) external view returns (bytes32);
}
