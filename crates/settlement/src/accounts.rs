//! Who pays and is paid: participants, and the accounts of the house.

use std::sync::Arc;

/// Place of an account in the list of names that its entries go with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(pub u32);

impl AccountId {
    /// Returns the place as an index.
    pub const fn place(self) -> usize {
        self.0 as usize
    }
}

/// The account everybody settles with; it comes to zero in every period.
pub const CLEARING: &str = "clearing";

/// The account that pays for what is lost on the way, where the rule lays it on nobody else.
pub const LOSSES: &str = "losses";

/// The account that is paid the grid fee.
pub const GRID_FEES: &str = "grid-fees";

/// The account that is paid the operator's fee, and bears what is left in clearing.
pub const OPERATOR: &str = "operator";

/// The account that is paid the congestion rent of a market in zones.
pub const CONGESTION_RENT: &str = "congestion-rent";

/// The account through which money comes from outside and leaves.
pub const CASH: &str = "cash";

/// What the name of an account begins with that holds what a participant owes.
pub const RECEIVABLE_PREFIX: &str = "receivable:";

/// What the name of an account begins with that is paid the fee of a link between zones.
pub const LINK_PREFIX: &str = "link:";

/// The accounts of the house, in the order of their places in every list of names.
pub(crate) const HOUSE: [&str; 6] = [CLEARING, LOSSES, GRID_FEES, OPERATOR, CONGESTION_RENT, CASH];

pub(crate) const CLEARING_ID: AccountId = AccountId(0);
pub(crate) const LOSSES_ID: AccountId = AccountId(1);
pub(crate) const GRID_FEES_ID: AccountId = AccountId(2);
pub(crate) const OPERATOR_ID: AccountId = AccountId(3);
pub(crate) const CONGESTION_RENT_ID: AccountId = AccountId(4);
pub(crate) const CASH_ID: AccountId = AccountId(5);

/// Tells whether no participant may have this name.
pub fn is_reserved(name: &str) -> bool {
    name.is_empty()
        || HOUSE.contains(&name)
        || name.starts_with(RECEIVABLE_PREFIX)
        || name.starts_with(LINK_PREFIX)
}

/// Returns the names of the house, to which those of participants are added.
pub(crate) fn house_names() -> Vec<Arc<str>> {
    HOUSE.into_iter().map(Arc::from).collect()
}
