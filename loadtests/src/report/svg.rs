//! Line charts as inline SVG: no script, no fonts, no addresses. Colours are CSS variables of the
//! page, so that one drawing fits light and dark.

use std::fmt::Write;

const WIDTH: f64 = 520.0;
const HEIGHT: f64 = 240.0;
const LEFT: f64 = 56.0;
const RIGHT: f64 = 22.0;
const TOP: f64 = 28.0;
const BOTTOM: f64 = 40.0;
/// Points closer than this to the one before get no tooltip of their own, in drawing units.
const TOOLTIP_SPACING: f64 = 3.0;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    Linear,
    /// Base ten; values at or below zero are drawn at the lower end.
    Logarithmic,
}

#[derive(Clone, Copy, Debug)]
pub struct Axis<'c> {
    pub label: &'c str,
    pub scale: Scale,
}

#[derive(Clone, Debug)]
pub struct Series<'c> {
    pub name: &'c str,
    /// In order of x.
    pub points: Vec<(f64, f64)>,
}

#[derive(Clone, Debug)]
pub struct Chart<'c> {
    /// Read out by screen readers.
    pub title: &'c str,
    pub x: Axis<'c>,
    pub y: Axis<'c>,
    pub series: Vec<Series<'c>>,
}

impl Chart<'_> {
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        // Writing to a String cannot fail.
        let _ = self.write(&mut out);
        out
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        write!(
            out,
            r#"<svg class="chart" viewBox="0 0 {WIDTH} {HEIGHT}" role="img">"#
        )?;
        write!(out, "<title>{}</title>", escape(self.title))?;
        let xs = self
            .series
            .iter()
            .flat_map(|series| series.points.iter().map(|p| p.0));
        let ys = self
            .series
            .iter()
            .flat_map(|series| series.points.iter().map(|p| p.1));
        let x = Span::over(xs, self.x.scale, false);
        let y = Span::over(ys, self.y.scale, true);
        self.write_grid(out, &x, &y)?;
        for (number, series) in self.series.iter().enumerate() {
            write_series(out, number, series, &x, &y)?;
        }
        self.write_legend(out)?;
        out.push_str("</svg>");
        Ok(())
    }

    fn write_grid(&self, out: &mut String, x: &Span, y: &Span) -> std::fmt::Result {
        let (right, bottom) = (WIDTH - RIGHT, HEIGHT - BOTTOM);
        for value in y.ticks() {
            let at = y_at(y, value);
            write!(
                out,
                r#"<line class="grid" x1="{LEFT}" y1="{at:.1}" x2="{right}" y2="{at:.1}"/>"#
            )?;
            let (text_x, text_y) = (LEFT - 6.0, at + 4.0);
            write!(
                out,
                r#"<text x="{text_x}" y="{text_y:.1}" text-anchor="end">{}</text>"#,
                number(value)
            )?;
        }
        for value in x.ticks() {
            let at = x_at(x, value);
            write!(
                out,
                r#"<line class="grid" x1="{at:.1}" y1="{TOP}" x2="{at:.1}" y2="{bottom}"/>"#
            )?;
            let text_y = bottom + 16.0;
            write!(
                out,
                r#"<text x="{at:.1}" y="{text_y}" text-anchor="middle">{}</text>"#,
                number(value)
            )?;
        }
        let (middle, label_y) = ((LEFT + right) / 2.0, HEIGHT - 6.0);
        write!(
            out,
            r#"<text class="label" x="{middle}" y="{label_y}" text-anchor="middle">{}</text>"#,
            escape(self.x.label)
        )?;
        let turned = (TOP + bottom) / 2.0;
        write!(
            out,
            r#"<text class="label" transform="translate(14 {turned}) rotate(-90)" text-anchor="middle">{}</text>"#,
            escape(self.y.label)
        )
    }

    fn write_legend(&self, out: &mut String) -> std::fmt::Result {
        let mut at = LEFT;
        for (number, series) in self.series.iter().enumerate() {
            let class = colour(number);
            write!(
                out,
                r#"<rect class="{class}" x="{at}" y="8" width="10" height="10" rx="2"/>"#
            )?;
            let text_x = at + 15.0;
            write!(
                out,
                r#"<text x="{text_x}" y="17">{}</text>"#,
                escape(series.name)
            )?;
            at += 31.0 + 6.6 * series.name.chars().count() as f64;
        }
        Ok(())
    }
}

fn write_series(
    out: &mut String,
    number_of: usize,
    series: &Series<'_>,
    x: &Span,
    y: &Span,
) -> std::fmt::Result {
    let class = colour(number_of);
    let at = |&(px, py): &(f64, f64)| (x_at(x, px), y_at(y, py));
    let path: Vec<String> = series
        .points
        .iter()
        .map(at)
        .map(|(px, py)| format!("{px:.1},{py:.1}"))
        .collect();
    write!(
        out,
        r#"<polyline class="{class}" points="{}"/>"#,
        path.join(" ")
    )?;
    let mut last_x = f64::NEG_INFINITY;
    for point in &series.points {
        let (px, py) = at(point);
        if px - last_x < TOOLTIP_SPACING {
            continue;
        }
        last_x = px;
        write!(
            out,
            r#"<circle class="{class}" cx="{px:.1}" cy="{py:.1}" r="4"><title>{}: {} at {}</title></circle>"#,
            escape(series.name),
            number(point.1),
            number(point.0)
        )?;
    }
    Ok(())
}

/// The part of a number line that an axis shows.
#[derive(Debug)]
struct Span {
    low: f64,
    high: f64,
    scale: Scale,
}

impl Span {
    /// Covers all values; a linear axis `from_zero` begins there.
    fn over(values: impl Iterator<Item = f64>, scale: Scale, from_zero: bool) -> Self {
        let drawable = |value: &f64| scale == Scale::Linear || *value > 0.0;
        let (mut low, mut high) = (f64::INFINITY, f64::NEG_INFINITY);
        for value in values.filter(drawable) {
            (low, high) = (low.min(value), high.max(value));
        }
        if low > high {
            (low, high) = (0.0, 1.0);
        }
        match scale {
            Scale::Linear => {
                let low = if from_zero { low.min(0.0) } else { low };
                let high = if high > low { high } else { low + 1.0 };
                let step = nice_step(high - low);
                let high = if from_zero {
                    (high / step).ceil() * step
                } else {
                    high
                };
                Self { low, high, scale }
            }
            Scale::Logarithmic => {
                let low = 10_f64.powf(low.max(1e-3).log10().floor());
                let high = 10_f64.powf(high.max(1e-3).log10().ceil()).max(low * 10.0);
                Self { low, high, scale }
            }
        }
    }

    /// 0 at the low end, 1 at the high end.
    fn share(&self, value: f64) -> f64 {
        let share = match self.scale {
            Scale::Linear => (value - self.low) / (self.high - self.low),
            Scale::Logarithmic => {
                (value.max(self.low) / self.low).log10() / (self.high / self.low).log10()
            }
        };
        share.clamp(0.0, 1.0)
    }

    fn ticks(&self) -> Vec<f64> {
        match self.scale {
            Scale::Linear => {
                let step = nice_step(self.high - self.low);
                let first = (self.low / step).ceil() as i64;
                let last = (self.high / step + 1e-9).floor() as i64;
                (first..=last).map(|i| i as f64 * step).collect()
            }
            Scale::Logarithmic => {
                let decades = (self.high / self.low).log10().round() as i32;
                (0..=decades)
                    .map(|decade| self.low * 10_f64.powi(decade))
                    .collect()
            }
        }
    }
}

/// 1, 2 or 5 times a power of ten, for about five steps.
fn nice_step(span: f64) -> f64 {
    let rough = span / 5.0;
    let power = 10_f64.powf(rough.log10().floor());
    let factor = match rough / power {
        f if f <= 1.0 => 1.0,
        f if f <= 2.0 => 2.0,
        f if f <= 5.0 => 5.0,
        _ => 10.0,
    };
    factor * power
}

fn x_at(span: &Span, value: f64) -> f64 {
    LEFT + span.share(value) * (WIDTH - LEFT - RIGHT)
}

fn y_at(span: &Span, value: f64) -> f64 {
    HEIGHT - BOTTOM - span.share(value) * (HEIGHT - TOP - BOTTOM)
}

fn colour(number: usize) -> String {
    format!("s{}", number % 6)
}

/// At most three digits behind the point, and none that say nothing.
fn number(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 => 2,
        _ => 3,
    };
    let text = format!("{value:.digits$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// Text for the inside of an element or of a quoted attribute.
#[must_use]
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chart(scale: Scale, points: Vec<(f64, f64)>) -> String {
        let axis = Axis {
            label: "t <s>",
            scale,
        };
        let series = vec![Series {
            name: "a & b",
            points,
        }];
        Chart {
            title: "chart",
            x: axis,
            y: axis,
            series,
        }
        .render()
    }

    #[test]
    fn every_point_is_finite_and_inside_the_drawing() {
        for scale in [Scale::Linear, Scale::Logarithmic] {
            for points in [
                vec![],
                vec![(0.0, 0.0)],
                vec![(1.0, 5.0), (2.0, 5.0)],
                vec![(0.001, 1e6), (1e6, 0.0), (2e6, 3.0)],
            ] {
                let svg = chart(scale, points.clone());
                assert!(
                    !svg.contains("NaN") && !svg.contains("inf"),
                    "{scale:?} {points:?}"
                );
                for part in svg.split("cx=\"").skip(1) {
                    let x: f64 = part.split('"').next().unwrap().parse().unwrap();
                    assert!((LEFT..=WIDTH - RIGHT).contains(&x), "{x}");
                }
            }
        }
    }

    #[test]
    fn names_are_escaped() {
        let svg = chart(Scale::Linear, vec![(0.0, 1.0)]);
        assert!(svg.contains("a &amp; b") && svg.contains("t &lt;s&gt;"));
    }

    #[test]
    fn ticks_are_round_numbers() {
        let span = Span::over([0.0, 47.0].into_iter(), Scale::Linear, true);
        assert_eq!(span.ticks(), [0.0, 10.0, 20.0, 30.0, 40.0, 50.0]);
        let span = Span::over([0.7, 450.0].into_iter(), Scale::Logarithmic, false);
        assert_eq!(span.ticks().len(), 5);
        assert_eq!(
            (number(0.5), number(1200.0), number(2.0)),
            ("0.5".into(), "1200".into(), "2".into())
        );
    }
}
