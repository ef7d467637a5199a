//! Names: what they become in generated code, and which one was meant.

/// The name a method has in TypeScript: `get_item`, `GetItem` and `GET_ITEM` are `getItem`.
///
/// Underscores part words. A word without a lower-case letter is taken for shouting (`PING` is `ping`); of any other
/// only the first letter changes, so `getURL` stays as it is.
pub fn camel_case(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    for word in name.split('_').filter(|word| !word.is_empty()) {
        let shouted = !word.chars().any(|c| c.is_ascii_lowercase());
        let mut letters = word.chars();
        if let Some(first) = letters.next() {
            let first = if out.is_empty() { first.to_ascii_lowercase() } else { first.to_ascii_uppercase() };
            out.push(first);
        }
        out.extend(letters.map(|c| if shouted { c.to_ascii_lowercase() } else { c }));
    }
    if out.is_empty() { name.to_owned() } else { out }
}

/// The candidate nearest to `name` by edit distance, if one is near enough to have been meant.
pub(crate) fn nearest<'a>(name: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    // Letters behind the last dot count: the way to a name is as long as it is.
    let letters = name.rsplit('.').next().unwrap_or(name).chars().count();
    let limit = (letters / 3).max(usize::from(letters > 2));
    candidates
        .filter_map(|candidate| distance(name, candidate, limit).map(|far| (far, candidate)))
        .min()
        .map(|(_, candidate)| candidate)
}

/// Edit distance with neighbouring letters swapped counting as one, letter case as nothing; none if it is over `limit`.
fn distance(a: &str, b: &str, limit: usize) -> Option<usize> {
    let a: Vec<char> = a.chars().map(|c| c.to_ascii_lowercase()).collect();
    let b: Vec<char> = b.chars().map(|c| c.to_ascii_lowercase()).collect();
    if a.len().abs_diff(b.len()) > limit {
        return None;
    }
    let mut before = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let change = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = change.min(last[j] + 1).min(row[j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                row[j] = row[j].min(before[j - 2] + 1);
            }
        }
        before = std::mem::replace(&mut last, row);
    }
    Some(last[b.len()]).filter(|far| *far <= limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_camel_case() {
        for (idl, expected) in [
            ("GetItem", "getItem"),
            ("get_item", "getItem"),
            ("GET_ITEM", "getItem"),
            ("getItem", "getItem"),
            ("getURL", "getURL"),
            ("_get__item_", "getItem"),
            ("PING", "ping"),
            ("v2_get", "v2Get"),
            ("Get2", "get2"),
            ("__", "__"),
            ("x", "x"),
        ] {
            assert_eq!(camel_case(idl), expected, "{idl}");
        }
    }

    #[test]
    fn the_nearest_name_is_found_if_it_is_near() {
        let names = ["Item", "ItemRequest", "User"];
        assert_eq!(nearest("Itme", names.into_iter()), Some("Item"));
        assert_eq!(nearest("item", names.into_iter()), Some("Item"));
        assert_eq!(nearest("ItemReqest", names.into_iter()), Some("ItemRequest"));
        assert_eq!(nearest("Order", names.into_iter()), None);
        assert_eq!(nearest("x", ["y", "X"].into_iter()), Some("X"));
        assert_eq!(nearest("base.x", ["base.y"].into_iter()), None);
    }
}
