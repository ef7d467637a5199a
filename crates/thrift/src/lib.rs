//! Thrift without sockets: programs compiled from a schema, codecs and framings
