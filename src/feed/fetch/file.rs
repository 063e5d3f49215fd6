//! File: reads a feed from the owner's disk.

use tokio::fs;
use tokio::io::AsyncReadExt;
use url::Url;

use super::Cause;

/// Reads the file that a `file:` URL names, to at most `bytes_max` bytes.
pub async fn read(url: &Url, bytes_max: usize) -> Result<Vec<u8>, Cause> {
    let path = url
        .to_file_path()
        .map_err(|()| Cause::File("the URL names no local file, want `file:///…`".into()))?;
    let failed = |error: std::io::Error| Cause::File(error.to_string());
    // asked before it is opened: opening a pipe would wait for its other end
    if !fs::metadata(&path).await.map_err(failed)?.is_file() {
        return Err(Cause::File("it is not a regular file".into()));
    }
    let file = fs::File::open(&path).await.map_err(failed)?;
    let mut bytes = Vec::new();
    file.take(bytes_max as u64 + 1).read_to_end(&mut bytes).await.map_err(failed)?;
    if bytes.len() > bytes_max { Err(Cause::TooLarge(bytes_max)) } else { Ok(bytes) }
}
