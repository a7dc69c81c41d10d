//! Labels: where words go so that they never lie on one another.

mod free_spot;
mod spread;

pub use free_spot::{FreeSpots, band_spot};
pub use spread::{Item, spread};
