//! An index with other rules: what would have been. The outcome is checked like any definition.

use super::check::check;
use super::definition::{Index, Version};
use super::error::IndexDefinitionError;

impl Index {
    /// The same index with a change made to every version of its rules. Its id stays: what was changed is for the
    /// caller to say.
    pub fn with_rules(&self, change: impl Fn(&mut Version)) -> Result<Self, IndexDefinitionError> {
        let mut varied = self.clone();
        varied.version.iter_mut().for_each(change);
        check(&varied)?;
        Ok(varied)
    }
}
