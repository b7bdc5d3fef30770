//! Components in a real registry: pushed, pulled, pinned, verified; and what is said where that fails.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::{
    binary::{Ran, folder, parshall, pipeline},
    components, http,
    server::{Server, check},
};

/// A folder with two versions of a component, a cache of its own, and a registry.
struct Here {
    folder: TempDir,
    server: Server,
}

impl Here {
    fn new(arguments: &[&str]) -> Option<Self> {
        let server = Server::start("docker-registry", arguments)?;
        let folder = folder();
        // What is compiled is the other tests' too; what is fetched is not.
        fs::copy(components::path("testing/double"), folder.path().join("one.wasm")).unwrap();
        fs::write(folder.path().join("two.wasm"), [fs::read(components::path("testing/double")).unwrap(), custom_section()].concat())
            .unwrap();
        Some(Here { folder, server })
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn name(&self, rest: &str) -> String {
        format!("oci://{}/{rest}", self.server.addr)
    }

    fn command(&self) -> Command {
        let mut command = parshall();
        command.current_dir(self.path()).env("PARSHALL_CACHE", self.path().join("cache")).env("DOCKER_CONFIG", self.path());
        // Where keys are named, what stands in for a standard stage is signed too; `plugins/build` signs nothing.
        command.env_remove("PARSHALL_DIST");
        command
    }

    fn run(&self, arguments: &[&str]) -> Ran {
        Ran(self.command().args(arguments).output().unwrap())
    }

    fn push(&self, file: &str, name: &str, more: &[&str]) -> Value {
        self.run(&[&["push", file, &self.name(name), "--json"], more].concat()).json()
    }

    /// A pipeline over this component, and what else the file has.
    fn pipeline(&self, component: &str, more: &str) {
        let text = format!(
            "{more}\n[extract.numbers]\ncomponent = \"std:generate\"\nconfig = {{ rows = 10, columns = {{ n = {{ kind = \"sequence\" }} }} }}\n\
             [transform.doubled]\ncomponent = \"{component}\"\ninputs = [\"numbers\"]\nconfig = {{ column = \"n\" }}\n\
             [load.out]\ncomponent = \"std:write\"\ninputs = [\"doubled\"]\nconfig = {{ to = \"out.csv\" }}\ngrants = {{ write = [\"out.csv\"] }}\n",
        );
        pipeline(&self.folder, &text);
    }

    fn lock(&self) -> String {
        fs::read_to_string(self.path().join("pipeline.lock")).unwrap_or_default()
    }

    /// What a tag means, as the registry itself says.
    fn manifest(&self, path: &str) -> Value {
        let accept = "Accept: application/vnd.oci.image.manifest.v1+json\r\n";
        let answer = http::request(&self.server.addr, "GET", &format!("/v2/{path}"), accept).unwrap();
        serde_json::from_str(&answer.body).unwrap_or_else(|error| panic!("{error}: {}", answer.body))
    }

    fn keys(&self, name: &str, algorithm: &[&str]) {
        keys(self.path(), name, algorithm);
    }
}

/// A pair of keys, made by OpenSSL.
fn keys(folder: &Path, name: &str, algorithm: &[&str]) {
    let openssl = |arguments: &[&str]| {
        let output = Command::new("openssl").current_dir(folder).args(arguments).output().expect("openssl");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    let (key, public) = (format!("{name}.key"), format!("{name}.pub"));
    openssl(&[&["genpkey", "-out", &key], algorithm].concat());
    openssl(&["pkey", "-in", &key, "-pubout", "-out", &public]);
}

const P256: [&str; 4] = ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"];
const ED: [&str; 2] = ["-algorithm", "ed25519"];

/// Whatever follows a component in a section of its own changes its digest and nothing else.
fn custom_section() -> Vec<u8> {
    vec![0, 4, 3, b'x', b'y', b'z']
}

/// Protects pipelines from running tomorrow what they did not run today: a tag is pinned when it is first met, and moves only when asked.
#[test]
fn a_tag_is_pinned_until_somebody_asks() {
    let Some(here) = Here::new(&[]) else { return };
    let one = here.push("one.wasm", "team/double:1", &[]);
    let again = here.push("one.wasm", "team/double:copy", &[]);
    assert_eq!(one["digest"], again["digest"], "the same component is the same manifest");
    let manifest = here.manifest("team/double/manifests/1");
    assert_eq!(manifest["config"]["mediaType"], "application/vnd.wasm.config.v0+json");
    assert_eq!(manifest["layers"][0]["mediaType"], "application/wasm");
    let config = here.manifest(&format!("team/double/blobs/{}", manifest["config"]["digest"].as_str().unwrap()));
    assert_eq!(config["component"]["exports"][0], "parshall:stage/transform@0.1.0");

    here.pipeline(&here.name("team/double:1"), "");
    let refused = here.run(&["check", "--locked", "pipeline.toml"]).fails(2);
    assert!(refused.contains("is not in") && refused.contains("pipeline.lock, and --locked leaves that file as it is"), "{refused}");
    assert!(refused.contains("`parshall pull FILE` pins it"), "{refused}");
    here.run(&["run", "pipeline.toml", "--report", "none"]).ok();
    assert!(here.lock().contains(one["digest"].as_str().unwrap()), "{}", here.lock());
    assert!(fs::read_to_string(here.path().join("out.csv")).unwrap().ends_with("\n18\n"));

    let two = here.push("two.wasm", "team/double:1", &[]);
    assert_ne!(one["digest"], two["digest"]);
    here.run(&["run", "--locked", "pipeline.toml", "--report", "none"]).ok();
    assert!(here.lock().contains(one["digest"].as_str().unwrap()), "the tag moved, the pin did not");
    let pulled = here.run(&["pull", "pipeline.toml", "--update"]).ok();
    assert!(pulled.contains(two["digest"].as_str().unwrap()), "{pulled}");
    assert!(here.lock().contains(two["digest"].as_str().unwrap()) && !here.lock().contains(one["digest"].as_str().unwrap()));

    // A digest needs no pin, and what the pipeline no longer names leaves the lock file.
    here.pipeline(one["name"].as_str().unwrap(), "");
    here.run(&["run", "--locked", "pipeline.toml", "--report", "none"]).ok();
    here.run(&["pull", "pipeline.toml"]).ok();
    assert!(!here.lock().contains("[[component]]"), "{}", here.lock());
}

/// Protects runs from a registry that is away: what was fetched once is here, and is checked.
#[test]
fn what_was_fetched_runs_without_the_registry() {
    let Some(here) = Here::new(&[]) else { return };
    let one = here.push("one.wasm", "double:1", &[]);
    here.pipeline(&here.name("double:1"), "");
    here.run(&["pull", "pipeline.toml"]).ok();
    let Here { folder, server } = here;
    let addr = server.addr.clone();
    drop(server);
    let run = |arguments: &[&str]| {
        let mut command = parshall();
        command.current_dir(folder.path()).env("PARSHALL_CACHE", folder.path().join("cache"));
        Ran(command.args(arguments).output().unwrap())
    };
    run(&["run", "--locked", "pipeline.toml", "--report", "none"]).ok();
    let away = run(&["pull", "pipeline.toml", "--update"]).fails(2);
    assert!(away.contains(&addr) && away.contains("refused"), "{away}");
    // A damaged file is not run, and cannot be fetched either.
    let blob = folder.path().join("cache/registry").join(one["digest"].as_str().unwrap().strip_prefix("sha256:").unwrap());
    fs::write(&blob, "damaged").unwrap();
    let damaged = run(&["run", "pipeline.toml"]).fails(2);
    assert!(damaged.contains("is damaged and is fetched anew"), "{damaged}");
}

/// Protects pipelines with [signatures] from whatever is not signed with one of their keys, in a registry or a file.
#[test]
fn only_what_is_signed_runs() {
    let Some(here) = Here::new(&[]) else { return };
    here.keys("mine", &P256);
    here.keys("theirs", &ED);
    here.push("one.wasm", "unsigned:1", &[]);
    let signed = here.push("two.wasm", "signed:1", &["--sign", "mine.key"]);
    assert_eq!(signed["signed"], true);
    let trust = |key: &str| format!("[signatures]\nkeys = [\"{key}.pub\"]\n");
    let check = || here.run(&["check", "pipeline.toml"]);

    here.pipeline(&here.name("unsigned:1"), &trust("mine"));
    let refused = check().fails(2);
    assert!(
        refused.contains("expected a component that is signed with a key of [signatures]")
            && refused.contains("is not signed, and the pipeline file has [signatures]"),
        "{refused}"
    );
    here.pipeline(&here.name("signed:1"), &trust("theirs"));
    let refused = check().fails(2);
    assert!(refused.contains("none of the 1 signatures of") && refused.contains("was made with a key of [signatures]"), "{refused}");
    here.pipeline(&here.name("signed:1"), &trust("mine"));
    check().ok();
    // A second signature stands beside the first.
    here.push("two.wasm", "signed:1", &["--sign", "theirs.key"]);
    here.pipeline(&here.name("signed:1"), &trust("theirs"));
    check().ok();

    // The signature is what OpenSSL, too, finds good.
    let digest = signed["digest"].as_str().unwrap();
    let manifest = here.manifest(&format!("signed/manifests/{}.sig", digest.replace(':', "-")));
    let layer = &manifest["layers"][0];
    let payload = here.manifest(&format!("signed/blobs/{}", layer["digest"].as_str().unwrap()));
    assert_eq!(payload["critical"]["image"]["docker-manifest-digest"], digest);
    fs::write(here.path().join("payload"), payload.to_string()).unwrap();
    fs::write(here.path().join("base64"), layer["annotations"]["dev.cosignproject.cosign/signature"].as_str().unwrap()).unwrap();
    let verify = "base64 -d base64 > der && openssl dgst -sha256 -verify mine.pub -signature der payload";
    assert!(Command::new("sh").current_dir(here.path()).args(["-c", verify]).status().unwrap().success());

    // A file is signed beside it.
    here.pipeline("one.wasm", &trust("mine"));
    let refused = check().fails(2);
    assert!(refused.contains("`one.wasm` is not signed") && refused.contains("one.wasm.sig"), "{refused}");
    here.run(&["sign", "one.wasm", "--key", "mine.key"]).ok();
    check().ok();
    fs::copy(here.path().join("two.wasm"), here.path().join("one.wasm")).unwrap();
    let refused = check().fails(2);
    assert!(refused.contains("was not made over it with a key of [signatures]"), "{refused}");

    here.pipeline("one.wasm", "[signatures]\nkeys = []\n");
    assert!(check().fails(2).contains("`[signatures]` names no key"));
    here.pipeline("one.wasm", &trust("nobody"));
    assert!(check().fails(2).contains("nobody.pub: it cannot be read"));
}

/// Protects pipelines with [signatures] from a folder that an environment variable names: only what is part of the program needs no signature.
#[test]
fn what_stands_in_for_a_standard_stage_is_signed_too() {
    let folder = folder();
    keys(folder.path(), "mine", &P256);
    fs::create_dir(folder.path().join("dist")).unwrap();
    for name in ["generate", "write"] {
        fs::copy(components::path(name), folder.path().join("dist").join(name).with_extension("wasm")).unwrap();
    }
    let text = "[signatures]\nkeys = [\"mine.pub\"]\n\
                [extract.numbers]\ncomponent = \"std:generate\"\nconfig = { rows = 1, columns = { n = { kind = \"sequence\" } } }\n\
                [load.out]\ncomponent = \"std:write\"\ninputs = [\"numbers\"]\nconfig = { to = \"out.csv\" }\n\
                grants = { write = [\"out.csv\"] }\n";
    pipeline(&folder, text);
    let here = |arguments: &[&str]| {
        let mut command = parshall();
        command.current_dir(folder.path()).env_remove("PARSHALL_DIST").args(arguments);
        command
    };
    let embedded = || Ran(here(&["check", "pipeline.toml"]).output().unwrap());
    let others = || Ran(here(&["check", "pipeline.toml"]).env("PARSHALL_DIST", "dist").output().unwrap());
    embedded().ok();
    let refused = others().fails(2);
    for name in ["generate", "write"] {
        assert!(refused.contains(&format!("`std:{name}` is not signed")) && refused.contains(&format!("{name}.wasm.sig")), "{refused}");
    }
    for name in ["generate", "write"] {
        Ran(here(&["sign", &format!("dist/{name}.wasm"), "--key", "mine.key"]).output().unwrap()).ok();
    }
    others().ok();
    fs::copy(components::path("filter"), folder.path().join("dist/write.wasm")).unwrap();
    assert!(others().fails(2).contains("the signature of `std:write`"));
}

/// Protects whoever meets a registry that wants to know them, knows nothing of what they ask, or holds something else.
#[test]
fn what_a_registry_refuses_is_said() {
    // The password is `secret`.
    let user = "somebody:$2b$05$abcdefghijklmnopqrstuuOQiyCxlgf/oeuTqixKmWdcYUh4Hjl0a";
    let Some(here) = Here::new(&["--user", user]) else { return };
    let name = here.name("double:1");
    let denied = here.run(&["push", "one.wasm", &name]).fails(1);
    assert!(denied.contains("refuses") && denied.contains("docker login"), "{denied}");
    // `c29tZWJvZHk6c2VjcmV0` is `somebody:secret`.
    let login = format!("{{\"auths\": {{\"{}\": {{\"auth\": \"c29tZWJvZHk6c2VjcmV0\"}}}}}}", here.server.addr);
    fs::write(here.path().join("config.json"), login).unwrap();
    here.push("one.wasm", "double:1", &[]);
    let inspected = here.run(&["inspect", &name]).ok();
    assert!(inspected.contains("Doubles an int64 column"), "{inspected}");

    let missing = here.run(&["inspect", &here.name("double:9")]).fails(2);
    assert!(missing.contains(&format!("there is no {} in this registry", here.name("double:9"))), "{missing}");
    for (written, why) in [
        (here.name("double"), "neither a tag nor a digest says which version is meant"),
        (here.name("Double:1"), "`Double` is no name of a repository"),
        ("oci://double:1".to_owned(), "no registry stands in front of the name"),
    ] {
        let told = here.run(&["inspect", &written]).fails(2);
        assert!(told.contains(why) && told.contains("oci://REGISTRY/NAME:TAG"), "{told}");
        here.pipeline(&written, "");
        let told = here.run(&["check", "pipeline.toml"]).fails(2);
        assert!(told.contains("pipeline.toml:6:") && told.contains(why), "{told}");
    }
    fs::write(here.path().join("text.wasm"), "text").unwrap();
    assert!(here.run(&["push", "text.wasm", &name]).fails(2).contains("text.wasm"));
    let large =
        Ran(here.command().args(["inspect", &name]).env("PARSHALL_CACHE", "off").env("PARSHALL_REGISTRY_BYTES", "1000").output().unwrap());
    assert!(large.fails(2).contains("the limit is 1000 (PARSHALL_REGISTRY_BYTES)"));
    let wrong =
        Ran(here.command().args(["inspect", &name]).env("PARSHALL_CACHE", "off").env("PARSHALL_REGISTRY_BYTES", "x").output().unwrap());
    assert!(wrong.fails(2).contains("PARSHALL_REGISTRY_BYTES=x: expected a whole number above 0"));
}

/// Protects the layout that other tools read: a client that is not ours finds the component.
#[test]
fn another_client_reads_what_was_pushed() {
    let Some(here) = Here::new(&[]) else { return };
    here.push("one.wasm", "double:1", &[]);
    const READ: &str = "import hashlib, json, sys, urllib.request as u\n\
        base = 'http://' + sys.argv[1] + '/v2/double/'\n\
        get = lambda path: u.urlopen(u.Request(base + path, headers={'Accept': 'application/vnd.oci.image.manifest.v1+json'})).read()\n\
        layer, = json.loads(get('manifests/1'))['layers']\n\
        blob = get('blobs/' + layer['digest'])\n\
        assert 'sha256:' + hashlib.sha256(blob).hexdigest() == layer['digest'] and len(blob) == layer['size']\n\
        assert blob[:8] == bytes([0, 97, 115, 109, 13, 0, 1, 0]), 'a component'\n";
    check("python", "bin/python", &["-c", READ, &here.server.addr], "");
}

/// Protects whoever builds against the contract with other tools: it is a package of WIT in a registry, where `wkg` looks for one.
#[test]
fn the_contract_is_a_package_that_other_tools_find() {
    let Some(here) = Here::new(&[]) else { return };
    let contract = here.run(&["inspect", "--wit"]).ok();
    fs::write(here.path().join("contract.wit"), &contract).unwrap();
    here.push("contract.wit", "parshall/stage:0.1.0", &[]);
    let manifest = here.manifest("parshall/stage/manifests/0.1.0");
    let [layer] = manifest["layers"].as_array().unwrap().as_slice() else { panic!("{manifest}") };
    assert_eq!(
        (&layer["mediaType"], &manifest["config"]["mediaType"]),
        (&"application/wasm".into(), &"application/vnd.wasm.config.v0+json".into())
    );
    let config = format!("/v2/parshall/stage/blobs/{}", manifest["config"]["digest"].as_str().unwrap());
    let config: Value = serde_json::from_str(&http::request(&here.server.addr, "GET", &config, "").unwrap().body).unwrap();
    let exports = config["component"]["exports"].as_array().unwrap();
    for name in ["parshall:stage/types@0.1.0", "parshall:stage/frames@0.1.0", "parshall:stage/transform@0.1.0"] {
        assert!(exports.contains(&name.into()), "{name} is not in {config}");
    }
    // In its binary form it is the same package; as a stage it is none.
    let package = parshall::project::Package::of_text("contract.wit", &contract).unwrap();
    fs::write(here.path().join("contract.wasm"), package.bytes).unwrap();
    here.push("contract.wasm", "parshall/again:0.1.0", &[]);
    assert_eq!(here.manifest("parshall/again/manifests/0.1.0")["layers"][0]["digest"], layer["digest"]);
    here.pipeline(&here.name("parshall/stage:0.1.0"), "");
    let err = here.run(&["check", "pipeline.toml"]).fails(2);
    assert!(err.contains("exports none of `extract`, `transform`, `load`"), "{err}");
    fs::write(here.path().join("wrong.wit"), "package a:b;\ninterface c { d: func(e: f); }\n").unwrap();
    let err = here.run(&["push", "wrong.wit", &here.name("a/b:1")]).fails(2);
    assert!(err.contains("`wrong.wit` is no package of WIT: ") && err.contains("name `f` does not exist"), "{err}");
}
