//! The downhill simplex method of Nelder and Mead (1965), for a few bounded parameters.

/// Lowers `function` from `start`, every coordinate kept within 0 and 1. Deterministic.
pub(super) fn minimise(start: &[f64], steps: usize, function: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    let size = start.len();
    let at = |point: Vec<f64>| {
        let point: Vec<f64> = point.into_iter().map(|x| x.clamp(0.0, 1.0)).collect();
        let value = function(&point);
        (if value.is_nan() { f64::INFINITY } else { value }, point)
    };
    let mut simplex = vec![at(start.to_vec())];
    for axis in 0..size {
        let mut point = start.to_vec();
        point[axis] += if point[axis] > 0.5 { -0.25 } else { 0.25 };
        simplex.push(at(point));
    }
    for _ in 0..steps {
        simplex.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        let (best, worst) = (simplex[0].0, simplex[size].0);
        if (worst - best).abs() <= 1e-10 * (best.abs() + 1e-10) {
            break;
        }
        let centre: Vec<f64> = (0..size)
            .map(|axis| {
                simplex[..size]
                    .iter()
                    .map(|(_, point)| point[axis])
                    .sum::<f64>()
                    / size as f64
            })
            .collect();
        // The point this far from the centre, away from the worst one.
        let away = |factor: f64| {
            let worst = &simplex[size].1;
            at((0..size)
                .map(|axis| centre[axis] + factor * (centre[axis] - worst[axis]))
                .collect())
        };
        let reflected = away(1.0);
        let next = if reflected.0 < best {
            let expanded = away(2.0);
            if expanded.0 < reflected.0 {
                expanded
            } else {
                reflected
            }
        } else if reflected.0 < simplex[size - 1].0 {
            reflected
        } else {
            let contracted = away(if reflected.0 < worst { 0.5 } else { -0.5 });
            if contracted.0 < worst.min(reflected.0) {
                contracted
            } else {
                let lowest = simplex[0].1.clone();
                for corner in &mut simplex[1..] {
                    let halfway = lowest
                        .iter()
                        .zip(&corner.1)
                        .map(|(a, b)| f64::midpoint(*a, *b));
                    *corner = at(halfway.collect());
                }
                continue;
            }
        };
        simplex[size] = next;
    }
    simplex.sort_by(|(left, _), (right, _)| left.total_cmp(right));
    simplex.swap_remove(0).1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_valley_is_found_also_at_the_border() {
        let found = minimise(&[0.5, 0.5], 500, |x| {
            (x[0] - 0.3).powi(2) + 10.0 * (x[1] - 0.9 * x[0]).powi(2)
        });
        assert!(
            (found[0] - 0.3).abs() < 1e-3 && (found[1] - 0.27).abs() < 1e-3,
            "{found:?}"
        );
        let found = minimise(&[0.5], 500, |x| -x[0]);
        assert!((found[0] - 1.0).abs() < 1e-6, "{found:?}");
    }
}
