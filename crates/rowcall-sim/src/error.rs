//! Why a simulator could not start or a scenario not be read.

/// Why a simulator could not start or a scenario not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The port is taken or not allowed.
    #[error("cannot listen on port `{port}` of 127.0.0.1")]
    Listen {
        /// The port asked for.
        port: u16,
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The server's thread or runtime could not be made, or the thread ended by itself.
    #[error("the simulator's thread cannot run")]
    Thread {
        /// What the operating system said.
        source: std::io::Error,
    },
    /// The certificate for TLS could not be made.
    #[error("the simulator's certificate cannot be made")]
    Certificate {
        /// What the cryptography said.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No scenario has this name.
    #[error("unknown scenario `{name}` (known: {})", known.join(", "))]
    UnknownScenario {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<&'static str>,
    },
    /// The scenario is not TOML, or has a key or a value that no scenario has.
    #[error("the scenario cannot be read")]
    Toml {
        /// What is wrong, with line and key.
        source: Box<toml::de::Error>,
    },
    /// A number of the scenario is out of its range.
    #[error("`{key}` of the scenario is `{found}`, expected {expected}")]
    OutOfRange {
        /// Where the number stands.
        key: String,
        /// The number.
        found: f64,
        /// The range.
        expected: &'static str,
    },
}

impl SimError {
    /// What to try next, where there is something to say.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Listen { .. } => Some("use another port, or 0 for any free one".to_owned()),
            Self::UnknownScenario { name, known } => {
                let near = |known: &&&str| strsim::damerau_levenshtein(name, known);
                let nearest = known.iter().min_by_key(near).filter(|known| near(known) <= 3)?;
                Some(format!("did you mean `{nearest}`?"))
            }
            Self::Thread { .. } | Self::Certificate { .. } | Self::Toml { .. } | Self::OutOfRange { .. } => {
                None
            }
        }
    }
}
