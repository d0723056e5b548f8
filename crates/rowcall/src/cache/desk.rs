//! The thread between runs and a store: it passes waiting requests to the store in batches, renews claims while their rows are asked about,
//! and polls for answers that other processes are asking for. A store that fails is not used any more, and rows go on without it.
#![expect(clippy::disallowed_methods, reason = "a thread outside of the runtime keeps its own time")]

use std::collections::HashMap;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::oneshot;

use super::store::{Answer, LEASE, Standing, Store, Wanted, Work};
use crate::error::Problem;
use crate::identity::Key;
use crate::relay::{Relayed, Together};

/// The most requests that are served together, so that none waits for groups that grow without end.
const MOST_TOGETHER: usize = 2048;

/// How long requests are gathered while several come at a time: a transaction costs the same for one row as for some, and answers take
/// much longer than this.
const GATHERING: Duration = Duration::from_millis(2);

/// How often to look for answers that others are asking for: rarely compared with what it costs, often compared with how long answers take.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

/// How often claims are renewed. Two renewals may be late.
const RENEWAL: Duration = Duration::from_secs(LEASE.as_secs() / 3);

/// How long a claim is renewed at most. A run that has been asking about a row for longer may be stuck, while others wait for it.
const LONGEST_CLAIM: Duration = Duration::from_hours(1);

/// A run's request.
#[derive(Debug)]
pub(super) enum Request {
    /// What there is about a key. If another run is asking about it, the reply comes once that is over.
    LookUp { wanted: Wanted, to: To },
    /// The right to ask about a key. Its number distinguishes claims of the same key.
    Claim { wanted: Wanted, number: u64, to: To },
    /// Keep an answer, which ends the claim.
    Keep { key: Key, number: u64, answer: Box<Answer>, to: To },
    /// A claim ends without an answer.
    GiveBack { key: Key, number: u64 },
}

/// The reply to a request.
#[derive(Debug)]
pub(super) enum Reply {
    /// There is an answer.
    Answered(Box<Answer>),
    /// There is no answer, and no run is asking for one.
    Free,
    /// It may be asked for.
    Claimed,
    /// It may not: there is an answer by now, or another run is asking for one.
    Taken,
    /// It is kept, if the store still takes anything.
    Kept,
}

/// Where a reply goes: the waiting row, and the relay of its run.
#[derive(Debug)]
pub(super) struct To {
    pub(super) waiting: oneshot::Sender<Reply>,
    pub(super) relay: Relayed<Reply>,
}

/// What is wrong with the store, until a run has reported it.
pub(super) type Trouble = Arc<Mutex<Option<Problem>>>;

/// The state of the thread.
#[derive(Debug)]
pub(super) struct Desk<S> {
    store: S,
    trouble: Trouble,
    /// Whether the store can still be read, and whether it can still be written.
    reads: bool,
    writes: bool,
    /// Claims of this process, with their numbers and the time they were made.
    held: HashMap<Key, (u64, Instant)>,
    renewed: Instant,
    /// Rows that wait for the answers of other runs.
    waiting: Vec<(Wanted, To)>,
    looked: Instant,
    /// Whether the last group had several requests, and when it was served.
    is_busy: bool,
    served: Instant,
}

impl<S: Store> Desk<S> {
    pub(super) fn new(store: S, trouble: Trouble) -> Self {
        let now = Instant::now();
        let (held, waiting) = (HashMap::new(), Vec::new());
        Self {
            store,
            trouble,
            reads: true,
            writes: true,
            held,
            renewed: now,
            waiting,
            looked: now,
            is_busy: false,
            served: now,
        }
    }

    /// Serves until there are no more senders; then gives back what is still claimed.
    pub(super) fn serve(mut self, requests: &Receiver<Request>) {
        loop {
            let first = match self.patience() {
                None => requests.recv().map_err(|_| RecvTimeoutError::Disconnected),
                Some(patience) => requests.recv_timeout(patience),
            };
            let mut group = match first {
                Ok(request) => vec![request],
                Err(RecvTimeoutError::Timeout) => Vec::new(),
                Err(RecvTimeoutError::Disconnected) => break,
            };
            if self.is_busy && !group.is_empty() {
                thread::sleep(GATHERING.saturating_sub(self.served.elapsed()));
            }
            group.extend(requests.try_iter().take(MOST_TOGETHER - 1));
            // One that comes alone, such as of rows that are asked about one after another, is served at once.
            self.is_busy = group.len() > 1;
            self.serve_together(group);
            self.served = Instant::now();
        }
        let given_back = self.held.keys().copied().collect();
        let work = Work { given_back, ..Work::default() };
        if self.writes && !work.is_empty() {
            // What cannot be given back is taken over once its lease is over.
            let _ = self.store.change(&work);
        }
    }

    /// How long there is nothing to do without requests; `None` is for ever.
    fn patience(&self) -> Option<Duration> {
        let until = |since: Instant, period: Duration| period.saturating_sub(since.elapsed());
        let looks = (!self.waiting.is_empty()).then(|| until(self.looked, LOOK_AGAIN));
        let renews = (self.writes && !self.held.is_empty()).then(|| until(self.renewed, RENEWAL));
        looks.into_iter().chain(renews).min()
    }

    fn serve_together(&mut self, group: Vec<Request>) {
        let mut replies = Replies::default();
        let mut work = Work::default();
        let (mut claims, mut keeps, mut looks) = (Vec::new(), Vec::new(), Vec::new());
        for request in group {
            match request {
                Request::LookUp { wanted, to } => looks.push((wanted, to)),
                Request::Claim { wanted, number, to } => {
                    // The run may have ended meanwhile.
                    if to.waiting.is_closed() {
                        continue;
                    }
                    let is_held = self.held.contains_key(&wanted.key);
                    if is_held || claims.iter().any(|(claimed, _): &(Wanted, _)| claimed.key == wanted.key) {
                        replies.add(to, Reply::Taken);
                    } else {
                        work.claimed.push(wanted);
                        claims.push((wanted, (number, to)));
                    }
                }
                Request::Keep { key, number, answer, to } => {
                    self.release(key, number);
                    work.kept.push((key, *answer));
                    keeps.push(to);
                }
                Request::GiveBack { key, number } => {
                    if self.release(key, number) {
                        work.given_back.push(key);
                    } else if let Some(at) =
                        claims.iter().position(|(claimed, (n, _))| claimed.key == key && *n == number)
                    {
                        // It was claimed in this very group.
                        claims.remove(at);
                        work.claimed.remove(at);
                    }
                }
            }
        }
        if self.renewed.elapsed() >= RENEWAL {
            self.renewed = Instant::now();
            self.held.retain(|_, (_, since)| since.elapsed() < LONGEST_CLAIM);
            work.renewed = self.held.keys().copied().collect();
        }
        let standings = self.change(&work);
        for (at, (wanted, (number, to))) in claims.into_iter().enumerate() {
            let standing = standings.get(at);
            let is_ours = matches!(standing, None | Some(Standing::Free));
            if is_ours && standing.is_some() {
                self.held.insert(wanted.key, (number, Instant::now()));
            }
            replies.add(to, if is_ours { Reply::Claimed } else { Reply::Taken });
        }
        for to in keeps {
            replies.add(to, Reply::Kept);
        }
        if self.looked.elapsed() >= LOOK_AGAIN && !self.waiting.is_empty() {
            looks.append(&mut self.waiting);
        }
        self.look_up(looks, &mut replies);
        replies.send();
    }

    /// Releases a claim, and returns whether it was held.
    fn release(&mut self, key: Key, number: u64) -> bool {
        let is_its = self.held.get(&key).is_some_and(|(held, _)| *held == number);
        is_its && self.held.remove(&key).is_some()
    }

    /// The standing of each key to be claimed; empty if the store cannot be written any more.
    fn change(&mut self, work: &Work) -> Vec<Standing> {
        if work.is_empty() || !self.writes {
            return Vec::new();
        }
        self.store.change(work).unwrap_or_else(|problem| {
            self.writes = false;
            self.held.clear();
            self.note(problem);
            Vec::new()
        })
    }

    fn look_up(&mut self, looks: Vec<(Wanted, To)>, replies: &mut Replies) {
        let looks: Vec<_> = looks.into_iter().filter(|(_, to)| !to.waiting.is_closed()).collect();
        if looks.is_empty() {
            return;
        }
        self.looked = Instant::now();
        let wanted: Vec<Wanted> = looks.iter().map(|(wanted, _)| *wanted).collect();
        let found = match self.reads.then(|| self.store.look_up(&wanted)) {
            Some(Ok(found)) => found,
            Some(Err(problem)) => {
                (self.reads, self.writes) = (false, false);
                self.note(problem);
                Vec::new()
            }
            None => Vec::new(),
        };
        let mut found = found.into_iter();
        for (wanted, to) in looks {
            match found.next() {
                Some(Standing::Answered(answer)) => replies.add(to, Reply::Answered(answer)),
                // Without claims of its own a run does not wait for those of others either.
                Some(Standing::Claimed) if self.writes => self.waiting.push((wanted, to)),
                Some(Standing::Claimed | Standing::Free) | None => replies.add(to, Reply::Free),
            }
        }
    }

    /// Keeps the first problem, for a run to warn about.
    fn note(&self, problem: Problem) {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(problem);
    }
}

/// Replies on their way to their relays.
#[derive(Default)]
struct Replies(Together<crate::relay::Replies<Reply>, (oneshot::Sender<Reply>, Reply)>);

impl Replies {
    fn add(&mut self, To { waiting, relay }: To, reply: Reply) {
        self.0.add(relay, (waiting, reply), |replies| replies);
    }

    fn send(mut self) {
        self.0.send(|replies| replies);
    }
}
