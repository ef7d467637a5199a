//! Descriptor sets of any bytes: what is read is a sound schema, which goes through JSON unchanged.

#![no_main]

use libfuzzer_sys::fuzz_target;
use volo_js_schema::{Schema, load_descriptor_set};

fuzz_target!(|data: &[u8]| {
    let Ok(schema) = load_descriptor_set(data) else { return };
    schema.validate().expect("a sound schema");
    let json = schema.to_json();
    let again = Schema::from_json(&json).expect("its own JSON");
    assert_eq!(again.to_json(), json);
});
