//! Addresses as people write them.
