// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

/// @title What relays say of another chain, acted on once a quorum of them says the same
/// @notice A message has a number that the other chain counts. It is acted on once: whatever is
/// said of that number afterwards is refused. Fewer relays than the quorum can do nothing alone.
abstract contract BridgeInbox is AccessControl {
    /// @notice May say what happened on the other chain.
    bytes32 public constant RELAY = keccak256("gridrig.relay");

    /// @notice How many relays have to say the same.
    uint256 public immutable QUORUM;

    /// @notice Whether a message was acted on.
    mapping(uint64 number => bool) public received;
    mapping(bytes32 message => mapping(address relay => bool)) public saidBy;
    mapping(bytes32 message => uint256) public said;

    event MessageSaid(uint64 indexed number, address indexed relay, address account, uint256 amount);
    event MessageReceived(uint64 indexed number, address indexed account, uint256 amount);

    error QuorumEmpty();
    error AmountEmpty();
    error AccountEmpty();
    error MessageRepeated(uint64 number);
    error SaidAlready(uint64 number, address relay);

    constructor(address admin, address[] memory relays, uint256 quorum) {
        if (quorum == 0 || quorum > relays.length) revert QuorumEmpty();
        QUORUM = quorum;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        for (uint256 i = 0; i < relays.length; ++i) _grantRole(RELAY, relays[i]);
    }

    /// @notice Says that the other chain sent an amount to an account, under a number.
    /// @dev Relays that differ in anything speak of different messages.
    function receiveMessage(
        uint64 number,
        address account,
        uint256 amount
    ) external onlyRole(RELAY) {
        if (received[number]) revert MessageRepeated(number);
        if (amount == 0) revert AmountEmpty();
        bytes32 message = keccak256(abi.encode(number, account, amount));
        if (saidBy[message][msg.sender]) revert SaidAlready(number, msg.sender);
        saidBy[message][msg.sender] = true;
        emit MessageSaid(number, msg.sender, account, amount);
        if (++said[message] < QUORUM) return;
        received[number] = true;
        emit MessageReceived(number, account, amount);
        _deliver(account, amount);
    }

    function _deliver(address account, uint256 amount) internal virtual;
}
