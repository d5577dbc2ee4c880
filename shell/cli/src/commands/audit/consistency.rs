//! `strongroom audit consistency`: nothing was changed between two sizes of the log.

use super::{not_held, of_store, read};
use crate::context::Global;
use crate::failure::Failure;
use crate::print;
use clap::Args;
use strongroom_audit::verify_consistency;

/// Proves that the log of one size is the beginning of the log of another (RFC 9162 section 2.1.4).
#[derive(Debug, Args)]
#[command(after_help = "Example:\n  strongroom audit consistency --from 100 --to 250")]
pub(crate) struct Consistency {
    /// Leaves of the earlier log, from 1
    #[arg(long, value_name = "SIZE")]
    from: u64,
    /// Leaves of the later log; as many as there are when absent
    #[arg(long, value_name = "SIZE")]
    to: Option<u64>,
}

impl Consistency {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let mut desk = read(global)?;
        let to = self.to.unwrap_or(desk.log_head()?.size());
        let store = desk.store();
        let proof = store.prove_consistency(self.from, to).map_err(of_store)?;
        let old = (self.from, store.root_at(self.from).map_err(of_store)?);
        let new = (to, store.root_at(to).map_err(of_store)?);
        verify_consistency(old, new, &proof).map_err(not_held)?;
        if global.json {
            return print::json(&serde_json::json!({
                "from": {"size": old.0, "root": old.1},
                "to": {"size": new.0, "root": new.1},
                "proof": proof,
            }));
        }
        print::line(print::pairs([
            ("from", format!("{} {}", old.0, old.1)),
            ("to", format!("{} {}", new.0, new.1)),
        ]));
        for hash in proof {
            print::line(hash.to_string());
        }
        Ok(())
    }
}
