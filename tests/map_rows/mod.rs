//! Maps against real Go: bytes, mallocs, geometry and live bytes, row by row; what both kinds of map share.
//!
//! A row that never varies, neither in Go nor in the model, must be equal. A row that varies is a comparison of two means
//! from random runs. Its standard error comes from the larger of the two standard deviations, because a handful of runs
//! often shows less spread than there is; for the same reason the bounds widen for few runs as Student's distribution
//! does. There are thousands of such rows: the bound for each is 4 standard errors, and not more than one in a hundred may
//! pass 3 (by chance alone it would be one in four hundred, but neighbouring rows share their runs).

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;

use gclab::container::map::Map;
use gclab::container::map_type::{MapType, TypeDesc};
use gclab::heap::counting::CountingHeap;
use gclab::heap::mutator::Mutator;
use gclab::heap::object::Layout;
use gclab::version::GoVersion;

/// Standard errors that a single row may be off.
const MAX_STANDARD_ERRORS: f64 = 4.0;
/// Standard errors that only one row in a hundred may be off.
const USUAL_STANDARD_ERRORS: f64 = 3.0;
/// How far outside the measured range, as a share of its width, the model's mean may lie.
const RANGE_SLACK: f64 = 0.1;

/// The Go programs read live bytes as a difference of two `HeapAlloc`s, between which one of their own 8-byte objects may
/// have come or gone: one row says -8 after the map was dropped.
const LIVE_PRECISION_BYTES: f64 = 8.0;

/// A row of a golden file: column name to text.
type Row = BTreeMap<String, String>;

/// One kind of map.
#[derive(Clone, Copy)]
pub struct Kind {
    /// As the golden files name it.
    pub implementation: &'static str,
    /// A field of the header, or what follows from it, as the growth and churn files name it.
    pub field: fn(&str, &Map) -> f64,
}

/// The rows of a golden file on one kind of map.
fn rows_of(kind: Kind, file: &str) -> Vec<Row> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/maps").join(file);
    let mut reader = csv::Reader::from_reader(File::open(path).unwrap());
    let rows: Vec<Row> = reader.deserialize().map(Result::unwrap).collect();
    rows.into_iter().filter(|row| row["impl"] == kind.implementation).collect()
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

fn integer(row: &Row, column: &str) -> u32 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

fn version(row: &Row) -> GoVersion {
    row["go_version"].parse().unwrap()
}

fn type_desc(name: &str) -> TypeDesc {
    match name {
        "int" | "int64" => TypeDesc::INT,
        "int32" => TypeDesc::INT32,
        "int8" | "uint8" => TypeDesc::INT8,
        "bool" => TypeDesc::BOOL,
        "float64" => TypeDesc::FLOAT64,
        "string" => TypeDesc::STRING,
        "any" => TypeDesc::ANY,
        "struct{}" => TypeDesc::EMPTY_STRUCT,
        _ if name.starts_with('*') => TypeDesc::POINTER,
        _ if name.starts_with("[]") => TypeDesc::SLICE,
        _ => {
            let length = name.strip_prefix('[').and_then(|rest| rest.strip_suffix("]byte"));
            TypeDesc::memory(length.and_then(|length| length.parse().ok()).expect(name))
        }
    }
}

/// `map[K]V` as written in a golden file; K may hold brackets of its own.
fn map_type(name: &str) -> MapType {
    let inner = name.trim_end_matches("(fresh)").strip_prefix("map[").unwrap();
    let mut depth = 0;
    let end = inner.find(|c: char| {
        depth += i32::from(c == '[') - i32::from(c == ']');
        depth < 0
    });
    let (key, elem) = inner.split_at(end.unwrap());
    MapType::new(type_desc(key), type_desc(&elem[1..]))
}

/// The model's samples of one golden row.
#[derive(Clone, Default)]
struct Samples(Vec<f64>);

impl Samples {
    fn mean(&self) -> f64 {
        self.0.iter().sum::<f64>() / self.0.len() as f64
    }

    fn standard_deviation(&self) -> f64 {
        let mean = self.mean();
        let squares: f64 = self.0.iter().map(|sample| (sample - mean).powi(2)).sum();
        if self.0.len() < 2 { 0.0 } else { (squares / (self.0.len() - 1) as f64).sqrt() }
    }
}

/// How many estimated standard errors are as improbable as `z` known ones, with this many degrees of freedom: the first
/// terms of the Cornish-Fisher expansion of Student's distribution.
fn student_quantile(z: f64, degrees: f64) -> f64 {
    z + (z.powi(3) + z) / (4.0 * degrees)
        + (5.0 * z.powi(5) + 16.0 * z.powi(3) + 3.0 * z) / (96.0 * degrees * degrees)
}

/// Compares every row with its samples.
#[derive(Default)]
struct Comparison {
    rows: usize,
    unusual: usize,
    failures: Vec<String>,
}

impl Comparison {
    fn compare(&mut self, row: &Row, samples: &Samples) {
        self.compare_within(row, samples, 0.0);
    }

    /// Compares a row that was read with an instrument of limited precision.
    fn compare_within(&mut self, row: &Row, samples: &Samples, precision: f64) {
        self.rows += 1;
        let (mean, deviation) = (samples.mean(), samples.standard_deviation());
        let spread = deviation.max(number(row, "sd"));
        let standard_error = spread * (1.0 / number(row, "runs") + 1.0 / samples.0.len() as f64).sqrt();
        let difference = ((mean - number(row, "mean")).abs() - precision).max(0.0);
        let degrees = number(row, "runs") + samples.0.len() as f64 - 2.0;
        let usual = student_quantile(USUAL_STANDARD_ERRORS, degrees) * standard_error;
        if difference > usual {
            self.unusual += 1;
        }
        if difference > student_quantile(MAX_STANDARD_ERRORS, degrees) * standard_error {
            self.fail(row, &format!("mean {mean:.2}, standard error {standard_error:.3}"));
        }
        if row["deterministic"] == "no" {
            self.compare_range(row, mean, usual, ("min", "max"));
        }
    }

    /// The mean must lie in the range that Go showed, widened a little and by its own uncertainty.
    fn compare_range(&mut self, row: &Row, mean: f64, uncertainty: f64, (min, max): (&str, &str)) {
        let (min, max) = (number(row, min), number(row, max));
        let slack = RANGE_SLACK * (max - min) + uncertainty;
        if mean < min - slack || mean > max + slack {
            self.fail(row, &format!("mean {mean:.2} outside of {min} to {max}"));
        }
    }

    fn fail(&mut self, row: &Row, what: &str) {
        self.failures.push(format!("{what}: {:?}", row.values().collect::<Vec<_>>()));
    }

    fn finish(self, expected_rows: usize) {
        assert_eq!(self.rows, expected_rows, "rows compared");
        let shown = self.failures.iter().take(20).cloned().collect::<Vec<_>>().join("\n");
        assert!(self.failures.is_empty(), "{} of {} rows differ:\n{shown}", self.failures.len(), self.rows);
        assert!(self.unusual * 100 <= self.rows, "{} of {} rows are unusual", self.unusual, self.rows);
    }
}

/// Groups rows by the columns that describe one program; each group is simulated once per run.
fn programs<'a>(rows: &'a [Row], columns: &[&str]) -> BTreeMap<Vec<&'a str>, Vec<&'a Row>> {
    let mut groups: BTreeMap<Vec<&str>, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        groups.entry(columns.iter().map(|column| row[*column].as_str()).collect()).or_default().push(row);
    }
    groups
}

fn heap_for(row: &Row, run: u64) -> CountingHeap {
    CountingHeap::new(version(row), run)
}

fn make(heap: &mut CountingHeap, map_type: MapType, hint: u64) -> Map {
    let map = Map::make(heap, map_type, hint);
    heap.add_root(map.object());
    map
}

fn counters(heap: &CountingHeap) -> (u64, u64) {
    (heap.total_alloc_bytes(), heap.mallocs())
}

/// `bytes`, `mallocs` or a field.
fn metric(kind: Kind, name: &str, heap: &CountingHeap, base: (u64, u64), map: &Map) -> f64 {
    match name {
        "bytes" => (heap.total_alloc_bytes() - base.0) as f64,
        "mallocs" => (heap.mallocs() - base.1) as f64,
        _ => (kind.field)(name, map),
    }
}

/// What a kind of map makes of a map type: bytes of a bucket or group, where its last pointer ends, and whether it has none.
pub struct Unit {
    pub bytes: u64,
    pub scan_bytes: u64,
    pub is_noscan: bool,
}

/// Map types as the compiler lays them out.
pub fn compare_layouts(kind: Kind, expected_rows: usize, unit_of: fn(&MapType) -> Unit) {
    let rows = rows_of(kind, "map_types.csv");
    assert_eq!(rows.len(), expected_rows);
    for row in rows {
        let map_type = map_type(&row["map_type"]);
        let unit = unit_of(&map_type);
        assert_eq!(map_type.key().size_bytes, u64::from(integer(&row, "key_size")), "{row:?}");
        assert_eq!(map_type.elem().size_bytes, u64::from(integer(&row, "elem_size")), "{row:?}");
        assert_eq!(unit.bytes, u64::from(integer(&row, "bucket_or_group_size")), "{row:?}");
        assert_eq!(unit.scan_bytes, u64::from(integer(&row, "ptr_bytes")), "{row:?}");
        assert_eq!(unit.is_noscan.to_string(), row["noscan"], "{row:?}");
    }
}

/// Maps made with a hint: bytes, mallocs, and the fields of the header that stand in these columns.
pub fn compare_hints(kind: Kind, expected_rows: usize, fields: &[(&str, &str)]) {
    let rows = rows_of(kind, "map_make_hint.csv");
    assert_eq!(rows.len(), expected_rows);
    for row in rows {
        let mut heap = heap_for(&row, 1);
        let map = make(&mut heap, map_type(&row["map_type"]), u64::from(integer(&row, "hint")));
        assert_eq!(row["bytes_min"], row["bytes_max"]);
        let made = (heap.total_alloc_bytes() as f64, heap.mallocs() as f64);
        assert_eq!(made, (number(&row, "bytes_min"), number(&row, "mallocs_min")), "{row:?}");
        for (field, column) in fields {
            assert_eq!((kind.field)(field, &map), number(&row, column), "{field} of {row:?}");
        }
    }
}

/// Grows maps from empty and compares them at every listed count.
pub fn compare_growth(kind: Kind, file: &str, expected_rows: usize, runs: u64) {
    let rows = rows_of(kind, file);
    let mut comparison = Comparison::default();
    for ((_, rows), program) in programs(&rows, &["go_version", "map_type"]).into_iter().zip(1u64..) {
        let mut samples = vec![Samples::default(); rows.len()];
        for run in 0..runs {
            let mut heap = heap_for(rows[0], program << 32 | run);
            let mut map = make(&mut heap, map_type(&rows[0]["map_type"]), 0);
            let base = counters(&heap);
            for (row, samples) in rows.iter().zip(&mut samples) {
                map.insert_all(&mut heap, map.len() as u32..integer(row, "entries"));
                samples.0.push(metric(kind, &row["metric"], &heap, base, &map));
            }
        }
        rows.iter().zip(&samples).for_each(|(row, samples)| comparison.compare(row, samples));
    }
    comparison.finish(expected_rows);
}

/// Fills maps made to size.
pub fn compare_presized_fill(kind: Kind, expected_rows: usize) {
    let rows = rows_of(kind, "map_presized_fill.csv");
    let mut comparison = Comparison::default();
    for ((_, rows), program) in programs(&rows, &["go_version", "entries"]).into_iter().zip(1u64..) {
        let entries = integer(rows[0], "entries");
        let mut samples = vec![Samples::default(); rows.len()];
        for run in 0..if entries <= 10_000 { 100 } else { 6 } {
            let mut heap = heap_for(rows[0], program << 32 | run);
            let mut map = make(&mut heap, map_type(&rows[0]["map_type"]), entries.into());
            let made = counters(&heap);
            map.insert_all(&mut heap, 0..entries);
            let filled = counters(&heap);
            for (row, samples) in rows.iter().zip(&mut samples) {
                samples.0.push(match row["metric"].as_str() {
                    "make_bytes" => made.0 as f64,
                    "fill_bytes" => (filled.0 - made.0) as f64,
                    "fill_mallocs" => (filled.1 - made.1) as f64,
                    other => panic!("unknown metric {other}"),
                });
            }
        }
        rows.iter().zip(&samples).for_each(|(row, samples)| comparison.compare(row, samples));
    }
    comparison.finish(expected_rows);
}

/// Inserts keys 0 .. n, with a new 64-byte value each if the values are to be fresh.
fn fill(heap: &mut CountingHeap, map: &mut Map, entries: u32, fresh_values: bool) {
    if !fresh_values {
        map.insert_all(heap, 0..entries);
        return;
    }
    for key in 0..entries {
        let value = heap.alloc(Layout::noscan(64));
        heap.push_local(value);
        map.insert(heap, key, &[], &[value]);
        heap.pop_local();
    }
}

/// Fill, then in three copies of the process: remove in one of three ways, refill, drop. What each way's stages read.
fn deletion_stages(row: &Row, run: u64) -> BTreeMap<(&'static str, &'static str), f64> {
    let mut heap = heap_for(row, run);
    let entries = integer(row, "entries");
    let fresh_values = row["map_type"].ends_with("(fresh)");
    let hint = if row["presized"] == "true" { entries } else { 0 };
    let mut map = make(&mut heap, map_type(&row["map_type"]), hint.into());
    fill(&mut heap, &mut map, entries, fresh_values);
    let filled_bytes = heap.live_bytes() as f64;
    let mut stages = BTreeMap::new();
    for removal in ["delete_each", "range_delete", "clear"] {
        let (mut heap, mut map) = (heap.clone(), map.clone());
        match removal {
            "delete_each" => assert_eq!(map.delete_all(&mut heap, 0..entries), u64::from(entries)),
            "range_delete" => map.range_delete(&mut heap),
            _ => map.clear(&mut heap),
        }
        stages.insert((removal, "live_after_fill"), filled_bytes);
        stages.insert((removal, "live_after_removal"), heap.live_bytes() as f64);
        let before = heap.total_alloc_bytes();
        fill(&mut heap, &mut map, entries, fresh_values);
        stages.insert((removal, "totalalloc_during_refill"), (heap.total_alloc_bytes() - before) as f64);
        stages.insert((removal, "live_after_refill"), heap.live_bytes() as f64);
        heap.remove_root(map.object());
        stages.insert((removal, "live_after_map_nil"), heap.live_bytes() as f64);
    }
    stages
}

/// Removes everything in three ways.
pub fn compare_deletion(kind: Kind, version: GoVersion, expected_rows: usize) {
    let mut rows = rows_of(kind, "map_delete.csv");
    rows.retain(|row| row["go_version"].starts_with(version.name()));
    let mut comparison = Comparison::default();
    let columns = ["map_type", "entries", "presized"];
    for ((_, rows), program) in programs(&rows, &columns).into_iter().zip(1u64..) {
        let runs = match integer(rows[0], "entries") {
            0..10_000 => 40,
            10_000..500_000 => 4,
            _ => 1,
        };
        let mut samples = vec![Samples::default(); rows.len()];
        for run in 0..runs {
            let stages = deletion_stages(rows[0], program << 32 | run);
            for (row, samples) in rows.iter().zip(&mut samples) {
                samples.0.push(stages[&(row["removal"].as_str(), row["stage"].as_str())]);
            }
        }
        for (row, samples) in rows.iter().zip(&samples) {
            comparison.compare_within(row, samples, LIVE_PRECISION_BYTES);
        }
    }
    comparison.finish(expected_rows);
}

/// Deletes the oldest key and inserts a new one, again and again.
pub fn compare_churn(kind: Kind, expected_rows: usize) {
    let rows = rows_of(kind, "map_churn.csv");
    let mut comparison = Comparison::default();
    let columns = ["go_version", "map_type", "live_entries", "presized"];
    for ((_, rows), program) in programs(&rows, &columns).into_iter().zip(1u64..) {
        let live_entries = integer(rows[0], "live_entries");
        let hint = if rows[0]["presized"] == "true" { live_entries } else { 0 };
        let mut samples = vec![Samples::default(); rows.len()];
        for run in 0..(200_000 / u64::from(live_entries)).clamp(2, 200) {
            let mut heap = heap_for(rows[0], program << 32 | run);
            let mut map = make(&mut heap, map_type(&rows[0]["map_type"]), hint.into());
            map.insert_all(&mut heap, 0..live_entries);
            let base = counters(&heap);
            let mut step = 0;
            for (row, samples) in rows.iter().zip(&mut samples) {
                while step < integer(row, "churn_steps") {
                    map.delete(&mut heap, step);
                    map.insert(&mut heap, live_entries + step, &[], &[]);
                    step += 1;
                }
                samples.0.push(metric(kind, &row["metric"], &heap, base, &map));
            }
        }
        rows.iter().zip(&samples).for_each(|(row, samples)| comparison.compare(row, samples));
    }
    comparison.finish(expected_rows);
}

/// What one case of `map_misc.csv` costs: bytes, and mallocs where the file has them.
fn misc_case(row: &Row, run: u64) -> (f64, Option<f64>) {
    let mut heap = heap_for(row, run);
    let case = row["case"].as_str();
    let int_int = map_type("map[int]int");
    if let Some(rest) = case.strip_prefix("live_heap_") {
        let (name, entries) = rest.split_once("_grown_n").unwrap();
        let mut map = make(&mut heap, map_type(name), 0);
        map.insert_all(&mut heap, 0..entries.parse().unwrap());
        return (heap.live_bytes() as f64, None);
    }
    let mut base = (0, 0);
    if let Some((loops, rest)) = case.split_once("_range_") {
        let (name, entries) = rest.split_once("_n").unwrap();
        let mut map = make(&mut heap, map_type(name), 0);
        map.insert_all(&mut heap, 0..entries.parse().unwrap());
        if loops == "second" {
            map.range(&mut heap, |_, _| ());
        }
        base = counters(&heap);
        map.range(&mut heap, |_, _| ());
    } else {
        let (map, entries) = match case {
            "make_const_hint_8_escaping" => (make(&mut heap, int_int, 8), 0),
            "make_noescape_8_inserts" => (Map::make_on_stack(&mut heap, int_int, 0), 8),
            "make_noescape_9_inserts" => (Map::make_on_stack(&mut heap, int_int, 0), 9),
            "literal_3_entries_escaping" => (make(&mut heap, int_int, 3), 3),
            "fill_8_then_update_existing" => (make(&mut heap, int_int, 0), 8),
            other => panic!("unknown case {other}"),
        };
        let mut map = map;
        map.insert_all(&mut heap, 0..entries);
        if case == "fill_8_then_update_existing" {
            map.insert(&mut heap, 0, &[], &[]);
        }
    }
    let (bytes, mallocs) = counters(&heap);
    ((bytes - base.0) as f64, Some((mallocs - base.1) as f64))
}

/// Small maps, maps in stack frames, range loops, live bytes around growth.
pub fn compare_small_cases(kind: Kind, expected_rows: usize) {
    let rows = rows_of(kind, "map_misc.csv");
    let mut comparison = Comparison::default();
    for (row, program) in rows.iter().zip(1u64..) {
        let entries: u32 = row["case"].rsplit_once("_n").map_or(0, |(_, count)| count.parse().unwrap_or(0));
        let runs = if entries > 500_000 { 3 } else { 10 };
        let (mut bytes, mut mallocs) = (Samples::default(), Samples::default());
        for run in 0..runs {
            let (run_bytes, run_mallocs) = misc_case(row, program << 32 | run);
            bytes.0.push(run_bytes);
            mallocs.0.extend(run_mallocs);
        }
        comparison.rows += 1;
        let error = |samples: &Samples| {
            let runs = samples.0.len() as f64;
            student_quantile(USUAL_STANDARD_ERRORS, runs - 1.0) * samples.standard_deviation() / runs.sqrt()
        };
        comparison.compare_range(row, bytes.mean(), error(&bytes), ("bytes_min", "bytes_max"));
        if !mallocs.0.is_empty() {
            comparison.compare_range(row, mallocs.mean(), error(&mallocs), ("mallocs_min", "mallocs_max"));
        }
    }
    comparison.finish(expected_rows);
}
