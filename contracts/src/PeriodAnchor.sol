// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

/// @title Roots of settled periods: each once, in order, never replaced
/// @notice A correction is an entry of a later period, not another root of this one.
contract PeriodAnchor is AccessControl {
    /// @notice May anchor periods.
    bytes32 public constant SETTLER = keccak256("gridrig.settler");

    /// @notice The only period that can be anchored now.
    uint64 public nextPeriod;
    /// @notice Binds every root so far: keccak256 of the head before, the period and its root.
    bytes32 public head;
    /// @notice Root of each anchored period; zero for the others.
    mapping(uint64 period => bytes32 root) public rootOf;

    event PeriodAnchored(uint64 indexed period, bytes32 indexed root, bytes32 head);

    error PeriodOutOfOrder(uint64 period, uint64 nextPeriod);
    error RootEmpty(uint64 period);

    constructor(address admin, address settler, uint64 firstPeriod) {
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(SETTLER, settler);
        nextPeriod = firstPeriod;
    }

    /// @notice Anchors the root of the next period.
    function anchor(uint64 period, bytes32 root) external onlyRole(SETTLER) {
        if (period != nextPeriod) revert PeriodOutOfOrder(period, nextPeriod);
        if (root == bytes32(0)) revert RootEmpty(period);
        nextPeriod = period + 1;
        rootOf[period] = root;
        head = keccak256(abi.encodePacked(head, period, root));
        emit PeriodAnchored(period, root, head);
    }
}
