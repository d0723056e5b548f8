//! An extractor's warnings, each issued once: the engine's threads record them, and Python takes them with the next
//! outcomes and issues them where the call was made.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rowcall::{Event, EventKind, KnownFrom};

/// The most warnings kept; there are few.
const MOST: usize = 32;

/// The warnings of one extractor.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    has_new: AtomicBool,
    /// Whether the warning about equal rows that share an answer was issued, since there may be many such rows.
    has_shared: AtomicBool,
    noted: Mutex<Noted>,
}

#[derive(Debug, Default)]
struct Noted {
    new: Vec<String>,
    /// All warnings so far, including those already taken.
    all: BTreeSet<String>,
}

impl Notices {
    /// The observer that records warnings from the engine's events. `temperature` is the requested one.
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

    /// The warnings since the last call.
    pub(crate) fn take(&self) -> Vec<String> {
        if !self.has_new.swap(false, Ordering::Relaxed) {
            return Vec::new();
        }
        std::mem::take(&mut self.noted().new)
    }

    /// Records a warning, once.
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
