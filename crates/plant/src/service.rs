//! Whether an inverter is in service: permit, cease and trip, enter service with delay and ramp.

use crate::inverter::Place;
use crate::seed::spread;

/// Where the inverter stands.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Standing {
    /// Energising the grid.
    Running,
    /// No permit: the connect register is off.
    Off,
    /// A relay or a detector acted; it waits until V and f are acceptable.
    Tripped,
    /// V and f are acceptable; the enter-service delay runs.
    Starting,
}

/// Where the random waits begin among the numbers a seed gives a device.
const WAITS: u64 = 1 << 32;

/// The window and the times of entering service.
#[derive(Clone, Debug)]
pub struct EnterService {
    /// Lowest and highest voltage [pu].
    pub v_pu: (f64, f64),
    /// Lowest and highest frequency [Hz].
    pub f_hz: (f64, f64),
    /// How long both must be inside, without interruption [s].
    pub delay_s: f64,
    /// A random time up to this comes on top, drawn anew for each wait [s].
    pub random_s: f64,
    /// From zero to rated power [s].
    pub ramp_s: f64,
}

/// The service state of one inverter.
#[derive(Clone, Debug)]
pub struct Service {
    rules: EnterService,
    standing: Standing,
    waited_s: f64,
    /// How often it has begun to wait, and the random part of the present wait.
    waits: u64,
    random_s: f64,
    ramp: f64,
    cause: Option<String>,
    place: Place,
}

impl Service {
    /// An inverter that has been running for long.
    pub fn new(rules: EnterService, place: Place) -> Service {
        Service {
            rules,
            standing: Standing::Running,
            waited_s: 0.0,
            waits: 0,
            random_s: 0.0,
            ramp: 1.0,
            cause: None,
            place,
        }
    }

    /// Where the inverter stands.
    pub fn standing(&self) -> Standing {
        self.standing
    }

    /// Whether it energises the grid.
    pub fn running(&self) -> bool {
        self.standing == Standing::Running
    }

    /// The share of rated power the enter-service ramp allows, 0..1.
    pub fn ramp(&self) -> f64 {
        self.ramp
    }

    /// What tripped it, until it runs again.
    pub fn cause(&self) -> Option<&str> {
        self.cause.as_deref()
    }

    /// The enter-service delay, the random part of the last wait included [s].
    pub fn delay_s(&self) -> f64 {
        self.rules.delay_s + self.random_s
    }

    /// Changes the window and the times; a wait that has begun goes on.
    pub fn set(&mut self, rules: EnterService) {
        self.rules = rules;
    }

    fn begin_wait(&mut self) {
        self.waited_s = 0.0;
        let draw = spread(
            self.place.seed,
            self.place.device as u64,
            WAITS + self.waits,
        );
        self.waits += 1;
        self.random_s = self.rules.random_s * 0.5 * (1.0 + draw);
    }

    /// Gives or withdraws the permit to connect.
    pub fn permit(&mut self, on: bool) {
        if !on {
            self.standing = Standing::Off;
            self.waited_s = 0.0;
        } else if self.standing == Standing::Off {
            self.standing = Standing::Starting;
            self.begin_wait();
        }
    }

    /// Enters service on a bus without voltage, which has no window to wait for; false if it has no
    /// permit, or tripped.
    pub fn start_cold(&mut self) -> bool {
        let starts = self.standing == Standing::Starting;
        if starts {
            self.standing = Standing::Running;
            (self.ramp, self.cause) = (1.0, None);
        }
        starts
    }

    /// Ceases to energise at once.
    pub fn trip(&mut self, cause: &str) {
        self.standing = Standing::Tripped;
        self.begin_wait();
        self.cause = Some(cause.to_owned());
    }

    /// Holds the voltages of the worst phases and f for `dt_s`; true when this step ends with the inverter entering service.
    pub fn step(&mut self, v_low_pu: f64, v_high_pu: f64, f_hz: f64, dt_s: f64) -> bool {
        match self.standing {
            Standing::Running => {
                if self.ramp < 1.0 {
                    self.ramp = (self.ramp + share(dt_s, self.rules.ramp_s)).min(1.0);
                }
                false
            }
            Standing::Off => false,
            Standing::Tripped | Standing::Starting => {
                let v_pu = self.rules.v_pu;
                let v_inside = v_low_pu >= v_pu.0 && v_high_pu <= v_pu.1;
                self.wait(v_inside, f_hz, dt_s)
            }
        }
    }

    fn wait(&mut self, v_inside: bool, f_hz: f64, dt_s: f64) -> bool {
        let (f_low_hz, f_high_hz) = self.rules.f_hz;
        if !v_inside || f_hz < f_low_hz || f_hz > f_high_hz {
            self.waited_s = 0.0;
            if self.cause.is_some() {
                self.standing = Standing::Tripped;
            }
            return false;
        }
        self.standing = Standing::Starting;
        self.waited_s += dt_s;
        if self.waited_s < self.delay_s() - 1e-9 {
            return false;
        }
        self.standing = Standing::Running;
        self.cause = None;
        self.ramp = if self.rules.ramp_s > 0.0 { 0.0 } else { 1.0 };
        true
    }
}

fn share(dt_s: f64, whole_s: f64) -> f64 {
    if whole_s > 0.0 { dt_s / whole_s } else { 1.0 }
}
