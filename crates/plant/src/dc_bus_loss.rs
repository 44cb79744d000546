//! A battery switch that opened under current: what is told, and what its inverter does.

use crate::device::Device;
use crate::event::{Event, EventKind};
use crate::pack::Interrupted;

/// Tells that a switch cut a current at `t_s`, and trips the inverter if its DC bus left its band.
///
/// The current is zero at once. A grid former of an island is judged by the island's own steps,
/// which see that nothing feeds it.
pub fn battery_lost(
    device: &mut Device,
    cut: Interrupted,
    t_s: f64,
    islanded: bool,
    events: &mut Vec<Event>,
) {
    let name = device.name.clone();
    let mut tell = |kind: EventKind, value: f64, detail: &str| {
        let (name, detail) = (name.clone(), detail.to_owned());
        events.push(Event {
            t_s,
            kind,
            name,
            value,
            detail,
        });
    };
    tell(EventKind::FetOpened, cut.i_a, cut.cause);
    let Some(inverter) = device.inverter_mut() else {
        return;
    };
    let s_va = inverter.settings.s_va;
    let Some(storage) = inverter.as_storage() else {
        return;
    };
    let v_pu = storage.dc_bus.kick_pu(cut.p_w, s_va);
    let judged_here = inverter.service.running() && !(islanded && inverter.former().is_some());
    if let (Some(cause), true) = (storage.dc_bus.trip(v_pu), judged_here) {
        inverter.trip(cause);
        tell(EventKind::DcBus, v_pu, cause);
        tell(EventKind::Tripped, 0.0, cause);
    }
}
