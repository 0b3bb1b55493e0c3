// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBuildLog} from "../../../contracts/interfaces/IBuildLog.sol";
import {IPartRegistry} from "../../../contracts/interfaces/IPartRegistry.sol";
import {Deployed} from "../support/Deployed.sol";
import {Rfc9162} from "../support/Rfc9162.sol";

/// @title A batch of seven on record: three units, two refused, one more unit, one without
abstract contract Logged is Deployed {
    uint40 internal constant COUNT = 7;
    bytes32 internal constant SALT = "entry salt";

    uint40 internal number;
    uint40 internal lane;
    bytes private _recorded;
    IPartRegistry.Entry internal entry;

    function setUp() public virtual override {
        super.setUp();
        number = _openLog();
        lane = _lane(number, 4);
        entry = _entry();
        _append(number, 5, "before", _noDraws());
        _nextBlock();
        _log(1);
    }

    /// @dev Appends the batch with the entry at `position`.
    function _log(uint40 position) internal {
        IBuildLog.Draw[] memory draws = new IBuildLog.Draw[](3);
        draws[0] = IBuildLog.Draw({lane: lane, n: 3});
        draws[1] = IBuildLog.Draw({lane: lane, n: 2});
        draws[2] = IBuildLog.Draw({lane: lane, n: 1});
        _recorded = abi.encode(_append(number, COUNT, Rfc9162.root(_leaves(position)), draws));
    }

    function _record() internal view returns (IBuildLog.Record memory) {
        return abi.decode(_recorded, (IBuildLog.Record));
    }

    function _leaves(uint40 position) internal view returns (bytes32[] memory) {
        return _batch(_leaf(entry, SALT), position, COUNT);
    }

    function _path(uint40 position) internal view returns (bytes32[] memory) {
        return Rfc9162.path(_leaves(position), position);
    }

    function _part(uint40 position) internal view returns (uint256) {
        return (uint256(number) << 64) | (_record().firstIndex + position);
    }

    function _materialise(address to) internal returns (uint256) {
        bytes32[] memory path = _path(1);
        vm.prank(siteManager);
        return parts.materialise(_record(), 1, entry, SALT, path, to);
    }
}
