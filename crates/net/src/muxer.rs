//! Yamux with windows of a fixed size.
//!
//! libp2p's own adapter lets Yamux grow the receive window of a stream with the round-trip time, up to 1 GiB per
//! connection. The other side can make the round trips as long as it likes, so it could claim that much memory. Here a
//! window is 256 KiB for good, enough for 250 MB/s at a millisecond. The wire protocol is the same.

use std::{
    collections::VecDeque,
    future::{Ready, ready},
    io, iter,
    pin::Pin,
    task::{Context, Poll, Waker, ready},
};

use futures::{AsyncRead, AsyncWrite};
use libp2p::core::{
    StreamMuxer, UpgradeInfo,
    muxing::StreamMuxerEvent,
    upgrade::{InboundConnectionUpgrade, OutboundConnectionUpgrade},
};
use yamux::{Connection, ConnectionError, Mode, Stream};

/// The most streams of one connection. The protocol has one. A few more leave room for a later version.
pub(crate) const MAX_STREAMS: usize = 4;
/// The most that one Yamux frame holds: as much as a Noise message.
const SPLIT: usize = 64 << 10;

/// The upgrade of an authenticated connection.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Yamux;

impl Yamux {
    fn upgrade<C: AsyncRead + AsyncWrite + Unpin>(socket: C, mode: Mode) -> Muxer<C> {
        let mut config = yamux::Config::default();
        config.set_max_num_streams(MAX_STREAMS);
        // The least that is allowed, so there is nothing left to grow into.
        config.set_max_connection_receive_window(Some(MAX_STREAMS * yamux::DEFAULT_CREDIT as usize));
        config.set_split_send_size(SPLIT);
        Muxer { connection: Connection::new(socket, config, mode), inbound: VecDeque::new(), waker: None }
    }
}

impl UpgradeInfo for Yamux {
    type Info = &'static str;
    type InfoIter = iter::Once<&'static str>;

    fn protocol_info(&self) -> Self::InfoIter {
        iter::once("/yamux/1.0.0")
    }
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> InboundConnectionUpgrade<C> for Yamux {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Ready<Result<Self::Output, Self::Error>>;

    fn upgrade_inbound(self, socket: C, _: Self::Info) -> Self::Future {
        ready(Ok(Self::upgrade(socket, Mode::Server)))
    }
}

impl<C: AsyncRead + AsyncWrite + Send + Unpin + 'static> OutboundConnectionUpgrade<C> for Yamux {
    type Output = Muxer<C>;
    type Error = io::Error;
    type Future = Ready<Result<Self::Output, Self::Error>>;

    fn upgrade_outbound(self, socket: C, _: Self::Info) -> Self::Future {
        ready(Ok(Self::upgrade(socket, Mode::Client)))
    }
}

/// A connection that carries streams.
#[derive(Debug)]
pub(crate) struct Muxer<C> {
    connection: Connection<C>,
    /// Opened by the other side and not taken yet. Yamux bounds their number.
    inbound: VecDeque<Stream>,
    waker: Option<Waker>,
}

impl<C: AsyncRead + AsyncWrite + Unpin> Muxer<C> {
    fn poll_connection(&mut self, cx: &mut Context<'_>) -> Poll<Result<Stream, ConnectionError>> {
        Poll::Ready(ready!(self.connection.poll_next_inbound(cx)).unwrap_or(Err(ConnectionError::Closed)))
    }
}

impl<C: AsyncRead + AsyncWrite + Unpin> StreamMuxer for Muxer<C> {
    type Substream = Stream;
    type Error = ConnectionError;

    fn poll_inbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, ConnectionError>> {
        match self.inbound.pop_front() {
            Some(stream) => Poll::Ready(Ok(stream)),
            None => {
                self.waker = Some(cx.waker().clone());
                self.poll_connection(cx)
            }
        }
    }

    fn poll_outbound(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<Stream, ConnectionError>> {
        self.connection.poll_new_outbound(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), ConnectionError>> {
        self.connection.poll_close(cx)
    }

    /// Moves what the streams have written and what has come in for them.
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<StreamMuxerEvent, ConnectionError>> {
        loop {
            let stream = ready!(self.poll_connection(cx))?;
            self.inbound.push_back(stream);
            if let Some(waker) = self.waker.take() {
                waker.wake();
            }
        }
    }
}
