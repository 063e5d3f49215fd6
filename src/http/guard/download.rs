//! Download: what is too large for memory, from a URL of a feed into a file.
//!
//! The first bytes are shown to whoever wants them, who says what they are and how many more are
//! taken: a video may be larger than a picture, and a page is none of both. **Invariant:** never
//! more than one chunk is in memory, and never more bytes are taken than were allowed for what the
//! first ones are. **Refuses:** content codings: media are compressed already, and a coding would
//! only hide their size.

use std::time::Duration;

use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use tokio::io::AsyncWriteExt;
use url::Url;

use super::{FetchError, Guard};

/// How many of the first bytes are shown, where there are as many.
pub const START_BYTES: usize = 4096;

/// How long a download may take, and what is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// The whole of it, redirects included.
    pub timeout: Duration,
    /// The longest silence: until the head of the answer, and then between two pieces of it.
    pub silence: Duration,
    /// The value of `Accept`.
    pub accept: &'static str,
}

/// How much of a body is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Take {
    /// All of it, where that is no more than so many bytes.
    Whole(u64),
    /// Its first bytes, at most so many.
    Start(u64),
}

/// What a download brought.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// The URL that answered, after all redirects.
    pub url: Url,
    /// What the server calls it.
    pub content_type: Option<String>,
    /// How many bytes were written.
    pub bytes: u64,
    /// How many there are, as far as the server says.
    pub announced: Option<u64>,
}

impl Guard {
    /// Gets what stands at `url` into `file`. `judge` sees its first bytes, all of them where there
    /// are fewer than [`START_BYTES`], and says how much is taken.
    ///
    /// # Errors
    /// [`FetchError`]: `Unwanted` with the words of `judge`; the file then holds something, or
    /// nothing.
    pub async fn download(
        &self,
        url: &Url,
        patience: Patience,
        file: &mut tokio::fs::File,
        judge: &(dyn Fn(&[u8]) -> Result<Take, String> + Sync),
    ) -> Result<Downloaded, FetchError> {
        let work = async {
            let opened = self.open(url, patience.accept, "identity");
            let (response, url) = spoken(patience.silence, opened).await?;
            take(response, url, (file, patience.silence), judge).await
        };
        match tokio::time::timeout(patience.timeout, work).await {
            Ok(downloaded) => downloaded,
            Err(_elapsed) => Err(FetchError::TimedOut(patience.timeout)),
        }
    }
}

/// What comes of `work`, unless that is silent for too long: a server that hangs must not cost the
/// time of one that is slow.
async fn spoken<T>(
    silence: Duration,
    work: impl Future<Output = Result<T, FetchError>>,
) -> Result<T, FetchError> {
    tokio::time::timeout(silence, work).await.unwrap_or(Err(FetchError::TimedOut(silence)))
}

async fn chunk(
    response: &mut Response,
    silence: Duration,
) -> Result<Option<impl AsRef<[u8]> + use<>>, FetchError> {
    spoken(silence, async { Ok(response.chunk().await?) }).await
}

async fn take(
    mut response: Response,
    url: Url,
    (file, silence): (&mut tokio::fs::File, Duration),
    judge: &(dyn Fn(&[u8]) -> Result<Take, String> + Sync),
) -> Result<Downloaded, FetchError> {
    let header = |name| response.headers().get(name).and_then(|value| value.to_str().ok());
    if header(CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return Err(FetchError::Unwanted("the server compresses it, though not asked to".into()));
    }
    let content_type = header(CONTENT_TYPE).map(str::to_owned);
    let announced = response.content_length();
    let mut start = Vec::new();
    let mut is_over = false;
    while start.len() < START_BYTES && !is_over {
        match chunk(&mut response, silence).await? {
            Some(more) => start.extend_from_slice(more.as_ref()),
            None => is_over = true,
        }
    }
    let wanted = judge(&start[..start.len().min(START_BYTES)]).map_err(FetchError::Unwanted)?;
    if let (Take::Whole(most), Some(announced)) = (wanted, announced)
        && announced > most
    {
        return Err(too_large(most));
    }
    let mut sink = Sink { file, wanted, bytes: 0 };
    let mut goes_on = sink.put(&start).await? && !is_over;
    while goes_on && let Some(more) = chunk(&mut response, silence).await? {
        goes_on = sink.put(more.as_ref()).await?;
    }
    sink.file.flush().await?;
    Ok(Downloaded { url, content_type, bytes: sink.bytes, announced })
}

/// The file, and how much of it there is.
struct Sink<'f> {
    file: &'f mut tokio::fs::File,
    wanted: Take,
    bytes: u64,
}

impl Sink<'_> {
    /// Writes `chunk`, or as much of it as is taken. Tells whether more may come.
    async fn put(&mut self, chunk: &[u8]) -> Result<bool, FetchError> {
        let (Take::Whole(most) | Take::Start(most)) = self.wanted;
        let room = usize::try_from(most - self.bytes).unwrap_or(usize::MAX);
        if chunk.len() > room && matches!(self.wanted, Take::Whole(_)) {
            return Err(too_large(most));
        }
        let kept = &chunk[..chunk.len().min(room)];
        self.file.write_all(kept).await?;
        self.bytes += kept.len() as u64;
        Ok(self.bytes < most || matches!(self.wanted, Take::Whole(_)))
    }
}

fn too_large(most: u64) -> FetchError {
    FetchError::TooLarge(usize::try_from(most).unwrap_or(usize::MAX))
}
