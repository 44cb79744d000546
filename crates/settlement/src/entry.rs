//! One line of the journal.

use gridrig_quantity::{Amount, DeliveryPeriod, Energy, Price};

use crate::MeterPeriod;

/// The account everybody settles with.
pub const CLEARING: &str = "clearing";

/// The account that pays for what is lost on the way.
pub const LOSSES: &str = "losses";

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
    /// Energy exported and imported nowhere, at the short price; negative if more was imported.
    Losses,
}

impl EntryKind {
    /// Returns the word for the kind, as files and Python spell it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Shortfall => "shortfall",
            Self::Surplus => "surplus",
            Self::Taken => "taken",
            Self::Untaken => "untaken",
            Self::Excess => "excess",
            Self::Losses => "losses",
        }
    }

    /// Tells whether clearing pays a positive amount of this kind.
    const fn is_paid_by_clearing(self) -> bool {
        match self {
            Self::Delivered | Self::Surplus => true,
            Self::Shortfall | Self::Taken | Self::Untaken | Self::Excess | Self::Losses => false,
        }
    }
}

/// A payment: the debited account pays, the credited account is paid, the same amount.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Entry {
    /// Counted from 1 in each period.
    pub entry_id: u64,
    /// The delivery period.
    pub period: DeliveryPeriod,
    /// What it is for.
    pub kind: EntryKind,
    /// The account that pays.
    pub debit: String,
    /// The account that is paid.
    pub credit: String,
    /// What is paid, never negative.
    pub amount: Amount,
    /// The energy it is for; negative only for losses.
    pub energy: Energy,
    /// The price per energy; a negative product swapped debit and credit.
    pub price: Price,
    /// The trade it settles, if it settles one.
    pub trade_id: Option<u64>,
    /// The meter whose readings back it.
    pub meter: String,
    /// SHA-256 of the signed bytes of the reading that opened the period.
    pub opening_digest: [u8; 32],
    /// SHA-256 of the signed bytes of the reading that closed it.
    pub closing_digest: [u8; 32],
}

/// Entries of one period in the making.
pub(crate) struct Entries {
    period: DeliveryPeriod,
    entries: Vec<Entry>,
}

impl Entries {
    pub(crate) const fn new(period: DeliveryPeriod) -> Self {
        Self {
            period,
            entries: Vec::new(),
        }
    }

    /// Books an energy at a price between `account` and clearing; no energy books nothing.
    pub(crate) fn book(
        &mut self,
        kind: EntryKind,
        account: &str,
        energy: Energy,
        price: Price,
        trade_id: Option<u64>,
        meter: &MeterPeriod,
    ) {
        if energy == Energy::ZERO {
            return;
        }
        let amount = Amount::of(energy, price);
        let clearing_pays = kind.is_paid_by_clearing() != (amount < Amount::ZERO);
        let (debit, credit) = if clearing_pays {
            (CLEARING, account)
        } else {
            (account, CLEARING)
        };
        self.entries.push(Entry {
            entry_id: self.entries.len() as u64 + 1,
            period: self.period,
            kind,
            debit: debit.to_owned(),
            credit: credit.to_owned(),
            amount: amount.magnitude(),
            energy,
            price,
            trade_id,
            meter: meter.meter().to_owned(),
            opening_digest: *meter.opening().digest(),
            closing_digest: *meter.closing().digest(),
        });
    }

    pub(crate) fn into_vec(self) -> Vec<Entry> {
        self.entries
    }
}
