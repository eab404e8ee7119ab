//! How a caller learns that its batch is durable, from a thread or from any runtime.

use crate::error::CommitError;
use std::pin::Pin;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

/// Called once with the outcome of a batch, after the sync. Runs on the engine's thread: short.
pub type Done = Box<dyn FnOnce(Result<(), CommitError>) + Send>;

#[derive(Debug, Default)]
struct State {
    outcome: Option<Result<(), CommitError>>,
    waker: Option<Waker>,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    decided: Condvar,
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // The state is whole after every statement, so a panicking holder leaves nothing half.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn decide(&self, outcome: Result<(), CommitError>) {
        let mut state = self.lock();
        if state.outcome.is_some() {
            return;
        }
        state.outcome = Some(outcome);
        let waker = state.waker.take();
        drop(state);
        self.decided.notify_all();
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// Answers `LocalClosed` if the engine drops the callback without calling it.
struct Promise(Arc<Shared>);

impl Drop for Promise {
    fn drop(&mut self) {
        self.0.decide(Err(CommitError::LocalClosed));
    }
}

/// The outcome of one batch: waited for on a thread, or awaited as a future.
#[derive(Debug)]
#[must_use = "a batch is durable only when its completion says so"]
pub struct Completion(Arc<Shared>);

impl Completion {
    /// Makes a callback and the completion that it decides.
    pub fn pair() -> (Done, Self) {
        let shared = Arc::new(Shared::default());
        let promise = Promise(Arc::clone(&shared));
        (Box::new(move |outcome| promise.0.decide(outcome)), Self(shared))
    }

    /// Blocks until the batch is durable or has failed.
    ///
    /// # Errors
    /// As the engine answers.
    pub fn wait(self) -> Result<(), CommitError> {
        let mut state = self.0.lock();
        loop {
            if let Some(outcome) = &state.outcome {
                return outcome.clone();
            }
            state = self.0.decided.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// The outcome so far; `None` while the disk is at work.
    #[must_use]
    pub fn outcome(&self) -> Option<Result<(), CommitError>> {
        self.0.lock().outcome.clone()
    }
}

impl Future for Completion {
    type Output = Result<(), CommitError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.0.lock();
        if let Some(outcome) = &state.outcome {
            return Poll::Ready(outcome.clone());
        }
        state.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dropped_callback_is_an_answer_and_not_a_hang() {
        let (done, completion) = Completion::pair();
        drop(done);
        assert_eq!(completion.wait(), Err(CommitError::LocalClosed));
    }

    #[test]
    fn the_outcome_reaches_a_waiting_thread_and_a_future() {
        let (done, completion) = Completion::pair();
        assert_eq!(completion.outcome(), None);
        let waiting = std::thread::spawn(move || completion.wait());
        done(Ok(()));
        assert_eq!(waiting.join().expect("the thread ends"), Ok(()));

        let (done, mut completion) = Completion::pair();
        let mut context = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut completion).poll(&mut context).is_pending());
        done(Err(CommitError::EnvironmentHalted));
        assert_eq!(
            Pin::new(&mut completion).poll(&mut context),
            Poll::Ready(Err(CommitError::EnvironmentHalted))
        );
    }
}
