//! Lists that mostly are short. `SmallVec` is invariant in what it holds: headers that borrow would have to live exactly as long as what they borrow
//! from.

use std::fmt;
use std::ops::{Deref, DerefMut};

/// A list whose first `N` values lie in place; where there are more, all are on the heap.
#[derive(Clone)]
pub struct Few<T, const N: usize> {
    here: [T; N],
    /// How many there are, as long as they lie in place.
    len: usize,
    /// All of them, once they are more.
    there: Vec<T>,
}

impl<T: Copy + Default, const N: usize> Few<T, N> {
    /// Adds a value at the end.
    #[inline]
    pub fn push(&mut self, value: T) {
        if !self.there.is_empty() {
            self.there.push(value);
        } else if let Some(free) = self.here.get_mut(self.len) {
            *free = value;
            self.len += 1;
        } else {
            self.there.reserve(2 * N);
            self.there.extend_from_slice(&self.here);
            self.there.push(value);
        }
    }
}

impl<T: Copy + Default, const N: usize> Default for Few<T, N> {
    #[inline]
    fn default() -> Self {
        Self { here: [T::default(); N], len: 0, there: Vec::new() }
    }
}

impl<T, const N: usize> Deref for Few<T, N> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        if self.there.is_empty() { &self.here[..self.len] } else { &self.there }
    }
}

impl<T, const N: usize> DerefMut for Few<T, N> {
    fn deref_mut(&mut self) -> &mut [T] {
        if self.there.is_empty() { &mut self.here[..self.len] } else { &mut self.there }
    }
}

impl<T: Copy + Default, const N: usize> Extend<T> for Few<T, N> {
    #[inline]
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        for value in values {
            self.push(value);
        }
    }
}

impl<T: Copy + Default, const N: usize> FromIterator<T> for Few<T, N> {
    #[inline]
    fn from_iter<I: IntoIterator<Item = T>>(values: I) -> Self {
        let mut few = Self::default();
        few.extend(values);
        few
    }
}

impl<'f, T, const N: usize> IntoIterator for &'f Few<T, N> {
    type Item = &'f T;
    type IntoIter = std::slice::Iter<'f, T>;

    #[inline]
    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T: PartialEq, const N: usize> PartialEq for Few<T, N> {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl<T: Eq, const N: usize> Eq for Few<T, N> {}

impl<T: fmt::Debug, const N: usize> fmt::Debug for Few<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.iter()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::Few;

    #[test]
    fn any_number_is_kept_in_order() {
        for count in 0..12_u32 {
            let values: Vec<u32> = (1..=count).collect();
            let mut few: Few<u32, 4> = values.iter().copied().collect();
            assert_eq!(&*few, values);
            assert_eq!(few.there.capacity() > 0, count > 4);
            few.reverse();
            assert_eq!(few.iter().rev().copied().collect::<Vec<_>>(), values);
        }
    }

    #[test]
    fn lists_are_equal_whose_values_are() {
        let one: Few<u32, 2> = [1, 2].into_iter().collect();
        let mut other: Few<u32, 2> = [1, 2, 3].into_iter().collect();
        assert_ne!(one, other);
        other = [1].into_iter().collect();
        assert_ne!(one, other);
        other.push(2);
        assert_eq!(one, other);
        assert_eq!(format!("{one:?}"), "[1, 2]");
    }
}
