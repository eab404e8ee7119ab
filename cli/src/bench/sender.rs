//! The sending side's client: hands released messages in and waits for their acknowledgements.

use std::cell::{Cell, RefCell};
use std::collections::{HashMap, VecDeque};
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::{Duration, Instant};

use detente_node::client::{Address, Client, EventStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;

use super::floor::Floor;
use super::http::{Connection, text_of};
use super::messages::Prepared;
use crate::answer::Failure;

/// How long one acknowledgement is waited for before the run has failed.
const MESSAGE_WITHIN: Duration = Duration::from_secs(60);

/// A message that was acknowledged, as the node told it.
#[derive(Clone, Debug)]
pub(super) struct Acknowledged {
    /// Its leaf hash, hexadecimal.
    pub(super) leaf: String,
}

/// An acknowledgement, waited for or come before it was.
enum Slot {
    Waits(oneshot::Sender<(Instant, Acknowledged)>),
    Came(Instant, Acknowledged),
}

type Waiting = Rc<RefCell<HashMap<String, Slot>>>;

/// The client of one node.
pub(super) struct Sender {
    path: String,
    connections: RefCell<Vec<Connection>>,
    waiting: Waiting,
    /// Times of the messages that were counted.
    pub(super) latency: RefCell<super::stats::Times>,
    /// All messages that were acknowledged.
    pub(super) taken: RefCell<Vec<Acknowledged>>,
    /// Whether times are counted now.
    pub(super) counts: Cell<bool>,
    /// Lets the sending begin.
    pub(super) go: Notify,
    /// Whether the sending has ended.
    pub(super) done: Cell<bool>,
}

impl Sender {
    /// Connects, with as many connections as messages are under way. Within a `LocalSet`.
    pub(super) async fn open(
        http: SocketAddr,
        token: &str,
        channel: &str,
        in_flight: usize,
    ) -> Result<Rc<Self>, Failure> {
        let address = Address::Tcp { address: http, token: token.to_owned() };
        let events = Client::new(address).events(None).await?;
        let waiting = Waiting::default();
        tokio::task::spawn_local(listen(events, Rc::clone(&waiting)));
        let mut connections = Vec::new();
        for _ in 0..in_flight {
            connections.push(Connection::open(http, token).await?);
        }
        Ok(Rc::new(Self {
            path: format!("/api/v1/channels/{channel}/messages"),
            connections: RefCell::new(connections),
            waiting,
            latency: RefCell::default(),
            taken: RefCell::default(),
            counts: Cell::new(false),
            go: Notify::new(),
            done: Cell::new(false),
        }))
    }

    /// Sends what is in the pool, as many at once as there are connections, until it is empty or
    /// `run` has passed. With a floor, one sample of it follows every message.
    pub(super) async fn drive(
        self: &Rc<Self>,
        pool: VecDeque<Prepared>,
        floor: Option<Floor>,
        run: Option<Duration>,
    ) -> Result<Option<Floor>, Failure> {
        self.go.notified().await;
        let pool = Rc::new(RefCell::new(pool));
        let floor = Rc::new(RefCell::new(floor));
        let until = run.map(|run| Instant::now() + run);
        let mut tasks = JoinSet::new();
        for connection in self.connections.take() {
            let (sender, pool, floor) = (Rc::clone(self), Rc::clone(&pool), Rc::clone(&floor));
            tasks.spawn_local(sender.send(connection, pool, floor, until));
        }
        let mut outcome = Ok(());
        while let Some(task) = tasks.join_next().await {
            match task.map_err(Failure::new).and_then(|sent| sent) {
                Ok(connection) => self.connections.borrow_mut().push(connection),
                Err(failure) => outcome = Err(failure),
            }
        }
        self.done.set(true);
        outcome.map(|()| floor.take())
    }

    async fn send(
        self: Rc<Self>,
        mut connection: Connection,
        pool: Rc<RefCell<VecDeque<Prepared>>>,
        floor: Rc<RefCell<Option<Floor>>>,
        until: Option<Instant>,
    ) -> Result<Connection, Failure> {
        while until.is_none_or(|until| Instant::now() < until) {
            let Some(next) = pool.borrow_mut().pop_front() else { break };
            self.one(&mut connection, &next).await?;
            if let Some(floor) = floor.borrow_mut().as_mut() {
                floor.sample()?;
            }
        }
        Ok(connection)
    }

    async fn one(&self, connection: &mut Connection, message: &Prepared) -> Result<(), Failure> {
        let body = message.body();
        let begun = Instant::now();
        let reply = connection.post(&self.path, &body).await?;
        let entry = text_of(reply, "entry").ok_or_else(|| Failure::new("a reply without entry"))?.to_owned();
        let came = self.waiting.borrow_mut().remove(&entry);
        let (at, acknowledged) = match came {
            Some(Slot::Came(at, acknowledged)) => (at, acknowledged),
            _ => {
                let (told, telling) = oneshot::channel();
                self.waiting.borrow_mut().insert(entry.clone(), Slot::Waits(told));
                let told = tokio::time::timeout(MESSAGE_WITHIN, telling).await;
                let in_vain =
                    |_| Failure::new(format!("{entry} is not acknowledged within {MESSAGE_WITHIN:?}"));
                told.map_err(in_vain)?.map_err(|_| Failure::new("the node ended its events"))?
            }
        };
        self.taken.borrow_mut().push(acknowledged);
        if self.counts.get() {
            self.latency.borrow_mut().add(at - begun);
        }
        Ok(())
    }
}

async fn listen(mut events: EventStream, waiting: Waiting) {
    while let Ok(Some(json)) = events.next().await {
        if text_of(&json, "kind") != Some("acknowledged") {
            continue;
        }
        let at = Instant::now();
        let text = |key| text_of(&json, key).map(str::to_owned);
        let (Some(entry), Some(leaf)) = (text("entry"), text("leaf")) else {
            continue;
        };
        let acknowledged = Acknowledged { leaf };
        let mut waiting = waiting.borrow_mut();
        match waiting.remove(&entry) {
            Some(Slot::Waits(told)) => {
                let _ = told.send((at, acknowledged)); // The run has failed and waits no more.
            }
            _ => {
                waiting.insert(entry, Slot::Came(at, acknowledged));
            }
        }
    }
    waiting.borrow_mut().clear(); // Those who wait see that nothing comes any more.
}
