//! The service itself.

use std::pin::Pin;

use tokio_stream::{Stream, StreamExt as _};
use tonic::{Request, Response, Status, Streaming};

use crate::items::generated::{GetItemRequest, GetItemResponse, Item, item_service_server::ItemService};

pub mod generated {
    #![allow(clippy::all, clippy::pedantic)]
    tonic::include_proto!("volo.example");
}

pub struct Items {
    pub content: String,
    /// How many items `StreamItems` gives.
    pub stream: i64,
}

type ItemStream = Pin<Box<dyn Stream<Item = Result<Item, Status>> + Send>>;

#[tonic::async_trait]
impl ItemService for Items {
    type StreamItemsStream = ItemStream;
    type BidirectionalStreamStream = Streaming<Item>;

    async fn get_item(&self, request: Request<GetItemRequest>) -> Result<Response<GetItemResponse>, Status> {
        let item = Item {
            id: request.get_ref().id,
            title: "Hello gRPC".to_owned(),
            content: self.content.clone(),
            ..Item::default()
        };
        Ok(Response::new(GetItemResponse { item: Some(item) }))
    }

    async fn stream_items(&self, request: Request<GetItemRequest>) -> Result<Response<ItemStream>, Status> {
        let first = request.get_ref().id;
        let content = self.content.clone();
        let items = (1..=self.stream).map(move |n| {
            Ok(Item { id: first + n, title: format!("Item {n}"), content: content.clone(), ..Item::default() })
        });
        Ok(Response::new(Box::pin(tokio_stream::iter(items))))
    }

    async fn client_stream(&self, request: Request<Streaming<Item>>) -> Result<Response<GetItemResponse>, Status> {
        let mut items = request.into_inner();
        let mut last = None;
        while let Some(item) = items.next().await {
            last = Some(item?);
        }
        Ok(Response::new(GetItemResponse { item: last }))
    }

    async fn bidirectional_stream(
        &self,
        request: Request<Streaming<Item>>,
    ) -> Result<Response<Self::BidirectionalStreamStream>, Status> {
        Ok(Response::new(request.into_inner()))
    }
}
