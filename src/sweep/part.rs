//! Files of rows: the journal of a shard that is being worked on, and the part that a complete one becomes.
//!
//! ```text
//! {"shard":{"number":3,"of":8},"manifest":{...}}     the head
//! run,scenario,...                                   names of the columns
//! 3,steady-gogc,...                                  a row a line: as they came (journal), in order (part)
//! ```
//!
//! A journal is written row by row, and a row that was cut off in the middle is cut away and run again. Only one process works
//! on a journal: the file is locked, and whoever comes second waits and then finds the work done. A part is written
//! beside its place and takes its name when it is complete.

use std::fmt;
use std::fs::{File, OpenOptions};
use std::io::{BufRead, BufReader, BufWriter, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use super::SweepError;
use super::manifest::Manifest;
use super::row::{Row, header};

/// Most shards of one sweep: a merge holds a file open for each.
pub const SHARDS_LIMIT: u32 = 512;

/// Every run whose index leaves the rest `number` when divided by `of`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shard {
    /// From 0.
    number: u32,
    /// 1 to [`SHARDS_LIMIT`].
    of: u32,
}

impl Shard {
    /// The shard that has every run.
    pub const WHOLE: Shard = Shard { number: 0, of: 1 };

    /// Which one, from 0.
    pub fn number(self) -> u32 {
        self.number
    }

    /// How many there are.
    pub fn of(self) -> u32 {
        self.of
    }

    /// How many of `runs` runs belong to it.
    pub fn len(self, runs: u64) -> u64 {
        runs.saturating_sub(u64::from(self.number)).div_ceil(u64::from(self.of))
    }

    /// The index of its run at `place`, from 0.
    pub fn run_at(self, place: u64) -> u64 {
        place * u64::from(self.of) + u64::from(self.number)
    }

    /// The place of run `index`; `None` if it belongs to another shard.
    fn place_of(self, index: u64) -> Option<u64> {
        (index % u64::from(self.of) == u64::from(self.number)).then_some(index / u64::from(self.of))
    }

    /// `NAME.3-of-8.part.csv` in `folder`.
    pub(super) fn part_path(self, folder: &Path, name: &str) -> PathBuf {
        folder.join(format!("{name}.{}-of-{}.part.csv", self.number, self.of))
    }

    pub(super) fn journal_path(self, folder: &Path, name: &str) -> PathBuf {
        folder.join(format!("{name}.{}-of-{}.journal.csv", self.number, self.of))
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number, self.of)
    }
}

impl FromStr for Shard {
    type Err = String;

    fn from_str(text: &str) -> Result<Shard, String> {
        let shard = text.split_once('/').and_then(|(number, of)| {
            Some(Shard { number: number.trim().parse().ok()?, of: of.trim().parse().ok()? })
        });
        shard.filter(|shard| (1..=SHARDS_LIMIT).contains(&shard.of) && shard.number < shard.of).ok_or_else(|| {
            format!(
                "{text:?} is not a shard; accepted: K/N with K from 0 to N-1 and N up to {SHARDS_LIMIT}, such as 0/4 and 3/4"
            )
        })
    }
}

/// The first line of a journal and of a part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Head {
    pub shard: Shard,
    pub manifest: Manifest,
}

impl Head {
    fn lines(&self) -> String {
        format!(
            "{}\n{}",
            serde_json::to_string(self).expect("numbers and texts are JSON"),
            header(&self.manifest.set)
        )
    }

    /// Reads both lines; `None` when they are not there in full.
    fn read(reader: &mut impl BufRead) -> std::io::Result<Option<Head>> {
        let mut line = String::new();
        // A line of another kind of file may have any length.
        let mut limited = reader.take(HEAD_LIMIT_BYTES);
        limited.read_line(&mut line)?;
        let Ok(head) = serde_json::from_str::<Head>(&line) else { return Ok(None) };
        line.clear();
        limited.read_line(&mut line)?;
        Ok((line == header(&head.manifest.set)).then_some(head))
    }
}

/// No head is longer: it lists the values of the axes.
const HEAD_LIMIT_BYTES: u64 = 16 << 20;

/// Rows of a shard as they come.
#[derive(Debug)]
pub(super) struct Journal {
    path: PathBuf,
    file: File,
    head: Head,
    /// Where the row at each place of the shard begins; [`Journal::MISSING`] if it is not there.
    offsets: Vec<u64>,
    end: u64,
}

impl Journal {
    const MISSING: u64 = u64::MAX;

    /// Opens or begins the journal of a shard in `folder`, and waits until nobody else works on it. `None` when
    /// `should_stop` says so meanwhile.
    ///
    /// # Errors
    /// [`SweepError::File`], and [`SweepError::OtherSweep`] when rows of another sweep are there.
    pub fn open(
        folder: &Path,
        head: Head,
        should_stop: &dyn Fn() -> bool,
    ) -> Result<Option<Journal>, SweepError> {
        let path = head.shard.journal_path(folder, &head.manifest.scenario);
        std::fs::create_dir_all(folder).map_err(SweepError::write(folder))?;
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(SweepError::write(&path))?;
        while !lock(&file).map_err(SweepError::write(&path))? {
            if should_stop() {
                return Ok(None);
            }
            std::thread::sleep(std::time::Duration::from_millis(100));
        }
        let places = head.shard.len(head.manifest.runs) as usize;
        let mut journal = Journal { path, file, head, offsets: vec![Journal::MISSING; places], end: 0 };
        journal.read_what_is_there()?;
        Ok(Some(journal))
    }

    fn read_what_is_there(&mut self) -> Result<(), SweepError> {
        let failed = SweepError::write(self.path.clone());
        let mut reader = BufReader::new(&self.file);
        let head = Head::read(&mut reader).map_err(SweepError::read(self.path.clone()))?;
        match head {
            Some(head) if head == self.head => {}
            Some(head) => {
                let difference = self.head.manifest.difference(&head.manifest);
                let difference = difference.unwrap_or_else(|| "another shard".to_owned());
                return Err(SweepError::OtherSweep { path: self.path.clone(), difference });
            }
            None if self.file.metadata().is_ok_and(|data| data.len() > self.head.lines().len() as u64) => {
                let difference = "its first lines are not those of a journal".to_owned();
                return Err(SweepError::OtherSweep { path: self.path.clone(), difference });
            }
            // New, or cut off before the first row.
            None => {
                let lines = self.head.lines();
                self.end = lines.len() as u64;
                return self
                    .file
                    .set_len(0)
                    .and_then(|()| self.file.seek(SeekFrom::Start(0)))
                    .and_then(|_| self.file.write_all(lines.as_bytes()))
                    .map_err(failed);
            }
        }
        let mut end = self.head.lines().len() as u64;
        let mut line = Vec::new();
        loop {
            line.clear();
            reader.read_until(b'\n', &mut line).map_err(SweepError::read(self.path.clone()))?;
            let row = if line.ends_with(b"\n") { Row::from_line(&line).ok() } else { None };
            let Some(place) = row.and_then(|row| self.head.shard.place_of(row.run)) else { break };
            let Some(offset) = self.offsets.get_mut(place as usize) else { break };
            *offset = end;
            end += line.len() as u64;
        }
        // Whatever follows is half a row: it is run again.
        self.end = end;
        self.file.set_len(end).and_then(|()| self.file.seek(SeekFrom::Start(end))).map(drop).map_err(failed)
    }

    /// The indices of the runs that are not there.
    pub fn missing(&self) -> impl Iterator<Item = u64> + '_ {
        let places = self.offsets.iter().enumerate().filter(|(_, offset)| **offset == Journal::MISSING);
        places.map(|(place, _)| self.head.shard.run_at(place as u64))
    }

    /// How many rows are there.
    pub fn done(&self) -> u64 {
        self.offsets.iter().filter(|offset| **offset != Journal::MISSING).count() as u64
    }

    /// Adds a row of this shard.
    pub fn push(&mut self, row: &Row) -> Result<(), SweepError> {
        let place = self.head.shard.place_of(row.run).expect("a row of this shard");
        let line = row.to_line();
        self.file.write_all(&line).map_err(SweepError::write(&self.path))?;
        self.offsets[place as usize] = self.end;
        self.end += line.len() as u64;
        Ok(())
    }

    /// Removes the journal: its shard is complete without it.
    pub fn abandon(self) {
        // Usually it is gone already.
        let _ = std::fs::remove_file(&self.path);
    }

    /// Writes the rows in order as the part of the shard, and removes the journal.
    ///
    /// # Panics
    /// When rows are missing.
    pub fn into_part(self, folder: &Path) -> Result<PathBuf, SweepError> {
        let path = self.head.shard.part_path(folder, &self.head.manifest.scenario);
        let mut part = PendingFile::create(&path)?;
        part.write(self.head.lines().as_bytes())?;
        let read = |error| SweepError::File { verb: "read", path: self.path.clone(), error };
        let mut reader = BufReader::new(&self.file);
        let mut line = Vec::new();
        let mut at = None;
        for offset in &self.offsets {
            assert_ne!(*offset, Journal::MISSING, "a part of {} rows lacks some", self.offsets.len());
            // Rows mostly came in order: what the reader has read ahead is kept.
            let moved =
                at.map_or(SeekFrom::Start(*offset), |at| SeekFrom::Current(*offset as i64 - at as i64));
            match moved {
                SeekFrom::Current(distance) => reader.seek_relative(distance).map_err(read)?,
                start => {
                    reader.seek(start).map_err(read)?;
                }
            }
            line.clear();
            reader.read_until(b'\n', &mut line).map_err(read)?;
            part.write(&line)?;
            at = Some(offset + line.len() as u64);
        }
        part.finish()?;
        std::fs::remove_file(&self.path).map_err(SweepError::write(&self.path))?;
        Ok(path)
    }
}

/// Tries to become the only one who writes into `file`.
#[cfg(unix)]
fn lock(file: &File) -> std::io::Result<bool> {
    use rustix::fs::{FlockOperation, flock};
    match flock(file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(true),
        Err(rustix::io::Errno::WOULDBLOCK | rustix::io::Errno::INTR) => Ok(false),
        // A file system without locks: whoever starts two at once must keep them apart.
        Err(rustix::io::Errno::NOTSUP | rustix::io::Errno::NOLCK | rustix::io::Errno::NOSYS) => Ok(true),
        Err(error) => Err(error.into()),
    }
}

#[cfg(not(unix))]
fn lock(_file: &File) -> std::io::Result<bool> {
    Ok(true)
}

/// A part, row after row.
#[derive(Debug)]
pub(super) struct PartReader {
    path: PathBuf,
    pub head: Head,
    lines: BufReader<File>,
    line: Vec<u8>,
}

impl PartReader {
    /// Opens a part and reads its head.
    pub fn open(path: &Path) -> Result<PartReader, SweepError> {
        let mut lines = BufReader::new(File::open(path).map_err(SweepError::read(path))?);
        let head = Head::read(&mut lines).map_err(SweepError::read(path))?;
        let head = head.ok_or_else(|| SweepError::NotAPart {
            path: path.to_owned(),
            reason: "its first two lines are not those of a part of a sweep, written by this version"
                .to_owned(),
        })?;
        Ok(PartReader { path: path.to_owned(), head, lines, line: Vec::new() })
    }

    /// The next row, and its line; `None` at the end.
    pub fn next_row(&mut self) -> Result<Option<(Row, &[u8])>, SweepError> {
        self.line.clear();
        self.lines.read_until(b'\n', &mut self.line).map_err(SweepError::read(&self.path))?;
        if self.line.is_empty() {
            return Ok(None);
        }
        let row = match self.line.ends_with(b"\n") {
            true => Row::from_line(&self.line),
            false => Err("its last line has no end".to_owned()),
        };
        match row {
            Ok(row) => Ok(Some((row, &self.line))),
            Err(reason) => Err(self.wrong(&reason)),
        }
    }

    /// What is wrong with this part.
    pub fn wrong(&self, reason: &str) -> SweepError {
        SweepError::NotAPart { path: self.path.clone(), reason: reason.to_owned() }
    }

    /// Its file.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

/// A file that takes its name when it is complete.
#[derive(Debug)]
pub(super) struct PendingFile {
    file: BufWriter<NamedTempFile>,
    path: PathBuf,
}

impl PendingFile {
    /// Begins a file beside its final place.
    pub fn create(path: &Path) -> Result<PendingFile, SweepError> {
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        std::fs::create_dir_all(folder)
            .and_then(|()| tempfile::Builder::new().prefix(".gclab-").tempfile_in(folder))
            .map(|file| PendingFile { file: BufWriter::new(file), path: path.to_owned() })
            .map_err(SweepError::write(path))
    }

    /// Writes content.
    pub fn write(&mut self, content: &[u8]) -> Result<(), SweepError> {
        self.file.write_all(content).map_err(SweepError::write(&self.path))
    }

    /// The file, for a writer of another form.
    pub fn as_file(&mut self) -> &mut File {
        self.file.get_mut().as_file_mut()
    }

    /// Gives the file its name, once its content is with the disk.
    pub fn finish(self) -> Result<(), SweepError> {
        let PendingFile { file, path } = self;
        let renamed = file.into_inner().map_err(std::io::IntoInnerError::into_error).and_then(|file| {
            readable_by_all(file.as_file())?;
            file.as_file().sync_all()?;
            file.persist(&path).map(drop).map_err(|error| error.error)
        });
        renamed.map_err(SweepError::write(path))
    }
}

/// Temporary files are private; results are ordinary files.
#[cfg(unix)]
fn readable_by_all(file: &File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn readable_by_all(_file: &File) -> std::io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn shards_are_counted_from_zero() {
        assert_eq!("3/8".parse(), Ok(Shard { number: 3, of: 8 }));
        assert_eq!("0/1".parse(), Ok(Shard::WHOLE));
        for text in ["8/8", "1", "0/0", "-1/3", "a/b", "0/513", "1/2/3", ""] {
            let error = text.parse::<Shard>().unwrap_err();
            assert!(error.contains("accepted: K/N"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn every_run_belongs_to_one_shard(runs in 0u64..500, of in 1u32..20) {
            let shards: Vec<Shard> = (0..of).map(|number| Shard { number, of }).collect();
            prop_assert_eq!(shards.iter().map(|shard| shard.len(runs)).sum::<u64>(), runs);
            for run in 0..runs {
                let owners: Vec<&Shard> = shards.iter().filter(|shard| shard.place_of(run).is_some()).collect();
                prop_assert_eq!(owners.len(), 1);
                let place = owners[0].place_of(run).unwrap();
                prop_assert!(place < owners[0].len(runs));
                prop_assert_eq!(owners[0].run_at(place), run);
            }
        }
    }
}
