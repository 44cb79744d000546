// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {BridgeInbox} from "./BridgeInbox.sol";

/// @title Units of another chain, while a `BridgeVault` keeps them there
/// @notice The far end of a bridge. It mints what the vault locked and burns what goes back; nobody
/// else can mint.
contract BridgedToken is ERC20, BridgeInbox {
    uint8 private immutable DECIMALS;
    /// @notice How many times something was sent back.
    uint64 public sent;

    event Sent(uint64 indexed number, address indexed account, uint256 amount);

    constructor(
        string memory name,
        string memory symbol,
        uint8 decimals_,
        address admin,
        address[] memory relays,
        uint256 quorum
    ) ERC20(name, symbol) BridgeInbox(admin, relays, quorum) {
        DECIMALS = decimals_;
    }

    /// @inheritdoc ERC20
    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }

    /// @notice Burns units of the caller for an account on the home chain.
    function send(address account, uint256 amount) external {
        if (amount == 0) revert AmountEmpty();
        // The other end could never deliver to it, and nothing brings such units back.
        if (account == address(0)) revert AccountEmpty();
        uint64 number = ++sent;
        _burn(msg.sender, amount);
        emit Sent(number, account, amount);
    }

    function _deliver(address account, uint256 amount) internal override {
        _mint(account, amount);
    }
}
