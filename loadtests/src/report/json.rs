//! The report for programs.

use serde::Serialize;

use super::Report;

/// Raised when a field changes its meaning or goes away.
const FORMAT: u32 = 1;

#[derive(Serialize)]
struct Document<'r> {
    format: u32,
    #[serde(flatten)]
    report: &'r Report,
}

/// # Errors
/// Never in practice: the report holds no map with keys that JSON cannot express.
pub fn render(report: &Report) -> serde_json::Result<String> {
    let mut text = serde_json::to_string_pretty(&Document {
        format: FORMAT,
        report,
    })?;
    text.push('\n');
    Ok(text)
}
