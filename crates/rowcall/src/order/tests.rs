//! Orders of completion, with and without a place to leave what came too early.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

/// Orders in which `n` rows may be completed.
fn completions() -> impl Strategy<Value = Vec<u64>> {
    (0..200_u64).prop_flat_map(|n| Just((0..n).collect::<Vec<_>>()).prop_shuffle())
}

/// What wrote an outcome that stands at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    AnotherTime,
    ThisRun,
}

/// The places as a run over another input has left them.
fn of_another_time() -> BTreeMap<u64, Of> {
    (0..300).map(|index| (index, Of::AnotherTime)).collect()
}

/// What stands at `places`.
fn found(written: &BTreeMap<u64, Of>, places: Range<u64>) -> Vec<(u64, (u64, Of))> {
    written.range(places).map(|(index, of)| (*index, (*index, *of))).collect()
}

fn all_of_this_run(indexes: impl IntoIterator<Item = u64>) -> Vec<(u64, Of)> {
    indexes.into_iter().map(|index| (index, Of::ThisRun)).collect()
}

proptest! {
    #[test]
    fn input_order_comes_out_whatever_the_completion(completed in completions()) {
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
    fn completion_order_comes_out_as_it_came(completed in completions()) {
        let mut order = Order::new(OrderBy::Completed, Holding::All);
        for &index in &completed {
            order.push(index, index);
            prop_assert_eq!(order.held_back, 0);
        }
        prop_assert_eq!(Vec::from(order.take_ready()), completed);
    }

    #[test]
    fn at_the_end_of_a_stopped_run_what_is_there_comes_out_in_order(completed in completions(), missing in 0..50_u64) {
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
    fn what_is_not_held_here_is_loaded_in_time(completed in completions(), room in 2..40_u64, late in 0..20_usize) {
        let mut order = Order::new(OrderBy::Input, Holding::Ahead(room));
        let mut written = of_another_time();
        let mut released = Vec::new();
        let mut wishes = VecDeque::new();
        for (n, &index) in completed.iter().enumerate() {
            written.insert(index, Of::ThisRun);
            order.push(index, (index, Of::ThisRun));
            wishes.extend(order.take_wish());
            // What is loaded was read at any time since the wish, and comes at some time after it.
            if n % (late + 1) == 0 && let Some(places) = wishes.pop_front() {
                order.load(found(&written, places));
            }
            released.extend(order.take_ready());
            prop_assert!(order.held_back as u64 <= 2 * room, "{} are held here", order.held_back);
        }
        while let Some(places) = wishes.pop_front().or_else(|| order.take_wish()) {
            order.load(found(&written, places));
            released.extend(order.take_ready());
        }
        prop_assert_eq!(released, all_of_this_run(0..completed.len() as u64));
        prop_assert_eq!(order.held_back, 0);
    }

    /// What was read long ago is as good as what was read just now.
    #[test]
    fn what_was_read_before_it_was_replaced_is_not_taken(completed in completions(), room in 2..40_u64, late in 0..20_usize) {
        let mut order = Order::new(OrderBy::Input, Holding::Ahead(room));
        let mut written = of_another_time();
        let mut released = Vec::new();
        let mut read = VecDeque::new();
        for (n, &index) in completed.iter().enumerate() {
            written.insert(index, Of::ThisRun);
            order.push(index, (index, Of::ThisRun));
            read.extend(order.take_wish().map(|places| found(&written, places)));
            if n % (late + 1) == 0 && let Some(found) = read.pop_front() {
                order.load(found);
            }
            released.extend(order.take_ready());
        }
        while let Some(found) = read.pop_front().or_else(|| order.take_wish().map(|places| found(&written, places))) {
            order.load(found);
            released.extend(order.take_ready());
        }
        prop_assert_eq!(released, all_of_this_run(0..completed.len() as u64));
    }

    #[test]
    fn what_a_stopped_run_has_elsewhere_comes_out_as_well(
        completed in completions(),
        room in 2..40_u64,
        missing in proptest::collection::btree_set(0..200_u64, 0..5),
    ) {
        let mut order = Order::new(OrderBy::Input, Holding::Ahead(room));
        let done: BTreeSet<_> = completed.iter().copied().filter(|index| !missing.contains(index)).collect();
        let mut written = of_another_time();
        for index in completed.into_iter().filter(|index| done.contains(index)) {
            written.insert(index, Of::ThisRun);
            order.push(index, (index, Of::ThisRun));
        }
        let mut released = Vec::from(order.take_ready());
        loop {
            while let Some(places) = order.take_wish() {
                order.load(found(&written, places));
            }
            order.close_gaps();
            released.extend(order.take_ready());
            if order.take_wish().is_none_or(|places| {
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
