//! Parses the values of command-line options, with messages for those that are missing or out of range. Each command
//! defines its own options.

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
    let wrong = || format!("`{value}` is not a valid value for `{option}`, expected a number from {least}");
    value.parse().ok().filter(|number| *number >= least).ok_or_else(wrong)
}

/// The message for an unknown option.
pub(crate) fn unknown(option: &str) -> String {
    format!("unknown option `{option}`")
}

#[cfg(test)]
mod tests {
    use super::number;

    #[test]
    fn numbers_below_the_minimum_are_rejected() {
        for (words, expected) in [
            (&["5"][..], Ok(5)),
            (&["7", "--other"], Ok(7)),
            (&[], Err("`--n` needs a number")),
            (&["4"], Err("`4` is not a valid value for `--n`, expected a number from 5")),
            (&["-6"], Err("`-6` is not a valid value for `--n`, expected a number from 5")),
            (&["256"], Err("`256` is not a valid value for `--n`, expected a number from 5")),
            (&["--other"], Err("`--other` is not a valid value for `--n`, expected a number from 5")),
        ] {
            assert_eq!(number("--n", &mut words.iter(), 5_u8), expected.map_err(str::to_owned), "{words:?}");
        }
    }
}
