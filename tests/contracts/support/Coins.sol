// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A coin as others have it
contract Coin is ERC20("Coin", "COIN") {
    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// @title A coin that keeps a part of what is moved, or adds to it
contract TaxedCoin is Coin {
    int256 private immutable _tax;

    constructor(int256 tax) {
        _tax = tax;
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from == address(0) || to == address(0)) return;
        if (_tax > 0) _burn(to, uint256(_tax));
        else _mint(to, uint256(-_tax));
    }
}

/// @title A coin that takes more from the receiver than it brings
contract TakingCoin is Coin {
    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (from != address(0) && to != address(0)) _burn(to, balanceOf(to));
    }
}

/// @title A coin that moves nothing and says so
contract RefusingCoin is Coin {
    function transferFrom(address, address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// @title A coin that calls back while it is moved
contract HookedCoin is Coin {
    address private _target;
    bytes private _call;
    bool public hasWorked;

    function arm(address target, bytes calldata call) external {
        (_target, _call) = (target, call);
    }

    function _update(address from, address to, uint256 amount) internal override {
        if (_target != address(0)) {
            (address target, bytes memory call) = (_target, _call);
            _target = address(0);
            (hasWorked,) = target.call(call);
        }
        super._update(from, to, amount);
    }
}

/// @title An account that takes no coins, or calls back when it gets some
contract Taker {
    address private immutable _target;
    bytes private _call;
    bool public hasWorked;

    constructor(address target) {
        _target = target;
    }

    receive() external payable {
        require(_call.length != 0, "no coins, please");
        (hasWorked,) = _target.call(_call);
    }

    function arm(bytes calldata call) external {
        _call = call;
    }

    function execute(bytes calldata call) external returns (bool isDone) {
        (isDone,) = _target.call(call);
    }
}
