//! Prepared statements, kept for as long as the session.

use std::collections::HashMap;

use ::postgres::{Error, GenericClient, Statement};

/// The statements by their SQL: a few of the store's own and two a table.
#[derive(Default)]
pub(super) struct Statements(HashMap<String, Statement>);

impl Statements {
    pub(super) fn get(&mut self, client: &mut impl GenericClient, sql: &str) -> Result<Statement, Error> {
        if let Some(statement) = self.0.get(sql) {
            return Ok(statement.clone());
        }
        let statement = client.prepare(sql)?;
        self.0.insert(sql.to_owned(), statement.clone());
        Ok(statement)
    }
}
