//! `causerie diagram`: traces, drawn.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context as _, anyhow};

use crate::complain;
use crate::options::{Drawing, Format};
use crate::show::harmless_line;

/// Draws. 1 if the drawing cannot be written, 2 for traces that cannot be read or would be overwritten.
pub(crate) fn run(drawing: &Drawing) -> anyhow::Result<ExitCode> {
    let diagram = match trace::Diagram::read(&drawing.files) {
        Ok(diagram) => diagram,
        Err(error) => {
            complain(&error.into());
            return Ok(ExitCode::from(2));
        }
    };
    match &drawing.output {
        None => write(&diagram, drawing.format, &mut io::BufWriter::new(io::stdout().lock()))?,
        Some(path) => {
            if drawing.files.iter().any(|file| same(file, path)) {
                complain(&anyhow!("{} is one of the traces: it would be lost", path.display()));
                return Ok(ExitCode::from(2));
            }
            replace(path, |out| write(&diagram, drawing.format, out))
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
    }
    for note in diagram.notes() {
        complain(&anyhow!("note: {}", harmless_line(&note)));
    }
    Ok(ExitCode::SUCCESS)
}

fn write(diagram: &trace::Diagram, format: Format, out: &mut impl Write) -> io::Result<()> {
    match format {
        Format::Svg => diagram.write_svg(out)?,
        Format::Shiviz => diagram.write_shiviz(out)?,
    }
    out.flush()
}

fn same(one: &Path, other: &Path) -> bool {
    matches!((one.canonicalize(), other.canonicalize()), (Ok(one), Ok(other)) if one == other)
}

/// Writes a file whole or not at all: beside its place first. A device or a pipe cannot be replaced, and is written to.
fn replace(path: &Path, write: impl FnOnce(&mut io::BufWriter<&mut fs::File>) -> io::Result<()>) -> io::Result<()> {
    let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    if path.metadata().is_ok_and(|data| !data.is_file()) {
        return write(&mut io::BufWriter::new(&mut fs::File::create(&path)?));
    }
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    // As any new file: what the user's mask leaves of it.
    let mut builder = tempfile::Builder::new();
    let mut file = builder.permissions(Permissions::from_mode(0o666)).tempfile_in(folder)?;
    write(&mut io::BufWriter::new(file.as_file_mut()))?;
    file.persist(&path)?;
    Ok(())
}
