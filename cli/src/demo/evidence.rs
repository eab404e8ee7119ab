//! What a step shows beside messages: clocks that run and stop, sums that hold, a node that is away.

use std::time::{Duration, Instant};

use detente_encoding::Timestamp;

use super::play::{Play, Sent, state_of};
use super::stage::Actor;
use super::transcript::Told;
use crate::answer::Failure;
use crate::commands::format::now;

impl Play<'_> {
    /// Both nodes list the clock; it is shown running for `run_s` seconds.
    pub(super) async fn clock(&mut self, by: &str, message: &str, run_s: u64) -> Result<(), Failure> {
        let sent = self.sent(message)?;
        let mut due = String::new();
        for code in [by, &sent.by] {
            let actor = self.stage.actor(code)?;
            let what = format!("the clock at {}", actor.cast.name);
            due = self.transcript.until(&what, async || clock_of(actor, &sent, by).await).await?;
        }
        let end = moment(&due)?;
        let left = end.since(now()) / 1000;
        self.transcript.tell(&Told::Clock {
            party: by.to_owned(),
            name: self.stage.actor(by)?.cast.name.clone(),
            reference: sent.reference,
            due,
            left_s: left,
        });
        let (began, mut shown) = (Instant::now(), 0);
        while began.elapsed() < Duration::from_secs(run_s) {
            let left = end.since(now()) / 1000;
            self.transcript.waiting(&format!("the clock runs, {left} s left"), began.elapsed(), &mut shown);
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.transcript.clear(shown > 0);
        Ok(())
    }

    pub(super) async fn clock_met(&mut self, by: &str, message: &str) -> Result<(), Failure> {
        let sent = self.sent(message)?;
        let sender = self.stage.actor(&sent.by)?;
        self.transcript
            .until("the clock to stop", async || {
                Ok(clock_of(sender, &sent, by).await?.is_none().then_some(()))
            })
            .await?;
        let state = state_of(sender, &sent, by).await?.unwrap_or_default();
        let (Some(due), Some(at)) = (state.deadline, state.acknowledged_at) else {
            return Err(Failure::new(format!("{} has no deadline or was not taken over", sent.reference)));
        };
        let spare_ms = moment(&due)?.since(moment(&at)?);
        if state.overdue || spare_ms < 0 {
            return Err(Failure::new(format!("{} was taken over too late", sent.reference)));
        }
        self.transcript.tell(&Told::ClockMet {
            party: by.to_owned(),
            name: self.stage.actor(by)?.cast.name.clone(),
            reference: sent.reference,
            due,
            at,
            spare_s: spare_ms / 1000,
        });
        Ok(())
    }

    /// Holds the parts that the reader's node shows against the sums beside them.
    pub(super) async fn sums(&mut self, by: &str, message: &str) -> Result<(), Failure> {
        let sent = self.sent(message)?;
        let view = self.held(by, &sent).await?;
        let fields = view.message.unwrap_or_default()["notification"]["fields"].take();
        let sums: [(&str, &str, &[&str]); 2] = [
            ("deployed missiles and bombers", "deployed_vehicles", &["deployed"]),
            ("launchers", "launchers", &["launchers_deployed", "launchers_nondeployed"]),
        ];
        for (total, key, of) in sums {
            let mut parts = Vec::new();
            for kind in fields["per_type"].as_array().into_iter().flatten() {
                let part: u64 = of.iter().filter_map(|key| kind[key].as_u64()).sum();
                parts.extend((part > 0).then_some(part));
            }
            let (sum, told_sum) = (parts.iter().sum(), fields["totals"][key].as_u64().unwrap_or_default());
            self.transcript.tell(&Told::Sum {
                party: by.to_owned(),
                name: self.stage.actor(by)?.cast.name.clone(),
                reference: sent.reference.clone(),
                total: total.to_owned(),
                parts,
                sum,
                told_sum,
            });
            if sum != told_sum || sum == 0 {
                return Err(Failure::new(format!(
                    "{total}: the parts of {} make {sum}, not {told_sum}",
                    sent.reference
                )));
            }
        }
        Ok(())
    }

    pub(super) async fn stop(&mut self, party: &str, seen_by: &str) -> Result<(), Failure> {
        let actor = self.stage.actor_mut(party)?;
        actor.stop().await;
        let name = actor.cast.name.clone();
        self.transcript.tell(&Told::Away { party: party.to_owned(), name: name.clone() });
        let watcher = self.stage.actor(seen_by)?;
        let what = format!("{} to see the paths to {name} go down", watcher.cast.name);
        let paths = self
            .transcript
            .until(&what, async || {
                let status = watcher.node()?.status().await?;
                let lines = status.channels.into_iter().flat_map(|channel| channel.line);
                let found = lines.filter(|line| line.party == party).flat_map(|line| line.paths);
                let paths: Vec<_> = found.collect();
                let down = !paths.is_empty() && paths.iter().all(|path| !path.up);
                Ok(down.then_some(paths))
            })
            .await?;
        self.transcript.tell(&Told::PathsDown {
            party: seen_by.to_owned(),
            name: watcher.cast.name.clone(),
            to: name,
            paths: paths.into_iter().map(|path| (path.kind, path.why.unwrap_or_default())).collect(),
        });
        Ok(())
    }

    pub(super) async fn start(&mut self, party: &str, catches_up: &[String]) -> Result<(), Failure> {
        let began = Instant::now();
        let actor = self.stage.actor_mut(party)?;
        let what = format!("{} to start", actor.cast.name);
        // The system may hold the port of a node that stopped a moment ago.
        let mut why = None;
        let started =
            self.transcript.until(&what, async || Ok(actor.start().map_err(|no| why = Some(no)).ok()));
        if let Err(vain) = started.await {
            return Err(why.unwrap_or(vain));
        }
        let mut missed = Vec::new();
        for message in catches_up {
            let sent = self.sent(message)?;
            self.held(party, &sent).await?;
            missed.push(sent);
        }
        let after_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.transcript.tell(&Told::CaughtUp {
            party: party.to_owned(),
            name: self.stage.actor(party)?.cast.name.clone(),
            references: missed.iter().map(|sent| sent.reference.clone()).collect(),
            after_ms,
        });
        for sent in &missed {
            self.delivered(party, sent).await?;
        }
        Ok(())
    }
}

/// By when `by` must take a message over, while `actor`'s node lists that clock.
async fn clock_of(actor: &Actor, sent: &Sent, by: &str) -> Result<Option<String>, Failure> {
    let status = actor.node()?.status().await?;
    let mut clocks = status.channels.into_iter().flat_map(|channel| channel.clocks);
    let found =
        clocks.find(|clock| clock.entry == sent.entry && clock.party == by && clock.what == "acknowledge");
    Ok(found.map(|clock| clock.due))
}

fn moment(text: &str) -> Result<Timestamp, Failure> {
    Timestamp::parse(text).map_err(|_| Failure::new(format!("the node answered {text:?} for a moment")))
}
