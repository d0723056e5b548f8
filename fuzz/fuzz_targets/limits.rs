//! What all targets hold the code to: it must be done in time, also with what repeats itself.

use std::time::Duration;

use cpu_time::ThreadTime;

/// How long reading may take for each 100 kB, and for anything shorter.
const ALLOWED: Duration = Duration::from_millis(50);

/// How many times as long the fuzzer's build takes, which counts every branch and comparison: 10 over the seeds, and up to 20 where texts
/// are looked at byte by byte.
const COUNTING: f64 = if cfg!(fuzzing) { 20.0 } else { 1.0 };

/// Bytes that [`ALLOWED`] is for.
const PORTION: f64 = 100_000.0;

/// Bytes of an input that repeats itself: enough to see what grows too fast, and not so many that little else is tried.
const LONG: usize = 20_000;

/// The input, with what stands between its only two U+0001 repeated until there are [`LONG`] bytes.
pub fn stretched(input: &[u8]) -> Vec<u8> {
    match input.split(|byte| *byte == 1).collect::<Vec<_>>()[..] {
        [head, unit, tail] if !unit.is_empty() => {
            let room = LONG.saturating_sub(head.len() + tail.len());
            [head, &unit.repeat(room / unit.len()), tail].concat()
        }
        _ => input.to_owned(),
    }
}

/// What `read` gives, in the processor time that `length` bytes may take. A machine that is busy is given a few tries, of which the
/// best counts.
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
