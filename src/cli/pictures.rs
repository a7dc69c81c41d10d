//! Charts as files: the flags that say what is drawn and how, for every command that draws.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use super::errors::CliError;
use super::files::PendingFile;
use crate::chart::{self, ChartError, DARK, Format, Kind, LIGHT, Request, Style, Theme};
use crate::trace::Recording;

/// What is drawn and how.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct PictureArgs {
    /// What to draw, or a list: timeline, comparison, pacer, heap-map, heap-film, map-xray, size-classes, pauses. Without it a
    /// timeline of one run, a comparison of several.
    #[arg(long, value_delimiter = ',', value_name = "KIND")]
    pub(super) chart: Vec<Kind>,
    /// Snapshot to show, by its label; again for another. For heap-map, map-xray and size-classes.
    #[arg(long, value_name = "LABEL")]
    pub(super) at: Vec<String>,
    /// As what charts are written: png or svg.
    #[arg(long, value_name = "FORMAT", default_value = "png")]
    pub(super) format: Format,
    /// Colours of charts: light or dark.
    #[arg(long, value_name = "THEME", default_value = "light")]
    pub(super) theme: ThemeName,
}

/// `light` or `dark`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum ThemeName {
    #[default]
    Light,
    Dark,
}

impl ThemeName {
    fn theme(self) -> &'static Theme {
        match self {
            ThemeName::Light => &LIGHT,
            ThemeName::Dark => &DARK,
        }
    }
}

impl FromStr for ThemeName {
    type Err = String;

    fn from_str(text: &str) -> Result<ThemeName, String> {
        match text {
            "light" => Ok(ThemeName::Light),
            "dark" => Ok(ThemeName::Dark),
            _ => Err(format!("{text:?} is no theme; accepted: light, dark")),
        }
    }
}

impl PictureArgs {
    /// The kinds that are drawn of so many runs.
    pub(super) fn kinds(&self, runs: usize) -> Vec<Kind> {
        if self.chart.is_empty() { vec![Kind::for_runs(runs)] } else { self.chart.clone() }
    }

    /// Whether anything that is drawn of so many runs needs close-ups.
    pub(super) fn need_close_ups(&self, runs: usize) -> bool {
        self.kinds(runs).into_iter().any(Kind::needs_close_ups)
    }

    /// Refuses, before anything is run, what so many runs cannot show.
    pub(super) fn check(&self, runs: usize) -> Result<(), CliError> {
        let one_only = |kind: &Kind| *kind != Kind::Comparison;
        match self.kinds(runs).into_iter().find(one_only) {
            Some(kind) if runs > 1 => Err(CliError::Usage {
                message: format!("the chart {kind} shows one run, and there are {runs}"),
                accepted: "a single run, or --chart comparison".to_owned(),
            }),
            _ => Ok(()),
        }
    }

    /// Draws every kind into a file of its own in `folder`; the files take their names when the caller finishes them.
    pub(super) fn draw(
        &self,
        runs: &[Recording],
        name: &str,
        folder: &Path,
    ) -> Result<Vec<PendingFile>, CliError> {
        self.kinds(runs.len())
            .into_iter()
            .map(|kind| {
                let path = folder.join(file_name(name, kind, self.format));
                let request = Request { kind, at: self.at.clone() };
                draw_file(runs, &request, self.theme, self.format, path)
            })
            .collect()
    }
}

/// Draws one chart into a file that waits for its name.
pub(super) fn draw_file(
    runs: &[Recording],
    request: &Request,
    theme: ThemeName,
    format: Format,
    path: PathBuf,
) -> Result<PendingFile, CliError> {
    let style = Style { theme: theme.theme(), ..Style::default() };
    let error = |error: ChartError| CliError::Chart { path: path.clone(), error };
    let bytes = chart::draw(runs, request, &style, format).map_err(error)?;
    let mut file = PendingFile::create(&path)?;
    file.write(&bytes)?;
    Ok(file)
}

/// `churn.png`, `churn-pacer.svg`.
pub(super) fn file_name(name: &str, kind: Kind, format: Format) -> String {
    let ending = format.extension();
    match kind {
        Kind::Timeline | Kind::Comparison => format!("{name}.{ending}"),
        other => format!("{name}-{other}.{ending}"),
    }
}
