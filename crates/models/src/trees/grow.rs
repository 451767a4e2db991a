//! One tree, grown from the gradients of its rows.

use super::Node;
use super::bins::Binned;
use super::histogram::{BINS, Cell, Histogram, Rows, Scale, Sums, fill, subtract};
use super::options::TreeOptions;
use super::split::{Bounds, Finder, Split, value};
use crate::trees::bins::LANES;
use rayon::prelude::*;

/// Most bytes of sums that are kept for nodes still to be split. Where they do not suffice, sums are
/// made from rows again.
const KEPT_BYTES: usize = 512 << 20;
/// Rows that a thread parts at a time.
const CHUNK: usize = 1 << 15;

/// What stays from tree to tree.
pub(super) struct Grower<'a, C> {
    binned: &'a Binned,
    options: &'a TreeOptions,
    /// The rows of this tree; a node's lie together, in their order.
    rows: Vec<u32>,
    spare: Vec<u32>,
    free: Vec<Histogram<C>>,
    /// Sums that open nodes keep.
    kept: usize,
    most_kept: usize,
}

/// A leaf of a new tree.
#[derive(Debug, Clone, Copy)]
pub(super) struct Leaf {
    /// Among the nodes of the tree.
    pub(super) node: usize,
    /// Its rows are from `first` to below `last` in [`Grower::rows`].
    pub(super) first: usize,
    pub(super) last: usize,
    pub(super) bounds: Bounds,
}

/// A tree's nodes, children numbered from 0, and its leaves.
#[derive(Default)]
pub(super) struct Grown {
    pub(super) nodes: Vec<Node>,
    pub(super) leaves: Vec<Leaf>,
}

/// A node that can be split.
struct Open<C> {
    leaf: Leaf,
    depth: usize,
    split: Split,
    histogram: Option<Histogram<C>>,
}

impl<'a, C: Cell> Grower<'a, C> {
    pub(super) fn new(binned: &'a Binned, options: &'a TreeOptions) -> Self {
        let bytes = binned.groups * LANES * BINS * size_of::<C>();
        Self {
            binned,
            options,
            rows: Vec::new(),
            spare: Vec::new(),
            free: Vec::new(),
            kept: 0,
            most_kept: (KEPT_BYTES / bytes.max(1)).max(2),
        }
    }

    /// The rows of the last tree, leaf by leaf.
    pub(super) fn rows(&self) -> &[u32] {
        &self.rows
    }

    /// Grows a tree on some rows, in order. `cells` has one for each row of the table, `total` is their
    /// sum over the tree's rows. A tree of one leaf found nothing to split.
    pub(super) fn grow(
        &mut self,
        drawn: Option<&[u32]>,
        allowed: &[bool],
        cells: &[C],
        scale: Scale,
        total: Sums,
    ) -> Grown {
        self.rows.clear();
        match drawn {
            Some(rows) => self.rows.extend_from_slice(rows),
            None => self.rows.extend(0..self.binned.rows as u32),
        }
        self.spare.resize(self.rows.len(), 0);
        let finder = Finder {
            binned: self.binned,
            options: self.options,
            scale,
            allowed,
        };
        let mut grown = Grown::default();
        let root = Leaf {
            node: 0,
            first: 0,
            last: self.rows.len(),
            bounds: Bounds::NONE,
        };
        grown.nodes.push(self.leaf_node(total, root.bounds));
        let mut open: Vec<Open<C>> = Vec::new();
        let splittable = self.can_be_split(&root, 0);
        if splittable {
            let histogram = self.filled(&root, cells, drawn.is_none());
            self.keep(&finder, root, 0, total, histogram, &mut open, &mut grown);
        } else {
            grown.leaves.push(root);
        }
        let most_leaves = self.options.leaves();
        while let Some(next) = self.next(&mut open) {
            if grown.leaves.len() + open.len() + 1 >= most_leaves {
                // One leaf more would be too many.
                grown.leaves.push(next.leaf);
                self.free.extend(next.histogram);
                for rest in open.drain(..) {
                    grown.leaves.push(rest.leaf);
                    self.free.extend(rest.histogram);
                }
                break;
            }
            let last_split = grown.leaves.len() + open.len() + 2 >= most_leaves;
            self.split(&finder, next, last_split, cells, &mut open, &mut grown);
        }
        self.kept = 0;
        grown
    }

    /// The node to split now: the best where leaves are few, else the last, so that few sums wait.
    fn next(&mut self, open: &mut Vec<Open<C>>) -> Option<Open<C>> {
        let last = open.len().checked_sub(1)?;
        let place = match self.options.growth {
            super::TreeGrowth::DepthWise => last,
            super::TreeGrowth::LeafWise { .. } => (0..last).fold(last, |best, place| {
                let [a, b] = [&open[best], &open[place]];
                let better = b.split.gain > a.split.gain
                    || (b.split.gain == a.split.gain && b.leaf.node < a.leaf.node);
                if better { place } else { best }
            }),
        };
        let next = open.swap_remove(place);
        self.kept -= usize::from(next.histogram.is_some());
        Some(next)
    }

    fn can_be_split(&self, leaf: &Leaf, depth: usize) -> bool {
        depth < self.options.depth && leaf.last - leaf.first >= 2 * self.options.leaf_rows
    }

    fn split(
        &mut self,
        finder: &Finder<'_>,
        node: Open<C>,
        last_split: bool,
        cells: &[C],
        open: &mut Vec<Open<C>>,
        grown: &mut Grown,
    ) {
        let Open {
            leaf,
            depth,
            split,
            histogram,
        } = node;
        let middle = leaf.first + self.part(&leaf, &split);
        let column = &self.binned.columns[split.column];
        let l2 = f64::from(self.options.l2);
        let values = [split.left, split.right].map(|sums| value(sums, l2, leaf.bounds));
        let rule = self.options.rule(column.place);
        let bounds = leaf.bounds.of_children(rule, values[0], values[1]);
        let left = grown.nodes.len();
        grown.nodes.push(self.leaf_node(split.left, leaf.bounds));
        grown.nodes.push(self.leaf_node(split.right, leaf.bounds));
        let [left, right] = [left, left + 1];
        grown.nodes[leaf.node] = Node {
            column: column.place as u32,
            value: column.threshold(split.bin),
            left: left as u32,
            right: right as u32,
            missing: if split.missing_left { left } else { right } as u32,
        };
        let children = [
            Leaf {
                node: left,
                first: leaf.first,
                last: middle,
                bounds: bounds[0],
            },
            Leaf {
                node: right,
                first: middle,
                last: leaf.last,
                bounds: bounds[1],
            },
        ];
        let depth = depth + 1;
        let wanted = children.map(|child| !last_split && self.can_be_split(&child, depth));
        let histograms = self.histograms(&children, wanted, histogram, cells);
        let sums = [split.left, split.right];
        for ((child, sums), histogram) in children.into_iter().zip(sums).zip(histograms) {
            match histogram {
                Some(histogram) => {
                    self.keep(finder, child, depth, sums, histogram, open, grown);
                }
                None => grown.leaves.push(child),
            }
        }
    }

    /// The sums of the children that may be split: the smaller one's from its rows, the larger one's by
    /// subtraction.
    fn histograms(
        &mut self,
        children: &[Leaf; 2],
        wanted: [bool; 2],
        parent: Option<Histogram<C>>,
        cells: &[C],
    ) -> [Option<Histogram<C>>; 2] {
        let size = |leaf: &Leaf| leaf.last - leaf.first;
        let small = usize::from(size(&children[1]) < size(&children[0]));
        let large = 1 - small;
        let mut found = [None, None];
        if let Some(mut parent) = parent {
            if wanted[large] {
                let made = self.filled(&children[small], cells, false);
                subtract(self.binned, &mut parent, &made);
                found[large] = Some(parent);
                if wanted[small] {
                    found[small] = Some(made);
                } else {
                    self.free.push(made);
                }
                return found;
            }
            self.free.push(parent);
        }
        for side in [0, 1] {
            if wanted[side] {
                found[side] = Some(self.filled(&children[side], cells, false));
            }
        }
        found
    }

    /// The sums of a node's rows.
    fn filled(&mut self, leaf: &Leaf, cells: &[C], all: bool) -> Histogram<C> {
        let mut histogram = match self.free.pop() {
            Some(mut used) => {
                let lanes = used.as_flattened_mut().iter_mut();
                for (column, cells) in self.binned.columns.iter().zip(lanes) {
                    cells[..=column.last_bin()].fill(C::ZERO);
                }
                used
            }
            None => vec![[[C::ZERO; BINS]; LANES]; self.binned.groups],
        };
        let rows = if all {
            Rows::All
        } else {
            Rows::Some(&self.rows[leaf.first..leaf.last])
        };
        fill(self.binned, rows, cells, &mut histogram);
        histogram
    }

    /// Looks for the best split of a node: with one it is open, without one a leaf.
    #[expect(
        clippy::too_many_arguments,
        reason = "what a node is, and where it goes"
    )]
    fn keep(
        &mut self,
        finder: &Finder<'_>,
        leaf: Leaf,
        depth: usize,
        sums: Sums,
        histogram: Histogram<C>,
        open: &mut Vec<Open<C>>,
        grown: &mut Grown,
    ) {
        let Some(split) = finder.best(&histogram, sums, leaf.bounds) else {
            self.free.push(histogram);
            grown.leaves.push(leaf);
            return;
        };
        let histogram = if self.kept < self.most_kept {
            self.kept += 1;
            Some(histogram)
        } else {
            self.free.push(histogram);
            None
        };
        open.push(Open {
            leaf,
            depth,
            split,
            histogram,
        });
    }

    fn leaf_node(&self, sums: Sums, bounds: Bounds) -> Node {
        let best = value(sums, f64::from(self.options.l2), bounds);
        let learned = f64::from(self.options.learning_rate) * best;
        Node::leaf(learned as f32, sums.weight as f32)
    }

    /// Brings the rows of a node that go left before those that go right, each in their order; returns
    /// how many go left.
    fn part(&mut self, leaf: &Leaf, split: &Split) -> usize {
        let bytes = self.binned.bytes_of(split.column);
        // Missing values are in bin 0, so both questions are one comparison.
        let (offset, limit) = if split.missing_left {
            (0, split.bin as u8 + 1)
        } else {
            (1, split.bin as u8)
        };
        let part = |(rows, spare): (&mut [u32], &mut [u32])| {
            let (mut left, mut right) = (0, 0);
            for place in 0..rows.len() {
                let row = rows[place];
                let goes_left = bytes.bin(row).wrapping_sub(offset) < limit;
                rows[left] = row;
                spare[right] = row;
                left += usize::from(goes_left);
                right += usize::from(!goes_left);
            }
            (left, right)
        };
        let rows = &mut self.rows[leaf.first..leaf.last];
        let spare = &mut self.spare[..rows.len()];
        if rows.len() <= CHUNK {
            let (left, right) = part((&mut *rows, &mut *spare));
            rows[left..].copy_from_slice(&spare[..right]);
            return left;
        }
        let chunks = rows.par_chunks_mut(CHUNK).zip(spare.par_chunks_mut(CHUNK));
        let counts: Vec<(usize, usize)> = chunks.map(part).collect();
        let mut end = 0;
        for (chunk, (left, _)) in counts.iter().enumerate() {
            let first = chunk * CHUNK;
            rows.copy_within(first..first + left, end);
            end += left;
        }
        let lefts = end;
        for (chunk, (_, right)) in counts.iter().enumerate() {
            let from = &spare[chunk * CHUNK..][..*right];
            rows[end..end + right].copy_from_slice(from);
            end += right;
        }
        lefts
    }
}
