//! A data folder of its own for each test, and the binary run on it.

use assert_cmd::Command;
use serde_json::Value;
use std::path::PathBuf;
use tempfile::TempDir;

/// The present of every test: after all data in the fixtures.
pub(crate) const NOW: &str = "2026-11-23T12:00:00Z";

pub(crate) fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fixtures")
}

pub(crate) fn binary() -> PathBuf {
    assert_cmd::cargo::cargo_bin!("vitalcast").to_owned()
}

pub(crate) struct Folder {
    pub(crate) dir: TempDir,
}

impl Folder {
    pub(crate) fn new() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
        }
    }

    /// With the people of both data sets in it.
    pub(crate) fn with_people() -> Self {
        let folder = Self::new();
        for set in ["t1d-uom", "lifesnaps"] {
            folder
                .run(["import", fixtures().join(set).to_str().unwrap()])
                .success();
        }
        folder
    }

    pub(crate) fn data(&self) -> PathBuf {
        self.dir.path().join("data")
    }

    pub(crate) fn file(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.dir.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    }

    /// Trains a model of resting heart rate; the answer.
    pub(crate) fn train(&self, user: &str, architecture: &str) -> Value {
        let name = ["--architecture", architecture];
        self.json([&["train", "--user", user, "--metric", "rhr"], &name[..]].concat())
    }

    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(binary());
        command
            .env("VITALCAST_DATA_DIR", self.data())
            .env("VITALCAST_NOW", NOW)
            // The zone of new people, on whatever computer.
            .env("TZ", "UTC")
            .env("NO_COLOR", "1");
        command
    }

    pub(crate) fn run<'a>(
        &self,
        args: impl IntoIterator<Item = &'a str>,
    ) -> assert_cmd::assert::Assert {
        self.command().args(args).assert()
    }

    /// What a command prints with `--json`.
    pub(crate) fn json<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> Value {
        let assert = self.command().args(args).arg("--json").assert().success();
        serde_json::from_slice(&assert.get_output().stdout).unwrap()
    }

    /// Exit code and standard error of a command that fails.
    pub(crate) fn failure<'a>(&self, args: impl IntoIterator<Item = &'a str>) -> (i32, String) {
        let assert = self.command().args(args).assert().failure();
        let output = assert.get_output();
        (
            output.status.code().unwrap(),
            String::from_utf8(output.stderr.clone()).unwrap(),
        )
    }

    /// The person with meals, and the one with the most nights.
    pub(crate) fn people(&self) -> (String, String) {
        let users = self.json(["users"]);
        let users = users.as_array().unwrap();
        let id = |user: &Value| user["user_id"].as_str().unwrap().to_owned();
        let eater = users
            .iter()
            .find(|user| user["meals"].as_u64().unwrap() > 0)
            .unwrap();
        let sleeper = users
            .iter()
            .filter(|user| user["meals"].as_u64().unwrap() == 0)
            .max_by_key(|user| user["days"].as_u64().unwrap())
            .unwrap();
        (id(eater), id(sleeper))
    }
}
