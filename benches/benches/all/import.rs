//! Import, in bytes of CSV per second on one core, to a sink that keeps nothing.

use criterion::{BatchSize, Criterion, Throughput};
use std::fmt::Write as _;
use std::hint::black_box;
use std::ops::ControlFlow;
use std::path::Path;
use vitalcast_domain::{Profile, Record, UserId};
use vitalcast_import::{ImportOptions, Reject, Sink, SinkError, import};

#[derive(Default)]
struct Nowhere {
    records: usize,
}

impl Sink for Nowhere {
    fn person(&mut self, _: &UserId, profile: &Profile) -> Result<Profile, SinkError> {
        Ok(profile.clone())
    }

    fn records(&mut self, _: &UserId, records: Vec<Record>) -> Result<(), SinkError> {
        self.records += records.len();
        Ok(())
    }

    fn reject(&mut self, reject: &Reject) -> Result<(), SinkError> {
        panic!("{reject:?}");
    }

    fn progress(&mut self, _: u64, _: u64) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
}

/// Readings of 50 people, one a minute.
fn health_metrics(rows: u32) -> String {
    let mut csv = String::from("id,userId,recordedAt,metricType,value,unit,source,createdAt\n");
    for row in 0..rows {
        let (day, minute) = (row / 1_440 % 28 + 1, row % 1_440);
        let (hour, minute) = (minute / 60, minute % 60);
        let value = 50 + row % 40;
        writeln!(
            csv,
            "clx{row:022},user_{:03},2024-03-{day:02}T{hour:02}:{minute:02}:00.000Z,\
             RESTING_HEART_RATE,{value}.5,bpm,apple_health,2024-03-{day:02}T{hour:02}:{minute:02}:30.000Z",
            row % 50
        )
        .unwrap();
    }
    csv
}

/// Meals of 50 people.
fn meals(rows: u32) -> String {
    let mut csv = String::from(
        "id,userId,name,mealType,calories,protein,carbs,fat,fiber,sugar,consumedAt,createdAt\n",
    );
    for row in 0..rows {
        let (day, hour) = (row / 3 % 28 + 1, 7 + row % 3 * 6);
        writeln!(
            csv,
            "clm{row:022},user_{:03},\"Oats, with berries\",breakfast,512.4,21.5,63.25,18.1,9.5,12,\
             2024-03-{day:02}T{hour:02}:15:00.000Z,2024-03-{day:02}T{hour:02}:20:00.000Z",
            row % 50
        )
        .unwrap();
    }
    csv
}

fn read(path: &Path) -> usize {
    let options = ImportOptions::at("2026-01-01T00:00:00Z".parse().unwrap());
    let mut sink = Nowhere::default();
    import(&[path], &options, &mut sink).unwrap();
    sink.records
}

pub(crate) fn benches(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().unwrap();
    let mut group = criterion.benchmark_group("import");
    group.sample_size(20);
    let rows = if crate::is_quick() { 100 } else { 100_000 };
    for (name, csv) in [
        ("health_metrics.csv", health_metrics(rows)),
        ("meals.csv", meals(rows)),
    ] {
        let path = folder.path().join(name);
        std::fs::write(&path, &csv).unwrap();
        group.throughput(Throughput::Bytes(csv.len() as u64));
        group.bench_function(name, |bencher| {
            bencher.iter_batched(|| (), |()| black_box(read(&path)), BatchSize::PerIteration);
        });
    }
    let diary = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/t1d-uom");
    group.throughput(Throughput::Bytes(bytes_of(&diary)));
    group.bench_function("t1d-uom, one person", |bencher| {
        bencher.iter(|| black_box(read(&diary)));
    });
}

/// Bytes of the CSV files of a folder.
fn bytes_of(folder: &Path) -> u64 {
    std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| match entry.file_type().unwrap().is_dir() {
            true => bytes_of(&entry.path()),
            false if entry.path().extension().is_some_and(|end| end == "csv") => {
                entry.metadata().unwrap().len()
            }
            false => 0,
        })
        .sum()
}
