//! `som_status` and [`ErrorKind`]: one table, read both ways.

use som_core::ErrorKind;

use crate::sys::{
    SOM_CANCELLED, SOM_EXHAUSTED, SOM_INTERNAL, SOM_INVALID, SOM_UNAVAILABLE, SOM_UNSUPPORTED,
    som_status,
};

/// How a kind crosses the boundary.
#[cfg(any(feature = "guest", test))]
pub(crate) const fn of_kind(kind: ErrorKind) -> som_status {
    match kind {
        ErrorKind::Cancelled => SOM_CANCELLED,
        // Names of things are the host's business: to a plugin an unknown one is a wrong request.
        ErrorKind::Invalid | ErrorKind::NotFound => SOM_INVALID,
        ErrorKind::Unsupported => SOM_UNSUPPORTED,
        // Nor does a plugin know who logs in where: what matters to it is that it cannot go on.
        ErrorKind::Unavailable | ErrorKind::Denied => SOM_UNAVAILABLE,
        ErrorKind::Exhausted => SOM_EXHAUSTED,
        ErrorKind::Internal => SOM_INTERNAL,
    }
}

/// The kind of a failed status; unknown ones are bugs.
pub(crate) const fn kind_of(status: som_status) -> ErrorKind {
    match status {
        SOM_CANCELLED => ErrorKind::Cancelled,
        SOM_INVALID => ErrorKind::Invalid,
        SOM_UNSUPPORTED => ErrorKind::Unsupported,
        SOM_UNAVAILABLE => ErrorKind::Unavailable,
        SOM_EXHAUSTED => ErrorKind::Exhausted,
        _ => ErrorKind::Internal,
    }
}

/// A failed status as the header calls it.
#[cfg(feature = "host")]
pub(crate) fn name(status: som_status) -> std::borrow::Cow<'static, str> {
    match status {
        SOM_CANCELLED => "SOM_CANCELLED".into(),
        SOM_INVALID => "SOM_INVALID".into(),
        SOM_UNSUPPORTED => "SOM_UNSUPPORTED".into(),
        SOM_UNAVAILABLE => "SOM_UNAVAILABLE".into(),
        SOM_EXHAUSTED => "SOM_EXHAUSTED".into(),
        SOM_INTERNAL => "SOM_INTERNAL".into(),
        unknown => format!("the unknown status {unknown}").into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_survives_the_boundary() {
        for kind in ErrorKind::ALL {
            let back = kind_of(of_kind(kind));
            let expected = match kind {
                ErrorKind::NotFound => ErrorKind::Invalid,
                ErrorKind::Denied => ErrorKind::Unavailable,
                kind => kind,
            };
            assert_eq!(back, expected);
        }
    }
}
