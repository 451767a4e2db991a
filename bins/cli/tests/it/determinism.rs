//! The same data, settings and seed give the same artifact, byte for byte.

use crate::support::Folder;

fn artifact(seed: &str) -> Vec<u8> {
    let folder = Folder::with_people();
    let (user, _) = folder.people();
    folder.json([
        "train",
        "--user",
        &user,
        "--metric",
        "rhr",
        "--epochs",
        "10",
        "--hidden-dim",
        "32",
        "--num-layers",
        "1",
        "--seed",
        seed,
    ]);
    let models = folder.data().join("models");
    let file = std::fs::read_dir(models)
        .unwrap()
        .next()
        .unwrap()
        .unwrap()
        .path();
    std::fs::read(file).unwrap()
}

#[test]
fn the_same_seed_gives_the_same_artifact_twice_and_another_seed_another() {
    let first = artifact("7");
    assert!(first == artifact("7"), "the same seed gave other bytes");
    assert!(first != artifact("8"), "another seed gave the same bytes");
}
