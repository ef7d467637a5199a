//! The servers and clients of an engine, by the ids its isolate gave them.

use std::ops::{Index, IndexMut};

use crate::{client::Client, server::Server};

#[allow(clippy::large_enum_variant)] // there are few, and none is moved
pub(crate) enum Owner {
    Server(Server),
    Client(Client),
}

/// Owners by id. One isolate's ids are given out once, whichever engines (one a thread) they live in.
#[derive(Default)]
pub(crate) struct Owners(Vec<Option<Owner>>);

impl Owners {
    pub(crate) fn insert(&mut self, id: u32, owner: Owner) {
        let index = id as usize;
        if index >= self.0.len() {
            self.0.resize_with(index + 1, || None);
        }
        debug_assert!(self.0[index].is_none(), "an id is given out once");
        self.0[index] = Some(owner);
    }

    pub(crate) fn remove(&mut self, id: u32) -> Option<Owner> {
        self.0.get_mut(id as usize).and_then(Option::take)
    }

    #[inline]
    pub(crate) fn get(&self, index: usize) -> Option<&Owner> {
        self.0.get(index).and_then(Option::as_ref)
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, index: usize) -> Option<&mut Owner> {
        self.0.get_mut(index).and_then(Option::as_mut)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u32, &Owner)> {
        self.0.iter().enumerate().filter_map(|(id, owner)| Some((id as u32, owner.as_ref()?)))
    }
}

impl Index<usize> for Owners {
    type Output = Owner;

    /// # Panics
    /// If nobody has this id: a connection lives no longer than its owner.
    fn index(&self, index: usize) -> &Owner {
        self.get(index).expect("a connection's owner is there")
    }
}

impl IndexMut<usize> for Owners {
    fn index_mut(&mut self, index: usize) -> &mut Owner {
        self.get_mut(index).expect("a connection's owner is there")
    }
}
