//! One command of a workload, as every engine can understand it, and the hash of a stream of them.

/// Participants of the workloads.
pub(crate) const PARTICIPANTS: u32 = 1_000;

/// What a command does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A limit order that rests with what it does not trade.
    Add,
    /// A limit order whose rest is cancelled.
    ImmediateOrCancel,
    /// Takes a resting order away.
    Cancel,
    /// Gives a resting order another price; it keeps its open quantity and loses its priority.
    Move,
}

/// One command; prices and quantities are plain integers without a unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Op {
    /// What it does.
    pub kind: Kind,
    /// Whether the order buys; false for a cancel.
    pub buys: bool,
    /// Number of the book, from 1.
    pub book: u32,
    /// Number of the order, from 1.
    pub order_id: u64,
    /// Who sent it, from 0; one who bids never offers, so that nobody meets itself.
    pub participant: u32,
    /// Limit price; 0 for a cancel.
    pub price: i64,
    /// Quantity of an order, or what a moved order has open; 0 for a cancel.
    pub quantity: i64,
    /// For a move the quantity the order came with, of which `quantity` is left; else `quantity`.
    pub quantity_total: i64,
}

/// Returns who sends an order of the workloads; naive peers do not ask.
pub(crate) const fn participant_of(order_id: u64, buys: bool) -> u32 {
    (order_id % (PARTICIPANTS as u64 / 2)) as u32 * 2 + buys as u32
}

/// Returns the FNV-1a hash of a stream, over kind, side, book, id, price and quantity of each
/// command as 8 little-endian bytes.
///
/// The offset basis is the one the known hashes were made with, one digit short of the usual.
pub fn stream_hash(stream: &[Op]) -> u64 {
    let mut hash: u64 = 1_469_598_103_934_665_603;
    for op in stream {
        let fields = [
            op.kind as u64,
            u64::from(op.buys),
            u64::from(op.book),
            op.order_id,
            op.price as u64,
            op.quantity as u64,
        ];
        for byte in fields.iter().flat_map(|field| field.to_le_bytes()) {
            hash = (hash ^ u64::from(byte)).wrapping_mul(1_099_511_628_211);
        }
    }
    hash
}
