//! The guided demonstration: four real nodes on this machine play cases that happened.
//!
//! ```text
//!   scenarios/*.toml ──▶ script ──▶ play ──▶ stage (four nodes, links over loopback)
//!                                    │
//!                                    ▼
//!                               transcript, for people or as JSON
//! ```
//!
//! Nothing is printed that a node did not answer: each step asks until its node says so, and a step
//! that does not come true ends the demonstration with a sentence and the exit status 1.

mod cast;
mod evidence;
mod journal;
mod paper;
mod play;
mod script;
mod stage;
mod transcript;

use std::path::PathBuf;

use crate::answer::{Done, Failure, Style};
use stage::Stage;
use transcript::{Told, Transcript};

/// Threads that serve the links of all four nodes.
const WORKERS: usize = 2;

/// Runs the demonstration. With `once` its folders are removed at the end; else they stay, to be
/// looked at.
pub(crate) fn run(once: bool, style: Style) -> Result<Done, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(WORKERS).enable_all().build();
    let runtime = runtime.map_err(|why| Failure::new(format!("no runtime can be started: {why}")))?;
    let folder = new_folder()?;
    let mut transcript = Transcript::new(style.json);
    let played = runtime.block_on(async {
        let mut stage = Stage::set(&folder, &mut transcript).await?;
        let played = perform(&mut stage, &mut transcript).await;
        stage.close().await;
        played
    });
    runtime.shutdown_background();
    if let Err(failure) = played {
        let kept = format!("{}\nThe folders of this run are kept in {}.", failure.reason, folder.display());
        return Err(Failure { reason: kept, ..failure });
    }
    if once {
        let refuse = |why| Failure::new(format!("{} cannot be removed: {why}", folder.display()));
        std::fs::remove_dir_all(&folder).map_err(refuse)?;
    }
    transcript.tell(&Told::End { folder: (!once).then(|| folder.display().to_string()) });
    Ok(Done::Done)
}

async fn perform(stage: &mut Stage, transcript: &mut Transcript) -> Result<(), Failure> {
    let mut play = play::Play::new(stage, transcript);
    for scene in script::scenes()? {
        play.scene(&scene).await?;
    }
    let messages = play.into_messages();
    journal::prove(stage, &messages, transcript).await
}

/// A new folder for this run, for its owner alone.
fn new_folder() -> Result<PathBuf, Failure> {
    use std::os::unix::fs::DirBuilderExt;
    let mut random = [0; 6];
    let refuse = |what: String| Failure::new(format!("no folder can be made for the demonstration: {what}"));
    getrandom::fill(&mut random).map_err(|why| refuse(why.to_string()))?;
    let name = format!("detente-demo-{}", detente_encoding::text::hex(&random));
    let folder = std::env::temp_dir().join(name);
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&folder)
        .map_err(|why| refuse(format!("{}: {why}", folder.display())))?;
    Ok(folder)
}
