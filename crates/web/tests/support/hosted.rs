//! A host with real accounts, whose passphrases cost little to try.

use std::net::Ipv4Addr;
use std::ops::Deref;
use std::path::PathBuf;

use account::{Accounts, Cost};
use node::Neighbours;
use node::chat::Name;
use serde_json::json;
use tempfile::TempDir;
use web::{HostLimits, Hosting, Limits, Listening, Registration, Serving};

use super::{Answer, Page, loopback};

/// A host and its page.
pub(crate) struct Hosted {
    at: Page,
    /// The folder of the accounts.
    pub(crate) base: TempDir,
    pub(crate) serving: Serving,
}

impl Deref for Hosted {
    type Target = Page;

    fn deref(&self) -> &Page {
        &self.at
    }
}

/// What the passphrases of these accounts cost.
pub(crate) fn cheap() -> Cost {
    Cost::new(64, 1, 1).unwrap()
}

/// A host on a folder of accounts.
pub(crate) fn hosting(base: PathBuf, registration: Registration, limits: HostLimits) -> Hosting {
    let neighbours = Neighbours::default();
    let peer = move |name: &Name| {
        let mut config = node::Config::new(name.as_str());
        config.mdns = false;
        config.listen = vec![loopback()];
        config.neighbours = neighbours.clone();
        config
    };
    Hosting { accounts: Accounts::new(base), registration, cost: cheap(), limits, peer: Box::new(peer) }
}

pub(crate) async fn host(registration: Registration, limits: Limits, host: HostLimits) -> Hosted {
    let base = tempfile::tempdir().unwrap();
    let listening = Listening::on_loopback(loopback()).await.unwrap();
    let at = Page { page: listening.address() };
    let hosting = hosting(base.path().to_owned(), registration, host);
    Hosted { at, base, serving: listening.serve_accounts(hosting, limits) }
}

/// A host at which everybody can register.
pub(crate) async fn open_host() -> Hosted {
    host(Registration::Open, Limits::of_host(), HostLimits::default()).await
}

impl Hosted {
    pub(crate) fn folder(&self, name: &str) -> PathBuf {
        self.base.path().join(name)
    }

    pub(crate) async fn try_register(&self, name: &str, passphrase: &str) -> Answer {
        self.post("/register", &[], &json!({"name": name, "passphrase": passphrase}).to_string()).await
    }

    /// Registers: the line `Cookie: …` of the session.
    pub(crate) async fn register(&self, name: &str) -> String {
        let answer = self.try_register(name, &passphrase(name)).await;
        assert_eq!(answer.status(), 204, "{answer:?}");
        answer.cookie()
    }

    pub(crate) async fn try_log_in(&self, name: &str, passphrase: &str) -> Answer {
        self.try_log_in_from(Ipv4Addr::LOCALHOST, name, passphrase).await
    }

    pub(crate) async fn try_log_in_from(&self, from: Ipv4Addr, name: &str, passphrase: &str) -> Answer {
        self.post_from(from, "/login", &[], &json!({"name": name, "passphrase": passphrase}).to_string()).await
    }

    /// Logs in: the line `Cookie: …` of the session.
    pub(crate) async fn log_in(&self, name: &str) -> String {
        let answer = self.try_log_in(name, &passphrase(name)).await;
        assert_eq!(answer.status(), 204, "{answer:?}");
        answer.cookie()
    }

    pub(crate) async fn delete(&self, cookie: &str, name: &str) -> Answer {
        self.post("/delete", &[cookie], &json!({ "name": name }).to_string()).await
    }

    /// Who a session is a session of, as its peer says: the name and the key.
    pub(crate) async fn who(&self, cookie: &str) -> (String, String) {
        let hello = self.open(cookie).await.unwrap().line().await;
        let text = |field: &str| hello["me"][field].as_str().unwrap_or_else(|| panic!("{hello}")).to_owned();
        (text("name"), text("person"))
    }
}

pub(crate) fn passphrase(name: &str) -> String {
    format!("the passphrase of {name}")
}
