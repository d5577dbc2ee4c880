//! Pieces of work shared out over the cores, their results in order.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Threads for so many pieces: never more than there are cores.
pub(super) fn threads(pieces: usize) -> usize {
    std::thread::available_parallelism().map_or(1, NonZeroUsize::get).min(pieces).max(1)
}

/// Does `work` for 0 to `pieces` − 1, each by whichever thread is free, and gives the results in that order.
pub(super) fn in_parallel<T: Send>(pieces: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let next = AtomicUsize::new(0);
    let worker = || {
        let mut done = Vec::new();
        loop {
            let piece = next.fetch_add(1, Ordering::Relaxed);
            if piece >= pieces {
                return done;
            }
            done.push((piece, work(piece)));
        }
    };
    let mut all: Vec<(usize, T)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads(pieces)).map(|_| scope.spawn(worker)).collect();
        let done = workers.into_iter().flat_map(|worker| match worker.join() {
            Ok(done) => done,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        done.collect()
    });
    all.sort_by_key(|(piece, _)| *piece);
    all.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_and_each_piece_is_done_once() {
        for pieces in [0, 1, 2, 1_000] {
            let done = AtomicUsize::new(0);
            let results = in_parallel(pieces, |piece| {
                done.fetch_add(1, Ordering::Relaxed);
                piece * piece
            });
            assert_eq!(results, (0..pieces).map(|piece| piece * piece).collect::<Vec<_>>());
            assert_eq!(done.into_inner(), pieces);
        }
    }
}
