//! The clients of a drill: a principal of their own, a key for each, and nothing left of them afterwards.

use super::LoadArgs;
use crate::context::Global;
use crate::failure::{Exit, Failure};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use strongroom_client::{Client, Invitation, Options, enrol};

/// The principal of all drills.
const PRINCIPAL: &str = "drill";

/// Clients with keys in a folder that goes with them.
pub(super) struct Fleet {
    operator: Client,
    folder: PathBuf,
    pub files: Vec<PathBuf>,
    pub options: Options,
}

impl Fleet {
    pub fn enrol(global: &Global, load: &LoadArgs) -> Result<Self, Failure> {
        load.check()?;
        let server = load.target.clone().or_else(|| global.keys.server.clone());
        let options = Options { server, notice_pause: Duration::from_secs(1), ..global.keys.options() };
        let operator = global.keys.client_with(&options)?;
        let who: Value = serde_json::from_slice(&operator.get("/v1/whoami")?.into_success()?)?;
        let principal = json!({ "id": PRINCIPAL, "role": "read-only" }).to_string();
        operator.post("/v1/principals", principal.as_bytes())?.into_success()?;
        let folder = std::env::temp_dir().join(format!("strongroom-drill-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| Failure::file(&folder, &error))?;
        let mut fleet = Self { operator, folder, files: Vec::new(), options };
        let new = json!({
            "principal": PRINCIPAL, "scopes": ["read"], "algorithm": "ed25519", "days": 1,
            "environment": who.get("environment"), "owner": "strongroom drill",
        });
        for number in 0..load.clients {
            let issued = fleet.operator.post("/v1/keys", new.to_string().as_bytes())?.into_success()?;
            let issued: Value = serde_json::from_slice(&issued)?;
            let text = |name: &str| issued.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let invitation = Invitation { enrolment: text("enrolment"), code: text("code") };
            let file = fleet.folder.join(format!("{number}.key"));
            enrol(fleet.operator.server(), &invitation, &fleet.options)?.write_new(&file)?;
            fleet.files.push(file);
        }
        Ok(fleet)
    }

    /// Old keys go as soon as they were quiet for two seconds, and are kept for the drill to knock with.
    pub fn set_policy(&self) -> Result<(), Failure> {
        let policy = json!({
            "min_overlap_seconds": 0, "max_overlap_seconds": 3_600, "quiet_seconds": 2,
            "on_laggard": "extend", "versions": 2, "keep_retired_seconds": 3_600,
        });
        let body = json!({ "principal": PRINCIPAL, "policy": policy }).to_string();
        self.operator.post("/v1/rotations/policy", body.as_bytes())?.into_success()?;
        Ok(())
    }

    /// Ends a lineage; over when this returns.
    pub fn revoke(&self, lineage: &str) -> Result<(), Failure> {
        let body = json!({ "reason": "a drill" }).to_string();
        self.operator.post(&format!("/v1/keys/{lineage}/revoke"), body.as_bytes())?.into_success()?;
        Ok(())
    }

    pub fn client(&self, file: &std::path::Path) -> Result<Client, Failure> {
        Ok(Client::open_with(file, &self.options)?)
    }

    /// Ends every key of the drill.
    pub fn end(self) -> Result<(), Failure> {
        let mut left = 0;
        for file in &self.files {
            let key = self.client(file).map(|client| client.key_id());
            let ended = key.and_then(|key| self.revoke(key.split('.').next().unwrap_or_default()));
            left += usize::from(ended.is_err());
        }
        // What cannot be removed is only keys that were revoked.
        drop(std::fs::remove_dir_all(&self.folder));
        if left == 0 {
            return Ok(());
        }
        let message = format!("{left} keys of the drill could not be revoked; revoke those of `{PRINCIPAL}`");
        Err(Failure::new("drill.keys_must_end", message, Exit::Refused))
    }
}
