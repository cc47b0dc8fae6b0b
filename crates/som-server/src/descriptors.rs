//! File descriptors: every connection takes one, and a system gives so many.

use std::fs;

use som_engine::settings::ServerSettings;

use crate::places::SPARE;

/// Those of the program itself: logs, libraries, weights, connections to backends and models.
const OWN: usize = 64;

/// Warns if the connections that the settings allow may take more descriptors than there are.
pub(crate) fn warn_if_short(settings: &ServerSettings) {
    let limits = fs::read_to_string("/proc/self/limits").unwrap_or_default();
    if let Some((needed, given)) = shortage(settings, &limits) {
        tracing::warn!(
            "connections may take {needed} file descriptors, but the system gives {given} (raise \
             `ulimit -n`, or lower server.connections)"
        );
    }
}

/// The descriptors that are needed and those that there are, in the words of `/proc/self/limits`, if
/// they do not suffice.
fn shortage(settings: &ServerSettings, limits: &str) -> Option<(usize, usize)> {
    let name = "Max open files";
    let line = limits.lines().find_map(|line| line.strip_prefix(name))?;
    let given = line.split_whitespace().next()?.parse().ok()?;
    let needed = settings
        .connections
        .saturating_add(settings.metrics_connections)
        .saturating_add(SPARE + OWN);
    (needed > given).then_some((needed, given))
}

#[cfg(test)]
mod tests {
    use som_engine::settings::Ladder;

    use super::*;

    #[test]
    fn a_shortage_is_told_in_numbers() {
        let (settings, _) = Ladder::embedded().load().unwrap();
        let limits = |soft: &str| {
            format!(
                "Limit                     Soft Limit           Hard Limit           Units\n\
                 Max open files            {soft}                 1048576              files\n"
            )
        };
        let told = |soft: &str| shortage(&settings.server, &limits(soft));
        assert_eq!(told("256"), Some((1112, 256)));
        assert_eq!(told("1112"), None);
        assert_eq!(told("unlimited"), None);
        assert_eq!(shortage(&settings.server, ""), None);
    }
}
