//! Command line of `h2-bare`.

/// What the command line asks for.
#[derive(Debug, Default)]
pub struct Args {
    /// Port on 127.0.0.1; 0 lets the system choose.
    pub port: u16,
    /// Length of the content; `None` is `Powered by Volo`.
    pub content_size: Option<usize>,
    /// Items that `StreamItems` gives.
    pub stream_items: u64,
}

impl Args {
    /// Reads the options. The error says which one is wrong and why.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self { stream_items: 10, ..Self::default() };
        while let Some(word) = words.next() {
            let value = words.next().ok_or_else(|| format!("{word} needs a value after it"))?;
            let wrong = |_| format!("{word} does not take {value}");
            match word.as_str() {
                "--port" => args.port = value.parse().map_err(wrong)?,
                "--content-size" => args.content_size = Some(value.parse().map_err(wrong)?),
                "--stream-items" => args.stream_items = value.parse().map_err(wrong)?,
                _ => return Err(format!("there is no option {word}")),
            }
        }
        Ok(args)
    }
}
