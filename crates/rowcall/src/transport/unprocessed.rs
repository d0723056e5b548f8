//! Whether a request that failed has certainly not been processed, so that it can be sent again without being billed twice. Only HTTP/2
//! servers say so.

use std::error::Error;

use h2::Reason;

/// Whether the server says that it has not processed the request: it refused the stream, or left it out of those that it still processes
/// when it closed the connection (RFC 9113, sections 8.7 and 6.8).
pub(super) fn is_unprocessed(error: &(dyn Error + 'static)) -> bool {
    let mut reason = Some(error);
    while let Some(error) = reason {
        if let Some(error) = error.downcast_ref::<h2::Error>() {
            let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
            return error.is_remote() && (is_refused || error.is_go_away());
        }
        reason = error.source();
    }
    false
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http_body_util::Empty;
    use hyper_util::rt::{TokioExecutor, TokioIo};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};

    use super::*;

    /// A frame of HTTP/2 on a stream.
    fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
        let length = u32::try_from(payload.len()).expect("a short one").to_be_bytes();
        [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
    }

    /// A server that answers the first request, on stream 1, with these frames, and then closes the connection.
    async fn serve(mut stream: DuplexStream, frames: Vec<u8>) {
        let mut preface = [0; 24];
        stream.read_exact(&mut preface).await.expect("the preface");
        stream.write_all(&frame(4, 0, 0, &[])).await.expect("settings are sent");
        loop {
            let mut head = [0; 9];
            stream.read_exact(&mut head).await.expect("a frame");
            let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
            let mut payload = vec![0; length as usize];
            stream.read_exact(&mut payload).await.expect("its payload");
            if head[3] == 1 {
                stream.write_all(&frames).await.expect("the frames are sent");
                return;
            }
        }
    }

    async fn error_of(frames: Vec<u8>) -> hyper::Error {
        let (ours, theirs) = tokio::io::duplex(64 * 1024);
        let server = tokio::spawn(serve(theirs, frames));
        let handshake = hyper::client::conn::http2::handshake(TokioExecutor::new(), TokioIo::new(ours));
        let (mut sender, connection) = handshake.await.expect("a connection");
        let connection = tokio::spawn(connection);
        let request = http::Request::post("http://server/").body(Empty::<Bytes>::new()).expect("a request");
        let error = sender.send_request(request).await.expect_err("it is not answered");
        server.await.expect("the server ends");
        drop(sender);
        let _ = connection.await;
        error
    }

    #[tokio::test]
    async fn only_the_servers_own_word_shows_that_it_has_not_processed_a_request() {
        let reset = |reason: u32| frame(3, 0, 1, &reason.to_be_bytes());
        let leaving =
            |last: u32, reason: u32| frame(7, 0, 0, &[last.to_be_bytes(), reason.to_be_bytes()].concat());
        for (what, frames, expected) in [
            ("a refused stream", reset(7), true),
            ("a stream that breaks", reset(2), false),
            ("a connection that closes before this stream", leaving(0, 0), true),
            ("the same for too many requests", leaving(0, 11), true),
            ("a connection that closes after this stream", leaving(1, 0), false),
            ("the same because of an error", leaving(1, 2), false),
            ("a connection that closes", Vec::new(), false),
        ] {
            let error = error_of(frames).await;
            assert_eq!(is_unprocessed(&error), expected, "{what}: {error:?}");
        }
    }
}
