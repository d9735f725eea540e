//! Messages to an address. Each is for the person whom a dial of that very address proves to be there, and for nobody else: anybody can
//! write any address into their own record.

use std::net::SocketAddr;

use crate::PersonId;

/// The messages to addresses that are not addressed to anybody yet.
#[derive(Debug, Default)]
pub(super) struct ForAddress {
    waiting: Vec<ToAddress>,
}

/// One of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct ToAddress {
    pub(super) address: SocketAddr,
    pub(super) text: String,
    pub(super) delay_ms: u64,
    /// Who is there, once the dial has proved it. Then it waits for the greeting, which says which process to address.
    is: Option<PersonId>,
}

impl ForAddress {
    pub(super) fn len(&self) -> usize {
        self.waiting.len()
    }

    pub(super) fn push(&mut self, address: SocketAddr, text: String, delay_ms: u64) {
        self.waiting.push(ToAddress { address, text, delay_ms, is: None });
    }

    /// This person is the one at the address.
    pub(super) fn reached(&mut self, address: SocketAddr, person: PersonId) {
        for to in self.waiting.iter_mut().filter(|to| to.address == address) {
            to.is = Some(person);
        }
    }

    /// Takes those that are for this person, in order.
    pub(super) fn take(&mut self, person: PersonId) -> Vec<ToAddress> {
        let (taken, left) = std::mem::take(&mut self.waiting).into_iter().partition(|to| to.is == Some(person));
        self.waiting = left;
        taken
    }

    /// Nobody could be reached there: what was to be said is dropped. Whether there was something.
    pub(super) fn failed(&mut self, address: &str) -> bool {
        let before = self.waiting.len();
        self.waiting.retain(|to| to.address.to_string() != address);
        self.waiting.len() < before
    }

    /// The newest to this address is taken back.
    pub(super) fn take_back(&mut self, address: SocketAddr) {
        if let Some(at) = self.waiting.iter().rposition(|to| to.address == address) {
            self.waiting.remove(at);
        }
    }
}
