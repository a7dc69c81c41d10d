//! What the programs printed: tables of rows, as they stand in files.
//!
//! A program prints lines `go1.23.9,TABLE,...`; the fields after the table's name are its [columns](TABLES). On disk a
//! table is a CSV file whose lines begin with Go release, processor and date. Rows may repeat, when something was measured
//! twice: a question to the table is answered with the smallest value, because disturbances only ever add, unless it asks for
//! all [`values`](Rows::values).

use std::fmt::Write;

use indexmap::IndexMap;

/// Every table: its name in the programs' output, its file, its columns.
pub const TABLES: [(&str, &str, &[&str]); 11] = [
    ("thermometer", "thermometer.csv", &["what", "min_ns", "first_quartile_ns", "median_ns"]),
    ("pages", "pages.csv", &["what", "piece_bytes", "min_ns", "first_quartile_ns", "median_ns"]),
    ("malloc", "malloc.csv", &["kind", "situation", "object_bytes", "min_ns", "first_quartile_ns"]),
    (
        "map",
        "maps.csv",
        &["values", "key_order", "operation", "entries", "min_ns", "first_quartile_ns", "median_ns"],
    ),
    ("keys", "keys.csv", &["what", "size", "min_ns", "first_quartile_ns", "median_ns"]),
    (
        "mark",
        "mark.csv",
        &[
            "procs",
            "shape",
            "object_bytes",
            "heap_mib",
            "objects",
            "heap_objects",
            "wall_ms",
            "mark_ms",
            "sweep_ms",
            "mark_cpu_ms",
            "pauses_us",
            "scan_kib",
            "mark_ns_per_object",
            "cpu_ns_per_object",
            "sweep_ns_per_page",
        ],
    ),
    ("sweep", "sweep.csv", &["object_bytes", "pattern", "min_ns", "first_quartile_ns", "median_ns", "spans"]),
    ("runtime", "runtime.csv", &["procs", "what", "min_ns", "first_quartile_ns", "median_ns"]),
    (
        "duringmark",
        "during-mark.csv",
        &["operation", "collector", "first_quartile_ns", "median_ns", "mean_ns"],
    ),
    ("beside", "beside-mutator.csv", &["what", "min_ns", "first_quartile_ns", "median_ns"]),
    ("sync", "sync.csv", &["procs", "what", "size", "min_ns", "first_quartile_ns", "median_ns"]),
];

/// The rows of one Go release.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    tables: IndexMap<&'static str, Vec<Vec<String>>>,
}

/// A row that was asked for and is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRow(pub String);

/// A question: columns and what stands in them.
pub type Where<'w> = &'w [(&'w str, &'w str)];

impl Rows {
    /// Adds what a program printed.
    ///
    /// # Errors
    /// The first line that belongs to no table.
    pub fn add_output(&mut self, stdout: &str) -> Result<(), String> {
        for line in stdout.lines() {
            let fields: Vec<&str> = line.split(',').collect();
            let table = fields.get(1).and_then(|name| TABLES.iter().find(|(known, ..)| known == name));
            match table {
                Some((name, _, columns)) if fields.len() == columns.len() + 2 => self.add(name, &fields[2..]),
                _ => return Err(format!("a line belongs to no table: {line:?}")),
            }
        }
        Ok(())
    }

    /// Adds one row without provenance.
    pub fn add(&mut self, table: &'static str, fields: &[&str]) {
        self.tables.entry(table).or_default().push(fields.iter().map(|field| (*field).to_owned()).collect());
    }

    /// Adds the rows of `other`.
    pub fn extend(&mut self, other: Rows) {
        for (table, rows) in other.tables {
            self.tables.entry(table).or_default().extend(rows);
        }
    }

    /// The smallest value in `column` of the matching rows.
    ///
    /// # Errors
    /// [`NoRow`].
    pub fn min(&self, table: &str, filter: Where<'_>, column: &str) -> Result<f64, NoRow> {
        let values = self.matching(table, filter).map(|row| number(row, table, column));
        let smallest = values.fold(f64::INFINITY, f64::min);
        if smallest.is_finite() { Ok(smallest) } else { Err(NoRow(described(table, filter))) }
    }

    /// The values in `column` of all matching rows, in their order.
    ///
    /// # Errors
    /// [`NoRow`] when there is none.
    pub fn values(&self, table: &str, filter: Where<'_>, column: &str) -> Result<Vec<f64>, NoRow> {
        let values: Vec<f64> = self.matching(table, filter).map(|row| number(row, table, column)).collect();
        if values.is_empty() { Err(NoRow(described(table, filter))) } else { Ok(values) }
    }

    /// Every key of `by` in the matching rows, ascending, with the smallest value in `column` at each.
    ///
    /// # Errors
    /// [`NoRow`] when there is none.
    pub fn series(
        &self,
        table: &str,
        filter: Where<'_>,
        by: &str,
        column: &str,
    ) -> Result<Vec<(f64, f64)>, NoRow> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for row in self.matching(table, filter) {
            let (key, value) = (number(row, table, by), number(row, table, column));
            match points.iter_mut().find(|(known, _)| *known == key) {
                Some(point) => point.1 = point.1.min(value),
                None => points.push((key, value)),
            }
        }
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        if points.is_empty() { Err(NoRow(described(table, filter))) } else { Ok(points) }
    }

    fn matching<'r>(&'r self, table: &'r str, filter: Where<'r>) -> impl Iterator<Item = &'r Vec<String>> {
        let matches = move |row: &&Vec<String>| {
            filter.iter().all(|(name, wanted)| row[column_index(table, name)] == *wanted)
        };
        self.tables.get(table).into_iter().flatten().filter(matches)
    }

    /// The tables as files: names and contents, with three columns of provenance in front.
    pub fn files(&self, provenance: [&str; 3]) -> Vec<(&'static str, String)> {
        let mut files = Vec::new();
        for (name, file, columns) in TABLES {
            let Some(rows) = self.tables.get(name) else { continue };
            let mut text = format!("go_version,cpu,date,{}\n", columns.join(","));
            for row in rows {
                let _ = writeln!(text, "{},{}", provenance.join(","), row.join(","));
            }
            files.push((file, text));
        }
        files
    }
}

fn column_index(table: &str, column: &str) -> usize {
    let (.., columns) = TABLES.iter().find(|(name, ..)| *name == table).expect("a known table");
    columns.iter().position(|name| *name == column).expect("a known column")
}

/// Not a number is larger than everything, so that a broken line is never the smallest.
fn number(row: &[String], table: &str, column: &str) -> f64 {
    row[column_index(table, column)].parse().unwrap_or(f64::INFINITY)
}

/// `malloc row with kind noscan, situation fresh`.
fn described(table: &str, filter: Where<'_>) -> String {
    let wanted: Vec<String> = filter.iter().map(|(name, value)| format!("{name} {value}")).collect();
    format!("{table} row with {}", wanted.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn repeated_rows_are_answered_with_the_smallest() {
        let mut rows = Rows::default();
        rows.add_output(
            "go1.23.9,malloc,noscan,fresh,16,12.0,13.0\ngo1.23.9,malloc,noscan,fresh,16,11.0,14.0\n",
        )
        .unwrap();
        rows.add_output("go1.23.9,malloc,noscan,fresh,8,9.0,9.5\n").unwrap();
        let filter = [("situation", "fresh")];
        assert_eq!(
            rows.series("malloc", &filter, "object_bytes", "min_ns").unwrap(),
            [(8.0, 9.0), (16.0, 11.0)]
        );
        assert_eq!(rows.min("malloc", &[("object_bytes", "16")], "first_quartile_ns"), Ok(13.0));
        let missing = rows.min("malloc", &[("kind", "scan")], "min_ns").unwrap_err();
        assert_eq!(missing.0, "malloc row with kind scan");
    }

    #[test]
    fn lines_that_are_no_rows_are_refused() {
        let mut rows = Rows::default();
        for wrong in ["panic: no", "go1.23.9,malloc,noscan", "go1.23.9,dance,1"] {
            assert!(rows.add_output(wrong).unwrap_err().contains("no table"), "{wrong}");
        }
    }
}
