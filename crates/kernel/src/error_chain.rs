use std::error::Error;

/// An error and all its causes on one line, for the log.
#[must_use]
pub fn error_chain(error: &dyn Error) -> String {
    let causes = std::iter::successors(Some(error), |error: &&dyn Error| (*error).source());
    causes
        .map(ToString::to_string)
        .fold(String::new(), |mut line, cause| {
            // Some libraries repeat the cause in their own text.
            if line.is_empty() {
                line = cause;
            } else if !line.ends_with(&cause) {
                line = format!("{line}: {cause}");
            }
            line
        })
}
