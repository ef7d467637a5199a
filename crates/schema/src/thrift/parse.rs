//! Calls the parser and makes sure its tree and the outline say the same.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pilota_thrift_parser::{Error, Field, File, FileParser, FileSource, Item};

use super::outline::outline;
use super::positions::{Body, FieldPlace, ItemPlace, Outline};
use super::tokens::{Fault, Spot, Tokens};

/// Parses a file whose tokens are known.
pub(crate) fn parse(tokens: &Tokens<'_>) -> Result<(File, Outline), Vec<Fault>> {
    let outline = outline(tokens)?;
    let text = tokens.edited(&outline.edits);
    let begin = tokens.at(0).spot;
    // The parser is foreign code: a panic of it is a mistake in a file, not the end of the process.
    let parsed = catch_unwind(AssertUnwindSafe(|| FileParser::new(FileSource::new(&text)).parse()));
    let tree = match parsed {
        Ok(Ok(tree)) => tree,
        Ok(Err(error)) => return Err(vec![fault_of(&error, tokens)]),
        Err(_) => return Err(vec![Fault::new(begin, "the parser gave up on this file")]),
    };
    match misfit(&tree, &outline) {
        None => Ok((tree, outline)),
        Some(token) => {
            let fault = Fault::new(tokens.at(token).spot, "this declaration can be read in two ways")
                .hint("write it on a line of its own, with separators");
            Err(vec![fault])
        }
    }
}

/// The parser's own message; its position is in the summary, as `line 3:14 - reason`.
fn fault_of(error: &Error, tokens: &Tokens<'_>) -> Fault {
    let summary = match error {
        Error::Syntax { summary, .. } => summary.to_string(),
        other => other.to_string(),
    };
    let place = summary.to_ascii_lowercase().rfind(" line ").and_then(|at| {
        let (place, reason) = summary[at + " line ".len()..].split_once(" - ")?;
        let (line, column) = place.split_once(':')?;
        Some((line.parse::<u32>().ok()?, column.parse::<u32>().ok()?, reason.lines().next()?.to_owned()))
    });
    match place {
        Some((line, column, reason)) => {
            let token = tokens.list.iter().find(|t| (t.end_line, t.spot.column + t.spot.width) > (line, column));
            let start = token.map_or(tokens.text.len(), |t| t.spot.start);
            // What could stand there instead is a list of characters, which helps nobody.
            let message = match token {
                Some(token) if reason.starts_with("found ") => format!("unexpected `{}`", tokens.text_of(*token)),
                _ => format!("syntax error: {reason}"),
            };
            Fault::new(Spot { start, line, column, width: 1 }, message)
        }
        None => Fault::new(tokens.at(0).spot, format!("syntax error: {summary}")),
    }
}

/// The token of the first declaration that tree and outline see differently.
fn misfit(tree: &File, outline: &Outline) -> Option<usize> {
    let differs = tree.items.iter().zip(&outline.items).find(|(item, place)| !fits(item, place));
    match differs {
        Some((_, place)) => Some(place.first),
        None if tree.items.len() == outline.items.len() => None,
        None => Some(outline.items.last().map_or(0, |place| place.first)),
    }
}

fn fits(item: &Item, place: &ItemPlace) -> bool {
    match (item, &place.body) {
        (Item::Include(_), Body::Include)
        | (Item::CppInclude(_), Body::CppInclude)
        | (Item::Namespace(_), Body::Namespace)
        | (Item::Typedef(_), Body::Typedef(_))
        | (Item::Constant(_), Body::Const(..)) => true,
        (Item::Enum(tree), Body::Enum(members)) => tree.values.len() == members.len(),
        (Item::Struct(tree), Body::Struct(fields)) => fields_fit(&tree.fields, fields),
        (Item::Union(tree), Body::Struct(fields)) => fields_fit(&tree.fields, fields),
        (Item::Exception(tree), Body::Struct(fields)) => fields_fit(&tree.fields, fields),
        (Item::Service(tree), Body::Service { functions, .. }) => {
            tree.functions.len() == functions.len()
                && tree.functions.iter().zip(functions).all(|(function, place)| {
                    fields_fit(&function.arguments, &place.arguments) && fields_fit(&function.throws, &place.throws)
                })
        }
        _ => false,
    }
}

fn fields_fit(tree: &[Field], places: &[FieldPlace]) -> bool {
    tree.len() == places.len()
        && tree.iter().zip(places).all(|(field, place)| field.default.is_some() == place.default.is_some())
}
