//! PostgreSQL's own bench, a TPC-B-like transaction, for a sense of what a durable transaction costs elsewhere.
//!
//! It is another piece of work on another database: the figure stands beside the desk's, no ratio is taken.

use crate::Failure;
use crate::report::{Report, Table, figure};
use postgres::{Client, NoTls};
use std::process::Command;

const DATABASE: &str = "strongroom_bench";
const SECONDS: &str = "5";

pub fn measure(report: &mut Report) -> Result<(), Failure> {
    let server = std::env::var("STRONGROOM_TEST_POSTGRES")
        .unwrap_or_else(|_| "postgres://postgres@127.0.0.1:5432/postgres".to_owned());
    let has_pgbench =
        Command::new("pgbench").arg("--version").output().is_ok_and(|done| done.status.success());
    let (Ok(mut client), true) = (Client::connect(&server, NoTls), has_pgbench) else {
        println!("\npgbench or its server is not here: no TPC-B-like figure");
        return Ok(());
    };
    let drop = format!("DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)");
    client.batch_execute(&drop)?;
    client.batch_execute(&format!("CREATE DATABASE {DATABASE} TEMPLATE template0"))?;
    let (base, _) = server.rsplit_once('/').ok_or("the URL of the server names no database")?;
    let url = format!("{base}/{DATABASE}");
    let done = table(&url);
    client.batch_execute(&drop)?;
    report.add(done?);
    Ok(())
}

fn table(url: &str) -> Result<Table, Failure> {
    run(&["--initialize", "--quiet", "--scale=10", url])?;
    let columns = ["how", "transactions a second"];
    let mut table = Table::new("pgbench, TPC-B-like, scale 10, this machine's PostgreSQL", &columns);
    for clients in ["1", "8", "32"] {
        let said = run(&["--protocol=prepared", "--jobs=2", "--time", SECONDS, "--client", clients, url])?;
        let tps = said.lines().find_map(|line| line.strip_prefix("tps = ")?.split(' ').next());
        let tps: f64 = tps.ok_or("pgbench gave no tps")?.parse()?;
        table.row([format!("{clients} clients"), figure(tps)]);
    }
    Ok(table)
}

fn run(arguments: &[&str]) -> Result<String, Failure> {
    let done = Command::new("pgbench").args(arguments).output()?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    Err(String::from_utf8_lossy(&done.stderr).into_owned().into())
}
