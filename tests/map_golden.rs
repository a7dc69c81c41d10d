//! The bucketed map against real Go 1.21 and 1.23.

mod map_rows;

use gclab::container::bucket_map::GrowKind;
use gclab::container::map::Map;
use gclab::version::GoVersion;

use map_rows::{
    Kind, Unit, compare_churn, compare_deletion, compare_growth, compare_hints, compare_layouts,
    compare_presized_fill, compare_small_cases,
};

const CLASSIC: Kind = Kind { implementation: "classic", field };

fn field(name: &str, map: &Map) -> f64 {
    let Map::Buckets(map) = map else { panic!("not a bucketed map") };
    let geometry = map.geometry();
    match name {
        "B" => f64::from(geometry.log2_bucket_count),
        "noverflow" => f64::from(geometry.overflow_count),
        "nevacuate" => f64::from(geometry.evacuated_below),
        "growing" => match geometry.growing {
            None => 0.0,
            Some(GrowKind::Double) => 1.0,
            Some(GrowKind::SameSize) => 2.0,
        },
        _ => panic!("unknown metric {name}"),
    }
}

#[test]
fn bucket_layouts_are_those_of_the_compiler() {
    compare_layouts(CLASSIC, 56, |map_type| Unit {
        bytes: map_type.bucket_bytes(),
        scan_bytes: map_type.buckets_layout(1).scan_bytes,
        is_noscan: map_type.is_noscan(),
    });
}

#[test]
fn making_a_map_with_a_hint_costs_what_it_costs_in_go() {
    compare_hints(CLASSIC, 780, &[("B", "B_or_tables")]);
}

#[test]
fn maps_of_up_to_16385_entries_grow_as_in_go() {
    compare_growth(CLASSIC, "map_grow_small.csv", 4968, 60);
}

#[test]
fn maps_of_up_to_a_million_entries_grow_as_in_go() {
    compare_growth(CLASSIC, "map_grow_large.csv", 1560, 4);
}

#[test]
fn filling_a_presized_map_costs_what_it_costs_in_go() {
    compare_presized_fill(CLASSIC, 138);
}

#[test]
fn deleting_clearing_and_dropping_free_what_they_free_in_go_1_21() {
    compare_deletion(CLASSIC, GoVersion::Go1_21, 390);
}

#[test]
fn deleting_clearing_and_dropping_free_what_they_free_in_go_1_23() {
    compare_deletion(CLASSIC, GoVersion::Go1_23, 390);
}

#[test]
fn churn_at_constant_size_costs_what_it_costs_in_go() {
    compare_churn(CLASSIC, 2112);
}

#[test]
fn small_cases_cost_what_they_cost_in_go() {
    compare_small_cases(CLASSIC, 62);
}
