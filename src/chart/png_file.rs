//! PNG files: pixels into bytes, and bytes into a file that is either whole or not there.

use std::io::Write as _;
use std::path::Path;

use super::{ChartError, Image};

/// The image as PNG bytes.
///
/// Charts are flat colours and thin lines: rows repeat themselves, and the compressor finds that better in plain
/// pixels than in differences. The fast setting writes files twice as large.
pub fn encode(image: &Image) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, image.width_px, image.height_px);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Default);
    encoder.set_filter(png::FilterType::NoFilter);
    let written = encoder.write_header().and_then(|mut writer| {
        writer.write_image_data(&image.rgb)?;
        writer.finish()
    });
    written.expect("a whole image is encoded into memory");
    bytes
}

/// Writes `bytes` beside `path` under another name and then renames: readers see the old file or the new one.
///
/// # Errors
/// [`ChartError::Write`] when the directory does not exist or cannot be written; nothing is left behind.
pub fn write(bytes: &[u8], path: &Path) -> Result<(), ChartError> {
    let directory = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let error = |source| ChartError::Write { path: path.to_owned(), source };
    let mut file =
        tempfile::Builder::new().prefix(".chart-").suffix(".png").tempfile_in(directory).map_err(error)?;
    file.write_all(bytes).map_err(error)?;
    allow_everyone_to_read(file.as_file()).map_err(error)?;
    file.persist(path).map_err(|failed| error(failed.error))?;
    Ok(())
}

/// Temporary files are private to their owner; a chart is an ordinary file.
#[cfg(unix)]
fn allow_everyone_to_read(file: &std::fs::File) -> std::io::Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    file.set_permissions(std::fs::Permissions::from_mode(0o644))
}

#[cfg(not(unix))]
fn allow_everyone_to_read(_file: &std::fs::File) -> std::io::Result<()> {
    Ok(())
}
