//! XML files that want more than to be read.

#![allow(clippy::unwrap_used, reason = "what is wrong here fails the test")]

use gridrig_metering::{Enclosed, enclosed_in_xml};

fn values(file: &[u8]) -> Vec<Enclosed<'static>> {
    let values = enclosed_in_xml(file).unwrap();
    values.into_iter().map(Result::unwrap).collect()
}

fn refused(file: &[u8]) -> String {
    enclosed_in_xml(file).unwrap_err().to_string()
}

/// The fault of the one value of a file that can be read.
fn value_refused(value: &str) -> String {
    let file = format!("<values>{value}</values>");
    let mut values = enclosed_in_xml(file.as_bytes()).unwrap();
    assert_eq!(values.len(), 1);
    values.remove(0).unwrap_err().to_string()
}

fn in_values(content: &str) -> String {
    format!("<values><value><signedData>{content}</signedData></value></values>")
}

#[test]
fn document_types_and_entities_are_refused_by_name() {
    let laughs = "<!DOCTYPE l [<!ENTITY a \"ha\"><!ENTITY b \"&a;&a;&a;&a;\">]>".to_owned()
        + &in_values("&b;");
    let outside =
        "<!DOCTYPE v [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>".to_owned() + &in_values("&x;");
    let parameter = "<!DOCTYPE v [<!ENTITY % p SYSTEM \"http://127.0.0.1/p\"> %p;]>".to_owned()
        + &in_values("a");
    for file in [
        laughs,
        outside,
        parameter,
        "<!DOCTYPE values><values/>".to_owned(),
    ] {
        assert_eq!(refused(file.as_bytes()), "XML: a document type is refused");
    }
    let entity = refused(in_values("&x;").as_bytes());
    assert_eq!(entity, "XML: entity \"x\" is refused");
    for reference in [
        "&#0;",
        "&#x1f;",
        "&#xd800;",
        "&#x110000;",
        "&#;",
        "&lt",
        "&",
    ] {
        assert!(
            refused(in_values(reference).as_bytes()).starts_with("XML: "),
            "{reference}"
        );
    }
}

#[test]
fn every_limit_is_a_named_error() {
    let deep = "<a>".repeat(9) + &"</a>".repeat(9);
    assert_eq!(
        refused(deep.as_bytes()),
        "XML: more than 8 elements within elements"
    );
    let endless = "<a>".repeat(1 << 20);
    assert_eq!(
        refused(endless.as_bytes()),
        "XML: more than 8 elements within elements"
    );
    let many = format!("<values>{}</values>", "<a/>".repeat(16_384));
    assert_eq!(refused(many.as_bytes()), "XML: more than 16384 elements");
    let values = format!("<values>{}</values>", "<value/>".repeat(4_097));
    assert_eq!(refused(values.as_bytes()), "values: more than 4096 values");
    let attributes: String = (0..17).map(|n| format!(" a{n}=\"\"")).collect();
    let attributes = format!("<values{attributes}/>");
    assert_eq!(
        refused(attributes.as_bytes()),
        "XML: more than 16 attributes"
    );
    let long = in_values(&"x".repeat(4 << 20));
    let found = refused(long.as_bytes());
    assert!(
        found.ends_with("bytes are more than the 4194304 of a record"),
        "{found}"
    );
}

#[test]
fn what_is_not_well_formed_is_refused() {
    for file in [
        "",
        "OCMF|{}|{}",
        "<values>",
        "<values></value>",
        "<values/><values/>",
        "<values/>and",
        "<values><value a=\"1\" a=\"2\"/></values>",
        "<values><value a=1/></values>",
        "<values>&amp;</values>",
        "<other/>",
    ] {
        assert!(enclosed_in_xml(file.as_bytes()).is_err(), "{file:?}");
    }
    assert!(enclosed_in_xml(b"<values>\xff</values>").is_err());
    assert!(enclosed_in_xml(b"\xfe\xff\0<\0v\0/\0>").is_err());
}

#[test]
fn a_bad_value_leaves_the_others_alone() {
    let file = "<values><value><signedData>a</signedData></value><value/><value><signedData>b\
                </signedData></value></values>";
    let values = enclosed_in_xml(file.as_bytes()).unwrap();
    let read: Vec<bool> = values.iter().map(Result::is_ok).collect();
    assert_eq!(read, [true, false, true]);
    for (value, fault) in [
        ("<value/>", "field signedData is missing"),
        (
            "<value><signedData/></value>",
            "field signedData is missing",
        ),
        (
            "<value><signedData>a</signedData><signedData>b</signedData></value>",
            "signedData is given more than once",
        ),
        (
            "<value><signedData><b>a</b></signedData></value>",
            "signedData: elements beside its text",
        ),
        (
            "<value><signedData format=\"${jndi:ldap://127.0.0.1/a}\">a</signedData></value>",
            "field format: \"${jndi:ldap://127.0.0.1/a}\" is not the name of a format that is read",
        ),
        (
            "<value><signedData encoding=\"rot13\">a</signedData></value>",
            "field encoding: \"rot13\" is not plain, hex, base64 or base32",
        ),
        ("<val/>", "field element: \"val\" is not value"),
    ] {
        assert_eq!(value_refused(value), fault);
    }
}

#[test]
fn the_bytes_of_a_record_are_those_of_its_characters() {
    let latin = b"<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><values><value><signedData>\
                  Z\xe4hler</signedData></value></values>";
    assert_eq!(*values(latin)[0].record, *"Z\u{e4}hler".as_bytes());
    let marked =
        "\u{feff}<?xml version=\"1.0\" encoding=\"utf-8\"?>".to_owned() + &in_values("Z\u{e4}hler");
    assert_eq!(
        *values(marked.as_bytes())[0].record,
        *"Z\u{e4}hler".as_bytes()
    );
    for (content, record) in [
        ("\r\n  OCMF|{}|{}\t\n", "OCMF|{}|{}"),
        ("a\r\nb\rc", "a\nb\nc"),
        ("<![CDATA[&lt;]]>&lt;&#x41;&#66;", "&lt;<AB"),
        ("a<!-- b -->c", "ac"),
    ] {
        assert_eq!(
            *values(in_values(content).as_bytes())[0].record,
            *record.as_bytes()
        );
    }
    let mixed = b"\xef\xbb\xbf<?xml version=\"1.0\" encoding=\"ISO-8859-1\"?><values/>";
    assert!(enclosed_in_xml(mixed).is_err(), "two encodings at once");
    assert!(enclosed_in_xml(b"<?xml version=\"1.0\" encoding=\"UTF-7\"?><values/>").is_err());
}

#[test]
fn a_key_informs_however_it_is_written_and_never_fails_a_value() {
    for (key, read) in [
        ("0d4DBF", Some(vec![0x0d, 0x4d, 0xbf])),
        (" 0D 4D\nBF ", Some(vec![0x0d, 0x4d, 0xbf])),
        ("DU2/", Some(vec![0x0d, 0x4d, 0xbf])),
        ("${jndi:ldap://127.0.0.1/a}", None),
        ("", None),
    ] {
        let file = format!(
            "<values><value><signedData>a</signedData><publicKey encoding=\"plain\">{key}\
             </publicKey></value></values>"
        );
        assert_eq!(values(file.as_bytes())[0].informed_key, read, "{key}");
    }
}
