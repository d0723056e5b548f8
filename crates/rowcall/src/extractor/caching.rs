//! How an extractor comes by a cache, and what it says of one beforehand.

use std::path::PathBuf;
use std::sync::Arc;

use super::Extractor;
use crate::cache::{AnswerKeys, Cache, CacheContents, CacheOptions};
use crate::config::Plan;
use crate::error::{Error, Problem, Result};
use crate::extract::cacheable_key;
use crate::identity::EqualRows;
use crate::row::Row;

impl<T> Extractor<T> {
    /// The same extractor with a cache: what any run with the same file has asked before, in whichever process, is not asked again.
    /// Only valid values are kept, and they are validated again for each row. A file that is not there is made.
    ///
    /// # Errors
    /// As [`cache_with`](Self::cache_with).
    pub fn cache(&self, path: impl Into<PathBuf>) -> Result<Self> {
        self.cache_with(&CacheOptions::at(path))
    }

    /// As [`cache`](Self::cache), with all that can be said about it.
    ///
    /// # Errors
    /// [`Error::Config`] for a file of another kind, of a newer format or on a network drive, for whatever keeps it from being written to,
    /// and where equal rows are asked each, since a cache asks once about all of them.
    pub fn cache_with(&self, options: &CacheOptions) -> Result<Self> {
        self.check_sharing()?;
        let mut plan = Plan::clone(&self.plan);
        let cache = Cache::open(options, &plan.identity, &plan.account.endpoint).map_err(Error::Config)?;
        plan.files = plan.files.with_digests();
        plan.cache = Some(Arc::new(cache));
        Ok(self.with_plan(plan))
    }

    fn check_sharing(&self) -> Result<()> {
        match self.plan.equal_rows {
            EqualRows::Share => Ok(()),
            EqualRows::AskEach => {
                let problem =
                    Problem::new("equal rows are to be asked each, and a cache asks once about all of them");
                Err(Error::Config(problem.hint("leave out `--no-dedup` or `--cache`")))
            }
        }
    }

    /// What says which rows are in a cache already.
    ///
    /// # Errors
    /// [`Error::Config`] where equal rows are asked each.
    pub fn cache_census(&self, options: &CacheOptions, contents: CacheContents) -> Result<CacheCensus> {
        self.check_sharing()?;
        let plan = Arc::clone(&self.plan);
        let keys = AnswerKeys::new(&plan.identity, &plan.account.endpoint, options.validated_by.as_deref());
        Ok(CacheCensus { plan, keys, contents })
    }
}

/// Says which rows an extractor would find in a cache; see [`Extractor::cache_census`].
#[derive(Debug)]
pub struct CacheCensus {
    plan: Arc<Plan>,
    keys: AnswerKeys,
    contents: CacheContents,
}

impl CacheCensus {
    /// Whether there is an answer about the row. Of a row with files it is not known, since no file is read.
    ///
    /// # Errors
    /// [`Error::Config`] if the cache cannot be read.
    pub fn knows(&self, row: &Row) -> Result<bool> {
        let key = cacheable_key(&self.plan, row).and_then(|asked| self.keys.of(asked, None));
        key.map_or(Ok(false), |key| self.contents.knows(key))
    }
}
