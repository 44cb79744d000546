use super::*;

fn framed(messages: &[u8]) -> Vec<u8> {
    let padding = messages.len().wrapping_neg() % 4;
    let mut file = BEGIN.to_vec();
    file.extend(messages);
    file.extend(vec![0; padding]);
    file.extend([0x1b, 0x1b, 0x1b, 0x1b, 0x1a, padding as u8]);
    let crc = crc_x25(&file);
    file.extend(crc.to_le_bytes());
    file
}

/// A message around a body, which is a list of choice and content.
fn message(body: &[u8]) -> Vec<u8> {
    let mut bytes = vec![0x76, 0x02, 0x01, 0x62, 0x00, 0x62, 0x00];
    bytes.extend(body);
    let crc = crc_x25(&bytes).swap_bytes().to_be_bytes();
    bytes.extend([0x63, crc[0], crc[1], 0x00]);
    bytes
}

/// A list of values with the entries given.
fn list_of(entries: &[u8], count: u8) -> Vec<u8> {
    let mut body = vec![
        0x72, 0x63, 0x07, 0x01, 0x77, 0x01, 0x02, 0xaa, 0x02, 0xbb, 0x01,
    ];
    body.push(0x70 | count);
    body.extend(entries);
    body.extend([0x03, 0xcc, 0xdd, 0x01]);
    message(&body)
}

fn fault_of(messages: &[u8]) -> String {
    list_response(messages).unwrap_err().to_string()
}

#[test]
fn the_checksum_is_crc_16_x_25() {
    // The check value of the catalogue of parametrised CRC algorithms.
    assert_eq!(crc_x25(b"123456789"), 0x906e);
}

#[test]
fn a_frame_gives_back_what_is_in_it() {
    let inner = [0x76, 1, 2, 3, 4];
    assert_eq!(messages_of(&framed(&inner)).unwrap(), inner);
    // A run of escape bytes is doubled on the way, and is one again here.
    let doubled = [&[7][..], &ESCAPE, &ESCAPE, &[8]].concat();
    let single = [&[7][..], &ESCAPE, &[8]].concat();
    let read = messages_of(&framed(&doubled)).unwrap();
    assert_eq!(read, single);
}

#[test]
fn a_broken_frame_is_a_named_fault() {
    let good = framed(&list_of(&[], 0));
    let fault = |file: &[u8]| messages_of(file).unwrap_err().to_string();
    assert_eq!(
        fault(&good[1..]),
        "SML: does not begin with 1b1b1b1b01010101"
    );
    assert_eq!(fault(&good[..8]), "SML: does not end with 1b1b1b1b1a");
    for at in 8..good.len() - 8 {
        let mut changed = good.clone();
        changed[at] ^= 1;
        assert!(messages_of(&changed).is_err(), "octet {at}");
    }
    let longer = [&good[..], &[0]].concat();
    assert_eq!(fault(&longer), "SML: bytes after the end of SML");
    let mut padded = framed(&[1, 2, 3]);
    padded[11] = 9;
    let end = padded.len() - 2;
    let crc = crc_x25(&padded[..end]).to_le_bytes();
    padded[end..].copy_from_slice(&crc);
    assert_eq!(fault(&padded), "SML: padding is not 0 to 3 zero bytes");
}

#[test]
fn one_list_of_values_is_read_and_two_are_refused() {
    let one = list_of(&[], 0);
    let list = list_response(&one).unwrap();
    assert_eq!(
        (list.server, list.name, list.signature),
        (&[0xaa][..], &[0xbb][..], &[0xcc, 0xdd][..])
    );
    assert_eq!(
        fault_of(&[one.clone(), one].concat()),
        "SML: holds two lists of values"
    );
    assert_eq!(fault_of(&[]), "SML: holds no list of values");
    let other = message(&[0x72, 0x63, 0x02, 0x01, 0x01]);
    assert_eq!(fault_of(&other), "SML: holds no list of values");
}

#[test]
fn every_limit_is_a_named_fault() {
    let deep = [vec![0x71; 64], vec![0x01]].concat();
    assert_eq!(fault_of(&deep), "SML: more than 8 lists within lists");
    let wide = [vec![0xf4, 0x01], vec![0x01; 65]].concat();
    assert_eq!(fault_of(&wide), "SML: more than 64 list elements");
    let many = message(&[0x72, 0x63, 0x02, 0x01, 0x01]).repeat(17);
    assert_eq!(fault_of(&many), "SML: more than 16 messages");
    let long = [0x8f, 0x8f, 0x8f, 0x8f, 0x8f, 0x0f];
    assert_eq!(
        fault_of(&long),
        "SML: length is not 1 to 4 bytes of one type"
    );
}

#[test]
fn fields_are_cut_typed_and_signed() {
    for (bytes, fault) in [
        (&[0x65, 0x01][..], "SML: field is cut off"),
        (&[0x80, 0x00], "SML: field is shorter than its head"),
        (
            &[0x6a, 0, 0, 0, 0, 0, 0, 0, 0, 1],
            "SML: field of an unknown type or width",
        ),
        (&[0x61], "SML: field of an unknown type or width"),
        (&[0x22, 0x00], "SML: field of an unknown type or width"),
        (
            &[0x43, 0x00, 0x00],
            "SML: field of an unknown type or width",
        ),
        (&[0x76], "SML: field is cut off"),
    ] {
        assert_eq!(fault_of(bytes), fault, "{bytes:02x?}");
    }
    let read = |bytes: &'static [u8]| take_field(bytes, 0).unwrap().0;
    assert_eq!(read(&[0x52, 0xff]), Field::Signed(-1));
    assert_eq!(read(&[0x56, 0x80, 0, 0, 0, 0]), Field::Signed(-(1 << 39)));
    assert_eq!(read(&[0x62, 0xff]), Field::Unsigned(255));
    assert_eq!(read(&[0x42, 0x01]), Field::Bool(true));
    let long = [&[0x81, 0x03][..], &[9; 17]].concat();
    assert_eq!(
        take_field(&long, 0).unwrap(),
        (Field::Octets(&[9; 17]), &[][..])
    );
}
