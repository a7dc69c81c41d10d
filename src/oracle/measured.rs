//! What a real run wrote: one JSON object with its snapshots and totals, and samples over time as CSV.
//!
//! Both have the simulator's own names (`gclab run --json`, `NAME.csv`), so that a number is called the same wherever it
//! comes from. Fields that are not needed may be missing or be more; a file that ends too early is an error.

use serde::{Deserialize, Serialize};

use crate::trace::{MemStats, StepMark, Summary};

/// One real run in numbers.
#[derive(Clone, Debug, Deserialize)]
pub struct Measured {
    /// The labelled rows, in order.
    pub snapshots: Vec<MeasuredSnapshot>,
    /// When each top-level step began.
    #[serde(default)]
    pub steps: Vec<StepMark>,
    /// Totals; what real Go cannot say is zero.
    pub summary: Summary,
}

/// A labelled row of a real run.
#[derive(Clone, Debug, Deserialize)]
pub struct MeasuredSnapshot {
    /// Its name.
    pub label: String,
    /// Since the start of the program, in nanoseconds.
    pub t_ns: u64,
    /// Resident bytes.
    pub rss_bytes: u64,
    /// What `runtime.ReadMemStats` said.
    pub mem_stats: MemStats,
}

/// The state of memory at one moment, real or simulated. Sizes in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Moment {
    /// Since the start, in nanoseconds.
    pub t_ns: u64,
    /// HeapAlloc; `None` where only the kernel was asked.
    pub heap_alloc_bytes: Option<u64>,
    /// Resident bytes.
    pub rss_bytes: u64,
}

#[derive(Deserialize)]
struct Document {
    runs: Vec<Measured>,
}

/// The one run of a JSON object.
///
/// # Errors
/// What is wrong with the text.
pub fn from_json(text: &str) -> Result<Measured, String> {
    let document: Document = serde_json::from_str(text).map_err(|error| error.to_string())?;
    let [run] = <[Measured; 1]>::try_from(document.runs)
        .map_err(|runs| format!("{} runs where one is expected", runs.len()))?;
    Ok(run)
}

/// The samples of a CSV file, in order of time.
///
/// # Errors
/// What is wrong with the text, and in which line.
pub fn from_csv(text: &str) -> Result<Vec<Moment>, String> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().map_err(|error| error.to_string())?.clone();
    let place = |name: &str| {
        let found = header.iter().position(|column| column == name);
        found.ok_or_else(|| format!("there is no column {name}"))
    };
    let (time, heap, rss) = (place("t_ns")?, place("heap_alloc_bytes")?, place("rss_bytes")?);
    let mut moments: Vec<Moment> = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| error.to_string())?;
        let line = record.position().map_or(0, csv::Position::line);
        let number = |column: usize| {
            let text = &record[column];
            text.parse::<u64>().map_err(|_| format!("line {line}: {text:?} is not a number"))
        };
        let moment =
            Moment { t_ns: number(time)?, heap_alloc_bytes: Some(number(heap)?), rss_bytes: number(rss)? };
        if moments.last().is_some_and(|last| last.t_ns > moment.t_ns) {
            return Err(format!("line {line}: time goes back"));
        }
        moments.push(moment);
    }
    Ok(moments)
}

#[cfg(test)]
mod tests {
    use super::*;

    const JSON: &str = r#"{"runs":[{"name":"tiny","config":{"go":"go1.23.9"},"snapshots":[
        {"label":"start","t_ns":5,"rss_bytes":2097152,"mem_stats":{"HeapAlloc":7,"NextGC":4194304,"GCCPUFraction":0.5,
        "BySize":[{"Size":8}]}}],"steps":[{"t_ns":0,"label":"make m"}],"summary":{"duration_ns":9,"num_gc":2}}]}"#;

    #[test]
    fn gos_names_are_read_and_what_is_more_is_passed_over() {
        let run = from_json(JSON).unwrap();
        assert_eq!(run.snapshots[0].mem_stats.heap_alloc, 7);
        assert_eq!(run.snapshots[0].mem_stats.next_gc, 4 << 20);
        assert_eq!((run.steps.len(), run.summary.num_gc, run.summary.peak_rss_bytes), (1, 2, 0));
    }

    #[test]
    fn torn_output_is_an_error() {
        assert!(from_json(&JSON[..JSON.len() / 2]).unwrap_err().contains("EOF"));
        assert!(from_json("{\"runs\":[]}").unwrap_err().contains("0 runs"));
        assert!(from_csv("t_ns,rss_bytes\n1,2\n").unwrap_err().contains("heap_alloc_bytes"));
        let torn = from_csv("t_ns,heap_alloc_bytes,rss_bytes\n1,2,3\n4,5\n").unwrap_err();
        assert!(torn.contains("line"), "{torn}");
        let word = from_csv("t_ns,heap_alloc_bytes,rss_bytes\n1,x,3\n").unwrap_err();
        assert!(word.contains("line 2") && word.contains("\"x\""), "{word}");
        assert!(from_csv("t_ns,heap_alloc_bytes,rss_bytes\n2,1,1\n1,1,1\n").unwrap_err().contains("back"));
    }

    #[test]
    fn samples_are_found_by_the_names_of_their_columns() {
        let moments = from_csv("t_ns,rss_bytes,more,heap_alloc_bytes\n1,20,x,300\n").unwrap();
        assert_eq!(moments, [Moment { t_ns: 1, heap_alloc_bytes: Some(300), rss_bytes: 20 }]);
    }
}
