//! Secret types show nothing.

use std::fmt::{Debug, Display};
use strongroom_vault::Secret;

/// Has one method for every type, and a second of the same name for types that show themselves: for those the call is
/// ambiguous and does not compile.
macro_rules! shows_nothing {
    ($type:ty, $($shown:path),+) => {$({
        trait Shows<Marker> {
            fn is_silent() -> bool {
                true
            }
        }
        impl<T: ?Sized> Shows<()> for T {}
        struct Shown;
        impl<T: ?Sized + $shown> Shows<Shown> for T {}
        assert!(<$type as Shows<_>>::is_silent());
    })+};
}

#[test]
fn a_secret_cannot_be_shown_or_copied() {
    shows_nothing!(Secret, Debug, Display, Clone, Copy, Default, std::hash::Hash, AsRef<[u8]>);
}
