//! `gclab lab`: the page of the lab, served from this binary to this machine.

mod assets;
mod server;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use super::errors::CliError;
use super::terminal;

/// Open the lab: a page that runs scenarios as sliders move, steps through a heap, and teaches.
///
/// Serves the page on this machine alone and prints its address; everything it needs is inside gclab. Each visitor gets a bounded
/// share of this machine: work, memory and the length of a request are limited. Ctrl-C ends it.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  gclab lab\n  gclab lab --port 8080\n  \
        gclab lab --listen 0.0.0.0 --port 8080      for everybody on this network")]
pub(super) struct LabArgs {
    /// Port; 0 takes one that is free.
    #[arg(long, value_name = "PORT", default_value_t = 6060)]
    port: u16,
    /// Address to listen on. Anything but a loopback address lets other machines in.
    #[arg(long, value_name = "ADDRESS", default_value_t = IpAddr::V4(Ipv4Addr::LOCALHOST))]
    listen: IpAddr,
    /// Simulations that run at the same time.
    #[arg(long, value_name = "N", default_value_t = server::DEFAULT_LANES,
          value_parser = clap::value_parser!(u16).range(1..=64))]
    at_once: u16,
}

/// Runs the subcommand, until it is interrupted.
pub(super) fn run(args: &LabArgs) -> Result<(), CliError> {
    let address = SocketAddr::new(args.listen, args.port);
    server::serve(address, usize::from(args.at_once), |bound| {
        terminal::to_stdout(&format!("The lab is at http://{bound}/  (Ctrl-C ends it)\n"));
        if !bound.ip().is_loopback() {
            terminal::to_stderr("note: other machines can reach it\n");
        }
    })
    .map_err(|error| CliError::Usage {
        message: format!("cannot listen on {address}: {error}"),
        accepted: "an address of this machine and a port that is free, such as --port 0".to_owned(),
    })
}
