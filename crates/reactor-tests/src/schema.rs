//! The service that the tests call.

use volo_js_schema::{Field, File, Method, Requiredness, Schema, Service, Struct, StructKind, Type};

/// Index of `Echo` in the schema.
pub const ECHO: u32 = 0;
/// Index of `Tell` in the schema.
pub const TELL: u32 = 1;

/// `service Echo { string Echo(1: required string text), oneway void Tell(1: string text) }`
pub fn schema() -> Schema {
    let field = |id, name: &str, requiredness| Field { requiredness, ..Field::new(id, name, Type::String) };
    let structure = |name: &str, kind, fields| Struct {
        name: name.into(),
        file: 0,
        kind,
        fields,
        keep_unknown: false,
        oneofs: vec![],
        annotations: Default::default(),
        doc: String::new(),
    };
    let method = |name: &str, oneway, args, result| Method {
        name: name.into(),
        service: 0,
        oneway,
        client_streaming: false,
        server_streaming: false,
        args,
        result,
        annotations: Default::default(),
        doc: String::new(),
    };
    Schema {
        structs: vec![
            structure("Echo.Echo_args", StructKind::Args, vec![field(1, "text", Requiredness::Required)]),
            structure("Echo.Echo_result", StructKind::Result, vec![field(0, "success", Requiredness::Optional)]),
            structure("Echo.Tell_args", StructKind::Args, vec![field(1, "text", Requiredness::Default)]),
        ],
        methods: vec![method("Echo", false, 0, Some(1)), method("Tell", true, 2, None)],
        services: vec![Service {
            name: "Echo".into(),
            file: 0,
            extends: None,
            methods: vec![0, 1],
            annotations: Default::default(),
            doc: String::new(),
        }],
        ..Schema::default()
    }
}

/// `message Text { string text = 1; }  service Echo { rpc Echo(Text) returns (Text); }`
pub fn grpc_schema() -> Schema {
    Schema {
        files: vec![File { path: "test.proto".into(), root: true, ..File::default() }],
        structs: vec![Struct {
            name: "test.Text".into(),
            file: 0,
            kind: StructKind::Message,
            fields: vec![Field::new(1, "text", Type::String)],
            keep_unknown: false,
            oneofs: vec![],
            annotations: Default::default(),
            doc: String::new(),
        }],
        methods: vec![Method {
            name: "Echo".into(),
            service: 0,
            oneway: false,
            client_streaming: false,
            server_streaming: false,
            args: 0,
            result: Some(0),
            annotations: Default::default(),
            doc: String::new(),
        }],
        services: vec![Service {
            name: "test.Echo".into(),
            file: 0,
            extends: None,
            methods: vec![0],
            annotations: Default::default(),
            doc: String::new(),
        }],
        ..Schema::default()
    }
}
