//! The events of a running or recently ended job, for its watchers.

use super::{Subject, locked};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use tokio::sync::watch;
use vitalcast_domain::{JobInfo, JobProgress, ModelId};
use vitalcast_store::{NewJob, StoredJob};

/// An event of a job.
#[derive(Debug, Clone, PartialEq)]
pub struct JobEvent {
    /// Number of the event, counted from 1.
    pub number: u64,
    /// State of the job at the time of the event.
    pub job: JobInfo,
}

pub(super) struct Live {
    pub(super) job: NewJob,
    pub(super) events: Mutex<Vec<JobEvent>>,
    pub(super) changed: watch::Sender<u64>,
    pub(super) cancelled: AtomicBool,
    /// The process stops: return the job to the queue.
    pub(super) handed_back: AtomicBool,
}

impl Live {
    pub(super) fn new(stored: &StoredJob) -> Self {
        let live = Self {
            job: stored.job.clone(),
            events: Mutex::default(),
            changed: watch::Sender::new(0),
            cancelled: AtomicBool::new(false),
            handed_back: AtomicBool::new(false),
        };
        live.tell(info(stored));
        live
    }

    pub(super) fn subject(&self) -> Subject {
        (self.job.user_id.clone(), self.job.kind, self.job.metric)
    }

    pub(super) fn last(&self) -> JobInfo {
        let events = locked(&self.events);
        events
            .last()
            .expect("a job begins with an event")
            .job
            .clone()
    }

    pub(super) fn tell(&self, job: JobInfo) {
        let mut events = locked(&self.events);
        let number = events.len() as u64 + 1;
        events.push(JobEvent { number, job });
        self.changed.send_replace(number);
    }

    pub(super) fn progress(&self, progress: JobProgress) {
        let mut job = self.last();
        job.progress = Some(progress);
        self.tell(job);
    }
}

/// Follows a job. All events are delivered, also earlier ones.
pub struct JobWatch {
    pub(super) live: Arc<Live>,
    pub(super) changed: watch::Receiver<u64>,
}

impl JobWatch {
    /// Waits for events after a given number and returns them. Empty if the job has ended and all
    /// events were returned, or if the process stops. An unknown number comes from an earlier process;
    /// then all events are returned.
    pub async fn after(&mut self, number: u64) -> Vec<JobEvent> {
        loop {
            self.changed.borrow_and_update();
            let events: Vec<JobEvent> = {
                let events = locked(&self.live.events);
                let seen = usize::try_from(number).unwrap_or(usize::MAX);
                let seen = if seen > events.len() { 0 } else { seen };
                events[seen..].to_vec()
            };
            if !events.is_empty()
                || self.live.last().state.is_final()
                || self.live.handed_back.load(Ordering::SeqCst)
            {
                return events;
            }
            if self.changed.changed().await.is_err() {
                return Vec::new();
            }
        }
    }

    /// Waits for the end of the job; returns its current state if the process stops.
    pub async fn end(&mut self) -> JobInfo {
        loop {
            self.changed.borrow_and_update();
            let last = self.live.last();
            if last.state.is_final()
                || self.live.handed_back.load(Ordering::SeqCst)
                || self.changed.changed().await.is_err()
            {
                return last;
            }
        }
    }
}

pub(in crate::engine) fn info(stored: &StoredJob) -> JobInfo {
    JobInfo {
        job_id: stored.job.job_id.clone(),
        user_id: stored.job.user_id.clone(),
        kind: stored.job.kind,
        metric: stored.job.metric,
        state: stored.state,
        progress: None,
        estimated_seconds: stored.job.cost_seconds,
        created_at: stored.job.created_at,
        started_at: stored.started_at,
        finished_at: stored.finished_at,
        model_id: stored.result.as_ref().and_then(model_of),
        result: stored.result.clone(),
        error: stored.error.clone(),
    }
}

pub(super) fn model_of(result: &serde_json::Value) -> Option<ModelId> {
    result.get("model_id")?.as_str()?.parse().ok()
}
