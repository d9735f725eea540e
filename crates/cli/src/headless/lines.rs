//! Lines of input that may be anything.

use std::io::{self, BufRead, ErrorKind};

use node::line::MAX_LINE;

/// The lines of an input without their ends. A line that is not usable is an error and says what to do; the ones after
/// it are read all the same, and no more than [`MAX_LINE`] bytes are ever kept.
#[derive(Debug)]
pub(super) struct Lines<R> {
    input: R,
    line: Vec<u8>,
}

impl<R: BufRead> Lines<R> {
    pub(super) fn new(input: R) -> Self {
        Self { input, line: Vec::new() }
    }

    /// Reads to the end of the line; the number of bytes in it, which may be more than were kept, or `None` at the end
    /// of the input.
    fn read(&mut self) -> io::Result<Option<usize>> {
        self.line.clear();
        let mut length = 0;
        loop {
            let bytes = match self.input.fill_buf() {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                bytes => bytes?,
            };
            if bytes.is_empty() {
                return Ok((length > 0).then_some(length));
            }
            let end = bytes.iter().position(|&byte| byte == b'\n');
            let part = &bytes[..end.unwrap_or(bytes.len())];
            let room = MAX_LINE.saturating_sub(self.line.len());
            self.line.extend_from_slice(&part[..part.len().min(room)]);
            length += part.len();
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            if end.is_some() {
                return Ok(Some(length));
            }
        }
    }
}

impl<R: BufRead> Iterator for Lines<R> {
    type Item = io::Result<String>;

    fn next(&mut self) -> Option<io::Result<String>> {
        let unusable = |text: String| Some(Err(io::Error::new(ErrorKind::InvalidData, text)));
        match self.read() {
            // What cannot be read any more has ended.
            Err(_) | Ok(None) => None,
            Ok(Some(length)) if length > MAX_LINE => {
                unusable(format!("that line has {length} bytes and was not read; a line holds {MAX_LINE} at most"))
            }
            Ok(Some(_)) => match String::from_utf8(std::mem::take(&mut self.line)) {
                Ok(mut line) => {
                    if line.ends_with('\r') {
                        line.pop();
                    }
                    Some(Ok(line))
                }
                Err(_) => unusable("that line is not text in UTF-8 and was not read; write text".to_owned()),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(input: &[u8]) -> Vec<Result<String, String>> {
        // A small buffer: lines come in pieces.
        let input = io::BufReader::with_capacity(7, input);
        Lines::new(input).map(|line| line.map_err(|error| error.to_string())).collect()
    }

    #[test]
    fn lines_come_without_their_ends() {
        let ok = |line: &str| Ok(line.to_owned());
        assert_eq!(lines(b""), []);
        assert_eq!(lines(b"one\ntwo\r\n\nlast one"), [ok("one"), ok("two"), ok(""), ok("last one")]);
    }

    #[test]
    fn what_is_not_text_is_one_error_and_nothing_else_is_lost() {
        let read = lines(b"before\n\xff\xfe\x00rubbish\nafter\n");
        assert_eq!(read[0], Ok("before".to_owned()));
        assert!(read[1].as_ref().unwrap_err().contains("not text in UTF-8"));
        assert_eq!(read[2], Ok("after".to_owned()));
    }

    #[test]
    fn a_line_that_is_too_long_is_passed_over_and_not_kept() {
        let mut input = vec![b'x'; 3 * MAX_LINE];
        input.extend_from_slice(b"\nafter\n");
        let mut reader = Lines::new(io::BufReader::new(input.as_slice()));
        let error = reader.next().unwrap().unwrap_err().to_string();
        assert!(error.contains(&(3 * MAX_LINE).to_string()), "{error}");
        assert!(reader.line.capacity() <= 2 * MAX_LINE);
        assert_eq!(reader.next().unwrap().unwrap(), "after");
        let longest = vec![b'x'; MAX_LINE];
        assert_eq!(Lines::new(longest.as_slice()).next().unwrap().unwrap().len(), MAX_LINE);
    }
}
