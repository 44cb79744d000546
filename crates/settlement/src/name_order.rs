//! The order of many names, without comparing most of them.

/// Returns the places of `count` names in the order of the names, equal ones in the order of their
/// places.
///
/// Names of one settlement begin alike and differ soon after: what they share is left out, and the
/// sixteen bytes that follow are compared as one number. Only where these are equal are the names
/// themselves looked at.
pub(crate) fn places_in_order<'a>(count: usize, name: impl Fn(usize) -> &'a str) -> Vec<u32> {
    let shared = shared_prefix(count, &name);
    // Counts are bounded far below 32 bits by who calls.
    let mut keyed: Vec<(u128, u32)> = (0..count)
        .map(|place| (leading(&name(place).as_bytes()[shared..]), place as u32))
        .collect();
    keyed.sort_unstable_by(|(key, place), (other_key, other)| {
        let by_name = || name(*place as usize).cmp(name(*other as usize));
        let by_key = key.cmp(other_key);
        by_key.then_with(by_name).then_with(|| place.cmp(other))
    });
    keyed.into_iter().map(|(_, place)| place).collect()
}

/// Returns how many bytes all names begin with alike.
fn shared_prefix<'a>(count: usize, name: &impl Fn(usize) -> &'a str) -> usize {
    let Some(first) = (count > 0).then(|| name(0).as_bytes()) else {
        return 0;
    };
    (1..count).fold(first.len(), |shared, place| {
        let alike = first[..shared].iter().zip(name(place).as_bytes());
        alike.take_while(|(one, other)| one == other).count()
    })
}

/// Reads the first sixteen bytes as one number, missing ones as zero.
fn leading(bytes: &[u8]) -> u128 {
    let mut leading = [0; 16];
    let length = bytes.len().min(leading.len());
    leading[..length].copy_from_slice(&bytes[..length]);
    u128::from_be_bytes(leading)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_follow_the_order_of_the_names() {
        let names = [
            "home-12-a-very-long-name-2",
            "home-12-a-very-long-name-1",
            "home-",
            "home-2",
            "home-12",
            "home-2",
            "home-\0",
        ];
        let mut expected: Vec<u32> = (0..7).collect();
        expected.sort_by_key(|&place| names[place as usize]);
        assert_eq!(places_in_order(names.len(), |place| names[place]), expected);
        assert_eq!(places_in_order(0, |_| ""), Vec::<u32>::new());
    }
}
