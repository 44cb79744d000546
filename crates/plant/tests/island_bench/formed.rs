//! Islands that a grid former holds, at 60 Hz and without secondary control.

use super::n;
use gridrig_plant::{IslandTick, Outside, Value, World};

/// System base, and the rating of a whole former [VA].
pub const BASE: f64 = 10_000.0;

/// Nothing special outside.
pub const OUTSIDE: Outside = Outside {
    losses_w: 0.0,
    grid_v_pu: 1.0,
    grid_f_hz: 60.0,
};

/// A former of this rating with a battery that sets no limit.
pub fn former(s_va: f64, more: &[(String, Value)]) -> Vec<(String, Value)> {
    let pack = vec![
        n("capacity_ah", 1000.0),
        n("cells", 100.0),
        n("charge_a_max", 1000.0),
    ];
    let mut table = vec![
        n("s_va", s_va),
        ("forms_grid".to_owned(), Value::Bool(true)),
        ("pack".to_owned(), Value::Table(pack)),
    ];
    table.extend_from_slice(more);
    table
}

/// A world at 60 Hz with a load on `formers`, without secondary control.
pub fn islanded(
    formers: &[Vec<(String, Value)>],
    load_w: f64,
    island: &[(String, Value)],
) -> World {
    let mut world = World::new(60.0, BASE, 1).unwrap();
    let mut settings = vec![n("secondary_s", 1e6), n("secondary_v_s", 1e6)];
    settings.extend_from_slice(island);
    world.set_island(&settings).unwrap();
    let load = world.add_load("load").unwrap();
    for (i, table) in formers.iter().enumerate() {
        world.add_storage(&format!("former-{i}"), table).unwrap();
    }
    world.set_load(load, load_w, 0.0).unwrap();
    world.open_pcc(0.0).unwrap();
    world
}

/// Runs an island for a while, in steps of a millisecond, every one recorded.
pub fn tick(world: &mut World, t_s: f64, dt_s: f64) -> IslandTick {
    world
        .island_tick(t_s, dt_s, 0.001, (1, false), OUTSIDE)
        .unwrap()
}
