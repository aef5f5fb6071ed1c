//! Why keys or certificates that an option gives cannot be used.

use std::{error, fmt, sync::Arc};

use crate::error::Error;

/// A sentence for `invalid_options` or `status`, and the error that it comes from, if there is one.
#[derive(Debug)]
pub(crate) struct Unusable {
    sentence: String,
    cause: Option<Arc<dyn error::Error + Send + Sync>>,
}

impl Unusable {
    /// This sentence, which has the cause's own words in it.
    pub(super) fn caused_by(sentence: impl Into<String>, cause: impl error::Error + Send + Sync + 'static) -> Self {
        Self { sentence: sentence.into(), cause: Some(Arc::new(cause)) }
    }

    /// The same after the name of what it is about.
    pub(super) fn of(self, name: impl fmt::Display) -> Self {
        Self { sentence: format!("{name}: {}", self.sentence), ..self }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.sentence)
    }
}

impl<S: Into<String>> From<S> for Unusable {
    fn from(sentence: S) -> Self {
        Self { sentence: sentence.into(), cause: None }
    }
}

impl From<Unusable> for Error {
    fn from(why: Unusable) -> Self {
        let error = Error::options(why.sentence);
        match why.cause {
            Some(cause) => error.caused_by(cause),
            None => error,
        }
    }
}
