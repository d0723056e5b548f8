//! The API key from a command. A key is never an argument, since other users of the machine can see those, and nothing that the
//! command prints is shown.

use std::ffi::OsString;
use std::process::{Command, Stdio};

use clap::error::{ContextKind, ContextValue, ErrorKind};
use rowcall::provider;
use rowcall::{Error, Problem, Result};

/// Options that take a key in other tools.
const KEY_OPTIONS: [&str; 5] = ["--api-key", "--api_key", "--apikey", "--key", "--token"];

/// The first line that a command prints when `sh` runs it.
///
/// # Errors
/// If the command cannot run or fails, or if its first line is empty or not UTF-8. The output may hold the key, so errors never show it.
pub(crate) fn from_command(command: &str) -> Result<String> {
    let problem = |what: String| {
        let hint = "run it by itself to see what it prints; the first line of its stdout must be the key";
        Error::Config(Problem::new(what).hint(hint))
    };
    let output = Command::new("sh").args(["-c", command]).stdin(Stdio::inherit()).output();
    let output = output.map_err(|error| problem(format!("cannot run `--key-command` with `sh`: {error}")))?;
    if !output.status.success() {
        return Err(problem(format!("`--key-command` failed ({}), expected a key", output.status)));
    }
    let line = output.stdout.split(|byte| *byte == b'\n').next().unwrap_or_default();
    match std::str::from_utf8(line).map(str::trim) {
        Ok(key) if !key.is_empty() => Ok(key.to_owned()),
        Ok(_) => Err(problem("`--key-command` printed an empty first line, expected a key".to_owned())),
        Err(_) => Err(problem("`--key-command` printed bytes that are not UTF-8, expected a key".to_owned())),
    }
}

/// The error for a key on the command line, if that is what the parser found.
pub(crate) fn refusal(error: &clap::Error, arguments: &[OsString]) -> Option<Error> {
    if error.kind() != ErrorKind::UnknownArgument {
        return None;
    }
    let Some(ContextValue::String(option)) = error.get(ContextKind::InvalidArg) else { return None };
    let option = KEY_OPTIONS.into_iter().find(|known| option.split('=').next() == Some(known))?;
    let hint = match variables(arguments) {
        Some([]) => "this provider needs no key".to_owned(),
        Some(variables) => format!("set `{}`, or use `--key-command COMMAND`", variables.join("` or `")),
        None => {
            "set the provider's variable, such as `OPENAI_API_KEY`, or use `--key-command COMMAND`".to_owned()
        }
    };
    let message = format!("there is no option `{option}`: other users can see a key on the command line");
    Some(Error::Config(Problem::new(message).hint(hint)))
}

/// The environment variables for the key of the model in `arguments`, if there is one.
fn variables(arguments: &[OsString]) -> Option<&'static [&'static str]> {
    let words = || arguments.iter().filter_map(|word| word.to_str());
    let separate = words().zip(words().skip(1)).find(|(word, _)| ["-m", "--model"].contains(word));
    let joined = || words().find_map(|word| word.strip_prefix("--model="));
    let model = separate.map(|(_, model)| model).or_else(joined)?;
    let provider = provider::named(model.split('/').next()?).ok()?;
    Some(provider.key.variables())
}
