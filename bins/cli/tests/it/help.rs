//! What a newcomer reads first.

use crate::support::Folder;

#[test]
fn help_names_every_command_and_the_exit_codes() {
    let folder = Folder::new();
    let assert = folder.run(["--help"]).success();
    let text = String::from_utf8(assert.get_output().stdout.clone()).unwrap();
    for word in [
        "demo",
        "import",
        "users",
        "features",
        "train",
        "predict",
        "explain",
        "backtest",
        "correlate",
        "lags",
        "experiment",
        "models",
        "history",
        "completions",
        "man",
        "Exit codes",
        "VITALCAST_DATA_DIR",
        "not a medical device",
    ] {
        assert!(text.contains(word), "{word} is not in the help");
    }
}

#[test]
fn completions_and_the_manual_are_printed() {
    let folder = Folder::new();
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let assert = folder.run(["completions", shell]).success();
        assert!(assert.get_output().stdout.len() > 1_000, "{shell}");
    }
    let assert = folder.run(["man"]).success();
    assert!(
        assert.get_output().stdout.starts_with(b".ie")
            || assert.get_output().stdout.starts_with(b".TH")
    );
}
