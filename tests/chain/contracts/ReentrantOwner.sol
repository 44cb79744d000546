// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC1155Holder} from "@openzeppelin/contracts/token/ERC1155/utils/ERC1155Holder.sol";

/// @title An owner of certificates that calls the registry back from its own receipt
contract ReentrantOwner is ERC1155Holder {
    bytes public callback;
    bool public called;
    bool public succeeded;
    bytes public answer;

    function arm(bytes calldata callback_) external {
        (callback, called) = (callback_, false);
    }

    function onERC1155Received(
        address operator,
        address from,
        uint256 id,
        uint256 value,
        bytes memory data
    ) public override returns (bytes4) {
        if (!called) {
            called = true;
            (succeeded, answer) = msg.sender.call(callback);
        }
        return super.onERC1155Received(operator, from, id, value, data);
    }
}
