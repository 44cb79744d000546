//! One line of the journal.

use gridrig_quantity::{Amount, Energy, Price};

use crate::accounts::{CASH_ID, CLEARING_ID, GRID_FEES_ID, HOUSE, OPERATOR_ID};
use crate::{AccountId, SettlementError};

/// What an entry is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum EntryKind {
    /// Energy sold and exported, at the trade price.
    Delivered,
    /// Energy sold and not exported, at the short price less the trade price.
    Shortfall,
    /// Energy exported and not sold, at the long price.
    Surplus,
    /// Energy bought and imported, at the trade price.
    Taken,
    /// Energy bought and not imported, at the trade price less the long price.
    Untaken,
    /// Energy imported and not bought, at the short price.
    Excess,
    /// Energy imported, at the grid fee.
    GridFee,
    /// Energy traded and met, at the operator's fee.
    OperatorFee,
    /// Energy exported and imported nowhere, at the short price; negative if more was imported.
    Losses,
    /// Energy carried by a link between zones, at the fee of the link.
    LinkFee,
    /// What buyers agreed to pay less what sellers and links agreed to be paid.
    Rent,
    /// What all other lines leave in clearing.
    Residual,
    /// Money paid in, or, if negative, paid out.
    Deposit,
    /// What a participant owes beyond its balance.
    Receivable,
    /// What it pays back of that.
    Recovered,
}

/// Which account of the house an entry is booked against, and which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Counterpart {
    house: AccountId,
    /// Whether that account pays a positive amount.
    pays: bool,
}

impl EntryKind {
    /// Every kind, in order.
    pub const ALL: [Self; 15] = [
        Self::Delivered,
        Self::Shortfall,
        Self::Surplus,
        Self::Taken,
        Self::Untaken,
        Self::Excess,
        Self::GridFee,
        Self::OperatorFee,
        Self::Losses,
        Self::LinkFee,
        Self::Rent,
        Self::Residual,
        Self::Deposit,
        Self::Receivable,
        Self::Recovered,
    ];

    /// Returns the word for the kind, as files and Python spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Shortfall => "shortfall",
            Self::Surplus => "surplus",
            Self::Taken => "taken",
            Self::Untaken => "untaken",
            Self::Excess => "excess",
            Self::GridFee => "grid_fee",
            Self::OperatorFee => "operator_fee",
            Self::Losses => "losses",
            Self::LinkFee => "link_fee",
            Self::Rent => "rent",
            Self::Residual => "residual",
            Self::Deposit => "deposit",
            Self::Receivable => "receivable",
            Self::Recovered => "recovered",
        }
    }

    /// Reads the word.
    ///
    /// # Errors
    /// [`SettlementError::Word`].
    pub fn named(word: &str) -> Result<Self, SettlementError> {
        let kind = Self::ALL.into_iter().find(|kind| kind.word() == word);
        let words = Self::ALL.into_iter().map(Self::word);
        kind.ok_or_else(|| SettlementError::word("kind of entry", word, words))
    }

    /// Returns the account of the house on the other side; none if that is the participant's own.
    const fn counterpart(self) -> Option<Counterpart> {
        let (house, pays) = match self {
            Self::Delivered | Self::Surplus | Self::LinkFee | Self::Rent | Self::Residual => {
                (CLEARING_ID, true)
            }
            Self::Shortfall | Self::Taken | Self::Untaken | Self::Excess | Self::Losses => {
                (CLEARING_ID, false)
            }
            Self::GridFee => (GRID_FEES_ID, false),
            Self::OperatorFee => (OPERATOR_ID, false),
            Self::Deposit => (CASH_ID, true),
            Self::Receivable | Self::Recovered => return None,
        };
        Some(Counterpart { house, pays })
    }

    /// Returns the account of the house that entries of this kind are booked against, and whether it
    /// pays a positive amount; none for the kinds between two accounts of one participant.
    pub fn house(self) -> Option<(&'static str, bool)> {
        let counterpart = self.counterpart()?;
        Some((HOUSE[counterpart.house.place()], counterpart.pays))
    }
}

/// A payment: the debited account pays, the credited account is paid, the same amount.
///
/// Accounts and meter are places in the lists of the [`crate::Settled`] or [`crate::Correction`]
/// that the entry is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Entry {
    /// What it is for.
    pub kind: EntryKind,
    /// The account that pays.
    pub debit: AccountId,
    /// The account that is paid.
    pub credit: AccountId,
    /// What is paid, never negative.
    pub amount: Amount,
    /// The energy it is for; negative for losses, and in corrections.
    pub energy: Energy,
    /// The price per energy; zero where the amount is a difference of others.
    pub price: Price,
    /// The trade it settles, if it settles one.
    pub trade_id: Option<u64>,
    /// The meter whose readings back it, if one does.
    pub meter: Option<u32>,
}

impl Entry {
    /// Makes the entry of an amount that `account` settles with the house.
    ///
    /// A negative amount swaps debit and credit. Kinds without a counterpart in the house are booked
    /// against clearing, which no caller asks for.
    pub(crate) fn with_house(
        kind: EntryKind,
        account: AccountId,
        amount: Amount,
        energy: Energy,
        price: Price,
    ) -> Self {
        let (house, pays) = kind
            .counterpart()
            .map_or((CLEARING_ID, true), |c| (c.house, c.pays));
        let house_pays = pays != (amount < Amount::ZERO);
        let (debit, credit) = if house_pays {
            (house, account)
        } else {
            (account, house)
        };
        Self {
            kind,
            debit,
            credit,
            amount: amount.magnitude(),
            energy,
            price,
            trade_id: None,
            meter: None,
        }
    }

    /// Returns the account that settles with the house, and what its line comes to: the amount,
    /// negative if debit and credit were swapped. None if the house has no part in it.
    pub(crate) fn line(&self) -> Option<(AccountId, i64)> {
        let counterpart = self.kind.counterpart()?;
        let house_pays = self.debit == counterpart.house;
        let account = if house_pays { self.credit } else { self.debit };
        let micro = self.amount.micro();
        Some((
            account,
            if house_pays == counterpart.pays {
                micro
            } else {
                -micro
            },
        ))
    }
}
