//! From a project to a component: the language's own compiler, and the step from core module to component here.

mod javascript;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use super::{
    language::Language,
    manifest::Manifest,
    toolchain::{self, command, run},
    wit,
};

/// What was built.
#[derive(Clone, Debug)]
pub struct Built {
    /// The component.
    pub component: PathBuf,
    /// Its bytes.
    pub size: u64,
    /// How long it took.
    pub took: Duration,
}

/// The stack of a core module that has no need to recurse: Zig would reserve 16 MiB.
const STACK: &str = "262144";

/// Builds the project in a folder, into `out` or where its manifest says.
pub fn build(folder: &Path, out: Option<&Path>) -> Result<Built, String> {
    let began = Instant::now();
    let manifest = Manifest::load(folder)?;
    let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
    let work = folder.join("build");
    fs::create_dir_all(&work).map_err(|error| format!("{}: {error}", work.display()))?;
    let made = Workshop { manifest: &manifest, folder: &folder, work: &work }.make()?;
    let stripped = componentize::without_custom(&made).map_err(|error| format!("{error:#}"))?;
    let component = out.map_or_else(|| folder.join(manifest.component()), Path::to_path_buf);
    let write = || {
        component.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(&component, &stripped)
    };
    write().map_err(|error| format!("{}: {error}", component.display()))?;
    Ok(Built { component, size: stripped.len() as u64, took: began.elapsed() })
}

/// Where a build happens.
struct Workshop<'a> {
    manifest: &'a Manifest,
    folder: &'a Path,
    work: &'a Path,
}

// === impl Workshop ===

impl Workshop<'_> {
    /// The component's bytes.
    fn make(&self) -> Result<Vec<u8>, String> {
        match self.manifest.language {
            Language::C => self.c(),
            Language::Cpp => self.cpp(),
            Language::Zig => self.zig(),
            Language::D => self.d(),
            Language::Swift => self.swift(),
            Language::AssemblyScript => self.assemblyscript(),
            Language::Go => self.go(),
            Language::Rust => self.rust(),
            Language::Python => self.python(),
            Language::JavaScript => self.javascript(),
            Language::TypeScript => self.typescript(),
        }
    }

    fn sdk(&self) -> PathBuf {
        self.folder.join(&self.manifest.sdk)
    }

    fn core(&self) -> PathBuf {
        self.work.join("core.wasm")
    }

    /// What the language's tool says it built.
    fn read(&self, built: &Path) -> Result<Vec<u8>, String> {
        fs::read(built).map_err(|error| format!("{} was not built: {error}", built.display()))
    }

    /// A core module as a component of the contract's world; what it imports and exports is checked on the way.
    fn component(&self, core: &Path) -> Result<Vec<u8>, String> {
        let encode = |core: Vec<u8>| {
            let (resolve, package) = componentize::wit::package(&wit::CONTRACT)?;
            componentize::encode(&core, &resolve, package, "transformer")
        };
        encode(self.read(core)?).map_err(|error| format!("what was compiled is no transform of parshall:stage@0.1.0: {error:#}"))
    }

    fn c(&self) -> Result<Vec<u8>, String> {
        // Debian's clang and lld do as well as Zig's.
        let clang = toolchain::find("clang").filter(|_| toolchain::find("zig").is_none() && toolchain::find("wasm-ld").is_some());
        let mut compiler = match clang {
            Some(clang) => {
                let mut compiler = command(&clang, self.folder);
                compiler.arg("--target=wasm32-unknown-unknown");
                compiler
            }
            None => {
                let mut compiler = command(&toolchain::need(Language::C.tool())?, self.folder);
                compiler.args(["cc", "-target", "wasm32-freestanding"]);
                compiler
            }
        };
        compiler.args(["-std=c17", "-O3", "-Wall", "-Wno-unused-function", "-msimd128", "-mbulk-memory", "-nostdlib"]);
        compiler.args(["-Wl,--no-entry", "-Wl,--strip-all", &format!("-Wl,-z,stack-size={STACK}"), "-I"]);
        compiler.arg(self.sdk()).arg("stage.c").arg("-o").arg(self.core());
        run(compiler)?;
        self.component(&self.core())
    }

    /// The C++ library's headers are those of Zig's WASI target; what they need compiled is in the SDK, so nothing of WASI is linked.
    fn cpp(&self) -> Result<Vec<u8>, String> {
        let object = self.work.join("stage.o");
        let mut compiler = command(&toolchain::need(Language::Cpp.tool())?, self.folder);
        compiler.args(["c++", "-target", "wasm32-wasi", "-std=c++23", "-O3", "-fno-exceptions", "-fno-rtti", "-fno-threadsafe-statics"]);
        compiler.args(["-Wall", "-Wno-unused-function", "-msimd128", "-mbulk-memory", "-I"]).arg(self.sdk());
        compiler.args(["-c", "stage.cpp", "-o"]).arg(&object);
        run(compiler)?;
        self.link(&[&object])
    }

    /// Object files and C, with what compilers take for granted (`memcpy`) and no more.
    fn link(&self, parts: &[&Path]) -> Result<Vec<u8>, String> {
        let mut linker = command(&toolchain::need(Language::C.tool())?, self.folder);
        linker.args(["cc", "-target", "wasm32-freestanding", "-O3", "-mbulk-memory", "-Wl,--no-entry", "-Wl,--strip-all"]);
        linker.arg(format!("-Wl,-z,stack-size={STACK}")).args(parts).arg("-o").arg(self.core());
        run(linker)?;
        self.component(&self.core())
    }

    fn d(&self) -> Result<Vec<u8>, String> {
        let object = self.work.join("stage.o");
        let mut compiler = command(&toolchain::need(Language::D.tool())?, self.folder);
        compiler.args(["-mtriple=wasm32-unknown-unknown-wasm", "-mattr=+bulk-memory,+simd128", "-betterC", "-O3"]);
        compiler.arg(format!("-I={}", self.manifest.sdk.display())).args(["-i=parshall", "-c", "stage.d"]);
        compiler.arg(format!("-of={}", object.display()));
        run(compiler)?;
        self.link(&[&object])
    }

    fn zig(&self) -> Result<Vec<u8>, String> {
        let mut compiler = command(&toolchain::need(Language::Zig.tool())?, self.folder);
        compiler.args(["build-exe", "-target", "wasm32-freestanding", "-mcpu=generic+simd128+bulk_memory", "-O", "ReleaseSafe"]);
        compiler.args(["-fno-entry", "-rdynamic", "-fstrip", "--stack", STACK, "--dep", "parshall", "-Mroot=stage.zig"]);
        compiler.arg(format!("-Mparshall={}", self.sdk().join("parshall.zig").display()));
        compiler.arg(format!("-femit-bin={}", self.core().display()));
        run(compiler)?;
        self.component(&self.core())
    }

    /// One module of the stage and the SDK; what Embedded Swift asks of a machine is the SDK's, in C.
    fn swift(&self) -> Result<Vec<u8>, String> {
        let (sdk, object) = (self.sdk(), self.work.join("stage.o"));
        let files = fs::read_dir(&sdk).map_err(|error| format!("{}: {error}", sdk.display()))?;
        let mut sources: Vec<_> =
            files.filter_map(|file| Some(file.ok()?.path())).filter(|file| file.extension() == Some("swift".as_ref())).collect();
        sources.sort();
        let mut compiler = command(&toolchain::need(Language::Swift.tool())?, self.folder);
        compiler.args(["-frontend", "-c", "stage.swift"]).args(sources).args(["-parse-as-library", "-module-name", "stage", "-wmo", "-O"]);
        compiler.args(["-target", "wasm32-unknown-none-wasm", "-enable-experimental-feature", "Embedded"]);
        compiler.args(["-enable-experimental-feature", "Extern", "-o"]).arg(&object);
        run(compiler)?;
        self.link(&[&object, &sdk.join("memory.c")])
    }

    /// Its exports have the contract's names by a transform of the compiler's that is part of the SDK, as is what `throw` comes to.
    fn assemblyscript(&self) -> Result<Vec<u8>, String> {
        let sdk = &self.manifest.sdk;
        let mut compiler = command(&toolchain::need(Language::AssemblyScript.tool())?, self.folder);
        compiler.arg("stage.ts").arg(sdk.join("exports.ts")).args(["-O3", "--noAssert", "--enable", "simd", "--use"]);
        compiler.arg(format!("abort={}", sdk.join("errors/panic").display()));
        compiler.arg("--transform").arg(Path::new(".").join(sdk).join("names.mjs")).args(["--outFile", "build/core.wasm"]);
        run(compiler)?;
        self.component(&self.core())
    }

    fn go(&self) -> Result<Vec<u8>, String> {
        let mut compiler = command(&toolchain::need(Language::Go.tool())?, self.folder);
        compiler.envs([("GOOS", "wasip1"), ("GOARCH", "wasm"), ("GOTOOLCHAIN", "local"), ("GOFLAGS", "-mod=mod")]);
        compiler.args(["build", "-buildmode=c-shared", "-trimpath", "-ldflags=-s -w -checklinkname=0", "-o"]).arg(self.core()).arg(".");
        run(compiler)?;
        self.component(&self.core())
    }

    fn rust(&self) -> Result<Vec<u8>, String> {
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

    /// Tools that make components by themselves are given the world of this project.
    fn world(&self) -> Result<PathBuf, String> {
        let folder = self.work.join("wit");
        wit::write(&folder, &self.manifest.imports).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(folder)
    }

    fn python(&self) -> Result<Vec<u8>, String> {
        let (tool, wit, out) = (toolchain::need(Language::Python.tool())?, self.world()?, self.work.join("made.wasm"));
        let mut tool = command(&tool, self.folder);
        tool.arg("-q").arg("-d").arg(wit).args(["-w", wit::WORLD, "componentize", "--stub-wasi", "-p", ".", "-p"]);
        tool.arg(self.sdk()).arg("stage").arg("-o").arg(&out);
        run(tool)?;
        self.read(&out)
    }
}
