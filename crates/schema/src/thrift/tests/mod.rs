//! Behaviour of the front end as a whole.

mod disk;
mod features;
mod hostile;
mod mistakes;
