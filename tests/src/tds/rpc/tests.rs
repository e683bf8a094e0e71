#![allow(clippy::unwrap_used, clippy::panic)]

use super::*;
use crate::tds::bytes::put_b_varchar;
use proptest::prelude::*;

fn headers() -> Vec<u8> {
    let mut out = 22_u32.to_le_bytes().to_vec();
    out.extend(18_u32.to_le_bytes());
    out.extend(2_u16.to_le_bytes());
    out.extend([0; 12]);
    out
}

fn call(parameters: &[(&str, SqlType, Value)]) -> Vec<u8> {
    let mut out = headers();
    out.extend(0xFFFF_u16.to_le_bytes());
    out.extend(10_u16.to_le_bytes());
    out.extend(0_u16.to_le_bytes());
    for (name, kind, value) in parameters {
        put_b_varchar(&mut out, name);
        out.push(0);
        kind.put_info(&mut out);
        kind.put_value(value, &mut out);
    }
    out
}

#[test]
fn a_call_by_number_with_parameters() {
    let text = Value::Text("SELECT @P1".into());
    let body = call(&[
        ("stmt", SqlType::NVarChar(100), text.clone()),
        ("@P1", SqlType::BigInt, Value::Int(5)),
    ]);
    let call = parse(&body).unwrap();
    assert_eq!(call.procedure, Procedure::Number(10));
    assert_eq!(call.parameters[0].value, text);
    assert_eq!(
        (call.parameters[1].name.as_str(), &call.parameters[1].value),
        ("@P1", &Value::Int(5))
    );
}

proptest! {
    #[test]
    fn rubbish_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let _ = parse(&bytes);
        let _ = batch_text(&bytes);
        let _ = crate::tds::prelogin::Prelogin::parse(&bytes);
        let _ = crate::tds::login::Login::parse(&bytes);
    }

    #[test]
    fn altered_calls_never_panic(at in 0_usize..200, with in any::<u8>(), cut in 0_usize..200) {
        let mut body = call(&[
            ("@a", SqlType::NVarCharMax, Value::Text("abc".into())),
            ("@b", SqlType::Numeric(25, 0), Value::Numeric(7)),
            ("@c", SqlType::DateTime2(7), Value::Null),
        ]);
        let at = at % body.len();
        body[at] = with;
        let cut = cut.min(body.len());
        let _ = parse(&body);
        let _ = parse(&body[..cut]);
    }
}
