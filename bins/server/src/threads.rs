//! Threads for work that blocks.
//!
//! The thread that became idle last gets the next work. After a peak the others stay idle and end. (The
//! runtime's own pool gives work to all of its threads in turn: 200 requests a second kept fifty of them
//! alive, each with memory of its own.)

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How long an idle thread waits for work before it ends.
const PATIENCE: Duration = Duration::from_secs(2);

type Work = Box<dyn FnOnce() + Send>;

/// A pool of threads that grows as needed. Clones share it.
#[derive(Clone)]
pub(crate) struct Threads {
    shared: Arc<Shared>,
}

struct Shared {
    patience: Duration,
    state: Mutex<State>,
    /// Told of when no thread works any more.
    all_idle: Condvar,
}

#[derive(Default)]
struct State {
    /// Threads that wait for work, the last one on top.
    idle: Vec<Idle>,
    busy: usize,
    started: u64,
}

struct Idle {
    number: u64,
    work: Sender<Work>,
}

impl Threads {
    pub(crate) fn new() -> Self {
        Self::with_patience(PATIENCE)
    }

    fn with_patience(patience: Duration) -> Self {
        Self {
            shared: Arc::new(Shared {
                patience,
                state: Mutex::default(),
                all_idle: Condvar::new(),
            }),
        }
    }

    /// Runs work on a thread of its own.
    ///
    /// # Errors
    ///
    /// The system starts no more threads; the work is dropped.
    pub(crate) fn run(&self, work: impl FnOnce() + Send + 'static) -> io::Result<()> {
        let work: Work = Box::new(work);
        let mut state = self.shared.state();
        state.busy += 1;
        if let Some(idle) = state.idle.pop() {
            drop(state);
            // A thread ends only after it took itself off the list.
            let _ = idle.work.send(work);
            return Ok(());
        }
        let number = state.started;
        state.started += 1;
        drop(state);
        let shared = Arc::clone(&self.shared);
        let started = std::thread::Builder::new()
            .name("blocking".to_owned())
            .spawn(move || shared.work_off(number, work));
        if started.is_err() {
            drop(self.shared.work_is_done());
        }
        started.map(drop)
    }

    /// Waits until all work is done.
    pub(crate) fn finish(&self) {
        let mut state = self.shared.state();
        while state.busy > 0 {
            state = self
                .shared
                .all_idle
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work_is_done(&self) -> MutexGuard<'_, State> {
        let mut state = self.state();
        state.busy -= 1;
        if state.busy == 0 {
            self.all_idle.notify_all();
        }
        state
    }

    fn work_off(&self, number: u64, first: Work) {
        let (sender, receiver) = channel();
        let mut work = first;
        loop {
            // The panic is logged where it happens; the thread is as good as before.
            let _ = catch_unwind(AssertUnwindSafe(work));
            self.work_is_done().idle.push(Idle {
                number,
                work: sender.clone(),
            });
            if let Ok(next) = receiver.recv_timeout(self.patience) {
                work = next;
                continue;
            }
            let mut state = self.state();
            let place = state.idle.iter().position(|idle| idle.number == number);
            if let Some(place) = place {
                state.idle.remove(place);
                return;
            }
            drop(state);
            // Taken off the list by somebody who is just sending work.
            match receiver.recv() {
                Ok(next) => work = next,
                Err(_) => return,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;
    use std::thread::{self, ThreadId};

    impl Threads {
        fn idle(&self) -> usize {
            self.shared.state().idle.len()
        }
    }

    /// The thread of one piece of work, after it has ended.
    fn thread_of(threads: &Threads) -> ThreadId {
        let (sender, receiver) = mpsc::channel();
        let work = move || sender.send(thread::current().id()).unwrap();
        threads.run(work).unwrap();
        threads.finish();
        receiver.recv().unwrap()
    }

    #[test]
    fn threads_of_a_peak_stay_idle_although_there_is_always_some_work() {
        let threads = Threads::with_patience(Duration::from_hours(1));
        let (go, wait) = mpsc::channel::<()>();
        let wait = Arc::new(Mutex::new(wait));
        for _ in 0..8 {
            let wait = Arc::clone(&wait);
            let work = move || {
                let _ = wait.lock().unwrap().recv();
            };
            threads.run(work).unwrap();
        }
        drop(go);
        threads.finish();
        assert_eq!(threads.idle(), 8);
        // One thread does all that comes one by one.
        let first = thread_of(&threads);
        for _ in 0..100 {
            assert_eq!(thread_of(&threads), first);
        }
    }

    #[test]
    fn idle_threads_end_and_work_that_comes_just_then_is_done() {
        let threads = Threads::with_patience(Duration::ZERO);
        for _ in 0..2_000 {
            thread_of(&threads);
        }
        while threads.idle() > 0 {
            thread::yield_now();
        }
    }

    #[test]
    fn work_that_panics_counts_as_done() {
        let threads = Threads::new();
        threads.run(|| panic!("a fault")).unwrap();
        threads.finish();
        assert_eq!(threads.idle(), 1);
    }
}
