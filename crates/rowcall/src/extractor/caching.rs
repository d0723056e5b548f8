//! Attaching a cache to an extractor, and looking into one beforehand.

use std::path::PathBuf;
use std::sync::Arc;

use super::Extractor;
use crate::cache::{AnswerKeys, Cache, CacheContents, CacheOptions};
use crate::config::Plan;
use crate::error::{Error, Problem, Result};
use crate::extract::cacheable_key;
use crate::hint::{Hint, Setting};
use crate::identity::EqualRows;
use crate::row::Row;

impl<T> Extractor<T> {
    /// The same extractor with a cache: what any run with the same file has asked before, in any process, is not asked again. Only
    /// valid values are kept, and they are validated again for each row. The file is created if it does not exist.
    ///
    /// # Errors
    /// As [`cache_with`](Self::cache_with).
    pub fn cache(&self, path: impl Into<PathBuf>) -> Result<Self> {
        self.cache_with(&CacheOptions::at(path))
    }

    /// As [`cache`](Self::cache), with all its options.
    ///
    /// # Errors
    /// [`Error::Config`] for a file of another kind, of a newer format or on a network drive, if it cannot be written to, and with
    /// [`EqualRows::AskEach`], since a cache asks once about all equal rows.
    pub fn cache_with(&self, options: &CacheOptions) -> Result<Self> {
        self.check_sharing()?;
        let mut plan = Plan::clone(&self.plan);
        let cache = Cache::open(options, &plan.identity, &plan.account.endpoint).map_err(Error::Config)?;
        plan.files = plan.files.with_digests();
        plan.cache = Some(Arc::new(cache));
        Ok(Self::with_plan(plan))
    }

    fn check_sharing(&self) -> Result<()> {
        match self.plan.equal_rows {
            EqualRows::Share => Ok(()),
            EqualRows::AskEach => {
                let problem =
                    Problem::new("equal rows are asked individually, but a cache asks about them only once");
                let hint = Hint::from("leave out ").with(Setting::Dedup.off()).with(" or ");
                Err(Error::Config(problem.hint(hint.with(Setting::Cache))))
            }
        }
    }

    /// Shows which rows are already in a cache.
    ///
    /// # Errors
    /// [`Error::Config`] with [`EqualRows::AskEach`].
    pub fn cache_census(&self, options: &CacheOptions, contents: CacheContents) -> Result<CacheCensus> {
        self.check_sharing()?;
        let plan = Arc::clone(&self.plan);
        let keys = AnswerKeys::new(&plan.identity, &plan.account.endpoint, options.validated_by.as_deref());
        Ok(CacheCensus { plan, keys, contents })
    }
}

/// Shows which rows an extractor would find in a cache; see [`Extractor::cache_census`].
#[derive(Debug)]
pub struct CacheCensus {
    plan: Arc<Plan>,
    keys: AnswerKeys,
    contents: CacheContents,
}

impl CacheCensus {
    /// Whether the cache has an answer for the row; `false` for a row with files, since no file is read.
    ///
    /// # Errors
    /// [`Error::Config`] if the cache cannot be read.
    pub fn knows(&self, row: &Row) -> Result<bool> {
        let key = cacheable_key(&self.plan, row).and_then(|asked| self.keys.of(asked, None));
        key.map_or(Ok(false), |key| self.contents.knows(key))
    }
}
