//! Parts into one table: CSV, Parquet and the manifest.
//!
//! Run `i` is in part `i mod N`, and parts are sorted: reading them in turn gives the rows in order. Every row is checked on the
//! way; a table with a gap, a double or a foreign row is not written.

use std::path::{Path, PathBuf};

use super::SweepError;
use super::manifest::Manifest;
use super::parquet_file::ParquetFile;
use super::part::{PartReader, PendingFile};
use super::row::header;

/// What a merge has written.
#[derive(Clone, Debug, PartialEq)]
pub struct Merged {
    /// What was swept.
    pub manifest: Manifest,
    /// The table as CSV.
    pub csv: PathBuf,
    /// The table as Parquet.
    pub parquet: PathBuf,
    /// The manifest as JSON.
    pub json: PathBuf,
}

impl Merged {
    /// The files of a sweep in `folder`.
    pub fn at(folder: &Path, manifest: &Manifest) -> Merged {
        let file = |ending: &str| folder.join(format!("{}.sweep.{ending}", manifest.scenario));
        Merged { manifest: manifest.clone(), csv: file("csv"), parquet: file("parquet"), json: file("json") }
    }

    /// Whether these files are there and of this very sweep.
    pub fn is_complete(&self) -> bool {
        let text = std::fs::read_to_string(&self.json).unwrap_or_default();
        text == self.manifest.to_file() && self.csv.exists() && self.parquet.exists()
    }
}

/// Joins `parts` (at least one) into the table of their sweep, in `folder`.
///
/// # Errors
/// [`SweepError`]: parts of different sweeps or versions, a shard twice, a shard missing, rows that do not belong there. Then
/// nothing is written.
pub fn merge(parts: &[PathBuf], folder: &Path) -> Result<Merged, SweepError> {
    let mut readers = in_order(parts)?;
    let manifest = readers[0].head.manifest.clone();
    let merged = Merged::at(folder, &manifest);
    let mut csv = PendingFile::create(&merged.csv)?;
    let mut parquet = ParquetFile::create(&merged.parquet, &manifest)?;
    csv.write(header(&manifest.set).as_bytes())?;
    let shards = readers.len() as u64;
    for index in 0..manifest.runs {
        let reader = &mut readers[(index % shards) as usize];
        let row = match reader.next_row()? {
            Some((row, line)) if row.run == index => {
                csv.write(line)?;
                Some(row)
            }
            Some(_) => None,
            None => return Err(reader.wrong(&format!("it ends before run {index}"))),
        };
        match row {
            Some(row) => parquet.push(row)?,
            None => return Err(reader.wrong(&format!("another row is in the place of run {index}"))),
        }
    }
    for reader in &mut readers {
        if reader.next_row()?.is_some() {
            return Err(reader.wrong("it has more rows than its shard has runs"));
        }
    }
    // The manifest says that the others are complete: it comes last.
    csv.finish()?;
    parquet.finish()?;
    let mut json = PendingFile::create(&merged.json)?;
    json.write(manifest.to_file().as_bytes())?;
    json.finish()?;
    Ok(merged)
}

/// The parts by number, all of them, each once, of one sweep.
fn in_order(parts: &[PathBuf]) -> Result<Vec<PartReader>, SweepError> {
    let mut readers: Vec<PartReader> = Vec::new();
    for path in parts {
        let reader = PartReader::open(path)?;
        if let Some(first) = readers.first() {
            let count = || {
                let (one, other) = (first.head.shard.of(), reader.head.shard.of());
                (one != other).then(|| format!("one is of {one} shards, the other of {other}"))
            };
            if let Some(difference) = first.head.manifest.difference(&reader.head.manifest).or_else(count) {
                let (first, second) = (first.path().to_owned(), path.clone());
                return Err(SweepError::Mixed { first, second, difference });
            }
        }
        if let Some(same) = readers.iter().find(|other| other.head.shard == reader.head.shard) {
            let (first, second) = (same.path().to_owned(), path.clone());
            return Err(SweepError::Overlap { first, second, shard: reader.head.shard });
        }
        readers.push(reader);
    }
    readers.sort_by_key(|reader| reader.head.shard.number());
    let shards = readers.first().map_or(1, |reader| reader.head.shard.of());
    let is_there = |number: &u32| readers.iter().any(|reader| reader.head.shard.number() == *number);
    let list: Vec<u32> = (0..shards).filter(|number| !is_there(number)).collect();
    if list.is_empty() { Ok(readers) } else { Err(SweepError::Gap { shards, list }) }
}
