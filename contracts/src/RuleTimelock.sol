// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";

/// @title Rules that change after a delay, by a quorum, unless somebody vetoes
/// @notice Decides as `python/gridrig/market/governance.py` does: a change is announced, voted on
/// and vetoed until it would take effect; then anybody can enact it. What it changes is outside: a
/// market keeps the digest of its rules here. A stop needs no vote and no delay; it only stops.
contract RuleTimelock is AccessControl {
    /// @notice May vote for a change, each account once.
    bytes32 public constant VOTER = keccak256("gridrig.voter");
    /// @notice May stop a change before it takes effect.
    bytes32 public constant VETO = keccak256("gridrig.veto");
    /// @notice May stop everything at once.
    bytes32 public constant SAFETY = keccak256("gridrig.safety");

    /// @notice A change, by its digest.
    struct Change {
        uint64 effectiveAt;
        uint64 number;
        uint64 votes;
        bool vetoed;
        bool enacted;
    }

    /// @notice Least time from announcement to effect. [s]
    uint64 public immutable DELAY_S;
    /// @notice How many votes a change needs.
    uint64 public immutable QUORUM;

    /// @notice Digest of the rules in force.
    bytes32 public rules;
    /// @notice When the change that brought them was to take effect; 0 of the first rules.
    uint64 public rulesFrom;
    /// @notice The number of that change, in the order of announcements from 1; 0 of the first rules.
    uint64 public rulesNumber;
    /// @notice How many changes were announced.
    uint64 public announced;
    /// @notice Whether everything is stopped.
    bool public stopped;
    mapping(bytes32 digest => Change) public changes;
    mapping(bytes32 digest => mapping(address voter => bool)) public votedBy;

    event ChangeAnnounced(bytes32 indexed digest, uint64 effectiveAt);
    event ChangeVoted(bytes32 indexed digest, address indexed voter);
    event ChangeVetoed(bytes32 indexed digest, address indexed by);
    event ChangeEnacted(bytes32 indexed digest, bytes32 indexed before);
    event Stopped(address indexed by);
    event Resumed(address indexed by);

    error QuorumEmpty();
    error DelayShort(uint64 effectiveAt, uint256 earliest);
    error ChangeKnown(bytes32 digest);
    error ChangeUnknown(bytes32 digest);
    error ChangeOver(bytes32 digest, uint64 effectiveAt);
    error ChangeAhead(bytes32 digest, uint64 effectiveAt);
    error VotedAlready(bytes32 digest, address voter);
    error Vetoed(bytes32 digest);
    error QuorumShort(bytes32 digest, uint64 votes);
    error Superseded(bytes32 digest, uint64 rulesFrom);
    error EnactedAlready(bytes32 digest);

    constructor(
        address admin,
        address[] memory voters,
        uint64 quorum,
        address[] memory vetoers,
        address[] memory safety,
        uint64 delay_s,
        bytes32 rules_
    ) {
        if (quorum == 0 || quorum > voters.length) revert QuorumEmpty();
        DELAY_S = delay_s;
        QUORUM = quorum;
        rules = rules_;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        for (uint256 i = 0; i < voters.length; ++i) _grantRole(VOTER, voters[i]);
        for (uint256 i = 0; i < vetoers.length; ++i) _grantRole(VETO, vetoers[i]);
        for (uint256 i = 0; i < safety.length; ++i) _grantRole(SAFETY, safety[i]);
    }

    /// @notice Announces a change, by anybody who may vote.
    /// @dev A digest is announced once: who wants the same again puts a number into it.
    function announce(bytes32 digest, uint64 effectiveAt) external onlyRole(VOTER) {
        if (changes[digest].effectiveAt != 0) revert ChangeKnown(digest);
        uint256 earliest = block.timestamp + DELAY_S;
        if (effectiveAt < earliest) revert DelayShort(effectiveAt, earliest);
        changes[digest].effectiveAt = effectiveAt;
        changes[digest].number = ++announced;
        emit ChangeAnnounced(digest, effectiveAt);
    }

    /// @notice Votes for a change, until it would take effect.
    function vote(bytes32 digest) external onlyRole(VOTER) {
        Change storage change = _open(digest);
        if (votedBy[digest][msg.sender]) revert VotedAlready(digest, msg.sender);
        votedBy[digest][msg.sender] = true;
        ++change.votes;
        emit ChangeVoted(digest, msg.sender);
    }

    /// @notice Vetoes a change, until it would take effect.
    function veto(bytes32 digest) external onlyRole(VETO) {
        _open(digest).vetoed = true;
        emit ChangeVetoed(digest, msg.sender);
    }

    /// @notice Enacts a change whose time has come, by anybody.
    /// @dev It may come late, but never after one that was to take effect later or, at the same
    /// time, was announced later: which rules stay in force does not depend on who enacts in which
    /// order.
    function enact(bytes32 digest) external {
        Change storage change = _known(digest);
        if (block.timestamp < change.effectiveAt) revert ChangeAhead(digest, change.effectiveAt);
        if (change.enacted) revert EnactedAlready(digest);
        if (change.vetoed) revert Vetoed(digest);
        if (change.votes < QUORUM) revert QuorumShort(digest, change.votes);
        bool isOlder = change.effectiveAt < rulesFrom
            || (change.effectiveAt == rulesFrom && change.number < rulesNumber);
        if (isOlder) revert Superseded(digest, rulesFrom);
        change.enacted = true;
        emit ChangeEnacted(digest, rules);
        rules = digest;
        rulesFrom = change.effectiveAt;
        rulesNumber = change.number;
    }

    /// @notice Stops everything at once.
    function stop() external onlyRole(SAFETY) {
        stopped = true;
        emit Stopped(msg.sender);
    }

    /// @notice Lets everything go on.
    function resume() external onlyRole(SAFETY) {
        stopped = false;
        emit Resumed(msg.sender);
    }

    function _known(bytes32 digest) private view returns (Change storage change) {
        change = changes[digest];
        if (change.effectiveAt == 0) revert ChangeUnknown(digest);
    }

    function _open(bytes32 digest) private view returns (Change storage change) {
        change = _known(digest);
        if (block.timestamp >= change.effectiveAt) revert ChangeOver(digest, change.effectiveAt);
    }
}
