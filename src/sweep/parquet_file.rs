//! The table as Parquet: the columns of [`Row`], in groups of rows, compressed with Snappy, with the manifest as metadata.
//!
//! Every column may be empty. The same rows give the same bytes: groups end after a fixed number of rows.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::Type;

use super::SweepError;
use super::manifest::Manifest;
use super::part::PendingFile;
use super::row::{COLUMNS, Column, Row};
use super::set::{Set, whole_number};

/// Rows of a group: some megabytes of memory while it is written.
const GROUP_ROWS: usize = 8192;

/// A Parquet file that is being written.
pub(super) struct ParquetFile {
    writer: SerializedFileWriter<File>,
    pending: PendingFile,
    path: PathBuf,
    sets: Vec<Set>,
    group: Vec<Row>,
}

impl ParquetFile {
    /// Begins a file beside its final place.
    pub fn create(path: &Path, manifest: &Manifest) -> Result<ParquetFile, SweepError> {
        let mut pending = PendingFile::create(path)?;
        let metadata = KeyValue::new("gclab.manifest".to_owned(), manifest.to_line());
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_key_value_metadata(Some(vec![metadata]))
            .build();
        let file = pending.as_file().try_clone().map_err(SweepError::write(path))?;
        let writer = SerializedFileWriter::new(file, Arc::new(schema(&manifest.set)), Arc::new(properties))
            .map_err(failed(path))?;
        let (path, sets) = (path.to_owned(), manifest.set.clone());
        Ok(ParquetFile { writer, pending, path, sets, group: Vec::new() })
    }

    /// Adds a row.
    pub fn push(&mut self, row: Row) -> Result<(), SweepError> {
        self.group.push(row);
        if self.group.len() == GROUP_ROWS { self.write_group() } else { Ok(()) }
    }

    fn write_group(&mut self) -> Result<(), SweepError> {
        let rows = std::mem::take(&mut self.group);
        write_group(&mut self.writer, &rows, &self.sets).map_err(failed(&self.path))
    }

    /// Writes what is left and gives the file its name.
    pub fn finish(mut self) -> Result<(), SweepError> {
        if !self.group.is_empty() {
            self.write_group()?;
        }
        self.writer.close().map_err(failed(&self.path))?;
        self.pending.finish()
    }
}

fn failed(path: &Path) -> impl FnOnce(ParquetError) -> SweepError {
    let path = path.to_owned();
    move |error| SweepError::File { verb: "write", path, error: std::io::Error::other(error) }
}

fn schema(sets: &[Set]) -> Type {
    let field = |name: &str, physical: Physical| {
        let text = (physical == Physical::BYTE_ARRAY).then_some(LogicalType::String);
        let builder = Type::primitive_type_builder(name, physical).with_logical_type(text);
        Arc::new(builder.with_repetition(Repetition::OPTIONAL).build().expect("a plain column"))
    };
    let plain = COLUMNS.iter().map(|(name, column)| match column {
        Column::Whole(_) => field(name, Physical::INT64),
        Column::Real(_) => field(name, Physical::DOUBLE),
        Column::Text(_) => field(name, Physical::BYTE_ARRAY),
    });
    let set = sets
        .iter()
        .map(|set| field(&set.key, if set.is_whole() { Physical::INT64 } else { Physical::BYTE_ARRAY }));
    let fields = plain.chain(set).collect();
    Type::group_type_builder("run").with_fields(fields).build().expect("plain columns")
}

fn write_group(
    writer: &mut SerializedFileWriter<File>,
    rows: &[Row],
    sets: &[Set],
) -> Result<(), ParquetError> {
    let mut group = writer.next_row_group()?;
    for (name, column) in &COLUMNS {
        let mut place = group.next_column()?.expect("the schema has every column");
        match (place.untyped(), column) {
            (ColumnWriter::Int64ColumnWriter(writer), Column::Whole(value)) => {
                let (values, levels) = present(rows, |row| value(row).map(|number| number as i64));
                writer.write_batch(&values, Some(&levels), None)?;
            }
            (ColumnWriter::DoubleColumnWriter(writer), Column::Real(value)) => {
                let (values, levels) = present(rows, value);
                writer.write_batch(&values, Some(&levels), None)?;
            }
            (ColumnWriter::ByteArrayColumnWriter(writer), Column::Text(value)) => {
                let (values, levels) = present(rows, |row| value(row).map(ByteArray::from));
                writer.write_batch(&values, Some(&levels), None)?;
            }
            _ => panic!("column {name} is not stored as the schema says"),
        }
        place.close()?;
    }
    for (number, set) in sets.iter().enumerate() {
        let mut place = group.next_column()?.expect("the schema has every column");
        let text = |row: &'_ Row| row.set.get(number).cloned();
        match place.untyped() {
            ColumnWriter::Int64ColumnWriter(writer) => {
                let whole =
                    |row: &Row| text(row).and_then(|text| whole_number(&text)).map(|number| number as i64);
                let (values, levels) = present(rows, whole);
                writer.write_batch(&values, Some(&levels), None)?;
            }
            ColumnWriter::ByteArrayColumnWriter(writer) => {
                let (values, levels) =
                    present(rows, |row| text(row).map(|text| ByteArray::from(text.as_str())));
                writer.write_batch(&values, Some(&levels), None)?;
            }
            _ => panic!("column {} is not stored as the schema says", set.key),
        }
        place.close()?;
    }
    group.close().map(drop)
}

/// The values that are there, and for each row 1 if it has one, else 0.
fn present<'r, T>(rows: &'r [Row], value: impl Fn(&'r Row) -> Option<T>) -> (Vec<T>, Vec<i16>) {
    let all: Vec<Option<T>> = rows.iter().map(value).collect();
    let levels = all.iter().map(|value| i16::from(value.is_some())).collect();
    (all.into_iter().flatten().collect(), levels)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Scenario;
    use crate::sweep::manifest::tests::manifest;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    #[test]
    fn what_was_written_can_be_read_and_what_is_missing_is_null() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.parquet");
        let text =
            "title='t'\nquestion='q'\nanswer='a'\nsteps=['gc']\n[go]\ngogc='off'\nmemory_limit='64MiB'\n";
        let scenario = Scenario::parse("x.toml", text).unwrap();
        let manifest = manifest(50, 3);
        let mut file = ParquetFile::create(&path, &manifest).unwrap();
        let rows = GROUP_ROWS as u64 + 5;
        for run in 0..rows {
            let mut row = Row::new(run, 0, "x", &scenario.settings(), Err("broken".to_owned()));
            row.gc_cpu_fraction = (run % 2 == 0).then_some(run as f64 / 3.0);
            file.push(row).unwrap();
        }
        file.finish().unwrap();

        let reader = SerializedFileReader::new(File::open(&path).unwrap()).unwrap();
        assert_eq!(reader.num_row_groups(), 2);
        let metadata = reader.metadata().file_metadata().key_value_metadata().unwrap();
        assert_eq!(metadata[0].value.as_deref(), Some(manifest.to_line().as_str()));
        for (run, record) in reader.get_row_iter(None).unwrap().enumerate() {
            let record = record.unwrap();
            let fields: Vec<(&String, &Field)> = record.get_column_iter().collect();
            assert_eq!(fields.len(), COLUMNS.len());
            let field = |name: &str| fields.iter().find(|(known, _)| *known == name).unwrap().1.clone();
            assert_eq!(field("run"), Field::Long(run as i64));
            assert_eq!(field("gogc_percent"), Field::Null);
            assert_eq!(field("memory_limit_bytes"), Field::Long(64 << 20));
            assert_eq!(field("outcome"), Field::Str("panic".to_owned()));
            let share = if run % 2 == 0 { Field::Double(run as f64 / 3.0) } else { Field::Null };
            assert_eq!(field("gc_cpu_fraction"), share);
        }
    }
}
