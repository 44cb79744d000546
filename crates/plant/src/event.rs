//! What happened in the plant, in the order it happened.

/// One thing that happened.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// When, in the run's time [s].
    pub t_s: f64,
    /// What kind of thing.
    pub kind: EventKind,
    /// The device it happened to, or `pcc` or `island`.
    pub name: String,
    /// A number that belongs to it; the kind says which and in what unit.
    pub value: f64,
    /// A word that belongs to it: the relay of a trip, the side of a limit.
    pub detail: String,
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $variant:ident => $word:literal,)*) => {
        /// The kinds of events; the text of each is stable.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum EventKind { $($(#[$doc])* $variant,)* }

        impl EventKind {
            /// The stable word for this kind.
            pub fn word(self) -> &'static str {
                match self { $(EventKind::$variant => $word,)* }
            }
        }
    };
}

kinds! {
    /// The PCC opened; value is the power that flowed into the feeder just before [W].
    Opened => "opened",
    /// V and f came inside their bands and stayed; value is seconds from opening to entering.
    Formed => "formed",
    /// A device tripped; detail is the relay or detector, value the time since opening or 0 [s].
    Tripped => "tripped",
    /// A load was shed; value is its power [W], detail its stage.
    Shed => "shed",
    /// A shed load came back; value is its power [W].
    Restored => "restored",
    /// An inverter reduced its power because f is high; value is the reduction [W].
    Throttled => "throttled",
    /// A grid former reached a limit; value is its power [W], detail charge, discharge or current.
    Limit => "limit",
    /// The synch-check let the PCC close; value and detail are one difference (three events).
    Sync => "sync",
    /// The PCC closed; value is seconds since the request, detail live or dead bus.
    Reclosed => "reclosed",
    /// The island lost its voltage; value is seconds since opening.
    Dead => "dead",
    /// A grid former gave a dead island its voltage back; value is seconds since opening.
    Energised => "energised",
    /// An inverter began to enter service after its delay; value is the delay [s].
    EnterService => "enter_service",
    /// A motor has run up; value is the time since it was switched on [s].
    MotorStarted => "motor_started",
    /// A motor's contactor opened; detail is the cause, value the time since opening or 0 [s].
    MotorStopped => "motor_stopped",
    /// A battery's switch opened under current; value is the current [A], detail the cause.
    FetOpened => "fet_opened",
    /// A DC bus lost its battery and left its band; value is its voltage over that before [pu].
    DcBus => "dc_bus",
}
