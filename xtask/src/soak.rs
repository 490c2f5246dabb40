//! Does it hold for minutes? The gateway before a real admin that is cut off and signed in anew all the time.

use std::process::Command;

use crate::project::Project;

/// What follows cargo's own options: five minutes.
pub(crate) const OPTIONS: [&str; 3] = ["--", "--seconds", "300"];

/// Builds and starts the program that finds out (crates/console-gateway/examples/soak); it reads `ADMIN_PYTHON`. Without
/// optimisations, as the tests are: it measures nothing that they would change.
pub(crate) fn run(project: &Project) -> Command {
    let mut command = project.cargo();
    command.args(["run", "--package", "console-gateway", "--example", "soak"]);
    command
}
