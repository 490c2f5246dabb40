//! Entry point.
fn main() { asyncmq_console::run(); }
