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

/// Images of one size as the bytes of an APNG file: each stays for `frame_ms`, the last for `last_ms`, then the film begins anew.
/// Of every frame but the first only the rectangle in which it differs from the one before is stored. Where nothing moves, as on
/// paper, frame number `still` is shown.
pub fn encode_film(frames: &[Image], still: usize, frame_ms: u16, last_ms: u16) -> Vec<u8> {
    let [first, ..] = frames else { return Vec::new() };
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, first.width_px, first.height_px);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Default);
    encoder.set_filter(png::FilterType::NoFilter);
    let animated = encoder.set_animated(frames.len() as u32, 0).and_then(|()| encoder.set_sep_def_img(true));
    let written = animated.and_then(|()| {
        let mut writer = encoder.write_header()?;
        writer.write_image_data(&frames[still].rgb)?;
        for (index, frame) in frames.iter().enumerate() {
            let is_last = index + 1 == frames.len();
            writer.set_frame_delay(if is_last { last_ms } else { frame_ms }, 1000)?;
            let Some(before) = index.checked_sub(1).map(|before| &frames[before]) else {
                writer.write_image_data(&frame.rgb)?;
                continue;
            };
            let changed = changed(before, frame);
            writer.reset_frame_position()?;
            writer.set_frame_dimension(changed.width, changed.height)?;
            writer.set_frame_position(changed.left, changed.top)?;
            writer.write_image_data(&cut(frame, changed))?;
        }
        writer.finish()
    });
    written.expect("whole images are encoded into memory");
    bytes
}

/// A rectangle of whole pixels, at least one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Part {
    left: u32,
    top: u32,
    width: u32,
    height: u32,
}

/// The smallest rectangle that holds all pixels in which two images of one size differ; the first pixel when none does.
fn changed(before: &Image, after: &Image) -> Part {
    let row_bytes = 3 * after.width_px as usize;
    let rows = || before.rgb.chunks_exact(row_bytes).zip(after.rgb.chunks_exact(row_bytes));
    let (mut left, mut right, mut top, mut bottom) = (u32::MAX, 0, u32::MAX, 0);
    for (y, (old, new)) in (0..).zip(rows()) {
        let differs = |(old, new): (&[u8], &[u8])| old != new;
        let pixels = || old.chunks_exact(3).zip(new.chunks_exact(3));
        let (Some(first), Some(last)) = (pixels().position(differs), pixels().rposition(differs)) else {
            continue;
        };
        (left, right) = (left.min(first as u32), right.max(last as u32));
        (top, bottom) = (top.min(y), y);
    }
    if top == u32::MAX {
        return Part { left: 0, top: 0, width: 1, height: 1 };
    }
    Part { left, top, width: right - left + 1, height: bottom - top + 1 }
}

fn cut(image: &Image, part: Part) -> Vec<u8> {
    let row_bytes = 3 * image.width_px as usize;
    let (from, to) = (3 * part.left as usize, 3 * (part.left + part.width) as usize);
    let rows = image.rgb.chunks_exact(row_bytes).skip(part.top as usize).take(part.height as usize);
    rows.flat_map(|row| &row[from..to]).copied().collect()
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
    let mut file = tempfile::Builder::new().prefix(".chart-").tempfile_in(directory).map_err(error)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    fn image(pixels: &[(usize, u8)]) -> Image {
        let mut rgb = vec![0; 3 * 5 * 4];
        pixels.iter().for_each(|(pixel, red)| rgb[3 * pixel] = *red);
        Image { width_px: 5, height_px: 4, rgb }
    }

    #[test]
    fn a_film_stores_what_changed_and_plays_back_as_it_was() {
        let frames = [image(&[]), image(&[(6, 9), (13, 7)]), image(&[(6, 9), (13, 7)]), image(&[(6, 1)])];
        assert_eq!(changed(&frames[0], &frames[1]), Part { left: 1, top: 1, width: 3, height: 2 });
        assert_eq!(changed(&frames[1], &frames[2]), Part { left: 0, top: 0, width: 1, height: 1 });
        let bytes = encode_film(&frames, 2, 100, 500);
        let mut reader = png::Decoder::new(bytes.as_slice()).read_info().unwrap();
        assert_eq!(reader.info().animation_control.unwrap().num_frames, 4);
        let mut canvas = vec![0; 3 * 5 * 4];
        let mut still = vec![0; reader.output_buffer_size()];
        reader.next_frame(&mut still).unwrap();
        assert_eq!(still, frames[2].rgb);
        for frame in &frames {
            let mut part = vec![0; reader.output_buffer_size()];
            reader.next_frame(&mut part).unwrap();
            let at = *reader.info().frame_control().unwrap();
            for row in 0..at.height as usize {
                let from = 3 * at.width as usize * row;
                let to = 3 * ((at.y_offset as usize + row) * 5 + at.x_offset as usize);
                let row = &part[from..from + 3 * at.width as usize];
                canvas[to..to + row.len()].copy_from_slice(row);
            }
            assert_eq!(canvas, frame.rgb);
        }
    }
}
