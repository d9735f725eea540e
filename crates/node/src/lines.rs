//! Lines that a client sends. They may hold anything.

use std::io;

use tokio::io::{AsyncBufRead, AsyncBufReadExt as _};

use crate::line::MAX_LINE;

/// Reads one line into `line`, without its end, and keeps no more than [`MAX_LINE`] bytes of it. Returns the length of
/// the whole line, or `None` at the end of the input.
pub(crate) async fn read(input: &mut (impl AsyncBufRead + Unpin), line: &mut Vec<u8>) -> io::Result<Option<usize>> {
    line.clear();
    let mut length = 0;
    loop {
        let bytes = input.fill_buf().await?;
        if bytes.is_empty() {
            return Ok((length > 0).then_some(length));
        }
        let end = bytes.iter().position(|&byte| byte == b'\n');
        let part = &bytes[..end.unwrap_or(bytes.len())];
        let room = MAX_LINE.saturating_sub(line.len());
        line.extend_from_slice(&part[..part.len().min(room)]);
        length += part.len();
        let used = part.len() + usize::from(end.is_some());
        input.consume(used);
        if end.is_some() {
            return Ok(Some(length));
        }
    }
}
