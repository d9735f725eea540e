/// What only one browser knows: 128 random bits, written as 32 hexadecimal digits. It has no `Debug`, so that no log gets it.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Secret(u128);

impl Secret {
    pub(crate) fn draw() -> Result<Self, getrandom::Error> {
        let mut bytes = [0; 16];
        getrandom::fill(&mut bytes)?;
        Ok(Self(u128::from_be_bytes(bytes)))
    }

    /// Reads what [`write`](Self::write) wrote, and nothing else.
    pub(crate) fn read(text: &str) -> Option<Self> {
        let is_digit = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 32 && text.bytes().all(is_digit)).then(|| u128::from_str_radix(text, 16).ok().map(Self))?
    }

    pub(crate) fn write(self) -> String {
        format!("{:032x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_reads_as_it_is_written_and_in_no_other_way() {
        let secret = Secret::draw().unwrap();
        assert!(Secret::read(&secret.write()) == Some(secret));
        for text in ["", "0", "+0000000000000000000000000000000", &"F".repeat(32), &"0".repeat(33), &"é".repeat(16)] {
            assert!(Secret::read(text).is_none(), "{text}");
        }
    }
}
