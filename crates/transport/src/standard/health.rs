//! `grpc.health.v1.Health`: whether services are served.

use std::collections::BTreeMap;

use super::wire::{Malformed, fields, put_bytes, put_int};

/// The service's full name.
pub(crate) const HEALTH: &str = "grpc.health.v1.Health";

/// What is told of a service.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(i32)]
pub enum ServingStatus {
    /// It is served.
    Serving = 1,
    /// It is not, for now.
    NotServing = 2,
    /// There is none of this name: Watch only.
    ServiceUnknown = 3,
}

/// The statuses of a server's services.
#[derive(Debug, Clone)]
pub struct Health(BTreeMap<String, ServingStatus>);

impl Health {
    /// All of these are served; so is the server as a whole, whose name is empty.
    pub fn of_services(services: impl IntoIterator<Item = String>) -> Self {
        let names = services.into_iter().chain([String::new()]);
        Self(names.map(|name| (name, ServingStatus::Serving)).collect())
    }

    /// Sets the status of a service, be it known or not.
    pub fn set(&mut self, service: &str, status: ServingStatus) {
        self.0.insert(service.to_owned(), status);
    }

    /// The status of a service, if it is known. A server that closes serves nothing.
    pub(crate) fn status(&self, service: &str, closing: bool) -> Option<ServingStatus> {
        self.0.get(service).map(|status| if closing { ServingStatus::NotServing } else { *status })
    }

    /// A `HealthListResponse`.
    pub(crate) fn list(&self, closing: bool) -> Vec<u8> {
        let mut list = Vec::new();
        for (service, status) in &self.0 {
            let mut entry = Vec::new();
            put_bytes(&mut entry, 1, service.as_bytes());
            put_bytes(&mut entry, 2, &response(if closing { ServingStatus::NotServing } else { *status }));
            put_bytes(&mut list, 1, &entry);
        }
        list
    }
}

/// The service a `HealthCheckRequest` asks for.
pub(crate) fn asked(request: &[u8]) -> Result<String, Malformed> {
    let mut service = String::new();
    for field in fields(request) {
        if let (1, name) = field? {
            service = name.text();
        }
    }
    Ok(service)
}

/// A `HealthCheckResponse`.
pub(crate) fn response(status: ServingStatus) -> Vec<u8> {
    let mut message = Vec::new();
    put_int(&mut message, 1, status as i32);
    message
}
