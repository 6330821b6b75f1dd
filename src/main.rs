//! The command line program: snapshot of the variables, signals, then the library; prints errors, returns the code.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use camino::Utf8PathBuf;
use hydrator::cli::{self, Console, Groups, Surroundings};
use hydrator::mask::{Mask, Masked};
use hydrator::progress::Progress;
use hydrator::variables::Variables;
use hydrator::{error, report};

fn main() -> ExitCode {
    let pairs = std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)));
    let variables = Variables::new(pairs);
    let arguments = std::env::args_os().map(|argument| argument.to_string_lossy().into_owned()).collect();
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT, signal_hook::consts::SIGHUP] {
        // The second signal of a kind ends the process at once.
        drop(signal_hook::flag::register_conditional_shutdown(signal, 130, Arc::clone(&stop)));
        drop(signal_hook::flag::register(signal, Arc::clone(&stop)));
    }
    let mask = Mask::of(&variables);
    let mut out = Masked::new(std::io::stdout().lock(), mask.clone());
    let groups = Groups::of(&variables);
    let progress = Arc::new(Console::new(std::io::stderr().is_terminal(), groups, mask));
    let colour = std::io::stdout().is_terminal() && variables.get("NO_COLOR").is_none();
    let program = std::env::current_exe().ok().and_then(|path| Utf8PathBuf::from_path_buf(path).ok());
    let listener = Arc::clone(&progress) as Arc<dyn Progress + Send>;
    let mut surroundings =
        Surroundings { variables: &variables, stop, out: &mut out, progress: listener, colour, program };
    let done = cli::main(arguments, &mut surroundings);
    progress.close(done.is_ok());
    let code = match done {
        Ok(code) => code,
        Err(failure) => {
            progress.say(report::error_text(&failure).trim_end());
            error::kind_of(&failure).exit_code()
        }
    };
    // A reader that went away, such as `head`, is no failure of ours.
    drop(out.flush());
    ExitCode::from(code)
}
