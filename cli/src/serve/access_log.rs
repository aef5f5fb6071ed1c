//! `--access-log`: a line of JSON for each request. It holds no user, no token and no query.

use std::{
    io::{self, Write as _},
    time::Instant,
};

use hyper::{Request, StatusCode, body::Incoming};
use serde_json::json;

use crate::times;

pub(super) struct Line {
    method: String,
    path: String,
    begin: Instant,
}

impl Line {
    pub(super) fn begin(request: &Request<Incoming>) -> Self {
        let (method, path) = (request.method().to_string(), request.uri().path().to_owned());
        Self { method, path, begin: Instant::now() }
    }

    pub(super) fn end(self, status: StatusCode) {
        let milliseconds = u64::try_from(self.begin.elapsed().as_millis()).unwrap_or(u64::MAX);
        let line = json!({
            "time": times::now().unwrap_or_default(), "method": self.method, "path": self.path,
            "status": status.as_u16(), "milliseconds": milliseconds,
        });
        let _ = writeln!(io::stdout(), "{line}"); // the reader may be gone
    }
}
