//! Does it hold for long? Programs that disturb what they look at all the time, before real servers.

use std::process::Command;

use crate::project::Project;

/// A program that finds out. It reads `ADMIN_PYTHON`, and prints what it found.
pub(crate) struct Soak {
    /// The step of the gate.
    pub(crate) name: &'static str,
    package: &'static str,
    example: &'static str,
    seconds: &'static str,
}

/// In this sequence; the long one comes last of all steps, so that nothing else keeps the machine from answering in time.
pub(crate) const ALL: [Soak; 2] = [
    // A gateway that is cut off and signed in anew.
    Soak { name: "soak", package: "console-gateway", example: "soak", seconds: "300" },
    // A whole workspace whose token ends every few seconds, for an hour.
    Soak { name: "session soak", package: "console-workspace", example: "session_soak", seconds: "3600" },
];

impl Soak {
    /// Builds and starts it. Without optimisations, as the tests are: it measures nothing that they would change.
    pub(crate) fn run(&self, project: &Project) -> Command {
        let mut command = project.cargo();
        command.args(["run", "--package", self.package, "--example", self.example]);
        command
    }

    /// What follows cargo's own options.
    pub(crate) fn options(&self) -> [&'static str; 3] {
        ["--", "--seconds", self.seconds]
    }
}
