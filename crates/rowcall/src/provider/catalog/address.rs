//! Where a provider is: the base URL that follows from what the user says and from the environment, which is passed in. What is
//! sent there is not known here.

use super::Provider;
use crate::error::Problem;

/// Where a provider is, unless the user says otherwise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// Here.
    At(&'static str),
    /// Here, unless this environment variable names another host, with or without scheme and port.
    Local {
        /// The base URL.
        url: &'static str,
        /// The variable.
        host: &'static str,
    },
    /// In a region: `{region}` in the URL stands for it.
    Regional {
        /// The base URL.
        url: &'static str,
        /// The environment variables for the region, of which the first that is set counts.
        region: &'static [&'static str],
    },
    /// The user must say; such as this.
    Own {
        /// What the base URL looks like.
        example: &'static str,
    },
}

/// What stands for the region in a URL.
const REGION: &str = "{region}";

impl Address {
    /// The base URL as it is written down: with `{region}`, or an example.
    pub fn written(self) -> &'static str {
        match self {
            Self::At(url) | Self::Local { url, .. } | Self::Regional { url, .. } => url,
            Self::Own { example } => example,
        }
    }

    /// The environment variables that it depends on.
    pub fn variables(self) -> Vec<&'static str> {
        match self {
            Self::At(_) | Self::Own { .. } => Vec::new(),
            Self::Local { host, .. } => vec![host],
            Self::Regional { region, .. } => region.to_vec(),
        }
    }
}

impl Provider {
    /// The base URL: the one that is `given`, else that of its environment variable, else its own. `variable` looks one up.
    ///
    /// # Errors
    /// If the user must say where it is, and has not.
    pub fn base_url(
        &self,
        given: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<String, Problem> {
        let given = given.map(str::to_owned).or_else(|| self.base_url_variable.and_then(&variable));
        if let Some(url) = given {
            return Ok(self.with_path(url));
        }
        match self.address {
            Address::At(url) => Ok(url.to_owned()),
            Address::Local { url, host } => {
                Ok(variable(host).map_or_else(|| url.to_owned(), |host| self.with_path(local(&host, url))))
            }
            Address::Regional { url, region } => match region.iter().copied().find_map(&variable) {
                Some(region) => in_region(url, region.trim()),
                None => Err(self.nowhere(&format!("set `{}`, or give a base URL", region.join("` or `")))),
            },
            Address::Own { example } => Err(self.nowhere(&match self.base_url_variable {
                Some(variable) => format!("set `{variable}`, or give a base URL such as `{example}`"),
                None => "start one with `rowcall sim` and pass what it prints as the base URL".to_owned(),
            })),
        }
    }

    fn nowhere(&self, hint: &str) -> Problem {
        let message = format!("provider `{}` has no address of its own, expected a base URL", self.name);
        Problem::new(message).hint(hint)
    }

    /// The URL with the path of the API, if it has none.
    fn with_path(&self, url: String) -> String {
        let (address, query) = url.split_at(url.find('?').unwrap_or(url.len()));
        let address = address.trim_end_matches('/');
        match address.split_once("://") {
            Some((_, rest)) if !rest.is_empty() && !rest.contains('/') => {
                format!("{address}{}{query}", self.api_path)
            }
            Some(_) | None => url,
        }
    }
}

/// The URL of a host as Ollama's users name it (`OLLAMA_HOST`): scheme and port may be missing, and it may be the address on which
/// the server listens to all the world.
fn local(host: &str, own: &str) -> String {
    let (scheme, rest) = host.trim().split_once("://").unwrap_or(("http", host.trim()));
    let (name, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let own_port = own.rsplit_once(':').map_or("", |(_, rest)| rest.split('/').next().unwrap_or(""));
    let (name, port) = match name.rsplit_once(':') {
        // The colons of an address like `[::1]` are not before a port.
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        Some(_) | None => (name, None),
    };
    // As Ollama's own client reads it: a scheme that is written out has its own port.
    let port = port.or_else(|| (!host.contains("://")).then_some(own_port));
    let name = match name {
        "" | "0.0.0.0" => "127.0.0.1",
        "[::]" => "[::1]",
        name => name,
    };
    let port = port.map_or(String::new(), |port| format!(":{port}"));
    format!("{scheme}://{name}{port}{path}")
}

fn in_region(url: &str, region: &str) -> Result<String, Problem> {
    let is_one = region.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if is_one {
        return Ok(url.replace(REGION, region));
    }
    Err(Problem::new(format!("`{region}` is not a region, expected one such as `us-east-1`")))
}
