//! A small and bounded reading of XML: elements, attributes, text.
//!
//! There is no document type, no entity but the five of XML and characters by number, no name space
//! and no external anything; each is refused by name. Text is that of XML 1.0: line ends are one
//! newline, references are resolved, sections of character data taken as they stand.
//!
//! # Source
//! W3C, "Extensible Markup Language (XML) 1.0", fifth edition, sections 2.11, 3.3 and 4.

use std::borrow::Cow;

use quick_xml::Reader;
use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesDecl, BytesRef, BytesStart, Event};

use crate::FormatFault;

/// Elements within elements.
pub const XML_DEPTH_MAX: usize = 8;

/// Elements of one document.
pub const XML_ELEMENTS_MAX: usize = 16_384;

/// Attributes of one element.
pub const XML_ATTRIBUTES_MAX: usize = 16;

/// One element; its text is that of all its pieces, its children apart.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Element {
    pub(super) name: String,
    pub(super) attributes: Vec<(String, String)>,
    pub(super) children: Vec<Element>,
    pub(super) text: String,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    /// Finds the child of a name, of which there may be one.
    pub(super) fn child(&self, name: &'static str) -> Result<Option<&Self>, FormatFault> {
        let mut named = self.children.iter().filter(|child| child.name == name);
        let found = named.next();
        match named.next() {
            None => Ok(found),
            Some(_) => Err(FormatFault::Repeated { field: name }),
        }
    }
}

fn fault(what: impl std::fmt::Display) -> FormatFault {
    FormatFault::structure("XML", what)
}

fn beyond(limit: usize, what: &str) -> FormatFault {
    fault(format_args!("more than {limit} {what}"))
}

/// Reads a document into its root element.
pub(super) fn document(bytes: &[u8]) -> Result<Element, FormatFault> {
    let text = decoded(bytes)?;
    let mut reader = Reader::from_str(&text);
    reader.config_mut().check_comments = true;
    // The document itself is the lowest element of the stack.
    let mut open = vec![Element::default()];
    let mut count = 0;
    loop {
        match reader.read_event().map_err(fault)? {
            Event::Start(start) => {
                count += 1;
                open.push(begun(&start, open.len(), count)?);
            }
            Event::Empty(start) => {
                count += 1;
                let element = begun(&start, open.len(), count)?;
                top(&mut open)?.children.push(element);
            }
            Event::End(_) => {
                let element = open.pop().ok_or_else(|| fault("an end without a start"))?;
                top(&mut open)?.children.push(element);
            }
            Event::Text(text) => {
                let text = text.xml10_content().map_err(fault)?;
                top(&mut open)?.text.push_str(&text);
            }
            Event::CData(data) => {
                let data = data.xml10_content().map_err(fault)?;
                top(&mut open)?.text.push_str(&data);
            }
            Event::GeneralRef(name) => top(&mut open)?.text.push(referred(&name)?),
            Event::DocType(_) => return Err(fault("a document type is refused")),
            // A declaration anywhere but in front is an error of the reader's.
            Event::Decl(_) | Event::Comment(_) | Event::PI(_) => {}
            Event::Eof => break,
        }
    }
    let rooted = open.pop().filter(|_| open.is_empty());
    let document = rooted.ok_or_else(|| fault("an element is not ended"))?;
    if !document.text.trim_ascii().is_empty() {
        return Err(fault("text outside of the root element"));
    }
    let [root]: [Element; 1] = document
        .children
        .try_into()
        .map_err(|_| fault("not one root element"))?;
    Ok(root)
}

fn top(open: &mut [Element]) -> Result<&mut Element, FormatFault> {
    open.last_mut()
        .ok_or_else(|| fault("an end without a start"))
}

fn begun(start: &BytesStart<'_>, depth: usize, count: usize) -> Result<Element, FormatFault> {
    if depth > XML_DEPTH_MAX {
        return Err(beyond(XML_DEPTH_MAX, "elements within elements"));
    }
    if count > XML_ELEMENTS_MAX {
        return Err(beyond(XML_ELEMENTS_MAX, "elements"));
    }
    let name = |name: &[u8]| String::from_utf8(name.to_vec()).map_err(fault);
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(fault)?;
        if attributes.len() == XML_ATTRIBUTES_MAX {
            return Err(beyond(XML_ATTRIBUTES_MAX, "attributes"));
        }
        let value = attribute.normalized_value(quick_xml::XmlVersion::Explicit1_0);
        let value = value.map_err(fault)?.into_owned();
        attributes.push((name(attribute.key.as_ref())?, value));
    }
    Ok(Element {
        name: name(start.name().as_ref())?,
        attributes,
        ..Element::default()
    })
}

fn referred(reference: &BytesRef<'_>) -> Result<char, FormatFault> {
    if let Some(character) = reference.resolve_char_ref().map_err(fault)? {
        let allowed = matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}')
            || matches!(character, '\u{e000}'..='\u{fffd}' | '\u{10000}'..);
        return allowed
            .then_some(character)
            .ok_or_else(|| fault("a reference to no character of XML"));
    }
    let name = reference.decode().map_err(fault)?;
    let character = resolve_predefined_entity(&name).and_then(|text| text.chars().next());
    character.ok_or_else(|| fault(format_args!("entity {name:?} is refused")))
}

/// Takes a byte order mark away and reads the encoding that the document declares.
///
/// ISO-8859-1 becomes UTF-8, which is what the records inside were signed in.
fn decoded(bytes: &[u8]) -> Result<Cow<'_, str>, FormatFault> {
    let (marked, bytes) = match bytes.strip_prefix(b"\xef\xbb\xbf") {
        Some(bytes) => (true, bytes),
        None => (false, bytes),
    };
    let declared = match Reader::from_reader(bytes).read_event() {
        Ok(Event::Decl(declaration)) => declared_encoding(&declaration)?,
        _ => None,
    };
    let encoding = declared.map(|name| name.to_ascii_uppercase());
    match encoding.as_deref() {
        None | Some("UTF-8" | "US-ASCII") => {
            let text = std::str::from_utf8(bytes).map_err(fault)?;
            Ok(Cow::Borrowed(text))
        }
        // Its characters are the first 256 of Unicode.
        Some("ISO-8859-1") if !marked => {
            Ok(Cow::Owned(bytes.iter().copied().map(char::from).collect()))
        }
        Some(other) => {
            let expected = "UTF-8, US-ASCII, or ISO-8859-1 without a byte order mark";
            Err(FormatFault::value("encoding", other, expected))
        }
    }
}

fn declared_encoding(declaration: &BytesDecl<'_>) -> Result<Option<String>, FormatFault> {
    let version = declaration.version().map_err(fault)?;
    if !matches!(version.as_ref(), b"1.0" | b"1.1") {
        let found = String::from_utf8_lossy(&version).into_owned();
        return Err(FormatFault::value("version", found, "1.0 or 1.1"));
    }
    let encoding = declaration.encoding().transpose().map_err(fault)?;
    Ok(encoding.map(|name| String::from_utf8_lossy(&name).into_owned()))
}
