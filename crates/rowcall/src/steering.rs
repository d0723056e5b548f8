//! What connects the user's control of a run with the run: its share of the account, which pauses and limits it at once, and commands that
//! the run itself carries out. `control.rs` checks what the user asks for.

use std::time::Duration;

use tokio::sync::watch;

use crate::admission::Share;

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

/// How often each command was given.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Commands {
    stops: u64,
    retries: u64,
    deadlines: u64,
    deadline: Option<Duration>,
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

    /// Whether a run was ordered to stop.
    pub(crate) fn has_stopped(&self) -> bool {
        self.commands.borrow().stops > 0
    }

    /// The deadline that was set last, or else this one, with which the run began.
    pub(crate) fn deadline(&self, at_first: Option<Duration>) -> Option<Duration> {
        let commands = self.commands.borrow();
        if commands.deadlines > 0 { commands.deadline } else { at_first }
    }

    /// Listens for commands from now on.
    pub(crate) fn listen(&self) -> Listener {
        let commands = self.commands.subscribe();
        let seen = *commands.borrow();
        Listener { commands, seen }
    }
}

/// Hears the commands for one run.
#[derive(Debug)]
pub(crate) struct Listener {
    commands: watch::Receiver<Commands>,
    seen: Commands,
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
