//! The `gclab` binary: parse the command line, call the library, print the error, exit.

fn main() -> std::process::ExitCode {
    gclab::cli::main()
}
