//! The way from a leaf to the root, in trees that let an odd last node rise as it is.

/// Tells of each sibling on the way up whether it stands to the left.
pub(crate) fn sides(index: u64, leaf_count: u64) -> Vec<bool> {
    let (mut place, mut last) = (index, leaf_count - 1);
    let mut sides = Vec::new();
    while last > 0 {
        if place & 1 == 1 {
            sides.push(true);
        } else if place < last {
            sides.push(false);
        }
        place >>= 1;
        last >>= 1;
    }
    sides
}
