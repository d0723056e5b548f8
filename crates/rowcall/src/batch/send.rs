//! Sending a batch: its requests are written to a file beside the journal, the journal records which rows are in it, and only then is
//! anything sent. A create is sent once.
#![expect(clippy::disallowed_methods, reason = "what a request costs depends on the time of day")]

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::lane::Task;
use super::line_id;
use super::rows::{Returned, Route};
use crate::conversation::{Answer, Step};
use crate::error::{Error, Problem};
use crate::event::BatchStep;
use crate::extract::{PreparedRow, encoded, unattached};
use crate::fault::{Fault, FaultKind};
use crate::journal::batches::{self, BatchChange, BatchRecord, Collection, RemoteStage, ToSeal};
use crate::journal::{now_ms, parked};
use crate::money::Usd;
use crate::outcome::Outcome;
use crate::price::Moment;
use crate::provider::Target;
use crate::provider::batch::{Carrier, Creation, Spool, UploadStep, Uploaded};
use crate::request::Response;
use crate::sqlite;
use crate::transport::Delivery;

/// Rows read from the journal at a time.
const READ_TOGETHER: u64 = 256;

/// How long a create is put off that the provider refused for now.
const PUT_OFF: Duration = Duration::from_secs(30);

/// A file of requests with its rows.
struct Filled {
    spool: Spool,
    target: Arc<Target>,
    /// Each row of the journal, with the most that it costs.
    rows: Vec<(i64, Option<Usd>)>,
}

impl Task {
    /// Sends as many rows of the queue as fit into a batch.
    pub(super) async fn send(&mut self) -> Result<(), Error> {
        let Some(Filled { spool, target, rows }) = self.fill().await? else { return Ok(()) };
        let (bytes, fingerprint) = (spool.length, self.transport().fingerprint());
        let to_seal = ToSeal {
            tag: spool.label.clone(),
            api: self.batching.terms.provider,
            fingerprint: fingerprint.clone(),
            bytes,
            now_ms: now_ms(),
            rows,
        };
        let count = to_seal.rows.len() as u64;
        let number = self.work(move |connection| batches::seal(connection, &to_seal)).await?;
        let record = BatchRecord {
            number,
            tag: spool.label.clone(),
            fingerprint,
            rows: count,
            bytes,
            remote: RemoteStage::Unsent,
            collection: Collection::NotReady,
            remote_id: None,
            remote_state: None,
            input_file: None,
            done: None,
            sent_ms: None,
            results_until_ms: None,
            problem: None,
            open: count,
        };
        self.watch(number).target = Some(Arc::clone(&target));
        self.has_news = true;
        match self.create(record.clone(), &spool, &target).await {
            Ok(()) => Ok(()),
            Err(error) => {
                self.drop_batch(&record, &error.to_string()).await?;
                Err(error)
            }
        }
    }

    /// Writes the requests of the rows that fit into a batch. `None` if there are none.
    async fn fill(&mut self) -> Result<Option<Filled>, Error> {
        let label = line_id::label();
        let path = self.spool(&label);
        let target = self.plan.approach.target();
        let api = self.api();
        let unwritable = |error: std::io::Error| {
            Error::Journal(Problem::new(format!("the requests of a batch cannot be written: {error}")))
        };
        let carrier = api.carrier();
        let mut file = SpoolFile::create(&path).map_err(unwritable)?;
        let endpoint = self.batching.terms.endpoint(target.protocol);
        let (mut rows, mut after) = (Vec::new(), i64::MIN);
        'pages: loop {
            let page = self.work(move |connection| parked::queue(connection, after, READ_TOGETHER)).await?;
            let Some(last) = page.last().filter(|_| !self.halt.is_on()) else { break };
            after = last.seq;
            for (parked, prepared) in self.not_cached(page).await? {
                if self.halt.is_on() || rows.len() as u64 >= self.room.most_rows() {
                    break 'pages;
                }
                let prompt = prepared.conversation.prompt();
                let files = match self.plan.files.load(prompt).await {
                    Ok(files) => files,
                    Err(message) => {
                        self.leave_queue(&parked).await?;
                        let outcome = Outcome::unasked(parked.row.index, unattached(message));
                        self.end(parked.is_taken, prepared, outcome).await;
                        continue;
                    }
                };
                let (request, weight) = encoded(&self.plan, &target, &files.fill(prompt));
                let line = api.line(carrier, &line_id::of(&label, parked.key.key), endpoint, &request);
                let size = (line.len() + carrier.separator().len()) as u64;
                if size > self.batching.terms.most_bytes {
                    self.leave_queue(&parked).await?;
                    self.refuse(parked.is_taken, prepared, size).await;
                    continue;
                }
                if file.length + size > self.batching.terms.most_bytes {
                    break 'pages;
                }
                let at = Moment::from(SystemTime::now());
                let most = self.batching.pricing.at_most(weight.most, None, at);
                match self.plan.account.admission.reserve(self.stake(most)) {
                    Ok(true) => self.note_reserved(most),
                    Err(denial) if rows.is_empty() => {
                        let _ = std::fs::remove_file(&path);
                        return Err(Error::Limit(denial.problem()));
                    }
                    // The rest has to wait until something is settled.
                    Ok(false) | Err(_) => break 'pages,
                }
                if file.length > 0 {
                    file.write(carrier.separator()).map_err(unwritable)?;
                }
                file.write(&line).map_err(unwritable)?;
                rows.push((parked.seq, most));
            }
        }
        if rows.is_empty() {
            let _ = std::fs::remove_file(&path);
            // Nothing can be sent now: something has to be settled first.
            self.not_before = Some(Instant::now() + Duration::from_millis(100));
            return Ok(None);
        }
        if carrier == Carrier::File {
            file.write(b"\n").map_err(unwritable)?;
        }
        let (length, checksum) = file.end().map_err(unwritable)?;
        Ok(Some(Filled { spool: Spool { path, length, label, checksum }, target, rows }))
    }

    /// Ends a row whose request is larger than any batch.
    async fn refuse(&mut self, is_taken: bool, mut prepared: PreparedRow, size: u64) {
        let most = self.batching.terms.most_bytes;
        let message = format!("the request has {size} bytes, expected at most the {most} of a whole batch");
        let fault = Fault::new(FaultKind::TooLarge, message);
        if let Step::Done(outcome) = prepared.conversation.judge(Answer::Failed(fault)) {
            self.end(is_taken, prepared, outcome).await;
        }
    }

    /// Uploads the requests where that is needed, and creates the batch.
    async fn create(&mut self, mut record: BatchRecord, spool: &Spool, target: &Target) -> Result<(), Error> {
        let (number, api) = (record.number, self.api());
        if api.carrier() == Carrier::File {
            let Some(file) = self.upload(spool).await? else {
                return self.drop_batch(&record, "the run was interrupted during the upload").await;
            };
            record.input_file = Some(file.clone());
            let change = BatchChange { input_file: Some(file), ..BatchChange::default() };
            self.work(move |connection| batches::change(connection, number, change)).await?;
        }
        let call = api.create(&Creation {
            spool,
            file: record.input_file.as_deref(),
            endpoint: self.batching.terms.endpoint(target.protocol),
            model: &target.model,
        });
        let mut refusals = 0;
        loop {
            if self.halt.is_on() {
                return self.drop_batch(&record, "the run was interrupted before it was created").await;
            }
            record.sent_ms = Some(now_ms());
            let change = BatchChange {
                remote: Some(RemoteStage::Unknown),
                sent_ms: record.sent_ms,
                ..BatchChange::default()
            };
            self.work(move |connection| batches::change(connection, number, change)).await?;
            let (fault, is_absent) = match self.transport().call(&call, Delivery::Once).await {
                Ok(response) => match api.described(&response) {
                    Ok(remote) => return self.attach(&record, &remote).await,
                    Err(fault) => (fault, is_refusal(&response)),
                },
                Err(fault) => {
                    let was_unsent = fault.kind == FaultKind::Unreachable;
                    (fault, was_unsent)
                }
            };
            if !is_absent {
                self.leave_unknown(&record, &fault);
                return Ok(());
            }
            refusals += 1;
            if fault.kind == FaultKind::RateLimit || fault.kind == FaultKind::Overloaded {
                self.warn(format!("the provider takes no batch for now: {fault}"));
                self.not_before = Some(Instant::now() + fault.retry_after.unwrap_or(PUT_OFF));
                return self.drop_batch(&record, &fault.to_string()).await;
            }
            self.wait_out(fault, refusals).await?;
        }
    }

    /// Leaves a create whose answer did not come: the batch is looked for before anything is sent again.
    fn leave_unknown(&mut self, record: &BatchRecord, fault: &Fault) {
        self.warn(format!(
            "the create of batch {} was not answered, so it is looked for before it is sent again: {fault}",
            record.number
        ));
        self.watch(record.number);
    }

    /// Uploads the requests. `None` if the run was interrupted.
    async fn upload(&mut self, spool: &Spool) -> Result<Option<String>, Error> {
        let api = self.api();
        let (mut step, mut faults) = (UploadStep::Begin, 0);
        loop {
            let call = api.upload(&step, spool);
            let sent = self.halt.or(self.transport().call(&call, Delivery::Once)).await;
            let Some(sent) = sent else { return Ok(None) };
            match sent.and_then(|response| api.uploaded_by(&step, &response)) {
                Ok(Uploaded::File(file)) => return Ok(Some(file)),
                Ok(Uploaded::Next(next)) => step = next,
                Err(fault) => {
                    faults += 1;
                    self.wait_out(fault, faults).await?;
                    step = api.upload_again(step);
                }
            }
        }
    }

    /// Deletes the file that was uploaded for a batch, once everything of it is collected. It does no harm if that fails.
    pub(super) async fn delete_upload(&self, record: &BatchRecord) {
        let Some(file) = &record.input_file else { return };
        let api = self.api();
        let deleted = self.transport().call(&api.delete_file(file), Delivery::Repeatable).await;
        let fault = match deleted {
            Ok(response) if response.is_success() => return,
            Ok(response) => api.fault(&response),
            Err(fault) => fault,
        };
        // It may have been deleted before a kill, or by the user.
        if fault.kind != FaultKind::NotFound {
            let number = record.number;
            self.warn(format!(
                "the uploaded requests of batch {number}, `{file}`, cannot be deleted: {fault}"
            ));
        }
    }

    /// Puts the rows of a batch that was not executed back into the queue.
    pub(super) async fn drop_batch(&mut self, record: &BatchRecord, why: &str) -> Result<(), Error> {
        let number = record.number;
        let reserved = self.work(move |connection| parked::most_of_batch(connection, number)).await?;
        for most in reserved {
            self.release(most);
        }
        let problem = Some(why.to_owned());
        self.work(move |connection| batches::drop_batch(connection, number, problem)).await?;
        if self.watched.remove(&number).is_some_and(|watch| watch.is_counted) {
            self.news(record, BatchStep::Dropped { why: why.to_owned() });
        }
        self.remove_spool(&record.tag);
        self.has_news = true;
        Ok(())
    }

    /// Hands the queue over to be asked online.
    pub(super) async fn ask_rest_online(&mut self) -> Result<(), Error> {
        loop {
            let page = self.work(|connection| parked::queue(connection, i64::MIN, READ_TOGETHER)).await?;
            if page.is_empty() || self.halt.is_on() {
                return Ok(());
            }
            let mut returned = Vec::with_capacity(page.len());
            for parked in page {
                if let Some(prepared) = self.restore(&parked).await {
                    returned.push(Returned { parked, prepared, route: Route::Online });
                }
            }
            self.give_back(returned).await?;
        }
    }

    /// The file for the requests of a batch, beside the journal.
    fn spool(&self, label: &str) -> PathBuf {
        sqlite::beside(&self.journal.path, &format!("-{label}"))
    }

    /// Removes what earlier runs have left of such files, which are not used again.
    pub(super) fn remove_spools(&self) {
        let (folder, journal) = (self.journal.path.parent(), self.journal.path.file_name());
        let (Some(folder), Some(journal)) = (folder, journal) else { return };
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        let start = format!("{}-{}", journal.to_string_lossy(), line_id::PREFIX);
        for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
            if entry.file_name().to_string_lossy().starts_with(&start) {
                let _ = std::fs::remove_file(entry.path());
            }
        }
    }

    /// Removes the file with a batch's requests, if it is still there.
    pub(super) fn remove_spool(&self, label: &str) {
        let _ = std::fs::remove_file(self.spool(label));
    }
}

/// A file of requests that is being written.
struct SpoolFile {
    file: BufWriter<File>,
    length: u64,
    hash: Sha256,
}

impl SpoolFile {
    fn create(path: &Path) -> io::Result<Self> {
        Ok(Self { file: BufWriter::new(File::create(path)?), length: 0, hash: Sha256::new() })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.hash.update(bytes);
        self.length += bytes.len() as u64;
        Ok(())
    }

    /// The length and the checksum of the whole file.
    fn end(mut self) -> io::Result<(u64, String)> {
        self.file.flush()?;
        let digits: Vec<String> = self.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        Ok((self.length, digits.concat()))
    }
}

/// Whether a response shows that the server itself has refused a create. A gateway's error does not.
fn is_refusal(response: &Response) -> bool {
    (400..500).contains(&response.status) && !matches!(response.status, 408 | 409 | 499)
}
