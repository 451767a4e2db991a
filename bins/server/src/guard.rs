//! Limits for connections: their number, and a timeout for clients that stop reading.

use crate::config::Limits;
use crate::connection::Connection;
use axum_server::accept::Accept;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready as when_ready};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::{Sleep, sleep, timeout};
use tokio_rustls::TlsAcceptor;

/// Limits the number of connections, encrypts them where there is a certificate, and drops clients
/// that stop reading.
#[derive(Clone)]
pub(crate) struct Guard {
    connections: Arc<Semaphore>,
    patience: Duration,
    tls: Option<TlsAcceptor>,
    handshake_patience: Duration,
}

impl Guard {
    pub(crate) fn new(connections: usize, limits: &Limits, tls: Option<TlsAcceptor>) -> Self {
        Self {
            connections: Arc::new(Semaphore::new(connections.min(Semaphore::MAX_PERMITS))),
            patience: Duration::from_secs(limits.stall_seconds),
            tls,
            handshake_patience: Duration::from_secs(limits.header_seconds),
        }
    }

    /// The stream with its place among the connections.
    fn admit(&self, stream: TcpStream) -> io::Result<Guarded<TcpStream>> {
        let Ok(permit) = Arc::clone(&self.connections).try_acquire_owned() else {
            metrics::counter!("vitalcast_connections_refused_total").increment(1);
            return Err(io::ErrorKind::ConnectionRefused.into());
        };
        // Answers are written whole; waiting to fill a packet only delays them.
        stream.set_nodelay(true)?;
        Ok(Guarded {
            inner: stream,
            patience: self.patience,
            stalled: None,
            _permit: Some(permit),
        })
    }
}

/// What the connection and its service come to.
type Accepting<S> = io::Result<(Connection<Guarded<TcpStream>>, S)>;

impl<S: Send + 'static> Accept<TcpStream, S> for Guard {
    type Stream = Connection<Guarded<TcpStream>>;
    type Service = S;
    type Future = Pin<Box<dyn Future<Output = Accepting<S>> + Send>>;

    fn accept(&self, stream: TcpStream, service: S) -> Self::Future {
        let admitted = self.admit(stream);
        let (tls, patience) = (self.tls.clone(), self.handshake_patience);
        Box::pin(async move {
            let stream = admitted?;
            let connection = match tls {
                None => Connection::Plain(stream),
                Some(tls) => {
                    let encrypted = timeout(patience, tls.accept(stream)).await??;
                    Connection::Encrypted(Box::new(encrypted))
                }
            };
            Ok((connection, service))
        })
    }
}

/// A connection that is closed when its client stops reading for too long.
pub(crate) struct Guarded<S> {
    inner: S,
    patience: Duration,
    /// Since when nothing could be written.
    stalled: Option<Pin<Box<Sleep>>>,
    _permit: Option<OwnedSemaphorePermit>,
}

impl<S> Guarded<S> {
    /// What a write came to; one that has to wait has to wait no longer than patience lasts.
    fn watch<T>(
        &mut self,
        context: &mut Context<'_>,
        written: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if written.is_ready() {
            self.stalled = None;
            return written;
        }
        let patience = self.patience;
        let stalled = self
            .stalled
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        when_ready!(stalled.as_mut().poll(context));
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Guarded<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(context, buffer)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Guarded<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write(context, bytes);
        self.watch(context, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        slices: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = Pin::new(&mut self.inner).poll_write_vectored(context, slices);
        self.watch(context, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.inner.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = Pin::new(&mut self.inner).poll_flush(context);
        self.watch(context, flushed)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let shut = Pin::new(&mut self.inner).poll_shutdown(context);
        self.watch(context, shut)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::task::Waker;
    use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

    fn guarded(inner: DuplexStream, patience: Duration) -> Guarded<DuplexStream> {
        Guarded {
            inner,
            patience,
            stalled: None,
            _permit: None,
        }
    }

    #[tokio::test]
    async fn a_client_that_stops_reading_is_dropped() {
        let (ours, _theirs) = tokio::io::duplex(64);
        let mut guarded = guarded(ours, Duration::ZERO);
        let refused = guarded.write_all(&[0; 1_000]).await.unwrap_err();
        assert_eq!(refused.kind(), io::ErrorKind::TimedOut);
    }

    #[tokio::test]
    async fn patience_begins_anew_with_every_bit_that_is_read() {
        let (ours, mut theirs) = tokio::io::duplex(64);
        let mut guarded = guarded(ours, Duration::from_hours(1));
        let mut write = || {
            let mut context = Context::from_waker(Waker::noop());
            let written = Pin::new(&mut guarded).poll_write(&mut context, &[0; 100]);
            (written.is_ready(), guarded.stalled.is_some())
        };
        assert_eq!(write(), (true, false));
        for _ in 0..3 {
            // It is full now, and the clock runs until something is read.
            assert_eq!(write(), (false, true));
            theirs.read_exact(&mut [0; 10]).await.unwrap();
            assert_eq!(write(), (true, false));
        }
    }
}
