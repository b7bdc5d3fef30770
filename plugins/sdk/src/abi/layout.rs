//! Sizes and alignments that the canonical ABI gives the contract's types, worked out by hand from its rules
//! (component-model, `design/mvp/CanonicalABI.md`, "Element Size"). A compiler that disagrees does not get to build.

#[cfg(target_arch = "wasm32")]
const _: () = {
    use super::*;

    const fn is<T>(size: usize, alignment: usize) -> bool {
        size_of::<T>() == size && align_of::<T>() == alignment
    }

    assert!(is::<Text>(8, 4));
    assert!(is::<Field>(32, 4));
    assert!(is::<Schema>(16, 4));
    assert!(is::<Node>(24, 8));
    assert!(is::<Arrays>(16, 4));
    assert!(is::<Rows>(16, 8));
    assert!(is::<Column>(8, 4));
    assert!(is::<Columns>(12, 4));
    assert!(is::<Output>(56, 8));
    assert!(is::<Rejection>(12, 4));
    assert!(is::<Answer>(16, 4));
    assert!(is::<Port>(24, 4));
    assert!(is::<ConfigError>(36, 4));
    assert!(is::<SchemaError>(20, 4));
    assert!(is::<StageError>(40, 4));
    assert!(is::<Description>(44, 4));
    assert!(is::<FrameError>(16, 8));
    assert!(is::<TableError>(12, 4));
    assert!(is::<Values>(32, 8));
    assert!(is::<Extracted>(48, 8));
    assert!(is::<Receipt>(16, 8));
    assert!(is::<Attribute>(24, 8));
    assert!(is::<SpanContext>(20, 4));
    assert!(is::<Outcome<Arrays, FrameError>>(24, 8));
    assert!(is::<Outcome<Maybe<u32>, TableError>>(16, 4));
    assert!(is::<Outcome<Maybe<Extracted>, StageError>>(64, 8));
};
