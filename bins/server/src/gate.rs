//! Admission of work that blocks: so much at once, so much that waits, the rest refused.

use crate::error::ApiError;
use crate::threads::Threads;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use tokio::sync::oneshot;

/// How much is done at once, and how much waits for it.
///
/// A thread that has finished one piece of work takes the next by itself. It does not wait until the
/// tasks of the runtime have had their turn: with thousands of requests to refuse, that would take
/// longer than the work.
#[derive(Clone)]
pub(crate) struct Gate {
    shared: Arc<Shared>,
}

struct Shared {
    threads: Threads,
    at_once: usize,
    most_waiting: usize,
    queue: Mutex<Queue>,
}

#[derive(Default)]
struct Queue {
    running: usize,
    waiting: VecDeque<Piece>,
}

/// A piece of work, and whether somebody still waits for what it gives.
struct Piece {
    wanted: Weak<()>,
    run: Box<dyn FnOnce() + Send>,
}

impl Piece {
    fn is_wanted(&self) -> bool {
        self.wanted.strong_count() > 0
    }
}

impl Gate {
    pub(crate) fn new(threads: &Threads, at_once: usize, most_waiting: usize) -> Self {
        Self {
            shared: Arc::new(Shared {
                threads: threads.clone(),
                at_once,
                most_waiting,
                queue: Mutex::default(),
            }),
        }
    }

    /// Runs something that blocks, on a thread that may; refuses at once when too much waits. Work
    /// that waits is given up when nobody waits for it any more.
    pub(crate) async fn run<T, E>(
        &self,
        work: impl FnOnce() -> Result<T, E> + Send + 'static,
    ) -> Result<T, ApiError>
    where
        T: Send + 'static,
        E: Send + 'static,
        ApiError: From<E>,
    {
        // Whatever the work gives goes through here: all that waits and wakes is compiled once for all.
        let outcome = Arc::new(Mutex::new(None));
        let filled = Arc::clone(&outcome);
        self.run_to_end(Box::new(move || {
            let given = work();
            *filled.lock().unwrap_or_else(PoisonError::into_inner) = Some(given);
        }))
        .await?;
        let mut outcome = outcome.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome.take() {
            Some(given) => given.map_err(ApiError::from),
            // It ends without an outcome only in a panic, of which it was told.
            None => Err(ApiError::internal()),
        }
    }

    async fn run_to_end(&self, work: Box<dyn FnOnce() + Send>) -> Result<(), ApiError> {
        // Held until the answer is there, or the client is gone.
        let wanted = Arc::new(());
        let (sender, receiver) = oneshot::channel();
        let piece = Piece {
            wanted: Arc::downgrade(&wanted),
            run: Box::new(move || {
                work();
                // Nobody listens when the client is gone.
                let _ = sender.send(());
            }),
        };
        self.shared.admit(piece)?;
        receiver.await.map_err(|_| {
            tracing::error!("a use case panicked");
            ApiError::internal()
        })
    }
}

impl Shared {
    /// The queue. A panic while it is locked is not possible; if it were, the queue would still be whole.
    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn admit(self: &Arc<Self>, piece: Piece) -> Result<(), ApiError> {
        {
            let mut queue = self.queue();
            if queue.running >= self.at_once {
                if queue.waiting.len() >= self.most_waiting {
                    queue.waiting.retain(Piece::is_wanted);
                }
                if queue.waiting.len() >= self.most_waiting {
                    drop(queue);
                    metrics::counter!("vitalcast_overloaded_total").increment(1);
                    return Err(ApiError::overloaded());
                }
                queue.waiting.push_back(piece);
                return Ok(());
            }
            queue.running += 1;
        }
        let shared = Arc::clone(self);
        let started = self.threads.run(move || shared.work_off(piece));
        started.map_err(|_| {
            self.queue().running -= 1;
            ApiError::overloaded()
        })
    }

    /// Does a piece of work, and then what waits, until nothing does.
    fn work_off(&self, first: Piece) {
        let mut next = Some(first);
        while let Some(piece) = next {
            // A piece that panics drops its sender, which its client is told of.
            let _ = catch_unwind(AssertUnwindSafe(piece.run));
            let mut queue = self.queue();
            next = loop {
                match queue.waiting.pop_front() {
                    Some(piece) if piece.is_wanted() => break Some(piece),
                    Some(_) => {}
                    None => break None,
                }
            };
            if next.is_none() {
                queue.running -= 1;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use std::future::Future;
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::{Context, Waker};
    use vitalcast::EngineError;

    type Done = Result<u32, EngineError>;

    /// Begins to wait for something: what `tokio::spawn` would do, but the test can drop it.
    fn begin(future: &mut std::pin::Pin<&mut impl Future>) {
        let mut context = Context::from_waker(Waker::noop());
        assert!(future.as_mut().poll(&mut context).is_pending());
    }

    fn status(refusal: ApiError) -> StatusCode {
        refusal.into_response().status()
    }

    #[tokio::test]
    async fn what_waits_is_done_in_order_and_what_is_too_much_refused() {
        let gate = Gate::new(&Threads::new(), 1, 2);
        let (go, wait) = mpsc::channel::<()>();
        let (done, order) = mpsc::channel();
        let mut first = pin!(gate.run(move || {
            wait.recv().unwrap();
            Done::Ok(1)
        }));
        begin(&mut first);
        let (done_2, done_3) = (done.clone(), done);
        let mut second = pin!(gate.run(move || {
            done_2.send(2).unwrap();
            Done::Ok(2)
        }));
        let mut third = pin!(gate.run(move || {
            done_3.send(3).unwrap();
            Done::Ok(3)
        }));
        begin(&mut second);
        begin(&mut third);
        let refused = gate.run(|| Done::Ok(4)).await.unwrap_err();
        assert_eq!(status(refused), StatusCode::SERVICE_UNAVAILABLE);
        go.send(()).unwrap();
        assert_eq!(first.await.ok(), Some(1));
        assert_eq!(third.await.ok(), Some(3));
        assert_eq!(second.await.ok(), Some(2));
        assert_eq!(order.iter().collect::<Vec<_>>(), [2, 3]);
        // And there is room again.
        assert_eq!(gate.run(|| Done::Ok(5)).await.ok(), Some(5));
    }

    #[tokio::test]
    async fn clients_that_went_away_take_no_room_and_no_time() {
        let gate = Gate::new(&Threads::new(), 1, 1);
        let (go, wait) = mpsc::channel::<()>();
        let (done, order) = mpsc::channel();
        let mut first = pin!(gate.run(move || {
            wait.recv().unwrap();
            Done::Ok(1)
        }));
        begin(&mut first);
        {
            let mut gone = pin!(gate.run(move || {
                done.send(()).unwrap();
                Done::Ok(2)
            }));
            begin(&mut gone);
        }
        let mut next = pin!(gate.run(|| Done::Ok(3)));
        begin(&mut next);
        go.send(()).unwrap();
        assert_eq!(first.await.ok(), Some(1));
        assert_eq!(next.await.ok(), Some(3));
        assert_eq!(order.recv(), Err(mpsc::RecvError), "nobody wanted it");
    }

    #[tokio::test]
    async fn work_that_panics_is_told_of_and_the_next_is_done() {
        let gate = Gate::new(&Threads::new(), 1, 1);
        let (go, wait) = mpsc::channel::<()>();
        let mut first = pin!(gate.run(move || -> Done {
            wait.recv().unwrap();
            panic!("a fault");
        }));
        begin(&mut first);
        let mut second = pin!(gate.run(|| Done::Ok(2)));
        begin(&mut second);
        go.send(()).unwrap();
        let told = first.await.unwrap_err();
        assert_eq!(status(told), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(second.await.ok(), Some(2));
    }
}
