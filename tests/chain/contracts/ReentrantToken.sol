// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// @title A token that calls `target` back when it next pays or is paid, and tells the answer
contract ReentrantToken is ERC20("Reentrant", "RE") {
    address public target;
    bytes public callback;
    bool public called;
    bool public succeeded;
    bytes public answer;

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }

    function arm(address target_, bytes calldata callback_) external {
        (target, callback, called) = (target_, callback_, false);
    }

    function _update(address from, address to, uint256 amount) internal override {
        super._update(from, to, amount);
        if (!called && target != address(0) && (from == target || to == target)) {
            called = true;
            (succeeded, answer) = target.call(callback);
        }
    }
}
