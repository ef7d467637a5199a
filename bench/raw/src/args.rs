//! Command line of `raw`.

/// What the command line asks for.
pub struct Args {
    /// Port on 127.0.0.1; 0 (the default) lets the system choose.
    pub port: u16,
    /// Length in bytes of the `content` string; `None` answers with `This is a Volo example`.
    pub content_size: Option<usize>,
}

impl Args {
    /// Reads `--port P` and `--content-size N`; anything else is an error that says what is accepted.
    pub fn parse(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut args = Self { port: 0, content_size: None };
        while let Some(word) = words.next() {
            let mut number = || {
                let value = words.next().ok_or_else(|| format!("{word} needs a number after it"))?;
                value.parse::<usize>().map_err(|_| format!("{word} needs a number, not `{value}`"))
            };
            match word.as_str() {
                "--port" => {
                    let port = number()?;
                    args.port = u16::try_from(port).map_err(|_| format!("--port must be below 65536, not {port}"))?;
                }
                "--content-size" => args.content_size = Some(number()?),
                _ => return Err(format!("unknown option `{word}`; use raw [--port P] [--content-size N]")),
            }
        }
        Ok(args)
    }
}
