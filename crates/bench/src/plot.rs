//! Outcomes as a plot.

use std::path::Path;

use anyhow::{Result, anyhow};
use plotters::coord::ranged1d::{AsRangedCoord, ValueFormatter};
use plotters::prelude::*;

use crate::{Contestant, Measure, Outcome, Sweep};

type Line = (Contestant, Vec<(f64, f64)>);

/// Draws a plot into the SVG `file`, with one line per contestant. The first one is on top.
///
/// # Errors
/// If the file cannot be written.
pub fn draw(sweep: &Sweep, measure: Measure, outcomes: &[Vec<Option<Outcome>>], file: &Path) -> Result<()> {
    let line = |(at, &contestant): (usize, &Contestant)| {
        let points = sweep.points.iter().zip(outcomes);
        let points = points.filter_map(|((value, _), row)| Some((*value, measure.of(row[at].as_ref()?))));
        (contestant, points.collect())
    };
    let lines: Vec<Line> = sweep.contestants.iter().enumerate().map(line).collect();
    let ends = |values: &mut dyn Iterator<Item = f64>| {
        values.fold((f64::INFINITY, 0.0_f64), |(least, most), value| (least.min(value), most.max(value)))
    };
    let (left, right) = ends(&mut sweep.points.iter().map(|(value, _)| *value));
    let (low, high) = ends(&mut lines.iter().flat_map(|(_, points)| points.iter().map(|(_, value)| *value)));
    // The room above the lines is for the legend.
    let heights = (low * 0.7..high * 5.0).log_scale();
    if sweep.by_factors {
        chart(sweep, measure, &lines, file, (left..right).log_scale(), heights)
    } else {
        chart(sweep, measure, &lines, file, left..right, heights)
    }
}

fn chart<X, Y>(sweep: &Sweep, measure: Measure, lines: &[Line], file: &Path, x: X, y: Y) -> Result<()>
where
    X: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
    Y: AsRangedCoord<Value = f64, CoordDescType: ValueFormatter<f64>>,
{
    let broken = |error: DrawingAreaErrorKind<_>| anyhow!("{}: {error}", file.display());
    let area = SVGBackend::new(file, (720, 420)).into_drawing_area();
    area.fill(&WHITE).map_err(broken)?;
    let mut chart = ChartBuilder::on(&area)
        .caption(sweep.title, ("sans-serif", 15))
        .margin(12)
        .x_label_area_size(42)
        .y_label_area_size(64)
        .build_cartesian_2d(x, y)
        .map_err(broken)?;
    let number = |value: &f64| format!("{value}");
    chart
        .configure_mesh()
        .x_desc(sweep.axis)
        .y_desc(measure.name())
        .x_label_formatter(&number)
        .y_label_formatter(&number)
        .light_line_style(WHITE)
        .draw()
        .map_err(broken)?;
    for (contestant, points) in lines.iter().rev().filter(|(_, points)| !points.is_empty()) {
        let style = ShapeStyle { color: color(*contestant).into(), filled: true, stroke_width: 2 };
        let line = chart.draw_series(LineSeries::new(points.iter().copied(), style)).map_err(broken)?;
        line.label(contestant.name()).legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], style));
        let dots = points.iter().map(|&point| Circle::new(point, 3, style));
        chart.draw_series(dots).map_err(broken)?;
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::UpperLeft)
        .background_style(WHITE.mix(0.85))
        .border_style(BLACK.mix(0.3))
        .draw()
        .map_err(broken)?;
    area.present().map_err(broken)
}

/// Okabe and Ito's colours, which colour-blind people can tell apart.
fn color(contestant: Contestant) -> RGBColor {
    match contestant {
        Contestant::Causal => RGBColor(0, 114, 178),
        Contestant::EveryMarker => RGBColor(86, 180, 233),
        Contestant::NoMarker => RGBColor(0, 158, 115),
        Contestant::Book => RGBColor(230, 159, 0),
        Contestant::Vector => RGBColor(204, 121, 167),
        Contestant::Matrix => RGBColor(213, 94, 0),
    }
}
