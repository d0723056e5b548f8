//! The key to an account: from a command, if not from the environment. It never stands on the command line, where other users of the
//! machine see it, and nothing that the command prints is shown.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use rowcall::provider;
use rowcall::{Error, Problem, Result};

/// Options with which a key is given elsewhere.
const TRIED: [&str; 5] = ["--api-key", "--api_key", "--apikey", "--key", "--token"];

/// The first line of what a command prints, run by `sh`.
///
/// # Errors
/// If it does not run, fails, or its first line is empty or no text. Its output may hold the key, so it is not shown.
pub(crate) fn from_command(command: &str) -> Result<String> {
    let problem = |what: String| {
        let hint = "run it by itself to see what it prints; the first line of its stdout is the key";
        Error::Config(Problem::new(what).hint(hint))
    };
    let output = Command::new("sh").args(["-c", command]).stdin(Stdio::inherit()).output();
    let output =
        output.map_err(|error| problem(format!("`--key-command` cannot be run by `sh`: {error}")))?;
    if !output.status.success() {
        return Err(problem(format!("`--key-command` failed ({}), expected a key", output.status)));
    }
    let line = output.stdout.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match std::str::from_utf8(line).map(str::trim) {
        Ok(key) if !key.is_empty() => Ok(key.to_owned()),
        Ok(_) => Err(problem("`--key-command` printed an empty first line, expected a key".to_owned())),
        Err(_) => Err(problem("`--key-command` printed no text, expected a key".to_owned())),
    }
}

/// What is said to someone who tries to give a key on the command line, if that is what the parser has found.
pub(crate) fn refusal(error: &clap::Error, arguments: &[OsString]) -> Option<Error> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else { return None };
    let option = TRIED.into_iter().find(|tried| option.split('=').next() == Some(tried))?;
    let place = match variables(arguments) {
        Some([]) => "this provider has none".to_owned(),
        Some(variables) => format!("set `{}`, or give `--key-command COMMAND`", variables.join("` or `")),
        None => "set the provider's variable, such as `OPENAI_API_KEY`, or give `--key-command COMMAND`"
            .to_owned(),
    };
    let message = format!("there is no `{option}`: on the command line a key would be seen by others");
    Some(Error::Config(Problem::new(message).hint(place)))
}

/// The variables for the key of the model that is named, if one is.
fn variables(arguments: &[OsString]) -> Option<&'static [&'static str]> {
    let words = || arguments.iter().filter_map(|word| word.to_str());
    let behind = words().zip(words().skip(1)).find(|(word, _)| ["-m", "--model"].contains(word));
    let joined = || words().find_map(|word| word.strip_prefix("--model="));
    let model = behind.map(|(_, model)| model).or_else(joined)?;
    let provider = provider::named(model.split('/').next()?).ok()?;
    Some(provider.key.variables())
}
