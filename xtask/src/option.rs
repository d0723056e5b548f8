//! The values of options on a command line, and what is said of one that is missing or out of range. Which options there are
//! is each command's matter.

use std::fmt::Display;
use std::slice::Iter;
use std::str::FromStr;

use crate::Result;

/// The number after `option`, which is the next of `words`.
///
/// # Errors
/// If there is none, or it is below `least`.
pub(crate) fn number<N>(option: &str, words: &mut Iter<'_, &str>, least: N) -> Result<N>
where
    N: Copy + Display + FromStr + PartialOrd,
{
    let value = words.next().ok_or_else(|| format!("`{option}` needs a number"))?;
    let wrong = || format!("`{value}` is no value for `{option}`, expected a number from {least}");
    value.parse().ok().filter(|number| *number >= least).ok_or_else(wrong)
}

/// What is said of an option that the command does not have.
pub(crate) fn unknown(option: &str) -> String {
    format!("unknown option `{option}`")
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_are_read_from_the_least_on() {
        for (words, expected) in [
            (&["5"][..], Ok(5)),
            (&["7", "--other"], Ok(7)),
            (&[], Err("`--n` needs a number")),
            (&["4"], Err("`4` is no value for `--n`, expected a number from 5")),
            (&["-6"], Err("`-6` is no value for `--n`, expected a number from 5")),
            (&["256"], Err("`256` is no value for `--n`, expected a number from 5")),
            (&["--other"], Err("`--other` is no value for `--n`, expected a number from 5")),
        ] {
            assert_eq!(number("--n", &mut words.iter(), 5_u8), expected.map_err(str::to_owned), "{words:?}");
        }
    }
}
