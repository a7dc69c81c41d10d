//! The environment variables that a Go program reads, as `gclab run` reads them: GOGC, GOMEMLIMIT, GOMAXPROCS, GODEBUG.
//!
//! A command line that sets them for a Go program sets them for its simulation. Flags win over variables, and variables win
//! over the scenario file. An empty variable is none.
//!
//! Of GODEBUG two settings are known: `gctrace` prints a line for each collection, `madvdontneed` chooses the `madvise` call;
//! the others are left alone, as Go leaves alone what it does not know.
//!
//! Differences from Go: a value that cannot be understood is a mistake. Go takes 100 for such a GOGC, all processors for such a
//! GOMAXPROCS, passes over such a part of GODEBUG, and stops only at a GOMEMLIMIT.
//!
//! Sources: `runtime/mgcpacer.go` `readGOGC`, `readGOMEMLIMIT`, `runtime/string.go` `parseByteCount`, `runtime/proc.go`
//! `schedinit`, `runtime/runtime1.go` `parsedebugvars`, Go 1.23.9.

use super::errors::CliError;
use crate::scenario::{GOGC_LIMIT_PERCENT, Gogc, MemoryLimit, PROCS_LIMIT};

/// What the environment says; `None` where it says nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Environment {
    /// GOGC.
    pub(super) gogc: Option<Gogc>,
    /// GOMEMLIMIT.
    pub(super) memory_limit: Option<MemoryLimit>,
    /// GOMAXPROCS.
    pub(super) procs: Option<u32>,
    /// `madvdontneed` of GODEBUG.
    pub(super) madvdontneed: Option<bool>,
    /// `gctrace` of GODEBUG is above 0.
    pub(super) gctrace: bool,
}

impl Environment {
    /// Reads the variables of this process.
    ///
    /// # Errors
    /// [`CliError::Usage`] with the name of a variable whose value cannot be understood.
    pub(super) fn of_this_process() -> Result<Environment, CliError> {
        Environment::read(|name| std::env::var_os(name).map(|value| value.to_string_lossy().into_owned()))
    }

    fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Environment, CliError> {
        let value = |name| variable(name).filter(|value| !value.is_empty());
        let mut environment = Environment {
            gogc: value("GOGC").map(|text| gogc(&text)).transpose()?,
            memory_limit: value("GOMEMLIMIT").map(|text| memory_limit(&text)).transpose()?,
            procs: value("GOMAXPROCS").map(|text| procs(&text)).transpose()?,
            ..Environment::default()
        };
        for setting in value("GODEBUG").as_deref().unwrap_or_default().split(',') {
            match setting.split_once('=') {
                Some(("gctrace", level)) => {
                    let level: Option<i32> = level.parse().ok();
                    environment.gctrace =
                        level.ok_or_else(|| mistake("GODEBUG", setting, "gctrace=0 or gctrace=1"))? > 0;
                }
                Some(("madvdontneed", "0")) => environment.madvdontneed = Some(false),
                Some(("madvdontneed", "1")) => environment.madvdontneed = Some(true),
                Some(("madvdontneed", _)) => {
                    let accepted = "madvdontneed=1 (MADV_DONTNEED) or madvdontneed=0 (MADV_FREE)";
                    return Err(mistake("GODEBUG", setting, accepted));
                }
                _ => {}
            }
        }
        Ok(environment)
    }
}

fn mistake(name: &str, value: &str, accepted: &str) -> CliError {
    CliError::Usage {
        message: format!("the environment variable {name} says {value:?}"),
        accepted: accepted.to_owned(),
    }
}

/// Percent, "off", or anything below 0, which is off too.
fn gogc(text: &str) -> Result<Gogc, CliError> {
    if text == "off" {
        return Ok(Gogc::Off);
    }
    match text.parse::<i32>().map(u32::try_from) {
        Ok(Err(_)) => Ok(Gogc::Off),
        Ok(Ok(percent)) if percent <= GOGC_LIMIT_PERCENT => Ok(Gogc::Percent(percent)),
        _ => Err(mistake("GOGC", text, &format!("0 to {GOGC_LIMIT_PERCENT}, or off"))),
    }
}

/// Digits with B, KiB, MiB, GiB, TiB or nothing behind them; "off".
fn memory_limit(text: &str) -> Result<MemoryLimit, CliError> {
    let error = || {
        mistake(
            "GOMEMLIMIT",
            text,
            "a whole number with B, KiB, MiB, GiB, TiB or nothing, such as 64MiB; or off",
        )
    };
    if text == "off" {
        return Ok(MemoryLimit::Off);
    }
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let shift = match &text[digits.len()..] {
        "" | "B" => 0,
        "KiB" => 10,
        "MiB" => 20,
        "GiB" => 30,
        "TiB" => 40,
        _ => return Err(error()),
    };
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(error());
    }
    let number: u64 = digits.parse().map_err(|_| error())?;
    let bytes = number.checked_mul(1 << shift).filter(|bytes| *bytes <= i64::MAX as u64).ok_or_else(error)?;
    if bytes == i64::MAX as u64 { Ok(MemoryLimit::Off) } else { Ok(MemoryLimit::Bytes(bytes)) }
}

fn procs(text: &str) -> Result<u32, CliError> {
    text.parse()
        .ok()
        .filter(|procs| (1..=PROCS_LIMIT).contains(procs))
        .ok_or_else(|| mistake("GOMAXPROCS", text, &format!("1 to {PROCS_LIMIT}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(variables: &[(&str, &str)]) -> Result<Environment, String> {
        let variable = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        Environment::read(variable).map_err(|error| error.to_string())
    }

    #[test]
    fn values_are_read_as_go_reads_them() {
        let gogc = |text| read(&[("GOGC", text)]).unwrap().gogc;
        assert_eq!(gogc("50"), Some(Gogc::Percent(50)));
        assert_eq!((gogc("off"), gogc("-1"), gogc("")), (Some(Gogc::Off), Some(Gogc::Off), None));
        let limit = |text| read(&[("GOMEMLIMIT", text)]).unwrap().memory_limit;
        for (text, bytes) in
            [("64MiB", 64 << 20), ("1000", 1000), ("7B", 7), ("2GiB", 2 << 30), ("1TiB", 1 << 40)]
        {
            assert_eq!(limit(text), Some(MemoryLimit::Bytes(bytes)), "{text}");
        }
        assert_eq!(
            (limit("off"), limit("9223372036854775807")),
            (Some(MemoryLimit::Off), Some(MemoryLimit::Off))
        );
        assert_eq!(read(&[("GOMAXPROCS", "3")]).unwrap().procs, Some(3));
        let debug = |text| read(&[("GODEBUG", text)]).unwrap();
        assert!(
            debug("gctrace=1").gctrace
                && debug("madvdontneed=0,gctrace=2,x=y").gctrace
                && !debug("gctrace=0").gctrace
        );
        assert_eq!(debug("http2debug=1,madvdontneed=0").madvdontneed, Some(false));
        assert_eq!(debug("madvdontneed").madvdontneed, None);
    }

    #[test]
    fn what_cannot_be_understood_names_its_variable() {
        for (name, value) in [
            ("GOGC", "abc"),
            ("GOGC", " 100"),
            ("GOGC", "99999999999"),
            ("GOMEMLIMIT", "64MB"),
            ("GOMEMLIMIT", "1.5GiB"),
            ("GOMEMLIMIT", "-1"),
            ("GOMEMLIMIT", "MiB"),
            ("GOMEMLIMIT", "99999999TiB"),
            ("GOMAXPROCS", "0"),
            ("GOMAXPROCS", "two"),
            ("GODEBUG", "gctrace=yes"),
            ("GODEBUG", "madvdontneed=2"),
        ] {
            let error = read(&[(name, value)]).unwrap_err();
            assert!(error.contains(name) && error.contains(value), "{name}={value}: {error}");
        }
    }
}
