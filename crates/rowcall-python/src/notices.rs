//! What an extractor has to warn of, once each: the engine's threads note it, Python takes it with the next outcomes and raises it
//! as a warning where the call was made.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rowcall::{Event, EventKind, KnownFrom};

/// Warnings that are kept; there are few.
const MOST: usize = 32;

/// The warnings of one extractor.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    has_new: AtomicBool,
    /// Whether it was said that equal rows share an answer, of which there may be many.
    has_shared: AtomicBool,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    new: Vec<String>,
    /// All that was noted, also what was taken.
    all: BTreeSet<String>,
}

impl Notices {
    /// What notes them of the engine's events. `temperature` is the one that is asked for.
    pub(crate) fn observer(
        self: &Arc<Self>,
        temperature: Option<f64>,
    ) -> impl Fn(&Event) + Send + Sync + 'static {
        let notices = Arc::clone(self);
        move |event| match (&event.kind, temperature) {
            (EventKind::Adapted(notice) | EventKind::Warned(notice), _) => notices.note(notice.clone()),
            (EventKind::Known { failure: _, from: KnownFrom::EqualRow }, Some(temperature))
                if temperature > 0.0 && !notices.has_shared.swap(true, Ordering::Relaxed) =>
            {
                notices.note(format!(
                    "equal rows share one answer although `temperature` is {temperature}: `dedup=False` asks about each"
                ));
            }
            (_, _) => {}
        }
    }

    /// What was noted since it was last taken.
    pub(crate) fn take(&self) -> Vec<String> {
        if !self.has_new.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        std::mem::take(&mut self.noted().new)
    }

    /// Notes what is to be warned of, once.
    pub(crate) fn note(&self, notice: String) {
        let mut noted = self.noted();
        if noted.all.len() < MOST && noted.all.insert(notice.clone()) {
            noted.new.push(notice);
            self.has_new.store(true, Ordering::Relaxed);
        }
    }

    fn noted(&self) -> MutexGuard<'_, Noted> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
