//! The Swiss map against real Go 1.24, 1.25 and 1.27.

mod map_rows;

use gclab::container::map::Map;
use gclab::container::swiss_map::GroupType;
use gclab::version::GoVersion;

use map_rows::{
    Kind, Unit, compare_churn, compare_deletion, compare_growth, compare_hints, compare_layouts,
    compare_presized_fill, compare_small_cases,
};

const SWISS: Kind = Kind { implementation: "swiss", field };

fn field(name: &str, map: &Map) -> f64 {
    let Map::Swiss(map) = map else { panic!("not a Swiss map") };
    let geometry = map.geometry();
    match name {
        "tables" => f64::from(geometry.tables),
        "dir_len" => f64::from(geometry.directory_len),
        "slot_capacity" => geometry.slots as f64,
        "tombstones" => geometry.tombstones as f64,
        _ => panic!("unknown metric {name}"),
    }
}

#[test]
fn group_layouts_are_those_of_the_compiler() {
    compare_layouts(SWISS, 84, |map_type| {
        let group_type = GroupType::of(map_type);
        Unit {
            bytes: group_type.group_bytes(),
            scan_bytes: group_type.groups_layout(1).scan_bytes,
            is_noscan: group_type.is_noscan(),
        }
    });
}

#[test]
fn making_a_map_with_a_hint_costs_what_it_costs_in_go() {
    compare_hints(SWISS, 1170, &[("tables", "B_or_tables"), ("slot_capacity", "growing_or_slot_capacity")]);
}

#[test]
fn maps_of_up_to_16385_entries_grow_as_in_go() {
    compare_growth(SWISS, "map_grow_small.csv", 7452, 60);
}

#[test]
fn maps_of_up_to_a_million_entries_grow_as_in_go() {
    compare_growth(SWISS, "map_grow_large.csv", 2340, 4);
}

#[test]
fn filling_a_presized_map_costs_what_it_costs_in_go() {
    compare_presized_fill(SWISS, 207);
}

#[test]
fn deleting_clearing_and_dropping_free_what_they_free_in_go_1_24() {
    compare_deletion(SWISS, GoVersion::Go1_24, 390);
}

#[test]
fn deleting_clearing_and_dropping_free_what_they_free_in_go_1_25() {
    compare_deletion(SWISS, GoVersion::Go1_25, 390);
}

#[test]
fn deleting_clearing_and_dropping_free_what_they_free_in_go_1_27() {
    compare_deletion(SWISS, GoVersion::Go1_27, 390);
}

#[test]
fn churn_at_constant_size_costs_what_it_costs_in_go() {
    compare_churn(SWISS, 3168);
}

#[test]
fn small_cases_cost_what_they_cost_in_go() {
    compare_small_cases(SWISS, 93);
}
