//! `vitalcast keys`.

use crate::args::{Global, KeysArgs, KeysCommand};
use crate::output::Output;
use anyhow::anyhow;
use vitalcast::{KeyInfo, NewKey};

pub(crate) fn run(args: &KeysArgs, global: &Global, output: &mut Output) -> anyhow::Result<()> {
    let engine = global.engine()?;
    match &args.command {
        KeysCommand::Create {
            name,
            user,
            scope,
            expires,
        } => {
            let mut random = [0; 70];
            getrandom::fill(&mut random)
                .map_err(|_| anyhow!("cannot get random bytes from the operating system"))?;
            let key = NewKey {
                name: name.clone(),
                users: (!user.is_empty()).then(|| user.clone()),
                scopes: scope.clone(),
                expires_at: *expires,
            };
            let (key, token) = engine.create_key(key, &random, global.now())?;
            if output.is_json() {
                return output.json(&serde_json::json!({"token": token, "key": key}));
            }
            output.note("Save this key now. It cannot be shown again:");
            output.line(token)
        }
        KeysCommand::List => {
            let keys = engine.keys()?;
            if output.is_json() {
                return output.json(&serde_json::json!({"keys": keys}));
            }
            if keys.is_empty() {
                output.note(
                    "There are no keys yet: the service accepts requests from this machine only, without a key. \
                     Create one with: vitalcast keys create --name NAME --user ID --scope read",
                );
                return Ok(());
            }
            let rows: Vec<Vec<String>> = keys.iter().map(row).collect();
            output.table(&["key", "name", "people", "scopes", "state"], &rows, &[])
        }
        KeysCommand::Revoke { key } => {
            let key = engine.revoke_key(key, global.now())?;
            if output.is_json() {
                return output.json(&key);
            }
            output.line(format_args!("Revoked {}.", key.key_id))
        }
    }
}

fn row(key: &KeyInfo) -> Vec<String> {
    let people = match &key.users {
        None => "everyone".to_owned(),
        Some(users) => {
            let ids: Vec<&str> = users.iter().map(vitalcast::UserId::as_str).collect();
            ids.join(", ")
        }
    };
    let scopes: Vec<&str> = key.scopes.iter().map(|scope| scope.as_str()).collect();
    let state = match (key.revoked_at, key.expires_at) {
        (Some(at), _) => format!("revoked {}", at.date_naive()),
        (None, Some(end)) => format!("until {}", end.date_naive()),
        (None, None) => String::new(),
    };
    vec![
        key.key_id.to_string(),
        key.name.clone(),
        people,
        scopes.join(", "),
        state,
    ]
}
