//! Small SVG plots within the page: curves and histograms. The page's style sheet has their colours.

use std::fmt::Write as _;

use serde::Serialize;

use super::curves::{Curves, Point};
use super::field::Distribution;
use super::time::long;

/// The height of all plots in their own units; their width is 1,000.
const HEIGHT: f64 = 200.0;

/// The maximum number of faults or limits with a colour of their own.
const COLOURS: usize = 5;

/// A plot over time with its labels.
#[derive(Debug, Serialize)]
pub(crate) struct Chart {
    pub(crate) title: &'static str,
    pub(crate) about: String,
    pub(crate) svg: String,
    /// The value at the upper edge.
    pub(crate) top: String,
    /// The time at the right edge.
    pub(crate) end: String,
    /// Each series by its class and name.
    pub(crate) legend: Vec<(String, String)>,
}

/// One of the series of a plot.
struct Series {
    class: String,
    name: String,
    /// A value for each point.
    values: Vec<f64>,
    is_filled: bool,
}

/// Formats the value at the upper edge of a plot.
type Label = fn(f64) -> String;

/// All plots over time.
pub(crate) fn charts(curves: &Curves) -> Vec<Chart> {
    let points = &curves.intervals;
    if points.is_empty() {
        return Vec::new();
    }
    let per_second = |point: &Point, count: u64| count as f64 * 1_000.0 / point.lasted_ms.max(1) as f64;
    let series = |class: &str, name: &str, is_filled, value: &dyn Fn(&Point) -> f64| Series {
        class: class.to_owned(),
        name: name.to_owned(),
        values: points.iter().map(value).collect(),
        is_filled,
    };
    let mut cost = 0.0;
    let costs: Vec<f64> = points
        .iter()
        .map(|point| {
            cost += point.cost_usd.as_f64().unwrap_or_default();
            cost
        })
        .collect();
    let amount: Label = |value| format!("{value:.4}").trim_end_matches('0').trim_end_matches('.').to_owned();
    let mut charts = vec![
        chart(
            curves,
            "Rows per second",
            |value| format!("{}/s", short(value)),
            &[
                series("c-done", "with a value", true, &|point| per_second(point, point.done)),
                series("c-failed", "failed", true, &|point| per_second(point, point.failed)),
            ],
        ),
        chart(
            curves,
            "Requests in flight",
            short,
            &[
                series("c-limit", "allowed", false, &|point| {
                    point.concurrency.min(most_in_flight(points)) as f64
                }),
                series("c-done", "in flight", true, &|point| point.in_flight as f64),
            ],
        ),
        chart(
            curves,
            "Latency of requests",
            long,
            &[
                series("c-limit", "95 % are faster", false, &|point| {
                    point.latency_p95_ms.unwrap_or_default()
                }),
                series("c-done", "half are faster", false, &|point| point.latency_p50_ms.unwrap_or_default()),
            ],
        ),
    ];
    let held =
        stacked(points, |point| &point.held_ms, |point, held| held as f64 / point.lasted_ms.max(1) as f64);
    if !held.is_empty() {
        let share: Label = |value| format!("{:.0} %", value * 100.0);
        charts.push(chart(curves, "Time held back, by what", share, &held));
    }
    let faults = stacked(points, |point| &point.faults, per_second);
    if !faults.is_empty() {
        charts.push(chart(
            curves,
            "Failed requests per second",
            |value| format!("{}/s", short(value)),
            &faults,
        ));
    }
    if cost > 0.0 {
        let values =
            Series { class: "c-done".to_owned(), name: "spent".to_owned(), values: costs, is_filled: true };
        charts.push(Chart { top: format!("${}", amount(cost)), ..chart(curves, "Cost", amount, &[values]) });
    }
    charts
}

/// The limit shown in the plot of requests in flight. The real one is often so far above them that the plot would show nothing else.
fn most_in_flight(points: &[Point]) -> u64 {
    let most = points.iter().map(|point| point.in_flight).max().unwrap_or_default();
    (most * 2).max(8)
}

/// A series for each of the most frequent names, stacked; the last one is drawn first.
fn stacked(
    points: &[Point],
    counts: impl Fn(&Point) -> &std::collections::BTreeMap<String, u64>,
    value: impl Fn(&Point, u64) -> f64,
) -> Vec<Series> {
    let mut sums = std::collections::BTreeMap::<&str, u64>::new();
    for (name, count) in points.iter().flat_map(&counts) {
        *sums.entry(name).or_default() += count;
    }
    let mut names: Vec<_> = sums.into_iter().collect();
    names.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    names.truncate(COLOURS);
    let mut below = vec![0.0; points.len()];
    let mut series: Vec<_> = names
        .into_iter()
        .enumerate()
        .map(|(at, (name, _))| {
            for (sum, point) in below.iter_mut().zip(points) {
                *sum += value(point, counts(point).get(name).copied().unwrap_or_default());
            }
            Series { class: format!("c-{at}"), name: name.to_owned(), values: below.clone(), is_filled: true }
        })
        .collect();
    series.reverse();
    series
}

fn chart(curves: &Curves, title: &'static str, label: Label, series: &[Series]) -> Chart {
    let points = &curves.intervals;
    let top = series.iter().flat_map(|series| &series.values).copied().fold(0.0, f64::max);
    let whole = curves.active_ms().max(1) as f64;
    let x = |milliseconds: u64| milliseconds as f64 * 1_000.0 / whole;
    let y = |value: f64| HEIGHT - if top > 0.0 { value / top * (HEIGHT - 4.0) } else { 0.0 };
    let mut svg = String::new();
    for Series { class, values, is_filled, .. } in series {
        let mut path = String::new();
        for (at, (point, value)) in points.iter().zip(values).enumerate() {
            let (from, to, height) = (x(point.after_ms), x(point.after_ms + point.lasted_ms), y(*value));
            let command = if at == 0 { format!("M{from:.1} ") } else { "V".to_owned() };
            let _ = write!(path, "{command}{height:.1}H{to:.1}");
        }
        if *is_filled {
            let _ = write!(svg, r#"<path class="area {class}" d="{path}V{HEIGHT}H0Z"/>"#);
        }
        let _ = write!(svg, r#"<path class="line {class}" d="{path}"/>"#);
    }
    let mut before = 1;
    for point in points.iter().filter(|point| std::mem::replace(&mut before, point.run) != point.run) {
        let at = x(point.after_ms);
        let _ = write!(svg, r#"<path class="run" d="M{at:.1} 0V{HEIGHT}"/>"#);
    }
    for adjusted in &curves.adjustments {
        let at = x(adjusted.after_ms);
        let _ = write!(svg, r#"<path class="adjusted" d="M{at:.1} 0V{HEIGHT}"/>"#);
    }
    let legend: Vec<_> =
        series.iter().rev().map(|series| (series.class.clone(), series.name.clone())).collect();
    let names: Vec<_> = legend.iter().map(|(_, name)| name.as_str()).collect();
    Chart {
        title,
        about: format!("{title} over {}: {}; at the most {}", long(whole), names.join(", "), label(top)),
        svg,
        top: label(top),
        end: long(whole),
        legend,
    }
}

/// The bars of a histogram, each with a title.
pub(crate) fn histogram(distribution: &Distribution) -> String {
    let most = distribution.bars.iter().map(|(_, _, count)| *count).max().unwrap_or_default().max(1);
    let width = 1_000.0 / distribution.bars.len().max(1) as f64;
    let mut svg = String::new();
    for (at, (from, to, count)) in
        distribution.bars.iter().enumerate().filter(|(_, (_, _, count))| *count > 0)
    {
        let height = (*count as f64 / most as f64 * HEIGHT).max(2.0);
        let (x, y) = (at as f64 * width + width * 0.06, HEIGHT - height);
        let _ = write!(
            svg,
            r#"<rect x="{x:.0}" y="{y:.0}" width="{:.0}" height="{height:.0}"><title>{} to {}: {count}</title></rect>"#,
            width * 0.88,
            short(*from),
            short(*to),
        );
    }
    svg
}

/// A number with three significant digits or more: `0.0123`, `12.3`, `1,234`.
pub(crate) fn short(number: f64) -> String {
    let size = number.abs();
    if size >= 1e15 || (size > 0.0 && size < 1e-4) {
        return format!("{number:.2e}");
    }
    if number.fract() == 0.0 || size >= 1_000.0 {
        let count = indicatif::HumanCount(size.round() as u64);
        return if number < 0.0 { format!("-{count}") } else { count.to_string() };
    }
    let decimals = if size >= 100.0 {
        1
    } else if size >= 1.0 {
        2
    } else {
        4
    };
    format!("{number:.decimals$}").trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short() {
        for (number, text) in [
            (0.0, "0"),
            (1_234_567.0, "1,234,567"),
            (-3.0, "-3"),
            (0.012_34, "0.0123"),
            (12.3, "12.3"),
            (1e20, "1.00e20"),
            (0.000_001, "1.00e-6"),
        ] {
            assert_eq!(short(number), text);
        }
    }

    #[test]
    fn a_histogram_has_a_bar_for_what_there_is() {
        let bars = vec![(0.0, 1.0, 2), (1.0, 2.0, 0), (2.0, 3.0, 1_000)];
        let distribution = Distribution { min: 0.0, median: 2.0, mean: 2.0, max: 2.5, bars, beyond: 0 };
        let svg = histogram(&distribution);
        assert_eq!(svg.matches("<rect").count(), 2);
        assert!(svg.contains("<title>2 to 3: 1000</title>"), "{svg}");
    }
}
