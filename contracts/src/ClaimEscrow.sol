// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";
import {ClaimTree} from "./ClaimTree.sol";

/// @title Buckets of money, paid out by proof
/// @notice A bucket is opened with a root and with all the money that the root speaks of. A delay
/// later, in which it can be refused, each leaf pays its account once. After a deadline the rest
/// goes back to where it came from. A bucket never pays more than it was funded with.
contract ClaimEscrow is AccessControl, ReentrancyGuardTransient {
    using SafeERC20 for IERC20;
    using ClaimTree for ClaimTree.Claim;

    /// @notice May open buckets.
    bytes32 public constant SETTLER = keccak256("gridrig.settler");
    /// @notice May refuse a bucket before it pays.
    bytes32 public constant CHALLENGER = keccak256("gridrig.challenger");

    /// @notice A bucket; what is not claimed before `closesAt` is returned to `funder`.
    struct Bucket {
        bytes32 root;
        uint256 leafCount;
        uint256 total;
        uint256 paid;
        address funder;
        uint64 opensAt;
        uint64 closesAt;
        bool ended;
    }

    IERC20 public immutable TOKEN;
    /// @notice From the root to the first payment. [s]
    uint64 public immutable CHALLENGE_DELAY_S;
    /// @notice From the first payment to the deadline. [s]
    uint64 public immutable CLAIM_WINDOW_S;

    mapping(uint256 bucket => Bucket) public buckets;
    mapping(uint256 bucket => mapping(address account => bool)) public claimed;

    event BucketOpened(uint256 indexed bucket, bytes32 indexed root, uint256 total, uint64 opensAt);
    event BucketRefused(uint256 indexed bucket, address indexed challenger);
    event ClaimPaid(uint256 indexed bucket, address indexed account, uint256 index, uint256 amount);
    event BucketClosed(uint256 indexed bucket, uint256 returned);

    error DurationEmpty();
    error BucketTaken(uint256 bucket);
    error BucketUnknown(uint256 bucket);
    error BucketEnded(uint256 bucket);
    error BucketEmpty(uint256 bucket);
    error BucketUnderfunded(uint256 bucket, uint256 received, uint256 total);
    error ChallengeOver(uint256 bucket, uint64 opensAt);
    error ClaimTooEarly(uint256 bucket, uint64 opensAt);
    error ClaimTooLate(uint256 bucket, uint64 closesAt);
    error ClaimRepeated(uint256 bucket, address account);
    error ClaimUnproven(uint256 bucket, address account);
    error ClaimBeyondTotal(uint256 bucket, uint256 amount, uint256 left);
    error DeadlineAhead(uint256 bucket, uint64 closesAt);

    constructor(
        IERC20 token,
        address admin,
        address settler,
        address challenger,
        uint64 challengeDelay_s,
        uint64 claimWindow_s
    ) {
        if (challengeDelay_s == 0 || claimWindow_s == 0) revert DurationEmpty();
        TOKEN = token;
        CHALLENGE_DELAY_S = challengeDelay_s;
        CLAIM_WINDOW_S = claimWindow_s;
        _grantRole(DEFAULT_ADMIN_ROLE, admin);
        _grantRole(SETTLER, settler);
        _grantRole(CHALLENGER, challenger);
    }

    /// @notice Opens a bucket and takes its total from the caller, all of it or none.
    /// @dev A number is used once, whatever becomes of its bucket: a root is never replaced.
    function open(
        uint256 bucket,
        bytes32 root,
        uint256 leafCount,
        uint256 total
    ) external onlyRole(SETTLER) nonReentrant {
        Bucket storage opened = buckets[bucket];
        if (opened.root != bytes32(0)) revert BucketTaken(bucket);
        if (root == bytes32(0) || leafCount == 0 || total == 0) revert BucketEmpty(bucket);
        opened.root = root;
        opened.leafCount = leafCount;
        opened.total = total;
        opened.funder = msg.sender;
        opened.opensAt = uint64(block.timestamp) + CHALLENGE_DELAY_S;
        opened.closesAt = opened.opensAt + CLAIM_WINDOW_S;
        uint256 before = TOKEN.balanceOf(address(this));
        TOKEN.safeTransferFrom(msg.sender, address(this), total);
        // A token that keeps a fee delivers less than it was asked for.
        uint256 received = TOKEN.balanceOf(address(this)) - before;
        if (received != total) revert BucketUnderfunded(bucket, received, total);
        emit BucketOpened(bucket, root, total, opened.opensAt);
    }

    /// @notice Refuses a bucket within its challenge delay; the money goes back at once.
    function refuse(uint256 bucket) external onlyRole(CHALLENGER) nonReentrant {
        Bucket storage refused = _standing(bucket);
        if (block.timestamp >= refused.opensAt) revert ChallengeOver(bucket, refused.opensAt);
        refused.ended = true;
        emit BucketRefused(bucket, msg.sender);
        TOKEN.safeTransfer(refused.funder, refused.total);
    }

    /// @notice Pays a claim to its account, whoever asks for it.
    function claim(
        ClaimTree.Claim calldata due,
        bytes32[] calldata path
    ) external nonReentrant {
        Bucket storage from = _standing(due.bucket);
        if (block.timestamp < from.opensAt) revert ClaimTooEarly(due.bucket, from.opensAt);
        if (block.timestamp >= from.closesAt) revert ClaimTooLate(due.bucket, from.closesAt);
        if (claimed[due.bucket][due.account]) revert ClaimRepeated(due.bucket, due.account);
        if (due.rootOf(from.leafCount, from.total, path) != from.root) {
            revert ClaimUnproven(due.bucket, due.account);
        }
        // A root can promise more than its total; nobody else's money makes up for it.
        uint256 left = from.total - from.paid;
        if (due.amount > left) revert ClaimBeyondTotal(due.bucket, due.amount, left);
        claimed[due.bucket][due.account] = true;
        from.paid += due.amount;
        emit ClaimPaid(due.bucket, due.account, due.index, due.amount);
        TOKEN.safeTransfer(due.account, due.amount);
    }

    /// @notice Returns what nobody claimed before the deadline.
    function close(uint256 bucket) external nonReentrant {
        Bucket storage closed = _standing(bucket);
        if (block.timestamp < closed.closesAt) revert DeadlineAhead(bucket, closed.closesAt);
        closed.ended = true;
        uint256 left = closed.total - closed.paid;
        emit BucketClosed(bucket, left);
        if (left > 0) TOKEN.safeTransfer(closed.funder, left); // some tokens refuse to move nothing
    }

    function _standing(uint256 bucket) private view returns (Bucket storage found) {
        found = buckets[bucket];
        if (found.root == bytes32(0)) revert BucketUnknown(bucket);
        if (found.ended) revert BucketEnded(bucket);
    }
}
