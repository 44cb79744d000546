// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {BridgeInbox} from "./BridgeInbox.sol";

/// @title Units that are on another chain, kept here until they come back
/// @notice The home end of a bridge. What is locked is what a `BridgedToken` over there may mint;
/// what was burned there is released here.
contract BridgeVault is BridgeInbox {
    using SafeERC20 for IERC20;

    IERC20 public immutable TOKEN;
    /// @notice How many times something was sent.
    uint64 public sent;

    event Sent(uint64 indexed number, address indexed account, uint256 amount);

    error AmountShort(uint256 received, uint256 amount);

    constructor(
        IERC20 token,
        address admin,
        address[] memory relays,
        uint256 quorum
    ) BridgeInbox(admin, relays, quorum) {
        TOKEN = token;
    }

    /// @notice Locks units of the caller for an account on the other chain.
    function send(address account, uint256 amount) external {
        if (amount == 0) revert AmountEmpty();
        // The other end could never deliver to it, and nothing brings such units back.
        if (account == address(0)) revert AccountEmpty();
        uint64 number = ++sent;
        uint256 before = TOKEN.balanceOf(address(this));
        TOKEN.safeTransferFrom(msg.sender, address(this), amount);
        // A token that keeps a fee would leave more over there than is kept here.
        uint256 kept = TOKEN.balanceOf(address(this)) - before;
        if (kept != amount) revert AmountShort(kept, amount);
        emit Sent(number, account, amount);
    }

    function _deliver(address account, uint256 amount) internal override {
        TOKEN.safeTransfer(account, amount);
    }
}
