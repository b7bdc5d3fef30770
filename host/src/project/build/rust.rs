//! Rust.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use super::{
    super::{
        language::Language,
        toolchain::{self, command, run},
    },
    Workshop,
};

// === impl Workshop ===

impl Workshop<'_> {
    pub(super) fn rust(&self) -> Result<Vec<u8>, String> {
        let target = "wasm32-unknown-unknown";
        let folder = self.work.join("target");
        let mut cargo = self.cargo(target)?;
        // No path of this machine may end up in a panic message.
        let home =
            std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cargo")));
        let renamed = [(home, "cargo"), (self.folder.parent().map(Path::to_path_buf), "stage")];
        let renamed = renamed.iter().filter_map(|(from, to)| Some(format!("\"--remap-path-prefix={}={to}\"", from.as_ref()?.display())));
        let flags = renamed.chain(["\"-Ctarget-feature=+simd128\"".to_owned()]).collect::<Vec<_>>().join(", ");
        cargo.args(["build", "--release", "--config", &format!("target.{target}.rustflags = [{flags}]")]);
        cargo.args(["--target", target, "--target-dir"]).arg(&folder);
        run(cargo)?;
        self.component(&folder.join(target).join("release").join(format!("{}.wasm", self.manifest.name.replace('-', "_"))))
    }

    /// Cargo with the target, or Debian's, whose standard library for it is built on the way (about four minutes, once).
    fn cargo(&self, target: &str) -> Result<Command, String> {
        let cargo = toolchain::need(Language::Rust.tool())?;
        let root = Command::new("rustc").current_dir(self.folder).args(["--print", "sysroot"]).output();
        let root = root.map(|output| PathBuf::from(String::from_utf8_lossy(&output.stdout).trim())).unwrap_or_default();
        if root.join("lib/rustlib").join(target).join("lib").is_dir() {
            return Ok(command(&cargo, self.folder));
        }
        let Some(debian) = toolchain::find("cargo-web").filter(|_| toolchain::find("rustc-web").is_some()) else {
            return Err(format!(
                "Rust is here without its target {target}\n  = help: rustup target add {target}\n  = help: on Debian: apt install rustc-web cargo-web rust-web-src lld"
            ));
        };
        let mut cargo = command(&debian, self.folder);
        cargo.envs([("RUSTC", "rustc-web"), ("RUSTC_BOOTSTRAP", "1"), ("CARGO_UNSTABLE_BUILD_STD", "std,panic_abort")]);
        Ok(cargo)
    }
}
