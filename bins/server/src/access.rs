//! Authentication and authorisation of requests.
//!
//! A request names its person in the path, query or body. Such a value is only a claim: the extractor
//! returns it as [`Claimed`], and only [`Caller::open`] gives access to it, after a check of
//! permissions. A handler without this check does not compile.

use crate::app::App;
use crate::error::ApiError;
use crate::rate::StandingOfRequest;
use crate::tokens::Refused;
use axum::extract::FromRequestParts;
use axum::http::header::{AUTHORIZATION, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::uri::Authority;
use std::net::IpAddr;
use std::sync::Arc;
use vitalcast::{KeyInfo, Scope, UserId};

/// A value about a person, before the check of permissions.
#[derive(Debug)]
pub(crate) struct Claimed<T>(T);

impl<T> Claimed<T> {
    pub(crate) fn new(value: T) -> Self {
        Self(value)
    }
}

impl<T: Impersonal> Claimed<T> {
    /// The value, if it names no person.
    pub(crate) fn take(self) -> T {
        self.0
    }
}

/// A value that names a person.
pub(crate) trait OfUser {
    fn user(&self) -> &UserId;
}

/// A value that names no person.
pub(crate) trait Impersonal {}

/// The caller of a request.
#[derive(Debug, Clone)]
pub(crate) enum Caller {
    /// Any process on this machine while no key exists, except web pages in a browser.
    Anyone,
    /// The holder of a key.
    Key(KeyInfo),
    /// The bearer of a token of the configured issuer: one person, and some scopes.
    Token { user: UserId, scopes: Vec<Scope> },
}

impl Caller {
    /// The claimed value, if the caller has this permission for the data of the person.
    ///
    /// # Errors
    ///
    /// 403; it does not show whether the person exists.
    pub(crate) fn open<T: OfUser>(&self, claim: Claimed<T>, scope: Scope) -> Result<T, ApiError> {
        self.check_user(claim.0.user(), scope)?;
        Ok(claim.0)
    }

    fn check_user(&self, user: &UserId, scope: Scope) -> Result<(), ApiError> {
        if !self.reaches(user) {
            return Err(ApiError::forbidden(
                "This key has no access to the data of this user",
            ));
        }
        self.check_scope(scope)
    }

    /// Whether something that was found belongs to someone the caller may ask about; if not, the
    /// answer must be the same as if it had not been found.
    pub(crate) fn reaches(&self, user: &UserId) -> bool {
        match self {
            Self::Anyone => true,
            Self::Key(key) => key
                .users
                .as_ref()
                .is_none_or(|users| users.binary_search(user).is_ok()),
            Self::Token { user: own, .. } => own == user,
        }
    }

    /// Whether the caller may ask about everybody.
    pub(crate) fn reaches_everybody(&self) -> bool {
        match self {
            Self::Anyone => true,
            Self::Key(key) => key.users.is_none(),
            Self::Token { .. } => false,
        }
    }

    /// Whether the caller has this permission at all.
    ///
    /// # Errors
    ///
    /// 403 with the scope that is missing.
    pub(crate) fn check_scope(&self, scope: Scope) -> Result<(), ApiError> {
        let scopes = match self {
            Self::Anyone => return Ok(()),
            Self::Key(key) => &key.scopes,
            Self::Token { scopes, .. } => scopes,
        };
        if scopes.contains(&scope) || scopes.contains(&Scope::Admin) {
            return Ok(());
        }
        Err(ApiError::forbidden(&format!(
            "This key does not have the scope '{scope}'"
        )))
    }

    /// The key for rate limits.
    fn counted_as(&self) -> Option<String> {
        match self {
            Self::Anyone => None,
            Self::Key(key) => Some(key.key_id.to_string()),
            Self::Token { user, .. } => Some(format!("user {user}")),
        }
    }
}

/// The token of a request.
fn bearer(parts: &Parts) -> Option<&str> {
    let text = parts.headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = text.split_once(' ')?;
    (scheme.eq_ignore_ascii_case("bearer")).then(|| token.trim())
}

impl FromRequestParts<Arc<App>> for Caller {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, app: &Arc<App>) -> Result<Self, ApiError> {
        let caller = identify(parts, app).await?;
        if let Some(who) = caller.counted_as() {
            let standing = parts.extensions.get::<StandingOfRequest>().cloned();
            app.rates.check(&who, &standing.unwrap_or_default())?;
        }
        Ok(caller)
    }
}

/// Whether a request is to this machine by its own name, and not from another site's page.
///
/// A browser on this machine reaches what listens on loopback, and a page may lead it here under a
/// name of its own. Without keys nothing else would stand in the way.
fn is_from_here(parts: &Parts, allowed: &[String]) -> bool {
    let named = match parts.uri.authority() {
        Some(authority) => Some(authority.clone()),
        None => parts
            .headers
            .get(HOST)
            .and_then(|host| host.to_str().ok()?.parse::<Authority>().ok()),
    };
    let Some(named) = named else {
        return false;
    };
    let host = named.host().trim_start_matches('[').trim_end_matches(']');
    let is_loopback = host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback());
    let from_same_site = parts.headers.get(ORIGIN).is_none_or(|origin| {
        origin.to_str().is_ok_and(|origin| {
            let site = origin.split_once("://").map(|(_, site)| site);
            site == Some(named.as_str()) || allowed.iter().any(|allowed| allowed == origin)
        })
    });
    is_loopback && from_same_site
}

async fn identify(parts: &Parts, app: &Arc<App>) -> Result<Caller, ApiError> {
    if !app.needs_key().await? {
        if !is_from_here(parts, &app.config.cors_origins) {
            return Err(ApiError::forbidden(
                "There is no API key yet, so only requests to localhost are accepted, and none \
                 from other sites: create a key with `vitalcast keys create`",
            ));
        }
        return Ok(Caller::Anyone);
    }
    let token = bearer(parts).ok_or_else(ApiError::unauthorized)?;
    let now = app.now();
    if let Some(tokens) = &app.tokens
        && token.matches('.').count() == 2
    {
        return match tokens.verify(token, now).await {
            Ok((user, scopes)) => Ok(Caller::Token { user, scopes }),
            Err(Refused::Untrusted) => Err(ApiError::unauthorized()),
            Err(Refused::NoKeys) => Err(ApiError::no_issuer()),
        };
    }
    let key = match app.engine.key_at_once(token, now) {
        Some(known) => known,
        None => {
            let token = token.to_owned();
            app.quick(move |engine| engine.key_of(&token, now)).await?
        }
    };
    key.map(Caller::Key).ok_or_else(ApiError::unauthorized)
}
