//! Comments of the IDL as documentation.

use super::tokens::{Comment, Tokens};

impl Tokens<'_> {
    /// The documentation of what stands in the tokens from `first` to `last`: the comments directly above it and the
    /// one behind it on its last line, without comment signs.
    ///
    /// A blank line parts a comment from what follows, so that a licence at the top of a file documents nothing.
    pub(crate) fn doc(&self, first: usize, last: usize) -> String {
        let mut parts = Vec::new();
        let mut line = self.at(first).spot.line;
        for comment in self.leading(first).iter().rev() {
            if comment.end_line + 1 < line {
                break;
            }
            line = comment.line;
            parts.push(comment);
        }
        parts.reverse();
        // Behind the closing brace of a body of several lines stands a remark on the end, if anything.
        if self.at(first).spot.line == self.at(last).end_line || self.word(last) != "}" {
            parts.extend(self.trailing(last));
        }
        let texts: Vec<String> =
            parts.iter().map(|c| strip(&self.text[c.start..c.end])).filter(|text| !text.is_empty()).collect();
        texts.join("\n")
    }

    /// Comments in front of a token, without those that belong to the token before it.
    fn leading(&self, token: usize) -> &[Comment] {
        let all = self.in_front_of(token);
        match token.checked_sub(1) {
            Some(before) => &all[self.trailing(before).len()..],
            None => all,
        }
    }

    /// Comments behind a token, as far as they end the line.
    fn trailing(&self, token: usize) -> &[Comment] {
        let all = self.in_front_of(token + 1);
        let end_line = self.at(token).end_line;
        let mut count = 0;
        let mut line = end_line;
        while let Some(comment) = all.get(count)
            && comment.line == line
        {
            // A comment of several lines is the last one of this line.
            line = if comment.end_line == line { line } else { 0 };
            count += 1;
        }
        let behind = all.get(count).map_or(self.at(token + 1).spot.line, |next| next.line);
        let ends_line = count > 0 && behind != all[count - 1].end_line;
        let is_end = token + 2 >= self.list.len();
        if ends_line || is_end { &all[..count] } else { &[] }
    }

    fn in_front_of(&self, token: usize) -> &[Comment] {
        let from = self.comments.partition_point(|c| c.before < token);
        let to = self.comments.partition_point(|c| c.before <= token);
        &self.comments[from..to]
    }
}

/// A comment's text without its signs and without the margin of stars.
fn strip(comment: &str) -> String {
    if let Some(body) = comment.strip_prefix("/*") {
        let body = body.strip_suffix("*/").unwrap_or(body).trim_start_matches(['*', '!']).trim_end_matches('*');
        let lines = body.lines().map(|line| {
            let line = line.trim();
            line.strip_prefix("* ").or_else(|| line.strip_prefix('*')).unwrap_or(line).trim_end()
        });
        return lines.collect::<Vec<_>>().join("\n").trim().to_owned();
    }
    comment.trim_start_matches(['/', '#', '!']).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comment_signs_go() {
        for (comment, text) in [
            ("// a", "a"),
            ("/// a", "a"),
            ("//", ""),
            ("# a // b", "a // b"),
            ("// a\r", "a"),
            ("/* a */", "a"),
            ("/**/", ""),
            ("/***/", ""),
            ("/** a\n   *   b\n   *\n   * - c */", "a\n  b\n\n- c"),
            ("/*\n a\n b\n*/", "a\nb"),
        ] {
            assert_eq!(strip(comment), text, "{comment}");
        }
    }

    fn doc(text: &str, name: &str) -> String {
        let tokens = Tokens::read(text).expect("tokens");
        let at = (0..tokens.list.len()).find(|i| tokens.word(*i) == name).expect("the token");
        tokens.doc(at, at)
    }

    #[test]
    fn comments_find_what_they_belong_to() {
        assert_eq!(doc("// licence\n\n// one\n# two\nx", "x"), "one\ntwo");
        assert_eq!(doc("// licence\n\nx", "x"), "");
        assert_eq!(doc("w // of w\nx // of x", "x"), "of x");
        assert_eq!(doc("w // of w\nx // of x", "w"), "of w");
        assert_eq!(doc("w, // of w\n// of x\nx", "x"), "of x");
        assert_eq!(doc("w, /* of x */ x", "x"), "of x");
        assert_eq!(doc("w /* of x */ x", "w"), "");
        assert_eq!(doc("w /* of\nw */\nx", "x"), "");
        assert_eq!(doc("w /* of\nw */\nx", "w"), "of\nw");
        assert_eq!(doc("/* above */ x /* behind */", "x"), "above\nbehind");
    }
}
