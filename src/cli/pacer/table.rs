//! The CSV form of an idealised program: one GC cycle a row, inputs first, what the pacer made of them after.

use std::fmt;
use std::io::{self, Write};
use std::str::FromStr;

use crate::pacer::goal::MAX_MEMORY_LIMIT_BYTES;
use crate::pacer::ideal::{IdealCycle, IdealError, IdealOutcome};

/// The columns that are read, in the order in which they are printed.
pub const INPUT_COLUMNS: [&str; 10] = [
    "cycle",
    "gc_percent",
    "memory_limit_bytes",
    "globals_bytes",
    "procs",
    "alloc_rate_kib_per_cpu_ms",
    "scan_rate_kib_per_cpu_ms",
    "growth_rate",
    "scannable_frac",
    "stack_bytes",
];

/// The columns that are computed, in the order in which they are printed.
pub const OUTPUT_COLUMNS: [&str; 6] =
    ["heap_marked_bytes", "trigger_bytes", "goal_bytes", "peak_bytes", "gc_duration_ns", "gc_utilization"];

/// Mistakes that are spelled out; of more, only the number is given.
const MISTAKES_SHOWN: usize = 20;

/// The largest number of bytes or KiB per millisecond that makes sense anywhere: 2^50.
const LARGE: u64 = 1 << 50;

/// One row of the file.
#[derive(Clone, Debug)]
pub struct Row {
    /// Line of the file, from 1.
    pub line: u64,
    /// The inputs as they were written, in the order of [`INPUT_COLUMNS`].
    pub texts: [String; INPUT_COLUMNS.len()],
    /// The inputs as numbers.
    pub cycle: IdealCycle,
}

/// Something in the file that cannot be accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Line of the file, from 1.
    pub line: u64,
    /// Number, from 1, and name of the column; `None` when the whole line is meant.
    pub column: Option<(usize, String)>,
    /// What is wrong, and what would be accepted.
    pub what: String,
}

impl Mistake {
    /// A cycle that cannot be run.
    pub(super) fn cycle(line: u64, error: &IdealError) -> Mistake {
        Mistake { line, column: None, what: error.to_string() }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, ", self.line)?;
        if let Some((number, name)) = &self.column {
            write!(f, "column {number} ({name}): ")?;
        }
        f.write_str(&self.what)
    }
}

/// The message for a file with mistakes: one line each.
pub(super) fn describe(file: &str, mistakes: &[Mistake]) -> String {
    let mut lines: Vec<String> =
        mistakes.iter().take(MISTAKES_SHOWN).map(|mistake| format!("{file}: {mistake}")).collect();
    if mistakes.len() > MISTAKES_SHOWN {
        lines.push(format!("{file}: and {} more mistakes", mistakes.len() - MISTAKES_SHOWN));
    }
    lines.join("\n")
}

/// Reads every row, or finds every mistake.
pub(super) fn read(text: &[u8]) -> Result<Vec<Row>, Vec<Mistake>> {
    let mut reader =
        csv::ReaderBuilder::new().has_headers(false).flexible(true).trim(csv::Trim::All).from_reader(text);
    let mut records = reader.records().map(|record| record.map_err(|error| not_csv(&error)));
    let header = match records.next() {
        Some(header) => Header::new(&header.map_err(|mistake| vec![mistake])?)?,
        None => return Err(missing_columns(&INPUT_COLUMNS)),
    };
    let (mut rows, mut mistakes) = (Vec::new(), Vec::new());
    for record in records {
        match record.map_err(|mistake| vec![mistake]).and_then(|record| header.row(&record)) {
            Ok(row) => rows.push(row),
            Err(found) => mistakes.extend(found),
        }
    }
    if mistakes.is_empty() { Ok(rows) } else { Err(mistakes) }
}

fn not_csv(error: &csv::Error) -> Mistake {
    let line = error.position().map_or(1, csv::Position::line);
    Mistake { line, column: None, what: format!("{error}; accepted: comma-separated values in UTF-8") }
}

fn missing_columns(names: &[&str]) -> Vec<Mistake> {
    let what = format!(
        "there is no column {}; accepted: a header line with the columns {}",
        names.join(", "),
        INPUT_COLUMNS.join(",")
    );
    vec![Mistake { line: 1, column: None, what }]
}

/// Where the input columns stand in this file.
struct Header {
    width: usize,
    positions: [usize; INPUT_COLUMNS.len()],
}

impl Header {
    fn new(record: &csv::StringRecord) -> Result<Header, Vec<Mistake>> {
        let names: Vec<&str> = record.iter().collect();
        let missing: Vec<&str> = INPUT_COLUMNS.into_iter().filter(|column| !names.contains(column)).collect();
        if !missing.is_empty() {
            return Err(missing_columns(&missing));
        }
        for (i, name) in names.iter().enumerate() {
            if INPUT_COLUMNS.contains(name) && names[..i].contains(name) {
                let what = "there is a column of this name already; accepted: each input column once".into();
                return Err(vec![Mistake { line: 1, column: Some((i + 1, (*name).into())), what }]);
            }
        }
        let positions = INPUT_COLUMNS
            .map(|column| names.iter().position(|name| *name == column).expect("none is missing"));
        Ok(Header { width: names.len(), positions })
    }

    fn row(&self, record: &csv::StringRecord) -> Result<Row, Vec<Mistake>> {
        let line = record.position().map_or(1, csv::Position::line);
        if record.len() != self.width {
            let what = format!(
                "there are {} values; accepted: {}, as many as the header has names",
                record.len(),
                self.width
            );
            return Err(vec![Mistake { line, column: None, what }]);
        }
        let texts = self.positions.map(|position| record[position].to_owned());
        let mut cells = Cells { header: self, line, texts: &texts, mistakes: Vec::new() };
        cells.whole("cycle", 1, u64::from(u32::MAX));
        let gc_percent = cells.gc_percent();
        let cycle = IdealCycle {
            gc_percent,
            memory_limit_bytes: cells.whole("memory_limit_bytes", 0, MAX_MEMORY_LIMIT_BYTES),
            globals_bytes: cells.whole("globals_bytes", 0, LARGE),
            procs: cells.whole("procs", 1, 65_536) as u32,
            alloc_rate_kib_per_cpu_ms: cells.real("alloc_rate_kib_per_cpu_ms", Zero::Accepted, LARGE as f64),
            scan_rate_kib_per_cpu_ms: cells.real("scan_rate_kib_per_cpu_ms", Zero::Refused, LARGE as f64),
            growth_rate: cells.real("growth_rate", Zero::Accepted, LARGE as f64),
            scannable_frac: cells.real("scannable_frac", Zero::Accepted, 1.0),
            stack_bytes: cells.whole("stack_bytes", 0, LARGE),
        };
        if cells.mistakes.is_empty() { Ok(Row { line, cycle, texts }) } else { Err(cells.mistakes) }
    }
}

/// Whether a number may be zero.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zero {
    Accepted,
    Refused,
}

/// The values of one row, as they are turned into numbers. A value that cannot be is noted and read as something
/// harmless.
struct Cells<'a> {
    header: &'a Header,
    line: u64,
    texts: &'a [String; INPUT_COLUMNS.len()],
    mistakes: Vec<Mistake>,
}

impl Cells<'_> {
    fn whole(&mut self, column: &str, low: u64, high: u64) -> u64 {
        let accepted = format!("a whole number from {low} to {high}");
        self.number(column, &accepted, low, |value| (low..=high).contains(value))
    }

    fn real(&mut self, column: &str, zero: Zero, high: f64) -> f64 {
        let bound = match zero {
            Zero::Accepted => "from 0 to",
            Zero::Refused => "above 0 and up to",
        };
        let accepted = format!("a number {bound} {high}");
        let refuse_zero = zero == Zero::Refused;
        self.number(column, &accepted, high, |value| {
            (0.0..=high).contains(value) && !(refuse_zero && *value == 0.0)
        })
    }

    fn gc_percent(&mut self) -> Option<u32> {
        let high = i32::MAX;
        let accepted = format!("a whole number from 0 to {high} (GOGC in percent), or -1 (off)");
        u32::try_from(self.number("gc_percent", &accepted, -1, |value| (-1..=high).contains(value))).ok()
    }

    fn number<T: FromStr>(
        &mut self,
        column: &str,
        accepted: &str,
        otherwise: T,
        is_accepted: impl Fn(&T) -> bool,
    ) -> T {
        let index = INPUT_COLUMNS.iter().position(|name| *name == column).expect("an input column");
        let text = &self.texts[index];
        if let Some(value) = text.parse().ok().filter(is_accepted) {
            return value;
        }
        self.mistakes.push(Mistake {
            line: self.line,
            column: Some((self.header.positions[index] + 1, column.to_owned())),
            what: format!("{text:?} is not accepted; accepted: {accepted}"),
        });
        otherwise
    }
}

/// Writes the rows with what the pacer made of them. Inputs come out as they were written.
pub(super) fn write(rows: &[Row], outcomes: &[IdealOutcome], output: impl Write) -> io::Result<()> {
    let mut writer = csv::Writer::from_writer(output);
    writer.write_record(INPUT_COLUMNS.iter().chain(&OUTPUT_COLUMNS)).map_err(io::Error::from)?;
    for (row, outcome) in rows.iter().zip(outcomes) {
        let outputs = [
            outcome.heap_marked_bytes.to_string(),
            outcome.trigger_bytes.to_string(),
            outcome.goal_bytes.to_string(),
            outcome.peak_bytes.to_string(),
            outcome.gc_duration_ns.to_string(),
            ten_digits(outcome.gc_utilization),
        ];
        writer.write_record(row.texts.iter().chain(&outputs)).map_err(io::Error::from)?;
    }
    writer.flush()
}

/// A share of 0.1 to 10, or not a number, with ten significant digits and no trailing zeroes: `0.4006745607`, `0.25`.
fn ten_digits(share: f64) -> String {
    if share.is_nan() {
        return "NaN".to_owned();
    }
    let decimals = if share.abs() < 1.0 - 5e-11 { 10 } else { 9 };
    let text = format!("{share:.decimals$}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "1,100,9223372036854775807,32768,8,33,1024,2,1,8192";

    fn file(rows: &[&str]) -> String {
        format!("{}\n{}\n", INPUT_COLUMNS.join(","), rows.join("\n"))
    }

    fn mistakes(text: &str) -> Vec<String> {
        read(text.as_bytes()).unwrap_err().iter().map(Mistake::to_string).collect()
    }

    #[test]
    fn columns_are_found_by_name_and_others_ignored() {
        let text = "\u{feff}note,stack_bytes,scannable_frac,growth_rate,scan_rate_kib_per_cpu_ms,\
                    alloc_rate_kib_per_cpu_ms,procs,globals_bytes,memory_limit_bytes,gc_percent,cycle\r\n\
                    hello, 8192 ,0.5,2,1024,33.5,8,32768,1000,-1,1\r\n";
        let rows = read(text.as_bytes()).unwrap();
        assert_eq!(rows.len(), 1);
        let cycle = &rows[0].cycle;
        assert_eq!((cycle.gc_percent, cycle.memory_limit_bytes, cycle.stack_bytes), (None, 1000, 8192));
        assert_eq!((cycle.alloc_rate_kib_per_cpu_ms, cycle.scannable_frac), (33.5, 0.5));
        assert_eq!(rows[0].texts[0], "1");
    }

    #[test]
    fn every_bad_value_is_named_with_its_place_and_what_is_accepted() {
        let bad = "2,-2,-1,32768,0,33,0,nan,1.5,8k";
        assert_eq!(
            mistakes(&file(&[ROW, bad])),
            [
                "line 3, column 2 (gc_percent): \"-2\" is not accepted; accepted: a whole number from 0 to 2147483647 (GOGC in percent), or -1 (off)",
                "line 3, column 3 (memory_limit_bytes): \"-1\" is not accepted; accepted: a whole number from 0 to 9223372036854775807",
                "line 3, column 5 (procs): \"0\" is not accepted; accepted: a whole number from 1 to 65536",
                "line 3, column 7 (scan_rate_kib_per_cpu_ms): \"0\" is not accepted; accepted: a number above 0 and up to 1125899906842624",
                "line 3, column 8 (growth_rate): \"nan\" is not accepted; accepted: a number from 0 to 1125899906842624",
                "line 3, column 9 (scannable_frac): \"1.5\" is not accepted; accepted: a number from 0 to 1",
                "line 3, column 10 (stack_bytes): \"8k\" is not accepted; accepted: a whole number from 0 to 1125899906842624",
            ]
        );
    }

    #[test]
    fn files_of_another_form_are_refused() {
        assert!(mistakes("")[0].contains("line 1, there is no column cycle, gc_percent"));
        assert!(mistakes("cycle,procs\n1,2\n")[0].contains("there is no column gc_percent"));
        assert!(mistakes(&file(&[ROW, "2,100"]))[0].starts_with("line 3, there are 2 values; accepted: 10"));
        assert!(mistakes(&format!("procs,{}", file(&[ROW])))[0].contains("already"));
        let error = read(b"cycle,\xff\n").unwrap_err();
        assert!(error[0].what.contains("UTF-8"), "{error:?}");
    }

    #[test]
    fn shares_have_ten_digits() {
        for (share, text) in [
            (0.25, "0.25"),
            (0.400_674_560_71, "0.4006745607"),
            (0.250_000_121_0, "0.250000121"),
            (0.999_999_633_2, "0.9999996332"),
            (0.999_999_999_999, "1"),
            (1.0, "1"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(ten_digits(share), text);
        }
    }

    #[test]
    fn many_mistakes_are_counted() {
        let bad = "x,100,1000,32768,8,33,1024,2,1,8192";
        let found = read(file(&[bad; 25]).as_bytes()).unwrap_err();
        let text = describe("a.csv", &found);
        assert_eq!(text.lines().count(), 21);
        assert!(text.starts_with("a.csv: line 2, column 1 (cycle): \"x\" is not accepted"));
        assert!(text.ends_with("a.csv: and 5 more mistakes"));
    }
}
