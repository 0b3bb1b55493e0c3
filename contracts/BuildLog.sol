// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "./interfaces/IBuildLog.sol";
import {IIdentityRegistry} from "./interfaces/IIdentityRegistry.sol";
import {ILicenseRegistry} from "./interfaces/ILicenseRegistry.sol";

/// @title The log: one write-once record a batch
contract BuildLog is IBuildLog {
    uint40 private constant MAX_COUNT = 2 ** 20;
    uint256 private constant MAX_DRAWS = 32;

    IIdentityRegistry private immutable _identities;
    ILicenseRegistry private immutable _licenses;

    mapping(uint40 log => Head head) private _logs;
    mapping(uint40 log => bytes32 operator) private _operators;
    mapping(uint40 log => mapping(uint40 seq => bytes32 digest)) private _records;
    uint40 private _logCount;
    uint40 private _tickedAt;

    constructor(address identities, address licenses) {
        _identities = IIdentityRegistry(identities);
        _licenses = ILicenseRegistry(licenses);
    }

    /// @inheritdoc IBuildLog
    function open(bytes32 operator, address writer, uint40 continues)
        external
        returns (uint40 log)
    {
        if (_identities.kindOf(operator) != IIdentityRegistry.Kind.Organization) {
            revert OperatorNotOrganization(operator);
        }
        if (_identities.controllerOf(operator) != msg.sender) {
            revert CallerNotController(operator, msg.sender);
        }
        if (writer == address(0)) revert WriterMissing();
        if (continues > _logCount) revert LogUnknown(continues);

        log = ++_logCount;
        _logs[log].writer = writer;
        _operators[log] = operator;

        emit LogOpened(log, operator, writer, continues);
    }

    /// @inheritdoc IBuildLog
    function setWriter(uint40 log, address writer) external {
        _requireOperator(log);
        if (writer == address(0)) revert WriterMissing();

        _logs[log].writer = writer;

        emit WriterChanged(log, writer);
    }

    /// @inheritdoc IBuildLog
    function close(uint40 log) external {
        _requireOperator(log);

        _logs[log].writer = address(0);

        emit LogClosed(log);
    }

    /// @inheritdoc IBuildLog
    function append(uint40 log, uint40 seq, uint40 count, bytes32 root, Draw[] calldata draws)
        external
    {
        Head memory self = _logs[log];
        if (self.writer != msg.sender) _revertCallerNotWriter(log, self.writer);
        // forge-lint: disable-next-line(unsafe-typecast) no log reaches 2^40 records
        if (self.seq != seq) revert SeqStale(log, seq, uint40(self.seq));
        if (count == 0 || count > MAX_COUNT) revert CountInvalid(count);
        if (count > type(uint48).max - self.size) revert LogFull(log, self.size, count);
        Grant[] memory grants = _wanted(draws, count);

        _logs[log] = Head({writer: msg.sender, size: self.size + count, seq: self.seq + 1});
        // slither-disable-next-line reentrancy-benign,reentrancy-events the registry calls nobody
        _draw(log, grants);
        _write(log, seq, self.size, count, root, grants);
    }

    /// @inheritdoc IBuildLog
    function tick() external {
        uint40 time = uint40(block.timestamp);
        // slither-disable-next-line incorrect-equality one tick a second is enough
        if (_tickedAt == time) revert TickedAlready(time);

        _tickedAt = time;
        // forge-lint: disable-next-line(unsafe-typecast) one a second: 2^40 are 35,000 years
        uint40 seq = uint40(_logs[0].seq++);
        _write(0, seq, 0, 0, 0, new Grant[](0));
    }

    /// @inheritdoc IBuildLog
    function head(uint40 log) external view returns (Head memory) {
        return _logs[log];
    }

    /// @inheritdoc IBuildLog
    function operatorOf(uint40 log) external view returns (bytes32) {
        return _operators[log];
    }

    /// @inheritdoc IBuildLog
    function recordDigest(uint40 log, uint40 seq) external view returns (bytes32) {
        return _records[log][seq];
    }

    function _write(
        uint40 log,
        uint40 seq,
        uint48 size,
        uint40 count,
        bytes32 root,
        Grant[] memory grants
    ) private {
        Record memory record = Record({
            log: log,
            seq: seq,
            firstIndex: size,
            count: count,
            time: uint40(block.timestamp),
            parent: blockhash(block.number - 1),
            root: root,
            grants: grants
        });
        _records[log][seq] = keccak256(abi.encode(record));

        emit RecordAppended(log, seq, record);
    }

    /// @dev The draws come before the record, which says what they got; the registry calls nobody
    /// back.
    function _draw(uint40 log, Grant[] memory grants) private {
        for (uint256 i = 0; i < grants.length; ++i) {
            Grant memory wanted = grants[i];
            // slither-disable-next-line calls-loop at most MAX_DRAWS, to our own registry
            wanted.firstUnit = _licenses.draw(wanted.lane, wanted.n, log);
        }
    }

    function _requireOperator(uint40 log) private view {
        bytes32 operator = _operators[log];
        if (operator == 0) revert LogUnknown(log);
        if (_identities.controllerOf(operator) != msg.sender) {
            revert CallerNotOperator(log, msg.sender);
        }
        if (_logs[log].writer == address(0)) revert LogClosedAlready(log);
    }

    function _revertCallerNotWriter(uint40 log, address writer) private view {
        if (_operators[log] == 0) revert LogUnknown(log);
        if (writer == address(0)) revert LogClosedAlready(log);
        revert CallerNotWriter(log, msg.sender);
    }

    /// @dev Grants of nothing yet, one a draw.
    function _wanted(Draw[] calldata draws, uint40 count)
        private
        pure
        returns (Grant[] memory grants)
    {
        if (draws.length > MAX_DRAWS) revert DrawsTooMany(draws.length);
        grants = new Grant[](draws.length);
        uint256 drawn = 0;
        for (uint256 i = 0; i < draws.length; ++i) {
            grants[i] = Grant({lane: draws[i].lane, n: draws[i].n, firstUnit: 0});
            drawn += grants[i].n;
        }
        if (drawn > count) revert DrawsExceedCount(drawn, count);
    }
}
