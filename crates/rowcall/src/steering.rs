//! What connects the user's control of a run with the run: its share of the account, which pauses and limits it at once, and commands that
//! the run itself carries out. `control.rs` checks what the user asks for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::adjustment::Adjustment;
use crate::admission::{Pause, Share};
use crate::event::{EventKind, Observers};
use crate::journal::Placing;

/// How the runs of one extractor are steered.
#[derive(Debug)]
pub(crate) struct Steering {
    share: Share,
    commands: watch::Sender<Commands>,
}

/// What a run carries out itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Command {
    /// Send nothing more, and await what is in flight.
    Stop,
    /// Ask again about the rows that have failed so far.
    RetryFailed,
    /// Stop this long after the start, or not at all.
    Deadline(Option<Duration>),
}

/// How often each command was given to the current runs, or, while there are none, to the latest ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Commands {
    stops: u64,
    retries: u64,
    deadlines: u64,
    deadline: Option<Duration>,
    /// The number of runs that listen.
    runs: u64,
    /// Of those, runs over an input, whose failed rows can be retried.
    over_inputs: u64,
    /// Whether the latest runs were paused when the last of them ended.
    ended_paused: bool,
}

impl Steering {
    /// Steers the runs with this share of the account.
    pub(crate) fn new(share: Share) -> Self {
        Self { share, commands: watch::Sender::default() }
    }

    /// The share of the account.
    pub(crate) fn share(&self) -> &Share {
        &self.share
    }

    /// Gives a command to all current runs.
    pub(crate) fn give(&self, command: Command) {
        self.commands.send_modify(|commands| match command {
            Command::Stop => commands.stops += 1,
            Command::RetryFailed => commands.retries += 1,
            Command::Deadline(deadline) => {
                commands.deadlines += 1;
                commands.deadline = deadline;
            }
        });
    }

    /// Whether the failed rows of a run can be retried; whether those of the next one can, while there is none.
    pub(crate) fn can_retry(&self) -> bool {
        let commands = self.commands.borrow();
        commands.runs == 0 || commands.over_inputs > 0
    }

    /// Whether a run was ordered to stop.
    pub(crate) fn has_stopped(&self) -> bool {
        self.commands.borrow().stops > 0
    }

    /// The deadline that was set last, or else this one, with which the run began.
    pub(crate) fn deadline(&self, at_first: Option<Duration>) -> Option<Duration> {
        let commands = self.commands.borrow();
        if commands.deadlines > 0 { commands.deadline } else { at_first }
    }

    /// Listens for commands from now on, for a run whose rows relate to its input like this. Commands concern the runs that are under way: a
    /// run that begins while there is none begins without a pause, a stop or another deadline that was ordered for earlier ones.
    pub(crate) fn listen(self: &Arc<Self>, placing: Placing, observers: &Observers) -> Listener {
        let over_inputs = u64::from(matches!(placing, Placing::Input | Placing::None));
        let mut ended_paused = false;
        self.commands.send_modify(|commands| {
            if commands.runs == 0 {
                ended_paused = commands.ended_paused;
                *commands = Commands::default();
            }
            commands.runs += 1;
            commands.over_inputs += over_inputs;
        });
        if ended_paused && !self.share.is_paused() {
            observers.emit(0, EventKind::Adjusted(Adjustment::Resume));
        }
        let commands = self.commands.subscribe();
        let seen = *commands.borrow();
        Listener { steering: Arc::clone(self), commands, seen, over_inputs }
    }
}

/// Hears the commands for one run.
#[derive(Debug)]
pub(crate) struct Listener {
    steering: Arc<Steering>,
    commands: watch::Receiver<Commands>,
    seen: Commands,
    /// 1 for a run over an input.
    over_inputs: u64,
}

impl Drop for Listener {
    fn drop(&mut self) {
        let share = &self.steering.share;
        self.steering.commands.send_modify(|commands| {
            commands.runs = commands.runs.saturating_sub(1);
            commands.over_inputs = commands.over_inputs.saturating_sub(self.over_inputs);
            if commands.runs == 0 && share.is_paused() {
                // Nobody would end the pause of a run that is gone.
                share.set_pause(Pause::Off);
                commands.ended_paused = true;
            }
        });
    }
}

impl Listener {
    /// The next commands. Cancelling the wait loses none.
    pub(crate) async fn next(&mut self) -> Vec<Command> {
        loop {
            let now = *self.commands.borrow_and_update();
            let before = std::mem::replace(&mut self.seen, now);
            let commands = [
                (now.deadlines > before.deadlines).then_some(Command::Deadline(now.deadline)),
                (now.retries > before.retries).then_some(Command::RetryFailed),
                (now.stops > before.stops).then_some(Command::Stop),
            ];
            let commands: Vec<_> = commands.into_iter().flatten().collect();
            if !commands.is_empty() {
                return commands;
            }
            if self.commands.changed().await.is_err() {
                // Nothing is left that could give a command.
                std::future::pending::<()>().await;
            }
        }
    }
}
