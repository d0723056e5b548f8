//! Orders of completion, with and without a journal to load early items from.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Orders in which `n` rows may be completed.
fn completions() -> impl Strategy<Value = Vec<u64>> {
    (0..200_u64).prop_flat_map(|n| Just((0..n).collect::<Vec<_>>()).prop_shuffle())
}

/// Which run wrote the outcome at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    EarlierRun,
    ThisRun,
}

/// The places as a run over another input left them.
fn of_earlier_run() -> BTreeMap<u64, Of> {
    (0..300).map(|index| (index, Of::EarlierRun)).collect()
}

/// The contents of `places`.
fn found(written: &BTreeMap<u64, Of>, places: Range<u64>) -> Vec<(u64, (u64, Of))> {
    written.range(places).map(|(index, of)| (*index, (*index, *of))).collect()
}

fn all_of_this_run(indexes: impl IntoIterator<Item = u64>) -> Vec<(u64, Of)> {
    indexes.into_iter().map(|index| (index, Of::ThisRun)).collect()
}

proptest! {
    #[test]
    fn items_are_released_in_input_order_whatever_the_completion(completed in completions()) {
        let mut order = Order::new(OrderBy::Input, Holding::All);
        let mut released = Vec::new();
        let mut pushed = std::collections::BTreeSet::new();
        for &index in &completed {
            order.push(index, index);
            pushed.insert(index);
            prop_assert_eq!(order.has_ready(), !order.ready.is_empty());
            released.extend(order.take_ready());
            // As early as possible: everything up to the first gap is out, and the rest is held.
            let first_gap = (0..=200).find(|index| !pushed.contains(index)).unwrap_or(0);
            prop_assert_eq!(released.len() as u64, first_gap);
            prop_assert_eq!(order.held_back, pushed.len() - released.len());
        }
        prop_assert_eq!(released, (0..completed.len() as u64).collect::<Vec<_>>());
    }

    #[test]
    fn items_are_released_in_completion_order(completed in completions()) {
        let mut order = Order::new(OrderBy::Completed, Holding::All);
        for &index in &completed {
            order.push(index, index);
            prop_assert_eq!(order.held_back, 0);
        }
        prop_assert_eq!(Vec::from(order.take_ready()), completed);
    }

    #[test]
    fn at_the_end_of_a_stopped_run_held_items_are_released_in_order(completed in completions(), missing in 0..50_u64) {
        let mut order = Order::new(OrderBy::Input, Holding::All);
        for &index in completed.iter().filter(|&&index| index != missing) {
            order.push(index, index);
        }
        order.close_gaps();
        let released = Vec::from(order.take_ready());
        let expected: Vec<_> = (0..completed.len() as u64).filter(|&index| index != missing).collect();
        prop_assert_eq!(released, expected);
        prop_assert_eq!(order.held_back, 0);
    }

    #[test]
    fn items_that_are_not_held_are_loaded_in_time(completed in completions(), room in 2..40_u64, late in 0..20_usize) {
        let mut order = Order::new(OrderBy::Input, Holding::Ahead(room));
        let mut written = of_earlier_run();
        let mut released = Vec::new();
        let mut requests = VecDeque::new();
        for (n, &index) in completed.iter().enumerate() {
            written.insert(index, Of::ThisRun);
            order.push(index, (index, Of::ThisRun));
            requests.extend(order.take_load_request());
            // Items may be read at any time after the request, and arrive any time later.
            if n % (late + 1) == 0 && let Some(places) = requests.pop_front() {
                order.load(found(&written, places));
            }
            released.extend(order.take_ready());
            prop_assert!(order.held_back as u64 <= 2 * room, "{} are held here", order.held_back);
        }
        while let Some(places) = requests.pop_front().or_else(|| order.take_load_request()) {
            order.load(found(&written, places));
            released.extend(order.take_ready());
        }
        prop_assert_eq!(released, all_of_this_run(0..completed.len() as u64));
        prop_assert_eq!(order.held_back, 0);
    }

    /// Stale reads are handled as well as fresh ones.
    #[test]
    fn items_read_before_they_were_replaced_are_not_taken(completed in completions(), room in 2..40_u64, late in 0..20_usize) {
        let mut order = Order::new(OrderBy::Input, Holding::Ahead(room));
        let mut written = of_earlier_run();
        let mut released = Vec::new();
        let mut read = VecDeque::new();
        for (n, &index) in completed.iter().enumerate() {
            written.insert(index, Of::ThisRun);
            order.push(index, (index, Of::ThisRun));
            read.extend(order.take_load_request().map(|places| found(&written, places)));
            if n % (late + 1) == 0 && let Some(found) = read.pop_front() {
                order.load(found);
            }
            released.extend(order.take_ready());
        }
        while let Some(found) = read.pop_front().or_else(|| order.take_load_request().map(|places| found(&written, places))) {
            order.load(found);
            released.extend(order.take_ready());
        }
        prop_assert_eq!(released, all_of_this_run(0..completed.len() as u64));
    }

    #[test]
    fn a_stopped_run_also_releases_items_that_are_not_held(
        completed in completions(),
        room in 2..40_u64,
        missing in proptest::collection::btree_set(0..200_u64, 0..5),
    ) {
        let mut order = Order::new(OrderBy::Input, Holding::Ahead(room));
        let done: BTreeSet<_> = completed.iter().copied().filter(|index| !missing.contains(index)).collect();
        let mut written = of_earlier_run();
        for index in completed.into_iter().filter(|index| done.contains(index)) {
            written.insert(index, Of::ThisRun);
            order.push(index, (index, Of::ThisRun));
        }
        let mut released = Vec::from(order.take_ready());
        loop {
            while let Some(places) = order.take_load_request() {
                order.load(found(&written, places));
            }
            order.close_gaps();
            released.extend(order.take_ready());
            if order.take_load_request().is_none_or(|places| {
                order.load(found(&written, places));
                false
            }) {
                break;
            }
            released.extend(order.take_ready());
        }
        prop_assert_eq!(released, all_of_this_run(done));
    }
}
