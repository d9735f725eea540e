//! The time to read, to take in and to stamp one message in a group in which each process sends to all: by this crate, by the
//! book's algorithm (one message for each destination), and by a plain vector clock. `ready` is the traffic in an order in
//! which nothing waits, and `mixed` is the traffic in the order of arrival.
#![allow(missing_docs, reason = "criterion's macros write no documentation")]
#![expect(clippy::print_stderr, reason = "it says what the figures are about")]

mod traffic;

use std::collections::BTreeSet;
use std::hint::black_box;
use std::time::Duration;

use causal::wire::Numbering;
use causal::{Limits, Set};
use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use traffic::{Arrival, GROUPS, broadcast, restore};

/// How many messages are stamped in a row.
const SENT: u64 = 200;

fn receive(criterion: &mut Criterion) {
    for size in GROUPS {
        let traffic = broadcast(size, 400);
        eprintln!("group of {size}: {:.0} % have to wait", traffic.held() * 100.0);
        let orders = [("ready", traffic.in_order()), ("mixed", traffic.arrivals.clone())];
        for (order, arrivals) in &orders {
            let mut group = criterion.benchmark_group(format!("receive/{order}/{size}"));
            group.throughput(Throughput::Elements(arrivals.len() as u64));
            group.bench_function("causal", |bencher| {
                let stamps: Vec<_> = arrivals.iter().map(|arrival| arrival.thin.clone()).collect();
                bencher.iter_batched(
                    || (restore::<u32>(&traffic.thin), stamps.clone()),
                    |(mut process, stamps)| {
                        for stamp in stamps {
                            process.receive(stamp, 0).expect("honest");
                            while process.next_delivery().is_some() {}
                        }
                        process
                    },
                    BatchSize::LargeInput,
                );
            });
            group.bench_function("bss", |bencher| {
                bencher.iter_batched(
                    || (traffic.bss.clone(), arrivals.iter().map(|arrival| arrival.bss.clone()).collect::<Vec<_>>()),
                    |(mut process, messages)| {
                        for message in messages {
                            process.receive(message);
                        }
                        process
                    },
                    BatchSize::LargeInput,
                );
            });
            // The book's algorithm takes milliseconds for each message in a large group.
            let few = &arrivals[..arrivals.len().min(4_000 / size)];
            group.throughput(Throughput::Elements(few.len() as u64));
            group.bench_function("book", |bencher| {
                bencher.iter_batched(
                    || (traffic.book.clone(), few.iter().map(|arrival| arrival.book.clone()).collect::<Vec<_>>()),
                    |(mut process, messages)| {
                        for message in messages {
                            process.receive(message);
                        }
                        process
                    },
                    BatchSize::LargeInput,
                );
            });
        }
    }
}

fn decode(criterion: &mut Criterion) {
    let limits = Limits::default();
    for size in GROUPS {
        let traffic = broadcast(size, 400);
        let read = |arrival: &Arrival| traffic.links[arrival.author].decode(&mut &arrival.frame[..], &limits);
        assert!(traffic.arrivals.iter().all(|arrival| read(arrival).as_ref() == Ok(&arrival.thin)));
        let mut group = criterion.benchmark_group(format!("decode/{size}"));
        group.throughput(Throughput::Elements(traffic.arrivals.len() as u64));
        group.bench_function("causal's link form", |bencher| {
            bencher.iter(|| traffic.arrivals.iter().for_each(|arrival| _ = black_box(read(arrival))));
        });
    }
}

fn multicast(criterion: &mut Criterion) {
    for size in GROUPS {
        let traffic = broadcast(size, 100);
        let mut group = criterion.benchmark_group(format!("multicast/{size}"));
        group.throughput(Throughput::Elements(SENT));
        let mut received = restore::<u32>(&traffic.thin);
        for arrival in &traffic.arrivals {
            received.receive(arrival.thin.clone(), 0).expect("honest");
            while received.next_delivery().is_some() {}
        }
        let snapshot = received.snapshot();
        let all: Set = received.roster().iter().map(|(index, _)| index).collect();
        group.bench_function("causal", |bencher| {
            bencher.iter_batched(
                || restore::<u32>(&snapshot),
                |mut process| {
                    for _ in 0..SENT {
                        black_box(process.multicast(&all));
                    }
                    process
                },
                BatchSize::LargeInput,
            );
        });
        group.bench_function("causal and its link form", |bencher| {
            bencher.iter_batched(
                || (restore::<u32>(&snapshot), Numbering::new(&Limits::default()), Vec::new()),
                |(mut process, mut numbering, mut out)| {
                    for _ in 0..SENT {
                        out.clear();
                        numbering.encode(&process.multicast(&all), &mut out);
                        black_box(&out);
                    }
                    (process, numbering, out)
                },
                BatchSize::LargeInput,
            );
        });
        group.bench_function("bss", |bencher| {
            bencher.iter_batched(
                || traffic.bss.clone(),
                |mut process| {
                    for _ in 0..SENT {
                        black_box(process.send());
                    }
                    process
                },
                BatchSize::LargeInput,
            );
        });
        let dests: BTreeSet<u16> = (1..size as u16).collect();
        group.throughput(Throughput::Elements(2));
        group.bench_function("book", |bencher| {
            bencher.iter_batched(
                || traffic.book.clone(),
                |mut process| {
                    for _ in 0..2 {
                        black_box(process.send(&dests));
                    }
                    process
                },
                BatchSize::LargeInput,
            );
        });
    }
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .sample_size(10)
        .warm_up_time(Duration::from_millis(200))
        .measurement_time(Duration::from_secs(1));
    targets = receive, decode, multicast
}
criterion_main!(benches);
