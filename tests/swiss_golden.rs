//! The Swiss map against real Go 1.24, 1.25 and 1.27.

mod map_rows;

use gclab::container::map::Map;
use gclab::container::swiss_map::GroupType;
use gclab::version::GoVersion;

use map_rows::{
    Kind, compare_churn, compare_deletion, compare_growth, compare_presized_fill, compare_small_cases,
    heap_for, integer, make, map_type, number, rows_of,
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
    let rows = rows_of(SWISS, "map_types.csv");
    assert_eq!(rows.len(), 84);
    for row in rows {
        let map_type = map_type(&row["map_type"]);
        let group_type = GroupType::of(&map_type);
        assert_eq!(map_type.key().size_bytes, u64::from(integer(&row, "key_size")), "{row:?}");
        assert_eq!(map_type.elem().size_bytes, u64::from(integer(&row, "elem_size")), "{row:?}");
        assert_eq!(group_type.group_bytes(), u64::from(integer(&row, "bucket_or_group_size")), "{row:?}");
        assert_eq!(group_type.groups_layout(1).scan_bytes, u64::from(integer(&row, "ptr_bytes")), "{row:?}");
        assert_eq!(group_type.is_noscan().to_string(), row["noscan"], "{row:?}");
    }
}

#[test]
fn making_a_map_with_a_hint_costs_what_it_costs_in_go() {
    let rows = rows_of(SWISS, "map_make_hint.csv");
    assert_eq!(rows.len(), 1170);
    for row in rows {
        let mut heap = heap_for(&row, 1);
        let map = make(&mut heap, map_type(&row["map_type"]), u64::from(integer(&row, "hint")));
        assert_eq!(row["bytes_min"], row["bytes_max"]);
        let made = (heap.total_alloc_bytes() as f64, heap.mallocs() as f64);
        assert_eq!(made, (number(&row, "bytes_min"), number(&row, "mallocs_min")), "{row:?}");
        assert_eq!(field("tables", &map), number(&row, "B_or_tables"), "{row:?}");
        assert_eq!(field("slot_capacity", &map), number(&row, "growing_or_slot_capacity"), "{row:?}");
    }
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
