//! A queue holds, gives and ends as it should, also when edges move.

use std::thread;

use arrow::{
    array::Int64Array,
    datatypes::{DataType, Field, Schema},
};

use super::*;
use crate::words::observe::{RunObserver, Unobserved};

fn trace() -> Arc<BatchTrace> {
    let observer: Arc<dyn RunObserver> = Arc::new(Unobserved);
    Arc::new(BatchTrace::begin(&observer, 0, 0, Vec::new()))
}

/// A queue that one edge leads to.
fn open(bound: u64) -> Queue {
    let queue = Queue::new(bound);
    assert_eq!(queue.open(), 0);
    queue
}

fn pop(queue: &Queue) -> Option<Item> {
    match queue.pop(&mut 0).unwrap() {
        Taken::Item(item) => Some(item),
        _ => None,
    }
}

fn batch(rows: i64) -> Arc<RecordBatch> {
    let schema = Schema::new(vec![Field::new("n", DataType::Int64, false)]);
    let values = Int64Array::from_iter_values(0..rows);
    Arc::new(RecordBatch::try_new(Arc::new(schema), vec![Arc::new(values)]).unwrap())
}

/// Protects against a stalled consumer letting the queue grow: the producer must stop at the bound.
#[test]
fn a_full_queue_holds_its_producer_and_never_exceeds_its_bound() {
    let queue = Arc::new(open(1000));
    let producer = thread::spawn({
        let queue = Arc::clone(&queue);
        move || {
            (0..50).for_each(|_| queue.push(0, 0, batch(50), trace()).unwrap());
            queue.close(0);
        }
    });
    thread::sleep(Duration::from_millis(30));
    assert_eq!(queue.level().batches, 2, "two batches of 400 bytes fit into 1000");
    let mut taken = 0;
    while pop(&queue).is_some() {
        taken += 1;
    }
    producer.join().unwrap();
    assert_eq!((taken, queue.level().bytes), (50, 0));
    assert!(queue.level().peak <= 1000);
}

/// Protects against a batch larger than the bound waiting for ever.
#[test]
fn one_batch_is_always_admitted() {
    let queue = open(10);
    queue.push(0, 0, batch(1000), trace()).unwrap();
    assert_eq!(pop(&queue).unwrap().batch.num_rows(), 1000);
}

/// Protects the bottleneck against looking idle: what waits for room in front of a stage waits for that stage.
#[test]
fn waiting_for_room_is_waiting_in_front_of_the_stage() {
    let queue = Arc::new(open(10));
    queue.push(0, 0, batch(1), trace()).unwrap();
    let producer = thread::spawn({
        let queue = Arc::clone(&queue);
        move || {
            let offered = Instant::now();
            queue.push(0, 0, batch(1), trace()).unwrap();
            offered.elapsed()
        }
    });
    thread::sleep(Duration::from_millis(50));
    pop(&queue).unwrap();
    let held = producer.join().unwrap();
    let waited = pop(&queue).unwrap().waited;
    assert!(waited + Duration::from_millis(1) >= held, "{waited:?} of {held:?}");
}

/// Protects against threads that hang for ever after a failure elsewhere.
#[test]
fn an_abort_wakes_producer_and_consumer() {
    let queue = Arc::new(open(10));
    let consumer = thread::spawn({
        let queue = Arc::clone(&queue);
        move || queue.pop(&mut 0).err()
    });
    thread::sleep(Duration::from_millis(10));
    queue.abort();
    assert_eq!(consumer.join().unwrap(), Some(Aborted));
    assert_eq!(queue.push(0, 0, batch(1), trace()), Err(Aborted));
}

/// Protects against batches that are told as done although nobody took them.
#[test]
fn what_an_abort_throws_away_is_marked() {
    let (queue, waiting, late) = (open(1000), trace(), trace());
    queue.push(0, 0, batch(1), Arc::clone(&waiting)).unwrap();
    assert!(!waiting.dropped());
    queue.abort();
    assert_eq!(queue.push(0, 0, batch(1), Arc::clone(&late)), Err(Aborted));
    assert!(waiting.dropped() && late.dropped());
}

/// Protects a swap of an idle stage against waiting for the next batch, which may never come.
#[test]
fn a_nudge_wakes_who_waits_once() {
    let queue = Arc::new(open(10));
    let waiter = thread::spawn({
        let queue = Arc::clone(&queue);
        move || {
            let mut seen = 0;
            let first = matches!(queue.pop(&mut seen), Ok(Taken::Nudged));
            (first, matches!(queue.pop(&mut seen), Ok(Taken::End)))
        }
    });
    thread::sleep(Duration::from_millis(10));
    queue.nudge();
    thread::sleep(Duration::from_millis(10));
    queue.close(0);
    assert_eq!(waiter.join().unwrap(), (true, true));
}

/// Protects a queue whose bound is raised while it is full: who waits for room goes on.
#[test]
fn a_wider_bound_lets_in_who_waits() {
    let queue = Arc::new(open(10));
    queue.push(0, 0, batch(50), trace()).unwrap();
    let producer = thread::spawn({
        let queue = Arc::clone(&queue);
        move || queue.push(0, 0, batch(50), trace())
    });
    thread::sleep(Duration::from_millis(10));
    assert_eq!(queue.level().batches, 1);
    queue.set_bound(1000);
    producer.join().unwrap().unwrap();
    assert_eq!(queue.level().batches, 2);
}

/// Protects the order of rows, and each against being lost, when edges move: what comes by new edges waits until all that comes by
/// old ones is taken, however full either lane is, and the stage is told in between.
#[test]
fn what_comes_by_new_edges_waits_for_all_that_comes_by_old_ones() {
    let queue = open(10);
    queue.push(0, 0, batch(1), trace()).unwrap();
    queue.prepare().unwrap();
    assert_eq!(queue.prepare(), Err(Unprepared::Unsettled));
    assert_eq!(queue.open(), 1);
    queue.push(1, 0, batch(4), trace()).unwrap();
    assert_eq!((queue.level().batches, queue.level().rows), (2, 5));
    assert_eq!(pop(&queue).unwrap().batch.num_rows(), 1);
    queue.push(0, 0, batch(2), trace()).unwrap();
    queue.close(0);
    assert_eq!(pop(&queue).unwrap().batch.num_rows(), 2);
    queue.release();
    assert!(matches!(queue.pop(&mut 0), Ok(Taken::Rewired(2))));
    let item = pop(&queue).unwrap();
    assert_eq!((item.batch.num_rows(), item.ticket), (4, 3));
    queue.close(1);
    assert!(matches!(queue.pop(&mut 0), Ok(Taken::End)));
    assert_eq!(queue.prepare(), Err(Unprepared::Ended));
}

/// Protects a change that is being prepared against inputs that end meanwhile: the stage neither ends nor goes over too early.
#[test]
fn a_wiring_that_is_being_prepared_is_waited_for() {
    let queue = Arc::new(open(10));
    queue.prepare().unwrap();
    queue.close(0);
    let taker = thread::spawn({
        let queue = Arc::clone(&queue);
        move || matches!(queue.pop(&mut 0), Ok(Taken::End))
    });
    thread::sleep(Duration::from_millis(20));
    assert!(!taker.is_finished());
    queue.withdraw();
    assert!(taker.join().unwrap(), "nothing came of it");
}
