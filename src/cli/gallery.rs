//! `gclab gallery`: draws every picture of the gallery anew, and its page.

mod list;
mod readme;

use std::path::{Path, PathBuf};

use rayon::prelude::*;

use super::errors::CliError;
use super::files::{PendingFile, read_scenario, scenario_files};
use super::pictures::draw_file;
use super::terminal;
use crate::chart::Request;
use crate::scenario::{self, Detail, Overrides, RunOptions};
use crate::trace::Recording;
use list::{Entry, List, Picture, Section};

/// Name of the list of pictures in the gallery's folder.
const LIST: &str = "gallery.toml";

/// Redraw the pictures of a folder from its scenarios.
///
/// gallery.toml in the folder lists the pictures: scenario, chart, settings, and what the picture shows in words. All are drawn, and
/// README.md shows them with these words. A scenario that is not in the list gets a timeline. The same scenarios give the same
/// bytes.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gclab gallery\n  gclab gallery --sims my-scenarios --out my-plots")]
pub(super) struct GalleryArgs {
    /// Folder with scenario files.
    #[arg(long, value_name = "DIR", default_value = "sims")]
    sims: PathBuf,
    /// Folder with gallery.toml, for the pictures and README.md.
    #[arg(long, value_name = "DIR", default_value = "plots")]
    out: PathBuf,
}

/// Runs the subcommand. Nothing changes its name before everything is drawn.
pub(super) fn run(args: &GalleryArgs) -> Result<(), CliError> {
    let mut list = read_list(&args.out.join(LIST))?;
    add_the_others(&mut list, &args.sims)?;
    let entries: Vec<&Entry> = list.section.iter().flat_map(|section| &section.picture).collect();
    let wrong = |reason| CliError::GalleryList { path: args.out.join(LIST), reason };
    let pictures: Vec<Picture> =
        entries.iter().map(|entry| entry.picture().map_err(wrong)).collect::<Result<_, _>>()?;
    let names: Vec<String> = pictures.iter().map(|picture| picture.file.clone()).collect();
    if let Some(twice) = names.iter().enumerate().find(|(index, name)| names[..*index].contains(name)) {
        return Err(wrong(format!("two pictures are called {}", twice.1)));
    }
    let mut files: Vec<PendingFile> = entries
        .par_iter()
        .zip(&pictures)
        .map(|(entry, picture)| draw(args, entry, picture))
        .collect::<Result<_, _>>()?;
    let mut page = PendingFile::create(&args.out.join("README.md"))?;
    page.write(readme::page(&list, &way(&args.out, &args.sims), &names).as_bytes())?;
    files.push(page);
    files.into_iter().try_for_each(PendingFile::finish)?;
    terminal::to_stdout(&format!("Drew {} pictures and README.md in {}\n", names.len(), args.out.display()));
    Ok(())
}

fn read_list(path: &Path) -> Result<List, CliError> {
    let text =
        std::fs::read_to_string(path).map_err(|error| CliError::Read { path: path.to_owned(), error })?;
    toml::from_str(&text).map_err(|error: toml::de::Error| CliError::GalleryList {
        path: path.to_owned(),
        reason: error.to_string().trim_end().to_owned(),
    })
}

/// A section at the end for scenarios that are not in the list.
fn add_the_others(list: &mut List, sims: &Path) -> Result<(), CliError> {
    let mut others = Vec::new();
    for path in scenario_files(sims)? {
        let scenario = read_scenario(&path)?;
        let is_listed = |section: &Section| section.picture.iter().any(|entry| entry.sim == scenario.name);
        if !list.section.iter().any(is_listed) {
            others.push(Entry::of_scenario(&scenario.name, &scenario.question, &scenario.answer));
        }
    }
    if !others.is_empty() {
        list.section.push(Section { title: "More".to_owned(), picture: others });
    }
    Ok(())
}

fn draw(args: &GalleryArgs, entry: &Entry, picture: &Picture) -> Result<PendingFile, CliError> {
    let scenario = read_scenario(&args.sims.join(format!("{}.toml", entry.sim)))?;
    let gogc: Vec<_> =
        if picture.gogc.is_empty() { vec![None] } else { picture.gogc.iter().copied().map(Some).collect() };
    let runs = gogc
        .into_iter()
        .map(|gogc| {
            let settings = scenario.settings().overridden(&Overrides {
                gogc,
                version: picture.go,
                ..Overrides::default()
            });
            let detail = if picture.kind.needs_close_ups() { Detail::CloseUps } else { Detail::Trace };
            scenario::run_with(&scenario, &settings, RunOptions::with(detail))
                .map_err(|error| CliError::Run { gogc: settings.go.gogc.to_string(), error })
        })
        .collect::<Result<Vec<Recording>, CliError>>()?;
    let request = Request { kind: picture.kind, at: entry.at.clone() };
    draw_file(&runs, &request, picture.theme, picture.format, args.out.join(&picture.file))
}

/// The way from one folder to the other as a link: back to where both begin, and from there.
fn way(from: &Path, to: &Path) -> String {
    let parts = |path: &Path| -> Vec<String> {
        let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        whole.components().map(|part| part.as_os_str().to_string_lossy().into_owned()).collect()
    };
    let (from, to) = (parts(from), parts(to));
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    let back = from[shared..].iter().map(|_| "..");
    back.chain(to[shared..].iter().map(String::as_str)).collect::<Vec<_>>().join("/")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_goes_back_and_forth() {
        assert_eq!(way(Path::new("plots"), Path::new("sims")), "../sims");
        assert_eq!(way(Path::new("/a/b/c"), Path::new("/a/d")), "../../d");
    }
}
