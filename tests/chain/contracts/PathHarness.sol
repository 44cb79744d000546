// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ClaimTree} from "./ClaimTree.sol";

/// @title The library alone: what root a proof leads to
contract PathHarness {
    using ClaimTree for ClaimTree.Claim;

    function rootOf(
        ClaimTree.Claim calldata claim,
        uint256 leafCount,
        uint256 total,
        bytes32[] calldata path
    ) external view returns (bytes32) {
        return claim.rootOf(leafCount, total, path);
    }
}
