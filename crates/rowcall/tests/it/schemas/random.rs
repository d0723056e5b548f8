//! Random, unrealistic schemas: keywords of all drafts in any combination. Each that is accepted as a schema is translated
//! without a panic and follows the provider's rules.

use std::cell::Cell;

use proptest::prelude::*;
use proptest::test_runner::{RngAlgorithm, TestRng, TestRunner};
use rowcall::Schema;

use super::strange::roots;
use super::values::{self, Dice};
use super::{DIALECTS, Lost, lost_on_the_way, sent};

#[test]
fn random_schemas_are_expressed_within_the_rules_or_refused() {
    let config = ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let (taken, expressed) = (Cell::new(0), Cell::new(0));
    let (values, beyond) = (Cell::new(0), Cell::new(0));
    let more = |count: &Cell<u32>| count.set(count.get() + 1);
    let bytes = prop::collection::vec(any::<u8>(), 0..48);
    let result = runner.run(&(roots(), bytes), |(root, bytes)| {
        let Ok(schema) = Schema::from_json(root) else { return Ok(()) };
        more(&taken);
        let value = values::value(schema.as_json(), &mut Dice::new(bytes));
        for dialect in DIALECTS {
            let Some(sent) = sent(&schema, dialect).map_err(TestCaseError::fail)? else { continue };
            more(&expressed);
            if schema.validates(&value) {
                more(&values);
                match lost_on_the_way(&schema, &sent, &value) {
                    Ok(()) => {}
                    // A value of an open object may have what is not asked for.
                    Err(Lost::There(_)) => more(&beyond),
                    Err(Lost::OnTheWayBack(what)) => return Err(TestCaseError::fail(what)),
                }
            }
        }
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
    assert!(taken.get() > 700, "{} of the schemas are taken for some", taken.get());
    assert!(expressed.get() > 4 * taken.get(), "{} of {} are expressed", expressed.get(), 5 * taken.get());
    assert!(values.get() > 2_000 && beyond.get() < values.get() / 50, "{} of {}", beyond.get(), values.get());
}
