//! Sockets and nothing else: each connection sends one row after another, and reads each answer to its end without
//! examining it. It substitutes for a load generator.

use std::cell::Cell;

use futures_util::future::try_join_all;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::arguments::Arguments;
use crate::chat;

const MAX_HEADERS: usize = 64;

/// Sends all rows over as many connections as there may be requests in flight; returns how many were answered.
pub(crate) async fn ask(arguments: &Arguments) -> Result<u64, String> {
    let address = arguments.base.strip_prefix("http://").ok_or("the base URL begins with `http://`")?;
    let (host, path) = address.split_once('/').unwrap_or((address, ""));
    let head = format!(
        "POST /{path}/chat/completions HTTP/1.1\r\nhost: {host}\r\ncontent-type: application/json\r\n\
         authorization: Bearer stub\r\ncontent-length: "
    );
    let rows = Cell::new(0..arguments.rows);
    let next = || {
        let mut left = rows.take();
        let row = left.next();
        rows.set(left);
        row
    };
    let answered = try_join_all((0..arguments.in_flight).map(|_| connection(host, &head, &next))).await?;
    Ok(answered.into_iter().sum())
}

/// One connection, until there are no more rows.
async fn connection(host: &str, head: &str, next: &impl Fn() -> Option<u64>) -> Result<u64, String> {
    let mut stream = TcpStream::connect(host).await.map_err(|error| error.to_string())?;
    stream.set_nodelay(true).map_err(|error| error.to_string())?;
    let mut sent = Vec::with_capacity(1024);
    let mut received = Vec::with_capacity(8192);
    let mut answered = 0;
    while let Some(row) = next() {
        let body = chat::request(row)?;
        sent.clear();
        sent.extend_from_slice(head.as_bytes());
        sent.extend_from_slice(format!("{}\r\n\r\n", body.len()).as_bytes());
        sent.extend_from_slice(&body);
        stream.write_all(&sent).await.map_err(|error| error.to_string())?;
        received.clear();
        while !is_complete(&received).map_err(|problem| format!("row {row}: {problem}"))? {
            if stream.read_buf(&mut received).await.map_err(|error| error.to_string())? == 0 {
                return Err(format!("row {row}: the connection ended before the answer"));
            }
        }
        answered += 1;
    }
    Ok(answered)
}

/// Whether `received` has a complete answer, which must be a success.
fn is_complete(received: &[u8]) -> Result<bool, String> {
    let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(start) = head.parse(received).map_err(|error| error.to_string())? else {
        return Ok(false);
    };
    if head.code != Some(200) {
        return Err(format!("status {}", head.code.unwrap_or_default()));
    }
    let length = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let length = length.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok());
    let length = length.ok_or("the answer does not say how long it is")?;
    Ok(received.len().saturating_sub(start) >= length)
}

#[cfg(test)]
mod tests {
    use super::is_complete;

    #[test]
    fn an_answer_is_complete_at_its_end() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        for cut in 0..answer.len() {
            assert_eq!(is_complete(&answer[..cut]), Ok(false), "cut at {cut}");
        }
        assert_eq!(is_complete(answer), Ok(true));
    }

    #[test]
    fn an_error_is_not_an_answer() {
        let bad = is_complete(b"HTTP/1.1 429 Too Many Requests\r\nContent-Length: 0\r\n\r\n");
        assert_eq!(bad, Err("status 429".to_owned()));
        let endless = is_complete(b"HTTP/1.1 200 OK\r\n\r\n");
        assert_eq!(endless, Err("the answer does not say how long it is".to_owned()));
        assert!(is_complete(b"not HTTP at all\r\n\r\n").is_err());
    }
}
