//! The doctor with real admins, a real provider, nginx, proxies and certificates: each step that can fail fails here once,
//! and is well once.

#[path = "doctor/bed.rs"]
mod bed;
#[path = "doctor/credentials.rs"]
mod credentials;
#[path = "doctor/dashboards.rs"]
mod dashboards;
#[path = "doctor/secrecy.rs"]
mod secrecy;
#[path = "doctor/stored.rs"]
mod stored;
#[path = "doctor/ways.rs"]
mod ways;
