//! The limit of all targets: the code must finish in time, even for repetitive input.

use std::time::Duration;

use cpu_time::ThreadTime;

/// How long reading may take for each 100 kB, and for anything shorter.
const ALLOWED: Duration = Duration::from_millis(50);

/// The slowdown of the fuzzer's build, which counts every branch and comparison: 10 over the seeds, and up to 20
/// where texts are examined byte by byte.
const COUNTING: f64 = if cfg!(fuzzing) { 20.0 } else { 1.0 };

/// The number of bytes that [`ALLOWED`] applies to.
const PORTION: f64 = 100_000.0;

/// The length of a repeated input: enough to show what grows too fast, and short enough to try many others.
const LONG: usize = 20_000;

/// The input, with the text between its only two U+0001 repeated until there are [`LONG`] bytes.
pub fn stretched(input: &[u8]) -> Vec<u8> {
    match input.split(|byte| *byte == 1).collect::<Vec<_>>()[..] {
        [head, unit, tail] if !unit.is_empty() => {
            let room = LONG.saturating_sub(head.len() + tail.len());
            [head, &unit.repeat(room / unit.len()), tail].concat()
        }
        _ => input.to_owned(),
    }
}

/// The result of `read`, within the processor time allowed for `length` bytes. A busy machine gets a few attempts, of
/// which the best counts.
pub fn in_time<T>(length: usize, read: impl Fn() -> T) -> T {
    const TRIES: usize = 5;
    let allowed = ALLOWED.max(ALLOWED.mul_f64(COUNTING * length as f64 / PORTION));
    let mut best = Duration::MAX;
    for _ in 0..TRIES {
        let started = ThreadTime::now();
        let result = read();
        best = best.min(started.elapsed());
        if cfg!(debug_assertions) || best <= allowed {
            return result;
        }
    }
    panic!("{length} bytes took {best:?} at best, of {allowed:?} allowed");
}
