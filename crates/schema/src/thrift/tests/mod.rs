//! Behaviour of the front end as a whole.

mod features;
