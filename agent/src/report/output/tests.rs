#![allow(clippy::unwrap_used)]

use std::io;

use serde_json::json;
use twinset_domain::code;

use super::*;

/// Keeps what is written.
#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Refuses every byte.
struct Full(ErrorKind);

impl Write for Full {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(self.0.into())
    }
}

/// What a command wrote on standard output and standard error, and how it ended.
fn told(json: bool, act: impl FnOnce(&Output) -> Exit) -> String {
    let (out, err) = (Kept::default(), Kept::default());
    let (o, e) = (Box::new(out.clone()), Box::new(err.clone()));
    let exit = act(&Output::with(json, Style::Silent, o, e));
    let text = |kept: Kept| String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
    let mut out = text(out);
    if json {
        assert_eq!(out.lines().count(), 1, "one object on one line");
        let value: serde_json::Value = serde_json::from_str(&out).unwrap();
        out = format!("{value:#}\n");
    }
    format!("{out}-- err\n{}-- exit {}", text(err), exit.code())
}

fn fault() -> Fault {
    Fault::new(
        code::WRONG_MEDIA_SET,
        "/b/f1",
        "the volume belongs to another media set",
    )
    .cause("header names \"HR\"")
    .remedy("put the volume of \"Payroll\" there")
}

#[test]
fn people_get_lines_and_programs_get_one_object() {
    let act = |output: &Output| {
        output.line("position 3, 2 families, 2 mirrors");
        output.warn("the differential base moves");
        output.finish(Ok((Exit::Degraded, json!({ "position": 3 }))))
    };
    insta::assert_snapshot!(told(false, act), @r#"
    position 3, 2 families, 2 mirrors
    -- err
    warning the differential base moves
    -- exit 3
    "#);
    insta::assert_snapshot!(told(true, act), @r#"
    {
      "code": 3,
      "result": {
        "position": 3
      }
    }
    -- err
    -- exit 3
    "#);
}

#[test]
fn a_fault_is_printed_with_cause_and_remedy() {
    let act = |output: &Output| output.finish::<()>(Err(fault()));
    insta::assert_snapshot!(told(false, act), @r#"
    -- err
    error 3258 /b/f1: the volume belongs to another media set
      cause: header names "HR"
      remedy: put the volume of "Payroll" there
    -- exit 1
    "#);
    insta::assert_snapshot!(told(true, act), @r#"
    {
      "code": 1,
      "error": {
        "causes": [
          "header names \"HR\""
        ],
        "code": "3258",
        "message": "the volume belongs to another media set",
        "object": "/b/f1",
        "remedy": "put the volume of \"Payroll\" there"
      }
    }
    -- err
    -- exit 1
    "#);
}

#[test]
fn of_several_faults_the_worst_decides_and_all_are_told() {
    let lost = Fault::new(
        code::LOST,
        "set 3",
        "chunk 7 of family 1 is lost on every mirror",
    );
    let act = |output: &Output| output.finish_faults(&[fault(), lost.clone()]);
    insta::assert_snapshot!(told(false, act), @r#"
    -- err
    error 3258 /b/f1: the volume belongs to another media set
      cause: header names "HR"
      remedy: put the volume of "Payroll" there
    error TW3004 set 3: chunk 7 of family 1 is lost on every mirror
    -- exit 4
    "#);
    insta::assert_snapshot!(told(true, act), @r#"
    {
      "code": 4,
      "error": {
        "causes": [],
        "code": "TW3004",
        "message": "chunk 7 of family 1 is lost on every mirror",
        "object": "set 3",
        "remedy": ""
      },
      "errors": [
        {
          "causes": [
            "header names \"HR\""
          ],
          "code": "3258",
          "message": "the volume belongs to another media set",
          "object": "/b/f1",
          "remedy": "put the volume of \"Payroll\" there"
        },
        {
          "causes": [],
          "code": "TW3004",
          "message": "chunk 7 of family 1 is lost on every mirror",
          "object": "set 3",
          "remedy": ""
        }
      ]
    }
    -- err
    -- exit 4
    "#);
}

#[test]
fn a_full_disk_under_standard_output_is_a_failure_and_a_closed_pipe_is_not() {
    for (kind, exit) in [
        (ErrorKind::StorageFull, Exit::Failed),
        (ErrorKind::BrokenPipe, Exit::Done),
    ] {
        let output = Output::with(
            true,
            Style::Silent,
            Box::new(Full(kind)),
            Box::new(Full(kind)),
        );
        output.line("x");
        assert_eq!(output.finish(Ok((Exit::Done, ()))), exit);
    }
}
