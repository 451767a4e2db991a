//! How many requests a key may make.

use crate::config::Limits;
use crate::error::ApiError;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, OnceLock};

/// Checks after which keys that have long been silent are forgotten.
const TIDY_EVERY: u32 = 10_000;

pub(crate) const RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
pub(crate) const RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// A bucket for each key, filled at a steady rate (the generic cell rate algorithm).
pub(crate) struct RateLimits {
    buckets: Option<Buckets>,
    clock: DefaultClock,
    checks: AtomicU32,
}

struct Buckets {
    limiter: DefaultKeyedRateLimiter<String, StateInformationMiddleware>,
    rate: NonZeroU32,
    burst: NonZeroU32,
}

/// What is left to a key.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Standing {
    /// Requests a full bucket holds.
    burst: u32,
    /// Seconds in which an empty bucket fills.
    window: u64,
    /// Requests that may come at once.
    remaining: u32,
    /// Seconds until the bucket is full, or, for a request that was refused, until one may come.
    reset: u64,
}

/// The place where the standing of a request's key is left for its answer, once it is known.
pub(crate) type StandingOfRequest = Arc<OnceLock<Standing>>;

impl Standing {
    /// As draft-ietf-httpapi-ratelimit-headers has it.
    pub(crate) fn write(self, headers: &mut HeaderMap) {
        let Self {
            burst,
            window,
            remaining,
            reset,
        } = self;
        for (name, value) in [
            (RATE_LIMIT_POLICY, format!(r#""key";q={burst};w={window}"#)),
            (RATE_LIMIT, format!(r#""key";r={remaining};t={reset}"#)),
        ] {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
    }
}

impl RateLimits {
    pub(crate) fn new(limits: &Limits) -> Self {
        let rate = NonZeroU32::new(limits.rate_per_second);
        let buckets = rate.map(|rate| {
            let burst = NonZeroU32::new(limits.rate_burst).unwrap_or(rate);
            let quota = Quota::per_second(rate).allow_burst(burst);
            Buckets {
                limiter: RateLimiter::keyed(quota).with_middleware(),
                rate,
                burst,
            }
        });
        Self {
            buckets,
            clock: DefaultClock::default(),
            checks: AtomicU32::new(0),
        }
    }

    /// Counts a request, and says what is left in `standing`.
    ///
    /// # Errors
    ///
    /// 429 with the seconds to wait.
    pub(crate) fn check(&self, who: &str, standing: &OnceLock<Standing>) -> Result<(), ApiError> {
        let Some(Buckets {
            limiter,
            rate,
            burst,
        }) = &self.buckets
        else {
            return Ok(());
        };
        if self.checks.fetch_add(1, Ordering::Relaxed) % TIDY_EVERY == TIDY_EVERY - 1 {
            limiter.retain_recent();
        }
        let fills_in = |requests: u32| u64::from(requests.div_ceil(rate.get()));
        let outcome = limiter.check_key(&who.to_owned());
        let (remaining, reset) = match &outcome {
            Ok(left) => {
                let remaining = left.remaining_burst_capacity();
                (remaining, fills_in(burst.get().saturating_sub(remaining)))
            }
            Err(not_until) => {
                let wait = not_until.wait_time_from(self.clock.now());
                (0, (wait.as_secs_f64().ceil() as u64).max(1))
            }
        };
        let _ = standing.set(Standing {
            burst: burst.get(),
            window: fills_in(burst.get()),
            remaining,
            reset,
        });
        outcome.map(drop).map_err(|_| ApiError::too_many(reset))
    }
}
