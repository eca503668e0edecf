//! Rust from a `.proto` file: messages, client and server. `protox` parses it, so that nobody needs
//! `protoc`; and it happens here, so that no crate needs a build script.

use std::{io, path::Path};

use protox::Compiler;

use crate::workspace;

/// The committed module made from the file of this name in `crates/user-directory/proto`.
///
/// # Errors
/// When the file can't be read or understood.
pub fn module(file: &str) -> io::Result<Vec<u8>> {
    let folder = workspace::root().join("crates/user-directory/proto");
    let descriptors = Compiler::new([folder])
        .and_then(|mut compiler| {
            compiler.include_source_info(true).open_file(file)?;
            Ok(compiler.file_descriptor_set())
        })
        .map_err(io::Error::other)?;
    let output = tempfile::tempdir()?;
    tonic_prost_build::configure()
        .build_transport(false)
        // It holds a credential, which must not get into a log.
        .skip_debug(["ResolveApiKeyRequest"])
        .out_dir(output.path())
        .compile_fds(descriptors)?;
    only_file(output.path())
}

/// A `.proto` file has one package, and a package becomes one file, named after it.
fn only_file(folder: &Path) -> io::Result<Vec<u8>> {
    let file = std::fs::read_dir(folder)?.next();
    let file = file.ok_or_else(|| io::Error::other("nothing was generated"))??;
    std::fs::read(file.path())
}
