//! What the person reads: headings, commands with their output, checks and their number.

use std::io::{self, BufRead, BufReader};
use std::process::{Command, Stdio};

/// A finished command.
pub(super) struct Shown {
    /// Exit code, -1 after a signal.
    pub(super) code: i32,
    /// Its standard output.
    pub(super) out: String,
    /// What it wrote to standard error, where that was kept.
    pub(super) err: String,
}

impl Shown {
    /// All that it wrote.
    pub(super) fn all(&self) -> String {
        format!("{}{}", self.out, self.err)
    }
}

/// Counts what is checked.
pub(super) struct Show {
    step: u32,
    passed: u32,
    failed: u32,
}

impl Show {
    pub(super) const fn new() -> Self {
        Self {
            step: 0,
            passed: 0,
            failed: 0,
        }
    }

    /// The next step, with a line of explanation.
    pub(super) fn step(&mut self, title: &str, why: &str) {
        self.step += 1;
        println!("\n{}. {title}", self.step);
        println!("   {why}");
    }

    /// A line of text.
    pub(super) fn text(&self, text: &str) {
        println!("   {text}");
    }

    /// Something that must be so.
    pub(super) fn check(&mut self, what: &str, holds: bool) {
        if holds {
            self.passed += 1;
            println!("   [ok] {what}");
        } else {
            self.failed += 1;
            println!("   [FAILED] {what}");
        }
    }

    /// Runs a command as the person would: the line, its output as it comes. Progress goes to the
    /// person's own standard error: a bar on a terminal, plain lines elsewhere.
    pub(super) fn run(&self, line: &str, command: &mut Command) -> io::Result<Shown> {
        println!("   $ {line}");
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .spawn()?;
        let mut out = String::new();
        if let Some(pipe) = child.stdout.take() {
            for printed in BufReader::new(pipe).lines() {
                let printed = printed?;
                println!("     {printed}");
                out.push_str(&printed);
                out.push('\n');
            }
        }
        let code = child.wait()?.code().unwrap_or(-1);
        println!("     (exit code {code})");
        Ok(Shown {
            code,
            out,
            err: String::new(),
        })
    }

    /// The same on one of two hosts, without progress: what it has to say against it is shown too.
    pub(super) fn run_on(
        &self,
        host: &str,
        line: &str,
        command: &mut Command,
    ) -> io::Result<Shown> {
        println!("   {host}$ {line}");
        let ran = command.stdin(Stdio::null()).arg("--no-progress").output()?;
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (out, err) = (text(&ran.stdout), text(&ran.stderr));
        for printed in out.lines().chain(err.lines()) {
            println!("     {printed}");
        }
        let code = ran.status.code().unwrap_or(-1);
        println!("     (exit code {code})");
        Ok(Shown { code, out, err })
    }

    /// Prints the number of checks.
    ///
    /// # Errors
    /// One of them failed, or there was none.
    pub(super) fn finish(self) -> io::Result<()> {
        println!(
            "\ndemo: {} checks passed, {} failed",
            self.passed, self.failed
        );
        if self.failed == 0 && self.passed > 0 {
            Ok(())
        } else {
            Err(io::Error::other("the demonstration failed"))
        }
    }
}
