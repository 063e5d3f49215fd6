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
pub struct Take {
    /// All of it, where it has no more bytes than this.
    pub whole_max: u64,
    /// So many of its first bytes, where it has more; absent: then it is refused.
    pub start: Option<u64>,
}

/// How many bytes there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Length {
    /// So many.
    Exactly(u64),
    /// More than so many: the server does not say, and no more were taken.
    MoreThan(u64),
}

impl Length {
    /// Whether there are surely more than `max`.
    pub const fn exceeds(self, max: u64) -> bool {
        match self {
            Self::Exactly(bytes) => bytes > max,
            Self::MoreThan(bytes) => bytes >= max,
        }
    }

    /// How many there are, where that is known.
    pub const fn exactly(self) -> Option<u64> {
        match self {
            Self::Exactly(bytes) => Some(bytes),
            Self::MoreThan(_) => None,
        }
    }
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
    /// How many there are.
    pub length: Length,
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
    let Take { whole_max, start: head } = wanted;
    let said_larger = announced.is_some_and(|announced| announced > whole_max);
    let most = match (said_larger, head) {
        (false, _) => whole_max,
        (true, Some(head)) => head,
        (true, None) => return Err(too_large(whole_max)),
    };
    let mut sink = Sink { file, most, bytes: 0, is_cut: false };
    sink.put(&start).await?;
    // of what is said to be larger no byte is waited for that is not taken
    let has_enough = |sink: &Sink<'_>| sink.is_cut || said_larger && sink.bytes == most;
    while !is_over && !has_enough(&sink) {
        match chunk(&mut response, silence).await? {
            Some(more) => sink.put(more.as_ref()).await?,
            None => is_over = true,
        }
    }
    if sink.is_cut && !said_larger {
        // it never said how long it is
        sink.cut_to(head.ok_or_else(|| too_large(whole_max))?).await?;
    }
    sink.file.flush().await?;
    let bytes = sink.bytes;
    let length = match announced {
        Some(announced) => Length::Exactly(announced),
        None if sink.is_cut => Length::MoreThan(whole_max),
        None => Length::Exactly(bytes),
    };
    Ok(Downloaded { url, content_type, bytes, length })
}

/// The file, and how much of it there is.
struct Sink<'f> {
    file: &'f mut tokio::fs::File,
    /// The most bytes that are written.
    most: u64,
    bytes: u64,
    /// Whether there were more.
    is_cut: bool,
}

impl Sink<'_> {
    /// Writes `chunk`, or as much of it as is taken.
    async fn put(&mut self, chunk: &[u8]) -> Result<(), FetchError> {
        let room = usize::try_from(self.most - self.bytes).unwrap_or(usize::MAX);
        let kept = &chunk[..chunk.len().min(room)];
        self.file.write_all(kept).await?;
        self.bytes += kept.len() as u64;
        self.is_cut |= kept.len() < chunk.len();
        Ok(())
    }

    /// Takes back what is behind the first `bytes`.
    async fn cut_to(&mut self, bytes: u64) -> Result<(), FetchError> {
        self.file.flush().await?;
        self.bytes = self.bytes.min(bytes);
        self.file.set_len(self.bytes).await?;
        Ok(())
    }
}

fn too_large(most: u64) -> FetchError {
    FetchError::TooLarge(usize::try_from(most).unwrap_or(usize::MAX))
}
