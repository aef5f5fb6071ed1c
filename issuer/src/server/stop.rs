//! When a command that serves should end.

use std::{io, thread};

use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel},
};

/// Waits for SIGTERM, SIGINT (Ctrl-C) or, if that is wanted, the end of standard input, so that a test which dies
/// leaves no server running.
#[derive(Debug)]
pub struct StopSignal {
    runtime: Runtime,
    told: UnboundedReceiver<()>,
}

impl StopSignal {
    /// Begins to listen. Create it before you tell anybody that the server is ready: from here on a signal ends the
    /// process by way of [`wait`](Self::wait) only.
    ///
    /// # Errors
    /// If the operating system lets no signal handler or thread be added.
    pub fn new(until_stdin_closes: bool) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let (tell, told) = unbounded_channel();
        listen(&runtime, &tell)?;
        if until_stdin_closes {
            thread::Builder::new().spawn(move || {
                let _ = io::copy(&mut io::stdin(), &mut io::sink());
                let _ = tell.send(());
            })?;
        }
        Ok(Self { runtime, told })
    }

    /// Returns at the first of the events, also if it came before this call.
    pub fn wait(mut self) {
        self.runtime.block_on(self.told.recv());
    }
}

#[cfg(unix)]
fn listen(runtime: &Runtime, tell: &UnboundedSender<()>) -> io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};

    let _context = runtime.enter();
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        let mut signals = signal(kind)?;
        let tell = tell.clone();
        runtime.spawn(async move {
            signals.recv().await;
            let _ = tell.send(());
        });
    }
    Ok(())
}

#[cfg(not(unix))]
fn listen(runtime: &Runtime, tell: &UnboundedSender<()>) -> io::Result<()> {
    let tell = tell.clone();
    runtime.spawn(async move {
        let _ = tokio::signal::ctrl_c().await;
        let _ = tell.send(());
    });
    Ok(())
}
