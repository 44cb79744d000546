// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Proofs that a root contains a claim
/// @notice The trees are those of `crates/settlement/src/claims`, which says what is hashed and
/// why. Leaves, nodes and roots begin with different bytes; an odd node is promoted, never doubled;
/// the root binds the leaf count and the total. Count and index fix the side of every sibling.
library ClaimTree {
    uint8 private constant LEAF = 0;
    uint8 private constant NODE = 1;
    uint8 private constant ROOT = 2;

    /// @notice What one account may take from one bucket of one contract on one chain.
    struct Claim {
        uint256 bucket;
        uint256 index;
        address account;
        uint256 amount;
    }

    error IndexOutOfRange(uint256 index, uint256 leafCount);
    error PathLength(uint256 siblings);

    /// @notice Returns the root that a claim leads to.
    /// @param self The claim; chain and contract are those that run this code.
    /// @param leafCount How many leaves the tree has.
    /// @param total The sum of all claims.
    /// @param path The siblings, from the leaf upwards; none where a node is promoted.
    function rootOf(
        Claim calldata self,
        uint256 leafCount,
        uint256 total,
        bytes32[] calldata path
    ) internal view returns (bytes32) {
        if (self.index >= leafCount) revert IndexOutOfRange(self.index, leafCount);
        bytes32 top = keccak256(
            abi.encodePacked(
                LEAF,
                block.chainid,
                address(this),
                self.bucket,
                self.index,
                self.account,
                self.amount
            )
        );
        uint256 place = self.index;
        uint256 last = leafCount - 1;
        uint256 used = 0;
        while (last > 0) {
            if (place & 1 == 1 || place < last) {
                if (used == path.length) revert PathLength(path.length);
                bytes32 sibling = path[used++];
                top = place & 1 == 1
                    ? keccak256(abi.encodePacked(NODE, sibling, top))
                    : keccak256(abi.encodePacked(NODE, top, sibling));
            }
            place >>= 1;
            last >>= 1;
        }
        if (used != path.length) revert PathLength(path.length);
        return keccak256(abi.encodePacked(ROOT, leafCount, total, top));
    }
}
