//! QR codes as SVG, for a page to show.

use qrcode::{EcLevel, QrCode, render::svg, types::QrError};

/// The smallest side, in pixels of the SVG; a page may scale it.
const MIN_SIDE: u32 = 240;

/// An image of `content`. What reads the page aloud says `description`, which is trusted text: it
/// stands in the image as it is.
///
/// # Errors
/// If the content is too long for a QR code.
pub(crate) fn svg(content: &str, description: &'static str) -> Result<String, QrError> {
    let code = QrCode::with_error_correction_level(content, EcLevel::M)?;
    let image = code
        .render::<svg::Color>()
        .min_dimensions(MIN_SIDE, MIN_SIDE)
        .build();
    // A part of a page has no XML declaration.
    let image = image.find("<svg").map_or("", |start| &image[start..]);
    let image = image.replacen("<svg", "<svg role=\"img\"", 1);
    Ok(image.replacen('>', &format!("><title>{description}</title>"), 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_image_is_an_element_with_a_text_alternative() {
        let svg = svg("otpauth://totp/x", "A QR code").unwrap();
        assert!(svg.starts_with("<svg role=\"img\" xmlns="), "{svg}");
        assert!(svg.contains("\"><title>A QR code</title><rect"), "{svg}");
        assert!(svg.ends_with("</svg>"));
        assert!(super::svg(&"x".repeat(5000), "").is_err());
    }
}
