//! A run as seen from outside while it is under way: the socket for `rowcall ctl`, the live page, and telemetry. All commands that ask a model
//! begin and end them here.

use std::path::PathBuf;
use std::sync::Arc;

use rowcall::{Extractor, Result};
use serde_json::Value;

use crate::args::LiveArguments;
use crate::live::{Live, Total, UnderWay};
use crate::progress::Progress;
use crate::telemetry::{Telemetry, TelemetryOptions};

/// What is set up before a run starts: it observes the run from its first event.
pub(crate) struct Monitoring<'a> {
    arguments: &'a LiveArguments,
    telemetry: Option<Telemetry>,
}

/// A run that others can see and steer, until it is dropped.
pub(crate) struct Monitored {
    run: Arc<UnderWay>,
    live: Live,
    telemetry: Option<Telemetry>,
}

impl<'a> Monitoring<'a> {
    /// Monitoring as the user wants it, and the extractor that is observed. `base_url` is the server's address, if the user gave one.
    ///
    /// # Errors
    /// For an address or headers of a receiver that are not valid.
    pub(crate) fn new(
        extractor: &Extractor<Value>,
        base_url: Option<&str>,
        arguments: &'a LiveArguments,
        progress: &Progress,
    ) -> Result<(Self, Extractor<Value>)> {
        let (model, stats) = (&extractor.identity().model, extractor.stats());
        let options = TelemetryOptions { url: arguments.otlp.as_deref(), model, base_url, stats: &stats };
        let telemetry = Telemetry::new(&options, progress)?;
        let extractor = match &telemetry {
            Some(telemetry) => extractor.on_event(telemetry.observer()),
            None => extractor.clone(),
        };
        Ok((Self { arguments, telemetry }, extractor))
    }

    /// Lets others see and steer a run that is about to start.
    ///
    /// # Errors
    /// If the live page cannot be served.
    pub(crate) async fn start(
        self,
        extractor: &Extractor<Value>,
        journal: Option<PathBuf>,
        total: Total,
        progress: &Progress,
    ) -> Result<Monitored> {
        let Self { arguments, mut telemetry } = self;
        let model = extractor.identity().model.clone();
        let run = Arc::new(UnderWay::new(extractor.control(), model, journal, total));
        let live = Live::start(Arc::clone(&run), arguments, progress).await?;
        if let Some(telemetry) = &mut telemetry {
            telemetry.start(&run);
        }
        Ok(Monitored { run, live, telemetry })
    }
}

impl Monitored {
    /// Lets viewers and receivers know that the run is over.
    pub(crate) async fn end(self) {
        self.live.end().await;
        if let Some(telemetry) = self.telemetry {
            telemetry.end(&self.run).await;
        }
    }
}
