//! One client's connection, from its first request to its last: requests are routed by path and answered in order, at once
//! or after the time that the path says.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::answer;
use crate::counters::Counters;
use crate::pace::Pace;
use crate::request::{self, Found};

/// Answers requests until the client is gone.
pub(crate) async fn serve(mut stream: TcpStream, counters: &Counters) {
    counters.opened();
    // It does not matter how the connection ended: the client counts its answers.
    let _ = answer_all(&mut stream, counters).await;
    counters.closed();
}

async fn answer_all(stream: &mut TcpStream, counters: &Counters) -> std::io::Result<()> {
    stream.set_nodelay(true)?;
    let mut received = Vec::with_capacity(8192);
    let mut out = Vec::with_capacity(4096);
    loop {
        match request::find(&received) {
            Found::Request(request) => {
                let body = received.get(request.body.clone()).unwrap_or_default();
                out.clear();
                let pace = answer(&mut out, &request.path, body, request.body.end, counters);
                if !pace.latency.is_zero() {
                    tokio::time::sleep(pace.latency).await;
                }
                stream.write_all(&out).await?;
                if request.close {
                    return Ok(());
                }
                received.drain(..request.body.end);
            }
            Found::More => {
                if stream.read_buf(&mut received).await? == 0 {
                    return Ok(());
                }
            }
            Found::Unreadable => {
                out.clear();
                answer::json(
                    &mut out,
                    "501 Not Implemented",
                    r#"{"error":{"message":"unreadable request"}}"#,
                );
                return stream.write_all(&out).await;
            }
        }
    }
}

/// Appends the answer to a request of `length` bytes for `path` to `out`; returns when it may be sent.
fn answer(out: &mut Vec<u8>, path: &str, body: &[u8], length: usize, counters: &Counters) -> Pace {
    if path.ends_with("/chat/completions") {
        counters.asked(length);
        let pace = Pace::of(path);
        answer::completion(out, answer::row(body), pace.more, answer::tool(body).as_deref());
        return pace;
    }
    if path.ends_with("/stats") {
        answer::json(out, "200 OK", &counters.stats());
    } else if path.ends_with("/reset") {
        counters.reset();
        answer::json(out, "200 OK", "{}");
    } else {
        answer::json(out, "404 Not Found", r#"{"error":{"message":"no such path"}}"#);
    }
    Pace::default()
}

#[cfg(test)]
mod tests {
    use super::answer;
    use crate::counters::Counters;

    #[test]
    fn answers_by_path() {
        let counters = Counters::new();
        let status = |path: &str| {
            let mut out = Vec::new();
            answer(&mut out, path, b"[row 7]", 100, &counters);
            String::from_utf8(out).unwrap().lines().next().unwrap_or_default().to_owned()
        };
        assert_eq!(status("/v1/chat/completions"), "HTTP/1.1 200 OK");
        assert!(counters.stats().starts_with(r#"{"requests":1,"#));
        assert_eq!(status("/v1/embeddings"), "HTTP/1.1 404 Not Found");
        assert_eq!(status("/reset"), "HTTP/1.1 200 OK");
        assert!(counters.stats().starts_with(r#"{"requests":0,"#));
    }
}
