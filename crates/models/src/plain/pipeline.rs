//! A few windows on their way through stacked layers, with a thread for each layer.
//!
//! A layer's days wait for one another, so with a few rows the time goes into reading its weights, day
//! after day. But the layer above can read the first days while this one reads the next ones. Then each
//! core reads the weights of one layer, from its own cache. Every number is the same chain of additions as
//! without, so no bit changes.

use crate::lstm_kernel::{Packed, Reached, Shape, forward_on, is_one_chunk};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::sync::{Arc, Mutex, PoisonError};

/// Rows of days that go up together: a full tile, and few enough that the layer above soon begins.
const PIECE: usize = 4;
/// Multiplications from which on it pays to wake a thread.
const MANY: usize = 1 << 21;
/// How often to look before sleeping: about as long as such a forecast takes.
const SPINS: usize = 10_000;

/// One direction of a level.
#[derive(Debug, Clone)]
pub(super) struct Layer {
    /// Width of what it reads.
    pub(super) input: usize,
    /// Hidden units.
    pub(super) hidden: usize,
    pub(super) packed: Arc<Packed>,
}

impl Layer {
    pub(super) fn shape(&self, days: usize, batch: usize) -> Shape {
        Shape {
            days,
            batch,
            input: self.input,
            hidden: self.hidden,
        }
    }
}

/// What the top level says of `[days, count, input]`; none where threads would not help: there is one, or
/// one layer, or directions that need the whole sequence, or rows that are better cut among threads, or
/// little to compute.
pub(super) fn run(
    levels: &[Vec<Layer>],
    sequence: &[f32],
    count: usize,
    days: usize,
) -> Option<Vec<f32>> {
    let layers: Vec<Layer> = levels
        .iter()
        .filter_map(|directions| match &directions[..] {
            [layer] => Some(layer.clone()),
            _ => None,
        })
        .collect();
    let multiplications: usize = layers
        .iter()
        .map(|layer| days * count * (layer.input + layer.hidden) * layer.hidden * 4)
        .sum();
    if layers.len() < levels.len().max(2)
        || !is_one_chunk(count)
        || days * count <= PIECE
        || multiplications < MANY
        || rayon::current_num_threads() == 1
    {
        return None;
    }
    let of_piece = PIECE.div_ceil(count) * count * layers[0].input;
    let (send, pieces) = channel();
    for piece in sequence.chunks(of_piece) {
        send.send(piece.to_vec()).ok()?;
    }
    drop(send);
    Stage {
        layers,
        count,
        pieces,
    }
    .run()
}

/// Layers that wait for the pieces of a sequence.
struct Stage {
    /// From this one up.
    layers: Vec<Layer>,
    count: usize,
    /// `[days, count, input]` each, in order.
    pieces: Receiver<Vec<f32>>,
}

impl Stage {
    /// What the top layer says of the whole sequence; none if a thread was lost.
    fn run(mut self) -> Option<Vec<f32>> {
        let above = self.layers.split_off(1);
        let layer = self.layers.pop()?;
        let mut reached = Reached::default();
        let mut read = |piece: Vec<f32>| {
            let days = piece.len() / (self.count * layer.input);
            let shape = layer.shape(days, self.count);
            forward_on(shape, &piece, &layer.packed, &mut reached)
        };
        if above.is_empty() {
            let pieces = std::iter::from_fn(|| soon(&self.pieces));
            return Some(pieces.flat_map(read).collect());
        }
        let (send, pieces) = channel();
        let above = Above::new(Stage {
            layers: above,
            count: self.count,
            pieces,
        });
        while let Some(piece) = soon(&self.pieces) {
            send.send(read(piece)).ok()?;
        }
        drop(send);
        above.finish()
    }
}

/// The layers above, begun by whichever thread is free first: another one, or this one when it has sent
/// its last piece. So nothing waits for a thread that has other work.
struct Above {
    waiting: Arc<Mutex<Option<Stage>>>,
    top: Receiver<Vec<f32>>,
}

impl Above {
    fn new(stage: Stage) -> Self {
        let waiting = Arc::new(Mutex::new(Some(stage)));
        let (send, top) = channel();
        let theirs = Arc::clone(&waiting);
        rayon::spawn(move || {
            // A panic here would end the process; without an answer, the other thread computes alone.
            let run = AssertUnwindSafe(|| taken(&theirs)?.run());
            if let Ok(Some(said)) = catch_unwind(run) {
                let _ = send.send(said);
            }
        });
        Self { waiting, top }
    }

    fn finish(self) -> Option<Vec<f32>> {
        match taken(&self.waiting) {
            Some(stage) => stage.run(),
            None => soon(&self.top),
        }
    }
}

/// What comes next; none at the end. It comes within microseconds, and to sleep and be woken takes longer.
fn soon<T>(from: &Receiver<T>) -> Option<T> {
    for _ in 0..SPINS {
        match from.try_recv() {
            Ok(value) => return Some(value),
            Err(TryRecvError::Disconnected) => return None,
            Err(TryRecvError::Empty) => std::hint::spin_loop(),
        }
    }
    from.recv().ok()
}

fn taken(waiting: &Mutex<Option<Stage>>) -> Option<Stage> {
    waiting
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .take()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::instruction_set::InstructionSet;
    use crate::lstm_kernel::forward;
    use crate::random::WeightSource;

    /// Layers of such a width, and a sequence for them.
    fn layers(set: InstructionSet, input: usize, hidden: usize, count: usize) -> Vec<Vec<Layer>> {
        let mut random = WeightSource::new(6);
        (0..count)
            .map(|level| {
                let input = if level == 0 { input } else { hidden };
                let shape = Shape {
                    days: 1,
                    batch: 1,
                    input,
                    hidden,
                };
                let [of_input, of_hidden, bias] =
                    [input, hidden, 1].map(|rows| random.xavier(rows * 4 * hidden, 9, 9));
                let packed = Packed::new(set, shape, &of_input, &of_hidden, &bias);
                vec![Layer {
                    input,
                    hidden,
                    packed: packed.into(),
                }]
            })
            .collect()
    }

    fn bits(values: &[f32]) -> Vec<u32> {
        values.iter().map(|value| value.to_bits()).collect()
    }

    #[test]
    fn a_thread_for_each_layer_changes_no_bit() {
        for (input, hidden, levels, count, days) in [
            (51, 128, 2, 1, 30),
            (7, 97, 3, 1, 41),
            (20, 64, 4, 7, 19),
            (51, 128, 2, 4, 7),
        ] {
            let sequence = WeightSource::new(2).xavier(days * count * input, 1, 1);
            for set in InstructionSet::available() {
                let levels = layers(set, input, hidden, levels);
                let expected = levels.iter().fold(sequence.clone(), |sequence, level| {
                    let shape = level[0].shape(days, count);
                    forward(shape, &sequence, &level[0].packed, false)
                });
                for threads in [2, 3] {
                    let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                    // Again and again: who takes which layer changes from one time to the next.
                    for _ in 0..20 {
                        let run = || run(&levels, &sequence, count, days);
                        let found = pool.as_ref().unwrap().install(run).expect("it pays");
                        assert_eq!(bits(&found), bits(&expected), "{set}, {threads} threads");
                    }
                }
            }
        }
    }

    #[test]
    fn a_forecast_waits_for_no_thread_that_is_busy() {
        let levels = layers(InstructionSet::Scalar, 51, 128, 2);
        let sequence = WeightSource::new(2).xavier(30 * 51, 1, 1);
        let pool = rayon::ThreadPoolBuilder::new().num_threads(2).build();
        let (release, held) = channel::<()>();
        let said = pool.unwrap().install(|| {
            rayon::spawn(move || {
                let _ = held.recv();
            });
            let said = run(&levels, &sequence, 1, 30);
            drop(release);
            said
        });
        assert_eq!(said.map(|said| said.len()), Some(30 * 128));
    }

    #[test]
    fn where_threads_do_not_help_there_are_none() {
        let sequence = |days: usize, count: usize| vec![0.0; days * count * 51];
        let [one, two] = [1, 2].map(|count| layers(InstructionSet::Scalar, 51, 128, count));
        let small = layers(InstructionSet::Scalar, 51, 4, 2);
        let both = vec![[&two[0][..], &two[0][..]].concat(), two[1].clone()];
        let pool = |threads| rayon::ThreadPoolBuilder::new().num_threads(threads).build();
        let with = |threads, levels: &[Vec<Layer>], count, days| {
            let run = || run(levels, &sequence(days, count), count, days).is_some();
            pool(threads).unwrap().install(run)
        };
        assert!(with(2, &two, 1, 30));
        assert!(!with(1, &two, 1, 30), "one thread");
        assert!(!with(2, &one, 1, 30), "one layer");
        assert!(!with(2, &both, 1, 30), "two directions");
        assert!(!with(2, &small, 1, 30), "little to compute");
        assert!(!with(2, &two, 8, 30), "rows for both threads");
        assert!(!with(2, &two, 1, PIECE), "one piece");
    }
}
