//! People: who may be mentioned, and under which handle on each platform.
//!
//! The table `[people]` of the config. Nobody else is ever mentioned: a handle in a feed's text is
//! text.

use std::collections::BTreeMap;

use crate::platform::Platform;

/// The people whom the owner mentions, by the name that texts use.
pub type People = BTreeMap<String, Handles>;

/// One person's handles, each as it is typed on the platform, without a leading `@`:
/// `ada@example.social`, `ada.example`.
pub type Handles = BTreeMap<Platform, String>;
