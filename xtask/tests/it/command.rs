//! `cargo xtask` itself, as far as it can be tested without running the whole house.

use std::process::{Command, Output};

fn xtask(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_xtask"))
        .args(arguments)
        .output()
        .unwrap()
}

#[test]
fn help_names_every_command() {
    for arguments in [&["--help"][..], &["help"], &["ci", "--help"]] {
        let output = xtask(arguments);
        assert!(output.status.success());
        let text = String::from_utf8(output.stdout).unwrap();
        for command in [
            "  test ",
            "  ci ",
            "  soak ",
            "  fixtures ",
            "  pretrain ",
            "  bench-peers ",
            "  bench-accuracy ",
            "  bench-server ",
        ] {
            assert!(text.contains(command), "{text}");
        }
    }
}

#[test]
fn an_unknown_command_is_named_and_exits_with_two() {
    let output = xtask(&["tset"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("`tset` is not a command")
    );
}

#[test]
fn no_command_at_all_shows_the_help_and_exits_with_two() {
    let output = xtask(&[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("Usage: cargo xtask")
    );
}

#[test]
fn fixtures_from_a_folder_without_data_names_the_file_it_missed() {
    let empty = tempfile::tempdir().unwrap();
    let folder = empty.path().to_str().unwrap();
    let output = xtask(&["fixtures", "--from", folder, "--to", folder]);
    assert_eq!(output.status.code(), Some(1));
    assert!(
        String::from_utf8(output.stderr)
            .unwrap()
            .contains("LICENSE.md")
    );
    assert_eq!(
        std::fs::read_dir(empty.path()).unwrap().count(),
        0,
        "nothing half-written"
    );
}

#[test]
fn a_comparison_that_means_nothing_is_refused_before_anything_is_built() {
    for (arguments, expected) in [
        (&["--isa", "mmx"][..], "--isa mmx: expected avx2 or native"),
        (
            &["--rows", "naps"],
            "--rows naps: expected some of train_default",
        ),
        (&["--rounds"], "--rounds needs a value"),
    ] {
        let output = xtask(&[&["bench-peers"], arguments].concat());
        assert_eq!(output.status.code(), Some(2));
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(expected), "{text}");
    }
}

#[test]
fn accuracy_without_the_data_sets_names_the_folder_before_anything_is_built() {
    let empty = tempfile::tempdir().unwrap();
    let output = xtask(&["bench-accuracy", "--from", empty.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("there is no folder"), "{text}");
    assert!(text.contains("lifesnaps"), "{text}");
}
