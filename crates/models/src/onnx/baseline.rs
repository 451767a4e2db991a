//! Simple baselines as parts of a graph.

use super::graph::{Builder, int};
use crate::error::ModelError;
use crate::series::{SeriesModel, WEEK};

/// A forecast of a series that a graph can compute.
#[derive(Debug, Clone, Copy)]
pub(crate) enum BaseInGraph {
    /// The last value.
    LastValue,
    /// The latest value of the target's weekday; the last value while there is none.
    Weekday,
    /// The mean of so many days, the last of them that of the newest value.
    DaysToNewest(usize),
    /// Simple exponential smoothing.
    Smoothed {
        /// Weight of the newest value.
        alpha: f64,
    },
}

/// A simple baseline of the last of `columns` columns of `windows` `[batch, days, columns]`, one day
/// ahead: `[batch, 1]`, NaN for a window without any value in that column.
///
/// # Errors
///
/// [`ModelError::NoGraph`] for a model that is no simple baseline.
pub(super) fn simple_baseline(
    graph: &mut Builder,
    base: &SeriesModel,
    columns: usize,
) -> Result<String, ModelError> {
    let base = base
        .kind()
        .base_in_graph()
        .ok_or(ModelError::NoGraph("a base that is no simple baseline"))?;
    let series = Series::new(graph, columns);
    let value = match base {
        BaseInGraph::LastValue => series.last_of(graph, &series.mask, "base.last"),
        BaseInGraph::Weekday => {
            let back = series.days_back(graph);
            let week = graph.floats("base.week", &[1], &[WEEK as f32]);
            let fmod = vec![int("fmod", 1)];
            let weekday = graph.node("Mod", &[&back, &week], "base.weekday", fmod);
            let last = graph.floats("base.same_day", &[1], &[WEEK as f32 - 1.0]);
            let of_day = series.where_equal(graph, &weekday, &last, "base.of_weekday");
            let value = series.last_of(graph, &of_day, "base.seasonal");
            series.or_last(graph, &of_day, &value)
        }
        BaseInGraph::DaysToNewest(days) => {
            let back = series.days_back(graph);
            let newest = series.newest(graph, &series.mask, "base.last");
            let gap = graph.node("Mul", &[&back, &newest], "base.back_of_newest", vec![]);
            let gap = series.count(graph, &gap, "base.gap");
            let before = graph.node("Sub", &[&back, &gap], "base.days_before", vec![]);
            let days = graph.floats("base.days", &[1], &[days as f32]);
            let is_near = graph.node("Less", &[&before, &days], "base.is_near", vec![]);
            let near = graph.node("Cast", &[&is_near], "base.near", vec![int("to", 1)]);
            let near = graph.node("Mul", &[&near, &series.mask], "base.near_seen", vec![]);
            let sum = series.sum(graph, &near, "base.sum");
            let count = series.count(graph, &near, "base.count");
            graph.node("Div", &[&sum, &count], "base.mean", vec![])
        }
        BaseInGraph::Smoothed { alpha } => {
            // Of the newest value alpha, of each earlier one (1 - alpha) times as much; of the oldest
            // all that is left.
            let rank = series.rank(graph, &series.mask, "base.rank");
            let keep = graph.floats("base.keep", &[1], &[(1.0 - alpha) as f32]);
            let left = graph.node("Pow", &[&keep, &rank], "base.left", vec![]);
            let alpha = graph.floats("base.alpha", &[1], &[alpha as f32]);
            let share = graph.node("Mul", &[&left, &alpha], "base.share", vec![]);
            let earlier = series.earlier(graph, "base.earlier");
            let zero = graph.floats("base.none", &[1], &[0.0]);
            let is_oldest = graph.node("Equal", &[&earlier, &zero], "base.is_oldest", vec![]);
            let weight = graph.node("Where", &[&is_oldest, &left, &share], "base.weight", vec![]);
            let weight = graph.node("Mul", &[&weight, &series.mask], "base.weights", vec![]);
            series.sum(graph, &weight, "base.smoothed")
        }
    };
    Ok(series.or_missing(graph, &value))
}

/// The last column: values, 0 where missing, and 1 where observed, each `[batch, days]`.
struct Series {
    values: String,
    mask: String,
    /// The axis of days.
    axis: String,
}

impl Series {
    fn new(graph: &mut Builder, columns: usize) -> Self {
        let place = graph.ints("base.column", &[columns as i64 - 1]);
        let column = graph.node(
            "Gather",
            &["windows", &place],
            "base.own",
            vec![int("axis", 2)],
        );
        let axes = graph.ints("base.axes", &[2]);
        let own = graph.node("Squeeze", &[&column, &axes], "base.series", vec![]);
        let missing = graph.node("IsNaN", &[&own], "base.missing", vec![]);
        let observed = graph.node("Not", &[&missing], "base.observed", vec![]);
        let mask = graph.node("Cast", &[&observed], "base.mask", vec![int("to", 1)]);
        let zero = graph.floats("base.fill", &[1], &[0.0]);
        let values = graph.node("Where", &[&missing, &zero, &own], "base.values", vec![]);
        let axis = graph.ints("base.axis", &[1]);
        Self { values, mask, axis }
    }

    /// How many marked days are later than each day.
    fn rank(&self, graph: &mut Builder, mask: &str, name: &str) -> String {
        let backwards = vec![int("exclusive", 1), int("reverse", 1)];
        graph.node("CumSum", &[mask, &self.axis], name, backwards)
    }

    /// How many observed days are earlier than each day.
    fn earlier(&self, graph: &mut Builder, name: &str) -> String {
        graph.node(
            "CumSum",
            &[&self.mask, &self.axis],
            name,
            vec![int("exclusive", 1)],
        )
    }

    /// Days from each day to the last one.
    fn days_back(&self, graph: &mut Builder) -> String {
        let zero = graph.floats("base.no_value", &[1], &[0.0]);
        let one = graph.floats("base.one", &[1], &[1.0]);
        let nothing = graph.node("Mul", &[&self.values, &zero], "base.nothing", vec![]);
        let ones = graph.node("Add", &[&nothing, &one], "base.ones", vec![]);
        self.rank(graph, &ones, "base.days_back")
    }

    /// 1 for observed days where two numbers are equal.
    fn where_equal(&self, graph: &mut Builder, left: &str, right: &str, name: &str) -> String {
        let equal = graph.node("Equal", &[left, right], &format!("{name}.equal"), vec![]);
        let mask = graph.node(
            "Cast",
            &[&equal],
            &format!("{name}.mask"),
            vec![int("to", 1)],
        );
        graph.node("Mul", &[&mask, &self.mask], name, vec![])
    }

    /// 1 on the last marked day, 0 on others.
    fn newest(&self, graph: &mut Builder, mask: &str, name: &str) -> String {
        let rank = self.rank(graph, mask, &format!("{name}.rank"));
        let zero = graph.floats(&format!("{name}.zero"), &[1], &[0.0]);
        let newest = graph.node("Equal", &[&rank, &zero], &format!("{name}.newest"), vec![]);
        let newest = graph.node(
            "Cast",
            &[&newest],
            &format!("{name}.only"),
            vec![int("to", 1)],
        );
        graph.node("Mul", &[&newest, mask], &format!("{name}.weights"), vec![])
    }

    /// The value of the last marked day, 0 without one.
    fn last_of(&self, graph: &mut Builder, mask: &str, name: &str) -> String {
        let weights = self.newest(graph, mask, name);
        self.sum(graph, &weights, name)
    }

    /// The weighted sum of the values: `[batch, 1]`.
    fn sum(&self, graph: &mut Builder, weights: &str, name: &str) -> String {
        let weighted = format!("{name}.weighted");
        let weighted = graph.node("Mul", &[&self.values, weights], &weighted, vec![]);
        graph.node(
            "ReduceSum",
            &[&weighted, &self.axis],
            name,
            vec![int("keepdims", 1)],
        )
    }

    /// How many days are marked, or the sum of other numbers by day: `[batch, 1]`.
    fn count(&self, graph: &mut Builder, mask: &str, name: &str) -> String {
        graph.node(
            "ReduceSum",
            &[mask, &self.axis],
            name,
            vec![int("keepdims", 1)],
        )
    }

    /// A value where any day of its mask is marked, else the last value of all.
    fn or_last(&self, graph: &mut Builder, mask: &str, value: &str) -> String {
        let last = self.last_of(graph, &self.mask, "base.last");
        self.choose(graph, mask, value, &last, "base.or_last")
    }

    /// A value where any day is observed, else NaN.
    fn or_missing(&self, graph: &mut Builder, value: &str) -> String {
        let missing = graph.floats("base.nan", &[1], &[f32::NAN]);
        self.choose(graph, &self.mask, value, &missing, "base")
    }

    fn choose(
        &self,
        graph: &mut Builder,
        mask: &str,
        value: &str,
        other: &str,
        name: &str,
    ) -> String {
        let count = self.count(graph, mask, &format!("{name}.marked"));
        let zero = graph.floats(&format!("{name}.zero"), &[1], &[0.0]);
        let any = graph.node("Greater", &[&count, &zero], &format!("{name}.any"), vec![]);
        graph.node("Where", &[&any, value, other], name, vec![])
    }
}
