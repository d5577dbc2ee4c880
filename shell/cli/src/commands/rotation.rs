//! `strongroom rotation`: policies, who still uses what, emergencies, and the way back.

use crate::context::Global;
use crate::failure::{Exit, Failure};
use crate::print::{self, Align};
use clap::{Args, Subcommand};
use serde_json::json;
use strongroom_server::{
    DueView, Emergency, EmergencyDone, PolicySet, PolicyView, RollBack, RotationView, SetPolicy, UnusedView,
};

#[derive(Debug, Subcommand)]
pub(crate) enum RotationVerb {
    /// How lineages rotate
    #[command(subcommand)]
    Policy(PolicyVerb),
    /// List rotations: the primary, who lags, what is due
    #[command(after_help = "Example:\n  strongroom rotation list --key operator.key")]
    List,
    /// Show one rotation: versions, last uses, what happens next and when
    #[command(after_help = "Example:\n  strongroom rotation show k0123456789ab --key operator.key")]
    Show {
        /// The lineage
        lineage: String,
    },
    /// End keys and replace them in one call: they are stolen
    #[command(
        after_help = "Examples:\n  strongroom rotation emergency --lineage k0123456789ab --reason \"laptop stolen\" \\\n      --key operator.key\n  strongroom rotation emergency --principal ap-one --reason \"laptop stolen\" \\\n      --key operator.key"
    )]
    Emergency {
        #[command(flatten)]
        which: Which,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// Make the key that was displaced last the primary again; both work on
    #[command(
        after_help = "Example:\n  strongroom rotation rollback k0123456789ab --reason \"bad deployment\" \\\n      --key operator.key"
    )]
    Rollback {
        /// The lineage
        lineage: String,
        /// Why, for the record
        #[arg(long)]
        reason: String,
    },
    /// What is due, and what would be done about it now; nothing is
    #[command(after_help = "Example:\n  strongroom rotation due --dry-run --within 7d --key operator.key")]
    Due {
        /// Only look; the server does by itself what is due
        #[arg(long, required = true)]
        dry_run: bool,
        /// How far to look ahead, like 12h or 7d
        #[arg(long, default_value = "0s", value_parser = seconds, value_name = "TIME")]
        within: i64,
    },
}

#[derive(Debug, Subcommand)]
pub(crate) enum PolicyVerb {
    /// Set the policy of a lineage, of a principal's or of all
    #[command(
        after_help = "Example:\n  strongroom rotation policy set --lineage k0123456789ab --every 90d --min-overlap 24h \\\n      --max-overlap 14d --quiet 6h --on-laggard extend --not-during 09:30-16:00 --key operator.key"
    )]
    Set(Set),
    /// Show the policy of a lineage
    #[command(after_help = "Example:\n  strongroom rotation policy show k0123456789ab --key operator.key")]
    Show {
        /// The lineage
        lineage: String,
    },
    /// List the policies of all lineages
    #[command(after_help = "Example:\n  strongroom rotation policy list --key operator.key")]
    List,
}

/// Which lineages.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(crate) struct Which {
    /// One lineage
    #[arg(long, value_name = "LINEAGE")]
    lineage: Option<String>,
    /// All of a principal
    #[arg(long, value_name = "ID")]
    principal: Option<String>,
    /// All that work
    #[arg(long)]
    all: bool,
}

/// A policy and whose.
#[derive(Debug, Args)]
pub(crate) struct Set {
    #[command(flatten)]
    which: Which,
    /// How old a key may become, like 90d; only on demand when absent
    #[arg(long, value_parser = seconds, value_name = "TIME")]
    every: Option<i64>,
    /// How long the old key works at least
    #[arg(long, default_value = "1h", value_parser = seconds, value_name = "TIME")]
    min_overlap: i64,
    /// After which it is a laggard
    #[arg(long, default_value = "14d", value_parser = seconds, value_name = "TIME")]
    max_overlap: i64,
    /// How long it must not have been used before it is retired
    #[arg(long, default_value = "1h", value_parser = seconds, value_name = "TIME")]
    quiet: i64,
    /// What becomes of a laggard: extend (told again and again) or force (cut off)
    #[arg(long, default_value = "extend", value_parser = ["extend", "force"])]
    on_laggard: String,
    /// Versions that may work at once
    #[arg(long, default_value_t = 2)]
    versions: u32,
    /// How long a retired key can be brought back
    #[arg(long, default_value = "7d", value_parser = seconds, value_name = "TIME")]
    keep_retired: i64,
    /// When nothing begins and nothing is retired, New York's clock on trading days, like 09:30-16:00; once for each
    #[arg(long = "not-during", value_name = "FROM-TO")]
    not_during: Vec<String>,
    /// Back to the default policy, which rotates on demand only
    #[arg(long)]
    default: bool,
}

/// Seconds of text like 90d, 24h, 30m or 45s.
pub(crate) fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || "write it like 90d, 24h, 30m or 45s".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let number = text.strip_suffix(unit).unwrap_or_default();
    let factor = match unit {
        'd' => 86_400,
        'h' => 3_600,
        'm' => 60,
        's' => 1,
        _ => return Err(wrong()),
    };
    let number: i64 = number.parse().map_err(|_| wrong())?;
    if number < 0 { Err(wrong()) } else { number.checked_mul(factor).ok_or_else(wrong) }
}

/// Text like 90d of seconds.
fn duration(seconds: i64) -> String {
    let units = [(86_400, 'd'), (3_600, 'h'), (60, 'm')];
    let whole = units.into_iter().find(|(factor, _)| seconds != 0 && seconds % factor == 0);
    whole.map_or_else(|| format!("{seconds}s"), |(factor, unit)| format!("{}{unit}", seconds / factor))
}

impl RotationVerb {
    pub fn run(self, global: &Global) -> Result<(), Failure> {
        let client = global.keys.client()?;
        match self {
            Self::Policy(PolicyVerb::Set(set)) => set.run(global),
            Self::Policy(PolicyVerb::Show { lineage }) => {
                let view = rotation(global, &lineage)?;
                match global.json {
                    true => print::json(&view.policy),
                    false => {
                        print::line(print::pairs(policy_rows(&view)));
                        Ok(())
                    }
                }
            }
            Self::Policy(PolicyVerb::List) => list_policies(global),
            Self::List => list(global),
            Self::Show { lineage } => show(global, &rotation(global, &lineage)?),
            Self::Emergency { which, reason } => emergency(global, which, reason),
            Self::Rollback { lineage, reason } => {
                let body = serde_json::to_vec(&RollBack { reason })?;
                let content = client.post(&format!("/v1/keys/{lineage}/rollback"), &body)?.into_success()?;
                show(global, &serde_json::from_slice(&content)?)
            }
            Self::Due { within, .. } => due(global, within),
        }
    }
}

fn rotation(global: &Global, lineage: &str) -> Result<RotationView, Failure> {
    let content = global.keys.client()?.get(&format!("/v1/keys/{lineage}/rotation"))?.into_success()?;
    Ok(serde_json::from_slice(&content)?)
}

fn rotations(global: &Global) -> Result<Vec<RotationView>, Failure> {
    let rows = crate::remote::all_pages(&global.keys.client()?, "/v1/rotations")?;
    Ok(rows.into_iter().map(serde_json::from_value).collect::<Result<_, _>>()?)
}

impl Set {
    fn run(self, global: &Global) -> Result<(), Failure> {
        let policy = PolicyView {
            every_seconds: self.every,
            min_overlap_seconds: self.min_overlap,
            max_overlap_seconds: self.max_overlap,
            quiet_seconds: self.quiet,
            on_laggard: self.on_laggard,
            versions: self.versions,
            keep_retired_seconds: self.keep_retired,
            not_during: self.not_during,
        };
        let Which { lineage, principal, all } = self.which;
        let set = SetPolicy { lineage, principal, all, policy: (!self.default).then_some(policy) };
        let client = global.keys.client()?;
        let content = client.post("/v1/rotations/policy", &serde_json::to_vec(&set)?)?.into_success()?;
        if global.json {
            print::line(String::from_utf8_lossy(&content));
            return Ok(());
        }
        let done: PolicySet = serde_json::from_slice(&content)?;
        let count = |number: usize| super::counted(number as u64, "lineage");
        print::line(format!("{} changed, {} had it already", count(done.changed.len()), done.unchanged));
        Ok(())
    }
}

fn policy_rows(view: &RotationView) -> Vec<(&'static str, String)> {
    let policy = &view.policy;
    vec![
        ("lineage", view.lineage.clone()),
        ("every", policy.every_seconds.map_or_else(|| "on demand".to_owned(), duration)),
        ("least overlap", duration(policy.min_overlap_seconds)),
        ("longest overlap", duration(policy.max_overlap_seconds)),
        ("quiet", duration(policy.quiet_seconds)),
        ("on laggard", policy.on_laggard.clone()),
        ("versions", policy.versions.to_string()),
        ("keep retired", duration(policy.keep_retired_seconds)),
        ("not during", policy.not_during.join(" ")),
    ]
}

fn list_policies(global: &Global) -> Result<(), Failure> {
    let views = rotations(global)?;
    if global.json {
        let rows: Vec<_> = views
            .iter()
            .map(
                |view| json!({ "lineage": view.lineage, "principal": view.principal, "policy": view.policy }),
            )
            .collect();
        return print::json(&rows);
    }
    let columns = [
        ("lineage", Align::Left),
        ("principal", Align::Left),
        ("every", Align::Left),
        ("overlap", Align::Left),
        ("quiet", Align::Left),
        ("on laggard", Align::Left),
        ("not during", Align::Left),
    ];
    let cells = views.into_iter().map(|view| {
        let policy = view.policy;
        vec![
            view.lineage,
            view.principal,
            policy.every_seconds.map_or_else(|| "on demand".to_owned(), duration),
            format!("{} to {}", duration(policy.min_overlap_seconds), duration(policy.max_overlap_seconds)),
            duration(policy.quiet_seconds),
            policy.on_laggard,
            policy.not_during.join(" "),
        ]
    });
    print::line(print::table(&columns, cells));
    Ok(())
}

fn list(global: &Global) -> Result<(), Failure> {
    let views = rotations(global)?;
    if global.json {
        return print::json(&views);
    }
    let columns = [
        ("lineage", Align::Left),
        ("principal", Align::Left),
        ("primary", Align::Left),
        ("in grace", Align::Left),
        ("waiting", Align::Left),
        ("due", Align::Left),
        ("", Align::Left),
    ];
    let cells = views.into_iter().map(|view| {
        let in_state = |state: &str| {
            let found = view.versions.iter().filter(|version| version.state == state);
            found.map(|version| version.key.clone()).collect::<Vec<_>>().join(" ")
        };
        let remark = match (view.is_alarming, view.is_due) {
            (true, _) => "fails with a wrong key",
            (_, true) => "its holder is told",
            _ => "",
        };
        vec![
            view.lineage.clone(),
            view.principal.clone(),
            view.primary.clone().unwrap_or_else(|| "none".to_owned()),
            in_state("grace"),
            in_state("pending"),
            view.due.clone().unwrap_or_else(|| "on demand".to_owned()),
            remark.to_owned(),
        ]
    });
    print::line(print::table(&columns, cells));
    Ok(())
}

fn show(global: &Global, view: &RotationView) -> Result<(), Failure> {
    if global.json {
        return print::json(view);
    }
    let mut rows = policy_rows(view);
    rows.insert(1, ("principal", view.principal.clone()));
    rows.insert(2, ("primary", view.primary.clone().unwrap_or_else(|| "none".to_owned())));
    rows.insert(3, ("due", view.due.clone().unwrap_or_else(|| "on demand".to_owned())));
    print::line(print::pairs(rows));
    let columns = [
        ("key", Align::Left),
        ("state", Align::Left),
        ("last used", Align::Left),
        ("next", Align::Left),
        ("at", Align::Left),
    ];
    let cells = view.versions.iter().map(|version| {
        let text = |value: &Option<String>| value.clone().unwrap_or_default();
        vec![
            version.key.clone(),
            version.state.clone(),
            text(&version.last_used),
            text(&version.next),
            text(&version.next_at),
        ]
    });
    print::line("");
    print::line(print::table(&columns, cells));
    Ok(())
}

fn emergency(global: &Global, which: Which, reason: String) -> Result<(), Failure> {
    let Which { lineage, principal, all } = which;
    let body = Emergency { lineage, principal, all, reason, ..Emergency::default() };
    let client = global.keys.client()?;
    let content = client.post("/v1/rotations/emergency", &serde_json::to_vec(&body)?)?.into_success()?;
    let done: EmergencyDone = serde_json::from_slice(&content)?;
    let refused = done.lineages.iter().filter(|one| one.refused.is_some()).count();
    if global.json {
        print::line(String::from_utf8_lossy(&content));
    } else {
        let columns = [
            ("lineage", Align::Left),
            ("principal", Align::Left),
            ("ended", Align::Left),
            ("record", Align::Right),
            ("replacement, shown once", Align::Left),
        ];
        let cells = done.lineages.into_iter().map(|one| {
            let secret = one.secret.or(one.sealed);
            let new = match (one.refused, one.invitation, one.key) {
                (Some(code), ..) => format!("refused: {code}"),
                (_, Some(invitation), _) => invitation,
                (_, _, Some(key)) => format!("{key} {}", secret.unwrap_or_default()),
                _ => "had ended before".to_owned(),
            };
            vec![one.lineage, one.principal, one.revoked.join(" "), one.seq.to_string(), new]
        });
        print::line(print::table(&columns, cells));
    }
    match refused {
        0 => Ok(()),
        _ => Err(Failure::new(
            "rotation.must_end_all",
            format!("{refused} of the lineages were not ended"),
            Exit::Refused,
        )),
    }
}

fn due(global: &Global, within: i64) -> Result<(), Failure> {
    let target = format!("/v1/rotations/due?seconds={within}");
    let content = global.keys.client()?.get(&target)?.into_success()?;
    let rows: Vec<DueView> = serde_json::from_slice(&content)?;
    if global.json {
        return print::json(&rows);
    }
    let columns = [
        ("at", Align::Left),
        ("lineage", Align::Left),
        ("principal", Align::Left),
        ("would now", Align::Left),
    ];
    let cells = rows.into_iter().map(|row| vec![row.at, row.lineage, row.principal, row.would.join(" ")]);
    print::line(print::table(&columns, cells));
    Ok(())
}

/// Replaces the key of the key file.
pub(crate) fn rotate_own(global: &Global) -> Result<(), Failure> {
    let rotation = global.keys.client()?.rotate()?;
    if global.json {
        return print::json(&json!({ "from": rotation.from, "to": rotation.to }));
    }
    print::line(format!("{} signs now; {} works until it is quiet", rotation.to, rotation.from));
    Ok(())
}

/// Keys that nobody uses.
pub(crate) fn unused(global: &Global, days: u32) -> Result<(), Failure> {
    let content = global.keys.client()?.get(&format!("/v1/keys/unused?days={days}"))?.into_success()?;
    let rows: Vec<UnusedView> = serde_json::from_slice(&content)?;
    if global.json {
        return print::json(&rows);
    }
    let columns = [
        ("key", Align::Left),
        ("principal", Align::Left),
        ("owner", Align::Left),
        ("created", Align::Left),
        ("last used", Align::Left),
    ];
    let cells = rows.into_iter().map(|row| {
        let last = row.last_used.unwrap_or_else(|| "never".to_owned());
        vec![row.key, row.principal, row.owner, row.created, last]
    });
    print::line(print::table(&columns, cells));
    Ok(())
}
