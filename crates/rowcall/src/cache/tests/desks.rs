//! The thread between runs and a store: who waits for whom, and what becomes of rows where the store fails.

use std::sync::Mutex;

use super::*;

/// Drives a session while `work` is done with it.
async fn with<T>(cache: &Arc<Cache>, work: impl AsyncFnOnce(&CacheSession) -> T) -> T {
    let (session, relay) = cache.begin();
    tokio::select! {
        done = work(&session) => done,
        () = relay.drive() => panic!("the relay has ended"),
    }
}

fn claims(path: &std::path::Path) -> u64 {
    CacheContents::open(path).and_then(|contents| contents.claims()).expect("a cache")
}

#[tokio::test]
async fn who_comes_second_waits_for_the_answer_of_the_first() {
    let (_folder, path) = folder();
    let (one, other) = (open(&path).expect("a cache"), open(&path).expect("a cache"));
    with(&one, async |first| {
        with(&other, async |second| {
            assert_eq!(second.look_up(wanted(1)).await, None);
            let claim = first.claim(wanted(1)).await.expect("it is free");
            assert!(second.claim(wanted(1)).await.is_none(), "of another process");
            assert!(first.claim(wanted(1)).await.is_none(), "and of the same one");
            let (found, ()) = tokio::join!(second.look_up(wanted(1)), claim.keep(answer(json!(1))));
            assert_eq!(found.map(|answer| answer.value), Some(json!(1)));
            assert_eq!(first.look_up(wanted(1)).await.map(|answer| answer.value), Some(json!(1)));
            assert!(second.claim(wanted(1)).await.is_none(), "there is an answer by now");
            // A claim that is dropped is given back, and who waited for its answer may claim in turn.
            let claim = first.claim(wanted(2)).await.expect("it is free");
            let (found, ()) = tokio::join!(second.look_up(wanted(2)), async { drop(claim) });
            assert_eq!(found, None);
            assert!(second.claim(wanted(2)).await.is_some());
        })
        .await;
    })
    .await;
    drop((one, other));
    assert_eq!(claims(&path), 0);
}

#[tokio::test]
async fn a_claim_whose_wait_is_given_up_is_given_back() {
    let (_folder, path) = folder();
    let cache = open(&path).expect("a cache");
    with(&cache, async |session| {
        for n in 0..20 {
            // Dropped at its first wait, before or after the thread has seen it.
            let mut claim = std::pin::pin!(session.claim(wanted(n)));
            let polled =
                std::future::poll_fn(|context| std::task::Poll::Ready(claim.as_mut().poll(context))).await;
            assert!(polled.is_pending());
        }
        for n in 0..20 {
            assert!(session.claim(wanted(n)).await.is_some(), "{n}");
        }
    })
    .await;
    drop(cache);
    assert_eq!(claims(&path), 0);
}

/// A store that fails from a call on.
#[derive(Debug)]
struct Failing {
    reads_left: usize,
    writes_left: usize,
    calls: Arc<Mutex<(usize, usize)>>,
}

impl Store for Failing {
    fn look_up(&mut self, wanted: &[Wanted]) -> Result<Vec<Standing>, Problem> {
        self.calls.lock().expect("no panic").0 += 1;
        self.reads_left = self.reads_left.checked_sub(1).ok_or_else(|| Problem::new("it is damaged"))?;
        Ok(wanted.iter().map(|_| Standing::Claimed).collect())
    }

    fn change(&mut self, work: &Work) -> Result<Vec<Standing>, Problem> {
        self.calls.lock().expect("no panic").1 += 1;
        self.writes_left = self.writes_left.checked_sub(1).ok_or_else(|| Problem::new("its disk is full"))?;
        Ok(work.claimed.iter().map(|_| Standing::Free).collect())
    }
}

#[tokio::test]
async fn rows_go_on_without_a_store_that_fails() {
    for (reads_left, writes_left, expected) in
        [(0, 9, "it is damaged"), (9, 0, "its disk is full"), (9, 1, "its disk is full")]
    {
        let trouble = Trouble::default();
        let calls = Arc::default();
        let store = Failing { reads_left, writes_left, calls: Arc::clone(&calls) };
        let (sender, requests) = mpsc::channel();
        let desk = Desk::new(store, Arc::clone(&trouble));
        let thread = thread::spawn(move || desk.serve(&requests));
        let keys = AnswerKeys::new(&identity(), &endpoint(), None);
        let cache = Arc::new(Cache { requests: Some(sender), thread: Some(thread), trouble, keys });
        with(&cache, async |session| {
            for n in 0..3 {
                if reads_left == 0 {
                    assert_eq!(session.look_up(wanted(n)).await, None);
                }
                let claim = session.claim(wanted(n)).await.expect("it may be asked about");
                claim.keep(answer(json!(n))).await;
            }
            // Others' claims are not waited for once none of one's own are kept.
            assert_eq!(session.look_up(wanted(9)).await, None);
        })
        .await;
        assert_eq!(cache.take_trouble().map(|problem| problem.message).as_deref(), Some(expected));
        assert_eq!(cache.take_trouble(), None, "it is reported once");
        drop(cache);
        let (reads, writes) = *calls.lock().expect("no panic");
        assert!(reads <= 1 && writes <= 2, "what has failed is left alone: {reads} {writes}");
    }
}
