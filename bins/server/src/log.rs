//! The log on standard error. If the disk is full or the reader is gone or stuck, lines are lost and
//! counted, and the service continues.
//!
//! Lines go through a bounded queue to a thread of its own, the only one that ever waits for standard
//! error. A full queue refuses further lines.

use std::io::{self, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::time::Duration;
use tracing_subscriber::fmt::MakeWriter;

/// Maximum number of queued lines, a few hundred bytes each.
const WAITING_LINES: usize = 4_096;
/// Longest wait for lines to be written when the process ends.
const LAST_WORDS: Duration = Duration::from_secs(1);
/// Pause before a descriptor that does not block is tried again.
const PAUSE: Duration = Duration::from_millis(10);

enum Entry {
    Line(Vec<u8>),
    /// Answered once everything before it was written.
    Flush(SyncSender<()>),
}

/// A log that never fails and never waits.
#[derive(Clone)]
pub struct LogWriter {
    entries: SyncSender<Entry>,
    lost: Arc<Lost>,
}

/// Lines that could not be written.
#[derive(Default)]
struct Lost {
    lines: AtomicU64,
    /// Whether the last one was among them.
    is_losing: AtomicBool,
}

impl Lost {
    fn add_line(&self) {
        self.lines.fetch_add(1, Ordering::Relaxed);
        self.is_losing.store(true, Ordering::Relaxed);
    }
}

impl LogWriter {
    /// Starts the thread that writes to standard error.
    ///
    /// # Errors
    ///
    /// No thread can be started.
    pub fn start() -> io::Result<Self> {
        Self::to(standard_error()?)
    }

    fn to(output: impl Write + Send + 'static) -> io::Result<Self> {
        let (entries, queue) = sync_channel(WAITING_LINES);
        let lost = Arc::new(Lost::default());
        let counted = Arc::clone(&lost);
        std::thread::Builder::new()
            .name("log".to_owned())
            .spawn(move || write_lines(&queue, output, &counted))?;
        Ok(Self { entries, lost })
    }

    /// Number of lines lost since the start.
    pub fn lost_lines(&self) -> u64 {
        self.lost.lines.load(Ordering::Relaxed)
    }

    /// Whether lines are lost now.
    pub fn is_losing_lines(&self) -> bool {
        self.lost.is_losing.load(Ordering::Relaxed)
    }

    /// Waits until what was logged is written, but not long: whoever should read it may be stuck.
    pub fn flush(&self) {
        let (done, written) = sync_channel(1);
        // A full queue is not waited for: nobody takes its lines.
        if self.entries.try_send(Entry::Flush(done)).is_ok() {
            let _ = written.recv_timeout(LAST_WORDS);
        }
    }
}

/// One line, a whole one in each call.
impl Write for LogWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        if self.entries.try_send(Entry::Line(line.to_vec())).is_err() {
            self.lost.add_line();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogWriter {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

/// Standard error without the lock that `std::io::stderr` holds while it writes: a thread that
/// panics asks for that lock, and would wait for a reader that is stuck.
#[cfg(unix)]
fn standard_error() -> io::Result<impl Write + Send + 'static> {
    use std::os::fd::AsFd;
    io::stderr()
        .as_fd()
        .try_clone_to_owned()
        .map(std::fs::File::from)
}

#[cfg(not(unix))]
fn standard_error() -> io::Result<impl Write + Send + 'static> {
    Ok(io::stderr())
}

fn write_lines(queue: &Receiver<Entry>, mut output: impl Write, lost: &Lost) {
    while let Ok(entry) = queue.recv() {
        match entry {
            Entry::Line(line) => match write_line(&mut output, &line) {
                Ok(()) => lost.is_losing.store(false, Ordering::Relaxed),
                Err(_) => lost.add_line(),
            },
            Entry::Flush(done) => {
                // Whoever waited for it may have gone on.
                let _ = done.try_send(());
            }
        }
    }
}

fn write_line(output: &mut impl Write, mut line: &[u8]) -> io::Result<()> {
    while !line.is_empty() {
        match output.write(line) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => line = &line[written..],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            // A pipe that somebody else has set not to block.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => std::thread::sleep(PAUSE),
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    /// Takes what it is told to, one piece at a time.
    struct Script(Vec<io::Result<usize>>, Arc<Mutex<Vec<u8>>>);

    impl Write for Script {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            let step = if self.0.is_empty() {
                Ok(bytes.len())
            } else {
                self.0.remove(0)
            };
            let count = step?.min(bytes.len());
            self.1.lock().unwrap().extend_from_slice(&bytes[..count]);
            Ok(count)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn what_cannot_be_written_is_lost_and_counted_and_the_rest_is_written() {
        let written = Arc::new(Mutex::new(Vec::new()));
        let script = vec![
            Err(io::ErrorKind::BrokenPipe.into()),
            Ok(2),
            Err(io::ErrorKind::Interrupted.into()),
            Err(io::ErrorKind::WouldBlock.into()),
            Ok(100),
            Err(io::ErrorKind::StorageFull.into()),
            Ok(0),
        ];
        let mut log = LogWriter::to(Script(script, Arc::clone(&written))).unwrap();
        for line in ["first\n", "second\n", "third\n", "fourth\n", "fifth\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        LogWriter::flush(&log);
        assert_eq!(*written.lock().unwrap(), b"second\nfifth\n");
        assert_eq!(log.lost_lines(), 3);
        assert!(!log.is_losing_lines());
    }

    #[test]
    fn a_stuck_reader_keeps_nobody_waiting() {
        /// Waits until the test is over.
        struct Stuck(Receiver<()>);

        impl Write for Stuck {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                let _ = self.0.recv();
                Err(io::ErrorKind::BrokenPipe.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }

        let (over, waiting) = sync_channel(1);
        let mut log = LogWriter::to(Stuck(waiting)).unwrap();
        // One is with the writer, or not yet; the queue holds the others.
        for _ in 0..WAITING_LINES + 10 {
            log.write_all(b"line\n").unwrap();
        }
        assert!((9..=10).contains(&log.lost_lines()), "{}", log.lost_lines());
        assert!(log.is_losing_lines());
        LogWriter::flush(&log);
        drop(over);
    }
}
