//! Why a simulator could not start or a scenario could not be read.

/// Why a simulator could not start or a scenario could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SimError {
    /// The port is in use or not allowed.
    #[error("cannot listen on port `{port}` of 127.0.0.1")]
    Listen {
        /// The requested port.
        port: u16,
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The server's thread or runtime could not be started, or the thread ended unexpectedly.
    #[error("the simulator's thread cannot run")]
    Thread {
        /// The operating system's error.
        source: std::io::Error,
    },
    /// The certificate for TLS could not be made.
    #[error("the simulator's certificate cannot be made")]
    Certificate {
        /// The error of the cryptography library.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// No scenario has this name.
    #[error("unknown scenario `{name}` (known: {})", known.join(", "))]
    UnknownScenario {
        /// The requested name.
        name: String,
        /// The known names.
        known: Vec<&'static str>,
    },
    /// The scenario is not TOML, or has an unknown key or value.
    #[error("the scenario cannot be read")]
    Toml {
        /// What is wrong, with line and key.
        source: Box<toml::de::Error>,
    },
    /// A number in the scenario is out of range.
    #[error("`{key}` of the scenario is `{found}`, expected {expected}")]
    OutOfRange {
        /// The key of the number.
        key: String,
        /// The number.
        found: f64,
        /// The range.
        expected: &'static str,
    },
}

impl SimError {
    /// What to try next, if there is advice.
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
