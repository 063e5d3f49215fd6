//! Lookup: names to addresses, by the system's resolver, only so many at a time.
//!
//! The system's resolver keeps a thread for as long as it likes, half a minute where no name
//! server answers, also when nobody waits for it any more. The threads are those that the database
//! works on.
//! **Invariant:** a lookup that was given up holds its turn until its thread is free again, so
//! that lookups never take more threads than they were granted.

use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use tokio::sync::Semaphore;

/// What knows the addresses of a host. The port is 0: it comes from the URL.
pub type Find = Arc<dyn Fn(&str) -> io::Result<Vec<SocketAddr>> + Send + Sync>;

/// The resolver of one client.
pub struct Lookup {
    turns: Arc<Semaphore>,
    find: Find,
}

impl Lookup {
    /// The system's resolver, asked for at most `most` names at a time.
    pub fn at_most(most: usize) -> Self {
        Self::through(Arc::new(system), most)
    }

    /// Another one, asked for at most `most` names at a time.
    pub fn through(find: Find, most: usize) -> Self {
        Self { turns: Arc::new(Semaphore::new(most)), find }
    }
}

impl Resolve for Lookup {
    fn resolve(&self, name: Name) -> Resolving {
        let (turns, find) = (Arc::clone(&self.turns), Arc::clone(&self.find));
        Box::pin(async move {
            let turn = turns.acquire_owned().await?;
            let found = tokio::task::spawn_blocking(move || {
                let _turn = turn;
                find(name.as_str())
            });
            Ok(Box::new(found.await??.into_iter()) as Addrs)
        })
    }
}

/// The addresses of a host, as the system knows them.
pub fn system(host: &str) -> io::Result<Vec<SocketAddr>> {
    Ok((host, 0).to_socket_addrs()?.collect())
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};
    use std::time::Duration;

    use super::*;

    static ANSWERS: (Mutex<bool>, Condvar) = (Mutex::new(false), Condvar::new());

    /// A name server that is down, until it is up.
    fn down(_: &str) -> io::Result<Vec<SocketAddr>> {
        let is_up = ANSWERS.0.lock().unwrap();
        drop(ANSWERS.1.wait_while(is_up, |is_up| !*is_up).unwrap());
        Ok(vec![([127, 0, 0, 1], 0).into()])
    }

    #[tokio::test]
    async fn lookups_that_were_given_up_still_count() {
        let lookup = Lookup::through(Arc::new(down), 2);
        let name = || "a.example".parse().unwrap();
        let soon = Duration::from_millis(10);
        for _ in 0..5 {
            assert!(tokio::time::timeout(soon, lookup.resolve(name())).await.is_err());
        }
        // two threads hang, and not five
        assert_eq!(lookup.turns.available_permits(), 0);
        *ANSWERS.0.lock().unwrap() = true;
        ANSWERS.1.notify_all();
        let found = lookup.resolve(name()).await.unwrap().next().unwrap();
        assert_eq!(found.ip().to_string(), "127.0.0.1");
        let _all = lookup.turns.acquire_many(2).await.unwrap();
    }

    #[tokio::test]
    async fn the_system_knows_itself_and_says_what_it_does_not_know() {
        let lookup = Lookup::at_most(1);
        let found = lookup.resolve("localhost".parse().unwrap()).await.unwrap();
        assert!(found.map(|address| address.ip()).all(|ip| ip.is_loopback()));
    }
}
