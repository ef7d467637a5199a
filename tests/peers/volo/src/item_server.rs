//! ItemService, as Volo's users write it.

use pilota::FastStr;
use volo_thrift::ServerError;

use crate::{
    args::Args,
    generated::item::{GetItemRequest, GetItemResponse, Item, ItemService, ItemServiceServer},
    listen::listen,
};

struct Items {
    content: FastStr,
}

impl ItemService for Items {
    async fn get_item(&self, req: GetItemRequest) -> Result<GetItemResponse, ServerError> {
        let item = Item {
            id: req.id,
            title: FastStr::from_static_str("Hello Volo"),
            content: self.content.clone(),
            extra: None,
        };
        Ok(GetItemResponse { item })
    }
}

pub async fn run(mut args: Args) -> anyhow::Result<()> {
    let address = args.address()?;
    let content = match args.optional("content-size")? {
        Some(size) => FastStr::from_string("x".repeat(size)),
        None => FastStr::from_static_str("This is a Volo example"),
    };
    args.end()?;
    listen(address, |incoming| ItemServiceServer::new(Items { content }).run(incoming))
        .await?
        .map_err(anyhow::Error::from_boxed)
}
