//! Decodes bodies that a server or a proxy has compressed, whether or not we asked for it.

use std::io::Read;

use bytes::Bytes;
use flate2::read::{DeflateDecoder, MultiGzDecoder, ZlibDecoder};
use http::HeaderMap;
use http::header::CONTENT_ENCODING;

/// How many bytes the Brotli decoder reads at a time.
const BUFFER: usize = 4096;

/// The first bytes of gzip data.
const GZIP: &[u8] = b"\x1f\x8b";

/// The first bytes of zstd data.
const ZSTD: &[u8] = b"\x28\xb5\x2f\xfd";

/// The body with the encodings removed that its headers name or its first bytes show; at most `longest` bytes.
///
/// # Errors
/// For an unknown encoding, a broken body, and one that is longer than `longest` when decoded.
pub(super) fn decoded(headers: &HeaderMap, body: Bytes, longest: usize) -> Result<Bytes, String> {
    let named = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let named: Vec<String> =
        named.flat_map(|list| list.split(',')).map(|name| name.trim().to_ascii_lowercase()).collect();
    let mut body = body;
    // The encoding named last was applied last.
    for name in named.iter().rev() {
        body = without(name, body, longest)?;
    }
    if named.is_empty() {
        for (name, begin) in [("gzip", GZIP), ("zstd", ZSTD)] {
            if body.starts_with(begin) {
                body = without(name, body, longest)?;
            }
        }
    }
    Ok(body)
}

/// The body with one encoding removed. A header may name one that a proxy has already removed.
fn without(name: &str, body: Bytes, longest: usize) -> Result<Bytes, String> {
    let broken = |error: std::io::Error| format!("the body cannot be decoded as `{name}`: {error}");
    match name {
        "gzip" | "x-gzip" if body.starts_with(GZIP) => {
            read(MultiGzDecoder::new(&*body), longest).map_err(broken)
        }
        "zstd" if body.starts_with(ZSTD) => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(&*body)
                .map_err(|error| format!("the body cannot be decoded as `{name}`: {error}"))?;
            read(decoder, longest).map_err(broken)
        }
        "" | "identity" | "gzip" | "x-gzip" | "zstd" => Ok(body),
        _ if is_text(&body) => Ok(body),
        // `deflate` usually means the zlib format, and sometimes raw deflate.
        "deflate" => read(ZlibDecoder::new(&*body), longest)
            .or_else(|_| read(DeflateDecoder::new(&*body), longest))
            .map_err(broken),
        "br" => read(brotli_decompressor::Decompressor::new(&*body, BUFFER), longest).map_err(broken),
        _ => Err(format!("the body is encoded as `{name}`, expected gzip, deflate, br, zstd or none")),
    }
}

/// Whether a body is already JSON, HTML or a stream of events.
fn is_text(body: &[u8]) -> bool {
    let body = body.trim_ascii_start();
    body.is_empty() || body.starts_with(b"{\"") || body.starts_with(b"data:") || body.starts_with(b"<!")
}

fn read(decoder: impl Read, longest: usize) -> std::io::Result<Bytes> {
    let mut decoded = Vec::new();
    decoder.take(longest as u64 + 1).read_to_end(&mut decoded)?;
    if decoded.len() > longest {
        return Err(std::io::Error::other(format!("it is longer than {longest} bytes")));
    }
    Ok(decoded.into())
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::Compression;
    use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
    use http::HeaderValue;

    use super::*;

    const TEXT: &[u8] = b"{\"choices\":[]}";

    /// The text as `brotli` and `zstd` write it.
    const BROTLI: &[u8] = b"\x8b\x06\x80{\"choices\":[]}\x03";
    const ZSTD_FRAME: &[u8] = b"\x28\xb5\x2f\xfd\x20\x0e\x71\x00\x00{\"choices\":[]}";

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(text).expect("writes");
        encoder.finish().expect("ends")
    }

    fn named(encoding: &str, body: &[u8], longest: usize) -> Result<Bytes, String> {
        let mut headers = HeaderMap::new();
        if !encoding.is_empty() {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_str(encoding).expect("a value"));
        }
        decoded(&headers, Bytes::copy_from_slice(body), longest)
    }

    #[test]
    fn every_encoding_is_removed() {
        let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
        zlib.write_all(TEXT).expect("writes");
        let zlib = zlib.finish().expect("ends");
        let mut bare = DeflateEncoder::new(Vec::new(), Compression::fast());
        bare.write_all(TEXT).expect("writes");
        let bare = bare.finish().expect("ends");
        for (encoding, body) in [
            ("", TEXT),
            ("identity", TEXT),
            ("gzip", &gzip(TEXT)),
            ("X-GZIP", &gzip(TEXT)),
            ("", &gzip(TEXT)),
            ("gzip, gzip", &gzip(&gzip(TEXT))),
            ("deflate", &zlib),
            ("deflate", &bare),
            ("br", BROTLI),
            ("zstd", ZSTD_FRAME),
            ("", ZSTD_FRAME),
            ("gzip", TEXT),
            ("br", TEXT),
        ] {
            assert_eq!(named(encoding, body, 64).as_deref(), Ok(TEXT), "{encoding}: {body:?}");
        }
    }

    #[test]
    fn bodies_that_cannot_be_decoded_are_errors() {
        let cut = gzip(TEXT);
        for (encoding, body, expected) in [
            ("compress", &b"\x1f\x9d"[..], "the body is encoded as `compress`, expected gzip"),
            ("gzip", &cut[..12], "the body cannot be decoded as `gzip`"),
            ("gzip", &gzip(&[b' '; 65]), "the body cannot be decoded as `gzip`: it is longer than 64 bytes"),
        ] {
            let error = named(encoding, body, 64).expect_err(encoding);
            assert!(error.starts_with(expected), "{error}");
        }
    }
}
