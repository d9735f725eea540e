//! Where the log goes: standard error, or above the line that is being typed.

use std::io::{self, Write};
use std::sync::Arc;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::Misuse;
use crate::prompt::Screen;

/// Logs what `filter` lets through to standard error.
pub(crate) fn to_stderr(filter: &str) -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_env_filter(read(filter)?).with_ansi(false).with_writer(io::stderr).init();
    Ok(())
}

/// Logs what `filter` lets through above the prompt.
pub(crate) fn to_screen(filter: &str, screen: Arc<Screen>) -> anyhow::Result<()> {
    tracing_subscriber::fmt().with_env_filter(read(filter)?).with_ansi(false).with_writer(OnScreen(screen)).init();
    Ok(())
}

fn read(filter: &str) -> anyhow::Result<EnvFilter> {
    EnvFilter::try_new(filter).map_err(|error| {
        Misuse(format!("--log {filter:?} is no filter ({error}): write a level or TARGET=LEVEL")).into()
    })
}

struct OnScreen(Arc<Screen>);

impl<'a> MakeWriter<'a> for OnScreen {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line { screen: &self.0, text: Vec::new() }
    }
}

/// One line of the log, shown when it is complete.
struct Line<'a> {
    screen: &'a Screen,
    text: Vec<u8>,
}

impl Write for Line<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        let text = String::from_utf8_lossy(&self.text);
        self.screen.push(text.lines().map(|line| crate::show::harmless_line(line).into_owned()));
    }
}
