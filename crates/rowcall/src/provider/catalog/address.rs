//! The address of a provider: the base URL, from the user's settings and from the environment, which is passed in as a function.

use super::Provider;
use crate::error::Problem;

/// The address of a provider, unless the user gives another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Address {
    /// This base URL.
    At(&'static str),
    /// This base URL, unless the environment variable names another host, with or without scheme and port.
    Local {
        /// The base URL.
        url: &'static str,
        /// The variable.
        host: &'static str,
    },
    /// A base URL with a placeholder, `{region}`, for the region.
    Regional {
        /// The base URL.
        url: &'static str,
        /// The environment variables for the region; the first one that is set counts.
        region: &'static [&'static str],
    },
    /// The user must give the base URL.
    Own {
        /// An example of such a base URL.
        example: &'static str,
    },
}

/// The placeholder for the region in a URL.
const REGION: &str = "{region}";

impl Address {
    /// The base URL for display: with `{region}`, or an example.
    pub fn written(self) -> &'static str {
        match self {
            Self::At(url) | Self::Local { url, .. } | Self::Regional { url, .. } => url,
            Self::Own { example } => example,
        }
    }

    /// The environment variables that the address depends on.
    pub fn variables(self) -> Vec<&'static str> {
        match self {
            Self::At(_) | Self::Own { .. } => Vec::new(),
            Self::Local { host, .. } => vec![host],
            Self::Regional { region, .. } => region.to_vec(),
        }
    }
}

impl Provider {
    /// The base URL: the `given` one, else the one in the provider's environment variable, else the default. `variable` reads the environment.
    ///
    /// # Errors
    /// If the user has to give a base URL and has not.
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
                None => Err(self.no_address(&format!("set `{}`, or give a base URL", region.join("` or `")))),
            },
            Address::Own { example } => Err(self.no_address(&match self.base_url_variable {
                Some(variable) => format!("set `{variable}`, or give a base URL such as `{example}`"),
                None => "start one with `rowcall sim` and pass the base URL that it prints".to_owned(),
            })),
        }
    }

    fn no_address(&self, hint: &str) -> Problem {
        let message = format!("provider `{}` has no default address, expected a base URL", self.name);
        Problem::new(message).hint(hint)
    }

    /// Appends the path of the API to a URL without a path.
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

/// The URL for a host as in `OLLAMA_HOST`: scheme and port may be missing, and it may be the wildcard address on which the server
/// listens.
fn local(host: &str, own: &str) -> String {
    let (scheme, rest) = host.trim().split_once("://").unwrap_or(("http", host.trim()));
    let (name, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
    let own_port = own.rsplit_once(':').map_or("", |(_, rest)| rest.split('/').next().unwrap_or(""));
    let (name, port) = match name.rsplit_once(':') {
        // The colons of an address like `[::1]` are not before a port.
        Some((name, port)) if !port.contains(']') => (name, Some(port)),
        Some(_) | None => (name, None),
    };
    // As in Ollama's own client: with an explicit scheme, the scheme's default port applies.
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
