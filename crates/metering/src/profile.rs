//! Deviations of real meters from their format, each borne only for keys enrolled with its name.

/// A named deviation from a wire format.
///
/// A reader that had to bear one lists it in its record; the verifier refuses the record unless
/// the key was enrolled with the profile, and the verdict names it.
#[derive(Debug, PartialEq, Eq)]
pub struct Profile {
    /// Name in the trust file and in verdicts.
    pub name: &'static str,
    /// What is borne, in a sentence fragment for people.
    pub bears: &'static str,
}

/// DER integers of a signature without the zero byte that keeps them positive.
pub static DER_UNPADDED: Profile = Profile {
    name: "der-unpadded",
    bears: "signature integers in DER without the leading zero byte",
};

/// `r || s` where the format says DER.
pub static SIGNATURE_FIXED: Profile = Profile {
    name: "signature-fixed",
    bears: "a signature as r || s where the format says DER",
};

/// Signed local time that has to be brought to UTC by an offset outside the signed bytes; a key its
/// clock is bound to needs no such bearing.
pub(crate) static UTC_OFFSET_UNSIGNED: Profile = Profile {
    name: "utc-offset-unsigned",
    bears: "local time in the signed bytes, its offset from UTC beside them",
};

/// Profiles of signatures, which any format with DER signatures may be enrolled with.
pub static SIGNATURE_PROFILES: [&Profile; 2] = [&DER_UNPADDED, &SIGNATURE_FIXED];
