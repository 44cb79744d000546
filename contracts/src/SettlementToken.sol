// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";

/// @title A token whose smallest unit is the one that settlement counts in
/// @notice Money: 6 decimals, one unit is a millionth. Energy: 3 decimals, one unit is 1 Wh of a
/// kilowatt-hour. Deployed once for each.
contract SettlementToken is ERC20, ERC20Burnable, AccessControl {
    /// @notice May mint what was paid in, or what a verified meter counted.
    bytes32 public constant MINTER = keccak256("gridrig.minter");

    uint8 private immutable DECIMALS;

    constructor(
        string memory name,
        string memory symbol,
        uint8 decimals_,
        address admin,
        address minter
    ) ERC20(name, symbol) {
        DECIMALS = decimals_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(MINTER, minter);
    }

    /// @inheritdoc ERC20
    function decimals() public view override returns (uint8) {
        return DECIMALS;
    }

    /// @notice Makes new units.
    function mint(address to, uint256 amount) external onlyRole(MINTER) {
        _mint(to, amount);
    }
}
