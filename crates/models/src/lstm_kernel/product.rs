//! Products of rows with weights, in tiles whose sums stay in registers.

use super::GATES;
use pulp::Simd;

/// Vectors of weights that a tile multiplies at once: what the registers have room for.
pub(super) const fn group<S: Simd>() -> usize {
    if S::REGISTER_COUNT < 32 { 2 } else { GATES }
}

/// Most rows of a tile of that many vectors.
pub(super) const fn most_rows(group: usize) -> usize {
    if group < GATES { 6 } else { 4 }
}

/// a·b + c, rounded once where there is an instruction for it. (Without one, pulp would call a function
/// of the C library for each number.)
#[inline(always)]
pub(super) fn multiply_add<S: Simd>(simd: S, a: S::f32s, b: S::f32s, c: S::f32s) -> S::f32s {
    if S::F32_LANES > 4 || S::REGISTER_COUNT > 16 {
        simd.mul_add_f32s(a, b, c)
    } else {
        simd.add_f32s(simd.mul_f32s(a, b), c)
    }
}

/// Adds to R × G sums the product of R rows, side by side (see [`side_by_side`]), with weights that have G
/// vectors to each element of a row.
#[inline(always)]
pub(super) fn add_product<S: Simd, const R: usize, const G: usize>(
    simd: S,
    sums: &mut [[S::f32s; G]; R],
    rows: &[f32],
    weights: &[S::f32s],
) {
    let (rows, _) = rows.as_chunks::<R>();
    let (weights, _) = weights.as_chunks::<G>();
    let mut local = *sums;
    for (values, weights) in rows.iter().zip(weights) {
        for r in 0..R {
            let value = simd.splat_f32s(values[r]);
            for g in 0..G {
                local[r][g] = multiply_add(simd, value, weights[g], local[r][g]);
            }
        }
    }
    *sums = local;
}

/// Puts rows into the order in which tiles of at most `most` rows read them: of each tile, of each element,
/// its rows. So a product walks along one list instead of one for each row, which would need more
/// registers than there are and a check of every end. `piece` gives the pieces of a row, `width` numbers
/// each.
pub(super) fn side_by_side<'a>(
    rows: usize,
    most: usize,
    pieces: usize,
    width: usize,
    piece: impl Fn(usize, usize) -> &'a [f32],
    to: &mut [f32],
) {
    let depth = pieces * width;
    for (first, count) in tiles(rows, most) {
        let to = &mut to[first * depth..][..count * depth];
        for (place, to) in to.chunks_exact_mut(count * width).enumerate() {
            let row = |row: usize| &piece(first + row, place)[..width];
            match count {
                6 => interleave::<6>(row, to),
                5 => interleave::<5>(row, to),
                4 => interleave::<4>(row, to),
                3 => interleave::<3>(row, to),
                2 => interleave::<2>(row, to),
                _ => interleave::<1>(row, to),
            }
        }
    }
}

/// R rows, element by element.
fn interleave<'a, const R: usize>(row: impl Fn(usize) -> &'a [f32], to: &mut [f32]) {
    let (to, _) = to.as_chunks_mut::<R>();
    let rows: [&[f32]; R] = std::array::from_fn(|r| &row(r)[..to.len()]);
    for (place, to) in to.iter_mut().enumerate() {
        for r in 0..R {
            to[r] = rows[r][place];
        }
    }
}

/// As few tiles of at most `most` rows as possible, of nearly as many rows each: their first rows and how
/// many they have.
fn tiles(rows: usize, most: usize) -> impl Iterator<Item = (usize, usize)> {
    let tiles = rows.div_ceil(most);
    let (fewest, more) = (rows / tiles.max(1), rows % tiles.max(1));
    (0..tiles).map(move |tile| {
        (
            tile * fewest + tile.min(more),
            fewest + usize::from(tile < more),
        )
    })
}

/// Adds to N × G sums the products of one row with N such weights, which lie one after the other.
#[inline(always)]
pub(super) fn add_products_of_one<S: Simd, const N: usize, const G: usize>(
    simd: S,
    sums: &mut [[S::f32s; G]; N],
    row: &[f32],
    weights: &[S::f32s],
) {
    let (weights, _) = weights.as_chunks::<G>();
    let depth = row.len();
    let mut of: [&[[S::f32s; G]]; N] = [&[]; N];
    for (n, of) in of.iter_mut().enumerate() {
        *of = &weights[n * depth..][..depth];
    }
    let mut local = *sums;
    for k in 0..depth {
        let value = simd.splat_f32s(row[k]);
        for n in 0..N {
            for g in 0..G {
                local[n][g] = multiply_add(simd, value, of[n][k][g], local[n][g]);
            }
        }
    }
    *sums = local;
}

/// The first N vectors.
#[inline(always)]
pub(super) fn vectors<S: Simd, const N: usize>(numbers: &[f32]) -> &[S::f32s; N] {
    let (vectors, _) = S::as_simd_f32s(&numbers[..N * S::F32_LANES]);
    vectors.first_chunk().expect("that many were taken")
}

/// The same, to be changed.
#[inline(always)]
pub(super) fn vectors_mut<S: Simd, const N: usize>(numbers: &mut [f32]) -> &mut [S::f32s; N] {
    let (vectors, _) = S::as_mut_simd_f32s(&mut numbers[..N * S::F32_LANES]);
    vectors.first_chunk_mut().expect("that many were taken")
}

/// The first G vectors of each of R such rows.
#[inline(always)]
pub(super) fn load<S: Simd, const R: usize, const G: usize>(
    simd: S,
    numbers: &[f32],
    stride: usize,
) -> [[S::f32s; G]; R] {
    let mut sums = [[simd.splat_f32s(0.0); G]; R];
    for (r, sums) in sums.iter_mut().enumerate() {
        *sums = *vectors::<S, G>(&numbers[r * stride..]);
    }
    sums
}

/// Puts them back.
#[inline(always)]
pub(super) fn store<S: Simd, const R: usize, const G: usize>(
    sums: [[S::f32s; G]; R],
    numbers: &mut [f32],
    stride: usize,
) {
    for (r, sums) in sums.into_iter().enumerate() {
        *vectors_mut::<S, G>(&mut numbers[r * stride..]) = sums;
    }
}

/// What is done tile by tile.
pub(super) trait Tiled<S: Simd, const G: usize> {
    /// Does R rows from the given one on.
    fn tile<const R: usize>(&mut self, simd: S, first: usize);
}

/// Does some rows in as few tiles of at most `most` rows (six or fewer) as possible, of nearly as many
/// rows each.
#[inline(always)]
pub(super) fn in_tiles<S: Simd, const G: usize>(
    simd: S,
    rows: usize,
    most: usize,
    work: &mut impl Tiled<S, G>,
) {
    for (first, count) in tiles(rows, most) {
        match count {
            6 => work.tile::<6>(simd, first),
            5 => work.tile::<5>(simd, first),
            4 => work.tile::<4>(simd, first),
            3 => work.tile::<3>(simd, first),
            2 => work.tile::<2>(simd, first),
            _ => work.tile::<1>(simd, first),
        }
    }
}
