//! Media: photos to what a platform takes, on one core.
//!
//! Each in a process of its own (`figures fit PLATFORM TIMES FILE`), whose memory is that of
//! reading the file, fitting it and nothing else. The photo is made: smooth colours with the grain
//! of a sensor, which costs an encoder as much as a real one. Built for speed (`profile.bench`);
//! `cargo bench --profile release -- media` builds it as the daemon is built.

use std::io::Cursor;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use image::codecs::jpeg::JpegEncoder;
use image::{Rgb, RgbImage};
use posse_party::media;
use posse_party::platform::{MediaLimits, Platform};

use crate::table::{Row, row};
use crate::{median, megabytes};

/// 12 megapixels.
const SIZE: (u32, u32) = (4000, 3000);
/// Figures are the median of so many.
const PASSES: usize = 5;
const TIME_GOAL: &str = "≤ 0.5 s";
const MEMORY_GOAL: &str = "≤ 150 MB";

/// How long one photo takes, and how much memory one and ten in a row.
pub fn figures() -> Vec<Row> {
    let folder = tempfile::tempdir().unwrap();
    let photo = jpeg(&photo());
    let megabytes_of = |bytes: &[u8]| format!("{:.1} MB", bytes.len() as f64 / 1e6);
    // as a phone held upright writes it
    let turned = with_orientation(&photo, 6);
    let mut rows = Vec::new();
    for (platform, name, file) in [
        (Platform::Bluesky, "Bluesky", &photo),
        (Platform::Mastodon, "Mastodon, which takes its pixels as they are", &photo),
        (Platform::Mastodon, "Mastodon, where it has to be turned", &turned),
    ] {
        let path = folder.path().join("photo.jpg");
        std::fs::write(&path, file).unwrap();
        let what = format!("a JPEG of 12 megapixels ({}) for {name}", megabytes_of(file));
        let runs: Vec<Run> = (0..PASSES).map(|_| run(platform, 1, &path)).collect();
        let time = median(runs.iter().map(|run| run.time).collect());
        let peak = median(runs.iter().map(|run| run.peak_kib).collect());
        rows.push(row(&format!("{what}: CPU"), format!("{:.2} s", time.as_secs_f64()), TIME_GOAL));
        rows.push(row("the same, peak memory", megabytes(peak), MEMORY_GOAL));
        let ten = run(platform, 10, &path);
        rows.push(row("the same, ten in a row", megabytes(ten.peak_kib), "as one"));
    }
    rows
}

/// What one process took.
struct Run {
    time: Duration,
    peak_kib: u64,
}

fn run(platform: Platform, times: usize, path: &Path) -> Run {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["fit", platform.tag(), &times.to_string()]).arg(path);
    let output = command.envs(crate::daemon::ALLOCATOR).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let said = String::from_utf8(output.stdout).unwrap();
    let (micros, peak) = said.trim().split_once(' ').unwrap();
    Run { time: Duration::from_micros(micros.parse().unwrap()), peak_kib: peak.parse().unwrap() }
}

/// Fits the file and says how much CPU that took, in microseconds, and the most memory of this
/// process, in KiB.
pub fn main(arguments: &[String]) {
    let [platform, times, path] = arguments else { panic!("want PLATFORM TIMES FILE") };
    let platform = Platform::ALL.into_iter().find(|known| known.tag() == platform).unwrap();
    let limits = MediaLimits::of(platform).image.unwrap();
    let start = on_cpu();
    for _ in 0..times.parse().unwrap() {
        let fitted = media::image(&std::fs::read(path).unwrap(), &limits).unwrap();
        let pixels = u64::from(fitted.width) * u64::from(fitted.height);
        assert!(fitted.bytes.len() as u64 <= limits.bytes_max && pixels <= limits.pixels_max);
        eprintln!("{}×{}, {} bytes", fitted.width, fitted.height, fitted.bytes.len());
    }
    let time = on_cpu() - start;
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("{} {}", time.as_micros(), peak.trim().trim_end_matches(" kB"));
}

/// How long this thread has had a core.
fn on_cpu() -> Duration {
    let said = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(said.split(' ').next().unwrap().parse().unwrap())
}

fn photo() -> RgbImage {
    let mut state = 1_u32;
    RgbImage::from_fn(SIZE.0, SIZE.1, |x, y| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let wave =
            |by: f64| (127.0 + 90.0 * ((f64::from(x) + by * f64::from(y)) / 97.0).sin()) as u8;
        let grain = (state >> 28) as u8;
        Rgb([wave(0.3), wave(1.7), wave(-0.9)].map(|colour| colour.saturating_add(grain)))
    })
}

fn jpeg(image: &RgbImage) -> Vec<u8> {
    let mut bytes = Cursor::new(Vec::new());
    JpegEncoder::new_with_quality(&mut bytes, 85).encode_image(image).unwrap();
    bytes.into_inner()
}

/// With an EXIF block that says how it is to be turned.
fn with_orientation(jpeg: &[u8], orientation: u8) -> Vec<u8> {
    let mut bytes = jpeg[..2].to_vec();
    bytes.extend(b"\xff\xe1\0\x22Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0");
    bytes.extend([orientation, 0, 0, 0, 0, 0, 0]);
    bytes.extend(&jpeg[2..]);
    bytes
}
