//! Layout: how large a picture becomes, and how large what it stands on.

use crate::platform::{ImageLimits, Ratio};

/// Width and height in pixels.
pub type Size = (u32, u32);

/// A story as phones show it.
const STORY: Size = (1080, 1920);
/// No picture is made smaller than this to save bytes: its longest side.
const LONGEST_MIN: u32 = 64;

/// How a picture becomes what a platform takes.
pub struct Layout {
    /// Its own size, upright.
    size: Size,
    /// The ratios that are taken.
    ratio: Option<Ratio>,
    /// Whether it is set on a page of 9:16.
    is_story: bool,
    /// The colour of what it stands on.
    pub background: [u8; 3],
    /// The largest longest side, of the story where it is one.
    pub longest: u32,
}

impl Layout {
    /// A picture of this `size` within `limits`, never larger than it is.
    pub fn within(limits: &ImageLimits, size: Size) -> Self {
        let (width, height) = size;
        let longest = width.max(height);
        let layout =
            Self { size, ratio: limits.ratio, is_story: false, background: [255; 3], longest };
        Self { longest: layout.largest(limits), ..layout }
    }

    /// A picture of this `size` in a story within `limits`.
    pub fn story(limits: &ImageLimits, size: Size) -> Self {
        let layout =
            Self { size, ratio: None, is_story: true, background: [0; 3], longest: STORY.1 };
        Self { longest: layout.largest(limits), ..layout }
    }

    /// The longest side with which it is within the limits of sides and pixels.
    fn largest(&self, limits: &ImageLimits) -> u32 {
        let fits = |longest: u32| {
            let (width, height) = self.at(longest).1;
            width.max(height) <= limits.side_max
                && u64::from(width) * u64::from(height) <= limits.pixels_max
        };
        if fits(self.longest) {
            return self.longest;
        }
        // what is smaller fits better: the largest that does
        let (mut low, mut high) = (1, self.longest);
        while high - low > 1 {
            let middle = low + (high - low) / 2;
            if fits(middle) { low = middle } else { high = middle }
        }
        low
    }

    /// With this longest side: the size of the picture, and of what it stands on.
    pub fn at(&self, longest: u32) -> (Size, Size) {
        if self.is_story {
            // exactly 9:16, which rounding would miss
            let part = (longest / 16).max(1);
            let page = (9 * part, 16 * part);
            return (inside(self.size, page), page);
        }
        let whole = self.size.0.max(self.size.1);
        let size = (scaled(self.size.0, longest, whole), scaled(self.size.1, longest, whole));
        (size, self.ratio.map_or(size, |ratio| widened(size, ratio)))
    }

    /// The next smaller longest side for `percent` of this one, if it is worth trying.
    pub fn smaller(longest: u32, percent: u32) -> Option<u32> {
        let next = scaled(longest, percent, 100);
        (next >= LONGEST_MIN && next < longest).then_some(next)
    }
}

/// `length` × `part` / `whole`, at least one pixel.
fn scaled(length: u32, part: u32, whole: u32) -> u32 {
    let (length, part, whole) = (u64::from(length), u64::from(part), u64::from(whole.max(1)));
    u32::try_from((length * part + whole / 2) / whole).unwrap_or(u32::MAX).max(1)
}

/// `size` as large as it can be in `page`.
fn inside((width, height): Size, page: Size) -> Size {
    let is_wider = u64::from(width) * u64::from(page.1) > u64::from(height) * u64::from(page.0);
    if is_wider {
        (page.0, scaled(height, page.0, width).min(page.1))
    } else {
        (scaled(width, page.1, height).min(page.0), page.1)
    }
}

/// The least that holds `size` and has an allowed `ratio`.
fn widened((width, height): Size, ratio: Ratio) -> Size {
    let length = |product: u64, by: u32| {
        u32::try_from(product.div_ceil(u64::from(by.max(1)))).unwrap_or(u32::MAX)
    };
    let narrowest = length(u64::from(height) * u64::from(ratio.min), 1000);
    let lowest = length(u64::from(width) * 1000, ratio.max);
    (width.max(narrowest), height.max(lowest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::platform::{MediaLimits, Platform};

    fn limits(side_max: u32, pixels_max: u64, ratio: Option<(u32, u32)>) -> ImageLimits {
        let limits = MediaLimits::of(Platform::Instagram).image.unwrap();
        let ratio = ratio.map(|(min, max)| Ratio { min, max });
        ImageLimits { side_max, pixels_max, ratio, ..limits }
    }

    #[test]
    fn a_picture_is_as_large_as_it_may_be() {
        let check = |limits: &ImageLimits, size: Size, expect: (Size, Size)| {
            let layout = Layout::within(limits, size);
            assert_eq!(layout.at(layout.longest), expect);
        };
        let same = |size| (size, size);
        check(&limits(2000, u64::MAX, None), (4000, 3000), same((2000, 1500)));
        check(&limits(2000, u64::MAX, None), (400, 300), same((400, 300)));
        check(&limits(2000, 1_000_000, None), (4000, 1000), same((2000, 500)));
        check(&limits(9000, 1_000_000, None), (4000, 4000), same((1000, 1000)));
        check(&limits(2000, u64::MAX, None), (9000, 1), same((2000, 1)));
        let feed = Some((800, 1910));
        check(&limits(2000, u64::MAX, feed), (1000, 1000), same((1000, 1000)));
        check(&limits(2000, u64::MAX, feed), (600, 1000), ((600, 1000), (800, 1000)));
        check(&limits(2000, u64::MAX, feed), (1910, 500), ((1910, 500), (1910, 1000)));
        check(&limits(2000, u64::MAX, feed), (3000, 6000), ((1000, 2000), (1600, 2000)));
        // the page is larger than the picture, and within the limits all the same
        let (size, page) = {
            let layout = Layout::within(&limits(1000, 640_000, Some((1500, 1910))), (100, 4000));
            layout.at(layout.longest)
        };
        assert!(page.0 <= 1000 && page.0 * page.1 <= 640_000, "{page:?}");
        assert!(size.1 == page.1 && page.0 * 1000 >= page.1 * 1500, "{size:?} on {page:?}");
    }

    #[test]
    fn a_story_is_nine_to_sixteen() {
        let check = |limits: &ImageLimits, size: Size, expect: (Size, Size)| {
            let layout = Layout::story(limits, size);
            assert_eq!(layout.at(layout.longest), expect);
        };
        let page = (1080, 1920);
        check(&limits(9000, u64::MAX, None), (4000, 3000), ((1080, 810), page));
        check(&limits(9000, u64::MAX, None), (100, 400), ((480, 1920), page));
        check(&limits(9000, u64::MAX, None), (540, 960), (page, page));
        check(&limits(960, u64::MAX, None), (540, 960), ((540, 960), (540, 960)));
    }
}
