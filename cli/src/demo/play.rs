//! Playing the scenes: each step acts on one node and then asks the others until it has come true.

use std::collections::BTreeMap;

use detente_encoding::Timestamp;
use detente_node::api::{MessageView, PartyState, Submitted};
use serde_json::{Value, json};

use super::script::{Scene, Step, message_file};
use super::stage::{Actor, Stage};
use super::transcript::{Told, Transcript};
use crate::answer::Failure;

/// The entry that a reference shows when its channel is not held.
const ELSEWHERE: &str = "on a channel not held here";

/// A message that was sent.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Full name of its entry.
    pub(crate) entry: String,
    /// Its number.
    pub(crate) reference: String,
    /// Who sent it.
    pub(crate) by: String,
}

/// The play under way.
#[derive(Debug)]
pub(crate) struct Play<'a> {
    pub(super) stage: &'a mut Stage,
    pub(super) transcript: &'a mut Transcript,
    messages: BTreeMap<String, Sent>,
    start: Timestamp,
    scenes: usize,
}

impl<'a> Play<'a> {
    /// A play on a stage, from now on.
    pub(crate) fn new(stage: &'a mut Stage, transcript: &'a mut Transcript) -> Self {
        let start = crate::commands::format::now();
        Self { stage, transcript, messages: BTreeMap::new(), start, scenes: 0 }
    }

    /// The messages sent, by the names that the scenes gave them.
    pub(crate) fn into_messages(self) -> BTreeMap<String, Sent> {
        self.messages
    }

    /// Plays one scene.
    ///
    /// # Errors
    /// A sentence on the first step that did not come true.
    pub(crate) async fn scene(&mut self, scene: &Scene) -> Result<(), Failure> {
        self.scenes += 1;
        self.transcript.tell(&Told::Scene {
            number: self.scenes,
            scene: scene.name.to_owned(),
            title: scene.title.clone(),
            story: scene.story.trim().to_owned(),
        });
        for step in &scene.steps {
            self.step(step).await.map_err(|failure| Failure {
                reason: format!("scenarios/{}.toml: {}", scene.name, failure.reason),
                ..failure
            })?;
        }
        Ok(())
    }

    async fn step(&mut self, step: &Step) -> Result<(), Failure> {
        match step {
            Step::Send { by, channel, r#as, message } => {
                let file = message_file(message, self.start)?;
                self.send(by, channel, r#as, &file, &[]).await
            }
            Step::PassOn { by, channel, r#as, message } => self.pass_on(by, channel, r#as, message).await,
            Step::Read { by, message, refers_elsewhere } => self.read(by, message, *refers_elsewhere).await,
            Step::Acknowledge { by, message } => self.acknowledge(by, message).await,
            Step::Receipt { message } => self.receipt(message).await,
            Step::Clock { by, message, run_s } => self.clock(by, message, *run_s).await,
            Step::ClockMet { by, message } => self.clock_met(by, message).await,
            Step::Sums { by, message } => self.sums(by, message).await,
            Step::Stop { party, seen_by } => self.stop(party, seen_by).await,
            Step::Start { party, catches_up } => self.start(party, catches_up).await,
        }
    }

    pub(super) fn sent(&self, message: &str) -> Result<Sent, Failure> {
        let found = self.messages.get(message).cloned();
        found.ok_or_else(|| Failure::new(format!("no message {message:?} was sent")))
    }

    /// Waits until the node of `code` holds the message and has checked it.
    pub(super) async fn held(&mut self, code: &str, sent: &Sent) -> Result<MessageView, Failure> {
        let actor = self.stage.actor(code)?;
        let what = format!("{} at {}", sent.reference, actor.cast.name);
        let view = self
            .transcript
            .until(&what, async || {
                let view = actor.message(&sent.entry).await?;
                Ok(view.filter(|view| view.judged != "waiting"))
            })
            .await?;
        match view.judged.as_str() {
            "valid" => Ok(view),
            judged => Err(Failure::new(format!("{what} is {judged}"))),
        }
    }

    async fn send(
        &mut self,
        by: &str,
        channel: &str,
        name: &str,
        file: &Value,
        cited: &[MessageView],
    ) -> Result<(), Failure> {
        let (actor, open) = (self.stage.actor(by)?, self.stage.channel(channel)?);
        let cited: Vec<_> = cited.iter().map(|view| view.found.clone()).collect();
        let Submitted { entry, reference, .. } = actor.send(&open.channel, &file.to_string(), &cited).await?;
        let label = open.label.clone();
        let sent = Sent { entry, reference, by: by.to_owned() };
        self.messages.insert(name.to_owned(), sent.clone());
        let view = self.held(by, &sent).await?;
        let actor = self.stage.actor(by)?;
        let mut to = view.to.clone();
        self.stage.in_order(&mut to);
        self.transcript.tell(&Told::Released {
            party: by.to_owned(),
            name: actor.cast.name.clone(),
            officers: actor.cast.release.to_vec(),
            reference: sent.reference.clone(),
            entry: sent.entry.clone(),
            format: view.found.format.clone().unwrap_or_default(),
            precedence: view.found.precedence.clone().unwrap_or_default(),
            lane: view.found.lane.clone(),
            names: self.stage.names(&to),
            to: to.clone(),
            at: view.found.written_at.clone(),
            label,
        });
        if view.found.lane != "exercise" {
            return Err(Failure::new(format!("{} is in the {} lane", sent.reference, view.found.lane)));
        }
        for code in &to {
            match self.stage.actor(code)?.is_here() {
                true => self.delivered(code, &sent).await?,
                false => self.not_delivered(code, &sent).await?,
            }
        }
        Ok(())
    }

    /// The sender's node shows the receipt of `code`, whose node shows the release to be verified.
    pub(super) async fn delivered(&mut self, code: &str, sent: &Sent) -> Result<(), Failure> {
        let (sender, actor) = (self.stage.actor(&sent.by)?, self.stage.actor(code)?);
        let name = actor.cast.name.clone();
        let at = self
            .transcript
            .until(&format!("the receipt of {name}"), async || {
                Ok(state_of(sender, sent, code).await?.and_then(|state| state.delivered_at))
            })
            .await?;
        let release = self
            .transcript
            .until(&format!("the release proof at {name}"), async || {
                let release = actor.message(&sent.entry).await?.map(|view| view.release);
                Ok(release.filter(|release| release.verdict != "not_yet_shown"))
            })
            .await?;
        self.transcript.tell(&Told::Delivered {
            party: code.to_owned(),
            name: name.clone(),
            reference: sent.reference.clone(),
            at,
            release: release.verdict.clone(),
            keys: release.keys.clone(),
            file_key: release.file_key,
        });
        match (release.verdict.as_str(), release.keys.len()) {
            ("verified", 2) => Ok(()),
            (verdict, keys) => Err(Failure::new(format!(
                "{name} finds the release of {} {verdict}, with {keys} keys",
                sent.reference
            ))),
        }
    }

    async fn not_delivered(&mut self, code: &str, sent: &Sent) -> Result<(), Failure> {
        let sender = self.stage.actor(&sent.by)?;
        let state = state_of(sender, sent, code).await?;
        if state.is_none_or(|state| state.delivered_at.is_some()) {
            return Err(Failure::new(format!(
                "{} is shown as received by {code}, which is away",
                sent.reference
            )));
        }
        self.transcript.tell(&Told::NotDelivered {
            party: code.to_owned(),
            name: self.stage.actor(code)?.cast.name.clone(),
            reference: sent.reference.clone(),
            shown_to: sender.cast.name.clone(),
        });
        Ok(())
    }

    async fn pass_on(&mut self, by: &str, channel: &str, name: &str, message: &str) -> Result<(), Failure> {
        let first = self.sent(message)?;
        let view = self.held(by, &first).await?;
        let file = view.message.clone().unwrap_or_default();
        let file = json!({
            "precedence": file["precedence"], "exercise": true, "language": file["language"],
            "refs": [view.found.reference], "notification": file["notification"],
        });
        self.send(by, channel, name, &file, &[view]).await
    }

    async fn read(&mut self, by: &str, message: &str, elsewhere: bool) -> Result<(), Failure> {
        let sent = self.sent(message)?;
        self.held(by, &sent).await?;
        let actor = self.stage.actor(by)?;
        actor.node()?.mark_opened(&sent.entry).await?;
        let (view, at) = self
            .transcript
            .until("the note that it was opened", async || {
                let Some(view) = actor.message(&sent.entry).await? else { return Ok(None) };
                let opened = own_state(&view, by).and_then(|state| state.opened_at.clone());
                Ok(opened.map(|at| (view, at)))
            })
            .await?;
        let text = view.text.ok_or_else(|| Failure::new(format!("{} cannot be read", sent.reference)))?;
        let language = detente_formats::Language::from_code(&actor.cast.language);
        let mark = language.map(detente_formats::exercise_mark).unwrap_or_default();
        let exercise = text.lines().next() == Some(mark) && text.lines().next_back() == Some(mark);
        self.transcript.tell(&Told::Read {
            party: by.to_owned(),
            name: actor.cast.name.clone(),
            officer: actor.cast.watch.clone(),
            reference: sent.reference.clone(),
            language: actor.cast.language.clone(),
            exercise,
            at,
            text,
        });
        if !exercise {
            return Err(Failure::new(format!("{} is shown without the exercise mark", sent.reference)));
        }
        if !elsewhere {
            return Ok(());
        }
        let shown = view.message.as_ref().and_then(|message| message["refs"][0].as_str()).unwrap_or_default();
        if shown != ELSEWHERE {
            return Err(Failure::new(format!("{} is shown to refer to {shown:?}", sent.reference)));
        }
        self.transcript.tell(&Told::RefersElsewhere {
            party: by.to_owned(),
            name: actor.cast.name.clone(),
            reference: sent.reference.clone(),
            shown: shown.to_owned(),
        });
        Ok(())
    }

    async fn acknowledge(&mut self, by: &str, message: &str) -> Result<(), Failure> {
        let sent = self.sent(message)?;
        let view = self.held(by, &sent).await?;
        let (actor, sender) = (self.stage.actor(by)?, self.stage.actor(&sent.by)?);
        actor.acknowledge(&view).await?;
        let what = format!("{} to see that {} took it over", sender.cast.name, actor.cast.name);
        let at = self
            .transcript
            .until(&what, async || {
                Ok(state_of(sender, &sent, by).await?.and_then(|state| state.acknowledged_at))
            })
            .await?;
        self.transcript.tell(&Told::Acknowledged {
            party: by.to_owned(),
            name: actor.cast.name.clone(),
            officer: actor.cast.watch.clone(),
            reference: sent.reference,
            at,
            shown_to: sender.cast.name.clone(),
        });
        Ok(())
    }

    async fn receipt(&mut self, message: &str) -> Result<(), Failure> {
        let sent = self.sent(message)?;
        let sender = self.stage.actor(&sent.by)?;
        let view = sender.message(&sent.entry).await?;
        for state in view.iter().flat_map(|view| &view.parties) {
            let at = state.delivered_at.clone();
            let at = at.ok_or_else(|| Failure::new(format!("{} has no receipt", sent.reference)))?;
            self.transcript.tell(&Told::Receipt {
                party: sent.by.clone(),
                name: sender.cast.name.clone(),
                officer: sender.cast.watch.clone(),
                reference: sent.reference.clone(),
                received_by: self.stage.actor(&state.party)?.cast.name.clone(),
                at,
            });
        }
        Ok(())
    }
}

/// What `code` has done with a message, as `actor` sees it.
pub(super) async fn state_of(actor: &Actor, sent: &Sent, code: &str) -> Result<Option<PartyState>, Failure> {
    let view = actor.message(&sent.entry).await?;
    Ok(view.as_ref().and_then(|view| own_state(view, code)).cloned())
}

fn own_state<'v>(view: &'v MessageView, code: &str) -> Option<&'v PartyState> {
    view.parties.iter().find(|state| state.party == code)
}
